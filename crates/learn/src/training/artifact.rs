//! A model as a file: one versioned JSON document with a checksum, read strictly.
//!
//! `{"format":"countersign-model","version":1,"sha256":"…","body":{…}}`; the checksum is over the
//! bytes of the body as they stand there. What is read is checked so far that no prediction can
//! fail later: sizes agree, numbers are finite, trees are trees.

use jiff::civil::Date;
use model::Digest;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::calibration::cooled;
use super::dataset::{DatasetError, MAX_FEATURES, distribution, named};
use super::fit::Report;
use super::logistic::Linear;
use super::softmax::{MAX_CLASSES, real};
use super::split::Split;
use super::trees::{Forest, TreeError};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

const FORMAT: &str = "countersign-model";
const VERSION: u64 = 1;

/// What turns a row into scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Weights.
    Logistic(Linear),
    /// Trees.
    Trees(Forest),
}

impl Model {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Logistic(_) => "logistic",
            Self::Trees(_) => "trees",
        }
    }

    /// The score of each class; `None` when a value is missing that the model needs.
    #[must_use]
    pub fn scores(&self, row: &[f64]) -> Option<Vec<f64>> {
        let mut scores = match self {
            Self::Logistic(linear) => linear.scores(row)?,
            Self::Trees(forest) => forest.scores(row),
        };
        for score in &mut scores {
            // Finite weights and values can still overflow together.
            *score = if score.is_nan() { 0.0 } else { score.clamp(-1e300, 1e300) };
        }
        Some(scores)
    }
}

/// What turns scores into probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The softmax of scores over the temperature.
    Softmax,
    /// Scores are shares already, but for their sum.
    Shares,
    /// The logistic function of each, over their sum: one against the rest.
    Sigmoids,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It was trained here.
    Trained(Box<Provenance>),
    /// It was trained elsewhere and imported.
    Imported {
        /// SHA-256 of the file it was made of.
        sha256: Digest,
    },
}

/// What a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The hash of the whole data set.
    pub dataset_sha256: Digest,
    /// Its rows, those held out too.
    pub rows: usize,
    /// Its rows of each class.
    pub counts: Vec<usize>,
    /// What was held out, and of which the figures tell.
    pub split: Split,
    /// The id of that.
    pub split_id: String,
    /// What everything random was drawn from.
    pub seed: u64,
    /// The day it was trained.
    pub date: Date,
    /// How it did.
    pub report: Report,
}

/// A model with all it takes to use it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// What it looks at, in its own order.
    pub features: Vec<String>,
    /// The classes it knows, in the order of its answers.
    pub classes: Vec<String>,
    /// The model.
    pub model: Model,
    /// From scores to probabilities.
    pub link: Link,
    /// What scores are divided by.
    pub temperature: f64,
    /// The share of each class among the rows it was trained on: what one would say who looks at
    /// nothing. Equal shares where that is not known.
    pub frequencies: Vec<f64>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Why a file is no model.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It is too large.
    #[error("a model has at most {MAX_BYTES} bytes, not {0}")]
    TooLarge(usize),
    /// It is no JSON, or not of this shape.
    #[error("the file cannot be read as a model: {0}")]
    Syntax(String),
    /// It is something else.
    #[error("this is no model of ours: its format is {0:?}")]
    Format(String),
    /// It is of another version.
    #[error("this program reads version {VERSION} of models, not version {0}")]
    Version(u64),
    /// It was changed.
    #[error("the checksum does not fit: the file is damaged or was altered")]
    Checksum,
    /// Its names cannot be.
    #[error("{0}")]
    Names(#[from] DatasetError),
    /// Its parts do not fit together.
    #[error("{0}")]
    Shape(&'static str),
    /// A tree is none.
    #[error("tree {class} of round {round}: {problem}")]
    Tree {
        /// Which round, from 0.
        round: usize,
        /// Which class, from 0.
        class: usize,
        /// What is wrong.
        problem: TreeError,
    },
}

/// Why there is no prediction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PredictError {
    /// The row has other features than the model.
    #[error("the row's features are not the model's: {0}")]
    Features(String),
    /// The row has another number of values than it names.
    #[error("the row has {found} values for {wanted} features")]
    Width {
        /// Values given.
        found: usize,
        /// Features named.
        wanted: usize,
    },
    /// A number is infinite.
    #[error("{0} is infinite")]
    Infinite(String),
    /// A value is missing, and the model cannot do without.
    #[error("a value is missing, and this model takes none")]
    Missing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    format: String,
    version: u64,
    sha256: Digest,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// The posterior of each class of the model, in its order.
///
/// The names may be in any order, and must be exactly the model's.
///
/// # Errors
/// When they are not, or the row cannot be used.
pub fn predict(
    artifact: &Artifact,
    names: &[String],
    row: &[f64],
) -> Result<Vec<f64>, PredictError> {
    let order = artifact.order(names)?;
    artifact.predict(&order, row)
}

impl Artifact {
    /// For each feature of the model, where it is among `names`.
    ///
    /// # Errors
    /// When one is missing, unknown, or there twice.
    pub fn order(&self, names: &[String]) -> Result<Vec<usize>, PredictError> {
        let mut found = vec![None; self.features.len()];
        let places: std::collections::HashMap<&str, usize> =
            self.features.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        for (at, name) in names.iter().enumerate() {
            let place = places.get(name.as_str());
            let place = place.ok_or_else(|| PredictError::Features(format!("{name:?} is new")))?;
            if found[*place].replace(at).is_some() {
                return Err(PredictError::Features(format!("{name:?} is there twice")));
            }
        }
        let all = found.iter().zip(&self.features).map(|(at, name)| {
            at.ok_or_else(|| PredictError::Features(format!("{name:?} is missing")))
        });
        all.collect()
    }

    /// The posterior of each class for a row whose values [`Self::order`] says where to find.
    ///
    /// # Errors
    /// When the row has another width, an infinite value, or lacks what the model needs.
    pub fn predict(&self, order: &[usize], row: &[f64]) -> Result<Vec<f64>, PredictError> {
        if row.len() != order.len() || order.len() != self.features.len() {
            let wanted = self.features.len();
            return Err(PredictError::Width { found: row.len(), wanted });
        }
        let values: Vec<f64> = order.iter().map(|at| row[*at]).collect();
        if let Some(bad) = values.iter().position(|value| value.is_infinite()) {
            return Err(PredictError::Infinite(self.features[bad].clone()));
        }
        self.shares(&values).ok_or(PredictError::Missing)
    }

    /// The posteriors of a row in the model's own order.
    pub(crate) fn shares(&self, row: &[f64]) -> Option<Vec<f64>> {
        let scores = self.model.scores(row)?;
        Some(match self.link {
            Link::Softmax => cooled(&scores, self.temperature),
            Link::Shares => normalised(scores.iter().map(|score| score.max(0.0)).collect()),
            Link::Sigmoids => {
                normalised(scores.iter().map(|score| 1.0 / (1.0 + libm::exp(-score))).collect())
            }
        })
    }

    /// The file.
    ///
    /// # Errors
    /// When it is a model that [`Self::read`] would refuse.
    pub fn write(&self) -> Result<String, ArtifactError> {
        self.check()?;
        let body = serde_json::to_string(self)
            .map_err(|error| ArtifactError::Syntax(error.to_string()))?;
        let sha256 = Digest::of(body.as_bytes());
        Ok(format!(
            "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"sha256\":\"{sha256}\",\"body\":{body}}}\n"
        ))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is damaged, of another version, or its parts do not fit together.
    pub fn read(text: &str) -> Result<Self, ArtifactError> {
        if text.len() > MAX_BYTES {
            return Err(ArtifactError::TooLarge(text.len()));
        }
        let syntax = |error: serde_json::Error| ArtifactError::Syntax(error.to_string());
        let envelope: Envelope<'_> = serde_json::from_str(text).map_err(syntax)?;
        if envelope.format != FORMAT {
            return Err(ArtifactError::Format(envelope.format.chars().take(40).collect()));
        }
        if envelope.version != VERSION {
            return Err(ArtifactError::Version(envelope.version));
        }
        let body = envelope.body.get();
        if Digest::of(body.as_bytes()) != envelope.sha256 {
            return Err(ArtifactError::Checksum);
        }
        let artifact: Self = serde_json::from_str(body).map_err(syntax)?;
        artifact.check()?;
        Ok(artifact)
    }

    /// SHA-256 of the file.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn sha256(&self) -> Result<Digest, ArtifactError> {
        Ok(Digest::of(self.write()?.as_bytes()))
    }

    /// What it was trained on, where it was trained here.
    #[must_use]
    pub fn provenance(&self) -> Option<&Provenance> {
        match &self.origin {
            Origin::Trained(provenance) => Some(provenance),
            Origin::Imported { .. } => None,
        }
    }

    fn check(&self) -> Result<(), ArtifactError> {
        named("features", &self.features, 1..=MAX_FEATURES)?;
        named("classes", &self.classes, 2..=MAX_CLASSES)?;
        let (features, classes) = (self.features.len(), self.classes.len());
        if !(self.temperature.is_finite() && (1e-3..=1e3).contains(&self.temperature)) {
            return Err(ArtifactError::Shape("the temperature is not from 0.001 to 1000"));
        }
        if !distribution(&self.frequencies, classes) {
            return Err(ArtifactError::Shape("the frequencies are none of the classes"));
        }
        if self.provenance().is_some_and(|origin| origin.counts.len() != classes) {
            return Err(ArtifactError::Shape("the origin counts other classes"));
        }
        match &self.model {
            Model::Logistic(linear) if linear.fits(features, classes) => Ok(()),
            Model::Logistic(_) => {
                Err(ArtifactError::Shape("weights do not fit the features and classes"))
            }
            Model::Trees(forest) => trees(forest, features, classes),
        }
    }
}

fn trees(forest: &Forest, features: usize, classes: usize) -> Result<(), ArtifactError> {
    let finite = forest.base.iter().all(|score| score.is_finite());
    if forest.base.len() != classes || !finite {
        return Err(ArtifactError::Shape("the scores before any tree do not fit the classes"));
    }
    for (round, trees) in forest.rounds.iter().enumerate() {
        if trees.len() != classes {
            return Err(ArtifactError::Shape("a round has not a tree for each class"));
        }
        for (class, tree) in trees.iter().enumerate() {
            let fault = |problem| ArtifactError::Tree { round, class, problem };
            tree.check(features).map_err(fault)?;
        }
    }
    Ok(())
}

fn normalised(mut shares: Vec<f64>) -> Vec<f64> {
    let top = shares.iter().copied().fold(0.0, f64::max);
    if top <= 0.0 {
        return vec![1.0 / real(shares.len()); shares.len()];
    }
    // By the greatest first: the sum of very large numbers is none.
    shares.iter_mut().for_each(|share| *share /= top);
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= total);
    shares
}
