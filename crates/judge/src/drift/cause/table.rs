//! The evidence table: which features speak for which cause, and how much.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::drift::features::{self, Vector};
use crate::drift::{Cause, Posteriors};

const SHIPPED: &str = include_str!("../../../../../content/drift/causes.yaml");

/// Log-odds beyond this are certainty: e^20 to one.
const MOST_WEIGHT: f64 = 20.0;

model::words! {
    /// Which of the things that belong to a drift a row speaks of.
    Evidence {
        /// The incident that counts.
        Incident = "incident",
        /// The alert that counts.
        Alert = "alert",
        /// The event of security that counts.
        Security = "security",
        /// The deployment that counts.
        Deployment = "deployment",
        /// The commit that counts.
        Commit = "commit",
        /// The later commit that fixes.
        FollowUp = "follow_up",
        /// The ticket that counts.
        Ticket = "ticket",
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    features: u32,
    threshold: f64,
    missing: f64,
    priors: BTreeMap<Cause, f64>,
    caps: BTreeMap<String, f64>,
    rows: Vec<FileRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRow {
    id: String,
    group: String,
    #[serde(default)]
    evidence: Option<Evidence>,
    when: Vec<String>,
    weights: BTreeMap<Cause, f64>,
    words: String,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadTable {
    /// The text is none.
    #[error("the text cannot be read: {0}")]
    Text(String),
    /// A number is none or out of range.
    #[error("{0} is not a number that can be worked with")]
    Number(String),
    /// A row asks for what there is not.
    #[error("row {row}: {fault}")]
    Row {
        /// Which.
        row: String,
        /// What is wrong.
        fault: String,
    },
}

/// A feature that is at least, or at most, a number.
#[derive(Debug, Clone, Copy)]
struct Condition {
    place: usize,
    at_least: bool,
    number: f64,
}

impl Condition {
    /// Reads `incident_open >= 1`.
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let place = features::place(words.next()?)?;
        let at_least = match words.next()? {
            ">=" => true,
            "<=" => false,
            _ => return None,
        };
        let number: f64 = words.next()?.parse().ok()?;
        // One that always or never holds is a mistake.
        let feature = features::FEATURES.get(place)?;
        let tells = if at_least {
            feature.low < number && number <= feature.high
        } else {
            feature.low <= number && number < feature.high
        };
        (tells && words.next().is_none()).then_some(Self { place, at_least, number })
    }

    fn holds(self, vector: &Vector) -> bool {
        vector.at(self.place).is_some_and(|value| {
            if self.at_least { value >= self.number } else { value <= self.number }
        })
    }
}

/// One row.
#[derive(Debug)]
pub struct Row {
    /// Its name; for good.
    pub id: String,
    /// What it sees; rows of one group count together up to its cap.
    pub group: String,
    /// What its words are filled with.
    pub evidence: Option<Evidence>,
    /// What it adds to each of [`Cause::INFERRED`], in nats.
    pub weights: [f64; 5],
    /// In words, with places for the evidence.
    pub words: String,
    when: Vec<Condition>,
}

impl Row {
    fn read(row: FileRow) -> Result<Self, BadTable> {
        let bad = |fault: String| BadTable::Row { row: row.id.clone(), fault };
        let mut when = Vec::new();
        for text in &row.when {
            let condition = Condition::parse(text);
            when.push(condition.ok_or_else(|| bad(format!("{text:?} is no condition")))?);
        }
        if when.is_empty() {
            return Err(bad("it always fits".to_owned()));
        }
        let usable = |weight: &f64| weight.is_finite() && weight.abs() <= MOST_WEIGHT;
        if !row.weights.values().all(usable) {
            return Err(bad("a weight is no number".to_owned()));
        }
        if row.weights.keys().any(|cause| !Cause::INFERRED.contains(cause)) {
            return Err(bad("it speaks for what cannot be inferred".to_owned()));
        }
        let asks = row.words.contains("{evidence}") || row.words.contains("{offset}");
        if asks != row.evidence.is_some() {
            return Err(bad("its words and its evidence are two things".to_owned()));
        }
        let weights = ordered(&row.weights, 0.0);
        let FileRow { id, group, evidence, words, .. } = row;
        Ok(Self { id, group, evidence, weights, words, when })
    }

    fn fits(&self, vector: &Vector) -> bool {
        self.when.iter().all(|condition| condition.holds(vector))
    }

    /// The cause it says most about.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let weights = Cause::INFERRED.into_iter().zip(self.weights);
        weights
            .max_by(|one, other| one.1.abs().total_cmp(&other.1.abs()))
            .map_or(Cause::Unknown, |(cause, _)| cause)
    }

    /// What it adds to one cause, in nats.
    #[must_use]
    pub fn weight(&self, cause: Cause) -> f64 {
        let mut weights = Cause::INFERRED.into_iter().zip(self.weights);
        weights.find(|(known, _)| *known == cause).map_or(0.0, |(_, weight)| weight)
    }
}

fn ordered(by_cause: &BTreeMap<Cause, f64>, absent: f64) -> [f64; 5] {
    Cause::INFERRED.map(|cause| by_cause.get(&cause).copied().unwrap_or(absent))
}

/// The table.
#[derive(Debug)]
pub struct Table {
    /// Raised with every change of a number.
    pub version: u32,
    /// What no cause is said below, 0 to 1.
    pub threshold: f64,
    missing: f64,
    /// Logarithms of the priors.
    priors: [f64; 5],
    caps: BTreeMap<String, f64>,
    rows: Vec<Row>,
}

impl Table {
    /// What ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static TABLE: LazyLock<Table> = LazyLock::new(|| {
            Table::read(SHIPPED).expect("the shipped table parses: a test reads it")
        });
        &TABLE
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`BadTable`] names the row that asks for a feature or a group there is not, and the number
    /// the formula cannot take.
    pub fn read(text: &str) -> Result<Self, BadTable> {
        let file: File =
            serde_saphyr::from_str(text).map_err(|error| BadTable::Text(error.to_string()))?;
        let number = |what: &str, holds: bool| {
            if holds { Ok(()) } else { Err(BadTable::Number(what.to_owned())) }
        };
        number("features", file.features == features::VERSION)?;
        number("threshold", file.threshold > 0.0 && file.threshold <= 1.0)?;
        number("missing", (0.0..=10.0).contains(&file.missing))?;
        let priors = ordered(&file.priors, 0.0);
        let sum: f64 = priors.iter().sum();
        number("priors", file.priors.len() == priors.len() && (sum - 1.0).abs() < 1e-9)?;
        number("priors", priors.iter().all(|prior| *prior > 0.0 && *prior < file.threshold))?;
        number("caps", file.caps.values().all(|cap| *cap > 0.0 && *cap <= MOST_WEIGHT))?;
        let rows = file.rows.into_iter().map(Row::read).collect::<Result<Vec<_>, _>>()?;
        let mut ids = BTreeSet::new();
        for row in &rows {
            let bad = |fault: &str| BadTable::Row { row: row.id.clone(), fault: fault.to_owned() };
            if !ids.insert(&row.id) {
                return Err(bad("another one has its name"));
            }
            if !file.caps.contains_key(&row.group) {
                return Err(bad("its group has no cap"));
            }
        }
        let (version, threshold, missing) = (file.version, file.threshold, file.missing);
        Ok(Self {
            version,
            threshold,
            missing,
            priors: priors.map(libm::log),
            caps: file.caps,
            rows,
        })
    }

    /// The rows, as they stand.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows that fit, as they stand.
    #[must_use]
    pub fn fitting(&self, vector: &Vector) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.fits(vector)).collect()
    }

    /// How likely each cause is when these rows fit and this share of the sources is missing.
    #[must_use]
    pub fn weigh(&self, fitting: &[&Row], missing: f64) -> Posteriors {
        let mut groups: BTreeMap<&str, [f64; 5]> = BTreeMap::new();
        for row in fitting {
            let sums = groups.entry(&row.group).or_default();
            for (sum, weight) in sums.iter_mut().zip(row.weights) {
                *sum += weight;
            }
        }
        let mut logits = self.priors;
        for (group, sums) in groups {
            let cap = self.caps.get(group).copied().unwrap_or_default();
            for (logit, sum) in logits.iter_mut().zip(sums) {
                *logit += sum.clamp(-cap, cap);
            }
        }
        Posteriors::softmax(logits, 1.0 + self.missing * missing.clamp(0.0, 1.0))
    }

    /// The log of the priors and nothing else: what a learned model starts from, with
    /// [`Row::weights`].
    #[must_use]
    pub const fn log_priors(&self) -> &[f64; 5] {
        &self.priors
    }
}
