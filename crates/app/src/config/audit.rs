//! How the audit log is watched, and what happens while it cannot be signed.

use std::time::Duration;

use clap::{Args, ValueEnum};
use prove::cosignature::WitnessKey;
use prove::lag::Limit;
use prove::publish::Unsigned;

/// What becomes of events while a log cannot be signed and anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WhenUnsigned {
    /// They get their places and are signed later
    Sequence,
    /// They wait in the outbox
    Wait,
}

impl From<WhenUnsigned> for Unsigned {
    fn from(when: WhenUnsigned) -> Self {
        match when {
            WhenUnsigned::Sequence => Self::Sequence,
            WhenUnsigned::Wait => Self::Wait,
        }
    }
}

/// The audit log: its witness, and how far it may be behind.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Audit log")]
pub struct Audit {
    /// How long events may wait for their signed checkpoint before nothing is started that changes
    /// something, in seconds; what runs is finished or undone
    #[arg(long, env = "COUNTERSIGN_AUDIT_LAG_S", value_name = "S", default_value_t = 120.0)]
    pub audit_lag_s: f64,

    /// What becomes of events while their log cannot be signed and anchored
    #[arg(long, env = "COUNTERSIGN_AUDIT_UNSIGNED", value_enum, default_value = "sequence")]
    pub audit_unsigned: WhenUnsigned,

    /// A witness that cosigns checkpoints: the address before `/add-checkpoint`
    #[arg(long, env = "COUNTERSIGN_WITNESS_URL", value_name = "URL", requires = "witness_key")]
    pub witness_url: Option<String>,

    /// The witness's key, as `countersign audit witness` prints it
    #[arg(long, env = "COUNTERSIGN_WITNESS_KEY", value_name = "KEY", requires = "witness_url")]
    pub witness_key: Option<WitnessKey>,

    /// Take a checkpoint for signed only once it is cosigned, where --audit-lag-s counts
    #[arg(long, env = "COUNTERSIGN_WITNESS_REQUIRED", requires = "witness_url")]
    pub witness_required: bool,
}

impl Audit {
    /// How far the log may be behind.
    #[must_use]
    pub fn limit(&self) -> Limit {
        let most = Duration::try_from_secs_f64(self.audit_lag_s).unwrap_or(Duration::MAX);
        Limit { most, witnessed: self.witness_required }
    }
}
