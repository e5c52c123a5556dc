//! Servers over HTTP.

use std::collections::BTreeMap;

use api::permission::{ReadEstate, WriteEstate};
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Paging, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::id::{EnvironmentId, ResourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{answer, plain, sized, tags};
use crate::inventory::{OsType, Resource};
use crate::store::resource;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_resources, create_resource))
        .routes(routes!(get_resource, replace_resource))
}

/// A server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResourceOut {
    /// Its id.
    #[schema(value_type = String)]
    id: ResourceId,
    /// The environment it is in.
    #[schema(value_type = String)]
    environment_id: EnvironmentId,
    /// What its provider calls it.
    external_id: String,
    /// `host`.
    provider: String,
    /// `server`.
    kind: String,
    /// What people call it.
    name: String,
    /// Its name in the network.
    hostname: Option<String>,
    /// `linux` or `windows`.
    os_type: Option<String>,
    /// The team that owns it.
    owner_team: Option<String>,
    /// Free labels.
    tags: BTreeMap<String, String>,
    /// `active` or `retired`.
    status: String,
}

fn out(resource: Resource) -> ResourceOut {
    ResourceOut {
        id: resource.id,
        environment_id: resource.environment_id,
        external_id: resource.external_id,
        provider: resource.provider,
        kind: resource.kind,
        name: resource.name,
        hostname: resource.hostname,
        os_type: resource.os_type.map(|os_type| os_type.to_string()),
        owner_team: resource.owner_team,
        tags: resource.tags,
        status: resource.status,
    }
}

/// Whether a server is there.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusIn {
    /// It is, and may be a target.
    #[default]
    Active,
    /// It is gone; it is kept for the record.
    Retired,
}

/// A server to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceIn {
    /// The environment it is in.
    #[schema(value_type = String)]
    environment_id: EnvironmentId,
    /// What people call it; alerts find it by this or its host name.
    #[schema(min_length = 1, max_length = 100, example = "web-1")]
    name: String,
    /// Its name in the network.
    #[schema(max_length = 253, example = "web-1.example.com")]
    hostname: Option<String>,
    /// `linux` or `windows`.
    #[schema(value_type = Option<String>, example = "linux")]
    os_type: Option<OsType>,
    /// The team that owns it.
    #[schema(max_length = 100)]
    owner_team: Option<String>,
    /// Free labels.
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// Whether it is there; active when absent.
    #[serde(default)]
    status: StatusIn,
}

impl ResourceIn {
    fn check(&self) -> Answer<()> {
        plain("/name", &self.name, 100, "._-")?;
        if let Some(hostname) = &self.hostname {
            plain("/hostname", hostname, 253, "._:-")?;
        }
        if let Some(team) = &self.owner_team {
            sized("/owner_team", team, 1..=100)?;
        }
        tags("/tags", &self.tags)
    }

    /// What may change of `known`, changed.
    fn onto(self, known: Resource) -> Resource {
        Resource {
            environment_id: self.environment_id,
            name: self.name,
            hostname: self.hostname,
            os_type: self.os_type,
            owner_team: self.owner_team,
            tags: self.tags,
            status: match self.status {
                StatusIn::Active => "active".to_owned(),
                StatusIn::Retired => "retired".to_owned(),
            },
            ..known
        }
    }
}

/// List servers, newest first.
#[utoipa::path(get, path = "/resources", tag = "estate", params(api::page::PagingIn),
    responses((status = 200, body = PageOut<ResourceOut>), (status = "4XX", body = Problem)))]
async fn list_resources(
    State(app): State<App>,
    caller: Can<ReadEstate>,
    Paging(page): Paging,
) -> Answer<Json<PageOut<ResourceOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(resource::list(&mut tx, &page).await?, out)))
}

/// Show a server.
#[utoipa::path(get, path = "/resources/{id}", tag = "estate",
    params(("id" = String, Path, description = "The server")),
    responses((status = 200, body = ResourceOut), (status = "4XX", body = Problem)))]
async fn get_resource(
    State(app): State<App>,
    caller: Can<ReadEstate>,
    Path(id): Path<ResourceId>,
) -> Answer<Json<ResourceOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(out(answer("resource", resource::get(&mut tx, id).await)?)))
}

/// Add a server.
#[utoipa::path(post, path = "/resources", tag = "estate", request_body = ResourceIn,
    responses((status = 201, body = ResourceOut), (status = "4XX", body = Problem)))]
async fn create_resource(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Body(wanted): Body<ResourceIn>,
) -> Answer<(StatusCode, Json<ResourceOut>)> {
    wanted.check()?;
    let new = wanted.onto_new();
    let mut change = Change::begin(&app, &caller).await?;
    answer("resource", resource::insert(&mut change, &new, caller.actor.id).await)?;
    let event = change
        .event("resource.created", "resource", &new.id)
        .with("name", new.name.clone())
        .with("environment_id", new.environment_id.to_string());
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(out(new))))
}

/// Replace a server's description.
#[utoipa::path(put, path = "/resources/{id}", tag = "estate", request_body = ResourceIn,
    params(("id" = String, Path, description = "The server")),
    responses((status = 200, body = ResourceOut), (status = "4XX", body = Problem)))]
async fn replace_resource(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Path(id): Path<ResourceId>,
    Body(wanted): Body<ResourceIn>,
) -> Answer<Json<ResourceOut>> {
    wanted.check()?;
    let mut change = Change::begin(&app, &caller).await?;
    let known = answer("resource", resource::get(&mut change, id).await)?;
    let new = wanted.onto(known);
    answer("resource", resource::update(&mut change, &new).await)?;
    let event = change
        .event("resource.updated", "resource", &id)
        .with("name", new.name.clone())
        .with("environment_id", new.environment_id.to_string())
        .with("status", new.status.clone());
    change.commit(event).await?;
    Ok(Json(out(new)))
}

impl ResourceIn {
    /// A new server of this description; its name is also what it is known by.
    fn onto_new(self) -> Resource {
        let known = Resource {
            id: ResourceId::generate(),
            environment_id: self.environment_id,
            external_id: self.name.clone(),
            provider: "host".to_owned(),
            kind: "server".to_owned(),
            name: String::new(),
            hostname: None,
            os_type: None,
            owner_team: None,
            tags: BTreeMap::new(),
            status: String::new(),
        };
        self.onto(known)
    }
}
