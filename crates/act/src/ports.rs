//! What the engine needs from outside: logins, permission to begin, and what follows from an end.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::sync::Arc;

use db::TenantTx;
use gate::clear::Clearance;
use model::connector::{Login, Pending};
use model::execution::ExecutionState;
use model::id::{ExecutionId, TenantId};
use model::plan::{Plan, Target};
use model::time::Timestamp;

use crate::lease::Claimed;
use crate::snapshot::Because;

/// An error from beyond this crate.
pub type Outside = Box<dyn StdError + Send + Sync>;

/// Opens the sealed secret of a target, just in time, and forgets it.
pub trait Logins: Send + Sync + Debug {
    /// The login for `target`; `None` when the target needs none.
    fn login<'a>(
        &'a self,
        tenant: TenantId,
        execution: ExecutionId,
        target: &'a Target,
    ) -> Pending<'a, Result<Option<Login>, Outside>>;
}

/// The answer to a worker that wants to begin or take up an execution.
#[derive(Debug)]
pub enum Begin {
    /// It may.
    Cleared(Clearance),
    /// It may not, and the execution was moved or put off accordingly.
    Refused,
}

/// How an execution ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub execution: ExecutionId,
    /// Its plan.
    pub plan: Arc<Plan>,
    /// Its last state.
    pub state: ExecutionState,
    /// Why it did not go through, if it did not.
    pub because: Option<Because>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// Whether a check or an observed end said so: see [`crate::verified`]. Only then it teaches.
    pub verified: bool,
    /// When it started acting.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// What others do at the beginning and at the end of an execution.
pub trait Hooks: Send + Sync + Debug {
    /// Judges a claimed execution again and clears it, or moves it to where it belongs.
    fn begin<'a>(&'a self, claimed: &'a Claimed) -> Pending<'a, Result<Begin, Outside>>;

    /// Writes what follows from an end, in the transaction that ends it.
    fn finish<'a>(
        &'a self,
        tx: &'a mut TenantTx,
        finished: &'a Finished,
    ) -> Pending<'a, Result<(), Outside>>;
}
