//! Lists of executions, their steps and what happened, for people.

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Page, TenantTx};
use model::id::ExecutionId;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;

/// An execution, as lists show it.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Summary {
    /// Its id.
    pub id: Uuid,
    /// The intent it serves.
    pub intent_id: Uuid,
    /// Its plan.
    pub plan_id: Uuid,
    /// What decided about it.
    pub decision_id: Uuid,
    /// Its approval, if it needed one.
    pub approval_id: Option<Uuid>,
    /// The runbook it was made from.
    pub runbook_id: Option<Uuid>,
    /// The runbook's version.
    pub runbook_version: Option<i32>,
    /// The finding it answers.
    pub finding_id: Option<Uuid>,
    /// The runbook's trigger that matched.
    pub trigger_id: Option<Uuid>,
    /// The plan in a line.
    pub summary: String,
    /// Where it stands.
    pub state: String,
    /// `auto`, `semi_auto` or `manual`.
    pub mode: String,
    /// Why it went back, if it did.
    pub rollback_reason: Option<String>,
    /// What went wrong.
    pub error_message: Option<String>,
    /// Whether a person asked to stop.
    pub cancel_requested: bool,
    /// Who asked for it.
    pub initiated_by: Uuid,
    /// How often a worker took it.
    pub lease_epoch: i64,
    /// When it was asked for.
    #[serde(serialize_with = "time")]
    pub created_at: jiff_sqlx::Timestamp,
    /// When it started acting.
    #[serde(serialize_with = "maybe_time")]
    pub started_at: Option<jiff_sqlx::Timestamp>,
    /// When it ended.
    #[serde(serialize_with = "maybe_time")]
    pub completed_at: Option<jiff_sqlx::Timestamp>,
    /// How long it took.
    pub duration_ms: Option<i64>,
}

/// One step on one target.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Step {
    /// Its id.
    pub id: Uuid,
    /// The step's place in the plan.
    pub step_order: i32,
    /// The step's name.
    pub step_name: String,
    /// `act` or `verify`.
    pub stage: String,
    /// The target.
    pub resource_id: Uuid,
    /// The target's name.
    pub target_name: String,
    /// Where it stands.
    pub state: String,
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// Whether a person must say how it ended, and in which direction it went: `do` or `undo`.
    pub in_doubt: Option<String>,
    /// The beginning of its output.
    pub stdout: Option<String>,
    /// The beginning of its error output.
    pub stderr: Option<String>,
    /// Whether there was more.
    pub truncated: bool,
    /// How many attempts went before.
    pub retry_attempt: i32,
    /// Its place in the order of ending.
    pub completed_seq: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
    /// When it began.
    #[serde(serialize_with = "maybe_time")]
    pub started_at: Option<jiff_sqlx::Timestamp>,
    /// When it ended.
    #[serde(serialize_with = "maybe_time")]
    pub completed_at: Option<jiff_sqlx::Timestamp>,
    /// How long it took.
    pub duration_ms: Option<i64>,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Happening {
    /// Its number within the execution, from 1, without gaps.
    pub seq: i64,
    /// When.
    #[serde(serialize_with = "time")]
    pub ts: jiff_sqlx::Timestamp,
    /// `state`, `step` or `output`.
    pub kind: String,
    /// The step run it is about.
    pub step_run_id: Option<Uuid>,
    /// In words, or the output itself.
    pub message: String,
    /// The rest.
    pub data: Value,
}

/// Evidence an execution left.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Evidence {
    /// Its id.
    pub id: Uuid,
    /// The step run that left it.
    pub step_run_id: Option<Uuid>,
    /// What kind.
    pub r#type: String,
    /// What was asked.
    pub query: String,
    /// Where it lies.
    pub result_ref: String,
    /// Where people look at it, when that is elsewhere.
    pub link: Option<String>,
    /// Its SHA-256.
    #[serde(serialize_with = "hash")]
    pub sha256: Vec<u8>,
    /// When it was stored.
    #[serde(serialize_with = "time")]
    pub collected_at: jiff_sqlx::Timestamp,
}

/// A tool that was called.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ToolCall {
    /// Its id.
    pub id: Uuid,
    /// The typed action.
    pub tool_name: String,
    /// Where what it was given lies.
    pub input_ref: Option<String>,
    /// Where what it gave lies.
    pub output_ref: Option<String>,
    /// The SHA-256 of that.
    pub output_sha256: Option<Vec<u8>>,
    /// `pending`, `running`, `failed` or `succeeded`.
    pub status: String,
    /// What it ran in.
    pub sandbox_id: Option<String>,
    /// When it began.
    pub started_at: jiff_sqlx::Timestamp,
    /// When it ended.
    pub completed_at: Option<jiff_sqlx::Timestamp>,
}

fn time<S: serde::Serializer>(at: &jiff_sqlx::Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&at.to_jiff())
}

#[expect(clippy::ref_option, reason = "the signature serde asks for")]
fn maybe_time<S: serde::Serializer>(
    at: &Option<jiff_sqlx::Timestamp>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => to.collect_str(&at.to_jiff()),
        None => to.serialize_none(),
    }
}

fn hash<S: serde::Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex::encode(bytes))
}

/// By what executions are listed.
pub const LISTED: Kind = Kind {
    word: "execution",
    table: "(SELECT e.*, p.summary FROM countersign.executions e
             JOIN countersign.plans p ON p.tenant_id = e.tenant_id AND p.id = e.plan_id)",
    columns: &[
        Column::new("state", Holds::Text).filter(),
        Column::new("mode", Holds::Text).filter(),
        Column::new("runbook_id", Holds::Id).filter(),
        Column::new("intent_id", Holds::Id).filter(),
        Column::new("plan_id", Holds::Id).filter(),
        Column::new("finding_id", Holds::Id).filter(),
        // What began has its steps; what was refused before it began did nothing anywhere.
        Column::new("resource_id", Holds::Id).through("countersign.step_runs", "execution_id"),
        Column::new("initiated_by", Holds::Id).filter(),
        Column::new("created_at", Holds::Time).filter().age(),
        Column::new("completed_at", Holds::Time).filter(),
        Column::new("summary", Holds::Text).search(),
    ],
    natural: &[],
};

/// A page of executions, newest first unless sorted.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(tx: &mut TenantTx, wanted: &ListRequest) -> Result<Page<Summary>, Error> {
    let statement =
        "SELECT e.id, e.intent_id, e.plan_id, e.decision_id, e.approval_id, e.runbook_id,
           e.runbook_version, e.finding_id, e.trigger_id, p.summary, e.state, e.mode,
           e.rollback_reason, e.error_message, e.cancel_requested, e.initiated_by, e.lease_epoch,
           e.created_at, e.started_at, e.completed_at, e.duration_ms
         FROM countersign.executions e
         JOIN countersign.plans p ON p.tenant_id = e.tenant_id AND p.id = e.plan_id
         WHERE e.tenant_id = $1 AND e.id = ANY ($2)";
    object::read(tx, &LISTED, wanted, statement, |row: &Summary| row.id)
        .await
        .map_err(Error::db("reading executions"))
}

/// One execution.
///
/// # Errors
/// [`Error::NotFound`] when this tenant has none with this id.
pub async fn get(tx: &mut TenantTx, id: ExecutionId) -> Result<Summary, Error> {
    let row = sqlx::query_as(
        "SELECT e.id, e.intent_id, e.plan_id, e.decision_id, e.approval_id, e.runbook_id,
           e.runbook_version, e.finding_id, e.trigger_id, p.summary, e.state, e.mode,
           e.rollback_reason, e.error_message, e.cancel_requested, e.initiated_by, e.lease_epoch,
           e.created_at, e.started_at, e.completed_at, e.duration_ms
         FROM countersign.executions e
         JOIN countersign.plans p ON p.tenant_id = e.tenant_id AND p.id = e.plan_id
         WHERE e.tenant_id = $1 AND e.id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(failed)?;
    row.ok_or(Error::NotFound(id))
}

/// Its steps on its targets, in the plan's order, with the beginning of what each printed.
///
/// # Errors
/// When the database cannot be asked.
pub async fn steps(tx: &mut TenantTx, id: ExecutionId) -> Result<Vec<Step>, Error> {
    steps_of(tx, id, true).await
}

/// As [`steps`], with what they printed only where that is `preview`ed.
///
/// # Errors
/// As [`steps`].
pub async fn steps_of(
    tx: &mut TenantTx,
    id: ExecutionId,
    preview: bool,
) -> Result<Vec<Step>, Error> {
    // In doubt is what `human::resolve` takes: going back, undos alone.
    sqlx::query_as(
        "SELECT r.id, r.step_order, r.step_name, r.stage, r.resource_id, r.target_name, r.state,
           r.exit_code, d.direction AS in_doubt, CASE WHEN $3 THEN r.stdout END AS stdout,
           CASE WHEN $3 THEN r.stderr END AS stderr, r.truncated, r.retry_attempt,
           r.completed_seq, r.error, r.started_at, r.completed_at, r.duration_ms
         FROM countersign.step_runs r
         LEFT JOIN (
           SELECT DISTINCT ON (a.step_run_id) a.step_run_id, a.direction
           FROM countersign.attempts a
           JOIN countersign.executions e ON e.tenant_id = a.tenant_id AND e.id = a.execution_id
           WHERE a.tenant_id = $1 AND a.execution_id = $2 AND a.state = 'unknown'
             AND a.resolution IS NULL AND e.state = 'needs_human'
             AND (e.rollback_reason IS NULL OR a.direction = 'undo')
           ORDER BY a.step_run_id, a.opened_at DESC
         ) d ON d.step_run_id = r.id
         WHERE r.tenant_id = $1 AND r.execution_id = $2
         ORDER BY r.step_order, r.id",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(preview)
    .fetch_all(tx.conn())
    .await
    .map_err(failed)
}

/// What happened after the event `after`, oldest first, at most `limit`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn events(
    tx: &mut TenantTx,
    id: ExecutionId,
    after: i64,
    limit: u16,
) -> Result<Vec<Happening>, Error> {
    sqlx::query_as(
        "SELECT seq, ts, kind, step_run_id, message, data
         FROM countersign.execution_events
         WHERE tenant_id = $1 AND execution_id = $2 AND seq > $3
         ORDER BY seq
         LIMIT $4",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(tx.conn())
    .await
    .map_err(failed)
}

/// The evidence it left.
///
/// # Errors
/// When the database cannot be asked.
pub async fn evidence(tx: &mut TenantTx, id: ExecutionId) -> Result<Vec<Evidence>, Error> {
    sqlx::query_as(
        "SELECT id, step_run_id, type, query, result_ref, link, sha256, collected_at
         FROM countersign.evidence
         WHERE tenant_id = $1 AND execution_id = $2
         ORDER BY id",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_all(tx.conn())
    .await
    .map_err(failed)
}

/// The tools it called, in order.
///
/// # Errors
/// When the database cannot be asked.
pub async fn tool_calls(tx: &mut TenantTx, id: ExecutionId) -> Result<Vec<ToolCall>, Error> {
    sqlx::query_as(
        "SELECT id, tool_name, input_ref, output_ref, output_sha256, status, sandbox_id,
           started_at, completed_at
         FROM countersign.tool_calls
         WHERE tenant_id = $1 AND execution_id = $2
         ORDER BY id",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_all(tx.conn())
    .await
    .map_err(failed)
}

fn failed(error: sqlx::Error) -> Error {
    Error::db("reading executions")(error.into())
}
