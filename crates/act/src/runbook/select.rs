//! Which of the estate's servers a runbook runs on: those it may touch, and of them the one the
//! alert names.

use model::finding::Alert;
use model::level::EnvironmentClass;

use super::Runbook;
use super::compile::Candidate;
use super::glob::Pattern;

/// The label that names the target, unless `config.target_label` names another.
const TARGET_LABEL: &str = "instance";

/// Why no target was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No server is allowed at all.
    #[error("the runbook {runbook} may touch none of the {candidates} servers offered")]
    NoneAllowed {
        /// The runbook's name.
        runbook: String,
        /// How many servers were offered.
        candidates: usize,
    },
    /// A server somebody asked for is not allowed.
    #[error("the runbook {runbook} may not touch {server}")]
    NotAllowed {
        /// The runbook's name.
        runbook: String,
        /// The server.
        server: String,
    },
    /// The alert does not say which server it is about.
    #[error("the alert {alert} has no label {label}, which names the target")]
    NoLabel {
        /// The alert's name.
        alert: String,
        /// The label looked for.
        label: String,
    },
    /// No server answers to the label.
    #[error("no server is named {wanted}, as the label {label} says{}", other(.not_allowed.as_ref()))]
    NotFound {
        /// The label looked at.
        label: String,
        /// What it says, without its port.
        wanted: String,
        /// A server of that name which the runbook may not touch.
        not_allowed: Option<String>,
    },
    /// Several servers answer to the label.
    #[error("{wanted}, as the label {label} says, is several servers: {}", found.join(", "))]
    Ambiguous {
        /// The label looked at.
        label: String,
        /// What it says, without its port.
        wanted: String,
        /// The servers that answer to it.
        found: Vec<String>,
    },
}

fn other(not_allowed: Option<&String>) -> String {
    not_allowed.map(|name| format!("; the runbook may not touch {name}")).unwrap_or_default()
}

/// Chooses targets. With an alert: the one server its label names. Without: every server offered,
/// all of which must be allowed.
///
/// # Errors
/// When there is none, or more than one where one is meant.
pub fn select_targets(
    runbook: &Runbook,
    alert: Option<&Alert>,
    candidates: &[Candidate],
) -> Result<Vec<Candidate>, SelectError> {
    let Some(alert) = alert else {
        if let Some(refused) = candidates.iter().find(|one| !allowed(runbook, one)) {
            return Err(SelectError::NotAllowed {
                runbook: runbook.name.clone(),
                server: refused.target.name.clone(),
            });
        }
        if candidates.is_empty() {
            return Err(none_allowed(runbook, candidates));
        }
        return Ok(candidates.to_vec());
    };
    let (may, may_not): (Vec<_>, Vec<_>) =
        candidates.iter().partition(|candidate| allowed(runbook, candidate));
    if may.is_empty() {
        return Err(none_allowed(runbook, candidates));
    }
    let label = target_label(runbook);
    let Some(value) = label_value(alert, label) else {
        return Err(SelectError::NoLabel { alert: alert.name.clone(), label: label.to_owned() });
    };
    let exact: Vec<_> = may.iter().filter(|one| answers(one, value)).collect();
    let wanted = without_port(value);
    let found = if exact.is_empty() {
        may.iter().filter(|one| answers(one, wanted)).collect()
    } else {
        exact
    };
    match found.as_slice() {
        [one] => Ok(vec![(**one).clone()]),
        [] => Err(SelectError::NotFound {
            label: label.to_owned(),
            wanted: wanted.to_owned(),
            not_allowed: may_not
                .iter()
                .find(|one| answers(one, value) || answers(one, wanted))
                .map(|one| one.target.name.clone()),
        }),
        several => Err(SelectError::Ambiguous {
            label: label.to_owned(),
            wanted: wanted.to_owned(),
            found: several.iter().map(|one| one.target.name.clone()).collect(),
        }),
    }
}

fn none_allowed(runbook: &Runbook, candidates: &[Candidate]) -> SelectError {
    SelectError::NoneAllowed { runbook: runbook.name.clone(), candidates: candidates.len() }
}

/// What an alert calls its target, for the runbook: its label without the port, or nothing.
#[must_use]
pub fn target_key(runbook: &Runbook, alert: &Alert) -> String {
    label_value(alert, target_label(runbook)).map(without_port).unwrap_or_default().to_owned()
}

fn target_label(runbook: &Runbook) -> &str {
    runbook.config.get("target_label").and_then(|label| label.as_str()).unwrap_or(TARGET_LABEL)
}

fn label_value<'a>(alert: &'a Alert, label: &str) -> Option<&'a str> {
    let value = alert.labels.get(label).map(String::as_str);
    let value = value.or_else(|| (label == TARGET_LABEL).then_some(alert.instance.as_str()));
    value.map(str::trim).filter(|value| !value.is_empty())
}

/// `host:9100` and `[::1]:9100` without the port; a bare IPv6 address stays whole.
fn without_port(value: &str) -> &str {
    if let Some(rest) = value.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match value.rsplit_once(':') {
        Some((host, port))
            if !host.contains(':')
                && !port.is_empty()
                && port.chars().all(|digit| digit.is_ascii_digit()) =>
        {
            host
        }
        _ => value,
    }
}

fn answers(candidate: &Candidate, wanted: &str) -> bool {
    [&candidate.target.name, &candidate.target.host, &candidate.facts.hostname, &candidate.facts.ip]
        .into_iter()
        .any(|name| name.eq_ignore_ascii_case(wanted))
}

/// Whether a runbook may touch a server.
#[must_use]
pub fn allowed(runbook: &Runbook, candidate: &Candidate) -> bool {
    let selector = &runbook.allowed_servers;
    let facts = &candidate.facts;
    let any = |wanted: &[String], has: &dyn Fn(&str) -> bool| {
        wanted.is_empty() || wanted.iter().any(|one| has(one))
    };
    any(&selector.tags, &|tag| facts.tags.iter().any(|has| has == tag))
        && any(&selector.groups, &|group| facts.groups.iter().any(|has| has == group))
        && any(&selector.environments, &|environment| {
            facts.environment.eq_ignore_ascii_case(environment)
                || EnvironmentClass::from_alias(environment) == Some(candidate.target.environment)
        })
        && any(&selector.names, &|name| {
            Pattern::read(name).is_ok_and(|pattern| pattern.matches(&candidate.target.name))
        })
}

#[cfg(test)]
mod tests;
