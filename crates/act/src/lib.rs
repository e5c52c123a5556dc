//! Runbooks, plans and their execution on targets.

pub mod api;
pub mod decide;
pub mod duty;
pub mod engine;
mod error;
pub mod execution;
mod lease;
pub mod outcome;
pub mod ports;
pub mod resume;
pub mod runbook;
pub mod snapshot;
pub mod store;
pub mod verified;
pub mod worker;

pub use engine::{Ended, Engine, Settings};
pub use error::Error;
pub use lease::Claimed;
