//! How much each feature counts: what is lost when it is shuffled (Breiman, Random forests, 2001,
//! section 10), in macro-F1 on rows the model did not learn from.

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::metrics::f1_macro;
use super::random::Random;
use super::softmax::real;

/// How often each feature is shuffled.
pub const REPEATS: usize = 20;
/// The 97.5 % quantile of Student's t with `REPEATS` - 1 = 19 degrees of freedom.
const STUDENT: f64 = 2.093_024;

/// What shuffling a feature costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importance {
    /// The feature.
    pub feature: String,
    /// Macro-F1 lost, on average.
    pub mean: f64,
    /// The lower end of the 95 % interval of the mean.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The importance of every feature of `data`, the greatest first; `said` gives the class of a row.
#[must_use]
pub fn permutation(said: impl Fn(&[f64]) -> usize, data: &Dataset, seed: u64) -> Vec<Importance> {
    let classes = data.classes().len();
    let score = |rows: &[Vec<f64>], truth: &[usize]| {
        let mut confusion = vec![vec![0; classes]; classes];
        for (row, truth) in rows.iter().zip(truth) {
            confusion[*truth][said(row)] += 1;
        }
        f1_macro(&confusion)
    };
    let truth = data.labels();
    let mut rows: Vec<Vec<f64>> = data.rows().iter().map(|row| row.values.clone()).collect();
    let whole = score(&rows, &truth);
    let mut all = Vec::with_capacity(data.features().len());
    for (at, feature) in data.features().iter().enumerate() {
        let column: Vec<f64> = rows.iter().map(|row| row[at]).collect();
        // A stream of its own: another feature beside it changes nothing.
        let mut random = Random::new(seed, name(feature));
        let mut lost = Vec::with_capacity(REPEATS);
        // What never changes cannot be shuffled.
        let varies = column.windows(2).any(|pair| pair[0].to_bits() != pair[1].to_bits());
        for _ in 0..if varies { REPEATS } else { 0 } {
            let mut shuffled = column.clone();
            random.shuffle(&mut shuffled);
            rows.iter_mut().zip(&shuffled).for_each(|(row, value)| row[at] = *value);
            lost.push(whole - score(&rows, &truth));
        }
        rows.iter_mut().zip(&column).for_each(|(row, value)| row[at] = *value);
        let (mean, half) = interval(&lost);
        let (low, high) = (mean - half, mean + half);
        all.push(Importance { feature: feature.clone(), mean, low, high });
    }
    all.sort_by(|left, right| right.mean.total_cmp(&left.mean));
    all
}

/// The mean, and half the width of its 95 % interval by Student's t.
pub(crate) fn interval(numbers: &[f64]) -> (f64, f64) {
    if numbers.len() < 2 {
        return (0.0, 0.0);
    }
    let n = real(numbers.len());
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|number| (number - mean) * (number - mean)).sum();
    (mean, STUDENT * (squares / (n - 1.0) / n).sqrt())
}

/// FNV-1a of a name (Fowler, Noll and Vo): it only keeps streams apart.
fn name(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
