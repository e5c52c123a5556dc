//! The gate's tables. Every function runs in the caller's transaction, as its tenant.

pub mod approvals;
pub mod break_glass;
pub mod breakers;
pub mod decisions;
pub mod exceptions;
mod executions;
pub mod guards;
pub mod intents;
pub mod plans;
pub mod rates;
pub mod step_up;
pub mod usage;
pub mod windows;

use model::Digest;

use crate::error::Error;

fn digest(what: &'static str, bytes: &[u8]) -> Result<Digest, Error> {
    Digest::try_from(bytes).map_err(|error| Error::corrupt(what, &error))
}

fn small(path: &str, number: u32) -> Result<i32, Error> {
    i32::try_from(number).map_err(|_| Error::Invalid {
        path: path.to_owned(),
        reason: format!("{number} is more than {}", i32::MAX),
    })
}

fn count(what: &'static str, number: i32) -> Result<u32, Error> {
    u32::try_from(number).map_err(|error| Error::corrupt(what, &error))
}

#[cfg(test)]
pub(crate) mod tests;
