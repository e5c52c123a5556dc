//! The smallest changes of a text that put something in, take it out, or write something else in its
//! place. Everything around stays to the byte.

use std::ops::Range;

use super::Why;
use super::render::{self, Page};
use super::tree::{
    Kind, Layout, Node, Splice, Syntax, first_on_line, indent, line_end, line_start, newline,
    next_line,
};
use crate::drift::value::Value;

type Splices = Vec<Splice>;

/// A value in the place of another one.
pub(super) fn replace(text: &str, node: &Node, value: &Value<'_>) -> Splices {
    let written = match (&node.kind, value) {
        (Kind::Scalar(_), Value::List(_) | Value::Map(_)) if node.syntax == Syntax::Yaml => {
            let space = if node.at.is_empty() { " " } else { "" };
            format!("{space}{}", render::flow(Syntax::Yaml, value))
        }
        (_, Value::List(_) | Value::Map(_)) => {
            let page = page(text, node.at.start, "  ");
            render::pretty(node.syntax, value, page)
        }
        (Kind::Scalar(_), value) => render::instead(text, node, value),
        (_, value) => render::flow(node.syntax, value),
    };
    vec![Splice::new(node.at.clone(), written)]
}

fn page<'t>(text: &'t str, at: usize, unit: &'t str) -> Page<'t> {
    Page { indent: indent(text, at), unit, newline: newline(text) }
}

/// Something between two brackets, and where its parts are.
struct Flow<'t> {
    text: &'t str,
    at: &'t Range<usize>,
    parts: Vec<Range<usize>>,
    syntax: Syntax,
    /// Its parts are members of an object.
    object: bool,
}

impl<'t> Flow<'t> {
    fn of(text: &'t str, node: &'t Node) -> Self {
        let (parts, object) = match &node.kind {
            Kind::Map(_, members) => (members.iter().map(|it| it.at.clone()).collect(), true),
            Kind::List(_, items) => (items.iter().map(|it| it.at.clone()).collect(), false),
            Kind::Scalar(_) | Kind::Json(_) | Kind::Opaque(_) => (Vec::new(), false),
        };
        Self { text, at: &node.at, parts, syntax: node.syntax, object }
    }

    fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    fn inside(&self) -> Range<usize> {
        self.at.start + 1..self.at.end.saturating_sub(1)
    }

    /// Whether each part has lines of its own.
    fn lines(&self) -> bool {
        self.parts.first().is_some_and(|first| {
            self.slice(self.at.start..first.start).contains('\n')
                && first_on_line(self.text, first.start)
        })
    }

    /// Where the comma after a part is, when there is one before anything else.
    fn comma(&self, part: &Range<usize>) -> Option<usize> {
        let after = self.slice(part.end..self.inside().end);
        let blank = after.len() - after.trim_start_matches([' ', '\t']).len();
        after.get(blank..)?.starts_with(',').then_some(part.end + blank)
    }

    /// Whether its parts are kept apart by commas, and not by the ends of lines.
    fn commas(&self) -> bool {
        self.syntax != Syntax::Hcl
            || !self.object
            || !self.lines()
            || self.parts.first().is_some_and(|first| self.comma(first).is_some())
    }

    /// Puts a part in before the one in this place.
    fn insert(&self, place: usize, written: &dyn Fn(Page<'_>) -> String) -> Result<Splices, Why> {
        let nl = newline(self.text);
        let Some(first) = self.parts.first() else {
            if !self.slice(self.inside()).trim().is_empty() {
                return Err(Why::Form);
            }
            let pad = if self.object && self.syntax != Syntax::Json { " " } else { "" };
            let written = written(page(self.text, self.at.start, "  "));
            return Ok(vec![Splice::new(self.inside(), format!("{pad}{written}{pad}"))]);
        };
        let between = self.parts.get(1).map(|second| self.slice(first.end..second.start));
        if !self.lines() {
            let between = between.filter(|it| it.trim() == "," && !it.contains('\n'));
            let between = between.unwrap_or(", ");
            let written = written(page(self.text, first.start, "  "));
            return Ok(match self.parts.get(place) {
                Some(next) => vec![Splice::new(next.start..next.start, written + between)],
                None => {
                    let end = self.parts.last().unwrap_or(first).end;
                    vec![Splice::new(end..end, format!("{between}{written}"))]
                }
            });
        }
        let own = indent(self.text, first.start);
        let unit = own.strip_prefix(indent(self.text, self.at.start)).filter(|it| !it.is_empty());
        let written = written(Page { indent: own, unit: unit.unwrap_or("  "), newline: nl });
        let comma = if self.commas() { "," } else { "" };
        if let Some(next) = self.parts.get(place) {
            let with = format!("{written}{comma}{nl}{own}");
            return Ok(vec![Splice::new(next.start..next.start, with)]);
        }
        let last = self.parts.last().unwrap_or(first);
        let trailing = self.comma(last);
        let end = line_end(self.text, trailing.unwrap_or(last.end));
        if end >= self.inside().end {
            // The bracket closes on the line of the last part.
            let with = format!("{comma}{nl}{own}{written}");
            return Ok(vec![Splice::new(last.end..last.end, with)]);
        }
        let mut splices = Vec::new();
        if trailing.is_none() && !comma.is_empty() {
            splices.push(Splice::new(last.end..last.end, ","));
        }
        let comma = if trailing.is_some() { "," } else { "" };
        splices.push(Splice::new(end..end, format!("{nl}{own}{written}{comma}")));
        Ok(splices)
    }

    fn remove(&self, place: usize) -> Result<Splices, Why> {
        let part = self.parts.get(place).ok_or(Why::Form)?;
        let before = place.checked_sub(1).and_then(|place| self.parts.get(place));
        let next = self.parts.get(place + 1);
        let (comma, inside) = (self.comma(part), self.inside());
        let rest = self.slice(comma.map_or(part.end, |comma| comma + 1)..inside.end);
        let alone = before.is_none() && next.is_none();
        if alone && self.slice(inside.start..part.start).trim().is_empty() && rest.trim().is_empty()
        {
            return Ok(vec![Splice::new(inside, "")]);
        }
        let after = rest.lines().next().unwrap_or_default().trim();
        let whole = self.lines()
            && first_on_line(self.text, part.start)
            && rest.contains('\n')
            && (after.is_empty() || after.starts_with(['#', '/']));
        if whole {
            let lines = line_start(self.text, part.start)..next_line(self.text, part.end);
            let mut splices = vec![Splice::new(lines, "")];
            // What was last without a comma leaves a last one without.
            if let (Some(before), None, None) = (before, next, comma)
                && let Some(comma) = self.comma(before)
            {
                splices.push(Splice::new(comma..comma + 1, ""));
            }
            return Ok(splices);
        }
        let gap = match (before, next) {
            (_, Some(next)) => part.start..next.start,
            (Some(before), None) => before.end..part.end,
            (None, None) => return Err(Why::Form),
        };
        let own = self.slice(part.clone());
        let lost = self.slice(gap.clone()).replacen(own, "", 1);
        if lost.contains(['#', '/']) { Err(Why::Form) } else { Ok(vec![Splice::new(gap, "")]) }
    }
}

/// A member put into an object.
pub(super) fn insert_member(
    text: &str,
    node: &Node,
    name: &str,
    value: &Value<'_>,
) -> Result<Splices, Why> {
    let Kind::Map(layout, members) = &node.kind else { return Err(Why::Form) };
    match layout {
        Layout::Flow => {
            let written = |page: Page<'_>| member(text, node, (name, value), page);
            Flow::of(text, node).insert(members.len(), &written)
        }
        Layout::Indented => {
            let (Some(first), Some(last)) = (members.first(), members.last()) else {
                return Err(Why::Form);
            };
            let own = column(text, first.at.start);
            let inner = format!("{own}  ");
            let nl = newline(text);
            let value = render::after(value, Page { indent: &inner, unit: "  ", newline: nl });
            let end = line_end(text, last.at.end);
            let with = format!("{nl}{own}{}:{value}", render::key(Syntax::Yaml, name));
            Ok(vec![Splice::new(end..end, with)])
        }
        Layout::Body | Layout::Blocks => Err(Why::Form),
    }
}

/// A member as those beside it are written.
fn member(text: &str, node: &Node, (name, value): (&str, &Value<'_>), page: Page<'_>) -> String {
    let Kind::Map(_, members) = &node.kind else { return String::new() };
    let slice = |range: Range<usize>| text.get(range).unwrap_or_default();
    let quoted = !members.is_empty()
        && members.iter().all(|member| slice(member.key.clone()).starts_with('"'));
    let mut key = render::key(node.syntax, name);
    if quoted && !key.starts_with('"') {
        key = format!("\"{key}\"");
    }
    let last = members.last();
    let between = last.map_or_else(
        || render::colon(node.syntax).to_owned(),
        |last| slice(last.key.end..last.node.at.start).to_owned(),
    );
    let between = if between.contains('\n') || between.contains('#') {
        render::colon(node.syntax).to_owned()
    } else {
        between
    };
    let value = render::pretty(node.syntax, value, page);
    let Some(last) = last.filter(|_| node.syntax == Syntax::Hcl) else {
        return format!("{key}{between}{value}");
    };
    // Aligned with what is above.
    let sign = between.trim();
    let blank = between.find(sign).unwrap_or(1);
    let lined = first_on_line(text, last.at.start);
    let width = if lined { slice(last.key.clone()).chars().count() + blank } else { 0 };
    let blank = width.saturating_sub(key.chars().count()).max(usize::from(sign == "="));
    format!("{key}{:blank$}{sign} {value}", "")
}

/// As many blanks as stand before a byte on its line, whatever is there.
fn column(text: &str, at: usize) -> String {
    let line = text.get(line_start(text, at)..at).unwrap_or_default();
    " ".repeat(line.chars().count())
}

/// An element put into a list, before the one in this place.
pub(super) fn insert_item(
    text: &str,
    node: &Node,
    place: usize,
    value: &Value<'_>,
) -> Result<Splices, Why> {
    let Kind::List(layout, items) = &node.kind else { return Err(Why::Form) };
    match layout {
        Layout::Flow => {
            // As the one beside it: on one line, or over several.
            let one_line = items.last().is_some_and(|item| {
                let own = text.get(item.at.clone()).unwrap_or_default();
                !own.contains('\n') && matches!(item.node.kind, Kind::Map(..) | Kind::List(..))
            });
            let written = |page: Page<'_>| {
                if one_line {
                    render::flow(node.syntax, value)
                } else {
                    render::pretty(node.syntax, value, page)
                }
            };
            Flow::of(text, node).insert(place, &written)
        }
        Layout::Indented => {
            let (Some(first), Some(last)) = (items.first(), items.last()) else {
                return Err(Why::Form);
            };
            if !text.get(first.at.start..).is_some_and(|text| text.starts_with('-')) {
                return Err(Why::Form);
            }
            let own = column(text, first.at.start);
            let inner = format!("{own}  ");
            let nl = newline(text);
            let collection = |kind: &Kind| match kind {
                Kind::Map(layout, _) | Kind::List(layout, _) => Some(*layout),
                Kind::Scalar(_) | Kind::Json(_) | Kind::Opaque(_) => None,
            };
            let flow = collection(&last.node.kind) == Some(Layout::Flow);
            let written = if flow {
                render::flow(Syntax::Yaml, value)
            } else {
                render::indented(value, Page { indent: &inner, unit: "  ", newline: nl })
            };
            match items.get(place) {
                Some(next) => {
                    let at = next.at.start;
                    Ok(vec![Splice::new(at..at, format!("- {written}{nl}{own}"))])
                }
                None => {
                    let end = line_end(text, last.at.end);
                    Ok(vec![Splice::new(end..end, format!("{nl}{own}- {written}"))])
                }
            }
        }
        Layout::Body | Layout::Blocks => Err(Why::Form),
    }
}

/// What stands in this place taken out of an object or a list.
pub(super) fn remove(text: &str, node: &Node, place: usize) -> Result<Splices, Why> {
    let (layout, parts): (Layout, Vec<Range<usize>>) = match &node.kind {
        Kind::Map(layout, members) => (*layout, members.iter().map(|it| it.at.clone()).collect()),
        Kind::List(layout, items) => (*layout, items.iter().map(|it| it.at.clone()).collect()),
        Kind::Scalar(_) | Kind::Json(_) | Kind::Opaque(_) => return Err(Why::Form),
    };
    match layout {
        Layout::Flow => Flow::of(text, node).remove(place),
        Layout::Indented => dedented(text, node, (&parts, place)),
        Layout::Body | Layout::Blocks => structure(text, parts.get(place).ok_or(Why::Form)?),
    }
}

/// A part of YAML taken out that stands there by its indentation.
fn dedented(
    text: &str,
    node: &Node,
    (parts, place): (&[Range<usize>], usize),
) -> Result<Splices, Why> {
    let part = parts.get(place).ok_or(Why::Form)?;
    let slice = |range: Range<usize>| text.get(range).unwrap_or_default();
    if parts.len() == 1 {
        // Nothing would be null, and not empty.
        let before = slice(0..node.at.start);
        let start = before.trim_end().len();
        let gap = slice(start..node.at.start);
        if !before.trim_end().ends_with([':', '-']) || gap.contains('#') {
            return Err(Why::Form);
        }
        let empty = if matches!(node.kind, Kind::List(..)) { "[]" } else { "{}" };
        return Ok(vec![Splice::new(start..node.at.end, format!(" {empty}"))]);
    }
    if matches!(node.kind, Kind::List(..)) && !slice(part.clone()).starts_with('-') {
        return Err(Why::Form);
    }
    if first_on_line(text, part.start) {
        let rest = slice(part.end..line_end(text, part.end)).trim();
        if rest.is_empty() || rest.starts_with('#') {
            let lines = line_start(text, part.start)..next_line(text, part.end);
            // What ends the text without the end of a line leaves none behind.
            if lines.end == text.len() && !text.ends_with('\n') {
                let start = line_end(text, lines.start.saturating_sub(1));
                let start = if slice(start..lines.start).trim().is_empty() && lines.start > 0 {
                    slice(0..lines.start).trim_end_matches(['\r', '\n']).len()
                } else {
                    lines.start
                };
                return Ok(vec![Splice::new(start..lines.end, "")]);
            }
            return Ok(vec![Splice::new(lines, "")]);
        }
        return Err(Why::Form);
    }
    // What comes next takes its place behind the dash.
    let next = parts.get(place + 1).ok_or(Why::Form)?;
    if slice(part.end..next.start).contains('#') {
        return Err(Why::Form);
    }
    Ok(vec![Splice::new(part.start..next.start, "")])
}

/// An attribute or a block of HCL taken out, with its lines.
fn structure(text: &str, part: &Range<usize>) -> Result<Splices, Why> {
    let slice = |range: Range<usize>| text.get(range).unwrap_or_default();
    let rest = slice(part.end..line_end(text, part.end)).trim();
    if first_on_line(text, part.start)
        && (rest.is_empty() || rest.starts_with('#') || rest.starts_with("//"))
    {
        let mut lines = line_start(text, part.start)..next_line(text, part.end);
        // Of the blank lines before and after it one is enough, and none at an end of a block.
        let before = line_start(text, lines.start.saturating_sub(1));
        let blank_before = lines.start > 0 && slice(before..lines.start).trim().is_empty();
        let after = slice(lines.end..line_end(text, lines.end)).trim();
        if blank_before && (after.is_empty() || after == "}") {
            lines.start = before;
        }
        return Ok(vec![Splice::new(lines, "")]);
    }
    // The one thing a block on one line holds.
    let before = slice(0..part.start).trim_end_matches([' ', '\t']);
    let after = slice(part.end..text.len()).trim_start_matches([' ', '\t']);
    if before.ends_with('{') && after.starts_with('}') {
        return Ok(vec![Splice::new(before.len()..text.len() - after.len(), "")]);
    }
    Err(Why::Form)
}
