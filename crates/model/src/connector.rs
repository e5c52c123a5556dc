//! What a connector offers: effects behind a guard on the target.
//!
//! A connector starts an effect under a token. The target holds at most one start per token, and
//! says so to everyone who asks; that is what makes `at_most_once` true across crashes. The rules
//! for using it are in `act`; the wire is in the `connect-*` crates.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::plan::Target;
use crate::secret::Secret;

/// A boxed future, so that connectors can be held as trait objects.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What proves who we are to a target.
#[derive(Debug, Clone)]
pub enum Login {
    /// An OpenSSH private key, unencrypted.
    Key(Secret),
    /// A password.
    Password(Secret),
}

/// A target with the secret to reach it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where.
    pub target: Target,
    /// With what; `None` only for targets that ask for nothing.
    pub login: Option<Login>,
}

/// The token a check asks about: nothing is ever started under it.
pub const CHECKED: &str = "checked";

/// One effect to bring about.
#[derive(Debug, Clone)]
pub struct Effect {
    /// `step_run_id.direction.attempt_no`: at most one start per token on a target.
    pub token: String,
    /// The lease epoch of whoever starts it.
    pub epoch: i64,
    /// The script, complete.
    pub script: String,
    /// How long it may take.
    pub timeout: Duration,
    /// How many bytes of output are kept, stdout and stderr each.
    pub output_cap: u64,
}

/// Which stream bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes output as it comes. Offsets are those of the target's own files.
pub trait OutputSink: Send + Sync {
    /// Bytes of `stream` starting at `offset`.
    fn write(&self, stream: Stream, offset: u64, bytes: &[u8]);

    /// Waits until more may come. Whoever reads from a target asks after each write, so that a
    /// target that prints faster than is kept fills nobody's memory.
    fn room(&self) -> Pending<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// How an effect ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It exited.
    Exited {
        /// The exit code; death by signal n is 128 + n.
        code: i32,
        /// Whether output beyond the cap was dropped.
        truncated: bool,
    },
    /// It was stopped at its timeout.
    TimedOut {
        /// Whether output beyond the cap was dropped.
        truncated: bool,
    },
    /// The token was taken before: nothing was started by this call.
    Lost(Guard),
}

/// What a target says about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Nothing: never started.
    Absent,
    /// Started, no result yet.
    Started {
        /// The epoch that started it.
        epoch: i64,
        /// Whether the process still lives in the same boot of the target.
        alive: bool,
    },
    /// Finished.
    Exited {
        /// The exit code.
        code: i32,
    },
    /// Stopped at its timeout.
    TimedOut,
    /// Fenced off before it could start: it never can.
    Fenced {
        /// The epoch that fenced it.
        epoch: i64,
    },
}

/// Whether a fence stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fence {
    /// It never started and never can.
    Won,
    /// Too late: this is what the target holds.
    Lost(Guard),
}

/// Why a connector could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No connection: nothing was started.
    #[error("{host}: cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        host: String,
        /// In the transport's words.
        reason: String,
    },
    /// The host showed a key that is not pinned: nothing was sent, not even a login.
    #[error("{host}: host key {shown} is not one of the {pinned} pinned keys")]
    HostKey {
        /// Where.
        host: String,
        /// The fingerprint shown, `SHA256:…`.
        shown: String,
        /// How many keys are pinned.
        pinned: usize,
    },
    /// The login was refused: nothing was started.
    #[error("{host}: login as {username} was refused")]
    Login {
        /// Where.
        host: String,
        /// As whom.
        username: String,
    },
    /// The endpoint cannot be used as configured: nothing was started.
    #[error("{host}: {reason}")]
    Misconfigured {
        /// Where.
        host: String,
        /// What to put right.
        reason: String,
    },
    /// The connection broke after the effect was sent: it may have started. Ask the guard.
    #[error("{host}: connection lost after the start was sent: {reason}")]
    Interrupted {
        /// Where.
        host: String,
        /// In the transport's words.
        reason: String,
    },
}

impl ConnectError {
    /// Whether it is certain that nothing was started.
    #[must_use]
    pub const fn nothing_started(&self) -> bool {
        !matches!(self, Self::Interrupted { .. })
    }
}

/// A way to bring about effects on targets.
pub trait Connector: Send + Sync + Debug {
    /// Starts `effect` unless its token is taken, and follows it to its end.
    fn run<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        effect: &'a Effect,
        output: &'a dyn OutputSink,
    ) -> Pending<'a, Result<Ended, ConnectError>>;

    /// What the target says about `token`.
    fn probe<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: &'a str,
    ) -> Pending<'a, Result<Guard, ConnectError>>;

    /// Whether the target can be reached now: over a connection of its own, which is closed
    /// afterwards. Nothing is started or changed there.
    fn check<'a>(&'a self, endpoint: &'a Endpoint) -> Pending<'a, Result<(), ConnectError>> {
        Box::pin(async move { self.probe(endpoint, CHECKED).await.map(drop) })
    }

    /// Tries to make sure that `token` never starts.
    fn fence<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: &'a str,
        epoch: i64,
    ) -> Pending<'a, Result<Fence, ConnectError>>;

    /// Follows an effect somebody else started, from these output offsets to its end.
    fn follow<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        effect: &'a Effect,
        from: Offsets,
        output: &'a dyn OutputSink,
    ) -> Pending<'a, Result<Ended, ConnectError>>;

    /// Stops a started effect and everything it started.
    fn kill<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: &'a str,
    ) -> Pending<'a, Result<Guard, ConnectError>>;
}

/// How much of each stream is already known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offsets {
    /// Bytes of standard output.
    pub stdout: u64,
    /// Bytes of standard error.
    pub stderr: u64,
}
