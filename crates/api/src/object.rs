//! The uniform endpoints of plain objects: list, show, make, replace, remove.
//!
//! What differs from kind to kind is data: the table behind it (`db::object::Kind`), its wire
//! types, and who may. What an object means is judged elsewhere; here it is kept well.

mod declare;
mod describe;
mod export;
mod import;
mod listed;
mod owner;
mod query;
mod record;

use std::fmt::Display;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use db::object::{self as rows, Kind, Lock};
use model::audit::Event;
use model::id::Id;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

pub use listed::{Listed, Wanted, parameters};

use crate::body::Body;
use crate::caller::{Caller, Can};
use crate::change::Change;
use crate::etag;
use crate::page::PageOut;
use crate::permission::Permission;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// What callers may do with objects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbs {
    /// Make, replace and remove them.
    All,
    /// Make and replace them; they are kept for the record.
    Keep,
    /// Make and remove them; what is made is not changed.
    Record,
    /// Make them; what is made is neither changed nor removed by callers.
    Append,
    /// See them alone.
    Read,
}

impl Verbs {
    const fn make(self) -> bool {
        !matches!(self, Self::Read)
    }

    const fn replace(self) -> bool {
        matches!(self, Self::All | Self::Keep)
    }

    const fn remove(self) -> bool {
        matches!(self, Self::All | Self::Record)
    }
}

/// A kind of plain object with its place in the API.
pub trait Object: Send + Sync + 'static {
    /// What it is made of.
    const KIND: Kind;
    /// Its path below the API's prefix: `/services`.
    const PATH: &'static str;
    /// What several are called: `services`.
    const PLURAL: &'static str;
    /// Its part of the API description.
    const TAG: &'static str;
    /// What may be done with it.
    const VERBS: Verbs = Verbs::All;
    /// Its ids.
    type Id: Id + DeserializeOwned + Send + Sync;
    /// What its maker says. Its fields are the columns filled by the caller or once.
    type In: Serialize + DeserializeOwned + ToSchema + Send;
    /// What is shown. Its fields are `id` and all columns.
    type Out: Serialize + DeserializeOwned + ToSchema + Send;
    /// Who may see it.
    type Read: Permission;
    /// Who may make, replace and remove it.
    type Write: Permission;

    /// The column that names the person an object belongs to: nobody else sees it. Filled by
    /// [`Filled::Derived`](rows::Filled::Derived).
    const OWNER: Option<&'static str> = None;

    /// Refuses what the types alone let pass.
    ///
    /// # Errors
    /// 400 with the path of what is wrong.
    fn check(wanted: &Self::In) -> Answer<()>;

    /// Fills fields that follow from others, before they are kept: those that may be left out, and
    /// those that are derived.
    fn complete(_fields: &mut Map<String, Value>) {}
}

/// The routes of a kind, described.
#[must_use]
pub fn routes<O: Object>() -> OpenApiRouter<App> {
    let mut all: MethodRouter<App> = get(list::<O>);
    let mut one: MethodRouter<App> = get(show::<O>);
    if O::VERBS.make() {
        all = all.post(make::<O>);
    }
    if O::VERBS.replace() {
        one = one.put(replace::<O>);
    }
    if O::VERBS.remove() {
        one = one.delete(remove::<O>);
    }
    let routes = OpenApiRouter::with_openapi(describe::document::<O>())
        .route(O::PATH, all)
        .route(&format!("{}/export", O::PATH), get(export::export::<O>))
        .route(&format!("{}/{{id}}", O::PATH), one);
    if O::KIND.natural.is_empty() {
        return routes;
    }
    routes.route(&format!("{}/import", O::PATH), post(import::import::<O>))
}

/// As the wire shows it, with its entity tag.
fn shown<O: Object>(status: StatusCode, row: Value) -> Answer<Response> {
    let out: O::Out = serde_json::from_value(row).map_err(db::Error::internal)?;
    let tag = etag::of(&out)?;
    Ok((status, [tag], Json(out)).into_response())
}

async fn list<O: Object>(
    State(app): State<App>,
    caller: Can<O::Read>,
    RawQuery(query): RawQuery,
) -> Answer<Json<PageOut<O::Out>>> {
    let mut wanted = query::read(&O::KIND, query.as_deref().unwrap_or_default())?;
    owner::narrow::<O>(&caller, &mut wanted);
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let page = rows::list(&mut tx, &O::KIND, &wanted).await?;
    let items: Result<Vec<O::Out>, _> =
        page.items.into_iter().map(serde_json::from_value).collect();
    let items = items.map_err(db::Error::internal)?;
    Ok(Json(PageOut { items, next_cursor: page.next_cursor, has_next: page.has_next }))
}

async fn show<O: Object>(
    State(app): State<App>,
    caller: Can<O::Read>,
    Path(id): Path<O::Id>,
) -> Answer<Response> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let row = answer::<O, _>(rows::get(&mut tx, &O::KIND, id.into(), Lock::None).await)?;
    owner::allows::<O>(&caller, &row)?;
    shown::<O>(StatusCode::OK, row)
}

async fn make<O: Object>(
    State(app): State<App>,
    caller: Can<O::Write>,
    Body(wanted): Body<O::In>,
) -> Answer<Response> {
    O::check(&wanted)?;
    let fields = made_by::<O>(&caller, &wanted)?;
    let id = O::Id::fresh();
    let mut change = Change::begin(&app, &caller).await?;
    let row = answer::<O, _>(rows::insert(&mut change, &O::KIND, id.into(), fields).await)?;
    let event = with_values::<O>(event::<O>(&change, "created", &id), "new_values", &row);
    change.commit(event).await?;
    shown::<O>(StatusCode::CREATED, row)
}

async fn replace<O: Object>(
    State(app): State<App>,
    caller: Can<O::Write>,
    Path(id): Path<O::Id>,
    headers: HeaderMap,
    Body(wanted): Body<O::In>,
) -> Answer<Response> {
    O::check(&wanted)?;
    let mut fields = fields(&wanted)?;
    O::complete(&mut fields);
    owner::fill::<O>(&caller, &mut fields)?;
    let mut change = Change::begin(&app, &caller).await?;
    let old = locked::<O>(&mut change, &caller, id, &headers).await?;
    let row = answer::<O, _>(rows::update(&mut change, &O::KIND, id.into(), fields).await)?;
    let event = with_values::<O>(event::<O>(&change, "updated", &id), "old_values", &old);
    let event = with_values::<O>(event, "new_values", &row);
    change.commit(event).await?;
    shown::<O>(StatusCode::OK, row)
}

async fn remove<O: Object>(
    State(app): State<App>,
    caller: Can<O::Write>,
    Path(id): Path<O::Id>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    let old = locked::<O>(&mut change, &caller, id, &headers).await?;
    let removed = rows::delete(&mut change, &O::KIND, id.into()).await;
    removed.map_err(|error| match error.constraint() {
        Some(constraint) if constraint.ends_with("_fk") => Problem::conflict(
            "in_use",
            format!("something still refers to this {}: remove that first", O::KIND.word),
        ),
        _ => error.into(),
    })?;
    let event = with_values::<O>(event::<O>(&change, "deleted", &id), "old_values", &old);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The object as it is, kept from others' changes; refused when the caller saw another one.
async fn locked<O: Object>(
    change: &mut Change<'_>,
    caller: &Caller,
    id: O::Id,
    headers: &HeaderMap,
) -> Answer<Value> {
    // What nobody can change needs no lock, and the application may not take one.
    let lock = if O::VERBS.replace() { Lock::ForChange } else { Lock::None };
    let row = rows::get(change, &O::KIND, id.into(), lock).await;
    let row = answer::<O, _>(row)?;
    owner::allows::<O>(caller, &row)?;
    let out: O::Out = serde_json::from_value(row.clone()).map_err(db::Error::internal)?;
    etag::matches(headers, &out)?;
    Ok(row)
}

fn event<O: Object>(change: &Change<'_>, verb: &str, id: &dyn Display) -> Event {
    change.event(&format!("{}.{verb}", O::KIND.word), O::KIND.word, &id.to_string())
}

/// What an object was or is, in its event. What belongs to one person is not for the log: nobody
/// could take it out again.
fn with_values<O: Object>(event: Event, name: &str, row: &Value) -> Event {
    if O::OWNER.is_some() { event } else { event.with(name, record::of(row)) }
}

/// The fields of something `caller` makes.
fn made_by<O: Object>(caller: &Caller, wanted: &O::In) -> Answer<Map<String, Value>> {
    let mut fields = fields(wanted)?;
    O::complete(&mut fields);
    owner::fill::<O>(caller, &mut fields)?;
    for column in O::KIND.columns.iter().filter(|one| one.filled == rows::Filled::ByMaker) {
        fields.insert(column.name.to_owned(), caller.actor.id.to_string().into());
    }
    Ok(fields)
}

fn fields<T: Serialize>(wanted: &T) -> Answer<Map<String, Value>> {
    match serde_json::to_value(wanted).map_err(db::Error::internal)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(db::Error::internal("a body is an object").into()),
    }
}

/// The field a constraint is about.
fn at_fault<O: Object>(constraint: &str) -> Option<&'static str> {
    let (_, table) = O::KIND.table.rsplit_once('.').unwrap_or_default();
    let rule = constraint.strip_prefix(table).unwrap_or(constraint).trim_start_matches('_');
    let mut names = O::KIND.columns.iter().map(|column| column.name);
    // `findings_severity_word` is about severity, `…_resource_fk` about resource_id.
    let named = names.clone().find(|name| {
        let rest = rule.strip_prefix(name.trim_end_matches("_id"));
        rest.is_some_and(|rest| rest.starts_with('_'))
    });
    // `ml_predictions_model_fk` is about ml_model_id.
    let about = rule.strip_suffix("_fk");
    named.or_else(|| {
        names.find(|name| {
            let last = name.strip_suffix("_id").and_then(|of| of.rsplit('_').next());
            about.is_some() && last == about
        })
    })
}

/// A missing row, a taken name and a reference to nothing, as answers about this kind.
fn answer<O: Object, T>(result: Result<T, db::Error>) -> Answer<T> {
    let word = O::KIND.word.replace('_', " ");
    result.map_err(|error| match (error.kind(), error.constraint()) {
        (db::Kind::NotFound, _) => Problem::not_found(&word),
        (db::Kind::Conflict, Some(_)) => {
            let same = match O::KIND.natural {
                [] => "values that may be there once".to_owned(),
                names => names.join(" and "),
            };
            Problem::conflict("already_there", format!("another {word} has the same {same}"))
        }
        (db::Kind::Invalid, Some(constraint)) => {
            let path =
                at_fault::<O>(constraint).map_or_else(String::new, |name| format!("/{name}"));
            if constraint.ends_with("_fk") {
                Problem::invalid(&path, "no_such_reference", "refers to what is not there")
            } else {
                Problem::invalid(&path, "not_allowed", format!("breaks the rule {constraint}"))
            }
        }
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests;
