//! Policy bundles and risk assessments in the database.

use model::id::{BundleId, RiskId};

use crate::policy::PolicyProblem;

pub mod assessments;
pub mod bundles;
pub mod explained;

/// Why a bundle or an assessment could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not do it.
    #[error("the database did not do it")]
    Database(#[from] db::Error),
    /// There is no such bundle.
    #[error("policy bundle {0} does not exist")]
    NoBundle(BundleId),
    /// There is no such assessment.
    #[error("risk assessment {0} does not exist")]
    NoAssessment(RiskId),
    /// A stored bundle is not the one whose hash stands beside it.
    #[error("policy bundle {0} does not have the hash it was stored with")]
    Altered(BundleId),
    /// A stored bundle does not compile any more: the binary is another than the one that took it.
    #[error("policy bundle {id} does not compile any more: {}", listed(.problems))]
    Unusable {
        /// The bundle.
        id: BundleId,
        /// Why.
        problems: Vec<PolicyProblem>,
    },
    /// A stored value has no meaning here.
    #[error("{what} cannot be read: {reason}")]
    Unreadable {
        /// Which value.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

fn listed(problems: &[PolicyProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// How the failure is answered.
    #[must_use]
    pub fn kind(&self) -> db::Kind {
        match self {
            Self::Database(error) => error.kind(),
            Self::NoBundle(_) | Self::NoAssessment(_) => db::Kind::NotFound,
            Self::Altered(_) | Self::Unusable { .. } | Self::Unreadable { .. } => {
                db::Kind::Internal
            }
        }
    }

    fn query(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }

    fn unreadable(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Unreadable { what, reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests;
