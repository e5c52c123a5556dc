//! YAML with the place of every value.
//!
//! What has an anchor, a tag or refers to another part is told as such and stays as it is.

use std::collections::BTreeSet;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::Why;
use super::tree::{Item, Kind, Layout, Member, Node, Syntax, line_start};
use crate::drift::form::loose;
use crate::drift::value::Value;
use crate::drift::yaml::{MOST_DEEP, MOST_VALUES, plain};

/// Every document of a text that holds anything.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, Why> {
    let mut places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    places.push(text.len());
    let mut reader = Reader { text, places, open: Vec::new(), documents: Vec::new(), values: 0 };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| {
            Why::Unreadable(format!("{} at line {}", error.info(), error.marker().line()))
        })?;
        let line = span.start.line();
        reader
            .take(event, span)
            .map_err(|what| Why::Unreadable(format!("{what} at line {line}")))?;
    }
    Ok(reader.documents)
}

struct Reader<'t> {
    text: &'t str,
    /// The byte of each character, which is what the parser counts in.
    places: Vec<usize>,
    open: Vec<Open>,
    documents: Vec<Node>,
    values: usize,
}

/// A collection that is not over yet.
struct Open {
    start: usize,
    flow: bool,
    opaque: Option<Why>,
    held: Held,
}

enum Held {
    List(Vec<Item>),
    Map(Vec<Member>, Option<(String, Range<usize>)>),
}

impl Reader<'_> {
    fn place(&self, characters: usize) -> usize {
        self.places.get(characters).copied().unwrap_or(self.text.len())
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.place(span.start.index())..self.place(span.end.index())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), String> {
        let at = self.range(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let why = opaque(anchor, tag.as_ref().map(|tag| tag.suffix.as_str()));
                let node = self.scalar(&text, style, at, why);
                self.done(node)
            }
            Event::SequenceStart(anchor, tag) => {
                let why = opaque(anchor, tag.as_ref().map(|tag| tag.suffix.as_str()));
                self.begin(at, why, Held::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let why = opaque(anchor, tag.as_ref().map(|tag| tag.suffix.as_str()));
                self.begin(at, why, Held::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                // A bracket is told with the blanks after it.
                let end = if at.is_empty() { at.end } else { at.start + 1 };
                let node = collection(open, end)?;
                self.done(node)
            }
            Event::Alias(_) => {
                let why = Why::Computed("another part of the document".to_owned());
                self.done(Node::opaque(at, Syntax::Yaml, why))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        mut at: Range<usize>,
        why: Option<Why>,
    ) -> Node {
        if let Some(why) = why {
            return Node::opaque(at, Syntax::Yaml, why);
        }
        let placed = match style {
            ScalarStyle::Plain if at.is_empty() => {
                // Nothing after a name: its place is after the colon.
                let colon = self.text.get(at.start..at.start + 1) == Some(":");
                colon.then(|| at.start + 1..at.start + 1)
            }
            ScalarStyle::Plain => {
                let written = self.text.get(at.clone()).unwrap_or_default();
                Some(at.start..at.start + written.trim_end().len())
            }
            // Blanks and a comment after the quote are none of it.
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                quoted(self.text.get(at.start..).unwrap_or_default())
                    .map(|length| at.start..at.start + length)
            }
            ScalarStyle::Literal | ScalarStyle::Folded => self.lines(&at),
        };
        let Some(placed) = placed else { return Node::opaque(at, Syntax::Yaml, Why::Form) };
        at = placed;
        let value = if style == ScalarStyle::Plain { plain(text) } else { Value::text(text) };
        Node { at, syntax: Syntax::Yaml, kind: Kind::Scalar(value) }
    }

    /// A text on lines of its own, with the sign that says so.
    fn lines(&self, at: &Range<usize>) -> Option<Range<usize>> {
        let before = self.text.get(..at.start)?.trim_end();
        let line = line_start(before, before.len());
        let head = before.get(line..)?;
        let sign = head.rfind(['|', '>']).filter(|_| !head.contains('#'))?;
        let signs = head.get(sign + 1..)?;
        if at.is_empty() || !signs.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-')) {
            return None;
        }
        let written = self.text.get(at.clone())?;
        // Where the blank lines at its end belong to it, they stay with it.
        let kept = if signs.contains('+') {
            let kept = written.trim_end_matches([' ', '\t']);
            let kept = kept.strip_suffix('\n').unwrap_or(kept);
            kept.strip_suffix('\r').unwrap_or(kept)
        } else {
            written.trim_end()
        };
        Some(line + sign..at.start + kept.len())
    }

    fn begin(&mut self, at: Range<usize>, opaque: Option<Why>, held: Held) -> Result<(), String> {
        if self.open.len() >= MOST_DEEP {
            return Err(format!("values are nested deeper than {MOST_DEEP}"));
        }
        // The bracket, with the blanks and the comment after it; what is indented has none.
        let flow = self.text.get(at.clone()).is_some_and(|text| text.contains(['{', '[']));
        self.open.push(Open { start: at.start, flow, opaque, held });
        Ok(())
    }

    fn done(&mut self, node: Node) -> Result<(), String> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(format!("there are more than {MOST_VALUES} values"));
        }
        let text = self.text;
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open { held: Held::List(items), flow, .. }) => {
                let dash = if *flow { None } else { dash(text, node.at.start) };
                let start = dash.unwrap_or(node.at.start);
                items.push(Item { at: start..node.at.end, node });
            }
            Some(Open { held: Held::Map(members, name), .. }) => match name.take() {
                Some((name, key)) => {
                    members.push(Member { name, at: key.start..node.at.end, key, node });
                }
                None => {
                    let key = node.at.clone();
                    *name = match &node.kind {
                        Kind::Scalar(value) => loose(value).map(|name| (name, key)),
                        // A name that is a list or an object is nobody's.
                        _ => Some((String::new(), key)),
                    };
                    if name.is_none() {
                        return Err("a name is no text".to_owned());
                    }
                }
            },
        }
        Ok(())
    }
}

/// The dash that makes what begins here an element, when nothing but blanks is between.
fn dash(text: &str, start: usize) -> Option<usize> {
    let before = text.get(..start)?.trim_end();
    let line = before.get(line_start(before, before.len())..)?;
    let marks = line.chars().all(|c| matches!(c, ' ' | '-'));
    (marks && before.ends_with('-')).then(|| before.len() - 1)
}

fn opaque(anchor: usize, tag: Option<&str>) -> Option<Why> {
    match tag {
        Some(tag) => Some(Why::Computed(format!("!{tag}"))),
        None if anchor != 0 => Some(Why::Computed("what other parts refer to".to_owned())),
        None => None,
    }
}

/// How long the text in quotes is that something begins with.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut rest = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = rest.next() {
        if c == '\\' && quote == '"' {
            rest.next();
        } else if c == quote {
            if quote == '\'' && rest.next_if(|(_, next)| *next == quote).is_some() {
                continue;
            }
            return Some(at + 1);
        }
    }
    None
}

/// A list or an object, from its first part to its last or between its brackets.
fn collection(open: Open, end: usize) -> Result<Node, String> {
    let layout = if open.flow { Layout::Flow } else { Layout::Indented };
    let (first, last, kind) = match open.held {
        Held::List(items) => {
            let first = items.first().map(|item| item.at.start);
            (first, items.last().map(|item| item.at.end), Kind::List(layout, items))
        }
        Held::Map(members, _) => {
            let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
            if names.len() < members.len() {
                return Err("an object names something twice".to_owned());
            }
            let first = members.first().map(|member| member.at.start);
            (first, members.last().map(|member| member.at.end), Kind::Map(layout, members))
        }
    };
    let at = match (open.flow, first, last) {
        (false, Some(first), Some(last)) => {
            if open.opaque.is_some() {
                open.start..last
            } else {
                first..last
            }
        }
        _ => open.start..end,
    };
    let kind = open.opaque.map_or(kind, Kind::Opaque);
    Ok(Node { at, syntax: Syntax::Yaml, kind })
}
