//! Constraints a policy puts on an intent: how many targets, when, in which environments.

use jiff::civil::{Time, date};
use jiff::{Span, ToSpan};
use model::id::BlackoutId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::blackout::{Draft, Recurrence, Window, WindowKind};

/// Targets allowed when the policy does not say (source document 000).
pub const MAX_TARGETS: u32 = 50;

/// Constraints, understood.
#[derive(Debug, Clone)]
pub struct Constraints {
    /// How many targets a plan may have.
    pub max_targets: u32,
    /// The only time of day in which it may start.
    pub maintenance_window: Option<Window>,
    /// The only environments it may touch, by slug or class; `None` is any.
    pub environments: Option<Vec<String>>,
}

impl Default for Constraints {
    fn default() -> Self {
        Self { max_targets: MAX_TARGETS, maintenance_window: None, environments: None }
    }
}

/// A constraint that cannot be read; an intent under it is denied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("constraints.{field}: {reason}")]
pub struct Malformed {
    /// Which.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    start: String,
    end: String,
    #[serde(default = "utc")]
    timezone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// What the requester asked for under what the policy demands: key by key, the policy wins.
#[must_use]
pub fn merge(requested: &Map<String, Value>, policy: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = requested.clone();
    merged.extend(policy.iter().map(|(key, value)| (key.clone(), value.clone())));
    merged
}

impl Constraints {
    /// Understands merged constraints. Keys that are no constraint of ours stay in the record.
    ///
    /// # Errors
    /// When one of ours cannot be read.
    pub fn parse(map: &Map<String, Value>) -> Result<Self, Malformed> {
        let bad = |field: &str, reason: &dyn ToString| Malformed {
            field: field.to_owned(),
            reason: reason.to_string(),
        };
        let mut parsed = Self::default();
        if let Some(value) = map.get("max_targets") {
            parsed.max_targets =
                u32::deserialize(value).map_err(|error| bad("max_targets", &error))?;
        }
        for field in ["allowed_envs", "environments"] {
            if let Some(value) = map.get(field) {
                let one = Vec::<String>::deserialize(value).map_err(|error| bad(field, &error))?;
                // Both words given: an environment must be in both lists.
                parsed.environments = Some(match parsed.environments.take() {
                    Some(other) => one.into_iter().filter(|name| other.contains(name)).collect(),
                    None => one,
                });
            }
        }
        if let Some(value) = map.get("maintenance_window").filter(|value| !value.is_null()) {
            let window = Hours::deserialize(value)
                .map_err(|error| error.to_string())
                .and_then(|hours| hours.window())
                .map_err(|error| bad("maintenance_window", &error))?;
            parsed.maintenance_window = Some(window);
        }
        Ok(parsed)
    }
}

impl Hours {
    /// A daily window; one that ends before it starts crosses midnight.
    fn window(&self) -> Result<Window, String> {
        let time = |text: &str| {
            Time::strptime("%H:%M", text).map_err(|_| format!("{text:?} is no time of day (HH:MM)"))
        };
        let (start, end) = (time(&self.start)?, time(&self.end)?);
        let first = date(2000, 1, 1);
        let nights: Span = if end <= start { 1.day() } else { 0.days() };
        let last = first.checked_add(nights).map_err(|error| error.to_string())?;
        Window::parse(&Draft {
            id: BlackoutId::from(uuid::Uuid::nil()),
            name: format!("{}-{} {}", self.start, self.end, self.timezone),
            kind: WindowKind::AllowOnly,
            recurrence: Recurrence::Daily,
            pattern: Value::Null,
            opens: first.to_datetime(start),
            closes: last.to_datetime(end),
            zone: self.timezone.clone(),
            servers: Value::Null,
            runbooks: Value::Null,
        })
        .map_err(|error| error.reason)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::blackout;

    fn parse(value: Value) -> Result<Constraints, String> {
        let Value::Object(map) = value else { panic!("an object") };
        Constraints::parse(&map).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_hold_until_the_policy_says_otherwise() {
        assert_eq!(parse(json!({"ticket": "X-1"})).unwrap().max_targets, MAX_TARGETS);
        assert_eq!(parse(json!({"max_targets": 3})).unwrap().max_targets, 3);
        let both = json!({"allowed_envs": ["dev", "prod"], "environments": ["prod"]});
        assert_eq!(parse(both).unwrap().environments, Some(vec!["prod".to_owned()]));
    }

    #[test]
    fn a_maintenance_window_may_cross_midnight() {
        let hours = json!({"start": "22:00", "end": "06:00", "timezone": "Europe/Berlin"});
        let window = parse(json!({ "maintenance_window": hours })).unwrap().maintenance_window;
        let window = window.unwrap();
        let active = |at: &str| blackout::active(&window, at.parse().unwrap()).is_some();
        assert!(active("2026-07-01T03:59:00Z") && !active("2026-07-01T04:00:00Z"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (value, field) in [
            (json!({"max_targets": -1}), "constraints.max_targets"),
            (json!({"max_targets": "3"}), "constraints.max_targets"),
            (json!({"environments": "prod"}), "constraints.environments"),
            (
                json!({"maintenance_window": {"start": "25:00", "end": "06:00"}}),
                "constraints.maintenance_window",
            ),
            (
                json!({"maintenance_window": {"start": "22:00", "end": "06:00", "timezone": "Mars"}}),
                "constraints.maintenance_window",
            ),
        ] {
            let error = parse(value).unwrap_err();
            assert!(error.starts_with(field), "{error}");
        }
    }
}
