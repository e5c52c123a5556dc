//! How far a plan reaches.

use model::plan::{BlastRadius, BlastScope, Plan, Semantics, Stage};

use crate::action::Table;

/// Up to this many targets a change stays within a namespace (operations assistant).
const NAMESPACE_TARGETS: u32 = 10;
/// Up to this many it stays within a cluster (operations assistant).
const CLUSTER_TARGETS: u32 = 50;

/// How far `plan` reaches, by the actions of `table`.
///
/// It is irreversible when some acting step changes something, has no undo on one of its targets,
/// and its action is one that cannot be undone otherwise.
#[must_use]
pub fn radius(plan: &Plan, table: &Table) -> BlastRadius {
    let targets = u32::try_from(plan.targets.len()).unwrap_or(u32::MAX);
    let irreversible = plan.steps.iter().any(|step| {
        step.stage == Stage::Act
            && step.semantics != Semantics::Read
            && step.scripts.keys().any(|target| !step.undo.contains_key(target))
            && table.classify(&step.action).irreversible
    });
    let mut environments: Vec<_> = plan.targets.iter().map(|target| target.environment).collect();
    environments.sort_unstable();
    environments.dedup();
    BlastRadius { targets, scope: scope(targets), irreversible, environments }
}

/// The scope of a number of targets.
#[must_use]
pub fn scope(targets: u32) -> BlastScope {
    if targets <= NAMESPACE_TARGETS {
        BlastScope::Namespace
    } else if targets <= CLUSTER_TARGETS {
        BlastScope::Cluster
    } else {
        BlastScope::Account
    }
}

#[cfg(test)]
mod tests;
