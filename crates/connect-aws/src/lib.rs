//! What is live in AWS: resources in the properties of CloudFormation's types, stacks, and who did
//! what.
//!
//! It only reads. How each service is spoken to and where its answers hold what stands in
//! `content/drift/aws-reads.yaml`; what that does not name is read through Cloud Control. Signatures
//! are made by AWS's own library and calls by `connect::Outbound`. What could not be read is *not
//! checked*, and never taken to be absent: a list counts as whole only when its last page was read.
#![warn(missing_docs)]

mod client;
mod credentials;
mod error;
mod identity;
mod read;
mod shape;
mod stack;
mod table;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod trail;
mod tree;
mod wire;

pub use client::{Aws, Limits};
pub use credentials::Credentials;
pub use error::Error;
pub use identity::Identity;
pub use read::{Live, NotChecked, Reading, reads, types};
pub use stack::{Stack, StackResource};
pub use trail::Event;

#[cfg(test)]
mod tests;
