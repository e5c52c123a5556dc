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
        /// Of everybody for what is critical; below, of everybody who has one.
        RequiredForCritical = "required_for_critical",
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
    /// What is critical asks of everybody; what is high, of whoever has one.
    fn default() -> Self {
        Self { asked: Asked::RequiredForCritical, tier: Tier::High }
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
/// [`Refused::FactorMissing`] and [`Refused::SessionNeeded`] when it cannot be brought, and
/// [`Refused::NotAPerson`] for whoever can bring nothing.
pub fn demand(
    policy: Policy,
    tier: Tier,
    kind: ActorKind,
    door: Door,
    factor: Factor,
) -> Result<Demand, Refused> {
    // Their votes are refused before it comes to this.
    if kind != ActorKind::User {
        return Err(Refused::NotAPerson);
    }
    if tier < policy.tier {
        return Ok(Demand::Nothing);
    }
    match (factor, door) {
        (Factor::None, _) if required(policy.asked, tier) => Err(Refused::FactorMissing),
        (Factor::None, _) => Ok(Demand::Nothing),
        (Factor::Enrolled, Door::Key) => Err(Refused::SessionNeeded),
        (Factor::Enrolled, Door::Session) => Ok(Demand::Fresh),
    }
}

/// Whether whoever has no second factor cannot approve something of `tier`.
fn required(asked: Asked, tier: Tier) -> bool {
    match asked {
        Asked::Enrolled => false,
        Asked::RequiredForCritical => tier >= Tier::Critical,
        Asked::Required => true,
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
            for asked in Asked::ALL {
                for factor in [Factor::Enrolled, Factor::None] {
                    for door in [Door::Session, Door::Key] {
                        assert_eq!(of(*asked, tier, factor, door), Ok(Nothing));
                    }
                }
            }
        }
        for tier in [Tier::High, Tier::Critical] {
            for asked in Asked::ALL {
                assert_eq!(of(*asked, tier, Factor::Enrolled, Door::Session), Ok(Fresh));
                let by_key = of(*asked, tier, Factor::Enrolled, Door::Key);
                assert_eq!(by_key, Err(Refused::SessionNeeded));
            }
            for door in [Door::Session, Door::Key] {
                assert_eq!(of(Asked::Enrolled, tier, Factor::None, door), Ok(Nothing));
                let without = of(Asked::Required, tier, Factor::None, door);
                assert_eq!(without, Err(Refused::FactorMissing));
            }
        }
        for door in [Door::Session, Door::Key] {
            let of = |tier| of(Asked::RequiredForCritical, tier, Factor::None, door);
            assert_eq!(of(Tier::High), Ok(Nothing));
            assert_eq!(of(Tier::Critical), Err(Refused::FactorMissing));
        }
    }

    #[test]
    fn w7_whoever_is_no_person_brings_nothing_that_counts() {
        for asked in Asked::ALL {
            for kind in [ActorKind::Service, ActorKind::Agent] {
                for door in [Door::Session, Door::Key] {
                    let policy = Policy { asked: *asked, tier: Tier::Critical };
                    let demand = demand(policy, Tier::Critical, kind, door, Factor::Enrolled);
                    assert_eq!(demand, Err(Refused::NotAPerson));
                }
            }
        }
    }

    #[test]
    fn w7_unless_a_tenant_says_otherwise_critical_asks_of_everybody_and_high_of_whoever_has_one() {
        let default = Policy { asked: Asked::RequiredForCritical, tier: Tier::High };
        assert_eq!(Policy::default(), default);
    }
}
