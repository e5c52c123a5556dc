use std::path::{Path, PathBuf};

use clap::Parser as _;
use serde_json::json;

use crate::cli::{Cli, run};

/// Rows that a line tells apart, of two classes.
fn rows(directory: &Path, name: &str, count: u32, from: u32) -> PathBuf {
    let mut text = String::new();
    for at in from..from + count {
        // A wandering that repeats after long, in place of chance.
        let wander = |by: u32| f64::from(at.wrapping_mul(by) % 97) / 97.0;
        let label = if at % 3 == 0 { "emergency_fix" } else { "automated_response" };
        let age = wander(61) + if at % 3 == 0 { 0.7 } else { 0.0 };
        let row = json!({"features": {"age": age, "burst": wander(29)}, "label": label});
        text.push_str(&format!("{row}\n"));
    }
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

async fn model(words: &[&str]) -> u8 {
    let words = ["countersign", "--output", "json", "model"].iter().chain(words);
    run(Cli::try_parse_from(words).unwrap()).await
}

#[tokio::test]
async fn a_model_is_trained_evaluated_and_compared_without_a_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let data = rows(directory.path(), "data.ndjson", 300, 0).display().to_string();
    let fresh = rows(directory.path(), "fresh.ndjson", 200, 1_000).display().to_string();
    let train = |out: &str, seed: &str| {
        ["train", &data, "--kind", "logistic", "--seed", seed, "--date", "2026-03-01", "--out", out]
            .map(str::to_owned)
    };
    let [first, second] = [path("first.json"), path("second.json")];
    for out in [&first, &second] {
        assert_eq!(model(&train(out, "7").each_ref().map(String::as_str)).await, 0);
    }
    let read = |path: &str| std::fs::read(path).unwrap();
    assert_eq!(read(&first), read(&second));
    // What is there is not overwritten.
    assert_eq!(model(&train(&first, "8").each_ref().map(String::as_str)).await, 1);
    assert_eq!(read(&first), read(&second));

    assert_eq!(model(&["evaluate", &first, &data]).await, 0);
    let record = path("record.json");
    assert_eq!(model(&["evaluate", &first, &fresh, "--first", "--record", &record]).await, 0);
    let record: learn::training::champion::Comparison =
        serde_json::from_slice(&read(&record)).unwrap();
    assert_eq!((record.n, record.labels), (200, 300));
    // A model is not better than itself.
    assert_eq!(model(&["evaluate", &first, &fresh, "--against", &second]).await, 1);
    assert_eq!(model(&["shift", &data, &data]).await, 0);

    let damaged = path("damaged.json");
    std::fs::write(&damaged, &read(&first)[..200]).unwrap();
    assert_eq!(model(&["evaluate", &damaged, &data]).await, 1);
    let import = ["import", &damaged, "--features", "a,b", "--out", &path("imported.json")];
    assert_eq!(model(&import).await, 1);
}
