//! Executions: where they stand, what they did, stopping them, settling what nobody knows.

use api::object::Wanted;
use api::permission::{ReadPlans, Run};
use api::problem::Answer;
use api::{App, Body, Can, PageOut, Problem, listed};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use model::execution::ExecutionState;
use model::id::{
    ActorId, ApprovalId, DecisionId, EvidenceId, ExecutionId, FindingId, IntentId, PlanId,
    ResourceId, RunbookId, StepRunId, ToolCallId, TriggerId,
};
use model::intent::ExecutionMode;
use model::objects::ObjectError;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::snapshot::Resolution;
use crate::store::human::{self, By, Resolved};
use crate::store::read::{self, Evidence, Step, Summary, ToolCall};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_executions))
        .routes(routes!(show_execution))
        .routes(routes!(cancel_execution))
        .routes(routes!(resolve_step))
        .routes(routes!(read_evidence))
}

/// An execution in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExecutionOut {
    /// Its id.
    #[schema(value_type = String, example = "exe_0190a6c2-7b5e-7000-8000-000000000001")]
    id: ExecutionId,
    /// The intent it serves.
    #[schema(value_type = String)]
    intent_id: IntentId,
    /// Its plan.
    #[schema(value_type = String)]
    plan_id: PlanId,
    /// What decided about it.
    #[schema(value_type = String)]
    decision_id: DecisionId,
    /// Its approval, if it needed one.
    #[schema(value_type = Option<String>)]
    approval_id: Option<ApprovalId>,
    /// The runbook it was made from.
    #[schema(value_type = Option<String>)]
    runbook_id: Option<RunbookId>,
    /// That runbook's version.
    runbook_version: Option<i32>,
    /// The finding it answers.
    #[schema(value_type = Option<String>)]
    finding_id: Option<FindingId>,
    /// The runbook's trigger that matched.
    #[schema(value_type = Option<String>)]
    trigger_id: Option<TriggerId>,
    /// The plan in a line.
    summary: String,
    /// Where it stands.
    #[schema(example = "awaiting_approval")]
    state: String,
    /// `auto`, `semi_auto` or `manual`.
    mode: String,
    /// Why it went back, if it did.
    rollback_reason: Option<String>,
    /// What went wrong.
    error_message: Option<String>,
    /// Whether a person asked to stop.
    cancel_requested: bool,
    /// Who asked for it.
    #[schema(value_type = String)]
    initiated_by: ActorId,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it started acting.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
    /// How long it took.
    duration_ms: Option<i64>,
}

impl From<Summary> for ExecutionOut {
    fn from(row: Summary) -> Self {
        Self {
            id: row.id.into(),
            intent_id: row.intent_id.into(),
            plan_id: row.plan_id.into(),
            decision_id: row.decision_id.into(),
            approval_id: row.approval_id.map(Into::into),
            runbook_id: row.runbook_id.map(Into::into),
            runbook_version: row.runbook_version,
            finding_id: row.finding_id.map(Into::into),
            trigger_id: row.trigger_id.map(Into::into),
            summary: row.summary,
            state: row.state,
            mode: row.mode,
            rollback_reason: row.rollback_reason,
            error_message: row.error_message,
            cancel_requested: row.cancel_requested,
            initiated_by: row.initiated_by.into(),
            created_at: row.created_at.to_jiff(),
            started_at: row.started_at.map(jiff_sqlx::Timestamp::to_jiff),
            completed_at: row.completed_at.map(jiff_sqlx::Timestamp::to_jiff),
            duration_ms: row.duration_ms,
        }
    }
}

listed! {
    /// Which executions are wanted.
    Executions: read::LISTED, "state": ExecutionState, "mode": ExecutionMode,
}

/// List executions, newest first unless sorted.
#[utoipa::path(get, path = "/executions", tag = "executions",
    params(Executions),
    responses((status = 200, body = PageOut<ExecutionOut>), (status = "4XX", body = Problem)))]
async fn list_executions(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Wanted(wanted, _): Wanted<Executions>,
) -> Answer<Json<PageOut<ExecutionOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(read::list(&mut tx, &wanted).await?, ExecutionOut::from)))
}

/// An execution with its steps, the tools it called and its evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExecutionDetail {
    /// The execution.
    #[serde(flatten)]
    execution: ExecutionOut,
    /// Its steps on its targets, in the order of the plan.
    steps: Vec<StepRunOut>,
    /// The tools it called, in order.
    tool_calls: Vec<ToolCallOut>,
    /// The evidence it left.
    evidence: Vec<EvidenceOut>,
}

/// One step on one target.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StepRunOut {
    /// Its id.
    #[schema(value_type = String)]
    id: StepRunId,
    /// The step's place in the plan.
    order: i32,
    /// The step's name.
    name: String,
    /// `act` or `verify`.
    stage: String,
    /// The target.
    #[schema(value_type = String)]
    resource_id: ResourceId,
    /// The target's name.
    target: String,
    /// Where it stands.
    #[schema(example = "succeeded")]
    state: String,
    /// The exit code.
    exit_code: Option<i32>,
    /// `do` or `undo` when nobody knows how that ended and a person must say it; none else.
    #[schema(example = "undo")]
    in_doubt: Option<String>,
    /// The first part of its standard output, when `preview` asks for it; masked when the step is
    /// sensitive.
    stdout: Option<String>,
    /// The same of standard error.
    stderr: Option<String>,
    /// Whether output beyond the cap was dropped.
    truncated: bool,
    /// Which attempt it is at, from 0.
    retry_attempt: i32,
    /// What went wrong.
    error: Option<String>,
    /// When it started.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
    /// How long it took.
    duration_ms: Option<i64>,
}

impl From<Step> for StepRunOut {
    fn from(row: Step) -> Self {
        Self {
            id: row.id.into(),
            order: row.step_order,
            name: row.step_name,
            stage: row.stage,
            resource_id: row.resource_id.into(),
            target: row.target_name,
            state: row.state,
            exit_code: row.exit_code,
            in_doubt: row.in_doubt,
            stdout: row.stdout,
            stderr: row.stderr,
            truncated: row.truncated,
            retry_attempt: row.retry_attempt,
            error: row.error,
            started_at: row.started_at.map(jiff_sqlx::Timestamp::to_jiff),
            completed_at: row.completed_at.map(jiff_sqlx::Timestamp::to_jiff),
            duration_ms: row.duration_ms,
        }
    }
}

/// A tool that was called.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ToolCallOut {
    /// Its id.
    #[schema(value_type = String)]
    id: ToolCallId,
    /// The typed action.
    #[schema(example = "host.service.restart")]
    tool_name: String,
    /// The key in the object store of what it was given.
    input_ref: Option<String>,
    /// The key in the object store of what it gave.
    output_ref: Option<String>,
    /// The SHA-256 of what is there.
    output_sha256: Option<String>,
    /// `pending`, `running`, `failed` or `succeeded`.
    #[schema(example = "succeeded")]
    status: String,
    /// What it ran in, when that is closed off.
    sandbox_id: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
}

impl From<ToolCall> for ToolCallOut {
    fn from(row: ToolCall) -> Self {
        Self {
            id: row.id.into(),
            tool_name: row.tool_name,
            input_ref: row.input_ref,
            output_ref: row.output_ref,
            output_sha256: row.output_sha256.map(hex::encode),
            status: row.status,
            sandbox_id: row.sandbox_id,
            started_at: row.started_at.to_jiff(),
            completed_at: row.completed_at.map(jiff_sqlx::Timestamp::to_jiff),
        }
    }
}

/// A piece of evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EvidenceOut {
    /// Its id.
    #[schema(value_type = String)]
    id: EvidenceId,
    /// The step it comes from.
    #[schema(value_type = Option<String>)]
    step_run_id: Option<StepRunId>,
    /// `log`, `promql` …
    #[serde(rename = "type")]
    kind: String,
    /// What was asked.
    query: String,
    /// Its key in the object store.
    result_ref: String,
    /// Where people look at it, when that is elsewhere.
    link: Option<String>,
    /// The SHA-256 of what is there.
    sha256: String,
    /// When it was collected.
    #[schema(value_type = String, format = DateTime)]
    collected_at: Timestamp,
}

impl From<Evidence> for EvidenceOut {
    fn from(row: Evidence) -> Self {
        Self {
            id: row.id.into(),
            step_run_id: row.step_run_id.map(Into::into),
            kind: row.r#type,
            query: row.query,
            result_ref: row.result_ref,
            link: row.link,
            sha256: hex::encode(row.sha256),
            collected_at: row.collected_at.to_jiff(),
        }
    }
}

/// How much of an execution is shown.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ShownIn {
    /// Whether each step comes with the first part of what it printed, up to 64 KiB of each stream.
    /// All of it is at `/executions/{id}/steps/{step}/output`.
    preview: Option<bool>,
}

/// Show an execution with its steps, the tools it called and its evidence.
#[utoipa::path(get, path = "/executions/{id}", tag = "executions",
    params(("id" = String, Path, description = "The execution"), ShownIn),
    responses((status = 200, body = ExecutionDetail), (status = "4XX", body = Problem)))]
async fn show_execution(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path(id): Path<ExecutionId>,
    wanted: Result<Query<ShownIn>, QueryRejection>,
) -> Answer<Json<ExecutionDetail>> {
    let Query(wanted) =
        wanted.map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let execution = read::get(&mut tx, id).await?;
    let steps = read::steps_of(&mut tx, id, wanted.preview.unwrap_or(false)).await?;
    let tool_calls = read::tool_calls(&mut tx, id).await?;
    let evidence = read::evidence(&mut tx, id).await?;
    Ok(Json(ExecutionDetail {
        execution: execution.into(),
        steps: steps.into_iter().map(StepRunOut::from).collect(),
        tool_calls: tool_calls.into_iter().map(ToolCallOut::from).collect(),
        evidence: evidence.into_iter().map(EvidenceOut::from).collect(),
    }))
}

/// Where an execution stands now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StateOut {
    /// Where.
    #[schema(value_type = String, example = "cancelled")]
    state: ExecutionState,
}

/// Stop an execution: at once before its start, else before its next step.
///
/// What it did by then is undone.
#[utoipa::path(post, path = "/executions/{id}/cancel", tag = "executions",
    params(("id" = String, Path, description = "The execution")),
    responses((status = 202, body = StateOut), (status = "4XX", body = Problem)))]
async fn cancel_execution(
    State(app): State<App>,
    caller: Can<Run>,
    Path(id): Path<ExecutionId>,
) -> Answer<(StatusCode, Json<StateOut>)> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let by = By { actor: &caller.actor, origin: caller.origin.clone() };
    let state = human::stop(&mut tx, id, &by).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(StateOut { state })))
}

/// What became of a step nobody knows the end of.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResolveIn {
    /// What became of it.
    choice: ChoiceIn,
}

/// What a person found out.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChoiceIn {
    /// It worked.
    MarkSucceeded,
    /// It did not work.
    MarkFailed,
    /// It may run again.
    Retry,
}

/// Say what became of a step whose end cannot be known.
///
/// For a step that runs at most once this takes a person who did not ask for the change and, above
/// tier low, the role approver or admin beside the permission.
#[utoipa::path(post, path = "/executions/{id}/steps/{step}/resolve", tag = "executions",
    params(("id" = String, Path, description = "The execution"),
           ("step" = String, Path, description = "The step run")),
    request_body = ResolveIn,
    responses((status = 200, body = StateOut), (status = "4XX", body = Problem)))]
async fn resolve_step(
    State(app): State<App>,
    caller: Can<Run>,
    Path((id, step)): Path<(ExecutionId, StepRunId)>,
    Body(wanted): Body<ResolveIn>,
) -> Answer<Json<StateOut>> {
    let choice = match wanted.choice {
        ChoiceIn::MarkSucceeded => Resolution::MarkSucceeded,
        ChoiceIn::MarkFailed => Resolution::MarkFailed,
        ChoiceIn::Retry => Resolution::Retry,
    };
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let by = By { actor: &caller.actor, origin: caller.origin.clone() };
    let resolved = human::resolve(&mut tx, id, step, choice, &by).await?;
    tx.commit().await?;
    match resolved {
        Resolved::Taken(state) => Ok(Json(StateOut { state })),
        Resolved::Refused(why) => Err(Problem::forbidden("separation_of_duties", why.to_string())),
    }
}

/// Read a piece of evidence, after its hash was checked.
#[utoipa::path(get, path = "/executions/{id}/evidence/{evidence}", tag = "executions",
    params(("id" = String, Path, description = "The execution"),
           ("evidence" = String, Path, description = "The evidence")),
    responses((status = 200, content_type = "application/json", body = Object),
              (status = "4XX", body = Problem)))]
async fn read_evidence(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path((id, wanted)): Path<(ExecutionId, EvidenceId)>,
) -> Answer<impl IntoResponse> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let all = read::evidence(&mut tx, id).await?;
    drop(tx);
    let found = all
        .into_iter()
        .find(|evidence| evidence.id == wanted.uuid())
        .ok_or_else(|| Problem::not_found("evidence"))?;
    let bytes = app.objects.get(&found.result_ref).await.map_err(|error| match error {
        ObjectError::NotFound { .. } => Problem::conflict("evidence_lost", error.to_string()),
        ObjectError::Unavailable { .. } => Problem::unavailable(error.to_string()),
    })?;
    if Digest::of(&bytes).as_bytes()[..] != found.sha256[..] {
        return Err(Problem::conflict(
            "evidence_altered",
            "what is stored does not have the hash that was recorded",
        ));
    }
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes))
}
