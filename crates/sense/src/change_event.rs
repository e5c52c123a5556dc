//! What happened outside: commits, deployments, calls, tickets, incidents, told by whoever knows.

use model::Timestamp;
use model::id::EnvironmentId;
use model::level::Severity;
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

model::words! {
    /// What happened. Alerts come through hooks.
    ChangeKind {
        /// A commit of what declares resources.
        GitCommit = "git_commit",
        /// A deployment.
        Deployment = "deployment",
        /// A call a cloud recorded.
        AuditEvent = "audit_event",
        /// A ticket.
        IncidentTicket = "incident_ticket",
        /// An incident.
        Incident = "incident",
        /// A maintenance.
        Maintenance = "maintenance",
        /// A finding or an event of security.
        SecurityEvent = "security_event",
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// What.
    pub kind: ChangeKind,
    /// When it happened or began.
    pub occurred_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Where it is from: `github`, `cloudtrail`.
    pub external_system: String,
    /// What it is called there.
    pub external_id: String,
    /// Who did it, as its system calls them.
    pub actor: Option<String>,
    /// In words: the message of a commit, the title of a ticket.
    pub summary: String,
    /// The service it is about.
    pub service: Option<String>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// The environment it is about.
    pub environment_id: Option<EnvironmentId>,
    /// Files it touched.
    pub paths: Vec<String>,
    /// Resources it is about, as their declarations call them.
    pub addresses: Vec<String>,
    /// Resources it is about, as their provider calls them.
    pub resources: Vec<String>,
    /// Ids that may be found elsewhere.
    pub shared_ids: Vec<String>,
    /// What else is known: an object.
    pub data: Value,
}

/// A commit, as a reader of git gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its hash.
    pub hash: String,
    /// When it was made.
    pub at: Timestamp,
    /// Who wrote it: `name <address>` of somebody who is known here, else the name alone.
    pub author: String,
    /// Its message.
    pub message: String,
    /// The files it touched.
    pub paths: Vec<String>,
    /// The resources it touched, as their declarations call them.
    pub addresses: Vec<String>,
}

/// Commits of a repository (`system` is where it lives) as what happened in an environment.
#[must_use]
pub fn of_commits(
    system: &str,
    environment: Option<EnvironmentId>,
    commits: &[Commit],
) -> Vec<Happened> {
    let of = |commit: &Commit| Happened {
        kind: ChangeKind::GitCommit,
        occurred_at: commit.at,
        ended_at: None,
        external_system: system.to_owned(),
        external_id: commit.hash.clone(),
        actor: Some(commit.author.clone()),
        summary: commit.message.clone(),
        service: None,
        severity: None,
        environment_id: environment,
        paths: commit.paths.clone(),
        addresses: commit.addresses.clone(),
        resources: Vec::new(),
        shared_ids: Vec::new(),
        data: Value::Object(Map::new()),
    };
    commits.iter().map(of).collect()
}

/// What names of secrets have in them, written small and without `-`, `_`, `.` and blanks.
const SECRET: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
    "cookie",
    "connectionstring",
    "signature",
];

/// A document without the members whose names say that they are secrets.
#[must_use]
pub fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(name, _)| !secret(name))
                .map(|(name, value)| (name, without_secrets(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        other => other,
    }
}

fn secret(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let name = name.to_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}
