//! Intents and their plans, as they are recorded.

use api::object::Wanted;
use api::permission::ReadPlans;
use api::problem::Answer;
use api::suspicious::{Suspicious, suspicious};
use api::{App, Can, PageOut, Problem, listed};
use axum::Json;
use axum::extract::{Path, State};
use model::id::{ActorId, DecisionId, EnvironmentId, FindingId, IntentId, PlanId, RunbookId};
use model::intent::{IntentState, Purpose, TriggerKind};
use model::level::EnvironmentClass;
use model::plan::{Plan, Script};
use model::{Digest, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::store::intents::{self, Intent};
use crate::store::plans::{self, StoredPlan};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_intents))
        .routes(routes!(show_intent))
        .routes(routes!(show_plan))
}

/// A request to change a running system.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IntentOut {
    /// Its id.
    #[schema(value_type = String, example = "int_0190a6c2-7b5e-7000-8000-000000000001")]
    id: IntentId,
    /// The requester's own name for it.
    deterministic_id: String,
    /// `change`: it is to be carried out here. `advice`: it was judged, and nothing is ever started
    /// for it.
    #[schema(example = "change")]
    purpose: String,
    /// What kind of change.
    #[serde(rename = "type")]
    #[schema(example = "runbook.run")]
    kind: String,
    /// What is asked for.
    #[schema(value_type = Object)]
    payload: Value,
    /// The environment, when it is one.
    #[schema(value_type = Option<String>)]
    environment_id: Option<EnvironmentId>,
    /// The strictest class touched.
    #[schema(example = "prod")]
    environment_class: String,
    /// The risk category.
    category: String,
    /// Who asked.
    #[schema(value_type = String)]
    requester_id: ActorId,
    /// `manual`, `alert`, `webhook`, `scheduled`.
    trigger: String,
    /// The finding it answers.
    #[schema(value_type = Option<String>)]
    finding_id: Option<FindingId>,
    /// The runbook.
    #[schema(value_type = Option<String>)]
    runbook_id: Option<RunbookId>,
    /// One line for people.
    summary: String,
    /// In the requester's words.
    intent: String,
    /// Requested constraints.
    #[schema(value_type = Option<Object>)]
    constraints: Option<Value>,
    /// `open`, `denied`, `succeeded`, `failed`, `closed`.
    #[schema(example = "open")]
    status: String,
    /// The latest decision on it.
    #[schema(value_type = Option<String>)]
    decision_id: Option<DecisionId>,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl IntentOut {
    fn of(intent: Intent, decision_id: Option<DecisionId>) -> Self {
        Self {
            id: intent.id,
            deterministic_id: intent.deterministic_id,
            purpose: intent.purpose.word().to_owned(),
            kind: intent.intent_type,
            payload: intent.payload,
            environment_id: intent.environment,
            environment_class: intent.class.word().to_owned(),
            category: intent.category,
            requester_id: intent.requester,
            trigger: intent.trigger.word().to_owned(),
            finding_id: intent.finding,
            runbook_id: intent.runbook,
            summary: intent.summary,
            intent: intent.text,
            constraints: intent.constraints,
            status: intent.state.word().to_owned(),
            decision_id,
            created_at: intent.created_at,
        }
    }
}

listed! {
    /// Which intents are wanted.
    Intents: intents::LISTED, "status": IntentState, "purpose": Purpose, "trigger": TriggerKind,
    "environment_class": EnvironmentClass,
}

/// List intents, newest first unless sorted.
#[utoipa::path(get, path = "/intents", tag = "gate", params(Intents),
    responses((status = 200, body = PageOut<IntentOut>), (status = "4XX", body = Problem)))]
async fn list_intents(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Wanted(wanted, _): Wanted<Intents>,
) -> Answer<Json<PageOut<IntentOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let page = intents::list(&mut tx, &wanted).await?;
    Ok(Json(PageOut::of(page, |intent| IntentOut::of(intent, None))))
}

/// Show an intent.
#[utoipa::path(get, path = "/intents/{id}", tag = "gate",
    params(("id" = String, Path, description = "The intent")),
    responses((status = 200, body = IntentOut), (status = "4XX", body = Problem)))]
async fn show_intent(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path(id): Path<IntentId>,
) -> Answer<Json<IntentOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let intent = intents::get(&mut tx, id).await?;
    let decision = intents::decision(&mut tx, id).await?;
    Ok(Json(IntentOut::of(intent, decision)))
}

/// What would be done, exactly.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlanOut {
    /// Its id.
    #[schema(value_type = String, example = "pln_0190a6c2-7b5e-7000-8000-000000000001")]
    id: PlanId,
    /// The intent it is for.
    #[schema(value_type = String)]
    intent_id: IntentId,
    /// Its version: one more each time the same intent is planned again.
    version: u32,
    /// One line for people.
    summary: String,
    /// SHA-256 over the canonical bytes of the whole plan.
    #[schema(value_type = String)]
    plan_hash: Digest,
    /// Whether the stored bytes still have that hash.
    intact: bool,
    /// How far it reaches.
    #[schema(value_type = Object)]
    blast_radius: Value,
    /// Who wrote it.
    #[schema(value_type = String)]
    author_id: ActorId,
    /// The steps, each with its command as it will run on each target; values known only while it
    /// runs are shown as `<steps.name.stdout>`.
    steps: Vec<StepOut>,
    /// The whole plan, as it is hashed.
    #[schema(value_type = Object)]
    document: Value,
    /// Texts of the summary, the steps and the document that are not what they seem: hidden
    /// characters, turned direction, letters that look like others. Show these escaped to whoever
    /// approves.
    suspicious: Vec<Suspicious>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// One step, rendered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StepOut {
    /// Its place.
    order: u32,
    /// Its name.
    name: String,
    /// `act` or `verify`.
    stage: String,
    /// The typed action.
    #[schema(example = "host.service.restart")]
    action: String,
    /// What a crash in the middle allows.
    semantics: String,
    /// The command per target, by the target's name.
    #[schema(value_type = Object)]
    commands: Value,
    /// The undo per target, by the target's name.
    #[schema(value_type = Object)]
    undo: Value,
}

impl From<StoredPlan> for PlanOut {
    fn from(stored: StoredPlan) -> Self {
        let plan = &stored.plan;
        let steps = plan.steps.iter().map(|step| StepOut {
            order: step.order,
            name: step.name.clone(),
            stage: step.stage.word().to_owned(),
            action: step.action.clone(),
            semantics: step.semantics.word().to_owned(),
            commands: shown(plan, &step.scripts),
            undo: shown(plan, &step.undo),
        });
        let mut plan = Self {
            id: stored.id,
            intent_id: stored.intent,
            version: stored.version,
            summary: stored.summary.clone(),
            plan_hash: stored.plan_hash,
            intact: stored.plan_hash == stored.recomputed,
            blast_radius: json!(stored.blast_radius),
            author_id: stored.author,
            steps: steps.collect(),
            document: json!(stored.plan),
            suspicious: Vec::new(),
            created_at: stored.created_at,
        };
        plan.suspicious = suspicious(&plan.read());
        plan
    }
}

impl PlanOut {
    /// What people read of it, what they read first before the rest: a text is told of once.
    pub(super) fn read(&self) -> [(&'static str, Value); 3] {
        [
            ("/summary", json!(self.summary)),
            ("/steps", json!(self.steps)),
            ("/document", self.document.clone()),
        ]
    }
}

fn shown(
    plan: &Plan,
    scripts: &std::collections::BTreeMap<model::id::ResourceId, Script>,
) -> Value {
    scripts
        .iter()
        .map(|(resource, script)| {
            let name = plan
                .target(*resource)
                .map_or_else(|| resource.to_string(), |target| target.name.clone());
            (name, Value::from(script.shown()))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Show a plan.
#[utoipa::path(get, path = "/plans/{id}", tag = "gate",
    params(("id" = String, Path, description = "The plan")),
    responses((status = 200, body = PlanOut), (status = "4XX", body = Problem)))]
async fn show_plan(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path(id): Path<PlanId>,
) -> Answer<Json<PlanOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(plans::get(&mut tx, id).await?.into()))
}
