//! Where autonomy stands: of the kinds of change there is a record of, which would run unasked.
//!
//! Nothing here says what earns it. Each kind is asked about like a change of its own, by the
//! function the gate asks ([`evaluate::judge`]): that one action, on one target, with a way back.
//! A plan of more than that can only ask for more.

use std::collections::BTreeSet;

use model::Timestamp;
use model::actor::{Actor, ActorKind, Role, service};
use model::id::{ResourceId, TenantId};
use model::intent::TriggerKind;
use model::level::Tier;
use model::plan::BlastRadius;

use crate::action::{Classified, Kind, Table};
use crate::autonomy::{self, Autonomy, Evidence, Key};
use crate::blast;
use crate::constants::{AutonomyConstants, ConstantSet};
use crate::evaluate::{self, Question};
use crate::exact::Exact;
use crate::outside;
use crate::policy::{Bundle, Constraints, TargetFacts};
use crate::risk::{Belief, RiskInput};

/// More verified successes than this nobody is told to wait for; the bound is exact far beyond.
const MOST_SUCCESSES: u32 = 100_000;
/// The target there is none of.
const NO_TARGET: u128 = 0;

/// What all kinds of change of a tenant are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// When it is asked.
    pub at: Timestamp,
    /// Every number of the formulas.
    pub constants: &'a ConstantSet,
    /// The policy in force; without one every write is denied.
    pub bundle: Option<&'a Bundle>,
}

/// Where one kind of change stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The tier the least of such changes has.
    pub tier: Tier,
    /// What the gate would say of it.
    pub autonomy: Autonomy,
    /// What it is earned by: the constants, tightened by the policy.
    pub limits: AutonomyConstants,
    /// How many verified successes are needed beside its failures; `None` when no number is enough.
    pub needed: Option<u32>,
}

/// Whether outcomes of this kind are ever asked about: those of writes, under the category that the
/// action is asked about by.
#[must_use]
pub fn counts(key: &Key, table: &Table) -> bool {
    table.classify(&key.action).kind == Kind::Write
        && outside::categories(&key.action, table).contains(&key.category)
}

/// Where the kind of change stands that `evidence` is of; `belief` is that of its category.
#[must_use]
pub fn of(evidence: &Evidence, belief: Option<Belief>, ground: Ground<'_>) -> Standing {
    let question = question(evidence, belief, ground);
    let judgement = evaluate::judge(&question, ground.bundle);
    let limits = ground.constants.autonomy.tightened(&judgement.answer.autonomy);
    let tier = judgement.assessment.tier;
    Standing { tier, needed: needed(evidence, tier, &limits), autonomy: judgement.autonomy, limits }
}

/// The least change of the kind.
fn question(evidence: &Evidence, belief: Option<Belief>, ground: Ground<'_>) -> Question {
    let key = &evidence.key;
    let table = Table::shipped();
    let action = Classified { category: key.category, ..table.classify(&key.action) };
    let risk = RiskInput {
        actions: vec![action],
        table_version: table.version,
        blast: BlastRadius {
            targets: 1,
            scope: blast::scope(1),
            irreversible: false,
            environments: vec![key.environment],
        },
        category: key.category,
        belief,
        impact: Exact(0.0),
        opportunity: Exact(0.0),
        predictive: Exact(0.0),
        similar: Vec::new(),
        constants: ground.constants.clone(),
    };
    Question {
        actor: Actor {
            id: service(),
            tenant_id: ground.tenant,
            kind: ActorKind::Service,
            display_name: String::new(),
            roles: BTreeSet::from([Role::Operator]),
        },
        trigger: TriggerKind::Alert,
        runbook: None,
        environments: vec![key.environment.to_string()],
        targets: vec![TargetFacts {
            id: ResourceId::fixed(NO_TARGET),
            name: String::new(),
            environment: key.environment,
        }],
        risk,
        evidence: vec![evidence.clone()],
        constraints: Constraints::default(),
        intent: None,
        asked_at: ground.at,
    }
}

/// The fewest successes that earn it beside these failures. More of them never earn less, so
/// bisection finds the border.
fn needed(evidence: &Evidence, tier: Tier, limits: &AutonomyConstants) -> Option<u32> {
    let enough = |successes| {
        let evidence = Evidence { successes, ..evidence.clone() };
        let keys = std::slice::from_ref(&evidence.key);
        autonomy::judge(keys, std::slice::from_ref(&evidence), tier, limits).earned
    };
    if !enough(MOST_SUCCESSES) {
        return None;
    }
    if enough(0) {
        return Some(0);
    }
    let (mut few, mut many) = (0, MOST_SUCCESSES);
    while many - few > 1 {
        let middle = few + (many - few) / 2;
        if enough(middle) {
            many = middle;
        } else {
            few = middle;
        }
    }
    Some(many)
}

#[cfg(test)]
mod tests;
