//! Writes a runbook as YAML, loss-free: reading the text gives the same runbook.

use super::Runbook;

/// A runbook that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the runbook cannot be written as YAML")]
pub struct Error(#[source] serde_saphyr::SerializeError);

/// The YAML of a runbook: keys in the order of the source documents, defaults left out.
///
/// # Errors
/// When `config` holds something YAML cannot express.
pub fn to_yaml(runbook: &Runbook) -> Result<String, Error> {
    serde_saphyr::to_string_with_options(
        runbook,
        serde_saphyr::ser_options! { compact_list_indent: false },
    )
    .map_err(Error)
}

#[cfg(test)]
mod tests;
