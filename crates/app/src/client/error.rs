//! Why the server gave no answer that can be used.

use api::Problem;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server says what is wrong.
    #[error("{}: {}", .0.title, .0.detail)]
    Problem(Box<Problem>),
    /// Nobody answers.
    #[error("{server} cannot be reached")]
    Unreachable {
        /// The server.
        server: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Somebody answers, but not as Countersign does.
    #[error("{server} does not answer as a Countersign server: {what}")]
    Unreadable {
        /// The server.
        server: String,
        /// What it said.
        what: String,
    },
    /// The address of the server is none.
    #[error("{given:?} is not the address of a server: write http://HOST:PORT")]
    Address {
        /// What was given.
        given: String,
    },
    /// TLS cannot be set up.
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] reqwest::Error),
}

impl Error {
    /// The problem the server told of, when it did.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Unreachable { .. }
            | Self::Unreadable { .. }
            | Self::Address { .. }
            | Self::Setup(_) => None,
        }
    }

    /// What to do about it, when that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some(
                "is `countersign serve` running there? --server or COUNTERSIGN_URL name another",
            ),
            Self::Problem(problem) => match problem.code.as_str() {
                "unauthenticated" => Some("`countersign login`, or give --key or COUNTERSIGN_KEY"),
                "password_change_required" => Some("`countersign password` sets a new one"),
                "forbidden" => Some("`countersign doctor --permissions` lists who may do what"),
                _ => None,
            },
            Self::Unreadable { .. } | Self::Address { .. } | Self::Setup(_) => None,
        }
    }
}
