//! A vote: one transaction that holds the approval, so that exactly one vote brings the decision.

use db::TenantTx;
use model::actor::Actor;
use model::audit::{Event, Origin};
use model::execution::ExecutionState;
use model::id::{ApprovalId, EventId, SessionId, VoteId};
use model::intent::{ApprovalState, IntentState};
use model::verdict::Verdict;

use super::rows::{StoredApproval, fetch, voter};
use super::{Source, closing};
use crate::approval::{self, Answer, Choice, Refused, Voter};
use crate::error::Error;
use crate::step_up::{self, Demand, Door};
use crate::store::break_glass::{StoredBreakGlass, held_by};
use crate::store::breakers::Hold;
use crate::store::exceptions;
use crate::store::executions::{Move, advance};
use crate::store::intents;
use crate::store::step_up as shown;

/// The longest note that is kept, in characters.
pub const MAX_NOTE_CHARS: usize = 2000;

/// A vote about to be cast.
#[derive(Debug, Clone)]
pub struct Cast<'a> {
    /// On which approval.
    pub approval: ApprovalId,
    /// By whom.
    pub actor: &'a Actor,
    /// Yes or no.
    pub choice: Choice,
    /// Why, in the voter's words.
    pub note: &'a str,
    /// Through which door.
    pub source: Source,
    /// From where.
    pub origin: &'a Origin,
    /// In which login session; `None` with a key.
    pub session: Option<SessionId>,
    /// By which authority.
    pub authority: Authority,
}

/// By which authority somebody votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// As one of those who must approve.
    Own,
    /// Alone, under emergency authority.
    Emergency,
}

/// How a vote ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The same person had said the same before: nothing changed.
    Repeated,
    /// It counts; so many more are needed.
    Counted {
        /// How many more.
        missing: u32,
    },
    /// It was the last one needed: the execution may start.
    Approved,
    /// It ended the matter: the execution is denied.
    Denied,
    /// It was not taken.
    Refused(Refused),
}

/// What a vote left behind. The caller commits in every case: a refusal is an event too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// How it ended.
    pub end: End,
    /// Where the approval stands now.
    pub state: ApprovalState,
    /// The audit events written.
    pub events: Vec<EventId>,
}

/// Casts a vote. Nothing but the database's clock decides whether it came in time.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for an overlong note; database failures. A vote that is
/// not taken is no error but an [`End::Refused`].
pub async fn vote(tx: &mut TenantTx, cast: &Cast<'_>) -> Result<Ballot, Error> {
    if cast.note.chars().count() > MAX_NOTE_CHARS {
        let reason = format!("may have {MAX_NOTE_CHARS} characters");
        return Err(Error::Invalid { path: "/note".into(), reason });
    }
    let stored = fetch(tx, cast.approval, Hold::Lock).await?;
    let voter = voter(tx, cast.actor.id).await?;
    // Asked after the lock was had: waiting for it takes time too.
    let at = tx.now().await?;
    let glass = match cast.authority {
        Authority::Emergency if cast.choice == Choice::Approve => held_by(tx, &voter, at)
            .await?
            .map_or(Err(Refused::GlassNotBroken), |held| Ok(Some(held))),
        Authority::Emergency | Authority::Own => Ok(None),
    };
    let answer = match &glass {
        Err(refused) => Err(refused.clone()),
        Ok(Some(_)) => approval::vote_alone(&stored.request, &voter, at),
        Ok(None) => approval::vote(&stored.request, &voter, cast.choice, at),
    };
    let answer = match answer {
        Ok(answer) => stepped_up(tx, cast, &stored, answer).await?,
        refused => refused,
    };
    match answer {
        Err(refused @ Refused::Expired { .. }) => {
            let events = closing::expire(tx, &stored, cast.actor.into()).await?;
            refuse(tx, cast, refused, ApprovalState::Expired, events).await
        }
        Err(refused) => refuse(tx, cast, refused, stored.request.state, Vec::new()).await,
        Ok(Answer::Repeated) => {
            Ok(Ballot { end: End::Repeated, state: stored.request.state, events: Vec::new() })
        }
        Ok(Answer::Counted { missing }) => {
            let events = vec![record(tx, cast, &voter).await?];
            Ok(Ballot { end: End::Counted { missing }, state: ApprovalState::Pending, events })
        }
        Ok(Answer::Approved) => {
            if let Ok(Some(glass)) = &glass {
                alone(tx, cast, glass).await?;
            }
            decide(tx, cast, &stored, &voter, ApprovalState::Approved).await
        }
        Ok(Answer::Denied) => decide(tx, cast, &stored, &voter, ApprovalState::Denied).await,
    }
}

/// The answer, if what the vote must bring was brought: a second factor, shown just now for this.
async fn stepped_up(
    tx: &mut TenantTx,
    cast: &Cast<'_>,
    stored: &StoredApproval,
    answer: Answer,
) -> Result<Result<Answer, Refused>, Error> {
    if cast.choice != Choice::Approve || answer == Answer::Repeated {
        return Ok(Ok(answer));
    }
    let policy = shown::policy(tx).await?;
    let factor = shown::factor(tx, cast.actor.id).await?;
    let door = if cast.session.is_some() { Door::Session } else { Door::Key };
    let tier = stored.request.requirement.tier;
    let demand = step_up::demand(policy, tier, cast.actor.kind, door, factor);
    let bound_hash = stored.request.bound_hash;
    Ok(match (demand, cast.session) {
        (Err(refused), _) => Err(refused),
        (Ok(Demand::Nothing), _) => Ok(answer),
        (Ok(Demand::Fresh), Some(session)) if shown::use_up(tx, session, &bound_hash).await? => {
            Ok(answer)
        }
        (Ok(Demand::Fresh), _) => Err(step_up::missing(bound_hash)),
    })
}

/// Notes that an approval is one person's alone. What it lets start must start while the
/// authority lasts.
async fn alone(tx: &mut TenantTx, cast: &Cast<'_>, glass: &StoredBreakGlass) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.approvals a
         SET break_glass_id = g.id, expires_at = LEAST(a.expires_at, g.expires_at)
         FROM countersign.break_glass g
         WHERE a.tenant_id = $1 AND a.id = $2 AND a.status = 'pending'
           AND g.tenant_id = a.tenant_id AND g.id = $3",
    )
    .bind(tx.tenant().uuid())
    .bind(cast.approval.uuid())
    .bind(glass.id.uuid())
    .execute(tx.conn())
    .await?;
    let used = Event::new(cast.actor, "break_glass.used", "break_glass", &glass.id)
        .with("approval_id", cast.approval.to_string())
        .with("reason", glass.reason.clone())
        .from_origin(cast.origin.clone());
    tx.audit(&used).await?;
    Ok(())
}

/// The vote that decides: approval, vote, execution and events together.
async fn decide(
    tx: &mut TenantTx,
    cast: &Cast<'_>,
    stored: &StoredApproval,
    voter: &Voter,
    to: ApprovalState,
) -> Result<Ballot, Error> {
    let (state, end, verdict) = if to == ApprovalState::Approved {
        (ExecutionState::Approved, End::Approved, Verdict::Allow)
    } else {
        (ExecutionState::Denied, End::Denied, Verdict::Deny)
    };
    let moved = sqlx::query(
        "UPDATE countersign.approvals
         SET status = $3, reason = NULLIF($4, ''), decided_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2
           AND status = 'pending'
           AND expires_at > clock_timestamp()",
    )
    .bind(tx.tenant().uuid())
    .bind(stored.id.uuid())
    .bind(to.word())
    .bind(cast.note)
    .execute(tx.conn())
    .await?;
    if moved.rows_affected() == 0 {
        // It expired between the question and the update.
        let refused = Refused::Expired { at: stored.request.expires_at };
        let events = closing::expire(tx, stored, cast.actor.into()).await?;
        return refuse(tx, cast, refused, ApprovalState::Expired, events).await;
    }
    let reason = if state == ExecutionState::Denied { "denied by a vote" } else { "" };
    let from = &[ExecutionState::AwaitingApproval];
    let step = Move { approval: stored.id, from, to: state, reason };
    let Some(execution) = advance(tx, step).await? else {
        if let Some(event) = exceptions::decided(tx, stored.id, to, cast.actor.into()).await? {
            return excepted(tx, cast, stored, voter, (to, event)).await;
        }
        // Cancelled in the meantime: there is nothing left to approve.
        let events =
            closing::void(tx, stored.id, "nothing waits for it", cast.actor.into()).await?;
        return refuse(tx, cast, Refused::Changed, ApprovalState::Void, events).await;
    };
    let mut events = vec![record(tx, cast, voter).await?];
    if to == ApprovalState::Denied {
        intents::settle_if_open(tx, stored.intent, IntentState::Denied).await?;
    }
    let decided = Event::new(cast.actor, &format!("approval.{to}"), "approval", &stored.id)
        .decided(verdict)
        .with("execution_id", execution.to_string())
        .with("bound_hash", stored.request.bound_hash.to_string())
        .from_origin(cast.origin.clone());
    let moved = Event::new(cast.actor, &format!("execution.{state}"), "execution", &execution)
        .with("approval_id", stored.id.to_string())
        .from_origin(cast.origin.clone());
    events.extend(tx.audit_many(&[decided, moved]).await?);
    Ok(Ballot { end, state: to, events })
}

/// The vote that decides about an exception: nothing runs for it.
async fn excepted(
    tx: &mut TenantTx,
    cast: &Cast<'_>,
    stored: &StoredApproval,
    voter: &Voter,
    (to, exception): (ApprovalState, EventId),
) -> Result<Ballot, Error> {
    let (end, verdict, intent) = if to == ApprovalState::Approved {
        (End::Approved, Verdict::Allow, IntentState::Succeeded)
    } else {
        (End::Denied, Verdict::Deny, IntentState::Denied)
    };
    let mut events = vec![record(tx, cast, voter).await?, exception];
    intents::settle_if_open(tx, stored.intent, intent).await?;
    let decided = Event::new(cast.actor, &format!("approval.{to}"), "approval", &stored.id)
        .decided(verdict)
        .with("bound_hash", stored.request.bound_hash.to_string())
        .from_origin(cast.origin.clone());
    events.push(tx.audit(&decided).await?);
    Ok(Ballot { end, state: to, events })
}

async fn record(tx: &mut TenantTx, cast: &Cast<'_>, voter: &Voter) -> Result<EventId, Error> {
    sqlx::query(
        "INSERT INTO countersign.approval_votes (tenant_id, id, approval_id, actor_id, person,
           decision, note, source)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         -- Whoever approves alone may have approved as one of several before.
         ON CONFLICT ON CONSTRAINT approval_votes_once_key DO NOTHING",
    )
    .bind(tx.tenant().uuid())
    .bind(VoteId::generate().uuid())
    .bind(cast.approval.uuid())
    .bind(voter.actor.id.uuid())
    .bind(&voter.person)
    .bind(cast.choice.word())
    .bind(cast.note)
    .bind(cast.source.word())
    .execute(tx.conn())
    .await?;
    let event = Event::new(&voter.actor, "approval.voted", "approval", &cast.approval)
        .with("choice", cast.choice.word())
        .with("note", cast.note)
        .with("source", cast.source.word())
        .from_origin(cast.origin.clone());
    Ok(tx.audit(&event).await?)
}

async fn refuse(
    tx: &mut TenantTx,
    cast: &Cast<'_>,
    refused: Refused,
    state: ApprovalState,
    mut events: Vec<EventId>,
) -> Result<Ballot, Error> {
    let event = Event::new(cast.actor, "approval.vote_refused", "approval", &cast.approval)
        .with("choice", cast.choice.word())
        .with("code", refused.code())
        .failed(refused.to_string())
        .from_origin(cast.origin.clone());
    events.push(tx.audit(&event).await?);
    Ok(Ballot { end: End::Refused(refused), state, events })
}
