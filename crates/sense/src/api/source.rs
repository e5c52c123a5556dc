//! Alert sources over HTTP.

use api::permission::{ReadRules, WriteRules};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::id::{ActorId, AlertSourceId, CredentialId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::credential::seal;
use super::{answer, plain};
use crate::alert::generic::Mapping;
use crate::inventory::CredentialKind;
use crate::source::{AlertSource, SourceKind};
use crate::store::alert_source::{self, NewSource};
use crate::store::credential;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_sources, create_source))
        .routes(routes!(switch_source))
        .routes(routes!(rotate_source_secret))
        .routes(routes!(drop_previous_secret))
}

/// A source of alerts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceOut {
    /// Its id.
    #[schema(value_type = String)]
    id: AlertSourceId,
    /// Its name; triggers match on it.
    name: String,
    /// `alertmanager` or `generic`.
    kind: String,
    /// As whom it acts; its key is an API key of this actor.
    #[schema(value_type = String)]
    actor_id: ActorId,
    /// Where the fields of its alerts are.
    #[schema(value_type = Option<Object>)]
    mapping: Option<Mapping>,
    /// Whether two signing secrets count at present.
    rotating: bool,
    /// Whether it may send.
    is_active: bool,
    /// Since when it is known.
    #[schema(value_type = String, format = DateTime)]
    created_at: model::Timestamp,
}

fn out(source: AlertSource) -> SourceOut {
    SourceOut {
        id: source.id,
        name: source.name,
        kind: source.kind.to_string(),
        actor_id: source.actor_id,
        mapping: source.mapping,
        rotating: source.previous_secret_id.is_some(),
        is_active: source.is_active,
        created_at: source.created_at,
    }
}

/// A source to be known.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceIn {
    /// Its name, unique.
    #[schema(min_length = 1, max_length = 100, example = "alertmanager-eu")]
    name: String,
    /// `alertmanager` or `generic`.
    #[schema(value_type = String, example = "alertmanager")]
    kind: SourceKind,
    /// As whom it acts: the actor of its API key, role operator.
    #[schema(value_type = String)]
    actor_id: ActorId,
    /// For generic sources: JSON pointers to the fields of an alert.
    #[schema(value_type = Option<Object>, example = json!({"items": "/events", "name": "/check",
        "starts_at": "/since", "severity": "/level", "instance": "/host"}))]
    mapping: Option<Value>,
    /// For generic sources: what it signs with.
    #[schema(write_only, min_length = 16, max_length = 65536)]
    secret: Option<String>,
}

/// A new signing secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SigningSecretIn {
    /// The secret.
    #[schema(write_only, min_length = 16, max_length = 65536)]
    secret: String,
}

/// The shortest signing secret, in bytes.
const MIN_SECRET_BYTES: usize = 16;

/// Seals a signing secret and keeps it under a name of its own.
async fn keep(
    app: &App,
    change: &mut Change<'_>,
    by: ActorId,
    source: &str,
    secret: String,
) -> Answer<CredentialId> {
    if secret.len() < MIN_SECRET_BYTES {
        let message = format!("must have at least {MIN_SECRET_BYTES} bytes");
        return Err(Problem::invalid("/secret", "length", message));
    }
    let (id, kind) = (CredentialId::generate(), CredentialKind::Hmac);
    let sealed = seal(app, change, (id, 1, kind), secret).await?;
    let name = format!("{source} {id}");
    credential::insert(change, id, &name, kind, &sealed, by).await?;
    Ok(id)
}

/// List alert sources.
#[utoipa::path(get, path = "/alert-sources", tag = "alert rules",
    responses((status = 200, body = Vec<SourceOut>), (status = "4XX", body = Problem)))]
async fn list_sources(
    State(app): State<App>,
    caller: Can<ReadRules>,
) -> Answer<Json<Vec<SourceOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(alert_source::all(&mut tx).await?.into_iter().map(out).collect()))
}

/// Make an alert source known.
#[utoipa::path(post, path = "/alert-sources", tag = "alert rules", request_body = SourceIn,
    responses((status = 201, body = SourceOut), (status = "4XX", body = Problem)))]
async fn create_source(
    State(app): State<App>,
    caller: Can<WriteRules>,
    Body(wanted): Body<SourceIn>,
) -> Answer<(StatusCode, Json<SourceOut>)> {
    plain("/name", &wanted.name, 100, "._-")?;
    let mapping = wanted.mapping.as_ref().map(Mapping::from_value).transpose()?;
    let fits = match wanted.kind {
        SourceKind::Alertmanager => mapping.is_none() && wanted.secret.is_none(),
        SourceKind::Generic => mapping.is_some() && wanted.secret.is_some(),
    };
    if !fits {
        let message = "a generic source needs a mapping and a secret, another has neither";
        return Err(Problem::invalid("/kind", "shape", message));
    }
    let mut change = Change::begin(&app, &caller).await?;
    let secret_id = match wanted.secret {
        Some(secret) => Some(keep(&app, &mut change, caller.actor.id, &wanted.name, secret).await?),
        None => None,
    };
    let new = NewSource {
        name: &wanted.name,
        kind: wanted.kind,
        actor_id: wanted.actor_id,
        mapping: mapping.as_ref(),
        secret_id,
    };
    let id = answer("alert source", alert_source::insert(&mut change, new).await)?;
    let made = alert_source::by_name(&mut change, &wanted.name).await?;
    let event = change
        .event("alert_source.created", "alert_source", &id)
        .with("name", wanted.name.clone())
        .with("kind", wanted.kind.word())
        .with("actor_id", wanted.actor_id.to_string());
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(out(made))))
}

/// Whether a source may send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceSwitchIn {
    /// Whether it may.
    is_active: bool,
}

/// Switch an alert source off, or on again.
///
/// What is switched off is refused from then on, with `not_this_source`. Its alerts, and everything
/// that came of them, stay as they are, and so do its name, its key and its secret.
#[utoipa::path(patch, path = "/alert-sources/{name}", tag = "alert rules",
    params(("name" = String, Path, description = "The name of the source")),
    request_body = SourceSwitchIn,
    responses((status = 200, body = SourceOut), (status = "4XX", body = Problem)))]
async fn switch_source(
    State(app): State<App>,
    caller: Can<WriteRules>,
    Path(name): Path<String>,
    Body(wanted): Body<SourceSwitchIn>,
) -> Answer<Json<SourceOut>> {
    plain("path.name", &name, 100, "._-")?;
    let mut change = Change::begin(&app, &caller).await?;
    let mut source = answer("alert source", alert_source::by_name(&mut change, &name).await)?;
    source.is_active = wanted.is_active;
    if alert_source::switch(&mut change, source.id, wanted.is_active).await? {
        let action = if wanted.is_active { "switched_on" } else { "switched_off" };
        let event = change
            .event(&format!("alert_source.{action}"), "alert_source", &source.id)
            .with("name", name);
        change.commit(event).await?;
    }
    Ok(Json(out(source)))
}

/// Give a generic source a new signing secret.
///
/// The old one counts on until it is dropped.
#[utoipa::path(post, path = "/alert-sources/{name}/secret", tag = "alert rules",
    params(("name" = String, Path, description = "The name of the source")),
    request_body = SigningSecretIn,
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn rotate_source_secret(
    State(app): State<App>,
    caller: Can<WriteRules>,
    Path(name): Path<String>,
    Body(wanted): Body<SigningSecretIn>,
) -> Answer<StatusCode> {
    plain("path.name", &name, 100, "._-")?;
    let mut change = Change::begin(&app, &caller).await?;
    let source = answer("alert source", alert_source::by_name(&mut change, &name).await)?;
    if source.kind != SourceKind::Generic {
        return Err(Problem::conflict("not_signed", "only generic sources sign what they send"));
    }
    let secret = keep(&app, &mut change, caller.actor.id, &name, wanted.secret).await?;
    alert_source::rotate(&mut change, source.id, secret).await?;
    let event = change.event("alert_source.secret_rotated", "alert_source", &source.id);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End a rotation of signing secrets.
///
/// Only the current one counts from now on.
#[utoipa::path(delete, path = "/alert-sources/{name}/previous-secret", tag = "alert rules",
    params(("name" = String, Path, description = "The name of the source")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn drop_previous_secret(
    State(app): State<App>,
    caller: Can<WriteRules>,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    plain("path.name", &name, 100, "._-")?;
    let mut change = Change::begin(&app, &caller).await?;
    let source = answer("alert source", alert_source::by_name(&mut change, &name).await)?;
    alert_source::drop_previous_secret(&mut change, source.id).await?;
    let event = change.event("alert_source.rotation_ended", "alert_source", &source.id);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}
