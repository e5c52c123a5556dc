//! Gradient-boosted trees for several classes, over histograms.
//!
//! Friedman, Greedy function approximation (2001), algorithm 6: a tree per class and round, fitted
//! to the gradient of the cross-entropy, with the second-order leaf values and gains of Chen and
//! Guestrin, `XGBoost` (2016), equations 5 to 7. A missing value goes to the side the gain learnt
//! for it (their algorithm 3). Defaults are document 004's: depth 6, rate 0.1, 200 rounds,
//! subsample 0.8, stop after 20 rounds without improvement.

mod bins;
mod grow;
mod tree;

use serde::{Deserialize, Serialize};

pub use tree::{MAX_NODES, Node, Tree, TreeError};

use super::dataset::Dataset;
use super::logistic::FitError;
use super::random::Random;
use super::softmax::{SMALLEST, real, softmax};
use super::split::{self, Split};
use bins::Bins;
use grow::{Grower, Limits};

/// Fewer rows than this are not split again to find out when to stop.
const STOPPABLE: usize = 100;
/// The share of rows that says when to stop.
const WATCHED: f64 = 0.15;

/// How trees are grown.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The most rounds, of a tree per class each.
    pub rounds: usize,
    /// How much of what a tree says is believed.
    pub rate: f64,
    /// The most splits from the root to a leaf.
    pub depth: usize,
    /// The share of rows each round looks at.
    pub subsample: f64,
    /// Rounds without a lower loss on rows kept aside after which growing stops; `None` grows all.
    pub patience: Option<usize>,
    /// The ridge on leaf values.
    pub ridge: f64,
    /// The least curvature of the loss in a leaf.
    pub least: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rounds: 200,
            rate: 0.1,
            depth: 6,
            subsample: 0.8,
            patience: Some(20),
            ridge: 1.0,
            least: 1.0,
        }
    }
}

/// Boosted trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forest {
    /// The score of each class before any tree.
    pub base: Vec<f64>,
    /// Each round a tree per class.
    pub rounds: Vec<Vec<Tree>>,
    /// Whether values are cut to 32 bits before they are compared, as models trained elsewhere do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single: bool,
}

/// What growing came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Grown {
    /// The trees.
    pub forest: Forest,
    /// How much each feature brought, as shares of the whole gain.
    pub gains: Vec<f64>,
    /// Rounds grown before it was stopped.
    pub tried: usize,
}

impl Forest {
    /// The score of each class.
    #[must_use]
    pub fn scores(&self, row: &[f64]) -> Vec<f64> {
        let cut: Vec<f64>;
        let row = if self.single {
            cut = row.iter().map(|value| f64::from(single(*value))).collect();
            &cut
        } else {
            row
        };
        let mut scores = self.base.clone();
        for round in &self.rounds {
            for (score, tree) in scores.iter_mut().zip(round) {
                *score += tree.value(row);
            }
        }
        scores
    }
}

#[expect(clippy::cast_possible_truncation, reason = "cutting to 32 bits is what is asked for")]
const fn single(value: f64) -> f32 {
    value as f32
}

/// The gradient of the loss and its curvature.
#[derive(Debug, Clone, Copy, Default)]
struct Slope {
    gradient: f64,
    curvature: f64,
}

/// Grows trees; the seed says which rows each round sees, and which say when to stop.
///
/// # Errors
/// When an option is out of range.
pub fn fit(data: &Dataset, options: &Options, seed: u64) -> Result<Grown, FitError> {
    checked(options)?;
    let whole: Vec<usize> = (0..data.rows().len()).collect();
    let how = Split::Share { share: WATCHED, seed };
    let (learn, watch, patience) = match options.patience {
        Some(patience) if whole.len() >= STOPPABLE => match split::split(data, &how) {
            Ok(mut made) => {
                let fold = made.folds.remove(0);
                (fold.train, fold.test, patience)
            }
            Err(_) => (whole, Vec::new(), usize::MAX),
        },
        _ => (whole, Vec::new(), usize::MAX),
    };
    let mut boosting = Boosting::new(data, options, &learn);
    let mut random = Random::new(seed, 0xB005);
    let mut best = (boosting.loss(&watch), 0);
    let mut tried = 0;
    while tried < options.rounds && tried - best.1 < patience {
        boosting.round(&learn, &mut random);
        tried += 1;
        let loss = boosting.loss(&watch);
        if watch.is_empty() || loss < best.0 {
            best = (loss, tried);
        }
    }
    Ok(boosting.done(best.1, tried))
}

fn checked(options: &Options) -> Result<(), FitError> {
    let within = |holds: bool, what| if holds { Ok(()) } else { Err(FitError::Setting(what)) };
    within((1..=10_000).contains(&options.rounds), "rounds")?;
    within((1..=16).contains(&options.depth), "depth")?;
    within(options.rate > 0.0 && options.rate <= 1.0, "rate")?;
    within(options.subsample > 0.0 && options.subsample <= 1.0, "subsample")?;
    within(options.ridge.is_finite() && options.ridge >= 0.0, "ridge")?;
    within(options.least.is_finite() && options.least > 0.0, "least")
}

/// Boosting under way.
struct Boosting<'a> {
    data: &'a Dataset,
    options: &'a Options,
    bins: Bins,
    /// Scores of all rows, a row after the other.
    scores: Vec<f64>,
    base: Vec<f64>,
    rounds: Vec<Vec<Tree>>,
    /// What each round's splits brought, per feature.
    gains: Vec<Vec<f64>>,
}

impl<'a> Boosting<'a> {
    fn new(data: &'a Dataset, options: &'a Options, learn: &[usize]) -> Self {
        let classes = data.classes().len();
        // Shares of classes, with one row more of each: none is impossible.
        let mut mass = vec![1.0; classes];
        let mut total = real(classes);
        for at in learn {
            let row = &data.rows()[*at];
            mass[row.label] += row.weight;
            total += row.weight;
        }
        let base: Vec<f64> = mass.iter().map(|mass| libm::log(mass / total)).collect();
        let scores = base.iter().copied().cycle().take(classes * data.rows().len()).collect();
        let bins = Bins::of(data, learn);
        Self { data, options, bins, scores, base, rounds: Vec::new(), gains: Vec::new() }
    }

    fn round(&mut self, learn: &[usize], random: &mut Random) {
        let classes = self.base.len();
        let rows = self.sample(learn, random);
        let slopes = self.slopes(&rows);
        let mut gains = vec![0.0; self.data.features().len()];
        let limits = Limits {
            depth: self.options.depth,
            ridge: self.options.ridge,
            least: self.options.least,
            rate: self.options.rate,
        };
        let mut trees = Vec::with_capacity(classes);
        for slopes in &slopes {
            trees.push(Grower::new(&self.bins, slopes, &limits, &mut gains).tree(&rows));
        }
        for (row, scores) in self.data.rows().iter().zip(self.scores.chunks_exact_mut(classes)) {
            for (score, tree) in scores.iter_mut().zip(&trees) {
                *score += tree.value(&row.values);
            }
        }
        self.rounds.push(trees);
        self.gains.push(gains);
    }

    /// The rows of a round, in order.
    fn sample(&self, learn: &[usize], random: &mut Random) -> Vec<u32> {
        let taken = learn.iter().filter(|_| random.unit() < self.options.subsample);
        let rows: Vec<u32> = taken.map(|at| u32::try_from(*at).unwrap_or(u32::MAX)).collect();
        if rows.is_empty() {
            return learn.iter().map(|at| u32::try_from(*at).unwrap_or(u32::MAX)).collect();
        }
        rows
    }

    /// Per class, the slope of each row. The factor K / (K - 1) is Friedman's.
    fn slopes(&self, rows: &[u32]) -> Vec<Vec<Slope>> {
        let classes = self.base.len();
        let factor = real(classes) / real(classes - 1);
        let mut slopes = vec![vec![Slope::default(); self.data.rows().len()]; classes];
        let mut shares = vec![0.0; classes];
        for at in rows {
            let at = *at as usize;
            let row = &self.data.rows()[at];
            shares.copy_from_slice(&self.scores[at * classes..(at + 1) * classes]);
            softmax(&mut shares);
            for (class, share) in shares.iter().enumerate() {
                let truth = if class == row.label { 1.0 } else { 0.0 };
                slopes[class][at] = Slope {
                    gradient: row.weight * (share - truth),
                    curvature: row.weight * (factor * share * (1.0 - share)).max(SMALLEST),
                };
            }
        }
        slopes
    }

    /// The mean loss of some rows.
    fn loss(&self, rows: &[usize]) -> f64 {
        let classes = self.base.len();
        let (mut loss, mut weight) = (0.0, 0.0);
        for at in rows {
            let row = &self.data.rows()[*at];
            let mut shares = self.scores[at * classes..(at + 1) * classes].to_vec();
            softmax(&mut shares);
            loss -= row.weight * libm::log(shares[row.label].max(SMALLEST));
            weight += row.weight;
        }
        if weight > 0.0 { loss / weight } else { 0.0 }
    }

    fn done(mut self, keep: usize, tried: usize) -> Grown {
        self.rounds.truncate(keep);
        let mut gains = vec![0.0; self.data.features().len()];
        for round in self.gains.iter().take(keep) {
            gains.iter_mut().zip(round).for_each(|(sum, gain)| *sum += gain);
        }
        let total: f64 = gains.iter().sum();
        if total > 0.0 {
            gains.iter_mut().for_each(|gain| *gain /= total);
        }
        let forest = Forest { base: self.base, rounds: self.rounds, single: false };
        Grown { forest, gains, tried }
    }
}
