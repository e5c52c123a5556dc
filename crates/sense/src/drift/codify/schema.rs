//! What may be written in the block of a resource of Terraform's, where its block does not show it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

const SHIPPED: &str = include_str!("../../../../../content/drift/terraform-schema.yaml");

static OURS: LazyLock<File> = LazyLock::new(|| {
    serde_saphyr::from_str(SHIPPED)
        .unwrap_or_else(|error| unreachable!("content/drift/terraform-schema.yaml: {error}"))
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for whoever reads the file")]
    version: u32,
    types: BTreeMap<String, BTreeMap<String, String>>,
}

/// How something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Attribute,
    Block,
    /// Not at all: the provider computes it.
    Nothing,
}

/// How something is written in a block of a resource; `None` where that is not known.
pub(super) fn shape(kind: &str, block: &[String], name: &str) -> Option<Shape> {
    let tags = (kind.starts_with("aws_") || kind.starts_with("azurerm_")) && name == "tags";
    let labels = kind.starts_with("google_") && name == "labels";
    let Some(blocks) = OURS.types.get(kind) else {
        return (block.is_empty() && (tags || labels)).then_some(Shape::Attribute);
    };
    let within = block.join(".");
    let attributes = blocks.get(&within)?;
    let inside = if within.is_empty() { name.to_owned() } else { format!("{within}.{name}") };
    Some(if blocks.contains_key(&inside) {
        Shape::Block
    } else if attributes.split(' ').any(|own| own == name) {
        Shape::Attribute
    } else {
        Shape::Nothing
    })
}
