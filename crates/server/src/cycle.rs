//! The hand-offs between stages, each one transaction: ask, assess, start, finish, explain.
//!
//! Stages do not know each other. What one gives and the next takes meets here, and nowhere else.

mod advise;
pub mod api;
mod ask;
mod assess;
mod deliver;
mod error;
mod except;
pub mod explain;
mod finish;
mod logins;
pub mod monitor;
mod reach;
pub mod recompute;
mod record;
mod remedy;
mod report;
pub mod retire;
mod rotate;
pub mod source;
mod start;
mod store;
mod sweep;
mod today;
mod weigh;

use std::sync::Arc;

use ::api::App;
use judge::constants::ConstantSet;
use judge::store::bundles::Compiled;
use prove::keys::{Keyring, SigningKey};
use prove::lag::Limit;

pub use ask::{Ask, Asked, ask};
pub use assess::{SUBJECT as ASSESS, assess};
pub use deliver::{SUBJECT as DELIVER, deliver};
pub use error::Error;
pub use explain::{SUBJECT as EXPLAIN, explain};
pub use finish::LoopHooks;
pub use logins::SealedLogins;
pub use reach::{SUBJECT as REACH, reach};
pub use remedy::{SUBJECT as REMEDY, follow};
pub use rotate::{SUBJECT as ROTATE, rewrap_everywhere, rotate};
pub use sweep::{count, sweep};

/// What the hand-offs share.
#[derive(Clone)]
pub struct Loop(Arc<Inner>);

struct Inner {
    app: App,
    policies: Compiled,
    signers: Keyring,
    constants: &'static ConstantSet,
    limit: Limit,
}

impl std::fmt::Debug for Loop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loop").field("constants", &self.0.constants.name).finish_non_exhaustive()
    }
}

impl Loop {
    /// The hand-offs over this state; decisions are signed with the newest of these keys.
    #[must_use]
    pub fn new(app: App, signers: Keyring) -> Self {
        Self::limited(app, signers, Limit::default())
    }

    /// The same where the audit log may be behind by this much.
    #[must_use]
    pub fn limited(app: App, signers: Keyring, limit: Limit) -> Self {
        Self(Arc::new(Inner {
            app,
            policies: Compiled::default(),
            signers,
            constants: ConstantSet::arf_1(),
            limit,
        }))
    }

    /// How far the audit log may be behind.
    fn limit(&self) -> Limit {
        self.0.limit
    }

    fn signer(&self) -> &SigningKey {
        self.0.signers.newest()
    }

    /// The public keys decisions of this deployment are, or were, signed with.
    #[must_use]
    pub fn trusted(&self) -> Vec<[u8; 32]> {
        self.0.signers.trusted()
    }

    /// What handlers share.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.0.app
    }
}

/// An error with what caused it, in one line of bounded length.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text.chars().take(1000).collect()
}
