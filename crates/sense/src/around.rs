//! Drifts and what happened around them, as the database knows both: what explaining starts from.

use std::collections::BTreeSet;

use model::Timestamp;
use model::id::{EnvironmentId, FindingId, ResourceId};
use model::level::{EnvironmentClass, Severity};

use crate::drift::{Axes, Change, DriftType};

/// A drift that a scan saw.
#[derive(Debug, Clone)]
pub struct Drifted {
    /// Its finding.
    pub finding: FindingId,
    /// When it was noticed first.
    pub began_at: Timestamp,
    /// Where.
    pub environment: Option<Environment>,
    /// What the declaration calls the resource; what the provider does, where nothing declares it.
    pub address: String,
    /// Its type, in the declaration's language.
    pub kind: String,
    /// What the provider calls it.
    pub external: Vec<String>,
    /// The file of a repository that declares it.
    pub declared_in: Option<String>,
    /// The service it belongs to.
    pub service: Option<String>,
    /// The resource of the estate it is, when that is known.
    pub known: Option<Known>,
    /// How it differs.
    pub drift: DriftType,
    /// How bad that is.
    pub axes: Axes,
    /// The properties that differ, each with whether it matters to security.
    pub changes: Vec<(Change, bool)>,
    /// How often the same property of the same resource drifted in the 90 days before.
    pub repeats: u32,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Which.
    pub id: EnvironmentId,
    /// What people call it in addresses.
    pub slug: String,
    /// Its class.
    pub class: EnvironmentClass,
    /// The time zone of those who work there: its tag `timezone`, or the tenant's setting.
    pub zone: Option<String>,
}

/// A resource of the estate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub id: ResourceId,
    /// What people call it.
    pub name: String,
    /// Its tags, each as `key=value`.
    pub tags: BTreeSet<String>,
}

/// Something that happened, of whatever kind; the words are those of `correlation_type`.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    /// What.
    pub kind: String,
    /// Where it is from.
    pub system: String,
    /// What it is called there.
    pub id: String,
    /// When it happened or began.
    pub at: Timestamp,
    /// When it ended; the present while it lasts.
    pub until: Option<Timestamp>,
    /// The environment it is about.
    pub environment: Option<EnvironmentId>,
    /// The service.
    pub service: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// In words.
    pub text: String,
    /// Files.
    pub paths: Vec<String>,
    /// Resources, as their declarations call them.
    pub addresses: Vec<String>,
    /// Resources, as their provider calls them.
    pub resources: Vec<String>,
    /// Ids that may be found elsewhere.
    pub shared: Vec<String>,
    /// What a cloud recorded of the call, where it is one.
    pub call: Option<Called>,
}

/// What a cloud recorded of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Called {
    /// What kind of caller it was.
    pub actor_type: Option<String>,
    /// The role behind the session.
    pub role: Option<String>,
    /// What it was made with.
    pub user_agent: Option<String>,
    /// Whether the session had a second factor.
    pub mfa: Option<bool>,
    /// Whether it changed nothing: it only read, or it was refused.
    pub idle: bool,
}
