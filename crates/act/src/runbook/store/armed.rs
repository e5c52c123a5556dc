//! What alerts may start: active runbooks with their triggers, and when those last did.

use std::collections::BTreeMap;

use db::TenantTx;
use model::id::{RunbookId, TriggerId};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Error, number, read, write};
use crate::runbook::status::Status;
use crate::runbook::trigger::{Armed, LastTriggered};

#[derive(FromRow)]
struct ArmedRow {
    id: Uuid,
    version: i32,
    yaml_content: String,
    trigger_ids: Vec<Uuid>,
    trigger_names: Vec<String>,
}

/// The active runbooks with triggers, for matching. One whose snapshot cannot be read is an error:
/// an alert must not silently miss its runbook.
///
/// # Errors
/// When a snapshot cannot be read, or the database fails.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<Armed>, Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<ArmedRow> = sqlx::query_as(
        "SELECT r.id, r.version, v.yaml_content,
                array_agg(t.id) AS trigger_ids, array_agg(t.name) AS trigger_names
         FROM countersign.runbooks r
         JOIN countersign.runbook_versions v
           ON v.tenant_id = r.tenant_id AND v.runbook_id = r.id AND v.version = r.version
         JOIN countersign.runbook_triggers t
           ON t.tenant_id = r.tenant_id AND t.runbook_id = r.id
         WHERE r.tenant_id = $1 AND r.status = 'active'
         GROUP BY r.id, r.version, v.yaml_content
         ORDER BY r.id",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(ArmedRow::armed).collect()
}

impl ArmedRow {
    fn armed(self) -> Result<Armed, Error> {
        let id = RunbookId::from(self.id);
        let version = number(self.version)?;
        let mut runbook = read(id, version, &self.yaml_content)?;
        runbook.status = Status::Active;
        let ids: BTreeMap<String, Uuid> =
            self.trigger_names.into_iter().zip(self.trigger_ids).collect();
        // Every trigger of the document has its row: both are written in one transaction.
        let triggers = runbook
            .triggers
            .iter()
            .map(|trigger| ids.get(&trigger.name).copied().map(TriggerId::from))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| db::Error::internal("a trigger of the runbook has no row"))?;
        Ok(Armed { id, version, runbook, triggers })
    }
}

/// When the triggers of these runbooks last started something, by target.
///
/// # Errors
/// When the database fails.
pub async fn last_triggered(tx: &mut TenantTx, runbooks: &[Armed]) -> Result<LastTriggered, Error> {
    let tenant = tx.tenant().uuid();
    let ids: Vec<Uuid> =
        runbooks.iter().flat_map(|armed| &armed.triggers).map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, String, jiff_sqlx::Timestamp)> = sqlx::query_as(
        "SELECT trigger_id, target, started_at
         FROM countersign.runbook_trigger_starts
         WHERE tenant_id = $1 AND trigger_id = ANY($2)",
    )
    .bind(tenant)
    .bind(ids)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, target, at)| ((TriggerId::from(id), target), at.to_jiff()))
        .collect())
}

/// Takes the start of a trigger on a target, unless it started there within its cooldown: of two
/// alerts at once, one gets it. The database's clock decides.
///
/// # Errors
/// When the database fails.
pub async fn take_start(
    tx: &mut TenantTx,
    trigger: TriggerId,
    target: &str,
    cooldown_seconds: u32,
) -> Result<bool, Error> {
    write::start(tx, trigger, target, cooldown_seconds).await
}
