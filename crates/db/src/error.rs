//! What can go wrong with the database, sorted by what a caller can decide about it.

use std::error::Error as StdError;

use model::canonical::CanonicalError;
use sqlx::error::ErrorKind;

use crate::role::Flaw;

/// How a failure is answered: the server maps each kind to one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// There is no such thing in this tenant.
    NotFound,
    /// What was given cannot be right.
    Invalid,
    /// It clashes with what is there.
    Conflict,
    /// It is not allowed.
    Refused,
    /// Try again later.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A query that must give a row gave none.
    #[error("no such row")]
    NotFound,
    /// A unique or exclusion constraint: what was to be written is there already.
    #[error("already there: {constraint} is violated")]
    Conflict {
        /// The name of the constraint.
        constraint: String,
        /// In the driver's words.
        #[source]
        source: sqlx::Error,
    },
    /// A foreign key, a CHECK, a NOT NULL or the shape of a value.
    #[error("the database does not take this value{}", named(constraint.as_deref()))]
    Invalid {
        /// The name of the constraint, where there is one.
        constraint: Option<String>,
        /// In the driver's words.
        #[source]
        source: sqlx::Error,
    },
    /// Row-level security or a missing privilege.
    #[error("the database refuses this to the application's role")]
    Refused(#[source] sqlx::Error),
    /// Another transaction was in the way: repeat the whole transaction.
    #[error("another transaction was in the way")]
    Contended(#[source] sqlx::Error),
    /// Another worker holds the lease by now: nothing may be committed for this one.
    #[error("the lease is held by another worker by now")]
    LeaseLost,
    /// The server cannot be reached, is restarting, or took too long.
    #[error("the database cannot be reached")]
    Unavailable(#[source] sqlx::Error),
    /// The connection broke during a commit, and the database could not be asked in time whether
    /// the transaction was kept: it may be, or not.
    #[error("the connection broke during a commit: it is not known whether it was kept")]
    InDoubt(#[source] sqlx::Error),
    /// A statement of the transaction had failed, so committing it would have kept nothing.
    #[error("nothing was committed: a statement of this transaction had failed")]
    NotCommitted(#[source] sqlx::Error),
    /// The connection string cannot be used.
    #[error("the connection string of the database cannot be used")]
    Url(#[source] sqlx::Error),
    /// The login or the server is not one the application may run on.
    #[error("refusing to run on this database: {0}")]
    Unfit(Flaw),
    /// Applying or reading migrations failed.
    #[error("the migrations cannot be applied")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// An audit event has no canonical form.
    #[error("the audit event cannot be written")]
    Event(#[source] CanonicalError),
    /// An audit event is larger than the log takes.
    #[error("the audit event has {size} bytes, more than {most}: refer to large values by hash")]
    EventTooLarge {
        /// Its canonical size.
        size: usize,
        /// [`model::audit::MAX_EVENT_BYTES`].
        most: usize,
    },
    /// Anything else: a fault of ours.
    #[error("the database answered in an unexpected way")]
    Internal(#[source] Box<dyn StdError + Send + Sync>),
}

fn named(constraint: Option<&str>) -> String {
    constraint.map_or_else(String::new, |name| format!(": {name} is violated"))
}

impl Error {
    /// How to answer it.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Conflict { .. } | Self::LeaseLost => Kind::Conflict,
            Self::Invalid { .. } | Self::EventTooLarge { .. } => Kind::Invalid,
            Self::Refused(_) | Self::Unfit(_) => Kind::Refused,
            Self::Contended(_) | Self::Unavailable(_) | Self::InDoubt(_) => Kind::Unavailable,
            Self::NotCommitted(_)
            | Self::Url(_)
            | Self::Migrate(_)
            | Self::Event(_)
            | Self::Internal(_) => Kind::Internal,
        }
    }

    /// The name of the violated constraint, where one was.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Conflict { constraint, .. } => Some(constraint),
            Self::Invalid { constraint, .. } => constraint.as_deref(),
            _ => None,
        }
    }

    /// A failure that is a fault of ours.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(_) => of_database(error),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::BeginFailed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            // The socket of a server that is not there is reported as a configuration fault.
            sqlx::Error::Configuration(_) => Self::Url(error),
            other => Self::internal(other),
        }
    }
}

/// Sorts by SQLSTATE: <https://www.postgresql.org/docs/15/errcodes-appendix.html>.
fn of_database(error: sqlx::Error) -> Error {
    let Some(database) = error.as_database_error() else { return Error::internal(error) };
    let constraint = database.constraint().map(str::to_owned);
    let code = database.code().unwrap_or_default().into_owned();
    match database.kind() {
        ErrorKind::UniqueViolation => {
            return Error::Conflict { constraint: constraint.unwrap_or_default(), source: error };
        }
        ErrorKind::ForeignKeyViolation
        | ErrorKind::NotNullViolation
        | ErrorKind::CheckViolation => return Error::Invalid { constraint, source: error },
        _ => {}
    }
    match code.as_str() {
        "23P01" => Error::Conflict { constraint: constraint.unwrap_or_default(), source: error },
        // Integrity and data exceptions that the kinds above do not name.
        code if code.starts_with("23") || code.starts_with("22") => {
            Error::Invalid { constraint, source: error }
        }
        "42501" => Error::Refused(error),
        // Serialisation failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => Error::Contended(error),
        "25P02" => Error::NotCommitted(error),
        // Connection, resources, operator intervention (time-out, shutdown), system errors.
        code if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
            Error::Unavailable(error)
        }
        // A session ended by idle_in_transaction_session_timeout.
        "25P03" => Error::Unavailable(error),
        _ => Error::internal(error),
    }
}
