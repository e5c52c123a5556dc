//! The vocabulary: ids, time, actors, intents, plans, risk, verdicts, evidence, outcomes.
//!
//! No I/O, no clock. Every other crate speaks in these words.
#![warn(missing_docs)]

pub mod actor;
pub mod audit;
pub mod canonical;
pub mod connector;
pub mod drift;
pub mod execution;
pub mod finding;
pub mod id;
pub mod intent;
pub mod level;
pub mod objects;
pub mod plan;
pub mod secret;
pub mod time;
pub mod vault;
pub mod verdict;
pub mod words;

pub use canonical::Digest;
pub use time::{Clock, Timestamp};
