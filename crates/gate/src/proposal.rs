//! What is about to run, as the guards see it.

use std::collections::BTreeSet;

use model::Timestamp;
use model::id::{ResourceId, RunbookId, TriggerId};
use model::level::EnvironmentClass;
use serde::{Deserialize, Serialize};

use crate::rate::Quota;

/// One thing that would be touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The resource.
    pub resource: ResourceId,
    /// What people call it.
    pub name: String,
    /// Its environment's slug.
    pub environment: String,
    /// Its environment's class.
    pub class: EnvironmentClass,
    /// Its tags, each as `key=value`; group names as `group=name`.
    pub tags: BTreeSet<String>,
}

/// How old the knowledge is that the plan was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// When it was gathered; unknown counts as too old.
    pub taken_at: Option<Timestamp>,
    /// How old it may be, in seconds.
    pub max_age_s: u32,
}

/// Everything the guards need to know about a plan. The rest they read from their own tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The runbook.
    pub runbook: RunbookId,
    /// Its name.
    pub runbook_name: String,
    /// Its label for grouping.
    pub category: String,
    /// Every resource touched.
    pub places: Vec<Place>,
    /// The typed actions of its steps: `host.shell`, `host.service.restart`.
    pub actions: BTreeSet<String>,
    /// The trigger that matched, if an alert set it off.
    pub trigger: Option<TriggerId>,
    /// The trigger's `cooldown_seconds`; 0 is none.
    pub trigger_cooldown_s: u32,
    /// Seconds between two runs of the runbook on the same target; 0 is none.
    pub runbook_cooldown_s: u32,
    /// The runbook's own limit (`rate_limit_count` per `rate_limit_window_seconds`).
    pub quota: Option<Quota>,
    /// Age of the context.
    pub context: Freshness,
}
