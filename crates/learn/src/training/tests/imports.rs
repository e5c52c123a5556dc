//! Files as ONNX writers make them, made here field by field.

use proptest::prelude::*;

use super::near;
use crate::training::artifact::{PredictError, predict};
use crate::training::onnx::{OnnxError, import};

fn varint(mut number: u64, into: &mut Vec<u8>) {
    loop {
        let byte = u8::try_from(number & 0x7F).unwrap();
        number >>= 7;
        if number == 0 {
            return into.push(byte);
        }
        into.push(byte | 0x80);
    }
}

fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut made = Vec::new();
    varint(number << 3 | 2, &mut made);
    varint(bytes.len() as u64, &mut made);
    made.extend(bytes);
    made
}

fn attribute(name: &str, values: &[u8]) -> Vec<u8> {
    field(5, &[field(1, name.as_bytes()), values.to_vec()].concat())
}

fn floats(name: &str, values: &[f32]) -> Vec<u8> {
    let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    attribute(name, &field(7, &packed))
}

fn integers(name: &str, values: &[i64]) -> Vec<u8> {
    let mut packed = Vec::new();
    values.iter().for_each(|value| varint(value.cast_unsigned(), &mut packed));
    attribute(name, &field(8, &packed))
}

fn texts(name: &str, values: &[&str]) -> Vec<u8> {
    let all: Vec<u8> = values.iter().flat_map(|value| field(9, value.as_bytes())).collect();
    attribute(name, &all)
}

fn text(name: &str, value: &str) -> Vec<u8> {
    attribute(name, &field(4, value.as_bytes()))
}

/// A node with inputs and outputs.
fn node(kind: &str, domain: &str, flow: (&str, &str), attributes: &[Vec<u8>]) -> Vec<u8> {
    let head = [
        field(1, flow.0.as_bytes()),
        field(2, flow.1.as_bytes()),
        field(4, kind.as_bytes()),
        field(7, domain.as_bytes()),
    ];
    field(1, &[head.concat(), attributes.concat()].concat())
}

fn model(nodes: &[Vec<u8>]) -> Vec<u8> {
    let mut made = vec![0x08, 0x08];
    made.extend(field(2, b"a writer"));
    made.extend(field(7, &nodes.concat()));
    made
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("f{at}")).collect()
}

fn linear() -> Vec<u8> {
    let classifier = node(
        "LinearClassifier",
        "ai.onnx.ml",
        ("x", "scores"),
        &[
            floats("coefficients", &[1.0, 0.0, 0.0, 1.0, -1.0, -1.0]),
            floats("intercepts", &[0.0, 0.5, 0.0]),
            texts("classlabels_strings", &["a", "b", "c"]),
            text("post_transform", "SOFTMAX"),
        ],
    );
    model(&[classifier, node("ZipMap", "ai.onnx.ml", ("scores", "out"), &[])])
}

/// A forest of one tree: f0 < 1.5 and, there, f1 <= 2; leaves hold shares of two classes.
fn forest(modes: &[&str; 5]) -> Vec<u8> {
    let classifier = node(
        "TreeEnsembleClassifier",
        "ai.onnx.ml",
        ("x", "shares"),
        &[
            integers("nodes_treeids", &[0; 5]),
            integers("nodes_nodeids", &[0, 1, 2, 3, 4]),
            integers("nodes_featureids", &[0, 1, 0, 0, 0]),
            texts("nodes_modes", modes),
            floats("nodes_values", &[1.5, 2.0, 0.0, 0.0, 0.0]),
            integers("nodes_truenodeids", &[1, 3, 0, 0, 0]),
            integers("nodes_falsenodeids", &[2, 4, 0, 0, 0]),
            integers("nodes_missing_value_tracks_true", &[1, 0, 0, 0, 0]),
            integers("class_treeids", &[0; 6]),
            integers("class_nodeids", &[2, 2, 3, 3, 4, 4]),
            integers("class_ids", &[0, 1, 0, 1, 0, 1]),
            floats("class_weights", &[0.25, 0.75, 1.0, 0.0, 0.5, 0.5]),
            integers("classlabels_int64s", &[10, 20]),
            text("post_transform", "NONE"),
        ],
    );
    model(&[classifier])
}

const MODES: [&str; 5] = ["BRANCH_LT", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF"];

#[test]
fn a_linear_classifier_says_what_its_numbers_say() {
    let artifact = import(&linear(), names(2), None).unwrap();
    assert_eq!(artifact.classes, ["a", "b", "c"]);
    let said = predict(&artifact, &names(2), &[2.0, 1.0]).unwrap();
    let e = [2.0_f64.exp(), 1.5_f64.exp(), (-3.0_f64).exp()];
    let total: f64 = e.iter().sum();
    for (said, e) in said.iter().zip(e) {
        assert!((said - e / total).abs() < 1e-12);
    }
    assert_eq!(predict(&artifact, &names(2), &[f64::NAN, 1.0]), Err(PredictError::Missing));
    // It is written and read like any other.
    let again = super::super::artifact::Artifact::read(&artifact.write().unwrap()).unwrap();
    assert_eq!(again, artifact);
}

#[test]
fn a_tree_ensemble_says_what_its_leaves_say() {
    let artifact = import(&forest(&MODES), names(2), None).unwrap();
    assert_eq!(artifact.classes, ["10", "20"]);
    let below = f64::from(1.5_f32.next_down());
    for (row, share) in [
        ([1.5, 0.0], 0.25),
        ([below, 2.0], 1.0),
        ([below, 2.000_001], 0.5),
        // 1.4999999999 is 1.5 with 32 bits.
        ([1.499_999_999_9, 0.0], 0.25),
        // Missing goes left at the first fork and right at the second.
        ([f64::NAN, f64::NAN], 0.5),
    ] {
        let said = predict(&artifact, &names(2), &row).unwrap();
        assert!(near(said[0], share) && near(said[1], 1.0 - share), "{row:?}: {said:?}");
    }
    let named = import(&forest(&MODES), names(2), Some(vec!["no".into(), "yes".into()])).unwrap();
    assert_eq!(named.classes, ["no", "yes"]);
}

#[test]
fn one_score_of_two_classes_is_the_log_odds_of_the_second() {
    let one = |link: &str| {
        model(&[node(
            "LinearClassifier",
            "ai.onnx.ml",
            ("x", "y"),
            &[
                floats("coefficients", &[2.0]),
                floats("intercepts", &[-1.0]),
                integers("classlabels_ints", &[0, 1]),
                text("post_transform", link),
            ],
        )])
    };
    let artifact = import(&one("LOGISTIC"), names(1), None).unwrap();
    let said = predict(&artifact, &names(1), &[1.0]).unwrap();
    assert!((said[1] - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-12);
    assert!(matches!(import(&one("NONE"), names(1), None), Err(OnnxError::Shape(_))));
}

#[test]
fn everything_else_is_refused_by_name() {
    let stranger = model(&[node("MatMul", "", ("x", "y"), &[])]);
    assert!(
        matches!(import(&stranger, names(2), None), Err(OnnxError::Unsupported(name)) if name == "MatMul")
    );
    let svm = model(&[node(
        "SVMClassifier",
        "ai.onnx.ml",
        ("x", "y"),
        &[texts("classlabels_strings", &["a", "b"])],
    )]);
    assert!(
        matches!(import(&svm, names(2), None), Err(OnnxError::Unsupported(name)) if name == "SVMClassifier")
    );
    let mut odd = MODES;
    odd[1] = "BRANCH_MEMBER";
    assert!(matches!(import(&forest(&odd), names(2), None), Err(OnnxError::Unsupported(_))));
    assert!(matches!(import(&forest(&MODES), names(1), None), Err(OnnxError::Shape(_))));
    assert!(matches!(import(&linear(), names(4), None), Err(OnnxError::Shape(_))));
    assert!(matches!(import(b"", names(2), None), Err(OnnxError::Broken)));
    let wrong = Some(vec!["a".to_owned(), "b".to_owned()]);
    assert!(matches!(import(&linear(), names(2), wrong), Err(OnnxError::Shape(_))));
    let after = [linear(), model(&[node("Scaler", "ai.onnx.ml", ("scores", "z"), &[])])].concat();
    assert!(matches!(import(&after, names(2), None), Err(OnnxError::Unsupported(_))));
}

proptest! {
    #[test]
    fn no_bytes_make_the_importer_fall_over(
        which in any::<bool>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = if which { linear() } else { forest(&MODES) };
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(artifact) = import(&bytes, names(2), None) {
            let said = predict(&artifact, &names(2), &[1.0, 2.0]).unwrap();
            prop_assert!((said.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
