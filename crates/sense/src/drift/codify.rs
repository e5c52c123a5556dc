//! Code changed to what is there: the texts of one directory and what drifted in, texts in which the
//! code says what is live out.
//!
//! A source is edited where a property stands, and everything around stays to the byte. Only what
//! stands there as a literal is changed: what is computed is left and told with the reason, as is
//! everything of which it is not known how it would be written.

mod body;
mod cloudformation;
mod declaring;
mod edit;
mod hcl;
mod json;
mod manifest;
mod policy;
mod render;
mod schema;
mod told;
mod tree;
mod walk;
mod why;
mod yaml;

use std::collections::BTreeMap;

use serde::Serialize;

use super::diff::{Comparer, Scope};
use super::path::{self, Step};
use super::rules::{Family, Rules};
use super::seal::Sealer;
use super::value::Value;
use super::{Change, ChangeType, Drift, DriftType};
use tree::{Kind, Node, Owned, spliced};
use walk::{Outcome, Walk, Want};

pub use declaring::{declaring, unkeyed};
pub use told::{BadDrifts, read};
pub use why::Why;

#[cfg(test)]
mod tests;

/// The most edits that one property may take.
const MOST_EDITS: usize = 4096;

/// The texts of a directory, by their path in it with `/` between its parts.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<String, String>);

impl Sources {
    /// These texts.
    #[must_use]
    pub const fn new(files: BTreeMap<String, String>) -> Self {
        Self(files)
    }

    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Those directly in a directory; the name of the topmost is empty.
    fn of(&self, directory: &str) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(move |(path, _)| {
            path.rsplit_once('/').map_or("", |(parent, _)| parent) == directory
        })
    }
}

/// Where a resource is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spot {
    file: String,
    /// What leads to it in there, in the words of its language.
    path: Vec<String>,
}

/// A property that the code says as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// The resource.
    pub address: String,
    /// The property.
    pub property_path: String,
    /// The file that says it.
    pub file: String,
    /// Whether the file had to be changed for it.
    pub how: How,
}

/// How the code came to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It was changed.
    Edited,
    /// It did already.
    Already,
}

/// What stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The resource.
    pub address: String,
    /// The property; everything that drifted of the resource when absent.
    pub property_path: Option<String>,
    /// Why, as programs tell it apart.
    pub reason: &'static str,
    /// Why, in one sentence.
    pub why: String,
}

/// What came of changing the code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codified {
    /// The texts that are different now, by path.
    pub files: BTreeMap<String, String>,
    /// What the code says now.
    pub done: Vec<Done>,
    /// What it does not.
    pub left: Vec<Left>,
}

/// Changes texts so that they declare what is there.
#[must_use]
pub fn codify(sources: &Sources, drifts: &[Drift], rules: &Rules) -> Codified {
    // Secrets are left as they are, so that nothing is ever compared by it.
    let sealer = Sealer::new(&[0; 32]);
    let mut now = sources.clone();
    let mut made = Codified::default();
    for drift in drifts {
        let comparer =
            Comparer { rules: rules.about(&drift.kind), scope: Scope::Whole, sealer: &sealer };
        one(&mut now, drift, &comparer, &mut made);
    }
    let changed = now.0.into_iter().filter(|(path, text)| sources.0.get(path) != Some(text));
    made.files = changed.collect();
    made
}

/// One drift put into the code.
fn one(now: &mut Sources, drift: &Drift, comparer: &Comparer<'_>, made: &mut Codified) {
    let address = &drift.address;
    let left = |property: Option<&str>, why: &Why| Left {
        address: address.clone(),
        property_path: property.map(str::to_owned),
        reason: why.word(),
        why: why.to_string(),
    };
    let spot = match drift.drift {
        DriftType::Deleted => Err(Why::Deleted),
        DriftType::Added => Err(Why::Unmanaged),
        DriftType::Moved => Err(Why::Moved),
        DriftType::Modified => locate(now, drift),
    };
    let spot = match spot {
        Ok(spot) => spot,
        Err(why) => return made.left.push(left(None, &why)),
    };
    // What comes in does so before what goes, so that nothing is empty in between.
    let (goes, comes): (Vec<&Change>, Vec<&Change>) =
        drift.changes.iter().partition(|change| change.change == ChangeType::Removed);
    for change in comes.into_iter().chain(goes) {
        match property(now, (drift, change), &spot, comparer) {
            Ok(how) => made.done.push(Done {
                address: address.clone(),
                property_path: change.path.clone(),
                file: spot.file.clone(),
                how,
            }),
            Err(why) => made.left.push(left(Some(&change.path), &why)),
        }
    }
}

/// One property put into the code; the text stays as it was when that cannot be done.
fn property(
    now: &mut Sources,
    (drift, change): (&Drift, &Change),
    spot: &Spot,
    comparer: &Comparer<'_>,
) -> Result<How, Why> {
    let steps =
        if change.steps.is_empty() { path::parse(&change.path) } else { change.steps.clone() };
    let want = want(change)?;
    let family = Family::of(&drift.kind);
    let state = drift.actual.as_ref().map(Value::from_json);
    let mut text = now.0.get(&spot.file).ok_or(Why::NotFound)?.clone();
    let mut how = How::Already;
    for _ in 0..MOST_EDITS {
        let node = root(family, &text, spot)?;
        let walk = Walk {
            comparer,
            kind: &drift.kind,
            family,
            text: &text,
            want: &want,
            begun: how == How::Edited,
            state: state.as_ref(),
        };
        let splices = match walk.walk(&node, &mut Vec::new(), &steps)? {
            Outcome::Already => {
                now.0.insert(spot.file.clone(), text);
                return Ok(how);
            }
            Outcome::Edits(splices) => splices,
        };
        let next = spliced(&text, splices).ok_or(Why::Form)?;
        if next == text || others(&node, &steps) != others(&root(family, &next, spot)?, &steps) {
            break;
        }
        (text, how) = (next, How::Edited);
    }
    Err(Why::Form)
}

/// What a resource says beside the property that the way leads into.
fn others(node: &Node, steps: &[Step]) -> Vec<(String, Owned)> {
    let Kind::Map(_, members) = &node.kind else { return Vec::new() };
    let own = steps.first().map(word);
    let others = members.iter().filter(|member| Some(&member.name) != own.as_ref());
    others.map(|member| (member.name.clone(), member.node.value(None))).collect()
}

/// What a property is to become.
fn want(change: &Change) -> Result<Want, Why> {
    let read = |json: &Option<serde_json::Value>| -> Result<Option<Owned>, Why> {
        let Some(json) = json else { return Ok(None) };
        if sealed(json) {
            return Err(Why::Secret);
        }
        Ok(Some(Value::from_json(json).into_owned()))
    };
    let (declared, actual) = (read(&change.declared)?, read(&change.actual)?);
    // `null` is nothing.
    let there = |value: Option<Owned>| value.filter(|value| *value != Value::Null);
    let (declared, actual) = (there(declared), there(actual));
    if actual.as_ref().is_some_and(tree::unknown) {
        return Err(Why::Provider);
    }
    Ok(Want { change: ChangeType::between(declared.is_some(), actual.is_some()), declared, actual })
}

/// Whether a value is a secret, or holds one: findings that were stored keep no digest.
fn sealed(json: &serde_json::Value) -> bool {
    match json {
        serde_json::Value::Array(items) => items.iter().any(sealed),
        serde_json::Value::Object(members) => {
            (members.len() == 1 && members.contains_key("sealed")) || members.values().any(sealed)
        }
        _ => false,
    }
}

fn locate(sources: &Sources, drift: &Drift) -> Result<Spot, Why> {
    match Family::of(&drift.kind) {
        Family::Terraform => hcl::locate(sources, &drift.address),
        Family::CloudFormation => cloudformation::locate(sources, drift),
        Family::Kubernetes => manifest::locate(sources, drift),
    }
}

/// The resource as its source has it now.
fn root(family: Family, text: &str, spot: &Spot) -> Result<Node, Why> {
    match family {
        Family::Terraform => hcl::root(text, spot),
        Family::CloudFormation => cloudformation::root(text, spot),
        Family::Kubernetes => manifest::root(text, spot),
    }
}

/// The documents of a text of YAML or JSON.
fn documents(text: &str) -> Result<Vec<Node>, Why> {
    match json::parse(text) {
        Some(document) => Ok(vec![document]),
        None => yaml::documents(text),
    }
}

/// Whether a path is one of a text of YAML or JSON.
fn of_documents(path: &str) -> bool {
    [".yaml", ".yml", ".json", ".template"].iter().any(|end| path.ends_with(end))
}

/// What a step is called, whatever it is told by.
fn word(step: &Step) -> String {
    match step {
        Step::Name(text) | Step::Key(text) => text.clone(),
        Step::Index(place) => place.to_string(),
    }
}
