//! Decisions over HTTP, as they were signed.

use std::str::FromStr;

use api::object::Wanted;
use api::permission::ReadPlans;
use api::problem::Answer;
use api::{App, Can, PageOut, Problem, listed};
use axum::Json;
use axum::extract::{Path, State};
use db::object::Test;
use model::id::{DecisionId, IntentId, PlanId, RiskId};
use model::intent::Purpose;
use model::level::{EnvironmentClass, Tier};
use model::verdict::Verdict;
use model::words::UnknownWord;
use model::{Digest, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::Error;
use crate::store::decisions::{self, Line, StoredDecision};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_decisions)).routes(routes!(show_decision))
}

/// The word of the decision API for a verdict.
fn action(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "approve",
        Verdict::RequireApproval => "escalate",
        Verdict::Deny => "deny",
    }
}

/// What the gate decided, with everything it rests on.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionOut {
    /// Its id.
    #[schema(value_type = String, example = "dec_0190a6c2-7b5e-7000-8000-000000000001")]
    id: DecisionId,
    /// The intent decided on.
    #[schema(value_type = String)]
    intent_id: IntentId,
    /// The requester's own name for it.
    #[schema(value_type = Option<String>)]
    deterministic_id: Value,
    /// Its type.
    #[schema(value_type = Option<String>, example = "provision_resource")]
    intent_type: Value,
    /// `change`: it was to be carried out here. `advice`: it was judged for an outside system, and
    /// nothing is ever started for it.
    #[schema(value_type = String, example = "advice")]
    purpose: Value,
    /// The plan decided on; advice has none.
    #[schema(value_type = Option<String>)]
    plan_id: Option<PlanId>,
    /// The risk assessment it rests on.
    #[schema(value_type = String)]
    risk_id: RiskId,
    /// `allow`, `require_approval` or `deny`.
    #[schema(example = "require_approval")]
    verdict: String,
    /// The same in the words of the decision API: `approve`, `escalate` or `deny`.
    #[schema(example = "escalate")]
    action: String,
    /// The risk score, 0 to 1, as a decimal.
    #[schema(value_type = Option<String>, example = "0.1384615385")]
    risk_score: Value,
    /// `read`, `low`, `medium`, `high` or `critical`.
    #[schema(value_type = String, example = "medium")]
    tier: Value,
    /// What the score is made of, in decimals that give it exactly: `mean * context_factor - cut`,
    /// and as a sum the three `terms`. Absent where the model calculated in doubles.
    #[schema(value_type = Option<Object>)]
    components: Value,
    /// Why, by everybody who has a say.
    #[schema(value_type = Vec<Object>)]
    reasons: Value,
    /// Every guard's answer.
    #[schema(value_type = Vec<Object>)]
    guards: Value,
    /// Who must approve.
    #[schema(value_type = Option<Object>)]
    approval: Value,
    /// What would have had to differ for `allow`.
    #[schema(value_type = Vec<Object>)]
    counterfactual: Value,
    /// Similar verified changes of the past that were remembered, and how alike they are.
    #[schema(value_type = Vec<Object>)]
    memory: Value,
    /// What an approval is bound to.
    #[schema(value_type = Option<String>)]
    bound_hash: Option<Digest>,
    /// The policy bundle, where it is not the shipped one.
    #[schema(value_type = Option<String>)]
    policy_bundle_id: Option<model::id::BundleId>,
    /// The signed record: every input, so that the decision can be made again.
    #[schema(value_type = Object)]
    record: Value,
    /// The Ed25519 signature over the record's canonical bytes, in base64.
    signature: String,
    /// SHA-256 of the signing key.
    key_fingerprint: String,
    /// The request it was asked with, as the server's log names it.
    trace_id: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl TryFrom<StoredDecision> for DecisionOut {
    type Error = Error;

    fn try_from(stored: StoredDecision) -> Result<Self, Error> {
        let record: Value = serde_json::from_slice(&stored.canon)
            .map_err(|error| Error::corrupt("decision record", &error))?;
        let decision = stored.decision;
        let list = |key: &str| Some(record[key].clone()).filter(Value::is_array);
        Ok(Self {
            id: stored.id,
            intent_id: stored.intent,
            deterministic_id: record["deterministic_id"].clone(),
            intent_type: record["intent_type"].clone(),
            // Before there was advice, everything was to be carried out.
            purpose: Some(record["purpose"].clone())
                .filter(Value::is_string)
                .unwrap_or_else(|| json!("change")),
            plan_id: stored.plan,
            risk_id: stored.risk,
            verdict: decision.verdict.word().to_owned(),
            action: action(decision.verdict).to_owned(),
            risk_score: record["risk"]["assessment"]["score"].clone(),
            tier: record["risk"]["assessment"]["tier"].clone(),
            components: record["components"].clone(),
            reasons: json!(decision.reasons),
            guards: json!(decision.guards),
            approval: json!(decision.approval),
            counterfactual: list("counterfactual").unwrap_or_else(|| json!([])),
            memory: list("memory").unwrap_or_else(|| json!([])),
            bound_hash: stored.bound_hash,
            policy_bundle_id: stored.bundle,
            record,
            signature: stored.signature,
            key_fingerprint: stored.key_fingerprint,
            trace_id: stored.trace,
            created_at: stored.created_at,
        })
    }
}

/// Show a decision, as it was signed.
#[utoipa::path(get, path = "/decisions/{id}", tag = "gate",
    params(("id" = String, Path, description = "The decision")),
    responses((status = 200, body = DecisionOut), (status = "4XX", body = Problem)))]
async fn show_decision(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path(id): Path<DecisionId>,
) -> Answer<Json<DecisionOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(decisions::get(&mut tx, id).await?.try_into()?))
}

/// A verdict in our words, or in the decision API's, as it is looked for.
struct VerdictWord;

impl FromStr for VerdictWord {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        ours(word).parse::<Verdict>().map(|_| Self)
    }
}

/// Our word for a verdict.
fn ours(word: &str) -> &str {
    match word {
        "approve" => Verdict::Allow.word(),
        "escalate" => Verdict::RequireApproval.word(),
        other => other,
    }
}

listed! {
    /// Which decisions are wanted.
    Decisions: decisions::LISTED, "verdict": VerdictWord, "purpose": Purpose, "tier": Tier,
    "environment_class": EnvironmentClass,
}

/// A decision as listed.
#[derive(Debug, Serialize, ToSchema)]
struct DecisionLine {
    /// Its id.
    #[schema(value_type = String)]
    id: DecisionId,
    /// The intent decided on.
    #[schema(value_type = String)]
    intent_id: IntentId,
    /// The requester's own name for it.
    deterministic_id: String,
    /// Its type.
    #[schema(example = "provision_resource")]
    intent_type: String,
    /// `change` or `advice`.
    #[schema(example = "advice")]
    purpose: String,
    /// In one line.
    summary: String,
    /// The strictest class touched.
    environment_class: String,
    /// The risk category.
    category: String,
    /// `allow`, `require_approval` or `deny`.
    verdict: String,
    /// The risk tier.
    tier: String,
    /// The risk score, as a decimal.
    risk_score: Option<String>,
    /// Whether it worked, where an outcome is recorded.
    success: Option<bool>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Line> for DecisionLine {
    fn from(line: Line) -> Self {
        Self {
            id: line.id.into(),
            intent_id: line.intent_id.into(),
            deterministic_id: line.deterministic_id,
            intent_type: line.intent_type,
            purpose: line.purpose,
            summary: line.summary,
            environment_class: line.environment_class,
            category: line.category,
            verdict: line.verdict,
            tier: line.tier,
            risk_score: line.score,
            success: line.success,
            created_at: line.created_at.to_jiff(),
        }
    }
}

/// List decisions, newest first unless sorted.
#[utoipa::path(get, path = "/decisions", tag = "gate", params(Decisions),
    responses((status = 200, body = PageOut<DecisionLine>), (status = "4XX", body = Problem)))]
async fn list_decisions(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Wanted(mut wanted, _): Wanted<Decisions>,
) -> Answer<Json<PageOut<DecisionLine>>> {
    for filter in wanted.filters.iter_mut().filter(|one| one.column.name == "verdict") {
        if let Test::OneOf(words) = &mut filter.test {
            *words = words.iter().map(|word| ours(word).to_owned()).collect();
        }
    }
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let page = decisions::list(&mut tx, &wanted).await?;
    Ok(Json(PageOut::of(page, DecisionLine::from)))
}
