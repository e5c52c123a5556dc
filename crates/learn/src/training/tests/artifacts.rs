use proptest::prelude::*;

use super::{kinds, rows, trained};
use crate::training::artifact::{Artifact, ArtifactError, PredictError, predict};
use crate::training::trees::{Node, Tree, TreeError};
use model::Digest;

/// The files of one model of each kind.
fn files() -> &'static [String; 2] {
    static FILES: std::sync::OnceLock<[String; 2]> = std::sync::OnceLock::new();
    FILES.get_or_init(|| kinds().map(|kind| trained(&rows(120, 5), &kind, 3).write().unwrap()))
}

/// A file with its body changed and its checksum made to fit.
fn forged(file: &str, change: impl Fn(&mut serde_json::Value)) -> String {
    let mut value: serde_json::Value = serde_json::from_str(file).unwrap();
    change(&mut value["body"]);
    let body = value["body"].to_string();
    let sha256 = Digest::of(body.as_bytes());
    format!(r#"{{"format":"countersign-model","version":1,"sha256":"{sha256}","body":{body}}}"#)
}

#[test]
fn what_is_written_is_read_back_the_same() {
    for file in files() {
        let artifact = Artifact::read(file).unwrap();
        assert_eq!(artifact.write().unwrap(), *file);
        let row = [0.25, 1.5, f64::NAN, -1.0];
        let said = predict(&artifact, &artifact.features, &row).unwrap();
        assert!((said.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn a_file_that_was_altered_is_refused() {
    for file in files() {
        let altered = file.replacen("0.", "1.", 1);
        assert!(matches!(Artifact::read(&altered), Err(ArtifactError::Checksum)));
        let newer = file.replacen("\"version\":1", "\"version\":2", 1);
        assert!(matches!(Artifact::read(&newer), Err(ArtifactError::Version(2))));
        let other = file.replacen("countersign-model", "pickle", 1);
        assert!(matches!(Artifact::read(&other), Err(ArtifactError::Format(_))));
        let cut = &file[..file.len() / 2];
        assert!(matches!(Artifact::read(cut), Err(ArtifactError::Syntax(_))));
    }
}

#[test]
fn a_file_whose_parts_do_not_fit_is_refused_though_its_checksum_does() {
    let [weights, trees] = files();
    for change in [
        |body: &mut serde_json::Value| body["temperature"] = 0.0.into(),
        |body: &mut serde_json::Value| body["temperature"] = serde_json::Value::Null,
        |body: &mut serde_json::Value| body["features"][0] = "burst".into(),
        |body: &mut serde_json::Value| body["classes"] = serde_json::json!(["one"]),
        |body: &mut serde_json::Value| body["frequencies"][0] = 0.9.into(),
        |body: &mut serde_json::Value| body["colour"] = "red".into(),
    ] {
        for file in [weights, trees] {
            assert!(Artifact::read(&forged(file, change)).is_err());
        }
    }
    let short = forged(weights, |body| {
        body["model"]["logistic"]["weights"][1].as_array_mut().unwrap().pop();
    });
    assert!(matches!(Artifact::read(&short), Err(ArtifactError::Shape(_))));
    let circle = forged(trees, |body| {
        body["model"]["trees"]["rounds"][0][0] = serde_json::json!([[0, 1.0, 0, 1, true], [0.5]]);
    });
    let found = Artifact::read(&circle);
    assert!(
        matches!(found, Err(ArtifactError::Tree { problem: TreeError::Shape(0), .. })),
        "{found:?}"
    );
    let elsewhere = forged(trees, |body| {
        body["model"]["trees"]["rounds"][0][0] =
            serde_json::json!([[9, 1.0, 1, 2, true], [0.5], [0.5]]);
    });
    let found = Artifact::read(&elsewhere);
    assert!(matches!(found, Err(ArtifactError::Tree { problem: TreeError::Feature(0), .. })));
    let endless =
        forged(weights, |_| ()).replace("\"temperature\":", "\"temperature\":1e999,\"t\":");
    assert!(Artifact::read(&endless).is_err());
}

#[test]
fn nodes_that_are_no_tree_are_refused() {
    let leaf = |value| Node::Leaf { value };
    let split =
        |left, right| Node::Split { feature: 0, threshold: 1.0, left, right, missing_left: false };
    for (nodes, problem) in [
        (vec![], TreeError::Size(0)),
        (vec![split(1, 1), leaf(0.0)], TreeError::Shape(0)),
        (vec![split(1, 5), leaf(0.0)], TreeError::Shape(0)),
        (vec![split(1, 2), split(0, 2), leaf(0.0)], TreeError::Shape(1)),
        (vec![leaf(0.0), leaf(0.0)], TreeError::Shape(1)),
        (vec![leaf(f64::NAN)], TreeError::Number(0)),
    ] {
        assert_eq!(Tree { nodes }.check(1), Err(problem));
    }
    assert_eq!(Tree { nodes: vec![split(1, 2), leaf(0.0), leaf(1.0)] }.check(1), Ok(()));
}

#[test]
fn a_row_with_other_features_is_refused() {
    let artifact = Artifact::read(&files()[0]).unwrap();
    let names = artifact.features.clone();
    let mut other = names.clone();
    other[0] = "colour".to_owned();
    assert!(matches!(predict(&artifact, &other, &[0.0; 4]), Err(PredictError::Features(_))));
    assert!(matches!(predict(&artifact, &names[1..], &[0.0; 3]), Err(PredictError::Features(_))));
    other[0] = names[1].clone();
    assert!(matches!(predict(&artifact, &other, &[0.0; 4]), Err(PredictError::Features(_))));
    let narrow = predict(&artifact, &names, &[0.0; 3]);
    assert_eq!(narrow, Err(PredictError::Width { found: 3, wanted: 4 }));
    let endless = predict(&artifact, &names, &[f64::INFINITY, 0.0, 0.0, 0.0]);
    assert_eq!(endless, Err(PredictError::Infinite("age".to_owned())));
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_fall_over(
        which in 0..2_usize, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = files()[which].clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(artifact) = Artifact::read(&text)
        {
            // What was changed stood outside the body.
            prop_assert!(predict(&artifact, &artifact.features, &[0.0; 4]).is_ok());
        }
    }

    #[test]
    fn no_body_makes_the_reader_or_a_prediction_fall_over(
        which in 0..2_usize, at in any::<prop::sample::Index>(), digit in b'0'..=b'9',
    ) {
        // Digits changed at random, with a checksum that fits: what is read then predicts.
        let value: serde_json::Value = serde_json::from_str(&files()[which]).unwrap();
        let mut body = value["body"].to_string().into_bytes();
        let places: Vec<usize> = (0..body.len()).filter(|at| body[*at].is_ascii_digit()).collect();
        body[places[at.index(places.len())]] = digit;
        let body = String::from_utf8(body).unwrap();
        let sha256 = Digest::of(body.as_bytes());
        let file = format!(
            r#"{{"format":"countersign-model","version":1,"sha256":"{sha256}","body":{body}}}"#
        );
        if let Ok(artifact) = Artifact::read(&file) {
            let shares = predict(&artifact, &artifact.features, &[0.5, f64::NAN, -3.0, 2.0]).unwrap();
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
