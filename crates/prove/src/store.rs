//! The SQL of the audit log.

pub mod checkpoints;
pub mod events;
pub mod outbox;
pub mod stream;
