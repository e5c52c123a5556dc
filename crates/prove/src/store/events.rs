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

/// Where a log begins and ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// How long it is.
    pub size: u64,
    /// The first place whose event is still here.
    pub minimum: u64,
    /// The roots of the perfect subtrees of everything before it, 32 bytes each.
    pub edge: Vec<u8>,
}

/// Where the tenant's log begins and ends.
///
/// # Errors
/// When the database cannot be asked.
pub async fn head(tx: &mut TenantTx) -> Result<Head, Error> {
    let tenant = tx.tenant().uuid();
    let row: Option<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT size, minimum, edge FROM countersign.audit_heads WHERE tenant_id = $1",
    )
    .bind(tenant)
    .fetch_optional(tx.conn())
    .await?;
    let Some((size, minimum, edge)) = row else { return Ok(Head::default()) };
    Ok(Head {
        size: u64::try_from(size).map_err(Error::internal)?,
        minimum: u64::try_from(minimum).map_err(Error::internal)?,
        edge,
    })
}

/// Places a restored log does not have: the first, and their hashes, 32 bytes each.
///
/// # Errors
/// When the database cannot be asked.
pub async fn gaps(tx: &mut TenantTx) -> Result<Vec<(u64, Vec<u8>)>, Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT first_seq, leaves FROM countersign.audit_gaps
         WHERE tenant_id = $1
         ORDER BY first_seq",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|(first, leaves)| Ok((u64::try_from(first).map_err(Error::internal)?, leaves)))
        .collect()
}

/// The first place whose event happened at or after a moment.
///
/// # Errors
/// When the log cannot be read.
pub async fn first_since(
    tx: &mut TenantTx,
    moment: model::Timestamp,
) -> Result<Option<u64>, Error> {
    let tenant = tx.tenant().uuid();
    let moment = moment.as_microsecond();
    let place: Option<i64> = sqlx::query_scalar(
        "SELECT seq FROM countersign.audit_events
         WHERE tenant_id = $1
           AND occurred_at >= timestamptz 'epoch' + $2 * interval '1 microsecond'
         ORDER BY seq
         LIMIT 1",
    )
    .bind(tenant)
    .bind(moment)
    .fetch_optional(tx.conn())
    .await?;
    place.map(u64::try_from).transpose().map_err(Error::internal)
}

/// The place of the first event of an action about a thing.
///
/// # Errors
/// When the log cannot be read.
pub async fn place_of(
    tx: &mut TenantTx,
    action: &str,
    target_type: &str,
    target_id: &str,
) -> Result<Option<u64>, Error> {
    let tenant = tx.tenant().uuid();
    let place: Option<i64> = sqlx::query_scalar(
        "SELECT seq FROM countersign.audit_events
         WHERE tenant_id = $1 AND target_type = $2 AND target_id = $3 AND action = $4
         ORDER BY seq
         LIMIT 1",
    )
    .bind(tenant)
    .bind(target_type)
    .bind(target_id)
    .bind(action)
    .fetch_optional(tx.conn())
    .await?;
    place.map(u64::try_from).transpose().map_err(Error::internal)
}

/// Takes the events of a stored piece of the archive out of the log; says how many left.
///
/// # Errors
/// When a hold keeps them, or the log does not begin where the piece does.
pub async fn prune(
    tx: &mut TenantTx,
    piece: model::id::ArchiveId,
    edge: &[u8],
) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("SELECT countersign.audit_prune($1, $2)")
        .bind(piece.uuid())
        .bind(edge)
        .fetch_one(tx.conn())
        .await?)
}

/// Goes on behind a gap of events known by these hashes; says how long the log is then.
///
/// # Errors
/// When the epoch has ended, or the database cannot be written.
pub async fn bridge(tx: &mut TenantTx, epoch: i64, leaves: &[u8]) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("SELECT countersign.audit_bridge($1, $2)")
        .bind(epoch)
        .bind(leaves)
        .fetch_one(tx.conn())
        .await?)
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
    /// The salt of what is kept beside it, as long as it is.
    pub salt: Option<Vec<u8>>,
    /// What is kept beside it: who did it, from where.
    pub body: Option<Vec<u8>>,
}

/// Up to `most` events from place `from` on.
///
/// # Errors
/// When they cannot be read.
pub async fn from_place(tx: &mut TenantTx, from: u64, most: i64) -> Result<Vec<Logged>, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_as(
        "SELECT seq, id, canon, mac, NULL::bytea AS salt, NULL::bytea AS body
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
        "SELECT e.seq, e.id, e.canon, e.mac, p.salt, p.body
         FROM countersign.audit_events e
         LEFT JOIN countersign.audit_personal p
           ON p.tenant_id = e.tenant_id AND p.event_id = e.id
         WHERE e.tenant_id = $1 AND e.id = $2",
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
        "SELECT e.seq, e.id, e.canon, e.mac, p.salt, p.body
         FROM countersign.audit_events e
         LEFT JOIN countersign.audit_personal p
           ON p.tenant_id = e.tenant_id AND p.event_id = e.id
         WHERE e.tenant_id = $1
           AND ($2::uuid IS NULL OR e.seq < (
             SELECT last.seq FROM countersign.audit_events last
             WHERE last.tenant_id = $1 AND last.id = $2))
           AND ($3::text IS NULL OR e.action = $3)
           AND ($4::uuid IS NULL OR e.actor_id = $4)
           AND ($5::text IS NULL OR e.target_type = $5)
           AND ($6::text IS NULL OR e.target_id = $6)
         ORDER BY e.seq DESC
         LIMIT $7",
    )
    .bind(tenant)
    .bind(page.after_id())
    .bind(filter.action.as_deref())
    .bind(filter.actor)
    .bind(filter.target_type.as_deref())
    .bind(filter.target_id.as_deref())
    .bind(page.fetch())
    // Planned for these values, so that an index of the filter given is used.
    .persistent(false)
    .fetch_all(tx.conn())
    .await?;
    Ok(page.page(rows, |last: &Logged| Cursor::Id(last.id)))
}
