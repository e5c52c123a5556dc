//! What code declares against what is there.
//!
//! Pure: documents come in as text, what differs goes out. Two sides of a resource are read into
//! [`value::Value`], compared under [`rules::Rules`] that say which values are the same though they
//! are written differently, and told as [`Change`]s by property. Whatever may be a secret leaves
//! this room as a keyed digest.

pub mod cloudformation;
pub mod codify;
pub mod compare;
pub mod diff;
mod form;
pub mod ignore;
pub mod manifest;
pub mod path;
pub mod rules;
pub mod seal;
pub mod severity;
pub mod terraform;
pub mod unmanaged;
pub mod value;
mod yaml;

pub use model::drift::{Axes, ChangeType, DriftType};
use serde::Serialize;

/// A property that differs. Its values are fit to be shown: secrets are digests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Where, as [`path`] writes it.
    pub path: String,
    /// Where, step by step.
    #[serde(skip)]
    pub steps: path::Path,
    /// How.
    pub change: ChangeType,
    /// What is declared.
    pub declared: Option<serde_json::Value>,
    /// What is there.
    pub actual: Option<serde_json::Value>,
}

/// A resource that is not as it is declared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// What the declaration calls it; what the provider calls it where nothing declares it.
    pub address: String,
    /// Its type, in the declaration's language.
    pub kind: String,
    /// What the provider calls it.
    pub id: Option<String>,
    /// How it differs.
    pub drift: DriftType,
    /// The properties that differ, in the order of their names; of one that was moved its address.
    pub changes: Vec<Change>,
    /// What is declared, fit to be shown.
    pub declared: Option<serde_json::Value>,
    /// What is there, fit to be shown.
    pub actual: Option<serde_json::Value>,
}
