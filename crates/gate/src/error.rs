//! What can go wrong at the gate, by what can be done about it.

use db::Kind;
use model::canonical::CanonicalError;
use model::words::UnknownWord;

/// Why a gate operation did not happen. A refused vote or start is no error: it is an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such object in this tenant.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What kind of object.
        what: &'static str,
        /// The id asked for.
        id: String,
    },
    /// The same deterministic id was used for something else.
    #[error("deterministic id {deterministic_id:?} was already used with another body")]
    OtherBody {
        /// The id that is taken.
        deterministic_id: String,
    },
    /// Something changed underneath; read again and decide again.
    #[error("{what} is {found}, which does not allow {wanted}")]
    Conflict {
        /// What kind of object.
        what: &'static str,
        /// Where it stands.
        found: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// The input breaks a rule; the path says where.
    #[error("{path}: {reason}")]
    Invalid {
        /// Path of the field.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A stored word, hash or number is none of ours.
    #[error("a stored {what} cannot be read: {reason}")]
    Corrupt {
        /// Which column or object.
        what: &'static str,
        /// In words.
        reason: String,
    },
    /// Something to be hashed has no canonical form.
    #[error("the value has no canonical form")]
    Canonical(#[source] CanonicalError),
    /// The database said no.
    #[error("the gate's tables could not be used")]
    Db(#[source] db::Error),
}

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound { .. } => Kind::NotFound,
            Self::OtherBody { .. } | Self::Conflict { .. } => Kind::Conflict,
            Self::Invalid { .. } => Kind::Invalid,
            // A float or a wide integer somebody sent.
            Self::Canonical(CanonicalError::Number { .. }) => Kind::Invalid,
            Self::Db(error) => error.kind(),
            Self::Corrupt { .. } | Self::Canonical(_) => Kind::Internal,
        }
    }

    pub(crate) fn corrupt(what: &'static str, reason: &dyn ToString) -> Self {
        Self::Corrupt { what, reason: reason.to_string() }
    }

    pub(crate) fn unreadable(what: &'static str) -> impl Fn(UnknownWord) -> Self {
        move |error| Self::corrupt(what, &error)
    }
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        Self::Db(error)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<CanonicalError> for Error {
    fn from(error: CanonicalError) -> Self {
        Self::Canonical(error)
    }
}
