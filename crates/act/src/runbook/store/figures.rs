//! How runbooks went lately, for lists.

use std::collections::BTreeMap;

use db::TenantTx;
use model::Timestamp;
use model::id::RunbookId;
use uuid::Uuid;

use super::Error;

/// How a runbook's runs of the last 30 days went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Runs that began.
    pub runs: u64,
    /// Those that ended as wanted, verified.
    pub completed: u64,
    /// Those that ended otherwise.
    pub failed: u64,
    /// When the last one began.
    pub last_run_at: Option<Timestamp>,
}

/// The figures of each of these that ran. What is asked for waits for its approval, for days at
/// most: what began within the days was asked for within twice as many.
pub(super) async fn of(
    tx: &mut TenantTx,
    ids: &[Uuid],
) -> Result<BTreeMap<RunbookId, Figures>, Error> {
    type Row = (Uuid, i64, i64, i64, Option<jiff_sqlx::Timestamp>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT runbook_id, count(*), count(*) FILTER (WHERE state = 'completed'),
           count(*) FILTER (WHERE state IN (
             'failed', 'timed_out', 'rolled_back', 'partially_rolled_back', 'rollback_failed')),
           max(started_at)
         FROM countersign.executions
         WHERE tenant_id = $1 AND runbook_id = ANY ($2)
           AND id >= countersign.first_id_at(now() - interval '60 days')
           AND started_at >= now() - interval '30 days'
         GROUP BY runbook_id",
    )
    .bind(tx.tenant().uuid())
    .bind(ids)
    .fetch_all(tx.conn())
    .await?;
    let figures = |(id, runs, completed, failed, last): Row| {
        let counted = |count: i64| u64::try_from(count).unwrap_or_default();
        let figures = Figures {
            runs: counted(runs),
            completed: counted(completed),
            failed: counted(failed),
            last_run_at: last.map(jiff_sqlx::Timestamp::to_jiff),
        };
        (id.into(), figures)
    };
    Ok(rows.into_iter().map(figures).collect())
}
