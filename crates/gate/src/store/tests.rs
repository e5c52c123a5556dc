//! The gate's tables on a real PostgreSQL, with real concurrency.

mod approvals;
mod closing;
mod guards;
mod intents;
pub(crate) mod world;
