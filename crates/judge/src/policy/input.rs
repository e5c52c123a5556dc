//! What a policy is told: the shape of `input`.

use std::collections::BTreeSet;

use model::actor::{ActorKind, Role};
use model::id::{ActorId, ResourceId, TenantId};
use model::intent::TriggerKind;
use model::level::{EnvironmentClass, Tier};
use model::plan::BlastScope;
use serde::{Deserialize, Serialize};

use super::Constraints;
use crate::action::{Category, Kind};
use crate::exact::Exact;
use crate::outside::IntentFacts;

/// The whole input. A policy sees nothing else: no clock, no network, no data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Who wants it.
    pub actor: ActorFacts,
    /// What is wanted.
    pub action: ActionFacts,
    /// Where.
    pub context: ContextFacts,
    /// On what.
    pub resources: ResourceFacts,
    /// What it could cost.
    pub risk: RiskFacts,
    /// Whether it has earned running by itself.
    pub autonomy: AutonomyFacts,
    /// Constraints the request itself carries.
    pub constraints: Constraints,
    /// What an outside system asks about, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<IntentFacts>,
    /// When it was asked, RFC 3339 in UTC.
    pub time: String,
}

impl Input {
    /// Whether it only reads.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.action.kind == Kind::Read
    }
}

/// Who wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorFacts {
    /// Its id.
    pub id: ActorId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// User, service or agent.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// Its roles.
    pub roles: BTreeSet<Role>,
}

impl ActorFacts {
    pub(super) fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionFacts {
    /// The heaviest action of the plan.
    pub name: String,
    /// Every action of the plan.
    pub names: BTreeSet<String>,
    /// `read` only if every action reads.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Which posterior learns from it.
    pub category: Category,
    /// What set it off.
    pub trigger: TriggerKind,
    /// The runbook it comes from, by name.
    pub runbook: Option<String>,
}

/// Where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextFacts {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The most restrictive class touched; a word nobody maps to a class stands as it is.
    pub environment: String,
    /// Every class touched.
    pub environments: BTreeSet<String>,
}

impl ContextFacts {
    /// Maps words of source systems to classes. A word that is no class outranks all classes, and
    /// none at all reads `unknown`, so that a policy cannot overlook them.
    #[must_use]
    pub fn of(tenant_id: TenantId, words: &[String]) -> Self {
        let class = |word: &String| EnvironmentClass::from_alias(word);
        let environments: BTreeSet<String> = words
            .iter()
            .map(|word| class(word).map_or_else(|| word.clone(), |class| class.to_string()))
            .collect();
        let environment = words
            .iter()
            .find(|word| class(word).is_none())
            .cloned()
            .or_else(|| words.iter().filter_map(class).max().map(|class| class.to_string()))
            .unwrap_or_else(|| "unknown".to_owned());
        Self { tenant_id, environment, environments }
    }
}

/// On what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceFacts {
    /// Whether somebody broke the glass. No way to do so exists yet, so it is `false`.
    pub break_glass: bool,
    /// The targets.
    pub targets: Vec<TargetFacts>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFacts {
    /// The resource.
    pub id: ResourceId,
    /// What people call it.
    pub name: String,
    /// The class of its environment.
    pub environment: EnvironmentClass,
}

/// What it could cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiskFacts {
    /// The tier: read, low, medium, high or critical.
    pub level: Tier,
    /// The operations assistant's word for it: read, safe or `break_glass`.
    pub tier: String,
    /// Where the tier comes from.
    pub tiers: TierFacts,
    /// How many targets.
    pub targets: u32,
    /// Namespace, cluster or account.
    pub blast_radius: BlastScope,
    /// Whether a step cannot be undone.
    pub irreversible: bool,
    /// The score, as a string: policies decide by tier, not by comparing floats.
    pub score: Exact,
}

/// Where the tier comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierFacts {
    /// The heaviest action.
    pub action: Tier,
    /// That in its environment.
    pub environment: Tier,
    /// The blast radius.
    pub blast: Tier,
    /// The score.
    pub score: Tier,
}

/// Whether it has earned running by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AutonomyFacts {
    /// Whether the limits are met.
    pub earned: bool,
    /// Fewest verified successes among its actions.
    pub successes: u32,
    /// Most verified failures among its actions.
    pub failures: u32,
    /// Upper credible bound of the failure rate.
    pub failure_bound: Exact,
}

/// The operations assistant's word for a tier.
pub(crate) fn assistant_tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Read => "read",
        Tier::Low | Tier::Medium => "safe",
        Tier::High | Tier::Critical => "break_glass",
    }
}
