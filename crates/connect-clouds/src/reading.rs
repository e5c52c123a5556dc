//! What is asked for, and what was found.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A resource somebody declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its type in Terraform: `azurerm_storage_account`.
    pub kind: String,
    /// What the provider calls it.
    pub id: String,
    /// Where it is, when the id does not say: the project of a Google resource.
    pub project: Option<String>,
}

/// A resource that is there.
#[derive(Clone, PartialEq)]
pub struct Live {
    /// Its type in Terraform.
    pub kind: String,
    /// Its id, as it was asked for; of what nobody declares as the cloud writes it.
    pub id: String,
    /// Its attributes, as far as the inventory gives them.
    pub attributes: Map<String, Value>,
}

/// Without the attributes: environments of containers are among them.
impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Something of which nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotChecked {
    /// The type of the resource, or a type.
    pub kind: String,
    /// The resource; all of the type when absent.
    pub id: Option<String>,
    /// Why, for people.
    pub why: String,
    /// Whether reading it was tried and failed, and may succeed another time.
    pub failed: bool,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What is there of what was asked for. What is neither here nor in `not_checked`, and of a type
    /// that is read, is not there.
    pub resources: Vec<Live>,
    /// What could not be read.
    pub not_checked: Vec<NotChecked>,
    /// What is there and was not asked for.
    pub undeclared: Vec<Live>,
    /// The types of which all that is there was looked for.
    pub listed: BTreeSet<String>,
    /// The types of which what nobody declares was to be looked for and could not be.
    pub unlisted: Vec<NotChecked>,
    /// How many calls it took, those tried again and those for tokens among them.
    pub calls: u64,
    /// How many of them were put off by the cloud.
    pub throttled: u64,
}

/// Blocks of a resource that may be resources of their own: a state has them where they were
/// declared, and the inventory has them in both places.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Separate {
    /// The blocks.
    pub attribute: String,
    /// What stands between the resource's id and the name of one in its id.
    pub under: String,
}
