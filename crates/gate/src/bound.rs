//! What an approval is bound to: if any of it changes, the approval is void.

use model::Digest;
use model::canonical::CanonicalError;
use model::level::Tier;
use model::plan::BlastRadius;
use serde::Serialize;

#[derive(Serialize)]
struct Bound<'a> {
    plan_hash: Digest,
    policy_bundle_hash: Digest,
    tier: Tier,
    blast_radius: &'a BlastRadius,
}

/// SHA-256 over the canonical form of {plan hash, policy bundle hash, tier, blast radius}.
///
/// A moved risk score alone does not change it; a tier that tightens does.
///
/// # Errors
/// Never for these fields, which are integers and words; the canonical form says so, not we.
pub fn bound_hash(
    plan_hash: Digest,
    policy_bundle_hash: Digest,
    tier: Tier,
    blast_radius: &BlastRadius,
) -> Result<Digest, CanonicalError> {
    Digest::of_canonical(&Bound { plan_hash, policy_bundle_hash, tier, blast_radius })
}

#[cfg(test)]
mod tests {
    use model::level::EnvironmentClass;
    use model::plan::BlastScope;

    use super::*;

    fn reach(targets: u32) -> BlastRadius {
        BlastRadius {
            targets,
            scope: BlastScope::Namespace,
            irreversible: false,
            environments: vec![EnvironmentClass::Prod],
        }
    }

    #[test]
    fn a5_every_part_moves_the_bound_hash() {
        let plan = Digest::of(b"plan");
        let bundle = Digest::of(b"bundle");
        let hash = |plan, bundle, tier, targets| {
            bound_hash(plan, bundle, tier, &reach(targets)).expect("integers and words")
        };
        let base = hash(plan, bundle, Tier::Medium, 3);
        assert_eq!(base, hash(plan, bundle, Tier::Medium, 3));
        assert_ne!(base, hash(bundle, bundle, Tier::Medium, 3), "plan");
        assert_ne!(base, hash(plan, plan, Tier::Medium, 3), "bundle");
        assert_ne!(base, hash(plan, bundle, Tier::High, 3), "tier");
        assert_ne!(base, hash(plan, bundle, Tier::Medium, 4), "blast radius");
    }
}
