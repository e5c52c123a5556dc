//! Guards, approvals, and the one thing that lets anything run: a Clearance.
//!
//! The deciding modules are pure: they take values and the instant, and give values back. `store`
//! fetches what they judge and keeps what they said; `api` is the HTTP surface.
#![warn(missing_docs)]

pub mod api;
pub mod approval;
pub mod blackout;
pub mod bound;
pub mod break_glass;
pub mod breaker;
pub mod clear;
pub mod constraint;
pub mod cooldown;
pub mod decide;
mod error;
pub mod gist;
pub mod guard;
pub mod proposal;
pub mod quorum;
pub mod quota;
pub mod rate;
pub mod selector;
pub mod step_up;
pub mod store;

pub use clear::Clearance;
pub use decide::Decision;
pub use error::Error;
