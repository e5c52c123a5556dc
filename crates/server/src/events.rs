//! What happens, as it happens: server-sent events that can be resumed.
//!
//! `/events` carries every audited event of the tenant by its number in the log, which has no
//! gaps; `/executions/{id}/events` carries the steps and the output of one execution.

mod store;

use std::convert::Infallible;
use std::time::Duration;

use api::permission::{ReadPlans, Watch};
use api::problem::Answer;
use api::{App, Can, Problem};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use db::wake::Topic;
use futures::Stream;
use model::id::{ExecutionId, TenantId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long to wait for a wake-up before looking anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(5);
/// Events fetched at once.
const AT_ONCE: i64 = 500;

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(watch_events)).routes(routes!(watch_execution))
}

/// Whether a path is an endless stream, exempt from the time limit.
#[must_use]
pub fn streams(path: &str) -> bool {
    path.ends_with("/events") && !path.ends_with("/audit/events")
}

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FromIn {
    /// The number of the last event seen; the stream goes on after it. The header
    /// `Last-Event-ID`, which browsers send by themselves, comes first. Without either the
    /// stream begins with what happens next; `-1` is the very beginning.
    #[param(minimum = -1, example = 41)]
    after: Option<i64>,
}

/// The number a stream goes on after, if the caller gave one.
fn resume_after(headers: &HeaderMap, query: &FromIn) -> Answer<Option<i64>> {
    let Some(header) = headers.get("last-event-id") else { return Ok(query.after) };
    header.to_str().ok().and_then(|text| text.trim().parse().ok()).map(Some).ok_or_else(|| {
        Problem::invalid("header.Last-Event-ID", "shape", "must be the number of an event")
    })
}

/// Watch everything that happens in the tenant.
#[utoipa::path(get, path = "/events", tag = "events", params(FromIn),
    responses((status = 200, content_type = "text/event-stream", body = String),
              (status = "4XX", body = Problem)))]
async fn watch_events(
    State(app): State<App>,
    caller: Can<Watch>,
    headers: HeaderMap,
    Query(query): Query<FromIn>,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let tenant = caller.tenant();
    let after = match resume_after(&headers, &query)? {
        Some(after) => after,
        None => {
            let mut tx = app.db.tenant(tenant).await?;
            store::newest(&mut tx).await?
        }
    };
    Ok(Sse::new(follow(app, Source::Tenant(tenant), after)).keep_alive(KeepAlive::default()))
}

/// Watch the steps and the output of one execution, from its beginning unless told otherwise.
#[utoipa::path(get, path = "/executions/{id}/events", tag = "executions",
    params(("id" = String, Path, description = "The execution"), FromIn),
    responses((status = 200, content_type = "text/event-stream", body = String),
              (status = "4XX", body = Problem)))]
async fn watch_execution(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    headers: HeaderMap,
    Path(id): Path<ExecutionId>,
    Query(query): Query<FromIn>,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let tenant = caller.tenant();
    let mut tx = app.db.tenant(tenant).await?;
    if !store::execution_exists(&mut tx, id).await? {
        return Err(Problem::not_found("execution"));
    }
    drop(tx);
    let after = resume_after(&headers, &query)?.unwrap_or(-1);
    Ok(Sse::new(follow(app, Source::Execution(tenant, id), after)).keep_alive(KeepAlive::default()))
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Tenant(TenantId),
    Execution(TenantId, ExecutionId),
}

/// One event on its way to a watcher.
#[derive(Debug)]
pub(crate) struct Told {
    seq: i64,
    name: String,
    data: serde_json::Value,
    /// Nothing comes after it.
    last: bool,
}

struct Watching {
    app: App,
    source: Source,
    after: i64,
    ready: std::collections::VecDeque<Told>,
    ended: bool,
}

/// Reads on after `after`, waits for more, and so on, until an execution has ended.
fn follow(
    app: App,
    source: Source,
    after: i64,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let waker = app.db.waker(Topic::Events);
    let first =
        Watching { app, source, after, ready: std::collections::VecDeque::new(), ended: false };
    futures::stream::unfold((first, waker), async |(mut state, mut waker)| {
        loop {
            if let Some(told) = state.ready.pop_front() {
                state.after = told.seq;
                state.ended = told.last;
                return Some((Ok(event(&told)), (state, waker)));
            }
            if state.ended {
                return None;
            }
            // A database that is away for a moment is asked again; the watcher notices a pause.
            if let Ok(found) = read(&state).await
                && !found.is_empty()
            {
                state.ready.extend(found);
                continue;
            }
            waker.wait(LOOK_ANYWAY).await;
        }
    })
}

async fn read(state: &Watching) -> Result<Vec<Told>, db::Error> {
    match state.source {
        Source::Tenant(tenant) => {
            let mut tx = state.app.db.tenant(tenant).await?;
            store::events_after(&mut tx, state.after, AT_ONCE).await
        }
        Source::Execution(tenant, id) => {
            let mut tx = state.app.db.tenant(tenant).await?;
            store::execution_events_after(&mut tx, id, state.after, AT_ONCE).await
        }
    }
}

fn event(told: &Told) -> Event {
    Event::default().id(told.seq.to_string()).event(&told.name).data(told.data.to_string())
}
