//! Templates of CloudFormation: what a stack declares, with its parameters and conditions put in.
//!
//! What cannot be known from the template alone, an attribute of a resource or another stack's
//! export, becomes [`Value::Unknown`] and is not compared.

mod resolve;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::compare::{Resource, State};
use super::value::Value;
use super::yaml::{self, BadYaml};

#[cfg(test)]
mod tests;

/// What a template is made with.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// Values of parameters, by name; a template's own defaults hold for the rest.
    pub parameters: BTreeMap<String, Value<'static>>,
    /// Physical ids, by logical id: what `Ref` gives.
    pub physical: BTreeMap<String, String>,
    /// Its name, `AWS::StackName`.
    pub name: Option<String>,
    /// Its region, `AWS::Region`.
    pub region: Option<String>,
    /// Its account, `AWS::AccountId`.
    pub account: Option<String>,
}

/// Why a template cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// It is no YAML and no JSON.
    #[error(transparent)]
    Text(#[from] BadYaml),
    /// It is no template.
    #[error("it is no template of CloudFormation: {0}")]
    Shape(String),
    /// A condition needs what is not known.
    #[error(
        "the condition {0:?} of the template cannot be decided: give the parameters it asks for"
    )]
    Undecided(String),
}

/// Whether a document looks like a template.
#[must_use]
pub fn looks_like_one(document: &Value<'_>) -> bool {
    document.get("AWSTemplateFormatVersion").is_some()
        || matches!(document.get("Resources"), Some(Value::Map(resources))
        if resources.iter().any(|(_, resource)| {
            resource.get("Type").and_then(Value::as_text).is_some_and(|kind| kind.contains("::"))
        }))
}

/// The resources a template declares.
///
/// # Errors
/// When it is no template, or a condition cannot be decided.
pub fn read(text: &str, stack: &Stack) -> Result<Vec<Resource<'static>>, BadTemplate> {
    let template = document(text)?;
    let Some(Value::Map(resources)) = template.get("Resources") else {
        return Err(BadTemplate::Shape("`Resources` has to be an object".to_owned()));
    };
    let resolver = resolve::Resolver::new(&template, stack);
    let mut declared = Vec::new();
    for (logical, resource) in resources {
        let Some(kind) = resource.get("Type").and_then(Value::as_text) else {
            return Err(BadTemplate::Shape(format!("`Resources.{logical}.Type` has to be a text")));
        };
        if let Some(condition) = resource.get("Condition").and_then(Value::as_text)
            && !resolver
                .condition(condition)
                .ok_or_else(|| BadTemplate::Undecided(condition.to_owned()))?
        {
            continue;
        }
        let properties = resource.get("Properties").map_or(Value::Map(Vec::new()), |properties| {
            resolver.resolved(properties).unwrap_or(Value::Map(Vec::new()))
        });
        declared.push(Resource {
            address: Some(Cow::Owned(logical.to_string())),
            kind: Cow::Owned(kind.to_owned()),
            id: stack.physical.get(logical.as_ref()).cloned().map(Cow::Owned),
            state: State::Read(properties),
            secrets: Vec::new(),
        });
    }
    Ok(declared)
}

/// A template as a value: functions in their long form, `{"Fn::GetAtt": ["A", "B"]}`.
///
/// # Errors
/// When it is no YAML and no JSON, or holds more than one document.
pub fn document(text: &str) -> Result<Value<'static>, BadTemplate> {
    // JSON is YAML, and read faster as what it is.
    if let Some(value) = Value::parse(text) {
        return Ok(value.into_owned());
    }
    let mut documents = yaml::read(text, tagged)?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => Ok(document),
        (_, _) => Err(BadTemplate::Shape("it has to be one document".to_owned())),
    }
}

/// The functions that have a short form.
const FUNCTIONS: [&str; 17] = [
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAtt",
    "GetAZs",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "Transform",
];

fn tagged(tag: &str, value: Value<'static>) -> Option<Value<'static>> {
    let function = tag.strip_prefix('!')?;
    let (name, value) = match (function, value) {
        ("Ref" | "Condition", value) => (function.to_owned(), value),
        ("ToJsonString", value) => ("Fn::ToJsonString".to_owned(), value),
        ("GetAtt", Value::Text(path)) => {
            let (resource, attribute) = path.split_once('.')?;
            let parts = vec![Value::text(resource), Value::text(attribute)];
            ("Fn::GetAtt".to_owned(), Value::List(parts))
        }
        (function, value) if FUNCTIONS.contains(&function) => (format!("Fn::{function}"), value),
        _ => return None,
    };
    Some(Value::Map(vec![(Cow::Owned(name), value)]))
}
