//! What may replace what decides now.
//!
//! A challenger must be better on macro-F1 and not worse calibrated, on rows neither side learnt
//! from, and must have learnt from enough: 200 labels, 2,000 for trees, 15 of every class
//! (`judgement.md` 3b). Differences are judged by the paired bootstrap (Efron and Tibshirani, An
//! introduction to the bootstrap, 1993, chapter 13: percentile intervals).

use jiff::civil::Date;
use model::Digest;
use serde::{Deserialize, Serialize};

use super::metrics::{Metrics, answers, ece, f1_macro};
use super::random::Random;
use super::softmax::greatest;

/// Labels a model must have been made of.
pub const LABELS: usize = 200;
/// Labels trees must have been made of.
pub const LABELS_OF_TREES: usize = 2_000;
/// Labels of every class.
pub const LABELS_A_CLASS: usize = 15;
/// How much greater a calibration error may be seen than the other before it counts as worse even
/// if it may be chance.
pub const ECE_TOLERANCE: f64 = 0.02;
/// How often rows are drawn again.
const DRAWS: usize = 1_000;

/// With what a model was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incumbent {
    /// Another model.
    Model,
    /// What was stated of the rows, by whatever decided then.
    Stated,
    /// The frequencies of the classes.
    Frequencies,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// The model, if it is one.
    pub artifact_sha256: Option<Digest>,
    /// How it did.
    pub metrics: Metrics,
}

/// The challenger's figure less the incumbent's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// As seen.
    pub seen: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A comparison, as the registry keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The data set both were tested on.
    pub dataset_sha256: Digest,
    /// Which of its rows.
    pub split_id: String,
    /// How many.
    pub n: usize,
    /// What rows were drawn again by.
    pub seed: u64,
    /// The day of the comparison.
    pub date: Date,
    /// What kind of model the challenger is: `logistic` or `trees`.
    pub kind: String,
    /// Labels it was made of; where that is not known, labels it was tested on.
    pub labels: usize,
    /// The same of the class with the fewest.
    pub fewest: usize,
    /// What wants to decide.
    pub challenger: Side,
    /// What decides.
    pub incumbent: Side,
    /// What kind of incumbent it is.
    pub against: Incumbent,
    /// The difference in macro-F1: above 0 the challenger is better.
    pub f1: Difference,
    /// The difference in calibration error: above 0 the challenger is worse.
    pub ece: Difference,
}

/// Why a challenger may not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Too few labels.
    #[error("it was made of too few labels: 200 are needed, 2,000 for trees")]
    FewLabels,
    /// Too few labels of a class.
    #[error("it was made of fewer than 15 labels of a class")]
    FewOfAClass,
    /// Not better.
    #[error("it is not certainly better on macro-F1")]
    NotBetter,
    /// Worse calibrated.
    #[error("its probabilities are further from what comes true")]
    Miscalibrated,
    /// The record contradicts itself.
    #[error("the comparison contradicts itself")]
    Contradictory,
}

/// Why the challenger of a comparison may not decide; empty when it may.
///
/// Against mere frequencies, which are never confident and so never wrong about it, a lower Brier
/// score is asked for in place of the calibration error.
#[must_use]
pub fn refusals(comparison: &Comparison) -> Vec<Refusal> {
    let mut found = Vec::new();
    let (new, old) = (&comparison.challenger.metrics, &comparison.incumbent.metrics);
    if !consistent(comparison) {
        found.push(Refusal::Contradictory);
    }
    let needed = if comparison.kind == "trees" { LABELS_OF_TREES } else { LABELS };
    if comparison.labels < needed {
        found.push(Refusal::FewLabels);
    }
    if comparison.fewest < LABELS_A_CLASS {
        found.push(Refusal::FewOfAClass);
    }
    // Written so that NaN is no better.
    if !(comparison.f1.seen > 0.0 && comparison.f1.low > 0.0) {
        found.push(Refusal::NotBetter);
    }
    let calibrated = match comparison.against {
        Incumbent::Frequencies => new.brier < old.brier,
        Incumbent::Model | Incumbent::Stated => {
            comparison.ece.low <= 0.0 && comparison.ece.seen <= ECE_TOLERANCE
        }
    };
    if !calibrated {
        found.push(Refusal::Miscalibrated);
    }
    found
}

/// Whether what a record says twice is the same.
fn consistent(comparison: &Comparison) -> bool {
    let (new, old) = (&comparison.challenger.metrics, &comparison.incumbent.metrics);
    let same = |seen: f64, of: f64| (seen - of).abs() < 1e-9;
    let shares = [new.f1_macro, old.f1_macro, new.ece, old.ece, new.accuracy, old.accuracy];
    let rows = |metrics: &Metrics| metrics.confusion_matrix.iter().flatten().sum::<usize>();
    comparison.n == new.n
        && comparison.n == old.n
        && comparison.n == rows(new)
        && comparison.n == rows(old)
        && comparison.n > 0
        && shares.iter().all(|share| (0.0..=1.0).contains(share))
        && same(comparison.f1.seen, new.f1_macro - old.f1_macro)
        && same(comparison.ece.seen, new.ece - old.ece)
        && same(f1_macro(&new.confusion_matrix), new.f1_macro)
        && same(f1_macro(&old.confusion_matrix), old.f1_macro)
        && (comparison.against == Incumbent::Model)
            == comparison.incumbent.artifact_sha256.is_some()
        && comparison.challenger.artifact_sha256.is_some()
        && ["logistic", "trees"].contains(&comparison.kind.as_str())
}

/// Differences of two sides on the same rows.
pub(crate) struct Differences {
    pub(crate) f1: Difference,
    pub(crate) ece: Difference,
}

/// Draws rows again and again, the same for both sides.
pub(crate) fn differences(
    new: &[Vec<f64>],
    old: &[Vec<f64>],
    truth: &[usize],
    seed: u64,
) -> Differences {
    let sides = [Drawn::of(new, truth), Drawn::of(old, truth)];
    let all: Vec<usize> = (0..truth.len()).collect();
    let off = |rows: &[usize]| {
        let [new, old] = [sides[0].figures(rows), sides[1].figures(rows)];
        (new.0 - old.0, new.1 - old.1)
    };
    let seen = off(&all);
    let mut random = Random::new(seed, 0xB007);
    let (mut f1, mut ece) = (Vec::with_capacity(DRAWS), Vec::with_capacity(DRAWS));
    for _ in 0..DRAWS {
        let rows: Vec<usize> = all.iter().map(|_| random.below(all.len())).collect();
        let drawn = off(&rows);
        f1.push(drawn.0);
        ece.push(drawn.1);
    }
    Differences { f1: percentiles(seen.0, f1), ece: percentiles(seen.1, ece) }
}

/// The 2.5th and the 97.5th percentile.
fn percentiles(seen: f64, mut drawn: Vec<f64>) -> Difference {
    drawn.sort_unstable_by(f64::total_cmp);
    let cut = DRAWS / 40;
    Difference { seen, low: drawn[cut], high: drawn[DRAWS - 1 - cut] }
}

/// What one side said, made ready to be drawn from.
struct Drawn<'a> {
    classes: usize,
    said: Vec<usize>,
    truth: &'a [usize],
    answers: Vec<(f64, bool)>,
}

impl<'a> Drawn<'a> {
    fn of(predicted: &[Vec<f64>], truth: &'a [usize]) -> Self {
        Self {
            classes: predicted.first().map_or(0, Vec::len),
            said: predicted.iter().map(|shares| greatest(shares)).collect(),
            truth,
            answers: answers(predicted, truth),
        }
    }

    /// Macro-F1 and calibration error of some rows.
    fn figures(&self, rows: &[usize]) -> (f64, f64) {
        let mut confusion = vec![vec![0; self.classes]; self.classes];
        for row in rows {
            confusion[self.truth[*row]][self.said[*row]] += 1;
        }
        let answers: Vec<(f64, bool)> = rows.iter().map(|row| self.answers[*row]).collect();
        (f1_macro(&confusion), ece(&answers))
    }
}
