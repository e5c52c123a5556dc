//! Why an execution could not be carried on by this worker.

use std::error::Error as StdError;

use model::execution::ExecutionState;
use model::id::{ExecutionId, StepRunId};
use model::objects::ObjectError;

use crate::execution::Refused;

/// Why an execution could not be carried on. Nothing is lost: the next worker takes it up from
/// what the database and the targets hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed.
    #[error("the database failed while the engine was {doing}")]
    Db {
        /// At what.
        doing: &'static str,
        /// Why.
        #[source]
        source: db::Error,
    },
    /// There is no such execution in this tenant.
    #[error("there is no execution {0}")]
    NotFound(ExecutionId),
    /// There is no such step run whose end is unknown.
    #[error("step run {0} does not wait for a person")]
    NothingToResolve(StepRunId),
    /// It is not in a state in which this can be done.
    #[error("an execution that is {state} cannot be {wanted}")]
    WrongState {
        /// Where it stands.
        state: ExecutionState,
        /// What was wanted.
        wanted: &'static str,
    },
    /// The clearance is for something else.
    #[error("the clearance is not for this execution, lease or plan")]
    NotCleared,
    /// The stored plan is not the one that was decided on.
    #[error("the stored plan does not have the hash that was decided on")]
    PlanChanged,
    /// Something stored cannot be read back.
    #[error("the stored {what} cannot be read")]
    Unreadable {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The planner and the state machine disagree: a fault of ours.
    #[error("the plan was to move in a way it cannot")]
    Refused(#[source] Refused),
    /// The gate's side of it failed.
    #[error("what belongs to it at the gate could not be changed")]
    Gate(#[source] gate::Error),
    /// The object store failed.
    #[error("the object store failed")]
    Objects(#[source] ObjectError),
    /// The object store gave something else than was put.
    #[error("what is stored does not have the hash that was recorded")]
    Altered,
    /// What belongs to an end beyond this crate failed: the end was not written.
    #[error("what follows from the end could not be written")]
    Finish(#[source] Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// Names what was being done when the database failed.
    pub(crate) fn db(doing: &'static str) -> impl FnOnce(db::Error) -> Self {
        move |source| Self::Db { doing, source }
    }

    /// A value of the database that is not what was written.
    pub(crate) fn unreadable<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        move |source| Self::Unreadable { what, source: source.into() }
    }

    /// How to answer it.
    #[must_use]
    pub fn kind(&self) -> db::Kind {
        match self {
            Self::Db { source, .. } => source.kind(),
            Self::Gate(source) => source.kind(),
            Self::NotFound(_) => db::Kind::NotFound,
            Self::WrongState { .. } | Self::NothingToResolve(_) => db::Kind::Conflict,
            Self::NotCleared | Self::PlanChanged | Self::Altered => db::Kind::Refused,
            Self::Objects(_) => db::Kind::Unavailable,
            Self::Unreadable { .. } | Self::Refused(_) | Self::Finish(_) => db::Kind::Internal,
        }
    }
}
