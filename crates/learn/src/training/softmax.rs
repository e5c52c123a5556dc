//! Scores to probabilities, and counts to numbers.

/// The most classes a model may know.
pub(crate) const MAX_CLASSES: usize = 32;

/// The smallest probability a loss is taken of.
pub(crate) const SMALLEST: f64 = 1e-15;

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub(crate) const fn real(count: usize) -> f64 {
    count as f64
}

/// Turns scores into probabilities in place.
///
/// The sum is taken in order of size and not of position, so that what classes are called, and in
/// which order, does not change a bit of it.
pub(crate) fn softmax(scores: &mut [f64]) {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in scores.iter_mut() {
        *score = libm::exp(*score - top);
    }
    let total = sum(scores);
    for score in scores.iter_mut() {
        *score /= total;
    }
}

/// The sum of numbers, whatever their order.
fn sum(numbers: &[f64]) -> f64 {
    let mut sorted = [0.0; MAX_CLASSES];
    if numbers.len() > MAX_CLASSES {
        return numbers.iter().sum();
    }
    let sorted = &mut sorted[..numbers.len()];
    sorted.copy_from_slice(numbers);
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.iter().sum()
}

/// The position of the greatest; the first of several.
pub(crate) fn greatest(numbers: &[f64]) -> usize {
    let mut best = 0;
    for (at, number) in numbers.iter().enumerate() {
        if *number > numbers[best] {
            best = at;
        }
    }
    best
}
