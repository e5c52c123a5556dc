//! Weighing a plan: risk, policy, guards and autonomy, put together by the gate.
//!
//! The same for asking and for starting; only what the guards hold differs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use act::runbook::Runbook;
use act::runbook::compile::{Candidate, Facts};
use act::runbook::status::TargetOs;
use db::TenantTx;
use gate::constraint::{self, Constraints};
use gate::decide::{
    Approvals, Decision, Opinion, PolicyAnswer, PolicyOpinion, Question, RiskOpinion, RunbookFlags,
};
use gate::guard::GuardResult;
use gate::proposal::{Freshness, Place, Proposal};
use gate::rate::{Quota, RateScope};
use gate::store::guards::{self, Answers, Moment};
use judge::action::Table;
use judge::autonomy::{self, Evidence, Key};
use judge::counterfactual::{self, Change};
use judge::evaluate::{self, Judgement};
use judge::exact::Exact;
use judge::policy::{Bundle, shipped};
use judge::risk::{Belief, Record, RiskInput};
use judge::store::bundles;
use learn::posterior::Posterior;
use model::actor::{Actor, Role};
use model::id::{BundleId, TriggerId};
use model::intent::TriggerKind;
use model::plan::Plan;
use model::verdict::{Judge, Reason, Verdict};
use model::{Digest, Timestamp};
use sense::inventory::{OsType, TargetFacts};
use serde_json::{Map, Value};

use super::{Error, Loop};

/// How old the estate's facts may be when a plan is made from them, in seconds: the inventory's
/// refresh of five minutes (operations assistant). They are read in the same transaction.
pub(super) const CONTEXT_MAX_AGE_S: u32 = 300;

/// Bundles looked through for the hash of one that cannot be used.
const MOST_BUNDLES: u32 = 10_000;

/// What is to be weighed.
#[derive(Debug)]
pub(super) struct Matter<'a> {
    pub(super) requester: &'a Actor,
    pub(super) trigger: TriggerKind,
    pub(super) runbook: &'a Runbook,
    pub(super) plan: &'a Plan,
    pub(super) targets: &'a [TargetFacts],
    pub(super) matched: Option<(TriggerId, u32)>,
    /// When the facts it was planned from were read.
    pub(super) planned_at: Timestamp,
    pub(super) moment: Moment,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) plan_hash: Digest,
    pub(super) bound_hash: Digest,
    pub(super) judged: Judged,
}

impl Deref for Weighed {
    type Target = Judged;

    fn deref(&self) -> &Judged {
        &self.judged
    }
}

/// What all judges said to a question, and what they were asked: enough to ask them again.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) question: evaluate::Question,
    pub(super) flags: RunbookFlags,
    pub(super) bundle_hash: Digest,
    pub(super) bundle_id: Option<BundleId>,
    pub(super) record: Record,
    pub(super) judgement: Judgement,
    pub(super) counterfactual: Vec<Change>,
    pub(super) proposal: Proposal,
    pub(super) answers: Answers,
    pub(super) decision: Decision,
}

/// What policy there is for a tenant.
struct Policy {
    id: Option<BundleId>,
    /// What the decision is bound to, usable or not.
    hash: Digest,
    bundle: Option<Bundle>,
}

impl Loop {
    pub(super) async fn weigh(
        &self,
        tx: &mut TenantTx,
        matter: &Matter<'_>,
    ) -> Result<Weighed, Error> {
        let question = self.question(tx, matter).await?;
        let (flags, proposal) = (flags(matter.runbook), proposal(matter));
        let judged = self.judge(tx, question, flags, proposal, matter.moment).await?;
        let plan_hash = matter.plan.hash()?;
        let input = &judged.record.input;
        let tier = judged.record.assessment.tier;
        let bound_hash =
            gate::bound::bound_hash(plan_hash, judged.bundle_hash, tier, &input.blast)?;
        Ok(Weighed { plan_hash, bound_hash, judged })
    }

    /// Asks risk, policy and guards one question, and puts together what they say.
    pub(super) async fn judge(
        &self,
        tx: &mut TenantTx,
        question: evaluate::Question,
        flags: RunbookFlags,
        proposal: Proposal,
        moment: Moment,
    ) -> Result<Judged, Error> {
        let Policy { id: bundle_id, hash: bundle_hash, bundle } = self.policy(tx).await?;
        let judgement = evaluate::judge(&question, bundle.as_ref());
        let counterfactual = counterfactual::search(&question, &judgement, bundle.as_ref());
        let understood = Constraints::parse(&constraints(&judgement)?).unwrap_or_default();
        let answers = guards::ask(tx, &proposal, &understood, moment).await?;
        let decision = decided(&question, &judgement, &proposal.places, &answers.results, &flags)?;
        let record =
            Record { input: question.risk.clone(), assessment: judgement.assessment.clone() };
        Ok(Judged {
            question,
            flags,
            bundle_hash,
            bundle_id,
            record,
            judgement,
            counterfactual,
            proposal,
            answers,
            decision,
        })
    }

    /// The policy in force, to ask it about what nobody asked for; nothing where it cannot be used.
    pub(super) async fn bundle(&self, tx: &mut TenantTx) -> Result<Option<Bundle>, Error> {
        Ok(self.policy(tx).await?.bundle)
    }

    /// The tenant's own bundle if one is active, else the shipped one. One that is active and
    /// cannot be used is not replaced by another: without a policy every write is denied.
    async fn policy(&self, tx: &mut TenantTx) -> Result<Policy, Error> {
        use judge::store::Error as Judge;
        match bundles::active(tx, &self.0.policies).await {
            Ok(Some((stored, bundle))) => {
                Ok(Policy { id: Some(stored.id), hash: stored.hash, bundle: Some(bundle) })
            }
            Ok(None) => {
                let bundle = shipped().clone();
                Ok(Policy { id: None, hash: bundle.hash(), bundle: Some(bundle) })
            }
            Err(error @ (Judge::Unusable { id, .. } | Judge::Altered(id))) => {
                tracing::error!(bundle.id = %id, %error, "the active policy cannot be used: every write is denied");
                let listed = bundles::list(tx, MOST_BUNDLES).await?;
                let Some(stored) = listed.into_iter().find(|stored| stored.id == id) else {
                    return Err(error.into());
                };
                Ok(Policy { id: Some(id), hash: stored.hash, bundle: None })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn question(
        &self,
        tx: &mut TenantTx,
        matter: &Matter<'_>,
    ) -> Result<evaluate::Question, Error> {
        let plain = RiskInput::of_plan(matter.plan, Table::shipped(), None, self.0.constants);
        let posterior = learn::store::posterior(tx, plain.category.word()).await?;
        let risk = RiskInput { belief: posterior.map(belief), ..plain };
        let evidence = evidence(tx, &risk).await?;
        let requester = matter.requester.clone();
        let question = evaluate::Question::of_plan(
            matter.plan,
            risk,
            requester,
            matter.trigger,
            matter.planned_at,
        );
        Ok(evaluate::Question { evidence, ..question })
    }
}

/// What is believed, as the risk engine reads it.
pub(super) fn belief(posterior: Posterior) -> Belief {
    Belief {
        alpha: Exact(posterior.alpha),
        beta: Exact(posterior.beta),
        n: u32::try_from(posterior.n).unwrap_or(u32::MAX),
    }
}

/// The verified outcomes autonomy is judged by, those of other classes of environments among them:
/// the counterfactual asks about these.
pub(super) async fn evidence(tx: &mut TenantTx, risk: &RiskInput) -> Result<Vec<Evidence>, Error> {
    let mut actions = autonomy::keys(risk);
    actions.dedup_by(|one, other| (one.category, &one.action) == (other.category, &other.action));
    let mut evidence = Vec::new();
    for one in actions {
        for seen in learn::store::track_record(tx, one.category.word(), &one.action).await? {
            evidence.push(Evidence {
                key: Key { environment: seen.class, ..one.clone() },
                successes: u32::try_from(seen.successes).unwrap_or(u32::MAX),
                failures: u32::try_from(seen.failures).unwrap_or(u32::MAX),
            });
        }
    }
    Ok(evidence)
}

/// What the gate decides of what the judges said. The guards' answers are facts here, so that the
/// same can be decided again long after their tables moved on.
pub(super) fn decided(
    question: &evaluate::Question,
    judgement: &Judgement,
    places: &[Place],
    guards: &[GuardResult],
    flags: &RunbookFlags,
) -> Result<Decision, Error> {
    Ok(gate::decide::decide(&Question {
        requester: &question.actor,
        trigger: question.trigger,
        places,
        policy: &reported(policy_answer(judgement), question),
        risk: &risk_opinion(judgement),
        guards,
        runbook: flags,
        autonomy: &autonomy_opinion(judgement),
        constraints: &constraints(judgement)?,
    }))
}

/// What whoever asks says it breaks, is broken: document 003 takes the word of an outside system
/// for a denial, and for nothing else.
fn reported(answer: PolicyAnswer, question: &evaluate::Question) -> PolicyAnswer {
    let violations = question.intent.as_ref().map_or(&[][..], |intent| &intent.reported_violations);
    let PolicyAnswer::Answered(mut policy) = answer else { return answer };
    for violation in violations {
        policy.opinion.verdict = Verdict::Deny;
        policy.opinion.reasons.push(Reason {
            judge: Judge::Policy,
            code: "reported_violation".to_owned(),
            verdict: Verdict::Deny,
            message: format!("reported with the request: {violation}"),
        });
    }
    PolicyAnswer::Answered(policy)
}

/// The policy's constraints as the gate reads them.
fn constraints(judgement: &Judgement) -> Result<Map<String, Value>, Error> {
    let asked = serde_json::to_value(&judgement.answer.constraints)
        .map_err(|error| Error::Canonical(model::canonical::CanonicalError::Serialize(error)))?;
    let mut policy = asked.as_object().cloned().unwrap_or_default();
    // Breaking the glass is a person's matter, shown beside the decision, not a guard.
    policy.remove("break_glass_required");
    Ok(constraint::merge(&Map::new(), &policy))
}

fn policy_answer(judgement: &Judgement) -> PolicyAnswer {
    let answer = &judgement.answer;
    if let Some(failure) = &answer.failure {
        return PolicyAnswer::Down { reason: failure.to_string() };
    }
    PolicyAnswer::Answered(PolicyOpinion {
        opinion: Opinion { verdict: answer.decision, reasons: answer.reasons.clone() },
        approval: judgement.approval.clone(),
        ttl_s: answer.ttl_s,
    })
}

fn risk_opinion(judgement: &Judgement) -> RiskOpinion {
    let assessment = &judgement.assessment;
    RiskOpinion {
        tier: assessment.tier,
        opinion: Opinion { verdict: assessment.verdict, reasons: assessment.reasons.clone() },
    }
}

/// Acting alone is earned by verified successes; until then every change needs somebody's yes.
fn autonomy_opinion(judgement: &Judgement) -> Opinion {
    let autonomy = &judgement.autonomy;
    let (verdict, code, message) = if autonomy.earned {
        (Verdict::Allow, "earned", "verified successes have earned it".to_owned())
    } else {
        let message = format!(
            "not earned yet: {} verified successes, {} failures, failure rate up to {:.3}",
            autonomy.successes, autonomy.failures, autonomy.failure_bound.0
        );
        (Verdict::RequireApproval, "autonomy_not_earned", message)
    };
    let reason = Reason { judge: Judge::Autonomy, code: code.to_owned(), verdict, message };
    Opinion { verdict, reasons: vec![reason] }
}

fn flags(runbook: &Runbook) -> RunbookFlags {
    let mut approval_roles: Vec<Role> = Vec::new();
    for role in runbook.approval_roles.iter().filter_map(|word| Role::from_alias(word)).flatten() {
        // Operating is not approving: `engineer` stands for both, and counts here as approver.
        if *role != Role::Operator && !approval_roles.contains(role) {
            approval_roles.push(*role);
        }
    }
    RunbookFlags {
        approval: if runbook.requires_approval { Approvals::Always } else { Approvals::ByPolicy },
        approval_roles,
        mode: runbook.mode,
    }
}

fn proposal(matter: &Matter<'_>) -> Proposal {
    let runbook = matter.runbook;
    let quota = runbook.rate_limit_count.zip(runbook.rate_limit_window_seconds);
    let id = matter.plan.runbook.id;
    Proposal {
        runbook: id,
        runbook_name: runbook.name.clone(),
        category: runbook.category.clone().unwrap_or_default(),
        places: matter.targets.iter().map(place).collect(),
        actions: matter.plan.steps.iter().map(|step| step.action.clone()).collect(),
        trigger: matter.matched.map(|(trigger, _)| trigger),
        trigger_cooldown_s: matter.matched.map_or(0, |(_, cooldown)| cooldown),
        runbook_cooldown_s: 0,
        quota: quota.map(|(count, window_s)| Quota {
            scope: RateScope::Runbook,
            scope_id: id.to_string(),
            count,
            window_s,
        }),
        context: Freshness { taken_at: Some(matter.planned_at), max_age_s: CONTEXT_MAX_AGE_S },
    }
}

fn place(facts: &TargetFacts) -> Place {
    Place {
        resource: facts.target.resource_id,
        name: facts.target.name.clone(),
        environment: facts.environment_slug.clone(),
        class: facts.target.environment,
        tags: tags(&facts.tags).into_iter().collect::<BTreeSet<_>>(),
    }
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<String> {
    tags.iter()
        .map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}={value}") })
        .collect()
}

/// A server of the estate as runbooks choose among them.
pub(super) fn candidate(facts: &TargetFacts) -> Candidate {
    Candidate {
        target: facts.target.clone(),
        facts: Facts {
            hostname: facts.hostname.clone(),
            ip: String::new(),
            os: match facts.os_type {
                OsType::Linux => TargetOs::Linux,
                OsType::Windows => TargetOs::Windows,
            },
            environment: facts.environment_slug.clone(),
            tags: tags(&facts.tags),
            groups: facts.tags.get("group").cloned().into_iter().collect(),
        },
    }
}
