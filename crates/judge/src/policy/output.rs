//! What a policy answers, read strictly: what is not understood cannot be enforced.

use std::collections::BTreeSet;

use model::actor::Role;
use model::intent::TriggerKind;
use model::level::Tier;
use model::verdict::{ApprovalRequirement, Judge, Reason, Verdict};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Answer, Constraints, Failure, Input};
use crate::autonomy::Limits;

/// Lifetime of an approval that came from an alert, in seconds, where the policy names none.
const ALERT_APPROVAL_S: u32 = 4 * 60 * 60;
/// Lifetime of any other, in seconds.
const APPROVAL_S: u32 = 24 * 60 * 60;
/// The longest an approval may live, in seconds.
const LONGEST_APPROVAL_S: u32 = 7 * 24 * 60 * 60;
/// More votes than this cannot be meant.
const MOST_VOTES: u32 = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    decision: Value,
    constraints: Value,
    ttl: Value,
    reasons: Value,
    approval: Value,
    autonomy: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApproval {
    tier: Option<Tier>,
    roles: Option<BTreeSet<Role>>,
    min_votes: Option<u32>,
    ttl_s: Option<u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawReason {
    Words(String),
    Coded { code: String, message: String },
}

/// Reads an answer; anything out of form is a failure.
pub(super) fn parse(value: Value, input: &Input) -> Result<Answer, Failure> {
    let raw: Raw = read("the answer", value)?;
    if raw.decision.is_null() {
        return Err(Failure::Undefined);
    }
    let decision: Verdict = read("decision", raw.decision)?;
    let constraints: Constraints = optional("constraints", raw.constraints)?.unwrap_or_default();
    constraints.check().map_err(|message| Failure::Malformed { message })?;
    let ttl_s: Option<u32> = optional("ttl", raw.ttl)?;
    let autonomy: Limits = optional("autonomy", raw.autonomy)?.unwrap_or_default();
    let approval = optional("approval", raw.approval)?;
    let approval = match decision {
        Verdict::RequireApproval => Some(requirement(approval, input)?),
        Verdict::Allow | Verdict::Deny => None,
    };
    let reasons = reasons(optional("reasons", raw.reasons)?.unwrap_or_default(), decision);
    let (bundle, failure) = (None, None);
    Ok(Answer { decision, reasons, constraints, ttl_s, approval, autonomy, bundle, failure })
}

fn read<T: DeserializeOwned>(what: &str, value: Value) -> Result<T, Failure> {
    serde_json::from_value(value)
        .map_err(|error| Failure::Malformed { message: format!("{what}: {error}") })
}

fn optional<T: DeserializeOwned>(what: &str, value: Value) -> Result<Option<T>, Failure> {
    if value.is_null() { Ok(None) } else { read(what, value).map(Some) }
}

/// What is required where nobody says more: one approver or admin, four hours for an alert, a day
/// for everything else.
pub(crate) fn usual_requirement(trigger: TriggerKind, tier: Tier) -> ApprovalRequirement {
    let ttl_s = match trigger {
        TriggerKind::Alert => ALERT_APPROVAL_S,
        TriggerKind::Manual | TriggerKind::Webhook | TriggerKind::Scheduled => APPROVAL_S,
    };
    ApprovalRequirement { tier, roles: vec![Role::Approver, Role::Admin], min_votes: 1, ttl_s }
}

fn requirement(raw: Option<RawApproval>, input: &Input) -> Result<ApprovalRequirement, Failure> {
    let usual = usual_requirement(input.action.trigger, input.risk.level);
    let Some(raw) = raw else { return Ok(usual) };
    let roles = raw.roles.map_or(usual.roles, |roles| roles.into_iter().collect());
    let min_votes = raw.min_votes.unwrap_or(usual.min_votes);
    let ttl_s = raw.ttl_s.unwrap_or(usual.ttl_s);
    let malformed = |message: &str| Err(Failure::Malformed { message: message.to_owned() });
    if roles.is_empty() {
        return malformed("approval.roles: nobody could approve");
    }
    if !(1..=MOST_VOTES).contains(&min_votes) {
        return malformed("approval.min_votes: must be from 1 to 20");
    }
    if !(1..=LONGEST_APPROVAL_S).contains(&ttl_s) {
        return malformed("approval.ttl_s: must be from 1 second to 7 days");
    }
    // The tier of the risk is a floor: a policy can ask for more, not for less.
    let tier = raw.tier.map_or(input.risk.level, |tier| tier.max(input.risk.level));
    Ok(ApprovalRequirement { tier, roles, min_votes, ttl_s })
}

fn reasons(raw: Vec<RawReason>, decision: Verdict) -> Vec<Reason> {
    let reason = |code: String, message: String| Reason {
        judge: Judge::Policy,
        code,
        verdict: decision,
        message,
    };
    let mut reasons: Vec<Reason> = raw
        .into_iter()
        .map(|raw| match raw {
            RawReason::Words(words) => reason("policy".to_owned(), words),
            RawReason::Coded { code, message } => reason(code, message),
        })
        .collect();
    if reasons.is_empty() {
        reasons.push(reason("policy".to_owned(), format!("the policy says {decision}")));
    }
    reasons
}
