//! Attributes and blocks put into a block of HCL.

use std::collections::BTreeSet;

use super::Why;
use super::render::{self, Page};
use super::schema::{Shape, shape};
use super::tree::{
    Kind, Layout, Member, Node, Splice, Syntax, first_on_line, indent, line_end, line_start,
    newline, next_line,
};
use super::walk::Walk;
use crate::drift::path::Step;
use crate::drift::value::Value;

/// By how much the inside of a block is moved to the right, as `terraform fmt` does.
const UNIT: &str = "  ";

/// An attribute or blocks of a name that the body does not have.
pub(super) fn put(
    walk: &Walk<'_>,
    node: &Node,
    path: &[Step],
    (name, value): (&str, &Value<'_>),
) -> Result<Vec<Splice>, Why> {
    let within = blocks(path);
    let within = within.split_last().map_or(&[][..], |(_, within)| within);
    match shape(walk.kind, within, name) {
        None => Err(Why::Unknown),
        Some(Shape::Nothing) => Err(Why::Provider),
        Some(Shape::Attribute) => Ok(attribute(walk.text, node, name, value)),
        Some(Shape::Block) => {
            let items = match value {
                Value::List(items) => items.as_slice(),
                one => std::slice::from_ref(one),
            };
            let inside: Vec<String> = within.iter().cloned().chain([name.to_owned()]).collect();
            let own = own_indent(walk.text, node);
            let nl = newline(walk.text);
            let mut written = String::new();
            for item in items {
                let maker = Maker { walk, like: None };
                let page = Page { indent: &own, unit: UNIT, newline: nl };
                let block = maker.block(name, item, &inside, page)?;
                written.push_str(&format!("{nl}{own}{block}"));
            }
            Ok(last(walk.text, node, &written))
        }
    }
}

/// A block beside others of its name.
pub(super) fn add(
    walk: &Walk<'_>,
    node: &Node,
    path: &[Step],
    (place, value): (usize, &Value<'_>),
) -> Result<Vec<Splice>, Why> {
    let Kind::List(_, items) = &node.kind else { return Err(Why::Form) };
    let like = items.last().ok_or(Why::Form)?;
    let text = walk.text;
    let name = text.get(like.at.clone()).unwrap_or_default();
    let name = name.split(|c: char| c.is_whitespace() || c == '{').next().unwrap_or_default();
    // A block made by a loop shows nothing of how others are written.
    if name == "dynamic" {
        return Err(Why::Dynamic);
    }
    let own = indent(text, like.at.start);
    let nl = newline(text);
    let maker = Maker { walk, like: Some(&like.node) };
    let page = Page { indent: own, unit: UNIT, newline: nl };
    let block = maker.block(name, value, &blocks(path), page)?;
    if let Some(next) = items.get(place) {
        let at = next.at.start;
        return Ok(vec![Splice::new(at..at, format!("{block}{nl}{own}"))]);
    }
    // As far from the one before as that one is from what is before it.
    let start = line_start(text, like.at.start);
    let above = text.get(line_start(text, start.saturating_sub(1))..start).unwrap_or_default();
    let gap = if above.trim().is_empty() { nl } else { "" };
    let end = line_end(text, like.at.end);
    Ok(vec![Splice::new(end..end, format!("{nl}{gap}{own}{block}"))])
}

/// The names of the blocks a place lies in.
fn blocks(path: &[Step]) -> Vec<String> {
    let name = |step: &Step| match step {
        Step::Name(name) => Some(name.clone()),
        Step::Key(_) | Step::Index(_) => None,
    };
    path.iter().filter_map(name).collect()
}

/// What lines of a body begin with.
fn own_indent(text: &str, node: &Node) -> String {
    let Kind::Map(_, members) = &node.kind else { return String::new() };
    let lined = members.iter().find(|member| first_on_line(text, member.at.start));
    match lined {
        Some(member) => indent(text, member.at.start).to_owned(),
        None => format!("{}{UNIT}", indent(text, node.at.start)),
    }
}

fn is_block(member: &Member) -> bool {
    matches!(member.node.kind, Kind::List(Layout::Blocks, _))
}

/// An attribute put after those that are there.
fn attribute(text: &str, node: &Node, name: &str, value: &Value<'_>) -> Vec<Splice> {
    let Kind::Map(_, members) = &node.kind else { return Vec::new() };
    let own = own_indent(text, node);
    let nl = newline(text);
    let written =
        render::pretty(Syntax::Hcl, value, Page { indent: &own, unit: UNIT, newline: nl });
    let inside = text.get(node.at.clone()).unwrap_or_default();
    if !inside.contains('\n') {
        let outer = indent(text, node.at.start);
        let before = inside.trim();
        let before = if before.is_empty() { String::new() } else { format!("{nl}{own}{before}") };
        let with = format!("{before}{nl}{own}{name} = {written}{nl}{outer}");
        return vec![Splice::new(node.at.clone(), with)];
    }
    // After the attributes, and before the blocks.
    let first = members.iter().position(is_block).unwrap_or(members.len());
    let above = members.get(..first).and_then(<[Member]>::last);
    let above = above.or_else(|| members.iter().rfind(|member| !is_block(member)));
    let Some(above) = above else {
        let at = line_end(text, node.at.start);
        let gap = if members.is_empty() { "" } else { nl };
        return vec![Splice::new(at..at, format!("{nl}{own}{name} = {written}{gap}"))];
    };
    let key = text.get(above.key.clone()).unwrap_or_default();
    let between = text.get(above.key.end..above.node.at.start).unwrap_or_default();
    let column = key.chars().count() + between.find('=').unwrap_or(1);
    // Aligned with the line above, where that is the attribute's only one.
    let one_line = !text.get(above.at.clone()).unwrap_or_default().contains('\n');
    let blank = if one_line { column.saturating_sub(name.chars().count()).max(1) } else { 1 };
    let at = line_end(text, above.at.end);
    vec![Splice::new(at..at, format!("{nl}{own}{name}{:blank$}= {written}", ""))]
}

/// Something put at the end of a body, after a blank line.
fn last(text: &str, node: &Node, written: &str) -> Vec<Splice> {
    let Kind::Map(_, members) = &node.kind else { return Vec::new() };
    let nl = newline(text);
    let inside = text.get(node.at.clone()).unwrap_or_default();
    let outer = indent(text, node.at.start);
    if !inside.contains('\n') {
        let before = inside.trim();
        let own = own_indent(text, node);
        let before =
            if before.is_empty() { String::new() } else { format!("{nl}{own}{before}{nl}") };
        return vec![Splice::new(node.at.clone(), format!("{before}{written}{nl}{outer}"))];
    }
    match members.iter().map(|member| member.at.end).max() {
        Some(end) => {
            let at = line_end(text, end);
            let after = text.get(next_line(text, at)..).unwrap_or_default();
            let after = after.lines().next().unwrap_or_default().trim();
            let gap = if after.is_empty() || after == "}" { "" } else { nl };
            vec![Splice::new(at..at, format!("{nl}{written}{gap}"))]
        }
        None => {
            let at = line_end(text, node.at.start);
            vec![Splice::new(at..at, written)]
        }
    }
}

/// Writes blocks.
struct Maker<'m> {
    walk: &'m Walk<'m>,
    /// A block of the same name, which shows how it is written.
    like: Option<&'m Node>,
}

impl Maker<'_> {
    fn block(
        &self,
        name: &str,
        value: &Value<'_>,
        within: &[String],
        page: Page<'_>,
    ) -> Result<String, Why> {
        let Value::Map(members) = value else { return Err(Why::Form) };
        let inner = format!("{}{}", page.indent, page.unit);
        let inside = Page { indent: &inner, ..page };
        let nl = page.newline;
        let (mut attributes, mut blocks) = (Vec::new(), Vec::new());
        for name in self.order(members.iter().map(|(name, _)| name.as_ref())) {
            let Some(value) = value.get(name).filter(|value| !blank(value)) else { continue };
            let steps = within.iter().flat_map(|it| [Step::Name(it.clone()), Step::Index(0)]);
            let path: Vec<Step> = steps.chain([Step::Name(name.to_owned())]).collect();
            if self.walk.comparer.same_at(&path, &Value::Null, value) {
                continue;
            }
            match self.shape(within, name, value)? {
                Shape::Nothing => (),
                Shape::Attribute => {
                    attributes.push((name, render::pretty(Syntax::Hcl, value, inside)));
                }
                Shape::Block => {
                    let within: Vec<String> =
                        within.iter().cloned().chain([name.to_owned()]).collect();
                    let items = match value {
                        Value::List(items) => items.as_slice(),
                        one => std::slice::from_ref(one),
                    };
                    for item in items {
                        let maker = Maker { walk: self.walk, like: None };
                        blocks.push(maker.block(name, item, &within, inside)?);
                    }
                }
            }
        }
        let width = attributes.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let mut lines: Vec<String> = attributes
            .iter()
            .map(|(name, value)| format!("{inner}{name:width$} = {value}"))
            .collect();
        for block in blocks {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.push(format!("{inner}{block}"));
        }
        if lines.is_empty() {
            return Ok(format!("{name} {{}}"));
        }
        Ok(format!("{name} {{{nl}{}{nl}{}}}", lines.join(nl), page.indent))
    }

    /// The order of the block beside, and then by name.
    fn order<'n>(&'n self, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
        let mut names: BTreeSet<&str> = names.collect();
        let mut ordered = Vec::new();
        if let Some(Node { kind: Kind::Map(_, members), .. }) = self.like {
            for member in members {
                ordered.extend(names.take(member.name.as_str()));
            }
        }
        ordered.extend(names);
        ordered
    }

    fn shape(&self, within: &[String], name: &str, value: &Value<'_>) -> Result<Shape, Why> {
        let beside = self.like.and_then(|like| like.member(name));
        let written =
            beside.map(|member| if is_block(member) { Shape::Block } else { Shape::Attribute });
        if let Some(shape) = written.or_else(|| shape(self.walk.kind, within, name)) {
            return Ok(shape);
        }
        match value {
            // What says nothing in particular need not be said.
            Value::Bool(false) => Ok(Shape::Nothing),
            Value::Number(number) if number.as_f64() == Some(0.0) => Ok(Shape::Nothing),
            _ => Err(Why::Unknown),
        }
    }
}

/// Whether a value says nothing in a block.
fn blank(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Sealed(_) | Value::Unknown => false,
    }
}
