//! Search and figures, in the database.

use db::object as rows;
use db::{Error, TenantTx};
use jiff_sqlx::Date as SqlDate;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use super::dashboard::{AdviceOut, ChangesOut, DayOut, WaitingOut, severity};
use super::search::Kind;

/// One thing found.
#[derive(Debug, FromRow)]
pub(super) struct Found {
    pub(super) id: Uuid,
    pub(super) title: String,
    pub(super) detail: String,
}

/// What of this kind holds `text`, newest first; an id finds what it names.
pub(super) async fn search(
    tx: &mut TenantTx,
    kind: &Kind,
    text: &str,
    limit: i64,
) -> Result<Vec<Found>, Error> {
    let bare = text.rsplit_once('_').map_or(text, |(_, bare)| bare);
    let tenant = tx.tenant().uuid();
    let named = format!(
        "SELECT o.id, {} AS title, {} AS detail FROM {} o WHERE o.tenant_id = $1",
        kind.title, kind.detail, kind.table
    );
    if let Ok(id) = Uuid::try_parse(bare) {
        let one: Vec<Found> = sqlx::query_as(AssertSqlSafe(format!("{named} AND o.id = $2")))
            .bind(tenant)
            .bind(id)
            .fetch_all(tx.conn())
            .await?;
        // What names a thing outside may look like an id of ours.
        if kind.indexed.is_none() || !one.is_empty() {
            return Ok(one);
        }
    }
    if let Some(indexed) = &kind.indexed
        && let Some(mut ids) = rows::alike(tx, indexed.function, text).await?
    {
        let known = format!(
            "SELECT o.id FROM {} o WHERE o.tenant_id = $1 AND {} ORDER BY o.id DESC LIMIT $3",
            kind.table, indexed.known_by
        );
        let known: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(known))
            .bind(tenant)
            .bind(text)
            .bind(limit)
            .persistent(false)
            .fetch_all(tx.conn())
            .await?;
        ids.extend(known);
        // Those that are shown and no others: a few ids are found alike whatever else is there.
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        ids.truncate(usize::try_from(limit).map_err(Error::internal)?);
        let statement = format!("{named} AND o.id = ANY ($2) ORDER BY o.id DESC");
        return Ok(sqlx::query_as(AssertSqlSafe(statement))
            .bind(tenant)
            .bind(ids)
            .persistent(false)
            .fetch_all(tx.conn())
            .await?);
    }
    let also: String = kind.also.iter().map(|column| format!(" OR {column} ILIKE $2")).collect();
    let statement =
        format!("{named} AND ({} ILIKE $2{also}) ORDER BY o.id DESC LIMIT $3", kind.title);
    Ok(sqlx::query_as(AssertSqlSafe(statement))
        .bind(tenant)
        .bind(rows::pattern(text))
        .bind(limit)
        .persistent(false)
        .fetch_all(tx.conn())
        .await?)
}

/// Open findings of one sort in one environment.
#[derive(Debug, FromRow)]
pub(super) struct Open {
    pub(super) kind: String,
    pub(super) severity_rank: i16,
    pub(super) environment_id: Option<Uuid>,
    pub(super) count: i64,
}

/// Open findings by severity, kind and environment, the worst first: what the index alone holds.
pub(super) async fn open_findings(tx: &mut TenantTx) -> Result<Vec<Open>, Error> {
    Ok(sqlx::query_as(
        "SELECT kind, severity_rank, environment_id, count(*) AS count FROM countersign.findings
         WHERE tenant_id = $1 AND status = 'open'
         GROUP BY kind, severity_rank, environment_id
         ORDER BY severity_rank DESC, kind, environment_id",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?)
}

/// What waits for people.
pub(super) async fn waiting(tx: &mut TenantTx) -> Result<WaitingOut, Error> {
    let row: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT
           (SELECT count(*) FROM countersign.approvals
            WHERE tenant_id = $1 AND status = 'pending' AND expires_at > clock_timestamp()),
           (SELECT count(*) FROM countersign.executions
            WHERE tenant_id = $1 AND state = 'needs_human'),
           (SELECT count(*) FROM countersign.executions
            WHERE tenant_id = $1 AND state = 'rollback_failed'
              AND id >= countersign.first_id_at(clock_timestamp() - interval '30 days')),
           (SELECT count(*) FROM countersign.circuit_breakers
            WHERE tenant_id = $1 AND state = 'open'),
           (SELECT count(*) FROM countersign.exceptions
            WHERE tenant_id = $1 AND status = 'pending')",
    )
    .bind(tx.tenant().uuid())
    .fetch_one(tx.conn())
    .await?;
    let (approvals, needs_human, rollback_failed, open_breakers, pending_exceptions) = row;
    Ok(WaitingOut { approvals, needs_human, rollback_failed, open_breakers, pending_exceptions })
}

/// Findings by the day they came up, in UTC. This and the two below are planned for the tenant and the
/// days asked for: tenants differ by thousands of times.
pub(super) async fn days(tx: &mut TenantTx, days: i32) -> Result<Vec<DayOut>, Error> {
    let rows: Vec<(SqlDate, i16, i64, i64, Option<f64>)> = sqlx::query_as(
        "SELECT (first_seen AT TIME ZONE 'UTC')::date AS day, severity_rank, count(*),
           count(resolved_at),
           avg(extract(epoch FROM greatest(resolved_at - first_seen, '0')))::float8
         FROM countersign.findings
         WHERE tenant_id = $1 AND first_seen >= (
           date_trunc('day', now() AT TIME ZONE 'UTC') - make_interval(days => $2 - 1)
         ) AT TIME ZONE 'UTC'
         GROUP BY day, severity_rank ORDER BY day, severity_rank DESC",
    )
    .bind(tx.tenant().uuid())
    .bind(days)
    .persistent(false)
    .fetch_all(tx.conn())
    .await?;
    let out = |(day, rank, opened, resolved, mean): (SqlDate, i16, _, _, _)| DayOut {
        day: day.to_jiff(),
        severity: severity(rank).to_owned(),
        opened,
        resolved,
        mean_time_to_resolve_s: mean,
    };
    Ok(rows.into_iter().map(out).collect())
}

/// Executions that ended, by how they were let start, who asked, and how they ended.
pub(super) async fn changes(tx: &mut TenantTx, days: i32) -> Result<Vec<ChangesOut>, Error> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT d.verdict, e.mode, e.state, count(*)
         FROM countersign.executions e
         JOIN countersign.decisions d ON d.tenant_id = e.tenant_id AND d.id = e.decision_id
         WHERE e.tenant_id = $1 AND e.completed_at >= (
           date_trunc('day', now() AT TIME ZONE 'UTC') - make_interval(days => $2 - 1)
         ) AT TIME ZONE 'UTC'
         GROUP BY d.verdict, e.mode, e.state ORDER BY d.verdict, e.mode, e.state",
    )
    .bind(tx.tenant().uuid())
    .bind(days)
    .persistent(false)
    .fetch_all(tx.conn())
    .await?;
    let out = |(verdict, mode, state, count)| ChangesOut { verdict, mode, state, count };
    Ok(rows.into_iter().map(out).collect())
}

/// Recommendations that were made, and how many of them were carried out.
pub(super) async fn advice(tx: &mut TenantTx, days: i32) -> Result<AdviceOut, Error> {
    let (made, implemented): (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(implemented_at) FROM countersign.recommendations
         WHERE tenant_id = $1 AND created_at >= (
           date_trunc('day', now() AT TIME ZONE 'UTC') - make_interval(days => $2 - 1)
         ) AT TIME ZONE 'UTC'",
    )
    .bind(tx.tenant().uuid())
    .bind(days)
    .persistent(false)
    .fetch_one(tx.conn())
    .await?;
    Ok(AdviceOut { made, implemented })
}
