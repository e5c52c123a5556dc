//! Temperature scaling: one number that makes probabilities as sure as they are right.
//!
//! Guo et al., On calibration of modern neural networks (2017), section 4.2: scores are divided by
//! the temperature that makes the truth of rows the model did not learn from likeliest. The order
//! of classes, and with it every answer, stays.

use super::softmax::{SMALLEST, softmax};

/// The temperatures that are looked at, as logarithms: from 1/20 to 20.
const RANGE: f64 = 3.0;
/// Narrowings of the range: each leaves 0.618 of it, all of them a width below 1e-12.
const NARROWINGS: usize = 64;

/// The temperature for scores of rows the model did not learn from; 1 when there are none.
///
/// The loss is convex in 1/T, so that it has one minimum, which golden sections find.
#[must_use]
pub fn temperature(scores: &[Vec<f64>], truth: &[usize]) -> f64 {
    if scores.is_empty() {
        return 1.0;
    }
    let ratio = (libm::sqrt(5.0) - 1.0) / 2.0;
    let (mut low, mut high) = (-RANGE, RANGE);
    let mut inner = [high - ratio * (high - low), low + ratio * (high - low)];
    let mut losses = inner.map(|at| loss(scores, truth, libm::exp(at)));
    for _ in 0..NARROWINGS {
        if losses[0] <= losses[1] {
            high = inner[1];
            inner = [high - ratio * (high - low), inner[0]];
            losses = [loss(scores, truth, libm::exp(inner[0])), losses[0]];
        } else {
            low = inner[0];
            inner = [inner[1], low + ratio * (high - low)];
            losses = [losses[1], loss(scores, truth, libm::exp(inner[1]))];
        }
    }
    libm::exp(low / 2.0 + high / 2.0)
}

/// Probabilities of scores at a temperature.
#[must_use]
pub fn cooled(scores: &[f64], temperature: f64) -> Vec<f64> {
    let mut shares: Vec<f64> = scores.iter().map(|score| score / temperature).collect();
    softmax(&mut shares);
    shares
}

fn loss(scores: &[Vec<f64>], truth: &[usize], temperature: f64) -> f64 {
    let of = |(scores, truth): (&Vec<f64>, &usize)| {
        -libm::log(cooled(scores, temperature)[*truth].max(SMALLEST))
    };
    scores.iter().zip(truth).map(of).sum()
}
