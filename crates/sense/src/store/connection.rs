//! Connections and their pinned host keys in the database.

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Page, TenantTx};
use model::id::{ActorId, ConnectionId, CredentialId, ResourceId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::inventory::host_key::PublicKey;
use crate::inventory::{Connection, HostKey, Tested};

#[derive(FromRow)]
struct Row {
    id: Uuid,
    resource_id: Uuid,
    transport: String,
    host: String,
    port: i32,
    username: String,
    credential_id: Option<Uuid>,
    guard_dir: Option<String>,
    is_active: bool,
    last_connection_test: Option<jiff_sqlx::Timestamp>,
    last_connection_status: Option<String>,
    last_connection_detail: Option<String>,
    last_connection_ms: Option<i32>,
}

impl Row {
    fn tested(&self) -> Option<Tested> {
        Some(Tested {
            at: self.last_connection_test?.to_jiff(),
            reachable: self.last_connection_status.as_deref() == Some("success"),
            detail: self.last_connection_detail.clone().unwrap_or_default(),
            took_ms: self.last_connection_ms.unwrap_or_default(),
        })
    }

    fn connection(self) -> Result<Connection, db::Error> {
        let tested = self.tested();
        Ok(Connection {
            tested,
            id: self.id.into(),
            resource_id: self.resource_id.into(),
            transport: self.transport,
            host: self.host,
            port: u16::try_from(self.port).map_err(db::Error::internal)?,
            username: self.username,
            credential_id: self.credential_id.map(Into::into),
            guard_dir: self.guard_dir,
            is_active: self.is_active,
        })
    }
}

/// A connection in a list of those of all resources.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The connection.
    pub connection: Connection,
    /// What its resource is called.
    pub resource_name: String,
    /// How many host keys are pinned.
    pub host_keys: i64,
}

#[derive(FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    row: Row,
    resource_name: String,
    host_keys: i64,
}

/// By what connections are listed.
pub const LISTED: Kind = Kind {
    word: "connection",
    table: "(SELECT c.id, c.tenant_id, c.resource_id, c.transport, c.host, c.username,
               c.credential_id, c.is_active, c.created_at, r.name AS resource_name
             FROM countersign.connections c
             JOIN countersign.resources r
               ON r.tenant_id = c.tenant_id AND r.id = c.resource_id)",
    columns: &[
        Column::new("resource_id", Holds::Id).filter(),
        Column::new("resource_name", Holds::Text).sort().search(),
        Column::new("transport", Holds::Text).filter(),
        Column::new("host", Holds::Text).filter().sort().search(),
        Column::new("username", Holds::Text).filter().search(),
        Column::new("credential_id", Holds::Id).filter(),
        Column::new("is_active", Holds::Boolean).filter(),
        Column::new("created_at", Holds::Time).filter().age(),
    ],
    natural: &[],
};

/// A page of the connections of all resources, newest first unless sorted.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut TenantTx, wanted: &ListRequest) -> Result<Page<Listed>, db::Error> {
    let page = object::ids(tx, &LISTED, wanted).await?;
    let rows: Vec<ListedRow> = sqlx::query_as(include_str!("connection/listed.sql"))
        .bind(tx.tenant().uuid())
        .bind(&page.items)
        .fetch_all(tx.conn())
        .await?;
    let found = rows.into_iter().map(|ListedRow { row, resource_name, host_keys }| {
        Ok(Listed { connection: row.connection()?, resource_name, host_keys })
    });
    let found = found.collect::<Result<_, db::Error>>()?;
    Ok(object::in_order(page, found, |listed: &Listed| listed.connection.id.uuid()))
}

/// The connections of a resource, by transport.
///
/// # Errors
/// When the database fails.
pub async fn of_resource(
    tx: &mut TenantTx,
    resource: ResourceId,
) -> Result<Vec<Connection>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, resource_id, transport, host, port, username, credential_id, guard_dir,
                is_active, last_connection_test, last_connection_status, last_connection_detail,
                last_connection_ms
         FROM countersign.connections
         WHERE tenant_id = $1 AND resource_id = $2
         ORDER BY transport",
    )
    .bind(tenant)
    .bind(resource.uuid())
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Row::connection).collect()
}

/// One connection.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: ConnectionId) -> Result<Connection, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Row = sqlx::query_as(
        "SELECT id, resource_id, transport, host, port, username, credential_id, guard_dir,
                is_active, last_connection_test, last_connection_status, last_connection_detail,
                last_connection_ms
         FROM countersign.connections
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    row.connection()
}

/// Adds a connection.
///
/// # Errors
/// A conflict with `connections_resource_key` when the resource has one of this transport; invalid
/// when there is no such resource or credential.
pub async fn insert(
    tx: &mut TenantTx,
    connection: &Connection,
    by: ActorId,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.connections
           (tenant_id, id, resource_id, transport, host, port, username, credential_id, guard_dir,
            is_active, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(tenant)
    .bind(connection.id.uuid())
    .bind(connection.resource_id.uuid())
    .bind(&connection.transport)
    .bind(&connection.host)
    .bind(i32::from(connection.port))
    .bind(&connection.username)
    .bind(connection.credential_id.map(CredentialId::uuid))
    .bind(connection.guard_dir.as_deref())
    .bind(connection.is_active)
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Replaces what may change of a connection. Another host loses the pinned keys: they are another
/// machine's. What leads elsewhere, or with another login, was not tested.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn update(tx: &mut TenantTx, connection: &Connection) -> Result<(), db::Error> {
    let before = get(tx, connection.id).await?;
    let leads = |one: &Connection| (one.host.clone(), one.port, one.guard_dir.clone());
    let same = leads(&before) == leads(connection)
        && (&before.username, before.credential_id)
            == (&connection.username, connection.credential_id);
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "UPDATE countersign.connections
         SET host = $3, port = $4, username = $5, credential_id = $6, guard_dir = $7,
             is_active = $8, updated_at = clock_timestamp(),
             last_connection_test = CASE WHEN $9 THEN last_connection_test END,
             last_connection_status = CASE WHEN $9 THEN last_connection_status END,
             last_connection_detail = CASE WHEN $9 THEN last_connection_detail END,
             last_connection_ms = CASE WHEN $9 THEN last_connection_ms END
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(connection.id.uuid())
    .bind(&connection.host)
    .bind(i32::from(connection.port))
    .bind(&connection.username)
    .bind(connection.credential_id.map(CredentialId::uuid))
    .bind(connection.guard_dir.as_deref())
    .bind(connection.is_active)
    .bind(same)
    .execute(tx.conn())
    .await?;
    if (before.host, before.port) != (connection.host.clone(), connection.port) {
        sqlx::query(
            "DELETE FROM countersign.host_keys
             WHERE tenant_id = $1 AND connection_id = $2",
        )
        .bind(tenant)
        .bind(connection.id.uuid())
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

/// Notes what a test of a connection said.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn mark_tested(
    tx: &mut TenantTx,
    id: ConnectionId,
    reachable: bool,
    (detail, took_ms): (&str, i32),
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let done = sqlx::query(
        "UPDATE countersign.connections
         SET last_connection_test = clock_timestamp(), last_connection_status = $3,
             last_connection_detail = $4, last_connection_ms = $5
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(if reachable { "success" } else { "failed" })
    .bind(detail)
    .bind(took_ms)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}

#[derive(FromRow)]
struct KeyRow {
    public_key: String,
    fingerprint: String,
    pinned_by: Uuid,
    pinned_at: jiff_sqlx::Timestamp,
}

/// The pinned keys of a connection, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn host_keys(
    tx: &mut TenantTx,
    connection: ConnectionId,
) -> Result<Vec<HostKey>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<KeyRow> = sqlx::query_as(
        "SELECT public_key, fingerprint, pinned_by, pinned_at
         FROM countersign.host_keys
         WHERE tenant_id = $1 AND connection_id = $2
         ORDER BY id",
    )
    .bind(tenant)
    .bind(connection.uuid())
    .fetch_all(tx.conn())
    .await?;
    let key = |row: KeyRow| HostKey {
        public_key: row.public_key,
        fingerprint: row.fingerprint,
        pinned_by: row.pinned_by.into(),
        pinned_at: row.pinned_at.to_jiff(),
    };
    Ok(rows.into_iter().map(key).collect())
}

/// Pins a host key; pinning it again changes nothing.
///
/// # Errors
/// Invalid with `host_keys_connection_fk` when there is no such connection.
pub async fn pin(
    tx: &mut TenantTx,
    connection: ConnectionId,
    key: &PublicKey,
    by: ActorId,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.host_keys
           (tenant_id, id, connection_id, public_key, fingerprint, pinned_by)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT ON CONSTRAINT host_keys_key DO NOTHING",
    )
    .bind(tenant)
    .bind(Uuid::now_v7())
    .bind(connection.uuid())
    .bind(&key.line)
    .bind(&key.fingerprint)
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a pinned key away.
///
/// # Errors
/// [`db::Error::NotFound`] when it is not pinned.
pub async fn unpin(
    tx: &mut TenantTx,
    connection: ConnectionId,
    fingerprint: &str,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let done = sqlx::query(
        "DELETE FROM countersign.host_keys
         WHERE tenant_id = $1 AND connection_id = $2 AND fingerprint = $3",
    )
    .bind(tenant)
    .bind(connection.uuid())
    .bind(fingerprint)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}
