//! Reading events of the log by place, by id and by what they were about.

use db::{Cursor, Error, Page, PageRequest, TenantTx};
use sqlx::FromRow;
use uuid::Uuid;

/// How long the tenant's log is.
///
/// # Errors
/// When the database cannot be asked.
pub async fn log_size(tx: &mut TenantTx) -> Result<u64, Error> {
    let tenant = tx.tenant().uuid();
    let size: Option<i64> =
        sqlx::query_scalar("SELECT size FROM countersign.audit_heads WHERE tenant_id = $1")
            .bind(tenant)
            .fetch_optional(tx.conn())
            .await?;
    u64::try_from(size.unwrap_or(0)).map_err(Error::internal)
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Logged {
    /// Its place.
    pub seq: i64,
    /// Its id.
    pub id: Uuid,
    /// Its canonical bytes.
    pub canon: Vec<u8>,
    /// The MAC the application made for it.
    pub mac: Vec<u8>,
}

/// Up to `most` events from place `from` on.
///
/// # Errors
/// When they cannot be read.
pub async fn from_place(tx: &mut TenantTx, from: u64, most: i64) -> Result<Vec<Logged>, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_as(
        "SELECT seq, id, canon, mac
         FROM countersign.audit_events
         WHERE tenant_id = $1 AND seq >= $2
         ORDER BY seq
         LIMIT $3",
    )
    .bind(tenant)
    .bind(i64::try_from(from).map_err(Error::internal)?)
    .bind(most)
    .fetch_all(tx.conn())
    .await?)
}

/// The event with this id; none when it is not sequenced, or is another tenant's.
///
/// # Errors
/// When it cannot be read.
pub async fn by_id(tx: &mut TenantTx, id: Uuid) -> Result<Option<Logged>, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_as(
        "SELECT seq, id, canon, mac
         FROM countersign.audit_events
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id)
    .fetch_optional(tx.conn())
    .await?)
}

/// What a list of events is narrowed by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this action.
    pub action: Option<String>,
    /// Only by this actor.
    pub actor: Option<Uuid>,
    /// Only about this kind of thing.
    pub target_type: Option<String>,
    /// Only about this thing.
    pub target_id: Option<String>,
}

/// A page of events, newest first.
///
/// # Errors
/// When they cannot be read.
pub async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Logged>, Error> {
    let tenant = tx.tenant().uuid();
    let rows = sqlx::query_as(
        "SELECT seq, id, canon, mac
         FROM countersign.audit_events
         WHERE tenant_id = $1
           AND ($2::uuid IS NULL OR seq < (
             SELECT last.seq FROM countersign.audit_events last
             WHERE last.tenant_id = $1 AND last.id = $2))
           AND ($3::text IS NULL OR action = $3)
           AND ($4::uuid IS NULL OR actor_id = $4)
           AND ($5::text IS NULL OR target_type = $5)
           AND ($6::text IS NULL OR target_id = $6)
         ORDER BY seq DESC
         LIMIT $7",
    )
    .bind(tenant)
    .bind(page.after_id())
    .bind(filter.action.as_deref())
    .bind(filter.actor)
    .bind(filter.target_type.as_deref())
    .bind(filter.target_id.as_deref())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    Ok(page.page(rows, |last: &Logged| Cursor::Id(last.id)))
}
