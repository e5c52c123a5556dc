//! Credentials over HTTP: written, replaced, never read.

use api::permission::{ReadEstate, WriteCredentials};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::TenantTx;
use model::id::CredentialId;
use model::secret::Secret;
use model::vault::{Sealed, VaultError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{answer, sized};
use crate::inventory::{Credential, CredentialKind};
use crate::sealing;
use crate::store::credential;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_credentials, create_credential))
        .routes(routes!(replace_secret))
        .routes(routes!(destroy_credential))
}

/// A credential: never its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CredentialOut {
    /// Its id.
    #[schema(value_type = String)]
    id: CredentialId,
    /// Its name.
    name: String,
    /// `ssh_key`, `password`, `hmac` or `oidc`.
    kind: String,
    /// Its version; approvals of plans that use an older one no longer count.
    version: u32,
    /// When this version was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<model::Timestamp>,
}

fn out(credential: Credential) -> CredentialOut {
    CredentialOut {
        id: credential.id,
        name: credential.name,
        kind: credential.kind.to_string(),
        version: credential.version,
        updated_at: Some(credential.updated_at),
    }
}

/// A credential to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialIn {
    /// Its name, unique.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// `ssh_key` (an unencrypted OpenSSH private key), `password`, `hmac`, or `oidc` (the secret an
    /// identity provider knows this deployment by).
    #[schema(value_type = String, example = "ssh_key")]
    kind: CredentialKind,
    /// The secret. It is sealed at once and cannot be read again.
    #[schema(write_only, min_length = 1, max_length = 65536)]
    secret: String,
}

/// A new secret for a credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretIn {
    /// The secret.
    #[schema(write_only, min_length = 1, max_length = 65536)]
    secret: String,
}

/// Checks that a secret is of its kind, and seals it.
pub(super) async fn seal(
    app: &App,
    tx: &mut TenantTx,
    (id, version, kind): (CredentialId, u32, CredentialKind),
    secret: String,
) -> Answer<Sealed> {
    if !(1..=65_536).contains(&secret.len()) {
        return Err(Problem::invalid("/secret", "length", "must have 1 to 65536 bytes"));
    }
    if kind == CredentialKind::SshKey && !secret.contains("PRIVATE KEY-----") {
        let message = "must be a private key in OpenSSH form";
        return Err(Problem::invalid("/secret", "shape", message));
    }
    let secret = Secret::from(secret);
    sealing::seal(tx, &app.vault, (id, version, kind), &secret).await.map_err(no_secret)
}

/// Why a secret could not be sealed or opened, as an answer: a key store that is down is not this
/// server's mistake.
pub(super) fn no_secret(error: sealing::Error) -> Problem {
    match error {
        sealing::Error::Database(error) => error.into(),
        sealing::Error::Vault(
            error @ (VaultError::Unavailable { .. } | VaultError::Refused { .. }),
        ) => {
            tracing::error!(%error, "the key store does not do its part");
            Problem::unavailable("the key store does not answer as it should")
        }
        error @ sealing::Error::Vault(_) => Problem::internal(&error),
    }
}

/// List credentials, without their secrets.
#[utoipa::path(get, path = "/credentials", tag = "estate",
    responses((status = 200, body = Vec<CredentialOut>), (status = "4XX", body = Problem)))]
async fn list_credentials(
    State(app): State<App>,
    caller: Can<ReadEstate>,
) -> Answer<Json<Vec<CredentialOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(credential::all(&mut tx).await?.into_iter().map(out).collect()))
}

/// Keep a credential, sealed.
#[utoipa::path(post, path = "/credentials", tag = "estate", request_body = CredentialIn,
    responses((status = 201, body = CredentialOut), (status = "4XX", body = Problem)))]
async fn create_credential(
    State(app): State<App>,
    caller: Can<WriteCredentials>,
    Body(wanted): Body<CredentialIn>,
) -> Answer<(StatusCode, Json<CredentialOut>)> {
    sized("/name", &wanted.name, 1..=100)?;
    let (id, kind, name) = (CredentialId::generate(), wanted.kind, wanted.name);
    let mut change = Change::begin(&app, &caller).await?;
    let sealed = seal(&app, &mut change, (id, 1, kind), wanted.secret).await?;
    let by = caller.actor.id;
    answer("credential", credential::insert(&mut change, id, &name, kind, &sealed, by).await)?;
    let event = change
        .event("credential.created", "credential", &id)
        .with("name", name.clone())
        .with("kind", kind.word());
    change.commit(event).await?;
    let kind = kind.to_string();
    Ok((StatusCode::CREATED, Json(CredentialOut { id, name, kind, version: 1, updated_at: None })))
}

/// How many of what uses a credential are named.
const NAMED: usize = 10;

fn in_use(users: &[String]) -> Problem {
    let mut named = users.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if users.len() > NAMED {
        named.push_str(" and more");
    }
    Problem::conflict("credential_in_use", format!("{named} would have no secret: give another"))
}

/// Destroy a credential and its secret. Nobody gets it back.
///
/// While something uses it, it stays: `credential_in_use` names what.
#[utoipa::path(delete, path = "/credentials/{id}", tag = "estate",
    params(("id" = String, Path, description = "The credential")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn destroy_credential(
    State(app): State<App>,
    caller: Can<WriteCredentials>,
    Path(id): Path<CredentialId>,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    let known = answer("credential", credential::get(&mut change, id).await)?.credential;
    let users = credential::users(&mut change, id).await?;
    if !users.is_empty() {
        return Err(in_use(&users));
    }
    credential::destroy(&mut change, id).await.map_err(|error| match error.constraint() {
        // Somebody began to use it just now.
        Some(_) => in_use(&["something new".to_owned()]),
        None => error.into(),
    })?;
    let event = change
        .event("credential.destroyed", "credential", &id)
        .with("name", known.name)
        .with("kind", known.kind.word())
        .with("version", known.version);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replace the secret of a credential: a new version.
#[utoipa::path(put, path = "/credentials/{id}/secret", tag = "estate", request_body = SecretIn,
    params(("id" = String, Path, description = "The credential")),
    responses((status = 200, body = CredentialOut), (status = "4XX", body = Problem)))]
async fn replace_secret(
    State(app): State<App>,
    caller: Can<WriteCredentials>,
    Path(id): Path<CredentialId>,
    Body(wanted): Body<SecretIn>,
) -> Answer<Json<CredentialOut>> {
    let mut change = Change::begin(&app, &caller).await?;
    let mut known = answer("credential", credential::get(&mut change, id).await)?.credential;
    let version = known.version.saturating_add(1);
    let sealed = seal(&app, &mut change, (id, version, known.kind), wanted.secret).await?;
    if credential::replace(&mut change, id, version, &sealed).await.is_err() {
        let detail = "somebody else replaced this secret just now; look again";
        return Err(Problem::conflict("replaced_meanwhile", detail));
    }
    known.version = version;
    known.updated_at = change.now().await?;
    let event = change.event("credential.replaced", "credential", &id).with("version", version);
    change.commit(event).await?;
    Ok(Json(out(known)))
}
