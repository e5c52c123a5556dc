//! What is known of the things that may have to go.

use db::{Error, TenantTx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::plan::Candidate;
use crate::subject::Subject;

/// Things looked at in one query.
pub const PAGE: i64 = 1_000;

/// Each gives `id, over_at, referred_to, newer, in_use` of the things of tenant `$1` after id `$2`,
/// in order of id, at most `$4`; with `$5` of these alone. A thing that began after `$3` cannot be
/// over for long enough and is left out.
fn query(subject: &str) -> Option<&'static str> {
    Some(match subject {
        "findings" => include_str!("candidates/findings.sql"),
        "changes" => include_str!("candidates/changes.sql"),
        "models" => include_str!("candidates/models.sql"),
        "recommendations" => {
            "SELECT t.id, CASE WHEN t.status <> 'open' THEN t.updated_at END AS over_at,
               false AS referred_to, 0 AS newer, false AS in_use
             FROM countersign.recommendations t
             WHERE t.tenant_id = $1 AND t.id > $2 AND t.created_at < $3 AND t.finding_id IS NULL
               AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
             ORDER BY t.id
             LIMIT $4"
        }
        "quarantined_alerts" => {
            "SELECT t.id, t.received_at AS over_at, false AS referred_to, 0 AS newer,
               false AS in_use
             FROM countersign.quarantined_alerts t
             WHERE t.tenant_id = $1 AND t.id > $2 AND t.received_at < $3
               AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
             ORDER BY t.id
             LIMIT $4"
        }
        "context_snapshots" => {
            "SELECT t.id, t.taken_at AS over_at, false AS referred_to, 0 AS newer, false AS in_use
             FROM countersign.context_snapshots t
             WHERE t.tenant_id = $1 AND t.id > $2 AND t.taken_at < $3
               AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
             ORDER BY t.id
             LIMIT $4"
        }
        "exceptions" => {
            "SELECT t.id,
               CASE WHEN t.status IN ('rejected', 'expired') THEN t.updated_at END AS over_at,
               false AS referred_to, 0 AS newer, false AS in_use
             FROM countersign.exceptions t
             WHERE t.tenant_id = $1 AND t.id > $2 AND t.created_at < $3
               AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
             ORDER BY t.id
             LIMIT $4"
        }
        "terminal_sessions" => {
            "SELECT t.id, t.ended_at AS over_at, false AS referred_to, 0 AS newer, false AS in_use
             FROM countersign.terminal_sessions t
             WHERE t.tenant_id = $1 AND t.id > $2 AND t.started_at < $3
               AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
             ORDER BY t.id
             LIMIT $4"
        }
        "costs" => {
            "SELECT t.id, (t.day + 1)::timestamp AT TIME ZONE 'UTC' AS over_at,
               false AS referred_to, 0 AS newer, false AS in_use
             FROM countersign.cost_timeseries t
             WHERE t.tenant_id = $1 AND t.id > $2 AND t.day < $3::date
               AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
             ORDER BY t.id
             LIMIT $4"
        }
        "conversations" => {
            "SELECT t.id,
               greatest(t.updated_at, (
                 SELECT max(m.created_at) FROM countersign.chat_messages m
                 WHERE m.tenant_id = $1 AND m.session_id = t.id)) AS over_at,
               false AS referred_to, 0 AS newer, false AS in_use
             FROM countersign.chat_sessions t
             WHERE t.tenant_id = $1 AND t.id > $2 AND t.created_at < $3
               AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
             ORDER BY t.id
             LIMIT $4"
        }
        "notifications" => {
            "SELECT t.id, t.created_at AS over_at, false AS referred_to, 0 AS newer,
               false AS in_use
             FROM countersign.notifications t
             WHERE t.tenant_id = $1 AND t.id > $2 AND t.created_at < $3
               AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
             ORDER BY t.id
             LIMIT $4"
        }
        _ => return None,
    })
}

#[derive(FromRow)]
struct CandidateRow {
    id: Uuid,
    over_at: Option<jiff_sqlx::Timestamp>,
    referred_to: bool,
    newer: i32,
    in_use: bool,
}

/// Which things are looked at.
#[derive(Debug, Clone, Copy)]
pub enum Among<'a> {
    /// At most [`PAGE`] of all, after this id.
    After(Uuid),
    /// These.
    These(&'a [Uuid]),
}

/// Things of a kind that began before `began_before`.
///
/// # Errors
/// When they cannot be read.
pub async fn page(
    tx: &mut TenantTx,
    subject: &Subject,
    began_before: Timestamp,
    among: Among<'_>,
) -> Result<Vec<Candidate>, Error> {
    let tenant = tx.tenant().uuid();
    let Some(statement) = query(subject.name) else {
        return Err(Error::internal(format!("nothing is known of {}", subject.name)));
    };
    let (after, these) = match among {
        Among::After(id) => (id, None),
        Among::These(ids) => (Uuid::nil(), Some(ids)),
    };
    let rows: Vec<CandidateRow> = sqlx::query_as(statement)
        .bind(tenant)
        .bind(after)
        .bind(began_before.to_sqlx())
        .bind(PAGE)
        .bind(these)
        .fetch_all(tx.conn())
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Candidate {
                id: row.id,
                over_at: row.over_at.map(jiff_sqlx::Timestamp::to_jiff),
                referred_to: row.referred_to,
                newer: u32::try_from(row.newer).map_err(Error::internal)?,
                in_use: row.in_use,
            })
        })
        .collect()
}

/// The oldest row of a table that grows by month, at or after `from` and before `end`.
///
/// # Errors
/// When it cannot be read.
pub async fn oldest(
    tx: &mut TenantTx,
    table: &'static str,
    from: Uuid,
    end: Timestamp,
) -> Result<Option<Uuid>, Error> {
    let tenant = tx.tenant().uuid();
    // The table is a constant of this program.
    let statement = format!(
        "SELECT t.id FROM countersign.{table} t
         WHERE t.tenant_id = $1 AND t.id >= $2 AND t.id < countersign.first_id_at($3)
         ORDER BY t.id
         LIMIT 1"
    );
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .bind(tenant)
        .bind(from)
        .bind(end.to_sqlx())
        .fetch_optional(tx.conn())
        .await?)
}

/// At most `most` things of a kind after an id, whatever their age, in order.
///
/// # Errors
/// When they cannot be read.
pub async fn any(
    tx: &mut TenantTx,
    subject: &Subject,
    after: Uuid,
    most: i64,
) -> Result<Vec<Uuid>, Error> {
    let tenant = tx.tenant().uuid();
    // The table is a constant of this program.
    let statement = format!(
        "SELECT t.id FROM countersign.{} t WHERE t.tenant_id = $1 AND t.id > $2
         ORDER BY t.id
         LIMIT $3",
        subject.table()
    );
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .bind(tenant)
        .bind(after)
        .bind(most)
        .fetch_all(tx.conn())
        .await?)
}

/// Where a piece that begins at `from` ends: at the month's end, or after `most` rows.
///
/// # Errors
/// When it cannot be read.
pub async fn end_of_piece(
    tx: &mut TenantTx,
    table: &'static str,
    from: Uuid,
    end: Timestamp,
    most: i64,
) -> Result<Uuid, Error> {
    let tenant = tx.tenant().uuid();
    // The table is a constant of this program.
    let statement = format!(
        "SELECT coalesce(
           (SELECT t.id FROM countersign.{table} t
            WHERE t.tenant_id = $1 AND t.id >= $2 AND t.id < countersign.first_id_at($3)
            ORDER BY t.id
            LIMIT 1 OFFSET $4),
           countersign.first_id_at($3))"
    );
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .bind(tenant)
        .bind(from)
        .bind(end.to_sqlx())
        .bind(most)
        .fetch_one(tx.conn())
        .await?)
}

/// The names of the months there are of the tables that grow by month: table, first day.
///
/// # Errors
/// When the catalogue cannot be read.
pub async fn months(tx: &mut db::AcrossTx) -> Result<Vec<(String, String)>, Error> {
    Ok(sqlx::query_as(
        "SELECT p.relname::text, translate(right(c.relname, 7), 'm', '-') || '-01'
         FROM pg_catalog.pg_inherits i
         JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
         JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
         WHERE p.relnamespace = 'countersign'::regnamespace
           AND c.relname ~ '_y[0-9]{4}m[0-9]{2}$'
         ORDER BY 1, 2",
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Drops a month of a table, if every row in it is archived or it is empty. Says whether it did.
///
/// # Errors
/// When the database fails, or the table is in use for too long.
pub async fn drop_month(
    tx: &mut db::AcrossTx,
    table: &str,
    first_day: &str,
) -> Result<bool, Error> {
    Ok(sqlx::query_scalar("SELECT countersign.drop_month($1, $2::date)")
        .bind(table)
        .bind(first_day)
        .fetch_one(tx.conn())
        .await?)
}
