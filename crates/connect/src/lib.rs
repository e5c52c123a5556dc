//! Light connectors: the object store, the vault that seals secrets, and the one way out over HTTP.

pub mod objects;
pub mod outbound;
pub mod pace;
pub mod vault;

pub use outbound::Outbound;
