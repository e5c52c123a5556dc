//! How good predictions are.
//!
//! Macro figures are means over the classes that occur, as truth or as answer, with 0 for 0/0
//! (the convention of scikit-learn's `zero_division=0`). The Brier score is Brier's own of 1950,
//! over all classes: 0 is perfect, 2 is certain and wrong every time. The calibration error is that
//! of the answer given, in ten bins of equal mass: `Σ n_b/n |accuracy_b - confidence_b|` (Guo et
//! al., On calibration of modern neural networks, 2017, equation 3; equal mass as in Nixon et al.
//! 2019).

use serde::{Deserialize, Serialize};

use super::softmax::{SMALLEST, greatest, real};

/// Bins of the calibration error.
const BINS: usize = 10;
/// The shares of rows, most confident first, of which the accuracy is told.
const COVERAGES: [f64; 6] = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// The accuracy among the most confident answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covered {
    /// The share of rows answered.
    pub coverage: f64,
    /// The least confidence among them.
    pub confidence: f64,
    /// The share of right answers among them.
    pub accuracy: f64,
}

/// Precision, recall and F1 of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfClass {
    /// Of the answers with this class, the share that is right.
    pub precision: f64,
    /// Of the rows of this class, the share that is found.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
    /// Rows of this class.
    pub rows: usize,
}

/// Figures of predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Rows.
    pub n: usize,
    /// The share of right answers.
    pub accuracy: f64,
    /// Mean precision.
    pub precision_macro: f64,
    /// Mean recall.
    pub recall_macro: f64,
    /// Mean F1.
    pub f1_macro: f64,
    /// `Σ_k (p_k - y_k)²`, mean over rows.
    pub brier: f64,
    /// The mean of `-log p` of the truth, in nats.
    pub log_loss: f64,
    /// The calibration error of the answer.
    pub ece: f64,
    /// The accuracy among the most confident.
    pub coverage: Vec<Covered>,
    /// Each class, in the model's order.
    pub classes: Vec<OfClass>,
    /// Rows: what it was; columns: what it was said to be.
    pub confusion_matrix: Vec<Vec<usize>>,
}

/// The figures of predictions against the truth; there is at least one, each of all classes.
#[must_use]
pub fn metrics(predicted: &[Vec<f64>], truth: &[usize]) -> Metrics {
    let classes = predicted.first().map_or(0, Vec::len);
    let mut confusion = vec![vec![0_usize; classes]; classes];
    let (mut brier, mut log_loss, mut right) = (0.0, 0.0, 0);
    for (shares, truth) in predicted.iter().zip(truth) {
        let said = greatest(shares);
        confusion[*truth][said] += 1;
        right += usize::from(said == *truth);
        log_loss -= libm::log(shares[*truth].max(SMALLEST));
        for (class, share) in shares.iter().enumerate() {
            let off = share - if class == *truth { 1.0 } else { 0.0 };
            brier += off * off;
        }
    }
    let n = real(predicted.len());
    let of: Vec<OfClass> = (0..classes).map(|class| of_class(&confusion, class)).collect();
    let occurs = |class: &usize| of[*class].rows > 0 || confusion.iter().any(|row| row[*class] > 0);
    let there: Vec<&OfClass> = (0..classes).filter(occurs).map(|class| &of[class]).collect();
    let mean = |of: fn(&OfClass) -> f64| {
        there.iter().map(|class| of(class)).sum::<f64>() / real(there.len().max(1))
    };
    Metrics {
        n: predicted.len(),
        accuracy: real(right) / n,
        precision_macro: mean(|class| class.precision),
        recall_macro: mean(|class| class.recall),
        f1_macro: mean(|class| class.f1),
        brier: brier / n,
        log_loss: log_loss / n,
        ece: ece(&answers(predicted, truth)),
        coverage: coverage(predicted, truth),
        classes: of,
        confusion_matrix: confusion,
    }
}

/// Of each row: how sure the answer is, and whether it is right.
pub(crate) fn answers(predicted: &[Vec<f64>], truth: &[usize]) -> Vec<(f64, bool)> {
    let answer = |(shares, truth): (&Vec<f64>, &usize)| {
        let said = greatest(shares);
        (shares[said], said == *truth)
    };
    predicted.iter().zip(truth).map(answer).collect()
}

/// The calibration error of answers.
pub(crate) fn ece(answers: &[(f64, bool)]) -> f64 {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
    let n = sorted.len();
    let mut error = 0.0;
    for bin in 0..BINS {
        let bin = &sorted[bin * n / BINS..(bin + 1) * n / BINS];
        let confidence: f64 = bin.iter().map(|(confidence, _)| confidence).sum();
        let right = real(bin.iter().filter(|(_, right)| *right).count());
        error += (right - confidence).abs();
    }
    error / real(n.max(1))
}

/// Mean F1 of a confusion matrix, over the classes that occur.
pub(crate) fn f1_macro(confusion: &[Vec<usize>]) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for class in 0..confusion.len() {
        let of = of_class(confusion, class);
        if of.rows > 0 || confusion.iter().any(|row| row[class] > 0) {
            sum += of.f1;
            count += 1;
        }
    }
    sum / real(count.max(1))
}

fn of_class(confusion: &[Vec<usize>], class: usize) -> OfClass {
    let found = real(confusion[class][class]);
    let rows: usize = confusion[class].iter().sum();
    let said: usize = confusion.iter().map(|row| row[class]).sum();
    let share = |of: usize| if of == 0 { 0.0 } else { found / real(of) };
    let (precision, recall) = (share(said), share(rows));
    let both = rows + said;
    let f1 = if both == 0 { 0.0 } else { 2.0 * found / real(both) };
    OfClass { precision, recall, f1, rows }
}

fn coverage(predicted: &[Vec<f64>], truth: &[usize]) -> Vec<Covered> {
    let mut sorted = answers(predicted, truth);
    sorted.sort_by(|left, right| right.0.total_cmp(&left.0));
    let mut told = Vec::with_capacity(COVERAGES.len());
    for coverage in COVERAGES {
        // The first so many rows that are this share of all.
        let most = (1..=sorted.len()).find(|taken| real(*taken) >= coverage * real(sorted.len()));
        let taken = &sorted[..most.unwrap_or(sorted.len())];
        let right = real(taken.iter().filter(|(_, right)| *right).count());
        told.push(Covered {
            coverage,
            confidence: taken.last().map_or(0.0, |last| last.0),
            accuracy: right / real(taken.len().max(1)),
        });
    }
    told
}
