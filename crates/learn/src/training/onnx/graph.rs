//! What of an ONNX model is looked at: its nodes, in order, with their attributes.
//!
//! Field numbers are those of `onnx.proto`: `ModelProto` graph 7; `GraphProto` node 1;
//! `NodeProto` input 1, output 2, `op_type` 4, attribute 5, domain 7; `AttributeProto` name 1, i 3,
//! s 4, floats 7, ints 8, strings 9.

use super::wire::{Broken, Fields, Value, floats, integers, text};

/// The most nodes a graph may have: a classifier, and what turns its output into a table.
const MAX_OPERATORS: usize = 64;

/// An attribute of a node.
#[derive(Debug, Clone, Default)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) integer: Option<i64>,
    pub(super) text: Option<String>,
    pub(super) floats: Vec<f32>,
    pub(super) integers: Vec<i64>,
    pub(super) texts: Vec<String>,
}

/// A node of a graph.
#[derive(Debug, Clone, Default)]
pub(super) struct Operator {
    pub(super) name: String,
    pub(super) domain: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    attributes: Vec<Attribute>,
}

impl Operator {
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn integers(&self, name: &str) -> &[i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.integers)
    }

    pub(super) fn floats(&self, name: &str) -> &[f32] {
        self.attribute(name).map_or(&[], |attribute| &attribute.floats)
    }

    pub(super) fn texts(&self, name: &str) -> &[String] {
        self.attribute(name).map_or(&[], |attribute| &attribute.texts)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.attribute(name)?.text.as_deref()
    }
}

/// The nodes of a model's graph.
pub(super) fn operators(bytes: &[u8]) -> Result<Vec<Operator>, Broken> {
    let mut all = Vec::new();
    for field in Fields::of(bytes) {
        let (7, Value::Bytes(graph)) = field? else { continue };
        for field in Fields::of(graph) {
            let (1, Value::Bytes(node)) = field? else { continue };
            if all.len() == MAX_OPERATORS {
                return Err(Broken);
            }
            all.push(operator(node)?);
        }
    }
    Ok(all)
}

fn operator(bytes: &[u8]) -> Result<Operator, Broken> {
    let mut operator = Operator::default();
    for field in Fields::of(bytes) {
        match field? {
            (1, value) => operator.inputs.push(text(value)?),
            (2, value) => operator.outputs.push(text(value)?),
            (4, value) => operator.name = text(value)?,
            (7, value) => operator.domain = text(value)?,
            (5, Value::Bytes(bytes)) => operator.attributes.push(attribute(bytes)?),
            _ => {}
        }
    }
    Ok(operator)
}

fn attribute(bytes: &[u8]) -> Result<Attribute, Broken> {
    let mut attribute = Attribute::default();
    for field in Fields::of(bytes) {
        match field? {
            (1, value) => attribute.name = text(value)?,
            (3, Value::Varint(number)) => attribute.integer = Some(number.cast_signed()),
            (4, value) => attribute.text = Some(text(value)?),
            (7, value) => floats(value, &mut attribute.floats)?,
            (8, value) => integers(value, &mut attribute.integers)?,
            (9, value) => attribute.texts.push(text(value)?),
            _ => {}
        }
    }
    Ok(attribute)
}
