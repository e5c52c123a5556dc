//! The signed, tamper-evident audit log: sequenced, signed, anchored, verified, exported.
//!
//! Events come in through the outbox (`db::TenantTx::audit`). [`sequence`] gives them a place,
//! [`publish`] turns the log into tiles and a signed checkpoint, [`verify`] holds the database
//! against everything that was signed, [`bundle`] lets others do so without it. A [`witness`] is a
//! process beside all that, which cosigns only what continues what it has seen.

pub mod anchor;
pub mod api;
pub mod bundle;
pub mod checkpoint;
pub mod continuation;
pub mod cosignature;
pub mod decision;
pub mod directory;
pub mod keys;
pub mod lag;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod projection;
pub mod prune;
pub mod publish;
pub mod recover;
pub mod sequence;
pub mod signer;
pub mod store;
pub mod synthetic;
pub mod tile;
pub mod verify;
pub mod witness;

#[cfg(test)]
mod testing;
