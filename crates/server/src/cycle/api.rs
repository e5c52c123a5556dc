//! Asking over HTTP: run a runbook, and what the gate would say without asking.

mod autonomy;
mod channels;
mod connections;
mod decisions;
mod except;
mod labelled;
mod matching;
mod remedies;

use std::collections::BTreeMap;

use ::api::permission::Propose;
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, Problem};
use act::runbook::select;
use act::runbook::store::{self as runbooks, Draft};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Extension, Json};
use gate::store::approvals::Source;
use model::canonical::Digest;
use model::execution::ExecutionState;
use model::id::{ApprovalId, DecisionId, ExecutionId, IntentId, PlanId, ResourceId, RunbookId};
use model::intent::TriggerKind;
use model::verdict::Verdict;
use sense::inventory::{Selector, TargetFacts};
use sense::store::{finding, target};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::{Ask, Asked, OF_ALERTS, ask, plan};
use super::except::OF_EXCEPTIONS;
use super::remedy::{OF_REMEDIATIONS, OF_SCANS};
use super::weigh::candidate;
use super::{Error, Loop, store};

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(run_runbook))
        .routes(routes!(evaluate_intent))
        .merge(channels::routes())
        .merge(autonomy::routes())
        .merge(connections::routes())
        .merge(decisions::routes())
        .merge(except::routes())
        .merge(remedies::routes())
        .merge(labelled::routes())
        .merge(matching::routes())
}

/// What to run, and where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunIn {
    /// The servers, by id or name. When absent, the alert named in `finding_id` says where.
    #[serde(default)]
    #[schema(example = json!(["web-1"]), max_items = 1000)]
    targets: Vec<String>,
    /// Values for the runbook's variables.
    #[serde(default)]
    #[schema(example = json!({"SERVICE_NAME": "nginx"}))]
    variables: BTreeMap<String, String>,
    /// The alert it answers.
    #[schema(value_type = Option<String>)]
    finding_id: Option<model::id::FindingId>,
    /// The requester's own name for the request: the same name again is the same request.
    #[schema(example = "deploy-4711", min_length = 1, max_length = 200)]
    deterministic_id: Option<String>,
    /// Why, in the requester's words.
    #[serde(default)]
    #[schema(max_length = 2000)]
    intent: String,
    /// The `plan_hash` that `POST /intents/evaluate` told: when what would be done now is anything
    /// else than what was looked at then, nothing is asked for.
    #[schema(value_type = Option<String>)]
    plan_hash: Option<Digest>,
}

/// What came of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct AskedOut {
    /// The intent.
    #[schema(value_type = String)]
    intent_id: IntentId,
    /// What would be done.
    #[schema(value_type = String)]
    plan_id: PlanId,
    /// What was decided.
    #[schema(value_type = String)]
    decision_id: DecisionId,
    /// The approval asked for, if one is needed.
    #[schema(value_type = Option<String>)]
    approval_id: Option<ApprovalId>,
    /// The execution.
    #[schema(value_type = String)]
    execution_id: ExecutionId,
    /// Where it stands.
    #[schema(value_type = String, example = "awaiting_approval")]
    state: ExecutionState,
    /// `allow`, `require_approval` or `deny`.
    #[schema(value_type = String, example = "require_approval")]
    verdict: Verdict,
    /// Whether the same was asked before.
    repeated: bool,
}

impl From<Asked> for AskedOut {
    fn from(asked: Asked) -> Self {
        Self {
            intent_id: asked.intent_id,
            plan_id: asked.plan_id,
            decision_id: asked.decision_id,
            approval_id: asked.approval_id,
            execution_id: asked.execution_id,
            state: asked.state,
            verdict: asked.verdict,
            repeated: asked.repeated,
        }
    }
}

/// Ask to run a runbook.
///
/// The answer is a decision: the execution may start, waits for approval, or was refused.
#[utoipa::path(post, path = "/runbooks/{id}/run", tag = "runbooks", request_body = RunIn,
    params(("id" = String, Path, description = "The runbook")),
    responses((status = 202, body = AskedOut), (status = "4XX", body = Problem)))]
async fn run_runbook(
    Extension(cycle): Extension<Loop>,
    caller: Can<Propose>,
    Path(id): Path<RunbookId>,
    Body(wanted): Body<RunIn>,
) -> Answer<(StatusCode, Json<AskedOut>)> {
    check(&wanted)?;
    let mut change = Change::begin(cycle.app(), &caller).await?;
    let subject = Subject::stored(&mut change, id).await?;
    let prepared = prepare(&mut change, subject, &wanted).await?;
    let asking = prepared.ask(&caller.actor, &wanted);
    if let Some(seen) = wanted.plan_hash {
        as_seen(&asking, seen)?;
    }
    let asked = ask(&cycle, &mut change, &asking).await.map_err(Problem::from)?;
    // Every step of the asking wrote its own event.
    change.commit_audited(&[]).await?;
    Ok((StatusCode::ACCEPTED, Json(asked.into())))
}

/// Whether what would be done is what whoever asks has seen.
fn as_seen(asking: &Ask<'_>, seen: Digest) -> Answer<()> {
    let made = plan(asking)?.hash().map_err(Error::from)?;
    if made == seen {
        return Ok(());
    }
    let changed = "the runbook, or what it would run on, changed since it was looked at: ask \
                   POST /api/v1/intents/evaluate again and look at what it would do now";
    Err(Problem::conflict("plan_changed", changed))
}

fn check(wanted: &RunIn) -> Answer<()> {
    let long = |text: &str, most: usize| text.chars().count() > most;
    if wanted.deterministic_id.as_ref().is_some_and(|id| id.is_empty() || long(id, 200)) {
        return Err(Problem::invalid(
            "/deterministic_id",
            "length",
            "must have 1 to 200 characters",
        ));
    }
    let own = [OF_ALERTS, OF_REMEDIATIONS, OF_SCANS, OF_EXCEPTIONS];
    let taken = |id: &String| own.iter().any(|own| id.starts_with(own));
    if wanted.deterministic_id.as_ref().is_some_and(taken) {
        let message =
            "names that begin with alert/, remediation/, scan/ or exception/ are the gate's own";
        return Err(Problem::invalid("/deterministic_id", "reserved", message));
    }
    if long(&wanted.intent, 2000) {
        return Err(Problem::invalid("/intent", "length", "may have 2000 characters"));
    }
    if wanted.targets.len() > 1000 {
        return Err(Problem::invalid("/targets", "length", "may name 1000 servers"));
    }
    Ok(())
}

/// What would run, and who wrote it.
struct Subject {
    runbook: Draft,
    author: model::id::ActorId,
}

impl Subject {
    /// A runbook as it is stored.
    async fn stored(tx: &mut db::TenantTx, id: RunbookId) -> Answer<Self> {
        let stored = runbooks::get(tx, id).await.map_err(Error::from)?;
        let author = store::author(tx, id, stored.version).await?;
        let runbook = Draft { id, version: stored.version, runbook: stored.runbook };
        Ok(Self { runbook, author })
    }

    /// A document of whoever asks, as if they had imported it.
    async fn written(tx: &mut db::TenantTx, yaml: &str, by: model::id::ActorId) -> Answer<Self> {
        Ok(Self { runbook: runbooks::draft(tx, yaml).await?, author: by })
    }
}

/// A request with everything it refers to.
struct Prepared {
    subject: Subject,
    alert: Option<model::finding::Alert>,
    targets: Vec<TargetFacts>,
}

impl Prepared {
    fn ask<'a>(&'a self, requester: &'a model::actor::Actor, wanted: &'a RunIn) -> Ask<'a> {
        let fresh = || format!("run/{}", IntentId::generate());
        Ask {
            requester,
            trigger: match requester.kind {
                model::actor::ActorKind::User => TriggerKind::Manual,
                model::actor::ActorKind::Service | model::actor::ActorKind::Agent => {
                    TriggerKind::Webhook
                }
            },
            deterministic_id: wanted.deterministic_id.clone().unwrap_or_else(fresh),
            runbook_id: self.subject.runbook.id,
            version: self.subject.runbook.version,
            author: self.subject.author,
            runbook: &self.subject.runbook.runbook,
            alert: self.alert.as_ref(),
            matched: None,
            targets: &self.targets,
            variables: &wanted.variables,
            text: wanted.intent.clone(),
            source: Source::Api,
        }
    }
}

async fn prepare(tx: &mut db::TenantTx, subject: Subject, wanted: &RunIn) -> Answer<Prepared> {
    let alert = match wanted.finding_id {
        Some(id) => Some(finding::alert(tx, id).await?),
        None => None,
    };
    let named = if wanted.targets.is_empty() {
        target::targets(tx, &Selector::default()).await?
    } else {
        named(&target::called(tx, &wanted.targets).await?, &wanted.targets)?
    };
    let offered: Vec<_> = named.iter().map(candidate).collect();
    let by_alert = alert.as_ref().filter(|_| wanted.targets.is_empty());
    if wanted.targets.is_empty() && by_alert.is_none() {
        return Err(Problem::invalid("/targets", "missing", "name the servers it runs on"));
    }
    let chosen = select::select_targets(&subject.runbook.runbook, by_alert, &offered)
        .map_err(|error| Problem::from(Error::from(error)))?;
    let targets = named
        .into_iter()
        .filter(|facts| chosen.iter().any(|one| one.target.resource_id == facts.target.resource_id))
        .collect();
    Ok(Prepared { subject, alert, targets })
}

/// The servers named, in that order.
fn named(known: &[TargetFacts], wanted: &[String]) -> Answer<Vec<TargetFacts>> {
    let mut found: Vec<TargetFacts> = Vec::new();
    for (at, name) in wanted.iter().enumerate() {
        let id = name.parse::<ResourceId>().ok();
        let one = known
            .iter()
            .find(|facts| id == Some(facts.target.resource_id) || facts.target.name == *name);
        let one = one.ok_or_else(|| {
            Problem::invalid(
                &format!("/targets/{at}"),
                "unknown_target",
                "is no server of this tenant that can be reached; see GET /api/v1/resources",
            )
        })?;
        if !found.iter().any(|facts| facts.target.resource_id == one.target.resource_id) {
            found.push(one.clone());
        }
    }
    Ok(found)
}

/// A question to the gate: what would it say?
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateIn {
    /// The runbook that would run; need not be named where `yaml` is given.
    #[schema(value_type = Option<String>)]
    runbook_id: Option<RunbookId>,
    /// A document that is not imported, to be asked about instead: as the next version of the
    /// runbook of its name, or as a new one. It is judged as an import is, and kept nowhere.
    #[schema(example = "name: uptime\nsteps:\n  - name: Look\n    command: uptime\n")]
    yaml: Option<String>,
    /// The servers, by id or name.
    #[serde(default)]
    #[schema(example = json!(["web-1"]), max_items = 1000)]
    targets: Vec<String>,
    /// Values for the runbook's variables.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// The alert it would answer.
    #[schema(value_type = Option<String>)]
    finding_id: Option<model::id::FindingId>,
}

/// What the gate would say.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationOut {
    /// `allow`, `require_approval` or `deny`.
    #[schema(value_type = String, example = "require_approval")]
    verdict: Verdict,
    /// Why, by everybody who has a say.
    #[schema(value_type = Vec<Object>)]
    reasons: Value,
    /// Every guard's answer.
    #[schema(value_type = Vec<Object>)]
    guards: Value,
    /// Who would have to approve.
    #[schema(value_type = Option<Object>)]
    approval: Value,
    /// The risk with every part of it, and the inputs it is computed from.
    #[schema(value_type = Object)]
    risk: Value,
    /// What would have had to differ for `allow`.
    #[schema(value_type = Vec<Object>)]
    counterfactual: Value,
    /// The hash of the plan that would be made.
    plan_hash: String,
    /// Every command, as it would run on each target.
    #[schema(value_type = Object)]
    plan: Value,
}

/// Ask what the gate would say, without asking for anything.
///
/// Nothing is written: no intent, no plan, no slot is taken.
#[utoipa::path(post, path = "/intents/evaluate", tag = "gate", request_body = EvaluateIn,
    responses((status = 200, body = EvaluationOut), (status = "4XX", body = Problem)))]
async fn evaluate_intent(
    Extension(cycle): Extension<Loop>,
    caller: Can<Propose>,
    Body(wanted): Body<EvaluateIn>,
) -> Answer<Json<EvaluationOut>> {
    let run = RunIn {
        targets: wanted.targets,
        variables: wanted.variables,
        finding_id: wanted.finding_id,
        deterministic_id: None,
        intent: String::new(),
        plan_hash: None,
    };
    check(&run)?;
    let mut tx = cycle.app().db.tenant(caller.tenant()).await?;
    let subject = match (wanted.runbook_id, wanted.yaml) {
        (None, None) => {
            let message = "name a runbook, or send a document as yaml";
            return Err(Problem::invalid("/runbook_id", "missing", message));
        }
        (Some(id), None) => Subject::stored(&mut tx, id).await?,
        (id, Some(yaml)) => {
            if let Some(id) = id {
                runbooks::get(&mut tx, id).await?;
            }
            Subject::written(&mut tx, &yaml, caller.actor.id).await?
        }
    };
    let prepared = prepare(&mut tx, subject, &run).await?;
    let asked = prepared.ask(&caller.actor, &run);
    let plan = plan(&asked).map_err(Problem::from)?;
    let moment = gate::store::guards::Moment::Asking;
    let weighed = cycle.weigh_ask(&mut tx, &asked, &plan, moment).await;
    let (weighed, _) = weighed.map_err(Problem::from)?;
    let json =
        |value: Result<Value, serde_json::Error>| value.map_err(|error| Problem::internal(&error));
    Ok(Json(EvaluationOut {
        verdict: weighed.decision.verdict,
        reasons: json(serde_json::to_value(&weighed.decision.reasons))?,
        guards: json(serde_json::to_value(&weighed.decision.guards))?,
        approval: json(serde_json::to_value(&weighed.decision.approval))?,
        risk: json(serde_json::to_value(&weighed.record))?,
        counterfactual: json(serde_json::to_value(&weighed.counterfactual))?,
        plan_hash: weighed.plan_hash.to_string(),
        plan: json(serde_json::to_value(&plan))?,
    }))
}
