//! Objects that belong to one person: for everybody else they are not there.

use db::object::{Filter, ListRequest, Test};
use model::id::UserId;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Object;
use crate::caller::Caller;
use crate::problem::{Answer, Problem};

/// Leaves the caller's own in a list; none for whoever is no person.
pub(super) fn narrow<O: Object>(caller: &Caller, wanted: &mut ListRequest) {
    if let Some(column) = O::OWNER.and_then(|name| O::KIND.column(name)) {
        let own = caller.user().map_or(Uuid::nil(), UserId::uuid);
        wanted.filters.push(Filter { column, test: Test::OneOf(vec![own.to_string()]) });
    }
}

/// Refuses what belongs to somebody else as if it were not there.
pub(super) fn allows<O: Object>(caller: &Caller, row: &Value) -> Answer<()> {
    let Some(name) = O::OWNER else { return Ok(()) };
    let own = caller.user().map(|user| user.uuid().to_string());
    if own.is_some_and(|own| row[name] == own.as_str()) {
        return Ok(());
    }
    Err(Problem::not_found(O::KIND.word))
}

/// Makes it the caller's.
pub(super) fn fill<O: Object>(caller: &Caller, fields: &mut Map<String, Value>) -> Answer<()> {
    let Some(name) = O::OWNER else { return Ok(()) };
    let user = caller.user().ok_or_else(|| {
        let detail =
            format!("a {} belongs to a person: log in instead of using a key", O::KIND.word);
        Problem::conflict("no_person", detail)
    })?;
    fields.insert(name.to_owned(), user.to_string().into());
    Ok(())
}
