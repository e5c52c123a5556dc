//! Approvals: who may vote, what a vote brings about, and when it no longer counts.
//!
//! A denial is final, and so is an expiry. The number and the roles of approvers come from the
//! decision, never from the request.

use std::collections::BTreeSet;

use model::actor::{Actor, ActorKind};
use model::id::ActorId;
use model::intent::ApprovalState;
use model::level::Tier;
use model::verdict::ApprovalRequirement;
use model::{Digest, Timestamp};

use crate::quorum::{Tally, tally};

model::words! {
    /// Yes or no.
    Choice {
        /// Yes.
        Approve = "approve",
        /// No. One is enough.
        Deny = "deny",
    }
}

/// A party to an approval: an account and everybody behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The account.
    pub actor: ActorId,
    /// Who is behind it: the subject of the identity provider, so that two accounts of one person
    /// are one person; behind a service or an agent, also whoever made its keys.
    pub people: BTreeSet<String>,
}

/// Somebody who votes, with the roles held now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    /// The account, with its roles.
    pub actor: Actor,
    /// The person behind it.
    pub person: String,
    /// Whether the account is in use; a removed one counts for nothing.
    pub active: bool,
}

/// A vote that was cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// By whom, as they stand now.
    pub voter: Voter,
    /// What they said.
    pub choice: Choice,
}

/// A request for approval with its votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where it stands.
    pub state: ApprovalState,
    /// Who must approve.
    pub requirement: ApprovalRequirement,
    /// Who asked for the change.
    pub requester: Party,
    /// Who wrote the plan.
    pub author: Party,
    /// What it is bound to.
    pub bound_hash: Digest,
    /// Until when votes are taken, and a start is allowed.
    pub expires_at: Timestamp,
    /// Who gave it alone, under emergency authority.
    pub alone: Option<ActorId>,
    /// The votes.
    pub votes: Vec<Vote>,
}

/// What a vote brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The same person had said the same before: nothing changes.
    Repeated,
    /// It counts; so many more are needed.
    Counted {
        /// How many more.
        missing: u32,
    },
    /// It was the last one needed.
    Approved,
    /// It ends the matter.
    Denied,
}

/// Why a vote is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Votes are no longer taken.
    #[error("already decided: the approval is {0}")]
    Decided(ApprovalState),
    /// Time ran out, by the database's clock.
    #[error("the approval expired at {at}")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// The same person voted the other way before.
    #[error("you already voted {0}; cancel the execution instead")]
    AlreadyVoted(Choice),
    /// The request for approval is for something else by now.
    #[error("what the approval is bound to has changed")]
    Changed,
    /// Not one of the roles that may vote.
    #[error("voting needs one of the roles {0}")]
    WrongRole(String),
    /// The requester's own request.
    #[error("you asked for this change; somebody else must approve it")]
    OwnRequest,
    /// The author's own plan.
    #[error("you wrote this plan; above tier low somebody else must approve it")]
    OwnPlan,
    /// A service or an agent.
    #[error("only people can approve")]
    NotAPerson,
    /// The account was switched off.
    #[error("the account is no longer active")]
    Inactive,
    /// A second factor must be shown for it.
    #[error("show your second factor for {bound_hash} first: POST /api/v1/account/step-up")]
    StepUpNeeded {
        /// What is to be approved.
        bound_hash: Digest,
    },
    /// There is none to show.
    #[error(
        "approving this needs a second factor, and you have none: set one up first, \
         POST /api/v1/account/second-factor"
    )]
    FactorMissing,
    /// A key can show none.
    #[error("approving this needs your second factor, which an API key cannot show: log in")]
    SessionNeeded,
    /// No emergency authority is held.
    #[error("you have no emergency authority at present: break the glass first")]
    GlassNotBroken,
}

impl Refused {
    /// A stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Decided(_) => "already_decided",
            Self::Expired { .. } => "approval_expired",
            Self::AlreadyVoted(_) => "already_voted",
            Self::Changed => "approval_void",
            Self::WrongRole(_) => "role_missing",
            Self::OwnRequest => "own_request",
            Self::OwnPlan => "own_plan",
            Self::NotAPerson => "not_a_person",
            Self::Inactive => "account_inactive",
            Self::StepUpNeeded { .. } => "step_up_required",
            Self::FactorMissing => "factor_missing",
            Self::SessionNeeded => "session_required",
            Self::GlassNotBroken => "glass_not_broken",
        }
    }

    /// The HTTP status: 401 for what is still to be shown, 403 for who, 409 for when.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::StepUpNeeded { .. } | Self::FactorMissing => 401,
            Self::Decided(_)
            | Self::Expired { .. }
            | Self::AlreadyVoted(_)
            | Self::Changed
            | Self::GlassNotBroken => 409,
            Self::WrongRole(_)
            | Self::OwnRequest
            | Self::OwnPlan
            | Self::NotAPerson
            | Self::Inactive
            | Self::SessionNeeded => 403,
        }
    }
}

/// Whether somebody may vote on a request, with the roles held now.
///
/// # Errors
/// Says why not.
pub fn eligible(request: &Request, voter: &Voter) -> Result<(), Refused> {
    let is = |party: &Party| party.actor == voter.actor.id || party.people.contains(&voter.person);
    active_person(voter)?;
    if is(&request.requester) {
        return Err(Refused::OwnRequest);
    }
    if request.requirement.tier > Tier::Low && is(&request.author) {
        return Err(Refused::OwnPlan);
    }
    role_held(request, voter)
}

/// Whether somebody is of those who may vote, whoever asked for the change: what emergency
/// authority does not replace.
///
/// # Errors
/// Says why not.
pub fn able(request: &Request, voter: &Voter) -> Result<(), Refused> {
    active_person(voter)?;
    role_held(request, voter)
}

fn active_person(voter: &Voter) -> Result<(), Refused> {
    if voter.actor.kind != ActorKind::User {
        return Err(Refused::NotAPerson);
    }
    if !voter.active {
        return Err(Refused::Inactive);
    }
    Ok(())
}

fn role_held(request: &Request, voter: &Voter) -> Result<(), Refused> {
    if !voter.actor.has_any(&request.requirement.roles) {
        let words: Vec<_> = request.requirement.roles.iter().map(|role| role.word()).collect();
        return Err(Refused::WrongRole(words.join(", ")));
    }
    Ok(())
}

/// What a vote at `at` brings about. The caller records it; this only says.
///
/// # Errors
/// Says why it is not taken.
pub fn vote(
    request: &Request,
    voter: &Voter,
    choice: Choice,
    at: Timestamp,
) -> Result<Answer, Refused> {
    let same =
        |vote: &&Vote| vote.voter.actor.id == voter.actor.id || vote.voter.person == voter.person;
    if let Some(before) = request.votes.iter().find(same) {
        let repeated = before.choice == choice;
        return if repeated {
            Ok(Answer::Repeated)
        } else {
            Err(Refused::AlreadyVoted(before.choice))
        };
    }
    eligible(request, voter)?;
    if request.state != ApprovalState::Pending {
        return Err(Refused::Decided(request.state));
    }
    if at >= request.expires_at {
        return Err(Refused::Expired { at: request.expires_at });
    }
    let mut after = request.clone();
    after.votes.push(Vote { voter: voter.clone(), choice });
    Ok(match tally(&after) {
        Tally::Denied => Answer::Denied,
        Tally::Reached => Answer::Approved,
        Tally::Missing(missing) => Answer::Counted { missing },
    })
}

/// What an approving vote at `at` brings about whose voter holds emergency authority: it stands
/// for all votes.
///
/// # Errors
/// Says why it is not taken.
pub fn vote_alone(request: &Request, voter: &Voter, at: Timestamp) -> Result<Answer, Refused> {
    able(request, voter)?;
    if request.state != ApprovalState::Pending {
        return Err(Refused::Decided(request.state));
    }
    if at >= request.expires_at {
        return Err(Refused::Expired { at: request.expires_at });
    }
    // A denial is final for whoever gave it, too; and one person votes with one account.
    let same = |vote: &&Vote| {
        vote.voter.person == voter.person
            && (vote.choice == Choice::Deny || vote.voter.actor.id != voter.actor.id)
    };
    if let Some(before) = request.votes.iter().find(same) {
        return Err(Refused::AlreadyVoted(before.choice));
    }
    Ok(Answer::Approved)
}

#[cfg(test)]
mod tests;
