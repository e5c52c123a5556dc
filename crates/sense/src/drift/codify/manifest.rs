//! The objects of manifests.

use super::tree::{Kind, Node};
use super::{Sources, Spot, Why, documents, of_documents};
use crate::drift::Drift;

/// What Kustomize is told by.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The file that declares an object, and which document of it.
pub(super) fn locate(sources: &Sources, drift: &Drift) -> Result<Spot, Why> {
    let generated =
        |path: &str| KUSTOMIZATIONS.contains(&path.rsplit('/').next().unwrap_or_default());
    if sources.all().any(|(path, _)| generated(path)) {
        return Err(Why::Generated);
    }
    let wanted = Wanted::of(drift).ok_or(Why::NotFound)?;
    let (mut exact, mut likely) = (Vec::new(), Vec::new());
    let mut unreadable = None;
    let names = |text: &str| text.contains(wanted.name) && text.contains(wanted.kind);
    for (path, text) in sources.all().filter(|(path, text)| of_documents(path) && names(text)) {
        let documents = match documents(text) {
            Ok(documents) => documents,
            Err(why) => {
                unreadable = Some(why);
                continue;
            }
        };
        for (place, object) in objects(&documents).into_iter().enumerate() {
            let spot = || Spot { file: path.to_owned(), path: vec![place.to_string()] };
            match wanted.fits(object) {
                Some(Fit::Exactly) => exact.push(spot()),
                Some(Fit::Elsewhere) => likely.push(spot()),
                None => (),
            }
        }
    }
    let mut found = if exact.is_empty() { likely } else { exact };
    match (found.pop(), found.is_empty()) {
        (Some(spot), true) => Ok(spot),
        (Some(_), false) => Err(Why::Ambiguous),
        (None, _) => Err(unreadable.unwrap_or(Why::NotFound)),
    }
}

/// An object of documents.
pub(super) fn root(text: &str, spot: &Spot) -> Result<Node, Why> {
    let documents = documents(text)?;
    let place = spot.path.first().and_then(|place| place.parse::<usize>().ok());
    let objects = objects(&documents);
    place.and_then(|place| objects.get(place).copied()).cloned().ok_or(Why::NotFound)
}

/// The objects of documents, the items of a `List` each.
fn objects(documents: &[Node]) -> Vec<&Node> {
    let mut objects = Vec::new();
    for document in documents {
        let text = document.member("kind").and_then(|kind| kind.node.text());
        let items = document.member("items").map(|items| &items.node.kind);
        match (text.is_some_and(|kind| kind.ends_with("List")), items) {
            (true, Some(Kind::List(_, items))) => {
                objects.extend(items.iter().map(|item| &item.node));
            }
            _ => objects.push(document),
        }
    }
    objects
}

enum Fit {
    /// With its namespace.
    Exactly,
    /// Without one: the context says it.
    Elsewhere,
}

struct Wanted<'d> {
    group: Option<&'d str>,
    kind: &'d str,
    namespace: Option<&'d str>,
    name: &'d str,
}

impl<'d> Wanted<'d> {
    /// What `Deployment/shop/web`, and the id with its group, are about.
    fn of(drift: &'d Drift) -> Option<Self> {
        let parts: Vec<&str> = drift.address.split('/').collect();
        let (kind, namespace, name) = match parts.as_slice() {
            [kind, namespace, name] => (*kind, Some(*namespace), *name),
            [kind, name] => (*kind, None, *name),
            _ => return None,
        };
        let group = drift.id.as_deref().and_then(|id| id.strip_suffix(&drift.address));
        let group = group.and_then(|group| group.strip_suffix('/'));
        Some(Self { group, kind, namespace, name })
    }

    fn fits(&self, object: &Node) -> Option<Fit> {
        let text = |node: &'_ Node, name: &str| {
            node.member(name).and_then(|member| member.node.text()).map(str::to_owned)
        };
        let metadata = &object.member("metadata")?.node;
        if text(object, "kind")? != self.kind || text(metadata, "name")? != self.name {
            return None;
        }
        let version = text(object, "apiVersion")?;
        let group = version.split_once('/').map_or("", |(group, _)| group);
        if self.group.is_some_and(|wanted| wanted != group) {
            return None;
        }
        let namespace = text(metadata, "namespace");
        match (namespace.as_deref(), self.namespace) {
            (own, wanted) if own == wanted => Some(Fit::Exactly),
            (None, Some(_)) => Some(Fit::Elsewhere),
            _ => None,
        }
    }
}
