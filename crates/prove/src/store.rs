//! The SQL of the audit log.

pub mod checkpoints;
pub mod events;
pub mod lag;
pub mod outbox;
pub mod stream;
