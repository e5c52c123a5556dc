//! Hooks, alerts, rules, sources and the estate over HTTP.

mod change_event;
mod code;
mod connection;
mod credential;
mod detail;
mod environment;
mod finding;
mod graph;
mod hook;
mod ignore;
mod import;
mod intake;
mod key;
mod once;
mod quarantine;
mod remediation;
mod report;
mod resource;
mod rule;
pub mod scan;
mod source;
mod surroundings;
#[cfg(test)]
mod tests;

use api::check::{plain, sized, tags, texts};
use api::problem::Answer;
use api::{App, Problem, object};
use utoipa_axum::router::OpenApiRouter;

/// The routes of this stage.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(hook::routes())
        .merge(finding::routes())
        .merge(report::routes())
        .merge(detail::routes())
        .merge(rule::routes())
        .merge(scan::routes())
        .merge(change_event::routes())
        .merge(source::routes())
        .merge(quarantine::routes())
        .merge(object::routes::<environment::Environment>())
        .merge(object::routes::<resource::Resource>())
        .merge(connection::routes())
        .merge(credential::routes())
        .merge(key::routes())
        .merge(once::routes())
        .merge(object::routes::<graph::Service>())
        .merge(object::routes::<graph::ResourceEdge>())
        .merge(object::routes::<remediation::Remedied>())
        .merge(code::routes())
        .merge(object::routes::<ignore::IgnoreRule>())
        .merge(object::routes::<surroundings::Correlation>())
        .merge(object::routes::<surroundings::OperationalContext>())
        .merge(object::routes::<surroundings::Cost>())
}

/// A missing row, a taken name and a reference to nothing, as answers about `what`.
fn answer<T>(what: &str, result: Result<T, db::Error>) -> Answer<T> {
    result.map_err(|error| match (error.kind(), error.constraint()) {
        (db::Kind::NotFound, _) => Problem::not_found(what),
        (db::Kind::Conflict, Some(_)) => {
            Problem::conflict("already_there", format!("there is such {what} already"))
        }
        (db::Kind::Invalid, Some(constraint)) if constraint.ends_with("_fk") => Problem::invalid(
            &referring(constraint),
            "no_such_reference",
            format!("the {what} refers to what is not there"),
        ),
        _ => error.into(),
    })
}

/// The field that refers to what a foreign key asks for: `connections_credential_fk` is about
/// `credential_id`.
fn referring(constraint: &str) -> String {
    match constraint {
        "violations_policy_fk" => "/violation/policy_id".to_owned(),
        "drift_events_declared_fk" => "/drift/iac_resource_id".to_owned(),
        other => {
            let about = other.trim_end_matches("_fk").rsplit('_').next().unwrap_or_default();
            format!("/{about}_id")
        }
    }
}
