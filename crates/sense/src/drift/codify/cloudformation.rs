//! The resources of templates, in YAML and in JSON.

use super::tree::{Kind, Node};
use super::{Sources, Spot, Why, documents, of_documents};
use crate::drift::Drift;

/// The template that declares a resource.
pub(super) fn locate(sources: &Sources, drift: &Drift) -> Result<Spot, Why> {
    let mut found = None;
    let mut unreadable = None;
    let likely = |text: &str| text.contains(&drift.address) && text.contains("Resources");
    for (path, text) in sources.all().filter(|(path, text)| of_documents(path) && likely(text)) {
        let documents = match documents(text) {
            Ok(documents) => documents,
            Err(why) => {
                unreadable = Some(why);
                continue;
            }
        };
        let [document] = documents.as_slice() else { continue };
        let Some(resource) = resource(document, &drift.address) else { continue };
        if resource.member("Type").and_then(|kind| kind.node.text()) != Some(drift.kind.as_str()) {
            continue;
        }
        if found.is_some() {
            return Err(Why::Ambiguous);
        }
        found = Some(Spot { file: path.to_owned(), path: vec![drift.address.clone()] });
    }
    found.ok_or_else(|| unreadable.unwrap_or(Why::NotFound))
}

fn resource<'n>(document: &'n Node, logical: &str) -> Option<&'n Node> {
    Some(&document.member("Resources")?.node.member(logical)?.node)
}

/// The properties of a resource.
pub(super) fn root(text: &str, spot: &Spot) -> Result<Node, Why> {
    let documents = documents(text)?;
    let logical = spot.path.first().ok_or(Why::NotFound)?;
    let found = documents.first().and_then(|document| resource(document, logical));
    let properties = found.ok_or(Why::NotFound)?.member("Properties").ok_or(Why::Form)?;
    let mut node = properties.node.clone();
    functions(&mut node);
    Ok(node)
}

/// Functions in their long form are objects with one member.
fn functions(node: &mut Node) {
    match &mut node.kind {
        Kind::Map(_, members) => {
            if let [member] = members.as_slice()
                && (["Ref", "Condition"].contains(&member.name.as_str())
                    || member.name.starts_with("Fn::"))
            {
                let name = member.name.clone();
                node.kind = Kind::Opaque(Why::Computed(name));
                return;
            }
            members.iter_mut().for_each(|member| functions(&mut member.node));
        }
        Kind::List(_, items) => items.iter_mut().for_each(|item| functions(&mut item.node)),
        Kind::Scalar(_) | Kind::Json(_) | Kind::Opaque(_) => (),
    }
}
