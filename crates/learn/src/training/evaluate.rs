//! A model on rows it did not learn from, alone or beside what decides now.

use jiff::civil::Date;
use model::Digest;
use serde::{Deserialize, Serialize};

use super::artifact::{Artifact, ArtifactError, PredictError};
use super::champion::{Comparison, Differences, Incumbent, Side, differences};
use super::dataset::{Dataset, DatasetError, Row};
use super::metrics::{Metrics, metrics};
use super::split::{self, SplitError};

/// Figures of a model on a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The model.
    pub artifact_sha256: Digest,
    /// The whole data set.
    pub dataset_sha256: Digest,
    /// Which of its rows were looked at.
    pub split_id: String,
    /// How it did.
    pub metrics: Metrics,
}

/// Why a model is not evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// Features differ.
    #[error("the data set does not fit the model")]
    Features(#[from] PredictError),
    /// Classes differ.
    #[error("the classes of the data set are not the model's: {0}")]
    Classes(String),
    /// The model was trained on this data set, and its split cannot be made again.
    #[error("what was held out cannot be found again")]
    Split(#[from] SplitError),
    /// Every row was learnt from.
    #[error("no row is left that neither model learnt from")]
    NothingLeft,
    /// The rows cannot be put in the model's order.
    #[error("the data set cannot be used")]
    Dataset(#[from] DatasetError),
    /// The model cannot be written.
    #[error("the model cannot be used")]
    Artifact(#[from] ArtifactError),
}

/// Evaluates a model. Of the data set it was trained on only what was held out is looked at.
///
/// # Errors
/// When features or classes differ.
pub fn evaluate(artifact: &Artifact, data: &Dataset) -> Result<Evaluation, EvaluateError> {
    let (rows, split_id) = unseen(data, &[artifact])?;
    let (predicted, truth) = predicted(artifact, &data.at(&rows), artifact)?;
    Ok(Evaluation {
        artifact_sha256: artifact.sha256()?,
        dataset_sha256: data.hash(),
        split_id,
        metrics: metrics(&predicted, &truth),
    })
}

/// Compares a model with what decides now, on rows neither learnt from.
///
/// Without another model it is compared with what the data set says was stated of its rows, and
/// where nothing is, with the mere frequencies of the classes.
///
/// # Errors
/// When features or classes differ, or there is no row both did not learn from.
pub fn compare(
    challenger: &Artifact,
    incumbent: Option<&Artifact>,
    data: &Dataset,
    seed: u64,
    date: Date,
) -> Result<Comparison, EvaluateError> {
    let models: Vec<&Artifact> = std::iter::once(challenger).chain(incumbent).collect();
    let (rows, split_id) = unseen(data, &models)?;
    let tested = data.at(&rows);
    let (new, truth) = predicted(challenger, &tested, challenger)?;
    let (called, old) = match incumbent {
        Some(model) => (Incumbent::Model, predicted(model, &tested, challenger)?.0),
        None => match stated(&tested, challenger)? {
            Some(stated) => (Incumbent::Stated, stated),
            None => (Incumbent::Frequencies, vec![challenger.frequencies.clone(); truth.len()]),
        },
    };
    let Differences { f1, ece } = differences(&new, &old, &truth, seed);
    let mut counts = vec![0; challenger.classes.len()];
    truth.iter().for_each(|label| counts[*label] += 1);
    let (labels, counts) = challenger
        .provenance()
        .map_or((truth.len(), counts), |origin| (origin.rows, origin.counts.clone()));
    Ok(Comparison {
        dataset_sha256: data.hash(),
        split_id,
        n: truth.len(),
        seed,
        date,
        kind: challenger.model.word().to_owned(),
        labels,
        fewest: counts.into_iter().min().unwrap_or_default(),
        challenger: Side {
            artifact_sha256: Some(challenger.sha256()?),
            metrics: metrics(&new, &truth),
        },
        incumbent: Side {
            artifact_sha256: incumbent.map(Artifact::sha256).transpose()?,
            metrics: metrics(&old, &truth),
        },
        against: called,
        f1,
        ece,
    })
}

/// The rows that none of the models learnt from, as far as their origins tell.
fn unseen(data: &Dataset, models: &[&Artifact]) -> Result<(Vec<usize>, String), EvaluateError> {
    let hash = data.hash();
    let mut rows: Vec<usize> = (0..data.rows().len()).collect();
    let mut ids: Vec<String> = Vec::new();
    for origin in models.iter().filter_map(|model| model.provenance()) {
        if origin.dataset_sha256 != hash {
            continue;
        }
        let made = split::split(data, &origin.split)?;
        let held = made.folds.first().map(|fold| fold.test.clone()).unwrap_or_default();
        rows.retain(|row| held.binary_search(row).is_ok());
        if !ids.contains(&made.id) {
            ids.push(made.id);
        }
    }
    if rows.is_empty() {
        return Err(EvaluateError::NothingLeft);
    }
    let id = if ids.is_empty() { "all".to_owned() } else { ids.join("+") };
    Ok((rows, id))
}

/// What a model says of rows, and the truth, both in the order of `like`'s classes.
fn predicted(
    model: &Artifact,
    data: &Dataset,
    like: &Artifact,
) -> Result<(Vec<Vec<f64>>, Vec<usize>), EvaluateError> {
    let order = model.order(data.features())?;
    let classes = places(&model.classes, &like.classes)?;
    let labels = places(data.classes(), &like.classes)?;
    let mut all = Vec::with_capacity(data.rows().len());
    for row in data.rows() {
        all.push(moved(&model.predict(&order, &row.values)?, &classes));
    }
    Ok((all, data.rows().iter().map(|row| labels[row.label]).collect()))
}

fn stated(data: &Dataset, like: &Artifact) -> Result<Option<Vec<Vec<f64>>>, EvaluateError> {
    let classes = places(data.classes(), &like.classes)?;
    let of = |row: &Row| row.stated.as_ref().map(|stated| moved(stated, &classes));
    Ok(data.rows().iter().map(of).collect())
}

/// Where each of `from` is in `to`, which holds the same names.
fn places(from: &[String], to: &[String]) -> Result<Vec<usize>, EvaluateError> {
    if from.len() > to.len() {
        return Err(EvaluateError::Classes(format!("{} for {}", from.len(), to.len())));
    }
    let place = |name: &String| {
        let at = to.iter().position(|other| other == name);
        at.ok_or_else(|| EvaluateError::Classes(format!("{name:?} is unknown")))
    };
    from.iter().map(place).collect()
}

fn moved(shares: &[f64], places: &[usize]) -> Vec<f64> {
    let width = places.iter().max().map_or(0, |most| most + 1).max(shares.len());
    let mut moved = vec![0.0; width];
    shares.iter().zip(places).for_each(|(share, place)| moved[*place] = *share);
    moved
}
