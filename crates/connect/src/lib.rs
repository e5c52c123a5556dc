//! Light connectors: the object store and the vault that seals secrets.

pub mod objects;
pub mod vault;
