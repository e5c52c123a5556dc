//! The catalogue of the archive.

use std::collections::BTreeMap;

use db::{Cursor, Error, Page, PageRequest, TenantTx};
use model::Digest;
use model::id::{ArchiveId, TenantId};
use serde_json::json;
use sqlx::FromRow;
use uuid::Uuid;

use crate::pack::object_key;
use crate::subject::Subject;

/// A piece of the archive.
#[derive(Debug, Clone, FromRow)]
pub struct Piece {
    /// Its id.
    pub id: Uuid,
    /// Of which kind its things are.
    pub subject: String,
    /// Of which class.
    pub class: String,
    /// `planned`, `stored` or `removed`.
    pub state: String,
    /// The things, or the ids between which they lie.
    pub roots: Vec<Uuid>,
    /// Of the log: the first place.
    pub first_seq: Option<i64>,
    /// Of the log: the place after the last.
    pub end_seq: Option<i64>,
    /// Where the object is.
    pub object_key: String,
    /// Its SHA-256.
    pub sha256: Option<Vec<u8>>,
    /// The SHA-256 of its lines.
    pub content_sha256: Option<Vec<u8>>,
    /// Its size, in bytes.
    pub size_bytes: Option<i64>,
    /// How many rows it holds.
    pub row_count: Option<i64>,
    /// How many of each table.
    pub row_counts: serde_json::Value,
    /// When it was begun.
    pub planned_at: jiff_sqlx::Timestamp,
    /// When it was whole and read back.
    pub stored_at: Option<jiff_sqlx::Timestamp>,
    /// When its rows left the database.
    pub removed_at: Option<jiff_sqlx::Timestamp>,
    /// Until when a copy is here for reading.
    pub restored_until: Option<jiff_sqlx::Timestamp>,
}

impl Piece {
    /// Its id.
    #[must_use]
    pub fn archive_id(&self) -> ArchiveId {
        self.id.into()
    }

    /// The recorded SHA-256 of the object, once it is stored.
    ///
    /// # Errors
    /// When what is recorded is none.
    pub fn sha256(&self) -> Result<Digest, Error> {
        digest(self.sha256.as_deref())
    }

    /// The recorded SHA-256 of its lines, once it is stored.
    ///
    /// # Errors
    /// When what is recorded is none.
    pub fn content_sha256(&self) -> Result<Digest, Error> {
        digest(self.content_sha256.as_deref())
    }
}

fn digest(bytes: Option<&[u8]>) -> Result<Digest, Error> {
    let bytes = bytes.ok_or_else(|| Error::internal("a stored piece without a checksum"))?;
    Digest::try_from(bytes).map_err(Error::internal)
}

/// What a piece is to hold.
#[derive(Debug, Clone, Copy)]
pub enum Extent<'a> {
    /// These things; of ranges the first id and the one after the last.
    Roots(&'a [Uuid]),
    /// These places of the log: the first, and the one after the last.
    Log(i64, i64),
}

/// Begins a piece.
///
/// # Errors
/// When it cannot be written.
pub async fn begin(
    tx: &mut TenantTx,
    subject: &Subject,
    extent: Extent<'_>,
) -> Result<ArchiveId, Error> {
    let tenant: TenantId = tx.tenant();
    let id = ArchiveId::generate();
    let (roots, places): (&[Uuid], _) = match extent {
        Extent::Roots(roots) => (roots, None),
        Extent::Log(first, end) => (&[], Some((first, end))),
    };
    sqlx::query(
        "INSERT INTO countersign.archives
           (tenant_id, id, subject, class, roots, first_seq, end_seq, object_key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .bind(subject.name)
    .bind(subject.class.word())
    .bind(roots)
    .bind(places.map(|(first, _)| first))
    .bind(places.map(|(_, end)| end))
    .bind(object_key(tenant, subject.name, id))
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// What is recorded of an object that was read back.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The SHA-256 of the object.
    pub sha256: Digest,
    /// Where the object lies.
    pub object_key: String,
    /// The SHA-256 of its manifest.
    pub manifest_sha256: Digest,
    /// The SHA-256 of its lines.
    pub content_sha256: Digest,
    /// Of ranges: the SHA-256 over their ids.
    pub ids_sha256: Option<Digest>,
    /// The size of the object, in bytes.
    pub bytes: u64,
    /// How many rows of each table.
    pub counts: BTreeMap<String, u64>,
}

/// Records that a piece is stored, and where.
///
/// # Errors
/// [`Error::NotFound`] when it was stored or given up meanwhile; when it cannot be written.
pub async fn stored(tx: &mut TenantTx, id: ArchiveId, what: &Stored) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let rows: u64 = what.counts.values().sum();
    let written = sqlx::query(
        "UPDATE countersign.archives
         SET state = 'stored', stored_at = clock_timestamp(), sha256 = $3, manifest_sha256 = $4,
             content_sha256 = $5, ids_sha256 = $6, size_bytes = $7, row_count = $8,
             row_counts = $9, object_key = $10
         WHERE tenant_id = $1 AND id = $2 AND state = 'planned'",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(&what.sha256.as_bytes()[..])
    .bind(&what.manifest_sha256.as_bytes()[..])
    .bind(&what.content_sha256.as_bytes()[..])
    .bind(what.ids_sha256.map(|digest| digest.as_bytes().to_vec()))
    .bind(i64::try_from(what.bytes).map_err(Error::internal)?)
    .bind(i64::try_from(rows).map_err(Error::internal)?)
    .bind(json!(what.counts))
    .bind(&what.object_key)
    .execute(tx.conn())
    .await?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Records that the rows of a stored piece left the database. Says whether they had not before.
///
/// # Errors
/// When it cannot be written.
pub async fn removed(tx: &mut TenantTx, id: ArchiveId) -> Result<bool, Error> {
    let tenant = tx.tenant().uuid();
    let moved = sqlx::query(
        "UPDATE countersign.archives SET state = 'removed', removed_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2 AND state = 'stored'",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Takes back that a piece is stored: what is in the database is not what the object holds.
///
/// # Errors
/// When it cannot be written.
pub async fn again(tx: &mut TenantTx, id: ArchiveId) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "UPDATE countersign.archives SET state = 'planned', stored_at = NULL
         WHERE tenant_id = $1 AND id = $2 AND state = 'stored'",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets a piece that was begun hold fewer things.
///
/// # Errors
/// When it cannot be written.
pub async fn narrow(tx: &mut TenantTx, id: ArchiveId, roots: &[Uuid]) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "UPDATE countersign.archives SET roots = $3
         WHERE tenant_id = $1 AND id = $2 AND state = 'planned'",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(roots)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets a piece that was begun and is to hold nothing any more.
///
/// # Errors
/// When it cannot be written.
pub async fn abandon(tx: &mut TenantTx, id: ArchiveId) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "UPDATE countersign.archives
         SET state = 'removed', stored_at = clock_timestamp(), removed_at = clock_timestamp(),
             row_count = 0, sha256 = sha256(''::bytea)
         WHERE tenant_id = $1 AND id = $2 AND state = 'planned'",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

const COLUMNS: &str = "id, subject, class, state, roots, first_seq, end_seq, object_key, sha256,
    content_sha256, size_bytes, row_count, row_counts, planned_at, stored_at, removed_at,
    restored_until";

/// The pieces that are not finished, oldest first.
///
/// # Errors
/// When they cannot be read.
pub async fn unfinished(tx: &mut TenantTx) -> Result<Vec<Piece>, Error> {
    let tenant = tx.tenant().uuid();
    let statement = format!(
        "SELECT {COLUMNS} FROM countersign.archives
         WHERE tenant_id = $1 AND state <> 'removed'
         ORDER BY id"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(tenant).fetch_all(tx.conn()).await?)
}

/// A piece.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn one(tx: &mut TenantTx, id: ArchiveId) -> Result<Piece, Error> {
    let tenant = tx.tenant().uuid();
    let statement =
        format!("SELECT {COLUMNS} FROM countersign.archives WHERE tenant_id = $1 AND id = $2");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(tenant)
        .bind(id.uuid())
        .fetch_one(tx.conn())
        .await?)
}

/// Which pieces are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this kind.
    pub subject: Option<String>,
    /// Only those that hold this thing.
    pub holds: Option<Uuid>,
}

/// A page of pieces, newest first.
///
/// # Errors
/// When they cannot be read.
pub async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Piece>, Error> {
    let tenant = tx.tenant().uuid();
    let statement = format!(
        "SELECT {COLUMNS} FROM countersign.archives
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
           AND ($3::text IS NULL OR subject = $3)
           AND ($4::uuid IS NULL OR $4 = ANY (roots))
         ORDER BY id DESC
         LIMIT $5"
    );
    let rows = sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(tenant)
        .bind(page.after_id())
        .bind(filter.subject.as_deref())
        .bind(filter.holds)
        .bind(page.fetch())
        .fetch_all(tx.conn())
        .await?;
    Ok(page.page(rows, |last: &Piece| Cursor::Id(last.id)))
}
