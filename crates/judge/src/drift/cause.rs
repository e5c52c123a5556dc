//! Why a drift happened: from stated evidence, from a learned model, or because somebody says so.
//!
//! The stated evidence is naive Bayes with published weights ([`table`]). Two things hold by its
//! form: a row that speaks for one cause alone never makes that cause less likely, and the less is
//! known around the same evidence, the less is concluded from it. What is not known cannot
//! contradict: a source that is missing may have held the evidence against what is concluded.
//!
//! [`Cause::Unknown`] is said when nothing is likely enough, [`Cause::IntentionalOverride`] by
//! [`stated`] alone.

pub mod context;
pub mod table;
mod words;

use serde::Serialize;

use super::facts::Facts;
use super::features::Vector;
use super::{Cause, NoDistribution, Posteriors};
use context::{Attribution, Temporal};
use table::{Row, Table};

/// Factors told of one drift, the weightiest.
const MOST_FACTORS: usize = 8;

/// Who decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Decider {
    /// The stated evidence.
    Rules {
        /// The table's version.
        version: u32,
    },
    /// A learned model.
    Model {
        /// Its name in the registry.
        name: String,
        /// Its version there.
        version: String,
    },
    /// A person's label.
    Person {
        /// Who.
        id: String,
    },
    /// An approved exception.
    Exception {
        /// Which.
        id: String,
    },
}

/// What a learned model says.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    name: String,
    version: String,
    posteriors: Posteriors,
    threshold: Option<f64>,
}

impl Learned {
    /// Takes a model's probabilities of [`Cause::INFERRED`], and below which it abstains where it
    /// knows; a threshold that is no probability is as good as none.
    ///
    /// # Errors
    /// [`NoDistribution`] when the numbers are none.
    pub fn new(
        name: &str,
        version: &str,
        probabilities: [f64; 5],
        threshold: Option<f64>,
    ) -> Result<Self, NoDistribution> {
        let posteriors = Posteriors::new(probabilities)?;
        let threshold = threshold.filter(|threshold| (0.0..=1.0).contains(threshold));
        Ok(Self { name: name.to_owned(), version: version.to_owned(), posteriors, threshold })
    }
}

/// What a person or an exception says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A person labelled the drift.
    Label {
        /// As what.
        cause: Cause,
        /// Who.
        person: String,
    },
    /// An exception for the drift was approved.
    Exception {
        /// Which.
        id: String,
    },
}

/// A row of the table that fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Factor {
    /// The row's name.
    pub id: String,
    /// What it sees.
    pub group: String,
    /// The cause it says most about.
    pub cause: Cause,
    /// What it adds to that one, in nats; negative speaks against it.
    pub weight: f64,
    /// What it adds to the likeliest cause over the next one, in nats, before caps.
    pub toward: f64,
    /// The id of what it was found in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// In words.
    pub words: String,
}

/// Why a drift happened, in the columns of `cause_analyses`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// The cause, or that none is likely enough.
    pub cause: Cause,
    /// How likely it is, 0 to 1; of an unknown one how likely the likeliest is; 1 of a stated one.
    pub confidence: f64,
    /// The cause that is likeliest, however unlikely.
    pub likeliest: Cause,
    /// How likely each is.
    pub posteriors: Posteriors,
    /// Who decided.
    pub decided_by: Decider,
    /// What it follows from, the weightiest first.
    pub contributing_factors: Vec<Factor>,
    /// What happened when.
    pub temporal_context: Temporal,
    /// Who it was.
    pub user_attribution: Attribution,
    /// In words.
    pub analysis: String,
}

/// Says why a drift happened: by a learned model's word where there is one, else by stated evidence.
/// The factors are the table's in either case.
#[must_use]
pub fn explain(facts: &Facts, learned: Option<&Learned>) -> Explained {
    explain_by(Table::shipped(), facts, learned)
}

/// The same with another table.
#[must_use]
pub fn explain_by(table: &Table, facts: &Facts, learned: Option<&Learned>) -> Explained {
    let vector = Vector::of(facts);
    let fitting = table.fitting(&vector);
    let (posteriors, threshold, decided_by) = match learned {
        Some(model) => (
            model.posteriors,
            model.threshold.unwrap_or(table.threshold),
            Decider::Model { name: model.name.clone(), version: model.version.clone() },
        ),
        None => (
            table.weigh(&fitting, vector.missing()),
            table.threshold,
            Decider::Rules { version: table.version },
        ),
    };
    let [(likeliest, confidence), _] = posteriors.first_two();
    let cause = if confidence < threshold { Cause::Unknown } else { likeliest };
    told(facts, &fitting, Answer { cause, confidence, posteriors, decided_by })
}

/// Takes a person's label or an approved exception for the cause. What the evidence says stays
/// beside it.
#[must_use]
pub fn stated(facts: &Facts, statement: &Statement) -> Explained {
    let table = Table::shipped();
    let vector = Vector::of(facts);
    let fitting = table.fitting(&vector);
    let posteriors = table.weigh(&fitting, vector.missing());
    let (cause, decided_by) = match statement {
        Statement::Label { cause, person } => (*cause, Decider::Person { id: person.clone() }),
        Statement::Exception { id } => {
            (Cause::IntentionalOverride, Decider::Exception { id: id.clone() })
        }
    };
    told(facts, &fitting, Answer { cause, confidence: 1.0, posteriors, decided_by })
}

struct Answer {
    cause: Cause,
    confidence: f64,
    posteriors: Posteriors,
    decided_by: Decider,
}

fn told(facts: &Facts, fitting: &[&Row], answer: Answer) -> Explained {
    let Answer { cause, confidence, posteriors, decided_by } = answer;
    let [(likeliest, _), (second, _)] = posteriors.first_two();
    let mut factors: Vec<Factor> =
        fitting.iter().map(|row| factor(row, facts, (likeliest, second))).collect();
    factors.sort_by(|one, other| {
        let weight = other.toward.abs().total_cmp(&one.toward.abs());
        weight.then_with(|| one.id.cmp(&other.id))
    });
    factors.truncate(MOST_FACTORS);
    let mut explained = Explained {
        cause,
        confidence,
        likeliest,
        posteriors,
        decided_by,
        contributing_factors: factors,
        temporal_context: Temporal::of(facts),
        user_attribution: Attribution::of(facts),
        analysis: String::new(),
    };
    explained.analysis = words::analysis(&explained);
    explained
}

fn factor(row: &Row, facts: &Facts, (likeliest, second): (Cause, Cause)) -> Factor {
    let found = row.evidence.and_then(|evidence| words::found(evidence, facts));
    Factor {
        id: row.id.clone(),
        group: row.group.clone(),
        cause: row.cause(),
        weight: row.weight(row.cause()),
        toward: row.weight(likeliest) - row.weight(second),
        words: words::filled(&row.words, facts, found.as_ref()),
        evidence: found.map(|found| found.id),
    }
}

#[cfg(test)]
mod tests;
