//! Intents, plans, decisions, approvals, blackout windows, circuit breakers and rate limits over HTTP.

mod approvals;
mod break_glass;
mod breakers;
pub mod decisions;
mod exceptions;
mod intents;
mod limits;
mod step_up;
mod usage;
mod windows;

use api::{App, Problem};
use utoipa_axum::router::OpenApiRouter;

use crate::error::Error;

/// The routes of this stage.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(approvals::routes())
        .merge(intents::routes())
        .merge(decisions::routes())
        .merge(usage::routes())
        .merge(windows::routes())
        .merge(breakers::routes())
        .merge(limits::routes())
        .merge(step_up::routes())
        .merge(break_glass::routes())
        .merge(exceptions::routes())
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { what, .. } => Self::not_found(what),
            Error::OtherBody { .. } => Self::conflict("deterministic_id_taken", error.to_string()),
            Error::Conflict { .. } => Self::conflict("conflict", error.to_string()),
            Error::Invalid { ref path, ref reason } => Self::invalid(path, "invalid", reason),
            Error::Canonical(ref source) if error.kind() == db::Kind::Invalid => {
                Self::invalid("", "number", source.to_string())
            }
            Error::Db(source) => source.into(),
            Error::Corrupt { .. } | Error::Canonical(_) => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests;
