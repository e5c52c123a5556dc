//! What a text is: a state, a plan, a template or manifests.

use sense::drift::cloudformation;
use sense::drift::compare::Resource;
use sense::drift::manifest::{self, BadManifest};
use sense::drift::terraform::{BadDocument, Document, Plan};

/// How files of manifests and templates end.
pub const WRITTEN: [&str; 3] = [".yaml", ".yml", ".json"];
/// How files of a configuration of Terraform's end.
pub const CONFIGURATION: [&str; 4] = [".tf", ".tf.json", ".tofu", ".tofu.json"];
/// What Kustomize is told by.
pub const KUSTOMIZATION: &str = "kustomization.yaml";

/// What a document is.
#[derive(Debug)]
pub enum Content<'a> {
    /// A state of Terraform's.
    State(Vec<Resource<'a>>),
    /// A plan of Terraform's.
    Plan(Plan<'a>),
    /// A template of CloudFormation.
    Template(&'a str),
    /// Manifests of Kubernetes.
    Manifests(Vec<Resource<'static>>),
}

/// Why a text is no document.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is broken, and of Terraform's.
    #[error(transparent)]
    Terraform(#[from] BadDocument),
    /// It is broken, and could be manifests.
    #[error(transparent)]
    Manifest(#[from] BadManifest),
    /// It is nothing that is known.
    #[error("it is nothing of Terraform's, no template of CloudFormation and no manifest")]
    Other,
}

/// What a text is, by what it holds.
///
/// # Errors
/// When it is none of these.
pub fn read(text: &str) -> Result<Content<'_>, Unreadable> {
    match Document::read(text) {
        Ok(Document::State(resources)) => return Ok(Content::State(resources)),
        Ok(Document::Plan(plan)) => return Ok(Content::Plan(plan)),
        Err(BadDocument::Other) if !text.trim().is_empty() => (),
        Err(error) => return Err(error.into()),
    }
    let template = cloudformation::document(text);
    if template.as_ref().is_ok_and(cloudformation::looks_like_one) {
        return Ok(Content::Template(text));
    }
    match manifest::read(text) {
        Ok(objects) if !objects.is_empty() => Ok(Content::Manifests(objects)),
        // What is wrong with it is said as of what it could be.
        Err(error @ (BadManifest::Text(_) | BadManifest::Twice { .. })) => Err(error.into()),
        Ok(_) | Err(BadManifest::Shape { .. }) => Err(Unreadable::Other),
    }
}

/// Files of manifests as one text.
#[must_use]
pub fn joined<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().fold(String::new(), |mut all, text| {
        all.push_str(text);
        all.push_str("\n---\n");
        all
    })
}
