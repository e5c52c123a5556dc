//! Constraints: what must hold while a plan runs. The stricter of request and policy holds.

use std::collections::BTreeSet;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::level::EnvironmentClass;
use model::plan::BlastRadius;
use model::verdict::{Judge, Reason, Verdict};
use serde::{Deserialize, Serialize};

/// What must hold while a plan runs. A key nobody here knows is refused: it could not be enforced.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraints {
    /// At most this many targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_targets: Option<u32>,
    /// Only within these hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<MaintenanceWindow>,
    /// Only in environments of these classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_envs: Option<BTreeSet<EnvironmentClass>>,
    /// Only after somebody broke the glass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass_required: Option<bool>,
}

/// Daily hours in a time zone, `22:00` to `06:00` across midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// `HH:MM`, the first minute inside.
    pub start: String,
    /// `HH:MM`, the first minute outside.
    pub end: String,
    /// IANA name.
    pub timezone: String,
}

impl Constraints {
    /// Whether every part can be enforced; else what cannot.
    ///
    /// # Errors
    /// When the window's hours or time zone are not what they should be.
    pub fn check(&self) -> Result<(), String> {
        match &self.maintenance_window {
            Some(window) => window.parse().map(|_| ()),
            None => Ok(()),
        }
    }

    /// What a write breaches if it ran at `at`; each breach denies it.
    #[must_use]
    pub fn breaches(&self, blast: &BlastRadius, at: Timestamp) -> Vec<Reason> {
        let mut breaches = Vec::new();
        let mut deny = |code: &str, message: String| {
            let (judge, verdict) = (Judge::Policy, Verdict::Deny);
            breaches.push(Reason { judge, code: code.to_owned(), verdict, message });
        };
        if let Some(most) = self.max_targets.filter(|most| blast.targets > *most) {
            let targets = blast.targets;
            deny("max_targets", format!("{targets} targets: at most {most} are allowed"));
        }
        if let Some(allowed) = &self.allowed_envs {
            for class in blast.environments.iter().filter(|class| !allowed.contains(class)) {
                deny(
                    "environment_not_allowed",
                    format!("environment class {class} is not allowed"),
                );
            }
        }
        if let Some(window) = &self.maintenance_window {
            match window.contains(at) {
                Ok(true) => {}
                Ok(false) => {
                    let MaintenanceWindow { start, end, timezone } = window;
                    let message = format!("only from {start} to {end}, {timezone}");
                    deny("outside_maintenance_window", message);
                }
                Err(message) => deny("unreadable_constraint", message),
            }
        }
        if self.break_glass_required == Some(true) {
            let message = "this needs somebody to break the glass, which nobody can yet";
            deny("break_glass_required", message.to_owned());
        }
        breaches
    }

    /// Both: fewer targets, fewer environments, the policy's window before the request's, because
    /// two windows cannot always be written as one. Breaches are looked for in each by itself.
    #[must_use]
    pub fn and(&self, policy: &Self) -> Self {
        let fewer = |a: Option<u32>, b: Option<u32>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let allowed_envs = match (&self.allowed_envs, &policy.allowed_envs) {
            (Some(a), Some(b)) => Some(a.intersection(b).copied().collect()),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let window = policy.maintenance_window.as_ref().or(self.maintenance_window.as_ref());
        let glass = [self.break_glass_required, policy.break_glass_required];
        Self {
            max_targets: fewer(self.max_targets, policy.max_targets),
            maintenance_window: window.cloned(),
            allowed_envs,
            break_glass_required: glass.into_iter().flatten().max(),
        }
    }
}

impl MaintenanceWindow {
    /// Whether `at` lies inside.
    ///
    /// # Errors
    /// When the hours or the time zone cannot be read; the caller must treat that as outside.
    pub fn contains(&self, at: Timestamp) -> Result<bool, String> {
        let (start, end, zone) = self.parse()?;
        let time = at.to_zoned(zone).time();
        Ok(if start < end { start <= time && time < end } else { time >= start || time < end })
    }

    fn parse(&self) -> Result<(Time, Time, TimeZone), String> {
        let time = |text: &str| {
            Time::strptime("%H:%M", text)
                .map_err(|_| format!("maintenance_window: {text:?} is no time of the form HH:MM"))
        };
        let (start, end) = (time(&self.start)?, time(&self.end)?);
        if start == end {
            return Err("maintenance_window: start and end are the same".to_owned());
        }
        let zone = TimeZone::get(&self.timezone).map_err(|_| {
            format!("maintenance_window: {:?} is no time zone of the IANA database", self.timezone)
        })?;
        Ok((start, end, zone))
    }
}
