//! The audit log over HTTP: events, proofs, the newest checkpoint and what it continues.
//!
//! Events are shown from their canonical bytes, never from the columns that repeat them.

use std::sync::Arc;

use api::permission::ReadAudit;
use api::problem::Answer;
use api::{App, Can, PageOut, Paging, Problem};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use model::audit::Personal;
use model::id::{ActorId, EventId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::bundle::BundleError;
use crate::bundle::proof_file::{MakeProofError, ProofFile};
use crate::checkpoint::origin;
use crate::continuation::{self, ContinuationError};
use crate::directory::Directory;
use crate::signer::policy_in;
use crate::store::checkpoints;
use crate::store::events::{self, Filter, Logged};

/// Where the published logs of this deployment lie.
#[derive(Debug, Clone)]
pub struct PublishedLogs {
    /// The deployment's name.
    pub deployment: String,
    /// The directory of all logs.
    pub directory: Directory,
    /// The state of their signer: which keys signed which sizes.
    pub signer: Directory,
}

/// The routes of this stage.
pub fn routes(logs: PublishedLogs) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_events))
        .routes(routes!(get_event))
        .routes(routes!(get_proof))
        .routes(routes!(get_checkpoint))
        .routes(routes!(get_consistency))
        .routes(routes!(get_keys))
        .layer(Extension(Arc::new(logs)))
}

/// Which events are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FilterIn {
    /// Exactly this action: `intent.created`.
    #[param(max_length = 255)]
    action: Option<String>,
    /// By this actor.
    #[param(max_length = 64)]
    actor_id: Option<String>,
    /// About this kind of thing: `execution`.
    #[param(max_length = 255)]
    target_type: Option<String>,
    /// About this thing.
    #[param(max_length = 255)]
    target_id: Option<String>,
}

fn filter(query: Result<Query<FilterIn>, QueryRejection>) -> Answer<Filter> {
    let Query(wanted) =
        query.map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
    for (path, text) in [
        ("query.action", &wanted.action),
        ("query.target_type", &wanted.target_type),
        ("query.target_id", &wanted.target_id),
    ] {
        let text = text.as_deref().unwrap_or_default();
        if text.contains('\0') {
            return Err(Problem::invalid(path, "nul", "holds U+0000, which no text may"));
        }
        if text.chars().count() > 255 {
            return Err(Problem::invalid(path, "length", "must have at most 255 characters"));
        }
    }
    let actor = wanted.actor_id.as_deref().map(str::parse::<ActorId>).transpose();
    let actor = actor
        .map_err(|error| Problem::invalid("query.actor_id", "not_an_id", error.to_string()))?;
    Ok(Filter {
        action: wanted.action,
        actor: actor.map(ActorId::uuid),
        target_type: wanted.target_type,
        target_id: wanted.target_id,
    })
}

/// An event of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventOut {
    /// Its id.
    #[schema(value_type = String, example = "evt_0190a6c2-7b5e-7000-8000-000000000001")]
    id: EventId,
    /// Its place in the log, from 0.
    seq: i64,
    /// What was logged and signed. Who it was by name, and from where, is kept beside the log and
    /// shown with it; `personal` is what was signed of that. It is gone once the person is erased.
    #[schema(value_type = Object)]
    event: serde_json::Value,
    /// What is kept beside the event, as it was committed to: only where one event is asked for, and
    /// not once the person is erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    personal: Option<BesideOut>,
}

/// What is kept beside an event, and opens its `personal`: `SHA-256(salt || body)`.
#[derive(Debug, Serialize, ToSchema)]
pub struct BesideOut {
    /// The salt: 64 hexadecimal digits.
    salt: String,
    /// Canonical JSON of `display_name`, `ip_address` and `user_agent`, those there are. Its UTF-8
    /// bytes are what was hashed.
    body: String,
}

fn beside(logged: &Logged) -> Option<BesideOut> {
    let (salt, body) = (logged.salt.as_ref()?, logged.body.as_ref()?);
    Some(BesideOut { salt: hex::encode(salt), body: String::from_utf8_lossy(body).into_owned() })
}

fn out(logged: &Logged) -> EventOut {
    // Bytes that are no JSON are shown as what they are; `audit verify` reports them.
    let mut event = serde_json::from_slice(&logged.canon)
        .unwrap_or_else(|_| String::from_utf8_lossy(&logged.canon).into_owned().into());
    if let (Some(salt), Some(body)) = (&logged.salt, &logged.body) {
        name(&mut event, salt, body);
    }
    EventOut { id: logged.id.into(), seq: logged.seq, event, personal: None }
}

/// Adds what is kept beside an event, if it is what was signed for.
fn name(event: &mut Value, salt: &[u8], body: &[u8]) {
    let signed = event["personal"].as_str() == Some(&Personal::commitment(salt, body).to_string());
    let Some(Value::Object(known)) = signed.then(|| serde_json::from_slice(body).ok()).flatten()
    else {
        return;
    };
    for (key, value) in known {
        if key == "display_name" {
            event["actor"][key] = value;
        } else {
            event[key] = value;
        }
    }
}

/// List audit events, newest first.
#[utoipa::path(get, path = "/audit/events", tag = "audit",
    params(api::page::PagingIn, FilterIn),
    responses((status = 200, body = PageOut<EventOut>), (status = "4XX", body = Problem)))]
async fn list_events(
    State(app): State<App>,
    caller: Can<ReadAudit>,
    Paging(page): Paging,
    query: Result<Query<FilterIn>, QueryRejection>,
) -> Answer<Json<PageOut<EventOut>>> {
    let filter = filter(query)?;
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let page = events::list(&mut tx, &filter, &page).await?;
    Ok(Json(PageOut::of(page, |logged| out(&logged))))
}

/// Show an audit event, and what opens the salted hash in it.
#[utoipa::path(get, path = "/audit/events/{id}", tag = "audit",
    params(("id" = String, Path, description = "The event")),
    responses((status = 200, body = EventOut), (status = "4XX", body = Problem)))]
async fn get_event(
    State(app): State<App>,
    caller: Can<ReadAudit>,
    Path(id): Path<EventId>,
) -> Answer<Json<EventOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let logged = events::by_id(&mut tx, id.uuid()).await?;
    let logged = logged.ok_or_else(|| Problem::not_found("audit event"))?;
    Ok(Json(EventOut { personal: beside(&logged), ..out(&logged) }))
}

/// Prove an audit event: a `.tlog-proof` file, verifiable offline.
#[utoipa::path(get, path = "/audit/events/{id}/proof", tag = "audit",
    params(("id" = String, Path, description = "The event")),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = "4XX", body = Problem)))]
async fn get_proof(
    State(app): State<App>,
    Extension(logs): Extension<Arc<PublishedLogs>>,
    caller: Can<ReadAudit>,
    Path(id): Path<EventId>,
) -> Answer<impl IntoResponse> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let logged = events::by_id(&mut tx, id.uuid())
        .await?
        .ok_or_else(|| Problem::not_found("audit event"))?;
    drop(tx);
    let log = logs.directory.below(&origin(&logs.deployment, caller.tenant()));
    let index = u64::try_from(logged.seq).map_err(|error| Problem::internal(&error))?;
    let made = tokio::task::spawn_blocking(move || ProofFile::make(&log, index, logged.canon));
    match made.await.map_err(|error| Problem::internal(&error))? {
        Ok((proof, _)) => Ok(text(proof.to_string())),
        Err(MakeProofError::NotYet(_)) => Err(not_yet("this event")),
        Err(error) if error.unpublished() => Err(not_yet("this event")),
        Err(error) => Err(Problem::internal(&error)),
    }
}

/// Show the newest checkpoint of the audit log: a signed note.
#[utoipa::path(get, path = "/audit/checkpoint", tag = "audit",
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = "4XX", body = Problem)))]
async fn get_checkpoint(
    State(app): State<App>,
    caller: Can<ReadAudit>,
) -> Answer<impl IntoResponse> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let note = checkpoints::latest(&mut tx).await?;
    Ok(text(note.ok_or_else(|| Problem::not_found("checkpoint"))?))
}

/// Between which sizes of the log.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SizesIn {
    /// How many events the earlier log had.
    #[param(minimum = 0)]
    from: u64,
    /// How many events the later log has: at most as many as are signed.
    #[param(minimum = 0)]
    to: u64,
}

/// Show why the audit log continues what it was: a consistency proof.
///
/// The hashes of RFC 6962, section 2.1.2, in base64, a line each, from below; none where both sizes
/// are the same, or `from` is 0. With the roots of both sizes they are checked as RFC 9162, section
/// 2.1.4.2 says.
#[utoipa::path(get, path = "/audit/consistency", tag = "audit",
    params(SizesIn),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = "4XX", body = Problem)))]
async fn get_consistency(
    Extension(logs): Extension<Arc<PublishedLogs>>,
    caller: Can<ReadAudit>,
    query: Result<Query<SizesIn>, QueryRejection>,
) -> Answer<impl IntoResponse> {
    let Query(SizesIn { from, to }) =
        query.map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
    let log = logs.directory.below(&origin(&logs.deployment, caller.tenant()));
    let made = tokio::task::spawn_blocking(move || continuation::between(&log, from, to));
    match made.await.map_err(|error| Problem::internal(&error))? {
        Ok(hashes) => Ok(text(continuation::lines(&hashes))),
        Err(ContinuationError::Shrunk(error)) => {
            Err(Problem::invalid("query.from", "order", error.to_string()))
        }
        Err(ContinuationError::NotYet { asked, .. }) => {
            Err(not_yet(&format!("a log of {asked} events")))
        }
        Err(ContinuationError::Log(BundleError::NoCheckpoint)) => {
            Err(Problem::not_found("checkpoint"))
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}

/// Show the keys that sign the audit log: a line each, with the sizes they may sign.
///
/// They are what `countersign audit verify --keys` takes. Whoever needs more than this server's own
/// word keeps the keys seen first, or has them from whoever runs the deployment.
#[utoipa::path(get, path = "/audit/keys", tag = "audit",
    responses((status = 200, content_type = "text/plain", body = String),
              (status = "4XX", body = Problem)))]
async fn get_keys(
    Extension(logs): Extension<Arc<PublishedLogs>>,
    caller: Can<ReadAudit>,
) -> Answer<impl IntoResponse> {
    let origin = origin(&logs.deployment, caller.tenant());
    let policy = tokio::task::spawn_blocking(move || policy_in(&logs.signer, &origin))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))?;
    if policy.trusted.is_empty() {
        return Err(Problem::not_found("key of the log"));
    }
    Ok(text(policy.to_string()))
}

fn not_yet(what: &str) -> Problem {
    Problem::conflict(
        "not_signed_yet",
        format!("no checkpoint covers {what} yet: ask again in a second"),
    )
}

fn text(body: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body)
}

#[cfg(test)]
mod tests;
