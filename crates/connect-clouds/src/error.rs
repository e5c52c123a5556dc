//! Why a cloud gave no answer that can be used.

use connect::outbound;

/// Codes that say: not so fast. Google told this with 403 once, and in places still does.
const THROTTLED: [&str; 6] = [
    "RateLimiting",
    "RESOURCE_EXHAUSTED",
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "quotaExceeded",
    "TooManyRequests",
];

/// Why there is no answer. What a cloud says besides its code is not kept: its messages quote
/// requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The credentials are none that can be used.
    #[error("the credentials cannot be used: {fault}")]
    Unusable {
        /// What is wrong with them.
        fault: &'static str,
    },
    /// The caller may not do this.
    #[error("{call} was refused: {code}")]
    Refused {
        /// What was asked.
        call: &'static str,
        /// What the cloud calls the fault.
        code: String,
    },
    /// The cloud does not know the caller, or no longer.
    #[error("{call} was refused: {code}: the credentials are not good, or not any more")]
    Credentials {
        /// What was asked.
        call: &'static str,
        /// What the cloud calls the fault.
        code: String,
    },
    /// Too much was asked, by us or by others, and so at every further try.
    #[error("{call} was put off: {code}")]
    Throttled {
        /// What was asked.
        call: &'static str,
        /// What the cloud calls the fault.
        code: String,
    },
    /// Another fault.
    #[error("{call} failed with status {status}: {code}")]
    Failed {
        /// What was asked.
        call: &'static str,
        /// The status over HTTP.
        status: u16,
        /// What the cloud calls the fault; empty where the answer names none.
        code: String,
    },
    /// The answer is not of the form that belongs to the call.
    #[error("the answer to {call} cannot be read: {fault}")]
    Unreadable {
        /// What was asked.
        call: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The list did not come to an end.
    #[error("{call} gives page after page: {fault}")]
    Endless {
        /// What was asked.
        call: &'static str,
        /// How that was seen.
        fault: &'static str,
    },
    /// There was no answer at all.
    #[error("{call} was not answered")]
    Unanswered {
        /// What was asked.
        call: &'static str,
        /// Why not.
        #[source]
        source: outbound::Error,
    },
}

impl Error {
    /// What a cloud said, sorted.
    pub(crate) fn told(call: &'static str, status: u16, code: String) -> Self {
        if status == 429 || THROTTLED.contains(&code.as_str()) {
            Self::Throttled { call, code }
        } else if status == 401 {
            Self::Credentials { call, code }
        } else if status == 403 {
            Self::Refused { call, code }
        } else {
            Self::Failed { call, status, code }
        }
    }

    /// Whether asking less often would help.
    pub(crate) const fn throttled(&self) -> bool {
        matches!(self, Self::Throttled { .. })
    }

    /// Whether asking again may help: every call here only reads.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Throttled { .. } => true,
            Self::Failed { status, .. } => *status >= 500 || *status == 408,
            Self::Unanswered { source, .. } => {
                matches!(source, outbound::Error::TooSlow | outbound::Error::Malformed)
            }
            // Cut off on its way, most likely.
            Self::Unreadable { .. } => true,
            Self::Unusable { .. }
            | Self::Refused { .. }
            | Self::Credentials { .. }
            | Self::Endless { .. } => false,
        }
    }

    /// In one line, with what lies behind it.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Unanswered { source, .. } => format!("{self}: {source}"),
            other => other.to_string(),
        }
    }
}

/// A code as clouds write them, of a text that may be anything; empty when it is none.
pub(crate) fn code(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if text.len() > 100 || !text.bytes().all(plain) { String::new() } else { text.to_owned() }
}
