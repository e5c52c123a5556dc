//! Where things stand in a YAML text: line and column of every node, and of places inside scalars.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// A line and a column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

#[derive(Debug)]
struct Node {
    /// Character index of the node's start.
    start: usize,
    end: usize,
    /// `None` for collections and aliases.
    scalar: Option<(ScalarStyle, String)>,
}

/// The nodes of a document by their JSON pointer.
#[derive(Debug)]
pub(crate) struct Positions {
    chars: Vec<char>,
    nodes: BTreeMap<String, Node>,
    /// Character index of the key of each pair.
    keys: BTreeMap<String, usize>,
}

impl Positions {
    /// Reads the text as far as it can be read.
    pub(crate) fn of(text: &str) -> Self {
        let mut positions =
            Self { chars: text.chars().collect(), nodes: BTreeMap::new(), keys: BTreeMap::new() };
        let mut parser = Parser::new_from_str(text);
        let mut open: Vec<Collection> = Vec::new();
        while let Some(Ok((event, span))) = parser.next_event() {
            positions.take(&mut open, event, span);
        }
        positions
    }

    fn take(&mut self, open: &mut Vec<Collection>, event: Event<'_>, span: Span) {
        let (start, end) = (span.start.index(), span.end.index());
        match event {
            Event::Scalar(value, style, ..) => {
                if let Some(Collection { path, next: Next::Key, .. }) = open.last() {
                    let path = format!("{path}/{}", escape(&value));
                    self.keys.entry(path.clone()).or_insert(start);
                    if let Some(collection) = open.last_mut() {
                        collection.next = Next::Value(path);
                    }
                } else {
                    let node = Node { start, end, scalar: Some((style, value.into_owned())) };
                    let path = place_in(open);
                    self.nodes.entry(path).or_insert(node);
                }
            }
            Event::Alias(_) => {
                let path = place_in(open);
                self.nodes.entry(path).or_insert(Node { start, end, scalar: None });
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let path = place_in(open);
                self.nodes.entry(path.clone()).or_insert(Node { start, end, scalar: None });
                let mapping = matches!(event, Event::MappingStart(..));
                let next = if mapping { Next::Key } else { Next::Item(0) };
                open.push(Collection { path, next });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }

    /// Where a node stands, or the nearest node above it that exists.
    pub(crate) fn node(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(index) =
                self.keys.get(path).copied().or_else(|| self.nodes.get(path).map(|node| node.start))
            {
                return self.place(index);
            }
            match path.rfind('/') {
                Some(cut) => path = path.get(..cut).unwrap_or_default(),
                None => return Place { line: 1, column: 1 },
            }
        }
    }

    /// Where a character of a scalar stands, `offset` being a byte offset of its value.
    pub(crate) fn inside(&self, path: &str, offset: usize) -> Place {
        let Some(Node { start, end, scalar: Some((style, value)) }) = self.nodes.get(path) else {
            return self.node(path);
        };
        let wanted = value.get(..offset).unwrap_or(value).chars().count();
        let raw = self.units(*style, *start, *end);
        let mut raw = raw.into_iter();
        let mut here = *start;
        for (at, character) in value.chars().enumerate() {
            if character.is_whitespace() {
                // Folding and chomping change white space; the characters around it do not.
                if at == wanted {
                    return self.place(here + 1);
                }
                continue;
            }
            match raw.find(|(_, given)| *given == character) {
                Some((index, _)) => here = index,
                None => return self.place(*start),
            }
            if at == wanted {
                return self.place(here);
            }
        }
        self.place(here + 1)
    }

    /// The path of the node nearest before a place: what a message at that place is about.
    pub(crate) fn path_at(&self, place: Place) -> String {
        let nodes = self.nodes.iter().map(|(path, node)| (node.start, path));
        let keys = self.keys.iter().map(|(path, start)| (*start, path));
        nodes
            .chain(keys)
            .filter(|(start, _)| self.place(*start) <= place)
            .max_by_key(|(start, path)| (*start, path.len()))
            .map(|(_, path)| path.clone())
            .unwrap_or_default()
    }

    /// The characters of a scalar as they count, each with its index in the text.
    fn units(&self, style: ScalarStyle, start: usize, end: usize) -> Vec<(usize, char)> {
        let end = end.min(self.chars.len());
        let mut index = start;
        match style {
            ScalarStyle::Plain => {}
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => index += 1,
            ScalarStyle::Literal | ScalarStyle::Folded => {
                if matches!(self.chars.get(index), Some('|' | '>')) {
                    while index < end && self.chars.get(index) != Some(&'\n') {
                        index += 1;
                    }
                }
            }
        }
        let mut units = Vec::new();
        while index < end {
            let Some(&character) = self.chars.get(index) else { break };
            if style == ScalarStyle::DoubleQuoted && character == '\\' {
                let (decoded, length) = self.escape_at(index + 1);
                units.push((index, decoded));
                index += 1 + length;
            } else {
                units.push((index, character));
                index += 1;
            }
        }
        units
    }

    /// The character a double-quoted escape stands for, and how many characters follow the `\`.
    fn escape_at(&self, index: usize) -> (char, usize) {
        let digits = match self.chars.get(index) {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            // Escapes of white space and controls need no exact reading: they are never sought.
            Some('n' | 't' | 'r' | '\n' | 'v' | 'f' | 'N' | 'L' | 'P' | '_') => return (' ', 1),
            Some(other) => return (*other, 1),
            None => return (' ', 0),
        };
        let text: String = self.chars.iter().skip(index + 1).take(digits).collect();
        let decoded = u32::from_str_radix(&text, 16).ok().and_then(char::from_u32);
        (decoded.unwrap_or(' '), 1 + digits)
    }

    fn place(&self, index: usize) -> Place {
        let before = self.chars.iter().take(index);
        let line = before.clone().filter(|character| **character == '\n').count() + 1;
        let column = before.rev().take_while(|character| **character != '\n').count() + 1;
        Place {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

#[derive(Debug)]
struct Collection {
    path: String,
    next: Next,
}

#[derive(Debug)]
enum Next {
    Key,
    Value(String),
    Item(usize),
}

/// The pointer of the next node, moving the enclosing collection on.
fn place_in(open: &mut [Collection]) -> String {
    let Some(collection) = open.last_mut() else { return String::new() };
    match std::mem::replace(&mut collection.next, Next::Key) {
        // A key that is a collection has no pointer; its value follows under `?`.
        Next::Key => {
            let path = format!("{}/?", collection.path);
            collection.next = Next::Value(path.clone());
            path
        }
        Next::Value(path) => path,
        Next::Item(index) => {
            collection.next = Next::Item(index + 1);
            format!("{}/{index}", collection.path)
        }
    }
}

/// A key as a token of a JSON pointer (RFC 6901).
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
