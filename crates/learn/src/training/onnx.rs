//! Importing models trained elsewhere: `LinearClassifier` and `TreeEnsembleClassifier` of ONNX.
//!
//! The two operators of the domain `ai.onnx.ml` (ONNX operator schemas, `docs/Operators-ml.md`) are
//! translated into our own model, and nothing of the file is run. What stands after the classifier
//! may only turn its probabilities into a table. Everything else is refused by name. Models made so
//! see values with 32 bits, as the runtimes do.

mod ensemble;
mod graph;
mod wire;

use model::Digest;

use super::artifact::{Artifact, ArtifactError, Link, MAX_BYTES, Model, Origin};
use super::logistic::Linear;
use super::softmax::{MAX_CLASSES, real};
use graph::{Operator, operators};

/// What may stand after a classifier: it changes the form of its output.
const AFTER: [&str; 4] = ["ZipMap", "Normalizer", "Cast", "Identity"];

/// Why a file is not imported.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// It is too large.
    #[error("a model has at most {MAX_BYTES} bytes, not {0}")]
    TooLarge(usize),
    /// It is no ONNX model.
    #[error("the file is no ONNX model, or it is damaged")]
    Broken,
    /// It holds something that is not read.
    #[error("{0} is not read: only LinearClassifier and TreeEnsembleClassifier are")]
    Unsupported(String),
    /// Its parts do not fit together.
    #[error("{0}")]
    Shape(&'static str),
    /// It would be no model of ours.
    #[error("the model cannot be used")]
    Artifact(#[from] ArtifactError),
}

impl From<wire::Broken> for OnnxError {
    fn from(_: wire::Broken) -> Self {
        Self::Broken
    }
}

/// Makes a model of an ONNX file.
///
/// `features` are the names of its inputs, in order, which such files do not carry; `classes` those
/// of its classes, where they are numbers in the file.
///
/// # Errors
/// When the file holds anything but one of the two classifiers, or its parts do not fit.
pub fn import(
    bytes: &[u8],
    features: Vec<String>,
    classes: Option<Vec<String>>,
) -> Result<Artifact, OnnxError> {
    if bytes.len() > MAX_BYTES {
        return Err(OnnxError::TooLarge(bytes.len()));
    }
    let all = operators(bytes)?;
    let Some((classifier, after)) = all.split_first() else { return Err(OnnxError::Broken) };
    if classifier.domain != "ai.onnx.ml" {
        return Err(OnnxError::Unsupported(shown(&classifier.name)));
    }
    let mut outputs = classifier.outputs.clone();
    for node in after {
        let follows = node.inputs.iter().all(|input| outputs.contains(input));
        if node.name == "Normalizer" && node.text("norm") != Some("L1") {
            return Err(OnnxError::Unsupported("a normalizer other than L1".to_owned()));
        }
        if !AFTER.contains(&node.name.as_str()) || !follows {
            return Err(OnnxError::Unsupported(shown(&node.name)));
        }
        outputs.extend(node.outputs.iter().cloned());
    }
    let classes = named(classifier, classes)?;
    let (model, link) = match classifier.name.as_str() {
        "LinearClassifier" => linear(classifier, features.len(), classes.len())?,
        "TreeEnsembleClassifier" => ensemble::trees(classifier, features.len(), classes.len())?,
        other => return Err(OnnxError::Unsupported(shown(other))),
    };
    let artifact = Artifact {
        frequencies: vec![1.0 / real(classes.len()); classes.len()],
        features,
        classes,
        model,
        link,
        temperature: 1.0,
        origin: Origin::Imported { sha256: Digest::of(bytes) },
    };
    // Writing checks all that reading does.
    artifact.write()?;
    Ok(artifact)
}

fn shown(name: &str) -> String {
    name.chars().take(60).collect()
}

fn named(node: &Operator, given: Option<Vec<String>>) -> Result<Vec<String>, OnnxError> {
    let texts = node.texts("classlabels_strings");
    let numbers = ["classlabels_ints", "classlabels_int64s"].map(|name| node.integers(name));
    let numbers = numbers.into_iter().find(|numbers| !numbers.is_empty()).unwrap_or_default();
    let found = texts.len().max(numbers.len());
    if !(2..=MAX_CLASSES).contains(&found) {
        return Err(OnnxError::Shape("the classifier does not name 2 to 32 classes"));
    }
    match given {
        Some(given) if given.len() != found => {
            Err(OnnxError::Shape("other classes are named than the classifier has"))
        }
        Some(given) => Ok(given),
        None if texts.is_empty() => Ok(numbers.iter().map(i64::to_string).collect()),
        None => Ok(texts.to_vec()),
    }
}

/// What is done with scores in the end, for a classifier with a score per class.
fn link(node: &Operator) -> Result<Link, OnnxError> {
    match node.text("post_transform").unwrap_or("NONE") {
        "NONE" => Ok(Link::Shares),
        "SOFTMAX" => Ok(Link::Softmax),
        "LOGISTIC" => Ok(Link::Sigmoids),
        other => Err(OnnxError::Unsupported(format!("post_transform {}", shown(other)))),
    }
}

fn linear(node: &Operator, features: usize, classes: usize) -> Result<(Model, Link), OnnxError> {
    let (weights, intercepts) = (node.floats("coefficients"), node.floats("intercepts"));
    let rows = weights.len().checked_div(features).unwrap_or_default();
    if rows == 0 || weights.len() != rows * features || intercepts.len() != rows {
        return Err(OnnxError::Shape("coefficients and intercepts do not fit the features"));
    }
    let mut linear = Linear {
        weights: weights
            .chunks_exact(features)
            .map(|row| row.iter().copied().map(f64::from).collect())
            .collect(),
        intercepts: intercepts.iter().copied().map(f64::from).collect(),
        missing: None,
    };
    if rows == 1 && classes == 2 {
        // One score of two classes is the log-odds of the second.
        if node.text("post_transform") != Some("LOGISTIC") {
            return Err(OnnxError::Shape("one score of two classes that is no log-odds"));
        }
        linear.weights.insert(0, vec![0.0; features]);
        linear.intercepts.insert(0, 0.0);
        return Ok((Model::Logistic(linear), Link::Softmax));
    }
    if rows != classes {
        return Err(OnnxError::Shape("there is not a score for each class"));
    }
    let link = link(node)?;
    if link == Link::Shares {
        return Err(OnnxError::Shape("scores of weights alone are no probabilities"));
    }
    Ok((Model::Logistic(linear), link))
}
