//! Executions in the database: leases, snapshots, changes, lists.

pub(crate) mod claim;
mod duty;
mod events;
#[cfg(test)]
pub(crate) mod fixture;
pub mod human;
pub(crate) mod load;
pub(crate) mod outputs;
pub(crate) mod printed;
pub mod read;
pub(crate) mod rows;
pub(crate) mod write;

pub use claim::claim;
