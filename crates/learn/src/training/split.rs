//! Which rows a model learns from, and which it is tested on.
//!
//! A split has an id: what it is, its parameters, and the start of the SHA-256 of which row goes
//! where. Two figures are comparable when data set and split have the same id.

use std::collections::BTreeMap;

use model::Digest;
use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::random::Random;
use super::softmax::real;

/// How rows are split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Split {
    /// Each class is dealt evenly to the folds, several times over.
    Stratified {
        /// How many folds: at least 2.
        folds: usize,
        /// How many times.
        repeats: usize,
        /// What the order of rows is drawn from.
        seed: u64,
    },
    /// The latest rows are tested on, as in use.
    Time {
        /// The share of rows that is tested on.
        share: f64,
    },
    /// Each group is tested on by what was learnt from the others.
    Groups,
    /// A share of every class is held out.
    Share {
        /// The share of rows that is tested on.
        share: f64,
        /// What the order of rows is drawn from.
        seed: u64,
    },
}

/// Why rows cannot be split so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The parameters make no sense.
    #[error("a split needs 2 or more folds, 1 or more repeats, a share between 0 and 1")]
    Parameters,
    /// There is nothing to split by.
    #[error("the rows have no {0}")]
    Unknown(&'static str),
    /// One side would be empty.
    #[error("too few rows: one side of the split would be empty")]
    Empty,
}

/// Positions of rows: what is learnt from, and what is tested on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Learnt from.
    pub train: Vec<usize>,
    /// Tested on.
    pub test: Vec<usize>,
}

/// A split, carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// What it is known by.
    pub id: String,
    /// Its folds.
    pub folds: Vec<Fold>,
}

/// Splits rows.
///
/// # Errors
/// When the rows lack what they are split by, or are too few.
pub fn split(data: &Dataset, how: &Split) -> Result<Folds, SplitError> {
    let (name, folds) = match how {
        Split::Stratified { folds, repeats, seed } => {
            if *folds < 2 || *repeats == 0 {
                return Err(SplitError::Parameters);
            }
            let all = (0..*repeats).flat_map(|turn| stratified(data, *folds, *seed, turn));
            (format!("stratified-{repeats}x{folds}-s{seed}"), all.collect::<Vec<_>>())
        }
        Split::Time { share } => (format!("time-{share}"), vec![by_time(data, proper(*share)?)?]),
        Split::Groups => ("groups".to_owned(), by_group(data)?),
        Split::Share { share, seed } => {
            (format!("share-{share}-s{seed}"), vec![held_out(data, proper(*share)?, *seed)])
        }
    };
    if folds.is_empty() || folds.iter().any(|fold| fold.train.is_empty() || fold.test.is_empty()) {
        return Err(SplitError::Empty);
    }
    let mut bytes = Vec::new();
    for fold in &folds {
        bytes.extend((fold.test.len() as u64).to_be_bytes());
        fold.test.iter().for_each(|at| bytes.extend((*at as u64).to_be_bytes()));
    }
    let digest = Digest::of(&bytes).to_string();
    Ok(Folds { id: format!("{name}-{}", &digest[..16]), folds })
}

/// What is held out of a data set when nothing else is said: the latest rows where times are known,
/// else a share of each class.
#[must_use]
pub fn usual(data: &Dataset, share: f64, seed: u64) -> Split {
    let timed = data.rows().iter().all(|row| row.time.is_some());
    if timed { Split::Time { share } } else { Split::Share { share, seed } }
}

fn proper(share: f64) -> Result<f64, SplitError> {
    if share > 0.0 && share < 1.0 { Ok(share) } else { Err(SplitError::Parameters) }
}

/// Positions by class; classes in order of appearance, so that their names say nothing.
fn by_class(data: &Dataset, random: &mut Random) -> Vec<Vec<usize>> {
    let mut place = vec![None; data.classes().len()];
    let mut classes: Vec<Vec<usize>> = Vec::new();
    for (at, row) in data.rows().iter().enumerate() {
        let of = *place[row.label].get_or_insert_with(|| {
            classes.push(Vec::new());
            classes.len() - 1
        });
        classes[of].push(at);
    }
    for class in &mut classes {
        random.shuffle(class);
    }
    classes
}

fn stratified(data: &Dataset, folds: usize, seed: u64, turn: usize) -> Vec<Fold> {
    let mut random = Random::new(seed, 0x5717 + turn as u64);
    let mut of = vec![0; data.rows().len()];
    for (next, at) in by_class(data, &mut random).into_iter().flatten().enumerate() {
        of[at] = next % folds;
    }
    (0..folds).map(|fold| sides(&of, |of| *of == fold)).collect()
}

fn held_out(data: &Dataset, share: f64, seed: u64) -> Fold {
    let mut random = Random::new(seed, 0x0417);
    let mut out = vec![false; data.rows().len()];
    // Shares of classes are carried over, so that small classes are not left out every time.
    let mut due = 0.0;
    for class in by_class(data, &mut random) {
        for at in class {
            due += share;
            if due >= 1.0 {
                due -= 1.0;
                out[at] = true;
            }
        }
    }
    sides(&out, |out| *out)
}

fn sides<T>(of: &[T], test: impl Fn(&T) -> bool) -> Fold {
    let (test, train) = (0..of.len()).partition(|at| test(&of[*at]));
    Fold { train, test }
}

fn by_time(data: &Dataset, share: f64) -> Result<Fold, SplitError> {
    let times: Option<Vec<i64>> = data.rows().iter().map(|row| row.time).collect();
    let mut times = times.ok_or(SplitError::Unknown("times"))?;
    let of = times.clone();
    times.sort_unstable();
    let keep = real(times.len()) * (1.0 - share);
    let first = times.iter().enumerate().find(|(at, _)| real(*at) >= keep);
    let from = first.map(|(_, time)| *time).ok_or(SplitError::Empty)?;
    // Rows of one moment stay together.
    Ok(sides(&of, |time| *time >= from))
}

fn by_group(data: &Dataset) -> Result<Vec<Fold>, SplitError> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, row) in data.rows().iter().enumerate() {
        let group = row.group.as_deref().ok_or(SplitError::Unknown("groups"))?;
        groups.entry(group).or_default().push(at);
    }
    let all = groups.values().map(|test| Fold {
        train: (0..data.rows().len()).filter(|at| test.binary_search(at).is_err()).collect(),
        test: test.clone(),
    });
    Ok(all.collect())
}
