//! Whether what a model looks at is still what it learnt from.
//!
//! Each feature is compared by the two-sample Kolmogorov-Smirnov test; its p-value is the asymptotic
//! one with Stephens' correction (Stephens 1970; Numerical Recipes, 3rd ed., section 14.3.3). Of many
//! features some look different by chance: which are told is decided by Benjamini and Hochberg's
//! procedure (1995).

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::softmax::real;

/// The share of false alarms among those told of (document 004: p < .05).
pub const FALSE_ALARMS: f64 = 0.05;
/// The fall of accuracy that counts as degradation (document 004).
pub const DEGRADED_BY: f64 = 0.05;
/// The fewest new rows a model is trained again for (document 004).
pub const NEW_ROWS: usize = 1_000;

/// How a feature changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// The feature.
    pub feature: String,
    /// The greatest distance of the two distribution functions, 0 to 1.
    pub distance: f64,
    /// How likely such a distance is when nothing changed.
    pub p_value: f64,
    /// The share of values missing before.
    pub missing_before: f64,
    /// The share of values missing now.
    pub missing_now: f64,
    /// Whether it is told of as changed.
    pub shifted: bool,
}

/// Compares the features of two data sets that have the same ones; `None` when they have not.
#[must_use]
pub fn shifts(before: &Dataset, now: &Dataset) -> Option<Vec<Shift>> {
    if before.features() != now.features() {
        return None;
    }
    let features = before.features().iter().enumerate();
    let mut all: Vec<Shift> = features
        .map(|(at, feature)| {
            let (old, new) = (column(before, at), column(now, at));
            let (distance, p_value) = kolmogorov_smirnov(&old, &new);
            let missing =
                |known: &[f64], data: &Dataset| 1.0 - real(known.len()) / real(data.rows().len());
            Shift {
                feature: feature.clone(),
                distance,
                p_value,
                missing_before: missing(&old, before),
                missing_now: missing(&new, now),
                shifted: false,
            }
        })
        .collect();
    let told = benjamini_hochberg(&all.iter().map(|one| one.p_value).collect::<Vec<_>>());
    all.iter_mut().zip(told).for_each(|(one, told)| one.shifted = told);
    Some(all)
}

/// Whether accuracy fell so far that it must be told.
#[must_use]
pub fn degraded(before: f64, now: f64) -> bool {
    before - now > DEGRADED_BY
}

/// Whether there is enough that is new to train again.
#[must_use]
pub const fn worth_training(new_rows: usize) -> bool {
    new_rows >= NEW_ROWS
}

fn column(data: &Dataset, at: usize) -> Vec<f64> {
    let known = data.rows().iter().map(|row| row.values[at]).filter(|value| !value.is_nan());
    let mut known: Vec<f64> = known.collect();
    known.sort_unstable_by(f64::total_cmp);
    known
}

/// Distance and p-value of two sorted samples; an empty one is no evidence of anything.
#[must_use]
pub fn kolmogorov_smirnov(old: &[f64], new: &[f64]) -> (f64, f64) {
    if old.is_empty() || new.is_empty() {
        return (0.0, 1.0);
    }
    let (mut left, mut right, mut distance) = (0, 0, 0.0_f64);
    while left < old.len() && right < new.len() {
        let at = old[left].min(new[right]);
        while left < old.len() && old[left] <= at {
            left += 1;
        }
        while right < new.len() && new[right] <= at {
            right += 1;
        }
        let off = real(left) / real(old.len()) - real(right) / real(new.len());
        distance = distance.max(off.abs());
    }
    let size = real(old.len()) * real(new.len()) / real(old.len() + new.len());
    let root = size.sqrt();
    (distance, kolmogorov((root + 0.12 + 0.11 / root) * distance))
}

/// The probability that Kolmogorov's statistic is above `at`: `2 Σ (-1)^(j-1) exp(-2 j² at²)`.
fn kolmogorov(at: f64) -> f64 {
    // Below this it is 1 to 13 digits, and the sum converges slowly.
    if at < 0.18 {
        return 1.0;
    }
    let (mut sum, mut sign) = (0.0, 1.0);
    for j in 1..=100_u32 {
        let j = f64::from(j);
        let term = libm::exp(-2.0 * j * j * at * at);
        sum += sign * term;
        sign = -sign;
        if term < 1e-17 {
            break;
        }
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

/// Which of the tests are told of: all up to the last whose p-value is at most its rank's share.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|left, right| p_values[*left].total_cmp(&p_values[*right]));
    let n = real(p_values.len());
    let within = |rank: &usize| p_values[order[*rank]] <= FALSE_ALARMS * real(rank + 1) / n;
    let last = (0..order.len()).rev().find(within);
    let mut told = vec![false; p_values.len()];
    if let Some(last) = last {
        order[..=last].iter().for_each(|at| told[*at] = true);
    }
    told
}
