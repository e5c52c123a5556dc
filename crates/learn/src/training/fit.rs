//! Training from beginning to end: hold out, cross-validate, calibrate, fit, and tell how it did.
//!
//! The protocol: the latest fifth of the rows is held out (a fifth of each class where times are not
//! known). On the rest, five times two folds (Dietterich 1998) tell how much figures vary. Five other
//! folds give the temperature, by the scores of rows each did not learn from: a model of half the
//! rows is less sure than one of all of them ought to be. Then one model of all the rest, whose
//! figures are those on what was held out.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::artifact::{Artifact, Link, Model, Origin, Provenance};
use super::calibration::{cooled, temperature};
use super::dataset::{Dataset, Row};
use super::importance::{Importance, permutation};
use super::logistic::{self, Convergence, FitError};
use super::metrics::{Metrics, metrics};
use super::softmax::{greatest, real};
use super::split::{self, Folds, Split, SplitError};
use super::trees;

/// The share of rows that is held out.
pub const HELD_OUT: f64 = 0.2;
/// Folds and repeats of the cross-validation that is told.
const TOLD: (usize, usize) = (2, 5);
/// Folds that the temperature comes from.
const COOLING: usize = 5;

/// What is trained.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Multinomial logistic regression.
    Logistic(logistic::Options),
    /// Boosted trees.
    Trees(trees::Options),
}

/// Scores of folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossValidation {
    /// Which rows were in which fold.
    pub split_id: String,
    /// The share of right answers of each fold.
    pub accuracy: Vec<f64>,
    /// Mean F1 of each fold.
    pub f1_macro: Vec<f64>,
}

/// How a model did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// On what was held out.
    pub held_out: Metrics,
    /// Over the folds of the rest.
    pub cross_validation: CrossValidation,
    /// Each group by what was learnt from the others, where groups are known and there are two to
    /// fifty of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<CrossValidation>,
    /// What shuffling each feature costs on what was held out.
    pub importance: Vec<Importance>,
    /// What each feature brought when trees were grown, as shares, by position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<Vec<f64>>,
    /// How the optimiser ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convergence: Option<Convergence>,
    /// Rounds of trees that were grown, and how many of them are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<(usize, usize)>,
}

/// Why nothing was trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The rows cannot be split.
    #[error("the rows cannot be split")]
    Split(#[from] SplitError),
    /// The model cannot be fitted.
    #[error("the model cannot be fitted")]
    Fit(#[from] FitError),
}

/// The most groups each of which is tested by a model of its own.
const MAX_GROUPS: usize = 50;

/// Trains a model.
///
/// # Errors
/// When the rows are too few to split, or the options do not fit them.
pub fn train(data: &Dataset, kind: &Kind, seed: u64, date: Date) -> Result<Artifact, TrainError> {
    let how = split::usual(data, HELD_OUT, seed);
    let Folds { id: split_id, folds } = split::split(data, &how)?;
    let fold = folds.first().ok_or(SplitError::Empty)?;
    let (learn, held) = (data.at(&fold.train), data.at(&fold.test));
    if learn.counts().iter().filter(|count| **count > 0).count() < 2 {
        return Err(FitError::OneClass.into());
    }
    let by = Split::Stratified { folds: TOLD.0, repeats: TOLD.1, seed };
    let (cross_validation, _, _) = cross(&learn, kind, &by, seed)?;
    let by = Split::Stratified { folds: COOLING, repeats: 1, seed };
    let (_, scores, truth) = cross(&learn, kind, &by, seed)?;
    let temperature = temperature(&scores, &truth);
    let groups = match split::split(&learn, &Split::Groups) {
        Ok(folds) if folds.folds.len() <= MAX_GROUPS => {
            Some(cross(&learn, kind, &Split::Groups, seed)?.0)
        }
        _ => None,
    };
    let fitted = fit(&learn, kind, seed)?;
    let said = |row: &[f64]| cooled(&fitted.model.scores(row).unwrap_or_default(), temperature);
    let predicted: Vec<Vec<f64>> = held.rows().iter().map(|row| said(&row.values)).collect();
    let report = Report {
        held_out: metrics(&predicted, &held.labels()),
        cross_validation,
        groups,
        importance: permutation(|row| greatest(&said(row)), &held, seed),
        gain: fitted.gain,
        convergence: fitted.convergence,
        rounds: fitted.rounds,
    };
    let counts = learn.counts();
    let total = real(learn.rows().len());
    Ok(Artifact {
        features: data.features().to_vec(),
        classes: data.classes().to_vec(),
        model: fitted.model,
        link: Link::Softmax,
        temperature,
        frequencies: counts.iter().map(|count| real(*count) / total).collect(),
        origin: Origin::Trained(Box::new(Provenance {
            dataset_sha256: data.hash(),
            rows: data.rows().len(),
            counts: data.counts(),
            split: how,
            split_id,
            seed,
            date,
            report,
        })),
    })
}

struct Fitted {
    model: Model,
    gain: Option<Vec<f64>>,
    convergence: Option<Convergence>,
    rounds: Option<(usize, usize)>,
}

fn fit(data: &Dataset, kind: &Kind, seed: u64) -> Result<Fitted, FitError> {
    Ok(match kind {
        Kind::Logistic(options) => {
            let (linear, convergence) = logistic::fit(data, options)?;
            let (model, convergence) = (Model::Logistic(linear), Some(convergence));
            Fitted { model, gain: None, convergence, rounds: None }
        }
        Kind::Trees(options) => {
            let grown = trees::fit(data, options, seed)?;
            let rounds = Some((grown.tried, grown.forest.rounds.len()));
            let (model, gain) = (Model::Trees(grown.forest), Some(grown.gains));
            Fitted { model, gain, convergence: None, rounds }
        }
    })
}

type Crossed = (CrossValidation, Vec<Vec<f64>>, Vec<usize>);

/// Scores of every fold, and of every row by a model that did not learn from it.
fn cross(data: &Dataset, kind: &Kind, how: &Split, seed: u64) -> Result<Crossed, TrainError> {
    let Folds { id, folds } = split::split(data, how)?;
    let mut told = CrossValidation { split_id: id, accuracy: Vec::new(), f1_macro: Vec::new() };
    let (mut scores, mut truth) = (Vec::new(), Vec::new());
    for fold in &folds {
        let (learn, test) = (data.at(&fold.train), data.at(&fold.test));
        let model = fit(&learn, kind, seed)?.model;
        let of = |row: &Row| model.scores(&row.values).unwrap_or_default();
        let these: Vec<Vec<f64>> = test.rows().iter().map(of).collect();
        let shares: Vec<Vec<f64>> = these.iter().map(|scores| cooled(scores, 1.0)).collect();
        let figures = metrics(&shares, &test.labels());
        told.accuracy.push(figures.accuracy);
        told.f1_macro.push(figures.f1_macro);
        scores.extend(these);
        truth.extend(test.labels());
    }
    Ok((told, scores, truth))
}
