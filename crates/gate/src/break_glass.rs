//! Breaking the glass: emergency authority of one person, for a while.
//!
//! It replaces other people's votes, and nothing else. Whoever holds it still needs the role the
//! decision asks for and their second factor; policy's denials, blackout windows, breakers, rates,
//! the bound plan, verification, evidence and the audit log are as they always are. Somebody else
//! reviews it afterwards, and until then the same person cannot do it again.

use model::Timestamp;
use model::actor::{Actor, ActorKind};

use crate::approval::Voter;

/// The shortest reason, in characters: one that a reviewer can make something of.
pub const SHORTEST_REASON: usize = 20;
/// The longest, in characters.
pub const LONGEST_REASON: usize = 2000;
/// How long it lasts when nothing else is said, in minutes: `unified-model` 1.5.
pub const MINUTES: u32 = 30;
/// How long it may last, in minutes.
pub const MOST_MINUTES: u32 = 120;

model::words! {
    /// What a review finds.
    Verdict {
        /// It was an emergency, and handled as one.
        Justified = "justified",
        /// It was not.
        NotJustified = "not_justified",
    }
}

/// Emergency authority somebody took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// By which account.
    pub holder: Actor,
    /// By whom.
    pub person: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// When its holder gave it back.
    pub ended_at: Option<Timestamp>,
    /// When it was reviewed.
    pub reviewed_at: Option<Timestamp>,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A service or an agent, or a key.
    #[error("only a person in a login session can do this")]
    NotAPerson,
    /// The last time was not reviewed.
    #[error("you broke the glass before, and nobody has reviewed that yet")]
    Unreviewed,
    /// Nobody reviews themselves.
    #[error("somebody else must review this")]
    OwnReview,
    /// It was reviewed.
    #[error("this was reviewed already")]
    Reviewed,
    /// It is over, or never was.
    #[error("you have no emergency authority at present")]
    NotHeld,
}

impl Refused {
    /// A stable word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAPerson => "not_a_person",
            Self::Unreviewed => "review_open",
            Self::OwnReview => "own_review",
            Self::Reviewed => "already_reviewed",
            Self::NotHeld => "glass_not_broken",
        }
    }
}

impl BreakGlass {
    /// Whether it gives authority at `at`.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        at < self.expires_at && self.ended_at.is_none() && self.reviewed_at.is_none()
    }

    /// Whether it is this voter's.
    #[must_use]
    pub fn is_of(&self, voter: &Voter) -> bool {
        self.holder.id == voter.actor.id && self.person == voter.person
    }
}

/// Whether somebody may close a review.
///
/// # Errors
/// Says why not.
pub fn reviewable(glass: &BreakGlass, reviewer: &Voter) -> Result<(), Refused> {
    if reviewer.actor.kind != ActorKind::User || !reviewer.active {
        return Err(Refused::NotAPerson);
    }
    if glass.reviewed_at.is_some() {
        return Err(Refused::Reviewed);
    }
    if glass.holder.id == reviewer.actor.id || glass.person == reviewer.person {
        return Err(Refused::OwnReview);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::actor::Role;
    use model::id::{ActorId, TenantId};

    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn person(name: &str, kind: ActorKind) -> Voter {
        Voter {
            actor: Actor {
                id: ActorId::generate(),
                tenant_id: TenantId::generate(),
                kind,
                display_name: name.to_owned(),
                roles: BTreeSet::from([Role::Approver]),
            },
            person: name.to_owned(),
            active: true,
        }
    }

    fn glass(of: &Voter) -> BreakGlass {
        BreakGlass {
            holder: of.actor.clone(),
            person: of.person.clone(),
            expires_at: second(100),
            ended_at: None,
            reviewed_at: None,
        }
    }

    #[test]
    fn it_holds_until_its_end_and_not_beyond() {
        let ada = person("ada", ActorKind::User);
        let glass = glass(&ada);
        assert!(glass.holds(second(99)));
        assert!(!glass.holds(second(100)));
        assert!(!BreakGlass { ended_at: Some(second(1)), ..glass.clone() }.holds(second(2)));
        assert!(!BreakGlass { reviewed_at: Some(second(1)), ..glass.clone() }.holds(second(2)));
        assert!(glass.is_of(&ada));
        assert!(!glass.is_of(&person("ada", ActorKind::User)), "another account of hers");
    }

    #[test]
    fn somebody_else_reviews_it_once() {
        let (ada, bob) = (person("ada", ActorKind::User), person("bob", ActorKind::User));
        let open = glass(&ada);
        assert_eq!(reviewable(&open, &bob), Ok(()));
        assert_eq!(reviewable(&open, &ada), Err(Refused::OwnReview));
        let second_account = person("ada", ActorKind::User);
        assert_eq!(reviewable(&open, &second_account), Err(Refused::OwnReview));
        assert_eq!(reviewable(&open, &person("ci", ActorKind::Service)), Err(Refused::NotAPerson));
        let gone = Voter { active: false, ..bob.clone() };
        assert_eq!(reviewable(&open, &gone), Err(Refused::NotAPerson));
        let closed = BreakGlass { reviewed_at: Some(second(5)), ..open };
        assert_eq!(reviewable(&closed, &bob), Err(Refused::Reviewed));
    }
}
