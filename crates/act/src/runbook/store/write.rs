//! The statements that change runbooks.

use db::TenantTx;
use jiff_sqlx::ToSqlx;
use model::id::{ActorId, RunbookId, RunbookStepId, TriggerId};
use serde::Serialize;
use uuid::Uuid;

use super::Error;
use crate::runbook::status::Status;
use crate::runbook::{Runbook, Step, Trigger};

/// The runbook of a name with its version, locked until the transaction ends.
pub(super) async fn locked(
    tx: &mut TenantTx,
    name: &str,
) -> Result<Option<(RunbookId, u32)>, Error> {
    let tenant = tx.tenant().uuid();
    let row: Option<(Uuid, i32)> = sqlx::query_as(
        "SELECT id, version
         FROM countersign.runbooks
         WHERE tenant_id = $1 AND name = $2
         FOR UPDATE",
    )
    .bind(tenant)
    .bind(name)
    .fetch_optional(tx.conn())
    .await?;
    row.map(|(id, version)| Ok((id.into(), super::number(version)?))).transpose()
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: RunbookId,
    runbook: &Runbook,
    by: ActorId,
) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.runbooks (tenant_id, id, name, created_by)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(&runbook.name)
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    update(tx, id, 1, runbook).await
}

pub(super) async fn update(
    tx: &mut TenantTx,
    id: RunbookId,
    version: u32,
    runbook: &Runbook,
) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "UPDATE countersign.runbooks
         SET description = $3, category = $4, mode = $5, status = $6, target_os = $7, version = $8,
             timeout_seconds = $9, max_retries = $10, retry_delay_seconds = $11,
             rate_limit_count = $12, rate_limit_window_seconds = $13, requires_approval = $14,
             approval_roles = $15, allowed_servers = $16, environment_vars = $17, config = $18,
             updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(runbook.description.as_deref().unwrap_or_default())
    .bind(runbook.category.as_deref().unwrap_or_default())
    .bind(runbook.mode.word())
    .bind(runbook.status.word())
    .bind(runbook.target_os.word())
    .bind(i64::from(version))
    .bind(i64::from(runbook.timeout_seconds))
    .bind(i64::from(runbook.max_retries))
    .bind(i64::from(runbook.retry_delay_seconds))
    .bind(runbook.rate_limit_count.map(i64::from))
    .bind(runbook.rate_limit_window_seconds.map(i64::from))
    .bind(runbook.requires_approval)
    .bind(&runbook.approval_roles)
    .bind(json(&runbook.allowed_servers)?)
    .bind(json(&runbook.environment_vars)?)
    .bind(json(&runbook.config)?)
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn steps(
    tx: &mut TenantTx,
    id: RunbookId,
    runbook: &Runbook,
) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "DELETE FROM countersign.runbook_steps
         WHERE tenant_id = $1 AND runbook_id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    for (order, step) in (1_i64..).zip(&runbook.steps) {
        insert_step(tx, id, order, step).await?;
    }
    Ok(())
}

async fn insert_step(
    tx: &mut TenantTx,
    id: RunbookId,
    order: i64,
    step: &Step,
) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.runbook_steps
           (tenant_id, id, runbook_id, step_order, name, description, command,
            expected_exit_codes, timeout_seconds, continue_on_failure, condition,
            rollback_command, retry_count, retry_delay_seconds, capture_output, sensitive,
            action, semantics, stage, params, evidence)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20, $21)",
    )
    .bind(tenant)
    .bind(RunbookStepId::generate().uuid())
    .bind(id.uuid())
    .bind(order)
    .bind(&step.name)
    .bind(step.description.as_deref().unwrap_or_default())
    .bind(&step.command)
    .bind(&step.expected_exit_codes)
    .bind(i64::from(step.timeout_seconds))
    .bind(step.continue_on_failure)
    .bind(&step.condition)
    .bind(&step.rollback_command)
    .bind(i64::from(step.retry_count))
    .bind(i64::from(step.retry_delay_seconds))
    .bind(step.capture_output)
    .bind(step.sensitive)
    .bind(&step.action)
    .bind(step.semantics.word())
    .bind(step.stage.word())
    .bind(json(&step.params)?)
    .bind(json(&step.evidence)?)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A trigger that keeps its name keeps its id, and with it its cooldown.
pub(super) async fn triggers(
    tx: &mut TenantTx,
    id: RunbookId,
    runbook: &Runbook,
) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let names: Vec<&str> = runbook.triggers.iter().map(|trigger| trigger.name.as_str()).collect();
    sqlx::query(
        "DELETE FROM countersign.runbook_triggers
         WHERE tenant_id = $1 AND runbook_id = $2 AND NOT (name = ANY($3))",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(names)
    .execute(tx.conn())
    .await?;
    for trigger in &runbook.triggers {
        upsert_trigger(tx, id, trigger).await?;
    }
    Ok(())
}

async fn upsert_trigger(tx: &mut TenantTx, id: RunbookId, trigger: &Trigger) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.runbook_triggers
           (tenant_id, id, runbook_id, name, priority, alert_name_pattern, severity_pattern,
            source_pattern, labels_match, time_window_start, time_window_end, timezone, enabled,
            cooldown_seconds)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT ON CONSTRAINT runbook_triggers_name_key DO UPDATE
         SET priority = excluded.priority, alert_name_pattern = excluded.alert_name_pattern,
             severity_pattern = excluded.severity_pattern,
             source_pattern = excluded.source_pattern, labels_match = excluded.labels_match,
             time_window_start = excluded.time_window_start,
             time_window_end = excluded.time_window_end, timezone = excluded.timezone,
             enabled = excluded.enabled, cooldown_seconds = excluded.cooldown_seconds",
    )
    .bind(tenant)
    .bind(TriggerId::generate().uuid())
    .bind(id.uuid())
    .bind(&trigger.name)
    .bind(trigger.priority)
    .bind(&trigger.alert_name_pattern)
    .bind(trigger.severity_pattern.as_deref().unwrap_or("*"))
    .bind(trigger.source_pattern.as_deref().unwrap_or("*"))
    .bind(json(&trigger.labels_match)?)
    .bind(trigger.time_window_start.map(ToSqlx::to_sqlx))
    .bind(trigger.time_window_end.map(ToSqlx::to_sqlx))
    .bind(&trigger.timezone)
    .bind(trigger.enabled)
    .bind(i64::from(trigger.cooldown_seconds))
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn snapshot(
    tx: &mut TenantTx,
    id: RunbookId,
    version: u32,
    text: &str,
    change_summary: &str,
    by: ActorId,
) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.runbook_versions
           (tenant_id, id, runbook_id, version, yaml_content, change_summary, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant)
    .bind(Uuid::now_v7())
    .bind(id.uuid())
    .bind(i64::from(version))
    .bind(text)
    .bind(change_summary)
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn status(tx: &mut TenantTx, id: RunbookId, status: Status) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let changed = sqlx::query(
        "UPDATE countersign.runbooks
         SET status = $3, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(status.word())
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 0 { Err(db::Error::NotFound.into()) } else { Ok(()) }
}

pub(super) async fn start(
    tx: &mut TenantTx,
    trigger: TriggerId,
    target: &str,
    cooldown_seconds: u32,
) -> Result<bool, Error> {
    let tenant = tx.tenant().uuid();
    // The row lock of the upsert makes the second of two wait, then see the first one's time.
    let taken = sqlx::query(
        "INSERT INTO countersign.runbook_trigger_starts AS s
           (tenant_id, trigger_id, target, started_at)
         VALUES ($1, $2, $3, clock_timestamp())
         ON CONFLICT ON CONSTRAINT runbook_trigger_starts_pk DO UPDATE
         SET started_at = clock_timestamp()
         WHERE s.started_at <= clock_timestamp() - make_interval(secs => $4)",
    )
    .bind(tenant)
    .bind(trigger.uuid())
    .bind(target)
    .bind(f64::from(cooldown_seconds))
    .execute(tx.conn())
    .await?;
    if taken.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE countersign.runbook_triggers
         SET last_triggered_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(trigger.uuid())
    .execute(tx.conn())
    .await?;
    Ok(true)
}

fn json<T: Serialize>(value: &T) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|error| db::Error::internal(error).into())
}
