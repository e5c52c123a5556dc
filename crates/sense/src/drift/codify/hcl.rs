//! HCL with the place of every value: the blocks of resources, in the directory and in the modules
//! of it that lie beside.

use std::collections::BTreeMap;

use hcl_edit::expr::{Expression, FuncCall, ObjectKey, TraversalOperator};
use hcl_edit::structure::{Block, Body, Structure};
use hcl_edit::template::{Element, HeredocTemplate};
use hcl_edit::{Decorated, Span};

use super::tree::{Item, Kind, Layout, Member, Node, Syntax};
use super::{Sources, Spot, Why, json};
use crate::drift::value::Value;

/// How files of a configuration end.
pub(super) const ENDS: [&str; 2] = [".tf", ".tofu"];
/// Names in the body of a resource that are Terraform's own.
const META: [&str; 6] = ["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner"];
/// The most modules one resource may lie in.
pub(super) const MOST_MODULES: usize = 16;

/// Where the block of a resource stands.
pub(super) fn locate(sources: &Sources, address: &str) -> Result<Spot, Why> {
    if address.contains('[') {
        return Err(Why::Repeated);
    }
    let parts = split(address).ok_or(Why::NotFound)?;
    let (modules, [kind, name]) = parts
        .split_at_checked(parts.len().saturating_sub(2))
        .and_then(|(modules, own)| Some((modules, <&[String; 2]>::try_from(own).ok()?)))
        .ok_or(Why::NotFound)?;
    let mut directory = String::new();
    for pair in modules.chunks(2) {
        let [word, module] = pair else { return Err(Why::NotFound) };
        if word != "module" || modules.len() > 2 * MOST_MODULES {
            return Err(Why::NotFound);
        }
        directory = entered(sources, &directory, module)?;
    }
    if !modules.is_empty() {
        shared(sources, &directory)?;
    }
    let mut found = None;
    let mut written_in_json = false;
    for (path, text) in sources.of(&directory) {
        written_in_json |= path.ends_with(".tf.json") && text.contains(&format!("\"{name}\""));
        if !ENDS.iter().any(|end| path.ends_with(end)) || !text.contains(name.as_str()) {
            continue;
        }
        let body = parse(text)?;
        for block in body.get_blocks("resource") {
            if !labelled(block, &[kind, name]) {
                continue;
            }
            if found.is_some() {
                return Err(Why::Ambiguous);
            }
            if block.body.has_attribute("count") || block.body.has_attribute("for_each") {
                return Err(Why::Repeated);
            }
            found = Some(path.to_owned());
        }
    }
    let path = vec![kind.clone(), name.clone()];
    match found {
        Some(file) => Ok(Spot { file, path }),
        None if written_in_json => Err(Why::JsonSyntax),
        None => Err(Why::NotFound),
    }
}

/// The steps of an address; `None` when it is none.
fn split(address: &str) -> Option<Vec<String>> {
    let word = |text: &&str| {
        !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    };
    let parts: Vec<&str> = address.split('.').collect();
    parts.iter().all(word).then(|| parts.into_iter().map(str::to_owned).collect())
}

/// The directory of the module that a directory calls so.
fn entered(sources: &Sources, directory: &str, module: &str) -> Result<String, Why> {
    let mut found = None;
    for (path, text) in sources.of(directory) {
        if !ENDS.iter().any(|end| path.ends_with(end)) {
            continue;
        }
        let body = parse(text)?;
        let called = body.get_blocks("module").find(|block| labelled(block, &[module]));
        let Some(block) = called else { continue };
        if block.body.has_attribute("count") || block.body.has_attribute("for_each") {
            return Err(Why::Repeated);
        }
        let source = block.body.get_attribute("source").and_then(|source| source.value.as_str());
        found = Some(source.unwrap_or_default().to_owned());
    }
    let source = found.ok_or(Why::NotFound)?;
    if !source.starts_with("./") && !source.starts_with("../") {
        return Err(Why::RemoteModule(source));
    }
    joined(directory, &source).ok_or(Why::Outside(source))
}

/// A path within the directory that everything lies in.
pub(super) fn joined(directory: &str, source: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in source.split('/') {
        match part {
            "" | "." => (),
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What is called from two places cannot be changed for one of them.
fn shared(sources: &Sources, directory: &str) -> Result<(), Why> {
    let mut calls = 0;
    for (path, text) in sources.all() {
        if !ENDS.iter().any(|end| path.ends_with(end)) || !text.contains("module") {
            continue;
        }
        let Ok(body) = parse(text) else { continue };
        let from = path.rsplit_once('/').map_or("", |(from, _)| from);
        for block in body.get_blocks("module") {
            let source = block.body.get_attribute("source").and_then(|it| it.value.as_str());
            let leads = source.filter(|source| source.starts_with('.'));
            calls += usize::from(
                leads.and_then(|source| joined(from, source)).as_deref() == Some(directory),
            );
        }
    }
    if calls > 1 { Err(Why::SharedModule) } else { Ok(()) }
}

fn labelled(block: &Block, labels: &[&str]) -> bool {
    block.labels.len() == labels.len()
        && block.labels.iter().zip(labels).all(|(own, label)| own.as_str() == *label)
}

/// How deep brackets may be nested: the parser goes down for each.
const MOST_DEEP: usize = 128;
/// How many signs may stand before a value; more than comments are underlined with.
const MOST_SIGNS: usize = 1000;
/// How many conditions a file may have, each of which may stand in the one before.
const MOST_CONDITIONS: usize = 2000;

/// Whether reading a text would take too deep a stack. Brackets in texts count as well.
fn too_deep(text: &str) -> bool {
    let (mut brackets, mut signs, mut conditions) = (0_usize, 0, 0);
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => brackets += 1,
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            b'?' => conditions += 1,
            _ => (),
        }
        signs = match byte {
            b'!' | b'-' => signs + 1,
            b' ' | b'\t' | b'\r' | b'\n' => signs,
            _ => 0,
        };
        brackets > MOST_DEEP || signs > MOST_SIGNS || conditions > MOST_CONDITIONS
    })
}

pub(super) fn parse(text: &str) -> Result<Body, Why> {
    if too_deep(text) {
        return Err(Why::Unreadable("it is nested too deep".to_owned()));
    }
    text.parse().map_err(|error: hcl_edit::parser::Error| {
        let place = error.location();
        Why::Unreadable(format!("{} at line {}", error.message(), place.line()))
    })
}

/// The body of the block of a resource.
pub(super) fn root(text: &str, spot: &Spot) -> Result<Node, Why> {
    let body = parse(text)?;
    let labels: Vec<&str> = spot.path.iter().map(String::as_str).collect();
    let block = body.get_blocks("resource").find(|block| labelled(block, &labels));
    let reader = Reader { text };
    let mut node = reader.body(block.ok_or(Why::NotFound)?).ok_or(Why::Form)?;
    if let Kind::Map(_, members) = &mut node.kind {
        members.retain(|member| !META.contains(&member.name.as_str()));
    }
    Ok(node)
}

struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    /// The inside of a block.
    fn body(&self, block: &Block) -> Option<Node> {
        let whole = block.span()?;
        let head = block.labels.last().map_or_else(|| block.ident.span(), Span::span)?;
        let open = head.end + self.text.get(head.end..whole.end)?.find('{')? + 1;
        let at = open..whole.end.checked_sub(1)?;
        let mut members: Vec<Member> = Vec::new();
        let mut blocks: BTreeMap<String, usize> = BTreeMap::new();
        for structure in &block.body {
            let span = structure.span()?;
            match structure {
                Structure::Attribute(attribute) => members.push(Member {
                    name: attribute.key.to_string(),
                    key: attribute.key.span()?,
                    at: span,
                    node: self.expression(&attribute.value)?,
                }),
                Structure::Block(block) => {
                    let name = block.ident.to_string();
                    let (name, node) = match block.labels.first() {
                        None => (name, self.body(block)?),
                        Some(label) if name == "dynamic" => {
                            let why = Why::Dynamic;
                            let node = Node::opaque(span.clone(), Syntax::Hcl, why);
                            (label.as_str().to_owned(), node)
                        }
                        Some(_) => (name, Node::opaque(span.clone(), Syntax::Hcl, Why::Form)),
                    };
                    let item = Item { at: span.clone(), node };
                    let place = *blocks.entry(name.clone()).or_insert(members.len());
                    match members.get_mut(place) {
                        Some(Member { at, node: Node { at: all, kind, .. }, .. }) => {
                            let Kind::List(_, items) = kind else { return None };
                            items.push(item);
                            at.end = span.end;
                            all.end = span.end;
                        }
                        None => members.push(Member {
                            name,
                            key: block.ident.span()?,
                            at: span.clone(),
                            node: Node {
                                at: span,
                                syntax: Syntax::Hcl,
                                kind: Kind::List(Layout::Blocks, vec![item]),
                            },
                        }),
                    }
                }
            }
        }
        Some(Node { at, syntax: Syntax::Hcl, kind: Kind::Map(Layout::Body, members) })
    }

    fn expression(&self, expression: &Expression) -> Option<Node> {
        let at = expression.span()?;
        let scalar = |value: Value<'static>| Kind::Scalar(value);
        let kind = match expression {
            Expression::Null(_) => scalar(Value::Null),
            Expression::Bool(flag) => scalar(Value::Bool(*flag.value())),
            Expression::Number(number) => {
                // As it stands there: what is read is rounded.
                let written = self.text.get(at.clone())?;
                match Value::parse(written) {
                    Some(value @ Value::Number(_)) => scalar(value.into_owned()),
                    _ => scalar(Value::Number(serde_json::Number::from_f64(
                        number.value().as_f64()?,
                    )?)),
                }
            }
            Expression::String(text) => scalar(Value::text(text.value().as_str())),
            Expression::Array(array) => {
                let items = array.iter().map(|item| {
                    let node = self.expression(item)?;
                    Some(Item { at: node.at.clone(), node })
                });
                Kind::List(Layout::Flow, items.collect::<Option<_>>()?)
            }
            Expression::Object(object) => {
                let mut members = Vec::new();
                for (key, value) in object {
                    let (Some(name), Some(span)) = (name(key), key.span()) else {
                        let why = Why::Computed("a name that is computed".to_owned());
                        return Some(Node::opaque(at, Syntax::Hcl, why));
                    };
                    let node = self.expression(value.expr())?;
                    let whole = span.start..node.at.end;
                    members.push(Member { name, key: span, at: whole, node });
                }
                Kind::Map(Layout::Flow, members)
            }
            Expression::HeredocTemplate(heredoc) => self.heredoc(heredoc)?,
            Expression::FuncCall(call) => self.call(call)?,
            computed => Kind::Opaque(Why::Computed(by(computed))),
        };
        Some(Node { at, syntax: Syntax::Hcl, kind })
    }

    /// A text on lines of its own; what it holds, where that is JSON.
    fn heredoc(&self, heredoc: &HeredocTemplate) -> Option<Kind> {
        let mut text = String::new();
        for element in &heredoc.template {
            match element {
                Element::Literal(part) => text.push_str(part),
                Element::Interpolation(_) | Element::Directive(_) => {
                    return Some(Kind::Opaque(Why::Computed("a template".to_owned())));
                }
            }
        }
        let inside = heredoc.template.span()?;
        // What is escaped stands there as something else than it says.
        let written = self.text.get(inside.clone())?;
        let plain = !written.contains("$${") && !written.contains("%%{");
        let json = json::parse_in(self.text, inside).filter(|_| plain);
        let json = json.filter(|node| matches!(node.kind, Kind::Map(..) | Kind::List(..)));
        Some(json.map_or_else(|| Kind::Scalar(Value::text(text)), |it| Kind::Json(Box::new(it))))
    }

    fn call(&self, call: &FuncCall) -> Option<Kind> {
        let name = call.name.name.to_string();
        let arguments: Vec<&Expression> = call.args.iter().collect();
        if let ("jsonencode", [argument], false) =
            (name.as_str(), arguments.as_slice(), call.name.is_namespaced())
        {
            return Some(Kind::Json(Box::new(self.expression(argument)?)));
        }
        Some(Kind::Opaque(Why::Computed(format!("the function {name}"))))
    }
}

fn name(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(name) => Some(name.to_string()),
        ObjectKey::Expression(Expression::String(text)) => Some(text.value().to_string()),
        ObjectKey::Expression(_) => None,
    }
}

/// What computes a value, in words.
fn by(expression: &Expression) -> String {
    let word = match expression {
        Expression::Traversal(traversal) => match &traversal.expr {
            Expression::Variable(root) => {
                let attribute = traversal.operators.first().map(Decorated::value);
                let name = match attribute {
                    Some(TraversalOperator::GetAttr(name)) => name.to_string(),
                    _ => String::new(),
                };
                return match root.as_str() {
                    "var" => format!("the variable {name}"),
                    "local" => format!("the local value {name}"),
                    "module" => format!("the module {name}"),
                    "data" => format!("the data source {name}"),
                    "each" | "count" | "path" | "terraform" | "self" => root.to_string(),
                    kind => format!("the resource {kind}.{name}"),
                };
            }
            _ => "an expression",
        },
        Expression::StringTemplate(_) => "a template",
        Expression::Conditional(_) => "a condition",
        Expression::ForExpr(_) => "a loop",
        _ => "an expression",
    };
    word.to_owned()
}
