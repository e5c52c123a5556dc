//! What can go wrong between stages, and how it is answered.

use act::runbook::compile::CompileError;
use act::runbook::select::SelectError;
use api::Problem;
use learn::store::OutcomeError;
use model::canonical::CanonicalError;
use model::id::FindingId;
use model::objects::ObjectError;
use sense::store::remediation::Unreachable;

/// Why a hand-off did not happen. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] db::Error),
    /// The gate's part failed.
    #[error("the gate's part failed")]
    Gate(#[from] gate::Error),
    /// The judge's part failed.
    #[error("the judge's part failed")]
    Judge(#[from] judge::store::Error),
    /// The runbook's part failed.
    #[error("the runbook's part failed")]
    Runbook(#[from] act::runbook::store::Error),
    /// What was learned could not be read or written.
    #[error("what was learned could not be read or written")]
    Learn(#[from] learn::store::OutcomeError),
    /// No plan can be made of the runbook.
    #[error("no plan can be made: {0}")]
    Compile(#[from] CompileError),
    /// No target can be chosen.
    #[error("no target can be chosen: {0}")]
    Select(#[from] SelectError),
    /// A record has no canonical form.
    #[error("the record has no canonical form")]
    Canonical(#[from] CanonicalError),
    /// Whoever asked may no longer ask.
    #[error("{0} is not active any more")]
    NotActive(String),
    /// What came of a change that runs here comes from its execution.
    #[error("this change was to be carried out here: its execution says what came of it")]
    NotAdvice,
    /// The engine's part failed.
    #[error("the engine's part failed")]
    Act(#[from] act::Error),
    /// What was stored cannot be read.
    #[error("what was stored cannot be read")]
    Objects(#[from] ObjectError),
    /// The source cannot be worked on.
    #[error("the source cannot be worked on")]
    Source(#[from] Unreachable),
    /// A finding cannot be put right.
    #[error("{finding} {why}")]
    NotToRemedy {
        /// Which.
        finding: FindingId,
        /// Why.
        why: &'static str,
    },
    /// One change is about one source.
    #[error("the findings are of several sources: ask for each source by itself")]
    ManySources,
    /// The decision of an intent is gone.
    #[error("an intent has no decision")]
    Undecided,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Db(error) => error.into(),
            Error::Gate(error) => error.into(),
            Error::Runbook(error) => error.into(),
            Error::Judge(error) => error.into(),
            Error::Compile(error) => Self::invalid(&error.path, error.code, error.to_string()),
            Error::Select(error) => Self::invalid("/targets", "no_target", error.to_string()),
            Error::Canonical(error) => Self::invalid("/variables", "number", error.to_string()),
            error @ Error::NotAdvice => Self::conflict("outcome_by_execution", error.to_string()),
            Error::Learn(error @ OutcomeError::Contradicts) => {
                Self::conflict("outcome_recorded", error.to_string())
            }
            Error::Learn(error @ OutcomeError::KeyTaken) => {
                Self::conflict("outcome_key_taken", error.to_string())
            }
            Error::Learn(OutcomeError::Database(error)) => error.into(),
            Error::Source(Unreachable::Database(error)) => error.into(),
            Error::Source(error @ Unreachable::Incomplete { .. }) => {
                Self::conflict("source_incomplete", error.to_string())
            }
            error @ (Error::NotToRemedy { .. } | Error::ManySources) => {
                Self::invalid("/finding_ids", "not_to_remedy", error.to_string())
            }
            Error::Act(error) => Self::internal(&error),
            Error::Objects(error) => Self::unavailable(error.to_string()),
            error @ (Error::NotActive(_) | Error::Undecided) => Self::internal(&error),
        }
    }
}
