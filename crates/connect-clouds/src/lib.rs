//! What the inventories of clouds hold: Azure's by Resource Graph, Google Cloud's by Cloud Asset
//! Inventory, in the words of Terraform's providers for them.
//!
//! It only reads. Which resources there are and where their attributes stand in an answer is data:
//! `content/drift/azure-reads.yaml` and `google-reads.yaml`. What an answer does not give is not
//! there, so that nobody compares it; what could not be read is *not checked* and never taken to be
//! absent. Inventories run behind the clouds by seconds to minutes.
#![warn(missing_docs)]

pub mod azure;
mod calls;
mod error;
pub mod google;
mod reading;
mod shape;
mod table;
#[cfg(feature = "testing")]
pub mod testing;

pub use calls::Limits;
pub use error::Error;
pub use reading::{Live, NotChecked, Reading, Separate, Wanted};

#[cfg(test)]
mod tests;
