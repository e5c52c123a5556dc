//! A source as a tree of what it says and where: what the edits are found and made in.

use std::ops::Range;

use super::Why;
use crate::drift::value::Value;

/// A value that borrows nothing.
pub(super) type Owned = Value<'static>;

/// How a part of a source is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Json,
    Yaml,
    Hcl,
}

/// How the parts of a collection stand beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Between two brackets.
    Flow,
    /// On lines of their own, by their indentation.
    Indented,
    /// The inside of a block of HCL: attributes and blocks.
    Body,
    /// Blocks of one name.
    Blocks,
}

/// A part of a source.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The bytes of it.
    pub(super) at: Range<usize>,
    pub(super) syntax: Syntax,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A scalar that stands there as it is.
    Scalar(Owned),
    Map(Layout, Vec<Member>),
    List(Layout, Vec<Item>),
    /// What gives the text of the JSON inside.
    Json(Box<Node>),
    /// What is no literal, and why it stays.
    Opaque(Why),
}

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) key: Range<usize>,
    /// From the name to the end of the value.
    pub(super) at: Range<usize>,
    pub(super) node: Node,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    /// With whatever marks it as an element.
    pub(super) at: Range<usize>,
    pub(super) node: Node,
}

impl Node {
    pub(super) const fn opaque(at: Range<usize>, syntax: Syntax, why: Why) -> Self {
        Self { at, syntax, kind: Kind::Opaque(why) }
    }

    /// A member of an object.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        let Kind::Map(_, members) = &self.kind else { return None };
        members.iter().find(|member| member.name == name)
    }

    /// The text, when it is one that stands there.
    pub(super) fn text(&self) -> Option<&str> {
        if let Kind::Scalar(value) = &self.kind { value.as_text() } else { None }
    }

    /// What it says. Where that is computed, what was declared at the same place tells it.
    pub(super) fn value(&self, declared: Option<&Value<'_>>) -> Owned {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Map(_, members) => Value::map(members.iter().map(|member| {
                let declared = declared.and_then(|declared| declared.get(&member.name));
                (member.name.clone().into(), member.node.value(declared))
            })),
            Kind::List(_, items) => {
                let declared = match declared {
                    Some(Value::List(declared)) if declared.len() == items.len() => declared,
                    _ => &Vec::new(),
                };
                let items = items.iter().enumerate();
                Value::List(
                    items.map(|(place, item)| item.node.value(declared.get(place))).collect(),
                )
            }
            Kind::Json(inside) => {
                let declared = declared.and_then(Value::as_text).and_then(Value::parse);
                inside.value(declared.as_ref())
            }
            Kind::Opaque(_) => {
                declared.map_or(Value::Unknown, |declared| declared.clone().into_owned())
            }
        }
    }

    /// Why a part of it stays as it is, when there is such a part.
    pub(super) fn why(&self) -> Option<&Why> {
        match &self.kind {
            Kind::Scalar(_) => None,
            Kind::Map(_, members) => members.iter().find_map(|member| member.node.why()),
            Kind::List(_, items) => items.iter().find_map(|item| item.node.why()),
            Kind::Json(inside) => inside.why(),
            Kind::Opaque(why) => Some(why),
        }
    }
}

/// Whether a value holds something nobody knows.
pub(super) fn unknown(value: &Value<'_>) -> bool {
    match value {
        Value::Unknown => true,
        Value::List(items) => items.iter().any(unknown),
        Value::Map(members) => members.iter().any(|(_, value)| unknown(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Sealed(_) => {
            false
        }
    }
}

/// Some bytes of a text and what comes in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) at: Range<usize>,
    pub(super) with: String,
}

impl Splice {
    pub(super) fn new(at: Range<usize>, with: impl Into<String>) -> Self {
        Self { at, with: with.into() }
    }
}

/// The text with these places changed; `None` when they overlap or lie outside of it.
pub(super) fn spliced(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|splice| (splice.at.start, splice.at.end));
    let mut made = String::with_capacity(text.len() + 256);
    let mut done = 0;
    for splice in &splices {
        made.push_str(text.get(done..splice.at.start)?);
        made.push_str(&splice.with);
        done = splice.at.end;
    }
    made.push_str(text.get(done..)?);
    Some(made)
}

/// Where the line begins that a byte is on.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

/// Where the line ends that a byte is on, before what ends it.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let end = text.get(at..).and_then(|after| after.find('\n')).map_or(text.len(), |end| at + end);
    if end > at && text.get(end - 1..end) == Some("\r") { end - 1 } else { end }
}

/// Where the next line begins.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|after| after.find('\n')).map_or(text.len(), |end| at + end + 1)
}

/// What ends the lines of a text.
pub(super) fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(end) if end > 0 && text.get(end - 1..end) == Some("\r") => "\r\n",
        _ => "\n",
    }
}

/// What a line begins with that is blank, as far as this byte.
pub(super) fn indent(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..at).unwrap_or_default();
    let end = line.find(|c: char| c != ' ' && c != '\t').unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// Whether nothing but blanks stands before this byte on its line.
pub(super) fn first_on_line(text: &str, at: usize) -> bool {
    text.get(line_start(text, at)..at).is_some_and(|before| before.trim().is_empty())
}
