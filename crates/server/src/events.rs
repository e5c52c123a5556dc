//! What happens, as it happens: server-sent events that can be resumed.
//!
//! `/events` carries every audited event of the tenant by its number in the log, which has no
//! gaps; `/executions/{id}/events` carries the steps and the output of one execution.
//!
//! A stream ends with its execution, when its caller may no longer watch (the session or key, the
//! actor or the role is gone), when the database has been silent for some seconds, and when the
//! process stops.

mod limit;
mod store;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use api::permission::{Permission, ReadPlans, Watch};
use api::problem::Answer;
use api::{App, Caller, Can, Problem, identity};
use axum::Extension;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use db::wake::{Topic, Waker};
use futures::Stream;
use model::id::{ExecutionId, TenantId};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::limit::{Open, Streams};

/// How long a watcher is trusted before it is looked up again, and so the longest wait for a
/// wake-up: whoever may no longer watch is told nothing more after five seconds.
const TRUSTED: Duration = Duration::from_secs(4);
/// How long to wait when the database did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long the database may be away before a stream ends: an open one says that whoever follows it
/// knows what happens.
const AWAY: Duration = Duration::from_secs(5);
/// Events fetched at once.
const AT_ONCE: i64 = 500;

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(watch_events))
        .routes(routes!(watch_execution))
        .layer(Extension(Streams::default()))
}

/// An extension of the routes: all streams end when this token is cancelled. Without it they do
/// not end with the process.
#[derive(Debug, Clone)]
pub struct Stopping(pub CancellationToken);

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
    room: Room,
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
    let watcher = Watcher::of(&caller, room)?;
    let events = follow(app, watcher, Source::Tenant(tenant), after);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Watch the steps and the output of one execution, from its beginning unless told otherwise.
#[utoipa::path(get, path = "/executions/{id}/events", tag = "executions",
    params(("id" = String, Path, description = "The execution"), FromIn),
    responses((status = 200, content_type = "text/event-stream", body = String),
              (status = "4XX", body = Problem)))]
async fn watch_execution(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    room: Room,
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
    let watcher = Watcher::of(&caller, room)?;
    let events = follow(app, watcher, Source::Execution(tenant, id), after);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
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

/// What streams of this process share.
struct Room {
    streams: Streams,
    stop: CancellationToken,
}

impl<S: Send + Sync> FromRequestParts<S> for Room {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let (streams, stopping) = (parts.extensions.get(), parts.extensions.get::<Stopping>());
        Ok(Self {
            streams: streams.cloned().unwrap_or_default(),
            stop: stopping.map(|stopping| stopping.0.clone()).unwrap_or_default(),
        })
    }
}

/// Whoever watches, and until when.
struct Watcher {
    caller: Caller,
    may: fn(&Caller) -> bool,
    looked_up: Instant,
    stop: CancellationToken,
    _open: Open,
}

impl Watcher {
    fn of<P: Permission>(caller: &Can<P>, room: Room) -> Answer<Self> {
        Ok(Self {
            caller: caller.caller().clone(),
            may: Can::<P>::has,
            looked_up: Instant::now(),
            stop: room.stop,
            _open: room.streams.open(caller)?,
        })
    }

    /// How long it is still trusted without being looked up.
    fn trusted(&self) -> Duration {
        TRUSTED.saturating_sub(self.looked_up.elapsed())
    }

    /// Looks it up again, and says whether it may still watch.
    async fn look_up(&mut self, app: &App) -> Answer<bool> {
        let now = identity::store::again(app, &self.caller).await?;
        self.looked_up = Instant::now();
        Ok(now.is_some_and(|caller| (self.may)(&caller)))
    }
}

struct Watching {
    app: App,
    waker: Waker,
    watcher: Watcher,
    source: Source,
    after: i64,
    ready: VecDeque<Told>,
    ended: bool,
    away: Away,
}

/// Since when the database has not answered.
#[derive(Debug, Default)]
struct Away(Option<Instant>);

impl Away {
    /// What the database says; none when it cannot, or not before it was away for too long.
    async fn answer<T, E>(&mut self, asked: impl Future<Output = Result<T, E>>) -> Option<T> {
        let since = *self.0.get_or_insert_with(Instant::now);
        let left = AWAY.saturating_sub(since.elapsed());
        let answer = tokio::time::timeout(left, asked).await.ok()?.ok()?;
        self.0 = None;
        Some(answer)
    }

    fn too_long(&self) -> bool {
        self.0.is_some_and(|since| since.elapsed() >= AWAY)
    }
}

impl Watching {
    async fn wait(&mut self, at_most: Duration) {
        tokio::select! {
            () = self.watcher.stop.cancelled() => {}
            () = self.waker.wait(at_most) => {}
        }
    }
}

/// Reads on after `after`, waits for more, and so on, until it is over.
fn follow(
    app: App,
    watcher: Watcher,
    source: Source,
    after: i64,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let waker = app.db.waker(Topic::Events);
    let (ready, away) = (VecDeque::new(), Away::default());
    let first = Watching { app, waker, watcher, source, after, ready, ended: false, away };
    futures::stream::unfold(first, async |mut state| {
        loop {
            if state.watcher.stop.is_cancelled() || state.away.too_long() {
                return None;
            }
            if state.watcher.trusted().is_zero() {
                match state.away.answer(state.watcher.look_up(&state.app)).await {
                    Some(true) => {}
                    Some(false) => return None,
                    // As long as nobody knows, nothing is told.
                    None => {
                        state.wait(ASK_AGAIN).await;
                        continue;
                    }
                }
            }
            if let Some(told) = state.ready.pop_front() {
                state.after = told.seq;
                state.ended = told.last;
                return Some((Ok(event(&told)), state));
            }
            if state.ended {
                return None;
            }
            match state.away.answer(read(&state.app, state.source, state.after)).await {
                Some(found) if found.is_empty() => state.wait(state.watcher.trusted()).await,
                Some(found) => state.ready.extend(found),
                // A database that is away for a moment is asked again; the watcher notices a pause.
                None => state.wait(ASK_AGAIN).await,
            }
        }
    })
}

async fn read(app: &App, source: Source, after: i64) -> Result<Vec<Told>, db::Error> {
    match source {
        Source::Tenant(tenant) => {
            let mut tx = app.db.tenant(tenant).await?;
            store::events_after(&mut tx, after, AT_ONCE).await
        }
        Source::Execution(tenant, id) => {
            let mut tx = app.db.tenant(tenant).await?;
            store::execution_events_after(&mut tx, id, after, AT_ONCE).await
        }
    }
}

fn event(told: &Told) -> Event {
    Event::default().id(told.seq.to_string()).event(&told.name).data(told.data.to_string())
}
