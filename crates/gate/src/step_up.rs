//! Step-up: when an approving vote asks for a second factor, shown just now for exactly this.

use model::Digest;
use model::actor::ActorKind;
use model::level::Tier;

use crate::approval::Refused;

model::words! {
    /// Of whom a second factor is asked.
    Asked {
        /// Of everybody who has one.
        Enrolled = "enrolled",
        /// Of everybody: whoever has none cannot approve.
        Required = "required",
    }
}

/// What a tenant asks for. Asking nobody is no choice: whoever took a second factor is held to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Of whom.
    pub asked: Asked,
    /// From which tier on.
    pub tier: Tier,
}

impl Default for Policy {
    /// People without a second factor go on as before; high and critical ask of all others.
    fn default() -> Self {
        Self { asked: Asked::Enrolled, tier: Tier::High }
    }
}

/// How a voter comes to the vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// In a login session.
    Session,
    /// With an API key: nobody can say that a person is there.
    Key,
}

/// Whether a voter has a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// One that was shown to work.
    Enrolled,
    /// None.
    None,
}

/// Whether an approving vote must bring a fresh second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// It need not.
    Nothing,
    /// One shown in this session, for this.
    Fresh,
}

/// What an approving vote on something of `tier` must bring.
///
/// # Errors
/// [`Refused::FactorMissing`] and [`Refused::SessionNeeded`] when it cannot be brought.
pub fn demand(
    policy: Policy,
    tier: Tier,
    kind: ActorKind,
    door: Door,
    factor: Factor,
) -> Result<Demand, Refused> {
    // Who is no person cannot vote at all.
    if tier < policy.tier || kind != ActorKind::User {
        return Ok(Demand::Nothing);
    }
    match (policy.asked, factor, door) {
        (Asked::Enrolled, Factor::None, _) => Ok(Demand::Nothing),
        (Asked::Required, Factor::None, _) => Err(Refused::FactorMissing),
        (_, Factor::Enrolled, Door::Key) => Err(Refused::SessionNeeded),
        (_, Factor::Enrolled, Door::Session) => Ok(Demand::Fresh),
    }
}

/// What is said when the fresh second factor is not there.
#[must_use]
pub const fn missing(bound_hash: Digest) -> Refused {
    Refused::StepUpNeeded { bound_hash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w7_what_a_vote_must_bring_follows_from_tier_policy_factor_and_door() {
        use Demand::{Fresh, Nothing};
        let of = |asked, tier, factor, door| {
            let policy = Policy { asked, tier: Tier::High };
            demand(policy, tier, ActorKind::User, door, factor)
        };
        for tier in [Tier::Read, Tier::Low, Tier::Medium] {
            for asked in [Asked::Enrolled, Asked::Required] {
                for factor in [Factor::Enrolled, Factor::None] {
                    for door in [Door::Session, Door::Key] {
                        assert_eq!(of(asked, tier, factor, door), Ok(Nothing));
                    }
                }
            }
        }
        for tier in [Tier::High, Tier::Critical] {
            for asked in [Asked::Enrolled, Asked::Required] {
                assert_eq!(of(asked, tier, Factor::Enrolled, Door::Session), Ok(Fresh));
                let by_key = of(asked, tier, Factor::Enrolled, Door::Key);
                assert_eq!(by_key, Err(Refused::SessionNeeded));
            }
            for door in [Door::Session, Door::Key] {
                assert_eq!(of(Asked::Enrolled, tier, Factor::None, door), Ok(Nothing));
                let without = of(Asked::Required, tier, Factor::None, door);
                assert_eq!(without, Err(Refused::FactorMissing));
            }
        }
    }

    #[test]
    fn unless_a_tenant_says_otherwise_whoever_has_a_factor_shows_it_from_tier_high_on() {
        assert_eq!(Policy::default(), Policy { asked: Asked::Enrolled, tier: Tier::High });
    }
}
