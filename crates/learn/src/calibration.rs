//! Whether what was predicted came true: probabilities of failure against verified outcomes.
//!
//! A reliability diagram of ten bins of equal width with the Brier score (Brier, Monthly Weather
//! Review 78, 1950; Murphy and Winkler, Applied Statistics 26, 1977). The interval of an observed
//! share is Wilson's score interval (J. Am. Stat. Assoc. 22, 1927) of 90 %: it lies within 0 and 1
//! and has a width even where nothing, or everything, failed.

use std::collections::BTreeMap;

/// How many bins there are.
pub const BINS: usize = 10;

/// The quantile of the normal distribution that leaves 5 % on either side.
const Z: f64 = 1.644_853_626_951_472_2;

/// Changes of one category of which the same was predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The category.
    pub category: String,
    /// The predicted probability of failure.
    pub predicted: f64,
    /// How many there were.
    pub n: u64,
    /// How many of them failed.
    pub failed: u64,
}

/// What some changes have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// How many there were.
    pub n: u64,
    /// The mean probability of failure that was predicted.
    pub predicted: f64,
    /// The share that failed.
    pub observed: f64,
}

/// Changes whose predicted probability lies in one tenth of 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Where the bin begins.
    pub from: f64,
    /// Where it ends; that value belongs to the next bin, and 1 to the last.
    pub to: f64,
    /// What lies in it; nothing when none does.
    pub share: Option<Share>,
    /// Between what the true share lies, with a confidence of 90 %.
    pub interval: Option<(f64, f64)>,
}

/// How well predictions and outcomes agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// How many changes there were.
    pub n: u64,
    /// The mean squared difference: 0 is perfect, 0.25 is what saying one half always gets.
    pub brier: Option<f64>,
    /// All ten bins, in order.
    pub bins: Vec<Bin>,
    /// Each category there was, in order.
    pub categories: Vec<(String, Share)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    n: u64,
    failed: u64,
    predicted: f64,
}

impl Sum {
    fn add(&mut self, seen: &Seen) {
        self.n += seen.n;
        self.failed += seen.failed.min(seen.n);
        self.predicted += seen.predicted * count(seen.n);
    }

    fn share(self) -> Option<Share> {
        let n = count(self.n);
        (self.n > 0).then(|| Share {
            n: self.n,
            predicted: self.predicted / n,
            observed: count(self.failed) / n,
        })
    }
}

/// A count as a float: exact as long as it stays below 2^53, which no count of rows reaches.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
const fn count(n: u64) -> f64 {
    n as f64
}

/// Compares what was predicted with what was seen. What is no probability is left out.
#[must_use]
pub fn compare(seen: &[Seen]) -> Calibration {
    let mut bins = [Sum::default(); BINS];
    let mut categories: BTreeMap<&str, Sum> = BTreeMap::new();
    let mut all = Sum::default();
    let mut squares = 0.0;
    for one in seen.iter().filter(|one| (0.0..=1.0).contains(&one.predicted)) {
        let failed = one.failed.min(one.n);
        squares += count(failed) * (1.0 - one.predicted).powi(2)
            + count(one.n - failed) * one.predicted.powi(2);
        all.add(one);
        categories.entry(&one.category).or_default().add(one);
        if let Some(bin) = bins.get_mut(bin(one.predicted)) {
            bin.add(one);
        }
    }
    let shares = categories
        .into_iter()
        .filter_map(|(name, sum)| sum.share().map(|share| (name.to_owned(), share)));
    Calibration {
        n: all.n,
        brier: (all.n > 0).then(|| squares / count(all.n)),
        bins: bins.into_iter().enumerate().map(|(at, sum)| shown(at, sum)).collect(),
        categories: shares.collect(),
    }
}

/// Where a bin begins.
fn edge(at: usize) -> f64 {
    count(at as u64) / count(BINS as u64)
}

/// The bin of a probability: by the edges as they are shown, not by a product that may round.
fn bin(predicted: f64) -> usize {
    (1..BINS).take_while(|at| edge(*at) <= predicted).count()
}

fn shown(at: usize, sum: Sum) -> Bin {
    let interval = (sum.n > 0).then(|| wilson(sum.failed, sum.n));
    Bin { from: edge(at), to: edge(at + 1), share: sum.share(), interval }
}

/// Wilson's score interval of `failed` out of `n`.
fn wilson(failed: u64, n: u64) -> (f64, f64) {
    let (share, n_all, square) = (count(failed) / count(n), count(n), Z * Z);
    let middle = share + square / (2.0 * n_all);
    let half = Z * (share * (1.0 - share) / n_all + square / (4.0 * n_all * n_all)).sqrt();
    let whole = 1.0 + square / n_all;
    // At the ends the bound is the end itself, which the sum misses by a rounding.
    let low = if failed == 0 { 0.0 } else { (middle - half) / whole };
    let high = if failed == n { 1.0 } else { (middle + half) / whole };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(category: &str, predicted: f64, n: u64, failed: u64) -> Seen {
        Seen { category: category.to_owned(), predicted, n, failed }
    }

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-8, "{value} is not {expected}");
    }

    #[test]
    fn nothing_seen_says_nothing() {
        let none = compare(&[]);
        assert_eq!((none.n, none.brier, none.categories.len()), (0, None, 0));
        assert_eq!(none.bins.len(), BINS);
        assert!(none.bins.iter().all(|bin| bin.share.is_none() && bin.interval.is_none()));
    }

    #[test]
    fn figures_are_those_computed_by_hand() {
        let all = compare(&[
            seen("compute", 0.05, 8, 0),
            seen("compute", 0.07, 2, 1),
            seen("network", 0.62, 4, 3),
            seen("network", 1.0, 1, 1),
        ]);
        assert_eq!(all.n, 15);
        // 8·0.05² + 0.93² + 0.07² + 3·0.38² + 0.62² + 0, over 15.
        near(all.brier.unwrap(), (0.02 + 0.8649 + 0.0049 + 0.4332 + 0.3844) / 15.0);
        let first = all.bins[0].share.unwrap();
        assert_eq!(first.n, 10);
        near(first.predicted, (8.0 * 0.05 + 2.0 * 0.07) / 10.0);
        near(first.observed, 0.1);
        // Wilson's interval of 1 in 10 at 90 %.
        let (low, high) = all.bins[0].interval.unwrap();
        near(low, 0.022_634_908_7);
        near(high, 0.347_718_667_3);
        assert_eq!((all.bins[6].share.unwrap().n, all.bins[9].share.unwrap().n), (4, 1));
        let names: Vec<&str> = all.categories.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["compute", "network"]);
        near(all.categories[1].1.predicted, (4.0 * 0.62 + 1.0) / 5.0);
        near(all.categories[1].1.observed, 0.8);
    }

    #[test]
    fn an_edge_belongs_to_the_bin_it_begins() {
        for at in 0..BINS {
            assert_eq!(bin(edge(at)), at);
        }
        assert_eq!((bin(0.3), bin(0.7), bin(1.0), bin(0.099_999)), (3, 7, 9, 0));
    }

    #[test]
    fn an_interval_holds_its_share_and_stays_within_zero_and_one() {
        assert_eq!(wilson(0, 20).0.to_bits(), 0.0_f64.to_bits());
        assert_eq!(wilson(20, 20).1.to_bits(), 1.0_f64.to_bits());
        for n in 1..60 {
            for failed in 0..=n {
                let (low, high) = wilson(failed, n);
                let share = count(failed) / count(n);
                assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            }
        }
    }

    #[test]
    fn what_is_no_probability_is_left_out() {
        let all = compare(&[seen("x", f64::NAN, 3, 1), seen("x", 1.2, 3, 1), seen("x", 0.5, 2, 1)]);
        assert_eq!(all.n, 2);
        near(all.brier.unwrap(), 0.25);
    }
}
