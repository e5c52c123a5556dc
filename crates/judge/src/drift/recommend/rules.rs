//! The rules of recommendations, as data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::level::{EnvironmentClass, Severity};
use serde::Deserialize;

use super::{
    Author, Effort, Kind, Outcomes, Recommendation, Risk, Situation, Step, filled, probability,
    urgency,
};
use crate::drift::{Cause, DriftType};

const SHIPPED: &str = include_str!("../../../../../content/drift/recommendations.yaml");

/// Hours advice lasts at most: a year.
const LONGEST_HOURS: u32 = 8784;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    rules: Vec<Rule>,
    types: BTreeMap<Kind, Advice>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    #[expect(dead_code, reason = "for whoever reads the file")]
    from: Origin,
    when: When,
    recommend: Kind,
    priority: Priority,
    #[serde(default)]
    confidence: Option<f64>,
    effort: Effort,
    expires_hours: u32,
    words: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Origin {
    Document,
    Decision,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    #[serde(default)]
    causes: Vec<Cause>,
    #[serde(default)]
    confidence: Option<f64>,
    #[serde(default)]
    security_above: Option<f64>,
    #[serde(default)]
    security_at_most: Option<f64>,
    #[serde(default)]
    environments: Vec<EnvironmentClass>,
    #[serde(default)]
    drift: Vec<DriftType>,
    #[serde(default)]
    security_incident: Option<bool>,
    #[serde(default)]
    held: Option<bool>,
    #[serde(default)]
    exception: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Priority {
    Low,
    Medium,
    High,
    Critical,
    Severity,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advice {
    steps: Vec<FileStep>,
    risks: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStep {
    action: String,
    words: String,
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadRecommendations {
    /// The text is none.
    #[error("the text cannot be read: {0}")]
    Text(String),
    /// A rule asks for what there is not.
    #[error("rule {rule}: {fault}")]
    Rule {
        /// Which.
        rule: String,
        /// What is wrong.
        fault: &'static str,
    },
}

/// The rules.
#[derive(Debug)]
pub struct Recommendations {
    /// Raised with every change of meaning.
    pub version: u32,
    rules: Vec<Rule>,
    /// The last rule; it fits whatever no other fits.
    otherwise: Rule,
    types: BTreeMap<Kind, Advice>,
}

impl Recommendations {
    /// What ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static RULES: LazyLock<Recommendations> = LazyLock::new(|| {
            Recommendations::read(SHIPPED).expect("the shipped rules parse: a test reads them")
        });
        &RULES
    }

    /// Reads rules.
    ///
    /// # Errors
    /// [`BadRecommendations`] names the rule that cannot be followed; the last must fit anything.
    pub fn read(text: &str) -> Result<Self, BadRecommendations> {
        let file: File = serde_saphyr::from_str(text)
            .map_err(|error| BadRecommendations::Text(error.to_string()))?;
        let File { version, mut rules, types } = file;
        for rule in &rules {
            let bad = |fault| Err(BadRecommendations::Rule { rule: rule.id.clone(), fault });
            let when = &rule.when;
            let numbers =
                [rule.confidence, when.confidence, when.security_above, when.security_at_most];
            if !numbers.iter().flatten().all(|number| (0.0..=1.0).contains(number)) {
                return bad("a number is not within 0 to 1");
            }
            if rule.expires_hours == 0 || rule.expires_hours > LONGEST_HOURS {
                return bad("it lasts for nothing or for more than a year");
            }
            if types.get(&rule.recommend).is_none_or(|advice| advice.steps.is_empty()) {
                return bad("nothing says how what it recommends is done");
            }
        }
        let otherwise =
            rules.pop().ok_or_else(|| BadRecommendations::Text("there are no rules".to_owned()))?;
        if !otherwise.when.anything() {
            let fault = "the last rule must fit anything";
            return Err(BadRecommendations::Rule { rule: otherwise.id, fault });
        }
        Ok(Self { version, rules, otherwise, types })
    }

    /// Recommends: the first rule that fits. `outcomes` are by what was recommended.
    #[must_use]
    pub fn recommend(
        &self,
        situation: &Situation<'_>,
        outcomes: &BTreeMap<Kind, Outcomes>,
    ) -> Recommendation {
        let fits = |rule: &&Rule| rule.when.holds(situation);
        let rule = self.rules.iter().find(fits).unwrap_or(&self.otherwise);
        let axes = situation.axes.within();
        let priority = match rule.priority {
            Priority::Low => Severity::Low,
            Priority::Medium => Severity::Medium,
            Priority::High => Severity::High,
            Priority::Critical => Severity::Critical,
            Priority::Severity => Severity::from_score(axes.largest()),
        };
        let confidence = rule.confidence.unwrap_or_else(|| probability(situation.confidence));
        let advice = self.types.get(&rule.recommend);
        let steps = advice.iter().flat_map(|advice| &advice.steps).enumerate();
        let recorded = outcomes.get(&rule.recommend).copied();
        let success_probability = recorded.and_then(Outcomes::probability);
        Recommendation {
            rule: rule.id.clone(),
            recommendation_type: rule.recommend,
            priority,
            confidence,
            urgency: urgency(priority, confidence),
            rationale: filled(&rule.words, situation),
            implementation_steps: steps
                .map(|(at, step)| Step {
                    order: at + 1,
                    action: step.action.clone(),
                    description: filled(&step.words, situation),
                })
                .collect(),
            estimated_effort: rule.effort,
            risk_assessment: Risk {
                axes,
                potential_impacts: advice.map(|advice| advice.risks.clone()).unwrap_or_default(),
                success_probability,
                outcomes: recorded.filter(|_| success_probability.is_some()),
            },
            expires_after_hours: rule.expires_hours,
            recommended_by: Author::of(situation.decided_by),
        }
    }
}

impl When {
    /// Whether it asks for nothing.
    const fn anything(&self) -> bool {
        self.causes.is_empty()
            && self.confidence.is_none()
            && self.security_above.is_none()
            && self.security_at_most.is_none()
            && self.environments.is_empty()
            && self.drift.is_empty()
            && self.security_incident.is_none()
            && self.held.is_none()
            && self.exception.is_none()
    }

    /// What is no number holds where it asks for scrutiny and not where it asks for trust.
    fn holds(&self, situation: &Situation<'_>) -> bool {
        let environment = situation.environment.unwrap_or(EnvironmentClass::Prod);
        let security = situation.axes.security;
        let around = situation.around;
        let is = |asked: Option<bool>, found: bool| asked.is_none_or(|asked| asked == found);
        (self.causes.is_empty() || self.causes.contains(&situation.cause))
            && self.confidence.is_none_or(|least| situation.confidence >= least)
            && self.security_above.is_none_or(|most| security > most || security.is_nan())
            && self.security_at_most.is_none_or(|most| security <= most)
            && (self.environments.is_empty() || self.environments.contains(&environment))
            && (self.drift.is_empty() || self.drift.contains(&situation.drift))
            && is(self.security_incident, around.security_incident)
            && is(self.held, around.held)
            && is(self.exception, around.exception)
    }
}
