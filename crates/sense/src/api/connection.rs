//! Connections and pinned host keys over HTTP.

use api::etag::{Seen, Tagged};
use api::object::Wanted;
use api::permission::{ReadEstate, WriteEstate};
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Problem, listed};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::object::hold;
use model::Timestamp;
use model::id::{ActorId, ConnectionId, CredentialId, ResourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{answer, plain};
use crate::inventory::host_key::PublicKey;
use crate::inventory::{Connection, HostKey};
use crate::store::connection;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_all_connections))
        .routes(routes!(list_connections, create_connection))
        .routes(routes!(show_connection, replace_connection))
        .routes(routes!(list_host_keys, pin_host_key))
        .routes(routes!(unpin_host_key))
}

/// How a server is reached.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionOut {
    /// Its id.
    #[schema(value_type = String)]
    id: ConnectionId,
    /// The server it leads to.
    #[schema(value_type = String)]
    resource_id: ResourceId,
    /// `ssh`.
    transport: String,
    /// Host name or address.
    host: String,
    /// TCP port.
    port: u16,
    /// The login there.
    username: String,
    /// What proves who we are.
    #[schema(value_type = Option<String>)]
    credential_id: Option<CredentialId>,
    /// Guard directory there; absent is `$HOME/.countersign/guard`.
    guard_dir: Option<String>,
    /// Whether it may be used.
    is_active: bool,
    /// When it was last tested; absent when it was not, as it is now.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_test_at: Option<Timestamp>,
    /// Whether that reached the server.
    last_test_ok: Option<bool>,
    /// What it said, in words.
    last_test_detail: Option<String>,
}

fn out(connection: Connection) -> ConnectionOut {
    let tested = connection.tested;
    ConnectionOut {
        last_test_at: tested.as_ref().map(|tested| tested.at),
        last_test_ok: tested.as_ref().map(|tested| tested.reachable),
        last_test_detail: tested.map(|tested| tested.detail),
        id: connection.id,
        resource_id: connection.resource_id,
        transport: connection.transport,
        host: connection.host,
        port: connection.port,
        username: connection.username,
        credential_id: connection.credential_id,
        guard_dir: connection.guard_dir,
        is_active: connection.is_active,
    }
}

/// A connection to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionIn {
    /// Host name or address.
    #[schema(min_length = 1, max_length = 253, example = "web-1.example.com")]
    host: String,
    /// TCP port; 22 when absent.
    #[serde(default = "ssh_port")]
    #[schema(minimum = 1)]
    port: u16,
    /// The login there.
    #[schema(min_length = 1, max_length = 100, example = "ops")]
    username: String,
    /// What proves who we are.
    #[schema(value_type = Option<String>)]
    credential_id: Option<CredentialId>,
    /// Guard directory there, absolute; `$HOME/.countersign/guard` when absent.
    #[schema(max_length = 255)]
    guard_dir: Option<String>,
    /// Whether it may be used; true when absent.
    #[serde(default = "active")]
    is_active: bool,
}

const fn ssh_port() -> u16 {
    22
}

const fn active() -> bool {
    true
}

impl ConnectionIn {
    fn connection(self, id: ConnectionId, resource_id: ResourceId) -> Answer<Connection> {
        plain("/host", &self.host, 253, "._:-")?;
        plain("/username", &self.username, 100, "._@\\-")?;
        if self.port == 0 {
            return Err(Problem::invalid("/port", "out_of_range", "must be 1 to 65535"));
        }
        if let Some(directory) = &self.guard_dir {
            plain("/guard_dir", directory, 255, "/._-")?;
            if !directory.starts_with('/') {
                return Err(Problem::invalid("/guard_dir", "shape", "must be an absolute path"));
            }
        }
        Ok(Connection {
            id,
            resource_id,
            transport: "ssh".to_owned(),
            host: self.host,
            port: self.port,
            username: self.username,
            credential_id: self.credential_id,
            guard_dir: self.guard_dir,
            is_active: self.is_active,
            tested: None,
        })
    }
}

fn told(event: model::audit::Event, connection: &Connection) -> model::audit::Event {
    event
        .with("resource_id", connection.resource_id.to_string())
        .with("host", connection.host.clone())
        .with("port", connection.port)
        .with("username", connection.username.clone())
        .with("credential_id", connection.credential_id.map(|id| id.to_string()))
        .with("is_active", connection.is_active)
}

listed! {
    /// Which connections are wanted.
    Connections: connection::LISTED,
}

/// A connection in the list of those of all resources.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionListedOut {
    /// The connection.
    #[serde(flatten)]
    connection: ConnectionOut,
    /// What its resource is called.
    resource_name: String,
    /// How many host keys are pinned; nothing connects before one is.
    host_keys: i64,
}

/// List the connections of all resources, newest first unless sorted.
#[utoipa::path(get, path = "/connections", tag = "estate", params(Connections),
    responses((status = 200, body = PageOut<ConnectionListedOut>), (status = "4XX", body = Problem)))]
async fn list_all_connections(
    State(app): State<App>,
    caller: Can<ReadEstate>,
    Wanted(wanted, _): Wanted<Connections>,
) -> Answer<Json<PageOut<ConnectionListedOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let page = connection::list(&mut tx, &wanted).await?;
    Ok(Json(PageOut::of(page, |listed| ConnectionListedOut {
        connection: out(listed.connection),
        resource_name: listed.resource_name,
        host_keys: listed.host_keys,
    })))
}

/// List the connections of a server.
#[utoipa::path(get, path = "/resources/{id}/connections", tag = "estate",
    params(("id" = String, Path, description = "The server")),
    responses((status = 200, body = Vec<ConnectionOut>), (status = "4XX", body = Problem)))]
async fn list_connections(
    State(app): State<App>,
    caller: Can<ReadEstate>,
    Path(id): Path<ResourceId>,
) -> Answer<Json<Vec<ConnectionOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    answer("resource", crate::store::resource::exists(&mut tx, id).await)?;
    Ok(Json(connection::of_resource(&mut tx, id).await?.into_iter().map(out).collect()))
}

/// Add the connection of a server. No host key is pinned yet, so nothing connects.
#[utoipa::path(post, path = "/resources/{id}/connections", tag = "estate",
    params(("id" = String, Path, description = "The server")), request_body = ConnectionIn,
    responses((status = 201, body = ConnectionOut), (status = "4XX", body = Problem)))]
async fn create_connection(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Path(id): Path<ResourceId>,
    Body(wanted): Body<ConnectionIn>,
) -> Answer<(StatusCode, Json<ConnectionOut>)> {
    let new = wanted.connection(ConnectionId::generate(), id)?;
    let mut change = Change::begin(&app, &caller).await?;
    answer("resource", crate::store::resource::exists(&mut change, id).await)?;
    answer("connection", connection::insert(&mut change, &new, caller.actor.id).await)?;
    let event = told(change.event("connection.created", "connection", &new.id), &new);
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(out(new))))
}

/// Show a connection.
#[utoipa::path(get, path = "/connections/{id}", tag = "estate",
    params(("id" = String, Path, description = "The connection")),
    responses((status = 200, body = ConnectionOut), (status = "4XX", body = Problem)))]
async fn show_connection(
    State(app): State<App>,
    caller: Can<ReadEstate>,
    Path(id): Path<ConnectionId>,
) -> Answer<Tagged<ConnectionOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Tagged(out(answer("connection", connection::get(&mut tx, id).await)?)))
}

/// Replace a connection. Another host or port loses the pinned host keys.
#[utoipa::path(put, path = "/connections/{id}", tag = "estate", request_body = ConnectionIn,
    params(("id" = String, Path, description = "The connection"), Seen),
    responses((status = 200, body = ConnectionOut), (status = "4XX", body = Problem)))]
async fn replace_connection(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Path(id): Path<ConnectionId>,
    seen: Seen,
    Body(wanted): Body<ConnectionIn>,
) -> Answer<Tagged<ConnectionOut>> {
    let mut change = Change::begin(&app, &caller).await?;
    answer("connection", hold(&mut change, "countersign.connections", id.uuid()).await)?;
    let known = answer("connection", connection::get(&mut change, id).await)?;
    let resource = known.resource_id;
    seen.is(&out(known))?;
    let new = wanted.connection(id, resource)?;
    answer("connection", connection::update(&mut change, &new).await)?;
    let now = answer("connection", connection::get(&mut change, id).await)?;
    let event = told(change.event("connection.updated", "connection", &id), &new);
    change.commit(event).await?;
    Ok(Tagged(out(now)))
}

/// A pinned host key.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HostKeyOut {
    /// `ssh-ed25519 AAAA…`.
    public_key: String,
    /// `SHA256:…`.
    fingerprint: String,
    /// Who pinned it.
    #[schema(value_type = String)]
    pinned_by: ActorId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pinned_at: model::Timestamp,
}

/// A host key to be pinned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HostKeyIn {
    /// A line of `/etc/ssh/ssh_host_*_key.pub`, read on the server itself.
    #[schema(max_length = 4096, example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…")]
    public_key: String,
}

/// List the pinned host keys of a connection.
#[utoipa::path(get, path = "/connections/{id}/host-keys", tag = "estate",
    params(("id" = String, Path, description = "The connection")),
    responses((status = 200, body = Vec<HostKeyOut>), (status = "4XX", body = Problem)))]
async fn list_host_keys(
    State(app): State<App>,
    caller: Can<ReadEstate>,
    Path(id): Path<ConnectionId>,
) -> Answer<Json<Vec<HostKeyOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    answer("connection", connection::get(&mut tx, id).await)?;
    let show = |key: HostKey| HostKeyOut {
        public_key: key.public_key,
        fingerprint: key.fingerprint,
        pinned_by: key.pinned_by,
        pinned_at: key.pinned_at,
    };
    Ok(Json(connection::host_keys(&mut tx, id).await?.into_iter().map(show).collect()))
}

/// Pin a host key: the caller vouches that it is this server's.
#[utoipa::path(post, path = "/connections/{id}/host-keys", tag = "estate",
    params(("id" = String, Path, description = "The connection")), request_body = HostKeyIn,
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn pin_host_key(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Path(id): Path<ConnectionId>,
    Body(wanted): Body<HostKeyIn>,
) -> Answer<StatusCode> {
    let key = PublicKey::parse(&wanted.public_key)
        .map_err(|error| Problem::invalid("/public_key", "shape", error.to_string()))?;
    let mut change = Change::begin(&app, &caller).await?;
    answer("connection", connection::get(&mut change, id).await)?;
    connection::pin(&mut change, id, &key, caller.actor.id).await?;
    let event =
        change.event("host_key.pinned", "connection", &id).with("fingerprint", key.fingerprint);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a pinned host key away.
#[utoipa::path(post, path = "/connections/{id}/host-keys/unpin", tag = "estate",
    params(("id" = String, Path, description = "The connection")), request_body = HostKeyIn,
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn unpin_host_key(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Path(id): Path<ConnectionId>,
    Body(wanted): Body<HostKeyIn>,
) -> Answer<StatusCode> {
    let key = PublicKey::parse(&wanted.public_key)
        .map_err(|error| Problem::invalid("/public_key", "shape", error.to_string()))?;
    let mut change = Change::begin(&app, &caller).await?;
    answer("host key", connection::unpin(&mut change, id, &key.fingerprint).await)?;
    let event =
        change.event("host_key.unpinned", "connection", &id).with("fingerprint", key.fingerprint);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}
