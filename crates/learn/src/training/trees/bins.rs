//! Values as bins: at most 254 a feature, cut where values lie, with one more for what is missing.

use crate::training::dataset::Dataset;

/// The most cuts of a feature.
const CUTS: usize = 253;

/// All rows, binned.
#[derive(Debug)]
pub(super) struct Bins {
    /// Per feature: values up to `cuts[b]` and above `cuts[b - 1]` are in bin `b`.
    pub(super) cuts: Vec<Vec<f64>>,
    /// Where the bins of each feature begin in a histogram; its last bin is for missing values.
    pub(super) starts: Vec<usize>,
    /// Bins of all features together.
    pub(super) total: usize,
    /// The place of each value in a histogram, a row after the other.
    places: Vec<u32>,
}

impl Bins {
    /// Cuts are found in the rows that are learnt from alone.
    pub(super) fn of(data: &Dataset, learn: &[usize]) -> Self {
        let width = data.features().len();
        let cuts: Vec<Vec<f64>> = (0..width)
            .map(|feature| cuts(learn.iter().map(|at| data.rows()[*at].values[feature]).collect()))
            .collect();
        let mut starts = Vec::with_capacity(width);
        let mut total = 0;
        for cuts in &cuts {
            starts.push(total);
            total += cuts.len() + 2;
        }
        let mut places = Vec::with_capacity(width * data.rows().len());
        for row in data.rows() {
            for (feature, value) in row.values.iter().enumerate() {
                let cuts = &cuts[feature];
                let bin = if value.is_nan() {
                    cuts.len() + 1
                } else {
                    cuts.partition_point(|cut| cut < value)
                };
                places.push(u32::try_from(starts[feature] + bin).unwrap_or(u32::MAX));
            }
        }
        Self { cuts, starts, total, places }
    }

    /// The places of a row's values.
    pub(super) fn row(&self, at: u32) -> &[u32] {
        let (at, width) = (at as usize, self.starts.len());
        &self.places[at * width..(at + 1) * width]
    }
}

/// Cuts between neighbouring values; where there are too many, between groups of about equal mass.
fn cuts(mut values: Vec<f64>) -> Vec<f64> {
    values.retain(|value| !value.is_nan());
    values.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<(f64, usize)> = Vec::new();
    for value in &values {
        match distinct.last_mut() {
            Some((last, count)) if *last >= *value => *count += 1,
            _ => distinct.push((*value, 1)),
        }
    }
    let enough = if distinct.len() <= CUTS + 1 { 1 } else { values.len().div_ceil(CUTS + 1) };
    let (mut cuts, mut gathered) = (Vec::new(), 0);
    for pair in distinct.windows(2) {
        let [(low, count), (high, _)] = pair else { continue };
        gathered += count;
        if gathered >= enough {
            gathered = 0;
            cuts.push(between(*low, *high));
        }
    }
    cuts
}

/// A number from `low` to just below `high`.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if low <= middle && middle < high { middle } else { low }
}
