//! Manifests of Kubernetes: what objects a set of documents declares, as written by hand, by
//! Kustomize or by Helm.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::compare::{Resource, State};
use super::value::Value;
use super::yaml::{self, BadYaml};

mod removal;
#[cfg(test)]
mod tests;

pub use removal::removal;

/// Why manifests cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadManifest {
    /// They are no YAML.
    #[error(transparent)]
    Text(#[from] BadYaml),
    /// A document is no object of Kubernetes.
    #[error("document {place}: an object has `apiVersion`, `kind` and `metadata.name`")]
    Shape {
        /// Which, from 1.
        place: usize,
    },
    /// Two documents are about one object.
    #[error("document {place}: {name} is declared a second time")]
    Twice {
        /// Which, from 1.
        place: usize,
        /// The object.
        name: String,
    },
}

/// Whether a document looks like an object.
#[must_use]
pub fn looks_like_one(document: &Value<'_>) -> bool {
    document.get("apiVersion").is_some() && document.get("kind").is_some()
}

/// The objects that some documents declare; the items of a `List` each.
///
/// # Errors
/// When a document is no object, or an object is declared twice.
pub fn read(text: &str) -> Result<Vec<Resource<'static>>, BadManifest> {
    // JSON is YAML, and read faster as what it is.
    let documents = match Value::parse(text) {
        Some(value) => vec![value.into_owned()],
        None => yaml::read(text, yaml::untagged)?,
    };
    let mut objects = Vec::new();
    for (place, document) in documents.into_iter().enumerate() {
        let list = document.get("kind").and_then(Value::as_text).is_some_and(|kind| {
            kind.ends_with("List") && matches!(document.get("items"), Some(Value::List(_)))
        });
        if list {
            if let Value::Map(members) = document {
                let items = members.into_iter().find(|(name, _)| name == "items");
                if let Some((_, Value::List(items))) = items {
                    objects.extend(items.into_iter().map(|item| (place + 1, item)));
                }
            }
        } else {
            objects.push((place + 1, document));
        }
    }
    let mut declared = Vec::new();
    let mut names = BTreeSet::new();
    for (place, object) in objects {
        let resource = resource(object).ok_or(BadManifest::Shape { place })?;
        if !names.insert(resource.id.clone()) {
            return Err(BadManifest::Twice { place, name: resource.name() });
        }
        declared.push(resource);
    }
    Ok(declared)
}

/// An object as the API server keeps it: what a Secret says in clear (`stringData`) stands in its
/// `data`, and above what is there.
fn stored(object: Value<'static>) -> Value<'static> {
    let secret = object.get("kind").and_then(Value::as_text) == Some("Secret");
    let Some(Value::Map(clear)) = object.get("stringData").filter(|_| secret) else {
        return object;
    };
    let encoded = clear.iter().filter_map(|(name, value)| {
        let text = value.as_text()?;
        Some((name.clone(), Value::text(STANDARD.encode(text))))
    });
    let before = match object.get("data") {
        Some(Value::Map(data)) => data.clone(),
        _ => Vec::new(),
    };
    let data = Value::map(before.into_iter().chain(encoded));
    let Value::Map(members) = &object else { return object };
    let rest = members.iter().filter(|(name, _)| name != "stringData" && name != "data").cloned();
    Value::map(rest.chain([(Cow::Borrowed("data"), data)]))
}

/// An object as a resource: `Deployment/shop/web`, without a namespace `ClusterRole/reader`. Its
/// id has the group as well, without the version, which says how it is written and not what it is.
pub fn resource(object: Value<'static>) -> Option<Resource<'static>> {
    let object = stored(object);
    let text = |value: Option<&Value<'_>>| value.and_then(Value::as_text).map(str::to_owned);
    let kind = text(object.get("kind"))?;
    let version = text(object.get("apiVersion"))?;
    let name = text(object.get("metadata")?.get("name"))?;
    let namespace = text(object.get("metadata")?.get("namespace"));
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let address = match &namespace {
        Some(namespace) => format!("{kind}/{namespace}/{name}"),
        None => format!("{kind}/{name}"),
    };
    let id = format!("{group}/{address}");
    Some(Resource {
        address: Some(Cow::Owned(address)),
        kind: Cow::Owned(kind),
        id: Some(Cow::Owned(id)),
        state: State::Read(object),
        secrets: Vec::new(),
    })
}
