//! What an object is called.

use std::fmt;

use serde_json::Value;

/// A kind in a version of its group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// `apps`; empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `Deployment`.
    pub kind: String,
}

impl Kind {
    /// Of what a manifest says: `apps/v1`, `Deployment`.
    #[must_use]
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// As a manifest says it: `apps/v1`, and `v1` in the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version(), self.kind)
    }
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace. An object of a kind that has them is in the configured one when this is
    /// absent; of other kinds it says nothing.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Key {
    /// What a manifest, or a live object, calls itself; `None` when it is no object.
    #[must_use]
    pub fn of(object: &Value) -> Option<Self> {
        let text =
            |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let kind = Kind::new(&text(&object["apiVersion"])?, &text(&object["kind"])?);
        let metadata = &object["metadata"];
        Some(Self { kind, namespace: text(&metadata["namespace"]), name: text(&metadata["name"])? })
    }

    /// The object whatever the version it is written in: `apps/Deployment/shop/web`,
    /// `rbac.authorization.k8s.io/ClusterRole/reader`, `/ConfigMap/shop/settings`.
    #[must_use]
    pub fn id(&self) -> String {
        let Kind { group, kind, .. } = &self.kind;
        match &self.namespace {
            Some(namespace) => format!("{group}/{kind}/{namespace}/{}", self.name),
            None => format!("{group}/{kind}/{}", self.name),
        }
    }
}

/// Whether a text can be one step of a path: what names an object may not lead elsewhere.
pub(crate) fn is_step(text: &str) -> bool {
    let odd = |c: char| !c.is_ascii_graphic() || matches!(c, '/' | '%' | '?' | '#' | '\\');
    !text.is_empty() && text.len() <= 253 && text != "." && text != ".." && !text.contains(odd)
}
