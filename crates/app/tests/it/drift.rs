//! Drift by the real programs: Terraform with its AWS provider, a server that speaks AWS's
//! protocols, and our command line.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "all of it is tests, helpers included"
)]

mod changeset;
mod cloud;
mod cluster;
mod codify;
mod elsewhere;
mod forge;
mod propose;
mod reconcile;
pub(crate) mod remedy;
mod scan;
mod stack;
mod terraform;
mod trail;

pub(crate) use cloud::Cloud;
pub(crate) use stack::{CHANGES, TEMPLATE};
