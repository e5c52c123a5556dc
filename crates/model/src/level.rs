//! Ordered levels: severity of a finding, tier of a risk, class of an environment.

use crate::words::words;

words! {
    /// How bad a finding is.
    Severity {
        /// Worth knowing.
        Low = "low",
        /// Worth a look this week.
        Medium = "medium",
        /// Worth a look today.
        High = "high",
        /// Worth waking somebody.
        Critical = "critical",
    }
}

impl Severity {
    /// The severity a free word of an alert's stands for; words nobody knows are medium.
    #[must_use]
    pub fn from_label(label: &str) -> Self {
        match label.trim().to_ascii_lowercase().as_str() {
            "critical" | "crit" | "page" | "emergency" | "fatal" | "disaster" | "p1" => {
                Self::Critical
            }
            "high" | "error" | "major" | "err" | "p2" => Self::High,
            "low" | "info" | "informational" | "notice" | "none" | "debug" | "minor" | "p4"
            | "p5" => Self::Low,
            _ => Self::Medium,
        }
    }

    /// The bucket of a score in 0..=1: below .3 low, below .6 medium, below .8 high.
    #[must_use]
    pub fn from_score(score: f64) -> Self {
        if score < 0.3 {
            Self::Low
        } else if score < 0.6 {
            Self::Medium
        } else if score < 0.8 {
            Self::High
        } else {
            Self::Critical
        }
    }
}

words! {
    /// How much scrutiny a change needs. It may only rise on its way through the gate.
    Tier {
        /// Changes nothing.
        Read = "read",
        /// Small and reversible.
        Low = "low",
        /// Needs a look.
        Medium = "medium",
        /// Needs approval by others.
        High = "high",
        /// Needs approval by several.
        Critical = "critical",
    }
}

impl Tier {
    /// One step up; `read` stays `read`, `critical` stays `critical`.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Read => Self::Read,
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }

    /// The tier of a risk score in 0..=1, with the cuts of [`Severity::from_score`].
    #[must_use]
    pub fn from_score(score: f64) -> Self {
        match Severity::from_score(score) {
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

words! {
    /// The class of an environment; policy knows classes, not names.
    EnvironmentClass {
        /// Somebody's own.
        Dev = "dev",
        /// Automated tests.
        Test = "test",
        /// Like production, without its users.
        Staging = "staging",
        /// What users depend on.
        Prod = "prod",
    }
}

impl EnvironmentClass {
    /// The class a source system's word stands for.
    #[must_use]
    pub fn from_alias(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "dev" | "development" | "local" | "sandbox" => Self::Dev,
            "test" | "testing" | "ci" | "qa" => Self::Test,
            "stage" | "staging" | "preprod" | "pre-prod" | "uat" => Self::Staging,
            "prod" | "production" | "live" => Self::Prod,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_ordered_and_raising_never_lowers() {
        for tier in Tier::ALL {
            assert!(tier.raised() >= *tier, "{tier}");
        }
        assert!(Tier::Read < Tier::Low && Tier::High < Tier::Critical);
    }

    #[test]
    fn environment_aliases_map_to_classes() {
        assert_eq!(EnvironmentClass::from_alias("production"), Some(EnvironmentClass::Prod));
        assert_eq!(EnvironmentClass::from_alias("stage"), Some(EnvironmentClass::Staging));
        assert_eq!(EnvironmentClass::from_alias("moon"), None);
    }
}
