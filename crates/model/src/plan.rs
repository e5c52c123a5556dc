//! A plan: exactly what would be done, where, how it is undone, checked and proved.
//!
//! A plan holds rendered bytes, not templates. Its hash is what people approve.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::{CanonicalError, Digest};
use crate::id::{ConnectionId, CredentialId, ResourceId, RunbookId};
use crate::level::EnvironmentClass;
use crate::words::words;

words! {
    /// What a crash in the middle of a step allows.
    Semantics {
        /// Changes nothing: may run again at any time.
        Read = "read",
        /// Running it twice is the same as running it once.
        Idempotent = "idempotent",
        /// Must never run twice.
        AtMostOnce = "at_most_once",
    }
}

words! {
    /// What a step is for.
    Stage {
        /// It changes something.
        Act = "act",
        /// It decides whether the change worked.
        Verify = "verify",
    }
}

words! {
    /// What kind of evidence a step must leave.
    EvidenceKind {
        /// A Prometheus query.
        Promql = "promql",
        /// A Tempo query.
        Traceql = "traceql",
        /// The state of an Argo CD application.
        Argocd = "argocd",
        /// A Kubernetes object.
        K8s = "k8s",
        /// Cloud audit events.
        Cloudtrail = "cloudtrail",
        /// A commit.
        Git = "git",
        /// The output of a step.
        Log = "log",
    }
}

/// Evidence that must exist before an execution may be called completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRequirement {
    /// What kind.
    #[serde(rename = "type")]
    pub kind: EvidenceKind,
    /// What to ask; for `log` the stream: `stdout`, `stderr` or `both`.
    pub query: String,
}

/// A value that is known only while the plan runs, filled in as one quoted word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// `steps.<name>.stdout`, `steps.<name>.stderr`, `steps.<name>.exit_code`, `execution.id`.
    pub name: String,
    /// The regular expression the whole value must match; a value that does not fails the step.
    pub pattern: String,
    /// Whether the value comes from a target and is therefore hostile until quoted.
    pub tainted: bool,
}

/// A piece of a rendered script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Bytes fixed when the plan was made.
    Text(String),
    /// A late-bound value.
    Slot(Slot),
}

/// A rendered shell script, late-bound slots and all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Script(pub Vec<Segment>);

impl Script {
    /// A script without slots.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Segment::Text(text.into())])
    }

    /// The script for people, slots shown as `<steps.check.stdout>`.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.iter().fold(String::new(), |mut shown, segment| {
            match segment {
                Segment::Text(text) => shown.push_str(text),
                Segment::Slot(slot) => {
                    shown.push('<');
                    shown.push_str(&slot.name);
                    shown.push('>');
                }
            }
            shown
        })
    }
}

/// Where a plan runs: a resource with the way to reach it, pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The resource changed.
    pub resource_id: ResourceId,
    /// The connection used.
    pub connection_id: ConnectionId,
    /// What people call the resource.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The login on the target.
    pub username: String,
    /// `ssh`; others come with their connectors.
    pub transport: String,
    /// The credential used, if any.
    pub credential_id: Option<CredentialId>,
    /// Its version when the plan was made; another version voids the approval.
    pub credential_version: Option<u32>,
    /// Pinned host keys, `ssh-ed25519 AAAA…`; empty means no connection can be made.
    pub host_keys: Vec<String>,
    /// Guard directory on the target; `None` is `$HOME/.countersign/guard`.
    pub guard_dir: Option<String>,
    /// The environment's class.
    pub environment: EnvironmentClass,
}

/// One step of a plan, rendered for each target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// Its place, from 1. Act steps come before verify steps.
    pub order: u32,
    /// Its name, unique in the plan.
    pub name: String,
    /// What it does, in words.
    pub description: Option<String>,
    /// Act or verify.
    pub stage: Stage,
    /// The typed tool action the risk is looked up by: `host.shell`, `host.service.restart`.
    pub action: String,
    /// What a crash in the middle allows.
    pub semantics: Semantics,
    /// The script per target.
    pub scripts: BTreeMap<ResourceId, Script>,
    /// The undo script per target; empty means the step cannot be undone.
    pub undo: BTreeMap<ResourceId, Script>,
    /// When to run at all: an expression over the plan's variables, `steps` and `execution`.
    pub condition: Option<String>,
    /// Exit codes that mean success.
    pub expected_exit_codes: Vec<i32>,
    /// How long one attempt may take, in seconds.
    pub timeout_s: u32,
    /// Whether the plan goes on when this step fails.
    pub continue_on_failure: bool,
    /// How many more attempts a failed one gets.
    pub retry_count: u32,
    /// Seconds between attempts.
    pub retry_delay_s: u32,
    /// Whether later steps may use its output.
    pub capture_output: bool,
    /// Whether its output is masked wherever it is shown or stored.
    pub sensitive: bool,
    /// Evidence it must leave.
    pub evidence: Vec<EvidenceRequirement>,
}

/// The runbook a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookRef {
    /// Its id.
    pub id: RunbookId,
    /// Its name.
    pub name: String,
    /// Its version; editing the runbook afterwards voids the approval.
    pub version: u32,
}

/// Exactly what would be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The runbook it was made from.
    pub runbook: RunbookRef,
    /// The steps, in order.
    pub steps: Vec<PlanStep>,
    /// The targets, resolved.
    pub targets: Vec<Target>,
    /// How many targets run at the same time.
    pub max_parallel: u32,
    /// How long the whole may take, in seconds.
    pub timeout_s: u32,
    /// Variables per target, for conditions; strings throughout.
    pub variables: BTreeMap<ResourceId, Value>,
}

impl Plan {
    /// The hash people approve: SHA-256 over the canonical form of the whole plan.
    ///
    /// # Errors
    /// When a variable holds a number with no canonical form.
    pub fn hash(&self) -> Result<Digest, CanonicalError> {
        Digest::of_canonical(self)
    }

    /// The target with this resource.
    #[must_use]
    pub fn target(&self, resource: ResourceId) -> Option<&Target> {
        self.targets.iter().find(|target| target.resource_id == resource)
    }
}

/// How far a plan reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlastRadius {
    /// Resources touched.
    pub targets: u32,
    /// `namespace`, `cluster` or `account`, as the operations assistant words it.
    pub scope: BlastScope,
    /// Whether some acting step cannot be undone.
    pub irreversible: bool,
    /// Classes of the environments touched.
    pub environments: Vec<EnvironmentClass>,
}

words! {
    /// How wide a change reaches.
    BlastScope {
        /// Up to ten resources.
        Namespace = "namespace",
        /// Up to fifty.
        Cluster = "cluster",
        /// More.
        Account = "account",
    }
}
