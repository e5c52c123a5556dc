//! Who may say what became of a step: saying it replaces a check, so whoever asked for the change
//! does not say it.

use std::collections::BTreeSet;

use model::actor::{Actor, ActorKind, Role};
use model::level::Tier;

/// Who may settle a step of a change above tier low.
const SETTLERS: [Role; 2] = [Role::Approver, Role::Admin];

/// An execution, as far as its settling is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The people who asked for it: those behind the accounts it was asked for with.
    pub by: BTreeSet<String>,
    /// How risky it was found.
    pub tier: Tier,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A service or an agent.
    #[error("only people can say what became of a step that runs at most once")]
    NotAPerson,
    /// The requester's own change.
    #[error("you asked for this change; somebody else must say what became of it")]
    OwnRequest,
    /// Not one of the roles.
    #[error("above tier low, saying what became of a step needs the role approver or admin")]
    RoleMissing,
}

impl Refused {
    /// A stable word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAPerson => "not_a_person",
            Self::OwnRequest => "own_request",
            Self::RoleMissing => "role_missing",
        }
    }
}

/// Whether `actor`, behind whom `person` is, may say what became of a step that runs at most once.
///
/// # Errors
/// Says why not.
pub fn settle(actor: &Actor, person: &str, asked: &Asked) -> Result<(), Refused> {
    if actor.kind != ActorKind::User {
        return Err(Refused::NotAPerson);
    }
    if asked.by.contains(person) {
        return Err(Refused::OwnRequest);
    }
    if asked.tier > Tier::Low && !actor.has_any(&SETTLERS) {
        return Err(Refused::RoleMissing);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use model::id::{ActorId, TenantId};

    use super::*;

    fn actor(kind: ActorKind, roles: &[Role]) -> Actor {
        Actor {
            id: ActorId::generate(),
            tenant_id: TenantId::generate(),
            kind,
            display_name: "Ada".into(),
            roles: roles.iter().copied().collect(),
        }
    }

    #[test]
    fn a_person_who_did_not_ask_settles_and_above_tier_low_an_approver_or_admin() {
        let asked = |tier| Asked { by: ["rita".to_owned()].into(), tier };
        let (operator, approver) =
            (actor(ActorKind::User, &[Role::Operator]), actor(ActorKind::User, &[Role::Approver]));
        let admin = actor(ActorKind::User, &[Role::Admin]);
        for tier in Tier::ALL.iter().copied() {
            let above = if tier > Tier::Low { Err(Refused::RoleMissing) } else { Ok(()) };
            assert_eq!(settle(&operator, "ada", &asked(tier)), above, "{tier}");
            assert_eq!(settle(&approver, "ada", &asked(tier)), Ok(()), "{tier}");
            assert_eq!(settle(&admin, "ada", &asked(tier)), Ok(()), "{tier}");
            assert_eq!(settle(&admin, "rita", &asked(tier)), Err(Refused::OwnRequest), "{tier}");
            for kind in [ActorKind::Service, ActorKind::Agent] {
                let machine = actor(kind, &[Role::Admin]);
                assert_eq!(settle(&machine, "bot", &asked(tier)), Err(Refused::NotAPerson));
            }
        }
    }
}
