//! What kinds a cluster knows, and where they are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::{Ask, Cluster, Error};
use crate::object::{Kind, is_step};

/// Asks for everything in one answer, where the API server can do so (1.27 and later).
const TOGETHER: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                        application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                        application/json";

/// Where the objects of a kind are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The kind.
    pub kind: Kind,
    /// `deployments`.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// What can be done with them: `get`, `list`, `watch`, `patch`…
    pub verbs: Vec<String>,
    /// Whether this version is the one the API server prefers of its group.
    pub preferred: bool,
}

impl Resource {
    /// The path of its objects, in one namespace or in all.
    pub(crate) fn path(&self, namespace: Option<&str>) -> Result<Vec<String>, Error> {
        let Kind { group, version, .. } = &self.kind;
        let mut path = root(group, version);
        if let Some(namespace) = namespace {
            if !is_step(namespace) {
                return Err(Error::Name);
            }
            path.extend(["namespaces".to_owned(), namespace.to_owned()]);
        }
        path.push(self.plural.clone());
        Ok(path)
    }
}

/// The path of a group's version.
fn root(group: &str, version: &str) -> Vec<String> {
    match group {
        "" => vec!["api".to_owned(), version.to_owned()],
        group => vec!["apis".to_owned(), group.to_owned(), version.to_owned()],
    }
}

/// What a cluster knows.
#[derive(Debug, Clone, Default)]
pub struct Served {
    kinds: BTreeMap<Kind, Resource>,
    /// Versions of groups that could not be asked, and why: `metrics.k8s.io/v1beta1`.
    failed: BTreeMap<String, String>,
}

/// Why a kind has no resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unserved {
    /// The cluster knows no such kind in this version.
    Unknown(Kind),
    /// What knows it did not answer.
    Unanswered {
        /// The kind.
        kind: Kind,
        /// Why.
        why: String,
    },
}

impl fmt::Display for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(kind) => write!(f, "the cluster has no kind {kind}"),
            Self::Unanswered { kind, why } => {
                write!(f, "whether the cluster has the kind {kind} could not be read: {why}")
            }
        }
    }
}

impl Served {
    /// The resource of a kind.
    ///
    /// # Errors
    /// Whether there is none, or nobody could say.
    pub fn find(&self, kind: &Kind) -> Result<&Resource, Unserved> {
        if let Some(resource) = self.kinds.get(kind) {
            return Ok(resource);
        }
        Err(match self.failed.get(&kind.api_version()) {
            None => Unserved::Unknown(kind.clone()),
            Some(why) => Unserved::Unanswered { kind: kind.clone(), why: why.clone() },
        })
    }

    /// The kinds whose objects can be listed, each in the version the API server prefers.
    pub fn preferred(&self) -> impl Iterator<Item = &Resource> {
        self.kinds.values().filter(|resource| {
            resource.preferred && resource.verbs.iter().any(|verb| verb == "list")
        })
    }

    /// The versions of groups that could not be asked, each with why.
    #[must_use]
    pub const fn failed(&self) -> &BTreeMap<String, String> {
        &self.failed
    }

    fn add(&mut self, resource: Resource) {
        // What cannot be part of a path is not called.
        if is_step(&resource.plural) {
            self.kinds.insert(resource.kind.clone(), resource);
        }
    }

    fn add_together(&mut self, groups: &Together) {
        for group in &groups.items {
            for (place, version) in group.versions.iter().enumerate() {
                if version.freshness == "Stale" {
                    let of = Kind::new(&version.version, "");
                    let of = Kind { group: group.metadata.name.clone(), ..of };
                    self.failed.insert(of.api_version(), "its server does not answer".to_owned());
                }
                for resource in &version.resources {
                    let Some(kind) = &resource.response_kind else { continue };
                    self.add(Resource {
                        kind: Kind {
                            group: group.metadata.name.clone(),
                            version: version.version.clone(),
                            kind: kind.kind.clone(),
                        },
                        plural: resource.resource.clone(),
                        namespaced: resource.scope == "Namespaced",
                        verbs: resource.verbs.clone(),
                        // Versions come in the order of preference.
                        preferred: place == 0,
                    });
                }
            }
        }
    }

    fn add_version(&mut self, group: &str, version: &str, preferred: bool, list: &ApiResources) {
        for resource in &list.resources {
            // Subresources are written `deployments/scale`.
            if resource.name.contains('/') {
                continue;
            }
            self.add(Resource {
                kind: Kind {
                    group: group.to_owned(),
                    version: version.to_owned(),
                    kind: resource.kind.clone(),
                },
                plural: resource.name.clone(),
                namespaced: resource.namespaced,
                verbs: resource.verbs.clone(),
                preferred,
            });
        }
    }
}

impl Cluster {
    /// Asks what kinds the cluster knows: two calls, or one for each version of each group where
    /// the API server cannot say everything at once. A group that does not answer is told as such.
    ///
    /// # Errors
    /// When the API server itself does not answer.
    pub async fn discover(&self) -> Result<Arc<Served>, Error> {
        let mut served = Served::default();
        let mut versions = Vec::new();
        for top in ["api", "apis"] {
            let mut ask = Ask::get(&[top]);
            ask.accept = TOGETHER;
            let answer = self.json(&ask, None).await?;
            if answer["kind"] == "APIGroupDiscoveryList" {
                served.add_together(&read(answer)?);
            } else if top == "api" {
                let core: Core = read(answer)?;
                versions.extend(
                    core.versions
                        .into_iter()
                        .enumerate()
                        .map(|(place, version)| (String::new(), version, place == 0)),
                );
            } else {
                let groups: Groups = read(answer)?;
                for group in groups.groups {
                    let preferred = group.preferred_version.version;
                    versions.extend(group.versions.into_iter().map(|version| {
                        let first = version.version == preferred;
                        (group.name.clone(), version.version, first)
                    }));
                }
            }
        }
        let asked = versions.into_iter().map(|(group, version, preferred)| async move {
            let answer = self.json(&Ask::get(&root(&group, &version)), None).await;
            (answer.and_then(read::<ApiResources>), group, version, preferred)
        });
        let mut answers = futures::stream::iter(asked).buffer_unordered(self.limits.at_once.max(1));
        while let Some((answer, group, version, preferred)) = answers.next().await {
            match answer {
                Ok(list) => served.add_version(&group, &version, preferred, &list),
                Err(error) => {
                    let of = Kind { group, version, kind: String::new() }.api_version();
                    served.failed.insert(of, error.to_string());
                }
            }
        }
        drop(answers);
        Ok(self.learn(served))
    }
}

fn read<T: for<'de> Deserialize<'de>>(answer: Value) -> Result<T, Error> {
    serde_json::from_value(answer).map_err(|_| Error::Malformed)
}

#[derive(Deserialize)]
struct Together {
    #[serde(default)]
    items: Vec<TogetherGroup>,
}

#[derive(Deserialize)]
struct TogetherGroup {
    #[serde(default)]
    metadata: Name,
    #[serde(default)]
    versions: Vec<TogetherVersion>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct TogetherVersion {
    version: String,
    #[serde(default)]
    resources: Vec<TogetherResource>,
    #[serde(default)]
    freshness: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TogetherResource {
    resource: String,
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    kind: String,
}

#[derive(Deserialize)]
struct Core {
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    versions: Vec<GroupVersion>,
    preferred_version: GroupVersion,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

#[derive(Deserialize)]
struct ApiResources {
    resources: Vec<ApiResource>,
}

#[derive(Deserialize)]
struct ApiResource {
    name: String,
    namespaced: bool,
    kind: String,
    #[serde(default)]
    verbs: Vec<String>,
}
