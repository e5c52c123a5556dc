//! What the guards are judged by, read for asking or held for starting.

use db::TenantTx;
use model::Timestamp;
use model::audit::Who;
use model::id::ExecutionId;

use super::breakers::{self, Hold};
use super::{rates, windows};
use crate::breaker::{Breaker, Event, Key};
use crate::constraint::Constraints;
use crate::cooldown::Cooldown;
use crate::error::Error;
use crate::guard::{self, Facts, GuardResult};
use crate::proposal::Proposal;

/// When guards are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When a decision is made: nothing is held.
    Asking,
    /// When an execution starts: everything that counts the start is held until the end of the
    /// transaction, in which the caller takes the slot and starts.
    Starting(ExecutionId),
}

/// The guards' answers, and the instant they are true for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// One a guard, in their order.
    pub results: Vec<GuardResult>,
    /// The database's clock.
    pub at: Timestamp,
}

/// Keeps people from changing a guard until the transaction ends.
///
/// Whoever starts an execution says so before it locks anything: what it is told to wait for would
/// else be gone by then, and nobody would wake it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn keep(tx: &mut TenantTx) -> Result<(), Error> {
    lock(tx, "SELECT pg_advisory_xact_lock_shared(hashtextextended('guards ' || $1::text, 0))")
        .await
}

/// Waits for the starts under way, and keeps others back until the transaction ends: a guard is
/// about to change.
pub(super) async fn change(tx: &mut TenantTx) -> Result<(), Error> {
    lock(tx, "SELECT pg_advisory_xact_lock(hashtextextended('guards ' || $1::text, 0))").await
}

async fn lock(tx: &mut TenantTx, statement: &'static str) -> Result<(), Error> {
    sqlx::query(statement).bind(tx.tenant().uuid()).execute(tx.conn()).await?;
    Ok(())
}

/// Asks every guard.
///
/// # Errors
/// When the database cannot be read; then nothing may run.
pub async fn ask(
    tx: &mut TenantTx,
    proposal: &Proposal,
    constraints: &Constraints,
    moment: Moment,
) -> Result<Answers, Error> {
    let windows = windows::enabled(tx).await?;
    let quotas = rates::quotas(tx, proposal).await?;
    let cooldowns = Cooldown::all(proposal);
    let (hold, but) = match moment {
        Moment::Asking => (Hold::Read, None),
        Moment::Starting(execution) => {
            rates::lock(tx, &quotas, &cooldowns).await?;
            (Hold::Lock, Some(execution))
        }
    };
    let rates = rates::usage(tx, quotas, but).await?;
    let cooldowns = rates::last_runs(tx, cooldowns, but).await?;
    let stored = breakers::load(tx, &Key::all(proposal), hold).await?;
    let breakers: Vec<Breaker> = stored.into_iter().map(|stored| stored.breaker).collect();
    let at = tx.now().await?;
    let facts = Facts { windows, rates, cooldowns, breakers };
    Ok(Answers { results: guard::evaluate(proposal, &facts, constraints, at), at })
}

/// Counts the start of an execution whose guards all allowed it, in the same transaction, and
/// moves breakers whose waiting time is over to `half_open`.
///
/// # Errors
/// [`Error::Conflict`] when a guard had not allowed it.
pub async fn take_slot(
    tx: &mut TenantTx,
    proposal: &Proposal,
    execution: ExecutionId,
    answers: &Answers,
    who: &Who,
) -> Result<(), Error> {
    if !guard::all_allow(&answers.results) {
        let found = "closed".to_owned();
        return Err(Error::Conflict { what: "a guard", found, wanted: "a start" });
    }
    rates::take_slot(tx, proposal, execution, answers.at).await?;
    breakers::tell(tx, &Key::all(proposal), &Event::Asked, who).await?;
    Ok(())
}
