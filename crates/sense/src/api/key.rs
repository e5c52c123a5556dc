//! Tenants' keys and their rotation over HTTP: what there is, never what it opens.

use api::permission::{ReadKeys, RotateKeys};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::id::{ActorId, KeyRotationId, TenantKeyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::store::rotation::{self, Rotation, RotationKind};
use crate::store::tenant_key::{self, KeptKey};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_tenant_keys))
        .routes(routes!(list_key_rotations, rotate_keys))
}

/// A key of the tenant, by what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TenantKeyOut {
    /// Its id.
    #[schema(value_type = String)]
    id: TenantKeyId,
    /// Who has to open what it seals: `change` (workers) or `request` (whoever answers requests).
    purpose: String,
    /// Which one it is of its purpose, from 1; the newest seals.
    generation: u32,
    /// The key-encryption key that wraps it; `retired` once nothing is sealed under it any more,
    /// and it cannot be used again.
    kek_id: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: model::Timestamp,
    /// When it was last wrapped anew.
    #[schema(value_type = Option<String>, format = DateTime)]
    rewrapped_at: Option<model::Timestamp>,
}

fn key_out(kept: KeptKey) -> TenantKeyOut {
    TenantKeyOut {
        id: kept.key.id,
        purpose: kept.key.purpose.to_string(),
        generation: kept.generation,
        kek_id: kept.key.kek_id,
        created_at: kept.created_at,
        rewrapped_at: kept.rewrapped_at,
    }
}

/// What is to be made anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRotationIn {
    /// `kek`: the tenant's keys are wrapped by the newest key-encryption key. `tenant_key`: the
    /// tenant gets new keys, which take over every data key: those of credentials, second factors and
    /// secrets told once. `data_key`: every secret is encrypted anew. No secret gets another version,
    /// so approvals stay as they are.
    #[schema(value_type = String, example = "kek")]
    kind: RotationKind,
}

/// A run of re-wrapping keys.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyRotationOut {
    /// Its id.
    #[schema(value_type = String)]
    id: KeyRotationId,
    /// What is made anew.
    kind: String,
    /// `running` or `done`. It goes on after any crash where it was.
    state: &'static str,
    /// How many of the tenant's keys were wrapped anew or made.
    keys_done: u32,
    /// How many secrets were gone through.
    secrets_done: u32,
    /// How many of them did not open and were left as they are; each is an audit event.
    secrets_failed: u32,
    /// Who asked for it; nobody when it is the operator's.
    #[schema(value_type = Option<String>)]
    requested_by: Option<ActorId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: model::Timestamp,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<model::Timestamp>,
}

fn out(rotation: &Rotation) -> KeyRotationOut {
    KeyRotationOut {
        id: rotation.id,
        kind: rotation.kind.to_string(),
        state: if rotation.running { "running" } else { "done" },
        keys_done: rotation.keys_done,
        secrets_done: rotation.secrets_done,
        secrets_failed: rotation.secrets_failed,
        requested_by: rotation.requested_by,
        created_at: rotation.created_at,
        ended_at: rotation.ended_at,
    }
}

/// List the tenant's keys, by what is known of them.
#[utoipa::path(get, path = "/tenant-keys", tag = "keys",
    responses((status = 200, body = Vec<TenantKeyOut>), (status = "4XX", body = Problem)))]
async fn list_tenant_keys(
    State(app): State<App>,
    caller: Can<ReadKeys>,
) -> Answer<Json<Vec<TenantKeyOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(tenant_key::all(&mut tx).await?.into_iter().map(key_out).collect()))
}

/// List the latest rotations of keys, newest first.
#[utoipa::path(get, path = "/key-rotations", tag = "keys",
    responses((status = 200, body = Vec<KeyRotationOut>), (status = "4XX", body = Problem)))]
async fn list_key_rotations(
    State(app): State<App>,
    caller: Can<ReadKeys>,
) -> Answer<Json<Vec<KeyRotationOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(rotation::latest(&mut tx).await?.iter().map(out).collect()))
}

/// Rotate keys.
///
/// Workers do it in the background, batch by batch, while everything else goes on: what is sealed
/// under an older key opens until it is taken over.
#[utoipa::path(post, path = "/key-rotations", tag = "keys", request_body = KeyRotationIn,
    responses((status = 201, body = KeyRotationOut), (status = "4XX", body = Problem)))]
async fn rotate_keys(
    State(app): State<App>,
    caller: Can<RotateKeys>,
    Body(wanted): Body<KeyRotationIn>,
) -> Answer<(StatusCode, Json<KeyRotationOut>)> {
    let mut change = Change::begin(&app, &caller).await?;
    let begun = match rotation::begin(&mut change, wanted.kind, Some(caller.actor.id)).await {
        Err(error) if error.constraint() == Some("key_rotations_running_key") => {
            let detail = "a rotation of this tenant's keys is under way: wait for its end";
            return Err(Problem::conflict("rotation_running", detail));
        }
        begun => begun?,
    };
    let event = change
        .event("key_rotation.started", "key_rotation", &begun.id)
        .with("kind", wanted.kind.word());
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(out(&begun))))
}
