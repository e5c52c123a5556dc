//! Why AWS gave no answer that can be used.

use connect::outbound;

/// Codes that say: not so fast.
const THROTTLED: [&str; 11] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
];
/// Codes that say: you may not.
const REFUSED: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
];
/// Codes that say: who are you?
const UNKNOWN_CALLER: [&str; 14] = [
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];
/// Codes of faults that pass by themselves, whatever their status is.
const PASSING: [&str; 5] = [
    "InternalError",
    "InternalFailure",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
];

/// Why there is no answer. What AWS says besides its code is not kept: its messages quote requests,
/// and those hold tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The caller may not do this.
    #[error("{call} was refused: {code}")]
    Refused {
        /// What was asked: `ec2:DescribeVpcs`.
        call: String,
        /// What AWS calls the fault.
        code: String,
    },
    /// AWS does not know the caller, or no longer.
    #[error("{call} was refused: {code}: the credentials are not good, or not any more")]
    Credentials {
        /// What was asked.
        call: String,
        /// What AWS calls the fault.
        code: String,
    },
    /// Too much was asked, by us or by others of the account, and so at every further try.
    #[error("{call} was put off: {code}")]
    Throttled {
        /// What was asked.
        call: String,
        /// What AWS calls the fault.
        code: String,
    },
    /// Another fault.
    #[error("{call} failed with status {status}: {code}")]
    Failed {
        /// What was asked.
        call: String,
        /// The status over HTTP.
        status: u16,
        /// What AWS calls the fault; empty where the answer names none.
        code: String,
    },
    /// The answer is not of the form that belongs to the call.
    #[error("the answer to {call} cannot be read: {fault}")]
    Unreadable {
        /// What was asked.
        call: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The list did not come to an end.
    #[error("{call} gives page after page: {fault}")]
    Endless {
        /// What was asked.
        call: String,
        /// How that was seen.
        fault: &'static str,
    },
    /// There was no answer at all.
    #[error("{call} was not answered")]
    Unanswered {
        /// What was asked.
        call: String,
        /// Why not.
        #[source]
        source: outbound::Error,
    },
    /// The call cannot be made.
    #[error("{call} cannot be made: {fault}")]
    Unmade {
        /// What was to be asked.
        call: String,
        /// Why not.
        fault: &'static str,
    },
    /// The region is none that AWS could have.
    #[error("a region has up to 32 small letters, digits and hyphens, as `eu-central-1`")]
    Region,
}

impl Error {
    /// What AWS said, sorted.
    pub(crate) fn told(call: &str, status: u16, code: String) -> Self {
        let call = call.to_owned();
        let is = |codes: &[&str]| codes.contains(&code.as_str());
        // `TooManyRequestsException` of one service is a limit of what may exist in another, and
        // then it does not come with 429.
        if status == 429 || is(&THROTTLED) {
            Self::Throttled { call, code }
        } else if is(&UNKNOWN_CALLER) {
            Self::Credentials { call, code }
        } else if is(&REFUSED) || (status == 403 && code.is_empty()) {
            Self::Refused { call, code }
        } else {
            Self::Failed { call, status, code }
        }
    }

    /// What AWS calls the fault, where it named one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. }
            | Self::Credentials { code, .. }
            | Self::Throttled { code, .. }
            | Self::Failed { code, .. } => Some(code).filter(|code| !code.is_empty()).map(|c| &**c),
            Self::Unreadable { .. }
            | Self::Endless { .. }
            | Self::Unanswered { .. }
            | Self::Unmade { .. }
            | Self::Region => None,
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
            Self::Failed { status, code, .. } => *status >= 500 || PASSING.contains(&code.as_str()),
            Self::Unanswered { source, .. } => {
                matches!(source, outbound::Error::TooSlow | outbound::Error::Malformed)
            }
            // Cut off on its way, most likely.
            Self::Unreadable { .. } => true,
            Self::Refused { .. }
            | Self::Credentials { .. }
            | Self::Endless { .. }
            | Self::Unmade { .. }
            | Self::Region => false,
        }
    }

    /// Whether the answer has more bytes than are taken.
    pub(crate) const fn too_large(&self) -> bool {
        matches!(self, Self::Unanswered { source: outbound::Error::TooLarge { .. }, .. })
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

/// A code as AWS writes them, of a text that may be anything: without the namespace in front
/// (`com.amazon.coral#`) and the address behind (`:http://…`). Empty when it is none.
pub(crate) fn code(text: &str) -> String {
    let text = text.rsplit('#').next().unwrap_or(text);
    let text = text.split(':').next().unwrap_or(text).trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if text.len() > 100 || !text.bytes().all(plain) { String::new() } else { text.to_owned() }
}
