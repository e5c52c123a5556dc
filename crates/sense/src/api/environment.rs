//! Environments over HTTP.

use std::collections::BTreeMap;

use api::permission::{ReadEstate, WriteEstate};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::id::EnvironmentId;
use model::level::EnvironmentClass;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{answer, plain, sized, tags};
use crate::inventory::Environment;
use crate::store::environment;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_environments, create_environment))
        .routes(routes!(get_environment, replace_environment))
}

/// A deployment environment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EnvironmentOut {
    /// Its id.
    #[schema(value_type = String)]
    id: EnvironmentId,
    /// What people call it.
    name: String,
    /// Its name in selectors and policies.
    slug: String,
    /// `dev`, `test`, `staging` or `prod`: what policy knows of it.
    class: String,
    /// Free labels.
    tags: BTreeMap<String, String>,
    /// Whether it is in use.
    is_active: bool,
}

fn out(environment: Environment) -> EnvironmentOut {
    EnvironmentOut {
        id: environment.id,
        name: environment.name,
        slug: environment.slug,
        class: environment.class.to_string(),
        tags: environment.tags,
        is_active: environment.is_active,
    }
}

/// An environment to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvironmentIn {
    /// What people call it.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Its name in selectors and policies, unique.
    #[schema(min_length = 1, max_length = 100, example = "shop-live")]
    slug: String,
    /// `dev`, `test`, `staging`, `prod`, or a common word for one of them.
    #[schema(example = "prod")]
    class: String,
    /// Free labels.
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// Whether it is in use; true when absent.
    #[serde(default = "active")]
    is_active: bool,
}

const fn active() -> bool {
    true
}

impl EnvironmentIn {
    fn environment(self, id: EnvironmentId) -> Answer<Environment> {
        sized("/name", &self.name, 1..=255)?;
        plain("/slug", &self.slug, 100, "._-")?;
        tags("/tags", &self.tags)?;
        // Never a default: policy decides by class.
        let class = EnvironmentClass::from_alias(&self.class).ok_or_else(|| {
            Problem::invalid("/class", "unknown_word", "must be dev, test, staging or prod")
        })?;
        Ok(Environment {
            id,
            name: self.name,
            slug: self.slug,
            class,
            tags: self.tags,
            is_active: self.is_active,
        })
    }
}

/// List environments.
#[utoipa::path(get, path = "/environments", tag = "estate",
    responses((status = 200, body = Vec<EnvironmentOut>), (status = "4XX", body = Problem)))]
async fn list_environments(
    State(app): State<App>,
    caller: Can<ReadEstate>,
) -> Answer<Json<Vec<EnvironmentOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(environment::all(&mut tx).await?.into_iter().map(out).collect()))
}

/// Show an environment.
#[utoipa::path(get, path = "/environments/{id}", tag = "estate",
    params(("id" = String, Path, description = "The environment")),
    responses((status = 200, body = EnvironmentOut), (status = "4XX", body = Problem)))]
async fn get_environment(
    State(app): State<App>,
    caller: Can<ReadEstate>,
    Path(id): Path<EnvironmentId>,
) -> Answer<Json<EnvironmentOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(out(answer("environment", environment::get(&mut tx, id).await)?)))
}

/// Add an environment.
#[utoipa::path(post, path = "/environments", tag = "estate", request_body = EnvironmentIn,
    responses((status = 201, body = EnvironmentOut), (status = "4XX", body = Problem)))]
async fn create_environment(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Body(wanted): Body<EnvironmentIn>,
) -> Answer<(StatusCode, Json<EnvironmentOut>)> {
    let new = wanted.environment(EnvironmentId::generate())?;
    let mut change = Change::begin(&app, &caller).await?;
    answer("environment", environment::insert(&mut change, &new).await)?;
    let event = change
        .event("environment.created", "environment", &new.id)
        .with("slug", new.slug.clone())
        .with("class", new.class.word());
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(out(new))))
}

/// Replace an environment.
#[utoipa::path(put, path = "/environments/{id}", tag = "estate", request_body = EnvironmentIn,
    params(("id" = String, Path, description = "The environment")),
    responses((status = 200, body = EnvironmentOut), (status = "4XX", body = Problem)))]
async fn replace_environment(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Path(id): Path<EnvironmentId>,
    Body(wanted): Body<EnvironmentIn>,
) -> Answer<Json<EnvironmentOut>> {
    let new = wanted.environment(id)?;
    let mut change = Change::begin(&app, &caller).await?;
    answer("environment", environment::update(&mut change, &new).await)?;
    let event = change
        .event("environment.updated", "environment", &id)
        .with("slug", new.slug.clone())
        .with("class", new.class.word());
    change.commit(event).await?;
    Ok(Json(out(new)))
}
