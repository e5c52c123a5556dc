//! What `audit verify` says.

use model::Timestamp;
use model::id::TenantId;
use serde::Serialize;

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The bytes are not those that were logged.
    LeafMismatch,
    /// An entry that was logged is not there.
    Missing,
    /// Entries changed places.
    Reordered,
    /// An entry that was never logged is there.
    Inserted,
    /// The entry belongs to another tenant.
    TenantMismatch,
    /// The application did not write this entry.
    MacMismatch,
    /// A column says something else than the signed bytes.
    ProjectionMismatch,
    /// The entries do not give the root that was signed; the bad one is in `bounded_by`.
    RootMismatch,
    /// A checkpoint is not signed as the policy demands.
    BadSignature,
    /// The anchor has seen a longer log.
    BehindAnchor,
    /// The anchor has seen another log.
    AnchorMismatch,
}

/// The first entry that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstBad {
    /// Its place. For `root_mismatch` the first place that can be wrong, for `bad_signature` the
    /// size of the checkpoint.
    pub seq: u64,
    /// What is wrong.
    pub kind: Kind,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// What the anchor holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnchorState {
    /// The size of its newest checkpoint.
    pub size: u64,
    /// How old that is, in seconds.
    pub age: i64,
}

/// What the witness says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WitnessState {
    /// The size of the newest checkpoint it cosigned: events beyond are not covered.
    pub size: u64,
    /// When it did, in RFC 3339.
    pub at: String,
}

impl From<(u64, Timestamp)> for WitnessState {
    fn from((size, at): (u64, Timestamp)) -> Self {
        Self { size, at: at.to_string() }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether everything that was looked at is as it was signed.
    pub ok: bool,
    /// Whose log.
    pub tenant: TenantId,
    /// How many entries it has.
    pub size: u64,
    /// The first entry that is still here; what is before was pruned, and the log says so.
    pub minimum: u64,
    /// Entries known by their hashes alone, from and to (the last excluded): the log was restored
    /// from a backup, and says so.
    pub gaps: Vec<[u64; 2]>,
    /// The first bad entry.
    pub first_bad: Option<FirstBad>,
    /// The first and last entry that can be the bad one, when it cannot be named.
    pub bounded_by: Option<[u64; 2]>,
    /// What the anchor holds, when there is one.
    pub anchor: Option<AnchorState>,
    /// What the witness cosigned, when its key was given.
    pub witness: Option<WitnessState>,
    /// Why no answer can be given, when none can.
    pub cannot_tell: Option<String>,
}

impl Report {
    /// 0: as signed. 2: tampered with. 3: cannot tell.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match (&self.first_bad, self.ok) {
            (Some(_), _) => 2,
            (None, true) => 0,
            (None, false) => 3,
        }
    }
}
