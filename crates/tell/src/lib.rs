//! People: what they are told and where, what they talk about, and what is set for them.

pub mod api;
mod channel;
mod secret;
mod store;
