//! What is there and no state of Terraform's names: types of the provider by those of the cloud.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::value::Value;

#[cfg(test)]
mod tests;

const SHIPPED: &str = include_str!("../../../../content/drift/terraform-aws.yaml");

static OURS: LazyLock<File> = LazyLock::new(|| {
    serde_saphyr::from_str(SHIPPED)
        .unwrap_or_else(|error| unreachable!("content/drift/terraform-aws.yaml: {error}"))
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for whoever reads the file")]
    version: u32,
    types: BTreeMap<String, Kind>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    r#type: String,
    #[serde(default)]
    ours: BTreeMap<String, Vec<String>>,
}

/// The cloud's type for one of Terraform's, when resources of it that nobody declares are told.
#[must_use]
pub fn cloud_type(terraform: &str) -> Option<&'static str> {
    OURS.types.get(terraform).map(|kind| kind.r#type.as_str())
}

/// Whether a resource of this type of Terraform's is one that the provider makes by itself.
#[must_use]
pub fn of_the_provider(terraform: &str, properties: &Value<'_>) -> bool {
    let Some(kind) = OURS.types.get(terraform) else { return false };
    kind.ours.iter().any(|(property, texts)| {
        let Some(value) = properties.get(property).and_then(Value::as_text) else { return false };
        texts.iter().any(|text| match text.strip_suffix('*') {
            Some(begin) => value.starts_with(begin),
            None => value == text,
        })
    })
}
