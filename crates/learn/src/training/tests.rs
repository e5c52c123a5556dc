//! Training as a whole, on rows that are made up.

mod artifacts;
mod champions;
mod figures;
mod imports;
mod learners;
mod splits;

use jiff::civil::date;

use super::artifact::Artifact;
use super::dataset::{Dataset, Row};
use super::fit::{Kind, train};
use super::random::Random;
use super::{logistic, trees};

/// Rows of three classes that two of four features tell apart, somewhat; a tenth of the values is
/// missing.
fn rows(count: usize, seed: u64) -> Dataset {
    let mut random = Random::new(seed, 1);
    let mut all = Vec::new();
    for at in 0..count {
        let label = random.below(3);
        let centre = [[0.0, 0.0], [1.5, 0.0], [0.0, 1.5]][label];
        let mut noise = || random.unit() + random.unit() + random.unit() - 1.5;
        let mut values =
            vec![centre[0] + noise(), centre[1] + noise(), noise(), (noise() * 3.0).round()];
        for value in &mut values {
            if random.unit() < 0.1 {
                *value = f64::NAN;
            }
        }
        let mut row = Row::new(values, label);
        row.group = Some(format!("tenant-{}", at % 3));
        all.push(row);
    }
    let names = |names: [&str; 4]| names.map(str::to_owned).to_vec();
    let classes = ["automated", "emergency", "security"].map(str::to_owned).to_vec();
    Dataset::new(names(["age", "burst", "hour", "count"]), classes, all).unwrap()
}

/// Few and shallow trees: tests run unoptimised.
fn small() -> trees::Options {
    trees::Options { rounds: 12, depth: 3, ..trees::Options::default() }
}

fn trained(data: &Dataset, kind: &Kind, seed: u64) -> Artifact {
    train(data, kind, seed, date(2026, 3, 1)).unwrap()
}

fn kinds() -> [Kind; 2] {
    [Kind::Logistic(logistic::Options::default()), Kind::Trees(small())]
}

fn near(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-12
}
