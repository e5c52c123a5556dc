//! Why findings came about, and what could be done.

use ::api::check::{decimal, document, object as an_object, share, sized};
use ::api::object;
use ::api::permission::{ReadFindings, WriteFindings};
use ::api::problem::{Answer, Problem};
use model::Timestamp;
use model::id::{ActorId, CauseId, FindingId, IntentId, RecommendationId, ResourceId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Why something changed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CauseCategory {
    /// Somebody put out a fire.
    EmergencyFix,
    /// Somebody was looking for a fault.
    ManualTroubleshooting,
    /// Somebody answered an attack.
    SecurityResponse,
    /// Somebody got it wrong.
    ConfigurationError,
    /// Something did it by itself.
    AutomatedResponse,
    /// Somebody wanted it so, and said so.
    IntentionalOverride,
    /// Nobody knows.
    Unknown,
}

object! {
    /// Why a finding came about; one for each finding.
    Cause (CauseIn, CauseOut) {
        word: "cause_analysis", plural: "cause analyses", path: "/cause-analyses",
        table: "countersign.cause_analyses", tag: "findings", verbs: All,
        id: CauseId, read: ReadFindings, write: WriteFindings,
        example: {
            "finding_id": "fnd_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "cause_category": "emergency_fix", "confidence_score": 0.85,
            "analysis": "The pool was raised by hand eight minutes after the incident began.",
            "contributing_factors": [{"factor": "commit", "weight": "0.6"}],
            "temporal_context": {"incident_minutes_before": 8},
            "user_attribution": {"author": "ada@example.com"}
        }
    }
    given {
        /// The finding.
        #[schema(value_type = String)]
        finding_id: FindingId => Id.filter();
        /// The class.
        cause_category: CauseCategory => Text.filter();
        /// How sure that is, 0 to 1.
        #[schema(minimum = 0, maximum = 1)]
        confidence_score: f64 => Number.filter();
        /// In words.
        #[serde(default)]
        #[schema(max_length = 20000)]
        analysis: String => Text.search();
        /// What speaks for it.
        #[serde(default = "none")]
        #[schema(value_type = Vec<Object>)]
        contributing_factors: Value => Json;
        /// When what happened.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        temporal_context: Value => Json;
        /// Who did what.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        user_attribution: Value => Json;
    }
    derived {
        /// Who says so: `by` is `rules`, `model`, `person`, `exception` or `reported`, with which; and
        /// how likely evidence or the model finds each cause.
        #[schema(value_type = Object)]
        decided_by: Value => Json;
    }
    kept {
        /// When it was looked into.
        analyzed_at: Timestamp => Time.filter().age();
        /// Who labelled it.
        #[schema(value_type = Option<String>)]
        labelled_by: Option<ActorId> => Id.filter();
        /// When it was labelled.
        labelled_at: Option<Timestamp> => Time.filter();
        /// What whoever labelled it says to it.
        label_comment: Option<String> => Text;
    }
    check(wanted) {
        share("/confidence_score", Some(wanted.confidence_score))?;
        sized("/analysis", &wanted.analysis, 0..=20_000)?;
        objects("/contributing_factors", &wanted.contributing_factors)?;
        an_object("/temporal_context", &wanted.temporal_context)?;
        an_object("/user_attribution", &wanted.user_attribution)
    }
    complete(fields) {
        fields.insert("decided_by".to_owned(), json!({"by": "reported"}));
    }
}

/// What a recommendation is about.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecommendationKind {
    /// Spend less.
    CostOptimization,
    /// Keep a rule.
    Compliance,
    /// Be harder to attack.
    Security,
    /// Be as large as needed.
    Rightsizing,
    /// Bring code and cloud together.
    Drift,
    /// Anything else.
    Operations,
}

/// What to do about drift.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecommendationType {
    /// Bring the cloud back to the code.
    AutoRevert,
    /// Bring the code to the cloud.
    CodifyIac,
    /// Ask somebody who decides.
    EscalateReview,
    /// Let it be for a while.
    AcceptException,
    /// Look at it.
    ManualReview,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Weight {
    /// A little.
    Low,
    /// Somewhat.
    #[default]
    Medium,
    /// Much.
    High,
    /// Before anything else.
    Critical,
}

/// How long it takes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effort {
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
}

/// Who recommends it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Author {
    /// A learned model.
    MlModel,
    /// An AI agent.
    AiAgent,
    /// A person.
    Human,
    /// A stated rule.
    Rule,
}

object! {
    /// What could be done about a finding or a resource.
    Recommendation (RecommendationIn, RecommendationOut) {
        word: "recommendation", plural: "recommendations", path: "/recommendations",
        table: "countersign.recommendations", tag: "findings", verbs: All,
        id: RecommendationId, read: ReadFindings, write: WriteFindings,
        example: {
            "finding_id": "fnd_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "resource_id": "res_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "kind": "rightsizing", "recommendation_type": "manual_review", "priority": "high",
            "severity": "medium", "title": "A smaller size is enough",
            "description": "95 % of the time less than 30 % of the CPU is used.",
            "rationale": "P95 of CPU below 30 %, of memory below 50 %",
            "implementation_steps": [{"step": "resize to the next smaller size"}],
            "risk_assessment": {"success_probability": "0.9"},
            "savings": "78.00", "savings_currency": "USD", "risk_reduction": "0.10",
            "confidence": 0.9, "estimated_effort": "hours", "recommended_by": "rule",
            "expires_at": "2036-03-01T10:00:00Z"
        }
    }
    given {
        /// The finding it answers.
        #[schema(value_type = Option<String>)]
        finding_id: Option<FindingId> => Id.filter();
        /// The resource it is about.
        #[schema(value_type = Option<String>)]
        resource_id: Option<ResourceId> => Id.filter();
        /// What it is about.
        kind: RecommendationKind => Text.filter();
        /// What to do about drift.
        recommendation_type: Option<RecommendationType> => Text.filter();
        /// How soon.
        #[serde(default)]
        priority: Weight => Text.filter();
        /// How bad it is to leave it.
        #[serde(default)]
        severity: Weight => Text.filter();
        /// In a line.
        #[schema(min_length = 1, max_length = 500)]
        title: String => Text.search();
        /// In full.
        #[serde(default)]
        #[schema(max_length = 20000)]
        description: String => Text.search();
        /// Why.
        #[serde(default)]
        #[schema(max_length = 20000)]
        rationale: String => Text.search();
        /// How, step by step.
        #[serde(default = "none")]
        #[schema(value_type = Vec<Object>)]
        implementation_steps: Value => Json;
        /// What may go wrong.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        risk_assessment: Value => Json;
        /// What it saves a month, as a decimal number.
        #[schema(pattern = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")]
        savings: Option<String> => Decimal;
        /// In which currency, ISO 4217.
        #[serde(default = "dollars")]
        #[schema(pattern = "^[A-Z]{3}$")]
        savings_currency: String => Text.filter();
        /// By how much it lowers the risk, as a decimal number.
        #[schema(pattern = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")]
        risk_reduction: Option<String> => Decimal;
        /// How sure that is, 0 to 1.
        #[schema(minimum = 0, maximum = 1)]
        confidence: f64 => Number.filter();
        /// How long it takes.
        estimated_effort: Option<Effort> => Text.filter();
        /// Who recommends it.
        recommended_by: Author => Text.filter();
        /// Until when it holds.
        expires_at: Option<Timestamp> => Time.filter();
    }
    kept {
        /// The rule of ours it follows from; none where others recommend it.
        rule: Option<String> => Text.filter();
        /// `open`, `accepted`, `dismissed`, `implemented` or `expired`.
        status: String => Text.filter();
        /// The intent that carries it out.
        #[schema(value_type = Option<String>)]
        intent_id: Option<IntentId> => Id.filter();
        /// When it was carried out and checked.
        implemented_at: Option<Timestamp> => Time.filter();
        /// What came of it.
        #[schema(value_type = Option<Object>)]
        implementation_result: Option<Value> => Json;
        /// When it was made.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter();
    }
    check(wanted) {
        let drift = matches!(wanted.kind, RecommendationKind::Drift);
        if drift && (wanted.recommendation_type.is_none() || wanted.finding_id.is_none()) {
            let message = "one about drift names its finding and what to do";
            return Err(Problem::invalid("/recommendation_type", "missing", message));
        }
        sized("/title", &wanted.title, 1..=500)?;
        sized("/description", &wanted.description, 0..=20_000)?;
        sized("/rationale", &wanted.rationale, 0..=20_000)?;
        let currency = &wanted.savings_currency;
        if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            let message = "must be three capital letters, such as USD";
            return Err(Problem::invalid("/savings_currency", "shape", message));
        }
        objects("/implementation_steps", &wanted.implementation_steps)?;
        an_object("/risk_assessment", &wanted.risk_assessment)?;
        let amounts =
            [("/savings", &wanted.savings), ("/risk_reduction", &wanted.risk_reduction)];
        for (path, amount) in amounts {
            amount.as_deref().map_or(Ok(()), |amount| decimal(path, amount))?;
        }
        share("/confidence", Some(wanted.confidence))
    }
}

fn none() -> Value {
    json!([])
}

fn nothing() -> Value {
    json!({})
}

fn dollars() -> String {
    "USD".to_owned()
}

/// Refuses JSON that is no list of objects.
fn objects(path: &str, value: &Value) -> Answer<()> {
    let all = value.as_array().is_some_and(|items| items.iter().all(Value::is_object));
    if !all {
        return Err(Problem::invalid(path, "shape", "must be a list of objects"));
    }
    document(path, value)
}
