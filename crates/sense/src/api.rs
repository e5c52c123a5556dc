//! Hooks, alerts, rules, sources and the estate over HTTP.

mod connection;
mod credential;
mod environment;
mod finding;
mod hook;
mod intake;
mod quarantine;
mod resource;
mod rule;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use api::problem::Answer;
use api::{App, Problem};
use utoipa_axum::router::OpenApiRouter;

/// The routes of this stage.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(hook::routes())
        .merge(finding::routes())
        .merge(rule::routes())
        .merge(source::routes())
        .merge(quarantine::routes())
        .merge(environment::routes())
        .merge(resource::routes())
        .merge(connection::routes())
        .merge(credential::routes())
}

/// The most tags one thing may have.
const MAX_TAGS: usize = 100;

/// Refuses a text whose number of characters is out of range.
fn sized(path: &str, text: &str, range: RangeInclusive<usize>) -> Answer<()> {
    if range.contains(&text.chars().count()) {
        return Ok(());
    }
    let message = format!("must have {} to {} characters", range.start(), range.end());
    Err(Problem::invalid(path, "length", message))
}

/// Refuses a text that is empty, too long, or has characters outside `extra`, letters and digits:
/// host names, paths and login names end up in places where others would mean something.
fn plain(path: &str, text: &str, longest: usize, extra: &str) -> Answer<()> {
    sized(path, text, 1..=longest)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    if text.starts_with('-') || !text.chars().all(fits) {
        let message = format!("may have letters, digits and {extra}, and no dash in front");
        return Err(Problem::invalid(path, "characters", message));
    }
    Ok(())
}

/// Refuses too many or too long tags.
fn tags(path: &str, tags: &BTreeMap<String, String>) -> Answer<()> {
    if tags.len() > MAX_TAGS {
        let message = format!("may have at most {MAX_TAGS} entries");
        return Err(Problem::invalid(path, "length", message));
    }
    for (name, value) in tags {
        sized(path, name, 1..=100)?;
        sized(path, value, 0..=1000)?;
    }
    Ok(())
}

/// A missing row, a taken name and a reference to nothing, as answers about `what`.
fn answer<T>(what: &str, result: Result<T, db::Error>) -> Answer<T> {
    result.map_err(|error| match (error.kind(), error.constraint()) {
        (db::Kind::NotFound, _) => Problem::not_found(what),
        (db::Kind::Conflict, Some(_)) => {
            Problem::conflict("already_there", format!("there is such {what} already"))
        }
        (db::Kind::Invalid, Some(constraint)) if constraint.ends_with("_fk") => Problem::invalid(
            "",
            "no_such_reference",
            format!("the {what} refers to what is not there"),
        ),
        _ => error.into(),
    })
}
