//! Runbooks: the typed document. Its parts parse, lint, render, match and compile it.
//!
//! Every key of the source documents' YAML is here with its default; decision 5 adds the optional
//! keys `action`, `semantics`, `stage`, `params` and `evidence` of a step. A default is left out
//! on export, so that a document nobody extended comes back as it was.

use std::collections::BTreeMap;

use jiff::civil::Time;
use model::intent::ExecutionMode;
use model::plan::{EvidenceRequirement, Semantics, Stage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub mod api;
pub mod compile;
pub mod condition;
mod context;
pub mod emit;
mod expression;
mod glob;
pub mod library;
pub mod lint;
pub mod parse;
mod position;
pub mod problem;
pub mod select;
mod shell;
pub mod status;
pub mod store;
pub mod template;
pub mod trigger;

#[cfg(test)]
mod tests;

use status::{Status, TargetOs};

/// A runbook: a reusable plan, with the alerts that start it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// Its name, unique in the tenant.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A label to group by; the risk category comes from the action table instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How much runs by itself. It can only tighten what policy decides.
    #[serde(default = "default::mode", skip_serializing_if = "default::is_mode")]
    pub mode: ExecutionMode,
    /// Whether alerts may start it.
    #[serde(default, skip_serializing_if = "default::is")]
    pub status: Status,
    /// What the targets run.
    #[serde(default, skip_serializing_if = "default::is")]
    pub target_os: TargetOs,
    /// How long the whole may take, in seconds.
    #[serde(default = "default::timeout", skip_serializing_if = "default::is_timeout")]
    pub timeout_seconds: u32,
    /// More attempts for steps that may run twice and name no number of their own.
    #[serde(default, skip_serializing_if = "default::is")]
    pub max_retries: u32,
    /// Seconds between those attempts.
    #[serde(default = "default::retry_delay", skip_serializing_if = "default::is_retry_delay")]
    pub retry_delay_seconds: u32,
    /// Most executions in a window; none means no limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_count: Option<u32>,
    /// How long that window is, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_window_seconds: Option<u32>,
    /// Whether somebody must approve every run. It can only tighten what policy decides.
    #[serde(default, skip_serializing_if = "default::is")]
    pub requires_approval: bool,
    /// Whose approval counts.
    #[serde(default = "default::roles", skip_serializing_if = "default::is_roles")]
    pub approval_roles: Vec<String>,
    /// Which servers it may touch; empty means every server.
    #[serde(default, skip_serializing_if = "default::is")]
    pub allowed_servers: Selector,
    /// Variables: exported to every step and usable in templates by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment_vars: BTreeMap<String, String>,
    /// Settings that have no column: `target_label`, `max_parallel`; others are kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, Value>,
    /// What it does, in order.
    pub steps: Vec<Step>,
    /// What starts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
}

/// Which servers a runbook may touch: every list given must have a hit, an empty list says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// A tag: `web`, or `role=web`.
    #[serde(default, alias = "tag", skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// A group.
    #[serde(default, alias = "group", skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// An environment, by its name or its class.
    #[serde(default, alias = "environment", skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// A server, by its name; `*` and `?` as in globs.
    #[serde(default, alias = "name", skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// One step of a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name, unique in the runbook.
    pub name: String,
    /// What it does, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The shell command, with placeholders.
    pub command: String,
    /// Exit codes that mean success.
    #[serde(default = "default::exit_codes", skip_serializing_if = "default::is_exit_codes")]
    pub expected_exit_codes: Vec<i32>,
    /// How long one attempt may take, in seconds.
    #[serde(default = "default::step_timeout", skip_serializing_if = "default::is_step_timeout")]
    pub timeout_seconds: u32,
    /// Whether the plan goes on when this step fails.
    #[serde(default, skip_serializing_if = "default::is")]
    pub continue_on_failure: bool,
    /// When to run at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The command that undoes this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_command: Option<String>,
    /// How many more attempts a failed one gets.
    #[serde(default, skip_serializing_if = "default::is")]
    pub retry_count: u32,
    /// Seconds between attempts.
    #[serde(default = "default::step_delay", skip_serializing_if = "default::is_step_delay")]
    pub retry_delay_seconds: u32,
    /// Whether later steps may use its output.
    #[serde(default = "default::capture", skip_serializing_if = "default::is_capture")]
    pub capture_output: bool,
    /// Whether its output is masked.
    #[serde(default, skip_serializing_if = "default::is")]
    pub sensitive: bool,
    /// The typed action the risk is looked up by.
    #[serde(default = "default::action", skip_serializing_if = "default::is_action")]
    pub action: String,
    /// What a crash in the middle allows.
    #[serde(default = "default::semantics", skip_serializing_if = "default::is_semantics")]
    pub semantics: Semantics,
    /// Act or verify.
    #[serde(default = "default::stage", skip_serializing_if = "default::is_stage")]
    pub stage: Stage,
    /// What the values of its placeholders must look like, by the variable's path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, Param>,
    /// Evidence it must leave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceRequirement>,
}

/// What a value from outside must look like before it may reach a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// A regular expression the whole value must match.
    #[serde(default = "default::pattern", skip_serializing_if = "default::is_pattern")]
    pub pattern: String,
    /// Whether a value may begin with `-` and so look like an option.
    #[serde(default, skip_serializing_if = "default::is")]
    pub allow_leading_dash: bool,
    /// Whether a value may hold newlines.
    #[serde(default, skip_serializing_if = "default::is")]
    pub multiline: bool,
}

impl Default for Param {
    fn default() -> Self {
        Self { pattern: default::pattern(), allow_leading_dash: false, multiline: false }
    }
}

/// An alert pattern that starts a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Its name, unique in the runbook.
    pub name: String,
    /// The lowest number wins.
    #[serde(default = "default::priority", skip_serializing_if = "default::is_priority")]
    pub priority: i32,
    /// Glob on the alert's name, or a regular expression after `re:`.
    pub alert_name_pattern: String,
    /// The same on the alert's severity: the sender's word or ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_pattern: Option<String>,
    /// The same on the name of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_pattern: Option<String>,
    /// Labels the alert must carry; a value may be a glob.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels_match: BTreeMap<String, String>,
    /// Local time from which it is on, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_window_start: Option<Time>,
    /// Local time until which it is on, exclusive; before the start means the next day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_window_end: Option<Time>,
    /// IANA time zone of the window.
    #[serde(default = "default::timezone", skip_serializing_if = "default::is_timezone")]
    pub timezone: String,
    /// Whether it is on at all.
    #[serde(default = "default::enabled", skip_serializing_if = "default::is_enabled")]
    pub enabled: bool,
    /// Least seconds between two starts on the same target.
    #[serde(default, skip_serializing_if = "default::is")]
    pub cooldown_seconds: u32,
}

impl Step {
    /// What the values of `variable` must look like in this step.
    #[must_use]
    pub fn param(&self, variable: &str) -> Param {
        self.params.get(variable).cloned().unwrap_or_default()
    }
}

/// The defaults: those of the source documents where they name one.
mod default {
    use super::{ExecutionMode, Semantics, Stage};

    /// A plain word: no white space, no shell metacharacter (`security.md` 4e).
    const PATTERN: &str = "^[A-Za-z0-9._:@/+-]{1,256}$";

    pub(super) fn is<T: Default + PartialEq>(value: &T) -> bool {
        *value == T::default()
    }

    macro_rules! defaults {
        ($($make:ident, $is:ident: $type:ty = $value:expr;)+) => {$(
            pub(super) fn $make() -> $type {
                $value
            }

            pub(super) fn $is(value: &$type) -> bool {
                *value == $value
            }
        )+};
    }

    defaults! {
        mode, is_mode: ExecutionMode = ExecutionMode::Manual;
        timeout, is_timeout: u32 = 300;
        retry_delay, is_retry_delay: u32 = 60;
        step_timeout, is_step_timeout: u32 = 60;
        step_delay, is_step_delay: u32 = 5;
        exit_codes, is_exit_codes: Vec<i32> = vec![0];
        roles, is_roles: Vec<String> = vec!["admin".to_owned(), "engineer".to_owned()];
        action, is_action: String = "host.shell".to_owned();
        capture, is_capture: bool = true;
        semantics, is_semantics: Semantics = Semantics::AtMostOnce;
        stage, is_stage: Stage = Stage::Act;
        pattern, is_pattern: String = PATTERN.to_owned();
        priority, is_priority: i32 = 100;
        timezone, is_timezone: String = "UTC".to_owned();
        enabled, is_enabled: bool = true;
    }
}
