//! People: what they are told and where, what they talk about, and what is set for them.

pub mod api;
mod channel_rules;
pub mod message;
mod secret;
mod store;

pub use store::channel;
