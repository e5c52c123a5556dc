//! The decision API: an outside system asks, acts itself, and says what came of it.

use ::api::caller::Proof;
use ::api::idempotency::REPLAYED;
use ::api::permission::{Propose, ReadPlans};
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, Problem, body, check};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use gate::api::decisions::DecisionOut;
use gate::quota::Standing;
use gate::store::decisions::{self, StoredDecision};
use gate::store::intents;
use judge::outside::{
    DeployConfig, Generic, GrantAccess, IntentType, Outside, ProvisionResource, without_floats,
};
use judge::policy::{Bundle, shipped};
use judge::store::{assessments, bundles};
use learn::api::OutcomeOut;
use learn::store::Evidence;
use model::Digest;
use model::id::{ApiKeyId, DecisionId};
use prove::decision::DecisionSignature;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::advise::{Advice, Advised, advise};
use super::super::ask::OF_ALERTS;
use super::super::recompute::{Difference, Recomputed, bundle_hash, recompute};
use super::super::report::{Report, report};
use super::super::{Error, Loop};

/// The largest payload, in bytes of JSON: it is signed with the decision.
const LARGEST_PAYLOAD: usize = 64 * 1024;
/// The most policies one request may say it breaks.
const MOST_VIOLATIONS: usize = 100;
/// The most pieces of evidence of an outcome.
const MOST_EVIDENCE: usize = 20;
/// Bundles looked through for the one a decision names.
const MOST_BUNDLES: u32 = 10_000;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(evaluate_decision))
        .routes(routes!(report_outcome, show_outcome))
        .routes(routes!(recompute_decision))
}

/// What an outside system is about to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "deterministic_id": "deploy-4711", "intent_type": "deploy_config",
    "payload": {
        "service_name": "checkout", "change_scope": "canary", "deployment_target": "prod",
        "risk_level_hint": 0.2, "configuration": {"flag": true},
    },
    "requester": "ada@example.com", "provenance": {"agent": "planner"},
    "estimated_cost": "70.00", "policy_violations": [],
}))]
struct DecideIn {
    /// The requester's own name for it: the same name with the same body is the same decision, with
    /// another body a conflict.
    #[schema(example = "deploy-4711", min_length = 1, max_length = 64)]
    deterministic_id: String,
    /// `provision_resource`, `deploy_config`, `grant_access`, `generic`.
    #[schema(value_type = String, example = "provision_resource")]
    intent_type: IntentType,
    /// What exactly, in the form of its type.
    #[schema(value_type = PayloadIn)]
    payload: Value,
    /// On whose behalf, in the requester's words.
    #[serde(default)]
    #[schema(example = "ada@example.com", max_length = 256)]
    requester: Option<String>,
    /// Where the intent came from.
    #[serde(default)]
    #[schema(value_type = Object)]
    provenance: Map<String, Value>,
    /// What it is expected to cost a month, in US dollars.
    #[serde(default)]
    #[schema(example = "70.00")]
    estimated_cost: Option<String>,
    /// Policies the requester knows it breaks. Each one denies it.
    #[serde(default)]
    #[schema(max_items = 100)]
    policy_violations: Vec<String>,
}

/// The form of each type.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it only describes what `DecideIn::intent` reads")]
enum PayloadIn {
    /// `provision_resource`.
    ProvisionResource(ProvisionResource),
    /// `deploy_config`.
    DeployConfig(DeployConfig),
    /// `grant_access`.
    GrantAccess(GrantAccess),
    /// `generic`.
    Generic(Generic),
}

impl DecideIn {
    /// The intent, if everything about the request is as it should be.
    fn intent(&self) -> Answer<Outside> {
        check::sized("/deterministic_id", &self.deterministic_id, 1..=64)?;
        if self.deterministic_id.starts_with(OF_ALERTS) {
            let message = "names that begin with alert/ are the gate's own";
            return Err(Problem::invalid("/deterministic_id", "reserved", message));
        }
        if self.payload.to_string().len() > LARGEST_PAYLOAD {
            let message = format!("may have {LARGEST_PAYLOAD} bytes of JSON");
            return Err(Problem::invalid("/payload", "length", message));
        }
        if let Some(requester) = &self.requester {
            check::sized("/requester", requester, 1..=256)?;
        }
        if Value::Object(self.provenance.clone()).to_string().len() > LARGEST_PAYLOAD {
            let message = format!("may have {LARGEST_PAYLOAD} bytes of JSON");
            return Err(Problem::invalid("/provenance", "length", message));
        }
        if let Some(cost) = &self.estimated_cost {
            check::decimal("/estimated_cost", cost)?;
            if cost.starts_with('-') {
                return Err(Problem::invalid("/estimated_cost", "out_of_range", "is below 0"));
            }
        }
        if self.policy_violations.len() > MOST_VIOLATIONS {
            let message = format!("may have at most {MOST_VIOLATIONS} entries");
            return Err(Problem::invalid("/policy_violations", "length", message));
        }
        check::texts("/policy_violations", &self.policy_violations, 300)?;
        let payload = self.payload.clone();
        let at = "/payload";
        let intent = match self.intent_type {
            IntentType::ProvisionResource => {
                Outside::ProvisionResource(body::read_at(at, payload)?)
            }
            IntentType::DeployConfig => Outside::DeployConfig(body::read_at(at, payload)?),
            IntentType::GrantAccess => Outside::GrantAccess(body::read_at(at, payload)?),
            IntentType::Generic => Outside::Generic(body::read_at(at, payload)?),
        };
        intent.check().map_err(|fault| {
            Problem::invalid(&format!("{at}{}", fault.path), fault.code, fault.message)
        })?;
        Ok(intent)
    }

    /// The whole request in canonical form: what is compared when its name comes again.
    fn request(&self, intent: &Outside) -> Value {
        let mut provenance = Value::Object(self.provenance.clone());
        without_floats(&mut provenance);
        json!({
            "payload": intent.payload(),
            "requester": self.requester,
            "provenance": provenance,
            "estimated_cost": self.estimated_cost,
            "policy_violations": self.policy_violations,
        })
    }
}

/// A refusal that says where the caller stands.
struct Refusal(Problem, HeaderMap);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem, HeaderMap::new())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.headers_mut().extend(self.1);
        response
    }
}

/// Where a caller stands: `X-RateLimit-*` with the end of the month in Unix seconds, and the
/// fields of the IETF's draft with the seconds until then. Without a limit there are none.
fn headers(standing: &Standing) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(used) = standing.tightest else { return headers };
    let left = standing.seconds_left();
    let texts = [
        (LIMIT, used.limit.to_string()),
        (REMAINING, used.remaining().to_string()),
        (RESET, standing.resets_at.as_second().to_string()),
        (POLICY, format!("\"month\";q={}", used.limit)),
        (STATE, format!("\"month\";r={};t={left}", used.remaining())),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    headers
}

fn exhausted(standing: &Standing) -> Refusal {
    let limit = standing.tightest.map(|used| used.limit).unwrap_or_default();
    let problem = Problem::too_many(
        "quota_exhausted",
        format!(
            "the {limit} evaluations of this month are used up; counting begins anew at {}",
            standing.resets_at
        ),
        standing.seconds_left(),
    );
    Refusal(problem, headers(standing))
}

const fn key(proof: &Proof) -> Option<ApiKeyId> {
    match proof {
        Proof::Key { id, .. } => Some(*id),
        Proof::Session { .. } => None,
    }
}

/// Ask for a decision on what an outside system is about to do itself.
///
/// The same judges as for everything that runs here: risk, policy, guards. The decision is recorded
/// and signed, and nothing is ever started for it. The same request again gets the same answer to
/// the byte, and counts once against the month's quota.
#[utoipa::path(post, path = "/decisions/evaluate", tag = "gate", request_body = DecideIn,
    responses((status = 200, body = DecisionOut,
            headers(
                ("X-RateLimit-Limit" = u32, description = "Evaluations a month"),
                ("X-RateLimit-Remaining" = u32, description = "How many are left"),
                ("X-RateLimit-Reset" = u64, description = "When the month is over, Unix seconds"),
            )),
        (status = "4XX", body = Problem)))]
async fn evaluate_decision(
    Extension(cycle): Extension<Loop>,
    caller: Can<Propose>,
    Body(wanted): Body<DecideIn>,
) -> Result<(HeaderMap, Json<DecisionOut>), Refusal> {
    let intent = wanted.intent()?;
    let mut change = Change::begin(cycle.app(), &caller).await?;
    let advice = Advice {
        requester: &caller.actor,
        key: key(&caller.proof),
        deterministic_id: &wanted.deterministic_id,
        intent: &intent,
        request: wanted.request(&intent),
        estimated_cost: wanted.estimated_cost.as_deref().and_then(|cost| cost.parse().ok()),
        violations: &wanted.policy_violations,
        provenance: json!({"source": "api", "requester": wanted.requester}),
        trace: caller.origin.trace_id.clone(),
    };
    let advised = advise(&cycle, &mut change, &advice).await.map_err(Problem::from)?;
    let (decision, repeated, standing) = match advised {
        Advised::Decided { decision, repeated, standing } => (decision, repeated, standing),
        // Dropped, the change leaves nothing behind.
        Advised::Exhausted(standing) => return Err(exhausted(&standing)),
    };
    let stored = decisions::get(&mut change, decision).await.map_err(Problem::from)?;
    let answer = DecisionOut::try_from(stored).map_err(Problem::from)?;
    // Every step of it wrote its own event.
    change.commit_audited(&[]).await?;
    let mut headers = headers(&standing);
    if repeated {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok((headers, Json(answer)))
}

/// What came of a change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OutcomeIn {
    /// Whether it worked.
    success: bool,
    /// In words.
    #[serde(default)]
    #[schema(max_length = 2000)]
    notes: String,
    /// What it was seen by. With it, and reported by a person who is not behind the request, the
    /// outcome counts as verified.
    #[serde(default)]
    #[schema(max_items = 20)]
    evidence: Vec<EvidenceIn>,
    /// The reporter's own name for it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    idempotency_key: Option<String>,
}

/// Something an outcome was seen by.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EvidenceIn {
    /// What it is: a run, a dashboard, a ticket.
    #[schema(example = "https://ci.example.com/runs/4711", min_length = 1, max_length = 1000)]
    link: String,
    /// SHA-256 of what it said then.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    sha256: Option<Digest>,
}

impl OutcomeIn {
    fn checked(self) -> Answer<Report> {
        check::sized("/notes", &self.notes, 0..=2000)?;
        if self.evidence.len() > MOST_EVIDENCE {
            let message = format!("may have at most {MOST_EVIDENCE} entries");
            return Err(Problem::invalid("/evidence", "length", message));
        }
        for (at, one) in self.evidence.iter().enumerate() {
            check::sized(&format!("/evidence/{at}/link"), &one.link, 1..=1000)?;
        }
        if let Some(key) = &self.idempotency_key {
            check::sized("/idempotency_key", key, 1..=128)?;
        }
        let evidence =
            self.evidence.into_iter().map(|one| Evidence { link: one.link, sha256: one.sha256 });
        Ok(Report {
            success: self.success,
            notes: self.notes,
            evidence: evidence.collect(),
            idempotency_key: self.idempotency_key,
        })
    }
}

/// Report what came of a change that was advised on, once.
///
/// The same success and evidence again get the same answer; anything else is a conflict.
#[utoipa::path(post, path = "/decisions/{id}/outcome", tag = "gate", request_body = OutcomeIn,
    params(("id" = String, Path, description = "The decision")),
    responses((status = 200, body = OutcomeOut), (status = "4XX", body = Problem)))]
async fn report_outcome(
    Extension(cycle): Extension<Loop>,
    caller: Can<Propose>,
    Path(id): Path<DecisionId>,
    Body(wanted): Body<OutcomeIn>,
) -> Answer<Json<OutcomeOut>> {
    let wanted = wanted.checked()?;
    let mut change = Change::begin(cycle.app(), &caller).await?;
    let row = report(&cycle, &mut change, caller.caller(), id, wanted).await;
    let row = row.map_err(Problem::from)?;
    // It wrote its event itself; a repetition has none.
    change.commit_audited(&[]).await?;
    Ok(Json(row.into()))
}

/// Show what came of what was decided.
#[utoipa::path(get, path = "/decisions/{id}/outcome", tag = "gate",
    params(("id" = String, Path, description = "The decision")),
    responses((status = 200, body = OutcomeOut), (status = "4XX", body = Problem)))]
async fn show_outcome(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path(id): Path<DecisionId>,
) -> Answer<Json<OutcomeOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let decision = decisions::get(&mut tx, id).await?;
    let row = learn::store::of_intent(&mut tx, decision.intent).await?;
    Ok(Json(row.ok_or_else(|| Problem::not_found("outcome"))?.into()))
}

/// What came of making a decision again.
#[derive(Debug, Serialize, ToSchema)]
struct RecomputedOut {
    /// The decision.
    #[schema(value_type = String)]
    decision_id: DecisionId,
    /// Whether the signature is good, everything was made again, and nothing differs.
    ok: bool,
    /// `valid`, `bad` or `unknown_key`.
    #[schema(example = "valid")]
    signature: String,
    /// SHA-256 of the key that signed.
    key_fingerprint: String,
    /// The keys this deployment trusts, in hexadecimal. They prove nothing against itself.
    trusted_keys: Vec<String>,
    /// SHA-256 of the bytes that were signed; the audit log's `decision.made` has it too.
    record_sha256: String,
    /// The score recorded.
    risk_score: Option<String>,
    /// The score made again.
    recomputed_score: Option<String>,
    /// What differs: where in the record, what it says, and what the other says. `with` is
    /// `recomputed` or the table that holds a copy.
    #[schema(value_type = Vec<Object>)]
    differences: Vec<Difference>,
    /// What could not be made again, and why.
    cannot_tell: Vec<String>,
}

/// Make a decision again from its signed record, and compare every bit.
#[utoipa::path(get, path = "/decisions/{id}/recompute", tag = "gate",
    params(("id" = String, Path, description = "The decision")),
    responses((status = 200, body = RecomputedOut), (status = "4XX", body = Problem)))]
async fn recompute_decision(
    Extension(cycle): Extension<Loop>,
    caller: Can<ReadPlans>,
    Path(id): Path<DecisionId>,
) -> Answer<Json<RecomputedOut>> {
    let mut tx = cycle.app().db.tenant(caller.tenant()).await?;
    let stored = decisions::get(&mut tx, id).await?;
    let bundle = bundle(&mut tx, &stored.canon).await?;
    let trusted = cycle.trusted();
    // A fingerprint that is none names no key.
    let key_fingerprint = stored.key_fingerprint.parse().unwrap_or_else(|_| Digest::of(b""));
    let signed = DecisionSignature { signature: stored.signature.clone(), key_fingerprint };
    let mut made = recompute(&stored.canon, &signed, &trusted, bundle.as_ref());
    copies(&mut tx, &stored, &mut made).await?;
    Ok(Json(RecomputedOut {
        decision_id: id,
        ok: made.ok,
        signature: made.signature.word().to_owned(),
        key_fingerprint: stored.key_fingerprint,
        trusted_keys: trusted.iter().map(hex).collect(),
        record_sha256: made.record_sha256.to_string(),
        risk_score: made.score,
        recomputed_score: made.recomputed_score,
        differences: made.differences,
        cannot_tell: made.cannot_tell,
    }))
}

fn hex(key: &[u8; 32]) -> String {
    Digest::from(*key).to_string()
}

/// The policy a record names, if it is still to be had and still is what it was.
async fn bundle(tx: &mut db::TenantTx, canon: &[u8]) -> Answer<Option<Bundle>> {
    let Some(hash) = bundle_hash(canon) else { return Ok(None) };
    if shipped().hash() == hash {
        return Ok(Some(shipped().clone()));
    }
    let listed = bundles::list(tx, MOST_BUNDLES).await?;
    let Some(stored) = listed.into_iter().find(|stored| stored.hash == hash) else {
        return Ok(None);
    };
    let files = bundles::files(tx, stored.id).await?;
    Ok(Bundle::compile(files).ok().filter(|bundle| bundle.hash() == hash))
}

/// The tables hold copies of the record for lists and filters: one that says something else was
/// tampered with.
async fn copies(
    tx: &mut db::TenantTx,
    stored: &StoredDecision,
    made: &mut Recomputed,
) -> Answer<()> {
    let Ok(record) = serde_json::from_slice::<Value>(&stored.canon) else { return Ok(()) };
    let decision = json!(stored.decision);
    for key in ["verdict", "reasons", "guards", "constraints", "approval", "ttl_s"] {
        made.compare(&format!("/{key}"), "decisions", &record[key], &decision[key]);
    }
    let hash = json!(stored.bundle_hash);
    made.compare("/policy_bundle_hash", "decisions", &record["policy_bundle_hash"], &hash);
    let assessed = assessments::get(tx, stored.risk).await?;
    let risk = json!(assessed.record);
    made.compare("/risk", "risk_assessments", &record["risk"], &risk);
    let counterfactual = json!(assessed.counterfactual);
    made.compare("/counterfactual", "risk_assessments", &record["counterfactual"], &counterfactual);
    let intent = intents::get(tx, stored.intent).await?;
    let name = json!(intent.deterministic_id);
    made.compare("/deterministic_id", "intents", &record["deterministic_id"], &name);
    let asked = &record["inputs"]["question"]["intent"]["payload"];
    if asked.is_object() {
        let path = "/inputs/question/intent/payload";
        made.compare(path, "intents", asked, &intent.payload["payload"]);
    }
    Ok(())
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Problem::from(error).into()
    }
}
