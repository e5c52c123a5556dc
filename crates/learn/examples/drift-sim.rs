//! What both kinds of model come to on simulated drifts, as regret to the best there is.
//!
//! `cargo run -p learn --features testing --example drift-sim -- [ROWS] [SEED]`

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::time::Instant;

use jiff::civil::date;
use learn::training::artifact::predict;
use learn::training::fit::{Kind, train};
use learn::training::metrics::metrics;
use learn::training::simulator::simulate;
use learn::training::{logistic, trees};

fn main() {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>().unwrap_or_default());
    let rows = usize::try_from(words.next().unwrap_or(2_000)).unwrap_or_default().max(200);
    let seed = words.next().unwrap_or(1);
    let (learnt, fresh) = (simulate(rows, seed), simulate(10_000, seed.wrapping_add(1)));
    let best = metrics(&fresh.posterior, &fresh.truth);
    println!("drift-sim: {rows} rows, seed {seed}; tested on 10,000 fresh rows and true causes");
    println!(
        "best        macro-F1 {:.4}  log loss {:.4}  ECE {:.4}",
        best.f1_macro, best.log_loss, best.ece
    );
    let kinds =
        [Kind::Logistic(logistic::Options::default()), Kind::Trees(trees::Options::default())];
    for kind in kinds {
        let from = Instant::now();
        let artifact = match train(&learnt.data, &kind, seed, date(2026, 3, 1)) {
            Ok(artifact) => artifact,
            Err(error) => {
                println!("{error}");
                continue;
            }
        };
        let took = from.elapsed();
        let said: Vec<Vec<f64>> = fresh
            .data
            .rows()
            .iter()
            .filter_map(|row| predict(&artifact, fresh.data.features(), &row.values).ok())
            .collect();
        let found = metrics(&said, &fresh.truth);
        // Against the posterior of labels, of which a twentieth is wrong: that is what is learnt.
        let divergence: f64 = fresh
            .of_labels()
            .iter()
            .zip(&said)
            .map(|(true_, said)| {
                true_.iter().zip(said).map(|(p, q)| p * (p / q.max(1e-15)).ln()).sum::<f64>()
            })
            .sum::<f64>()
            / 10_000.0;
        println!(
            "{:<11} macro-F1 {:.4}  regret {:+.4}  KL {:.4}  ECE of labels {:.4}  T {:.3}  whole training {:.2} s  file {} kB",
            artifact.model.word(),
            found.f1_macro,
            best.f1_macro - found.f1_macro,
            divergence,
            metrics(&said, &fresh.data.labels()).ece,
            artifact.temperature,
            took.as_secs_f64(),
            artifact.write().map_or(0, |text| text.len() / 1024),
        );
    }
}
