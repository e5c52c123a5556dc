//! Multinomial logistic regression with a ridge around a prior mean.
//!
//! The loss is `-Σ w_i log p(y_i | x_i) + ½ λ Σ (v - v₀)²` over standardised weights `v` (Bishop,
//! Pattern Recognition and Machine Learning, section 4.3.4; a Gaussian prior of mean `v₀` and
//! precision λ). With a rules table as `v₀` the model says what the table says until data moves it.

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::lbfgs::minimise;
use super::softmax::{SMALLEST, real, softmax};

/// How small the gradient of the mean loss must become.
const TOLERANCE: f64 = 1e-7;
/// The precision that keeps the intercepts of a model without a prior in one place: the loss says
/// nothing about adding the same to all of them.
const INTERCEPTS: f64 = 1e-6;

/// A linear score per class, in the units of the features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Per class, a weight per feature.
    pub weights: Vec<Vec<f64>>,
    /// Per class.
    pub intercepts: Vec<f64>,
    /// What stands for a value that is missing, per feature; where there is none, a row with a
    /// missing value is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<f64>>,
}

/// How a model is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The precision of the prior, λ: how strongly weights are held, per standard deviation of
    /// their feature.
    pub ridge: f64,
    /// The most steps.
    pub steps: usize,
    /// What is believed before any row is seen, in the units of the features. Its `missing` says
    /// what stands for missing values: zeros where rules say nothing of what they do not see.
    pub prior: Option<Linear>,
}

impl Default for Options {
    fn default() -> Self {
        Self { ridge: 1.0, steps: 500, prior: None }
    }
}

/// How the fitting ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convergence {
    /// Whether the gradient became small enough.
    pub converged: bool,
    /// Steps taken.
    pub iterations: usize,
    /// The greatest component of the gradient of the mean loss.
    pub gradient: f64,
}

/// Why no model can be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// The prior is of another shape than the data.
    #[error("the prior is not one of these features and classes")]
    Prior,
    /// A setting is out of range.
    #[error("{0} is out of range")]
    Setting(&'static str),
    /// Everything is of one class.
    #[error("the rows are of one class alone")]
    OneClass,
}

/// Fits a model.
///
/// Missing values are the prior's `missing`, without a prior the mean of the feature.
///
/// # Errors
/// When the options do not fit the data.
pub fn fit(data: &Dataset, options: &Options) -> Result<(Linear, Convergence), FitError> {
    if !(options.ridge.is_finite() && options.ridge > 0.0) {
        return Err(FitError::Setting("ridge"));
    }
    let (width, classes) = (data.features().len(), data.classes().len());
    if options.prior.as_ref().is_some_and(|prior| !prior.fits(width, classes)) {
        return Err(FitError::Prior);
    }
    let scaled = Scaled::of(data, options.prior.as_ref());
    let start = scaled.start(options.prior.as_ref(), classes);
    let weight: f64 = data.rows().iter().map(|row| row.weight).sum();
    let hold = |at: usize| match (at % (width + 1) == width, &options.prior) {
        (true, None) => INTERCEPTS,
        _ => options.ridge,
    };
    let found = minimise(start.clone(), TOLERANCE, options.steps, |at, gradient| {
        let mut loss = 0.0;
        for (part, (here, first)) in at.iter().zip(&start).enumerate() {
            let off = here - first;
            loss += 0.5 * hold(part) * off * off;
            gradient[part] = hold(part) * off;
        }
        loss += scaled.loss(data, at, gradient, classes);
        gradient.iter_mut().for_each(|part| *part /= weight);
        loss / weight
    });
    let ended = Convergence {
        converged: found.converged,
        iterations: found.iterations,
        gradient: found.gradient,
    };
    Ok((scaled.back(&found.at, classes), ended))
}

impl Linear {
    /// Whether it is one of so many features and classes, and all of it finite.
    #[must_use]
    pub fn fits(&self, features: usize, classes: usize) -> bool {
        let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
        self.weights.len() == classes
            && self.intercepts.len() == classes
            && finite(&self.intercepts)
            && self.weights.iter().all(|row| row.len() == features && finite(row))
            && self.missing.as_ref().is_none_or(|at| at.len() == features && finite(at))
    }

    /// The score of each class; `None` when a value is missing and nothing stands for it.
    #[must_use]
    pub fn scores(&self, row: &[f64]) -> Option<Vec<f64>> {
        let mut scores = self.intercepts.clone();
        for (at, value) in row.iter().enumerate() {
            let value = match (value.is_nan(), &self.missing) {
                (false, _) => *value,
                (true, Some(stands)) => stands[at],
                (true, None) => return None,
            };
            for (score, weights) in scores.iter_mut().zip(&self.weights) {
                *score += weights[at] * value;
            }
        }
        Some(scores)
    }
}

/// Features with mean 0 and standard deviation 1; what never changes has the standard deviation 1.
struct Scaled {
    values: Vec<f64>,
    mean: Vec<f64>,
    deviation: Vec<f64>,
    missing: Vec<f64>,
}

impl Scaled {
    fn of(data: &Dataset, prior: Option<&Linear>) -> Self {
        let width = data.features().len();
        let stated = prior.map(|prior| prior.missing.clone().unwrap_or_else(|| vec![0.0; width]));
        let missing = stated.unwrap_or_else(|| (0..width).map(|at| mean(data, at)).collect());
        let mut values = Vec::with_capacity(data.rows().len() * width);
        for row in data.rows() {
            let known = row.values.iter().zip(&missing);
            values.extend(known.map(|(value, stand)| if value.is_nan() { *stand } else { *value }));
        }
        let n = real(data.rows().len());
        let (mut mean, mut deviation) = (vec![0.0; width], vec![1.0; width]);
        for at in 0..width {
            let column = || values.iter().skip(at).step_by(width);
            let first = values[at];
            if column().all(|value| value.to_bits() == first.to_bits()) {
                mean[at] = first;
                continue;
            }
            mean[at] = column().sum::<f64>() / n;
            let variance =
                column().map(|value| (value - mean[at]) * (value - mean[at])).sum::<f64>() / n;
            if variance > 0.0 && variance.is_finite() {
                deviation[at] = variance.sqrt();
            }
        }
        for row in values.chunks_exact_mut(width) {
            for (at, value) in row.iter_mut().enumerate() {
                *value = (*value - mean[at]) / deviation[at];
            }
        }
        Self { values, mean, deviation, missing }
    }

    /// The prior in scaled units, a class after the other, each with its intercept last.
    fn start(&self, prior: Option<&Linear>, classes: usize) -> Vec<f64> {
        let width = self.mean.len();
        let mut start = vec![0.0; classes * (width + 1)];
        let Some(prior) = prior else { return start };
        for (class, part) in start.chunks_exact_mut(width + 1).enumerate() {
            part[width] = prior.intercepts[class];
            for at in 0..width {
                part[at] = prior.weights[class][at] * self.deviation[at];
                part[width] += prior.weights[class][at] * self.mean[at];
            }
        }
        start
    }

    /// The loss of the rows; adds its gradient.
    fn loss(&self, data: &Dataset, at: &[f64], gradient: &mut [f64], classes: usize) -> f64 {
        let width = self.mean.len();
        let mut loss = 0.0;
        let mut scores = vec![0.0; classes];
        for (row, values) in data.rows().iter().zip(self.values.chunks_exact(width)) {
            for (score, part) in scores.iter_mut().zip(at.chunks_exact(width + 1)) {
                *score = part[width] + values.iter().zip(part).map(|(v, w)| v * w).sum::<f64>();
            }
            softmax(&mut scores);
            loss -= row.weight * libm::log(scores[row.label].max(SMALLEST));
            for (class, part) in gradient.chunks_exact_mut(width + 1).enumerate() {
                let truth = if class == row.label { 1.0 } else { 0.0 };
                let off = row.weight * (scores[class] - truth);
                part[width] += off;
                part.iter_mut().zip(values).for_each(|(part, value)| *part += off * value);
            }
        }
        loss
    }

    fn back(&self, at: &[f64], classes: usize) -> Linear {
        let width = self.mean.len();
        let mut weights = Vec::with_capacity(classes);
        let mut intercepts = Vec::with_capacity(classes);
        for part in at.chunks_exact(width + 1) {
            let row: Vec<f64> =
                part.iter().zip(&self.deviation).map(|(weight, by)| weight / by).collect();
            let moved: f64 = row.iter().zip(&self.mean).map(|(weight, mean)| weight * mean).sum();
            intercepts.push(part[width] - moved);
            weights.push(row);
        }
        Linear { weights, intercepts, missing: Some(self.missing.clone()) }
    }
}

fn mean(data: &Dataset, at: usize) -> f64 {
    let known = data.rows().iter().map(|row| row.values[at]).filter(|value| !value.is_nan());
    let (sum, count) = known.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / real(count) }
}
