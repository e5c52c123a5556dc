//! What ships in `content/drift`: how the types of a provider are read from an inventory.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::reading::Separate;
use crate::shape::{Shape, Texts, matches};

static AZURE: LazyLock<Table> =
    LazyLock::new(|| read("azure-reads", include_str!("../../../content/drift/azure-reads.yaml")));
static GOOGLE: LazyLock<Table> = LazyLock::new(|| {
    read("google-reads", include_str!("../../../content/drift/google-reads.yaml"))
});

fn read(name: &str, text: &str) -> Table {
    serde_saphyr::from_str(text)
        .unwrap_or_else(|error| unreachable!("content/drift/{name}.yaml: {error}"))
}

/// The whole of it. The file says what its parts mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    #[expect(dead_code, reason = "for whoever reads the file")]
    version: u32,
    pub(crate) types: Vec<Kind>,
}

impl Table {
    pub(crate) fn azure() -> &'static Self {
        &AZURE
    }

    pub(crate) fn google() -> &'static Self {
        &GOOGLE
    }

    /// How a type is read, where the table knows.
    pub(crate) fn kind(&self, name: &str) -> Option<&Kind> {
        self.types.iter().find(|kind| kind.kind == name)
    }
}

/// How a type is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kind {
    /// Its name in Terraform.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What the inventory calls it.
    pub(crate) resource: String,
    /// Which table of Resource Graph has it, where that is not the usual one.
    #[serde(default)]
    pub(crate) table: Option<String>,
    /// The version of Azure's API that is asked whether a resource is there.
    #[serde(default)]
    pub(crate) api: String,
    /// Where the inventory has it as a part of another resource.
    #[serde(default)]
    pub(crate) within: Option<String>,
    /// Where its id is, when the name in the inventory is not made of it.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// What tells it from others that the inventory calls the same.
    #[serde(default, rename = "where")]
    pub(crate) only: Texts,
    /// Resources of it that nobody declares are told, but for those of the cloud itself: these.
    #[serde(default)]
    pub(crate) ours: Option<Texts>,
    #[serde(default)]
    pub(crate) separate: Vec<Separate>,
    pub(crate) attributes: Shape,
}

impl Kind {
    /// Whether what the inventory gives is of this type.
    pub(crate) fn fits(&self, row: &serde_json::Value) -> bool {
        self.only.iter().all(|(path, among)| matches(row, path, among))
    }

    /// Whether a resource that nobody declares is to be told: one that the cloud made by itself is
    /// not.
    pub(crate) fn tells(&self, row: &serde_json::Value) -> bool {
        let Some(ours) = &self.ours else { return false };
        !ours.iter().any(|(path, among)| matches(row, path, among))
    }
}
