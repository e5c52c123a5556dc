//! Search and figures, in the database.

use db::{Error, TenantTx};
use jiff_sqlx::Date as SqlDate;
use model::id::EnvironmentId;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use super::dashboard::{AdviceOut, ChangesOut, DayOut, DriftOut, OpenOut, WaitingOut};
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
        return Ok(sqlx::query_as(AssertSqlSafe(format!("{named} AND o.id = $2")))
            .bind(tenant)
            .bind(id)
            .fetch_all(tx.conn())
            .await?);
    }
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let also: String = kind.also.iter().map(|column| format!(" OR {column} ILIKE $2")).collect();
    let statement =
        format!("{named} AND ({} ILIKE $2{also}) ORDER BY o.id DESC LIMIT $3", kind.title);
    Ok(sqlx::query_as(AssertSqlSafe(statement))
        .bind(tenant)
        .bind(format!("%{literal}%"))
        .bind(limit)
        .fetch_all(tx.conn())
        .await?)
}

/// Open findings by kind and severity, the worst first.
pub(super) async fn open_findings(tx: &mut TenantTx) -> Result<Vec<OpenOut>, Error> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT kind, severity, count(*) FROM countersign.findings
         WHERE tenant_id = $1 AND status = 'open'
         GROUP BY kind, severity, severity_rank ORDER BY severity_rank DESC, kind",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    let out = |(kind, severity, count)| OpenOut { kind, severity, count };
    Ok(rows.into_iter().map(out).collect())
}

/// Open drift by environment and severity, the worst first.
pub(super) async fn open_drift(tx: &mut TenantTx) -> Result<Vec<DriftOut>, Error> {
    let rows: Vec<(Option<Uuid>, String, i64)> = sqlx::query_as(
        "SELECT environment_id, severity, count(*) FROM countersign.findings
         WHERE tenant_id = $1 AND status = 'open' AND kind = 'drift'
         GROUP BY environment_id, severity, severity_rank
         ORDER BY severity_rank DESC, environment_id",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    let out = |(environment, severity, count): (Option<Uuid>, _, _)| DriftOut {
        environment_id: environment.map(EnvironmentId::from),
        severity,
        count,
    };
    Ok(rows.into_iter().map(out).collect())
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

/// Findings by the day they came up, in UTC.
pub(super) async fn days(tx: &mut TenantTx, days: i32) -> Result<Vec<DayOut>, Error> {
    let rows: Vec<(SqlDate, String, i64, i64, Option<f64>)> = sqlx::query_as(
        "SELECT (first_seen AT TIME ZONE 'UTC')::date AS day, severity, count(*),
           count(resolved_at),
           avg(extract(epoch FROM resolved_at - first_seen))::float8
         FROM countersign.findings
         WHERE tenant_id = $1 AND first_seen >= (
           date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') - make_interval(days => $2 - 1)
         ) AT TIME ZONE 'UTC'
         GROUP BY day, severity, severity_rank ORDER BY day, severity_rank DESC",
    )
    .bind(tx.tenant().uuid())
    .bind(days)
    .fetch_all(tx.conn())
    .await?;
    let out = |(day, severity, opened, resolved, mean): (SqlDate, _, _, _, _)| DayOut {
        day: day.to_jiff(),
        severity,
        opened,
        resolved,
        mean_time_to_resolve_s: mean,
    };
    Ok(rows.into_iter().map(out).collect())
}

/// Executions that ended, by how they were let start and how they ended.
pub(super) async fn changes(tx: &mut TenantTx, days: i32) -> Result<Vec<ChangesOut>, Error> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT d.verdict, e.state, count(*)
         FROM countersign.executions e
         JOIN countersign.decisions d ON d.tenant_id = e.tenant_id AND d.id = e.decision_id
         WHERE e.tenant_id = $1 AND e.completed_at >= (
           date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') - make_interval(days => $2 - 1)
         ) AT TIME ZONE 'UTC'
         GROUP BY d.verdict, e.state ORDER BY d.verdict, e.state",
    )
    .bind(tx.tenant().uuid())
    .bind(days)
    .fetch_all(tx.conn())
    .await?;
    let out = |(verdict, state, count)| ChangesOut { verdict, state, count };
    Ok(rows.into_iter().map(out).collect())
}

/// Recommendations that were made, and how many of them were carried out.
pub(super) async fn advice(tx: &mut TenantTx, days: i32) -> Result<AdviceOut, Error> {
    let (made, implemented): (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(implemented_at) FROM countersign.recommendations
         WHERE tenant_id = $1 AND created_at >= (
           date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') - make_interval(days => $2 - 1)
         ) AT TIME ZONE 'UTC'",
    )
    .bind(tx.tenant().uuid())
    .bind(days)
    .fetch_one(tx.conn())
    .await?;
    Ok(AdviceOut { made, implemented })
}
