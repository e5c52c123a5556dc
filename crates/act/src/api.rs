//! Runbooks and executions over HTTP.

mod executions;
mod output;
mod schedules;

use api::{App, Problem, object};
use model::objects::ObjectError;
use utoipa_axum::router::OpenApiRouter;

use crate::error::Error;
use crate::runbook;

/// The routes of this stage.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(runbook::api::routes())
        .merge(executions::routes())
        .merge(output::routes())
        .merge(object::routes::<schedules::Schedule>())
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Db { source, .. } => source.into(),
            Error::Gate(source) => source.into(),
            Error::NotFound(_) => Self::not_found("execution"),
            Error::WrongState { .. } => Self::conflict("wrong_state", error.to_string()),
            Error::NothingToResolve(_) => Self::conflict("nothing_to_resolve", error.to_string()),
            Error::Objects(ObjectError::NotFound { .. }) => {
                let told = "what was printed is not in the object store";
                Self::conflict("output_lost", told)
            }
            Error::Objects(_) => Self::unavailable(error.to_string()),
            Error::Altered => Self::conflict("output_altered", error.to_string()),
            Error::NotCleared
            | Error::PlanChanged
            | Error::Unreadable { .. }
            | Error::Refused(_)
            | Error::Finish(_) => Self::internal(&error),
        }
    }
}
