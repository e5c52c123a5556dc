//! JSON with the place of every value: readers of JSON keep none.

use std::ops::Range;

use super::tree::{Item, Kind, Layout, Member, Node, Syntax};
use crate::drift::value::Value;
use crate::drift::yaml::MOST_DEEP;

/// The value of a text of JSON; `None` when it is none, or names something twice.
pub(super) fn parse(text: &str) -> Option<Node> {
    parse_in(text, 0..text.len())
}

/// The value of a part of a text.
pub(super) fn parse_in(text: &str, part: Range<usize>) -> Option<Node> {
    // What is not JSON to the letter is not edited as such.
    Value::parse(text.get(part.clone())?)?;
    let mut reader = Reader { text, at: part.start, end: part.end, deep: 0 };
    let node = reader.value()?;
    reader.blank();
    (reader.at == part.end).then_some(node)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    end: usize,
    deep: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn take(&mut self, c: char) -> bool {
        self.blank();
        let taken = self.rest().starts_with(c);
        self.at += usize::from(taken);
        taken
    }

    fn value(&mut self) -> Option<Node> {
        self.blank();
        if self.deep > MOST_DEEP {
            return None;
        }
        let start = self.at;
        self.deep += 1;
        let kind = match self.rest().chars().next()? {
            '{' => self.object()?,
            '[' => self.array()?,
            _ => {
                let range = self.scalar()?;
                Kind::Scalar(Value::parse(self.text.get(range)?)?.into_owned())
            }
        };
        self.deep -= 1;
        Some(Node { at: start..self.at, syntax: Syntax::Json, kind })
    }

    fn scalar(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let rest = self.rest();
        let length = if rest.starts_with('"') {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            end?.0 + 1
        } else {
            rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len())
        };
        self.at += length;
        Some(start..self.at)
    }

    fn object(&mut self) -> Option<Kind> {
        self.at += 1;
        let mut members = Vec::new();
        while !self.take('}') {
            if !members.is_empty() && !self.take(',') {
                return None;
            }
            self.blank();
            let key = self.scalar()?;
            let name = Value::parse(self.text.get(key.clone())?)?.as_text()?.to_owned();
            if !self.take(':') {
                return None;
            }
            let node = self.value()?;
            members.push(Member { name, at: key.start..node.at.end, key, node });
        }
        Some(Kind::Map(Layout::Flow, members))
    }

    fn array(&mut self) -> Option<Kind> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.take(']') {
            if !items.is_empty() && !self.take(',') {
                return None;
            }
            let node = self.value()?;
            items.push(Item { at: node.at.clone(), node });
        }
        Some(Kind::List(Layout::Flow, items))
    }
}
