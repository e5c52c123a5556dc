//! How long things are kept, and the archive they go to afterwards.
//!
//! [`rule`] says how long, [`plan`] what may go and why something stays, [`pack`] what an object of
//! the archive looks like, [`run`] takes things there, [`restore`] brings a copy back for reading.

pub mod api;
mod deposit;
pub mod error;
mod leave;
pub mod log;
pub mod pack;
pub mod plan;
pub mod restore;
pub mod rule;
pub mod run;
pub mod store;
pub mod subject;

pub use error::Error;
