//! What was going on around a drift: the rows of `operational_context`.

use model::level::Severity;
use serde::Serialize;

use super::{Correlation, EventKind, Matched, seconds};
use crate::drift::shown;

model::words! {
    /// What was going on.
    ContextType {
        /// An incident.
        Incident = "incident",
        /// A deployment.
        Deployment = "deployment",
        /// A maintenance.
        Maintenance = "maintenance",
        /// Something of security.
        SecurityEvent = "security_event",
    }
}

model::words! {
    /// How much it mattered.
    Impact {
        /// Of low severity.
        Low = "low",
        /// Of medium severity.
        Medium = "medium",
        /// Of high or critical severity.
        High = "high",
    }
}

/// Something that was going on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Context {
    /// What.
    pub context_type: ContextType,
    /// Which, and how surely.
    pub context_data: ContextData,
    /// How much it mattered; nothing where its system does not say.
    pub incident_impact: Option<Impact>,
    /// The period that holds both the drift and all of it, in microseconds.
    pub time_window_micros: i64,
}

/// Which event it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContextData {
    /// Where it is from.
    pub external_system: String,
    /// What it is called there, fit to be shown.
    pub external_id: String,
    /// How surely it belongs to the drift.
    pub score: f64,
    /// From the drift to its beginning, in seconds; negative is before.
    pub offset_seconds: f64,
    /// Whether it lasted at the moment of the drift.
    pub during: bool,
    /// What the two have in common.
    pub matched: Matched,
}

/// What was going on around a drift, of the events that belong to it, in their order.
#[must_use]
pub fn context(found: &[Correlation<'_>]) -> Vec<Context> {
    found.iter().filter_map(row).collect()
}

fn row(one: &Correlation<'_>) -> Option<Context> {
    let context_type = match one.event.kind {
        EventKind::Incident => ContextType::Incident,
        EventKind::Deployment => ContextType::Deployment,
        EventKind::Maintenance => ContextType::Maintenance,
        EventKind::SecurityEvent => ContextType::SecurityEvent,
        EventKind::GitCommit
        | EventKind::MonitoringAlert
        | EventKind::AuditEvent
        | EventKind::IncidentTicket => return None,
    };
    let lasted = one.event.until.map_or(0, |until| {
        until.as_microsecond().saturating_sub(one.event.at.as_microsecond()).max(0)
    });
    // The drift is at 0.
    let ending = one.offset_micros.saturating_add(lasted);
    let time_window_micros = ending.max(0).saturating_sub(one.offset_micros.min(0));
    Some(Context {
        context_type,
        context_data: ContextData {
            external_system: shown(&one.event.system),
            external_id: shown(&one.event.id),
            score: one.score,
            offset_seconds: seconds(one.offset_micros),
            during: one.during,
            matched: one.matched,
        },
        incident_impact: one.event.severity.map(impact),
        time_window_micros,
    })
}

const fn impact(severity: Severity) -> Impact {
    match severity {
        Severity::Low => Impact::Low,
        Severity::Medium => Impact::Medium,
        Severity::High | Severity::Critical => Impact::High,
    }
}
