//! `Idempotency-Key`: a repeated POST gets the first one's answer instead of a second effect.
//!
//! Same key, same request: the stored answer. Same key, other request: 422. Still running: 409.
//!
//! Kept for a day are answers that say what came of the request (2xx) or what is wrong with it
//! (400, 422). Whatever else is answered frees the key: it did nothing, and may go otherwise next
//! time. An answer marked with [`Secret`] is not stored, only that there was one; a repetition is
//! told so with 409.
//!
//! The request runs in a task of its own, so a caller who hangs up or a time limit does not stop
//! it half-way: its answer is there for the repetition. When nobody can know what came of it (the
//! process died, it panicked, the connection to the database broke during the commit and nobody
//! could be asked in time) the key stays taken, and repetitions get 409, until a day has passed. Freeing it sooner could make
//! things twice: look at what the request was to make, then use a new key.

mod store;
#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::body::Body as RawBody;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use db::Mac;
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::id::EventId;
use uuid::Uuid;

use crate::body::{OwnLimit, read_all};
use crate::caller::{self, Caller};
use crate::problem::{Answer, OutcomeUnknown, Problem};
use crate::state::App;

/// The header.
pub const HEADER: &str = "idempotency-key";
/// Says that an answer is the stored one.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The largest stored answer, in bytes.
const MAX_ANSWER: usize = 4 << 20;
/// Tries to note what came of a request, with twice the pause each time: about a minute.
const NOTE_TRIES: u32 = 9;

/// The pause before the first of them, about.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A response extension: the answer holds a secret that is shown once, and is not stored.
#[derive(Debug, Clone, Copy)]
pub struct Secret;

/// What the database knows of a key.
#[derive(Debug)]
pub(crate) enum Known {
    /// It is new, and now ours.
    Fresh(Box<Taken>),
    /// It was new, and nobody knows whether it is ours now.
    PerhapsTaken(Box<Taken>),
    /// The same request is running, or nobody knows what came of it.
    Running,
    /// It was used for another request.
    Other,
    /// It was answered.
    Answered { status: u16, content_type: String, body: Vec<u8> },
    /// It was answered with a secret, which is not kept.
    AnsweredSecretly,
}

/// A key in use by one request.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    caller: Caller,
    key: String,
    /// Tells it from a later use of the same key.
    since: SqlTimestamp,
}

/// What is to be noted of a key once its request has ended.
#[derive(Debug, Clone)]
enum Note {
    /// The answer.
    Answer { status: StatusCode, content_type: String, body: bytes::Bytes },
    /// That there was an answer.
    SecretAnswer { status: StatusCode },
    /// Nothing came of it: the key is free.
    Free,
}

/// Middleware over every POST.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(HEADER).cloned() else {
        return next.run(request).await;
    };
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match once(&app, &key, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn once(app: &App, key: &HeaderValue, request: Request, next: Next) -> Answer<Response> {
    let key = key
        .to_str()
        .ok()
        .filter(|key| (1..=255).contains(&key.len()))
        .ok_or_else(|| {
            Problem::invalid(
                "header.Idempotency-Key",
                "shape",
                "must be 1 to 255 visible ASCII characters",
            )
        })?
        .to_owned();
    // Whoever is not known is told so by the handler.
    let Some(caller) = caller::of(request.extensions()).cloned() else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    let limit = parts.extensions.get::<OwnLimit>().map_or(app.body_limit, |own| own.0);
    let body = read_all(body, limit).await?;
    let hash = request_hash(app, &caller, &key, &parts, &body);
    let taken = match store::take(app, caller, key, &hash).await? {
        Known::Fresh(taken) => *taken,
        Known::Answered { status, content_type, body } => {
            return Ok(stored(status, &content_type, body));
        }
        Known::PerhapsTaken(taken) => {
            tokio::spawn(note_later(app.clone(), *taken, Note::Free));
            return Err(Problem::unavailable("the database is not available; try again"));
        }
        known => return Err(refusal(&known)),
    };
    let request = Request::from_parts(parts, RawBody::from(body));
    let app = app.clone();
    let work = tokio::spawn(async move {
        let response = next.run(request).await;
        keep(app, taken, response).await
    });
    match work.await {
        Ok(answer) => answer,
        // The panic goes on where the server turns it into an answer.
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Problem::outcome_unknown("the server is stopping")),
        },
    }
}

/// What tells two requests with one key apart. Bodies may hold passwords, so it is keyed: nobody
/// who reads the database can guess them. No event has the nil id, so it is no event's MAC.
fn request_hash(app: &App, caller: &Caller, key: &str, parts: &Parts, body: &[u8]) -> Mac {
    let head = format!("{}\n{key}\n{} {}\n", caller.actor.id, parts.method, parts.uri);
    let told = [head.as_bytes(), body].concat();
    app.db.audit_key().mac(caller.tenant(), EventId::from(Uuid::nil()), &told)
}

fn refusal(known: &Known) -> Problem {
    match known {
        Known::Other => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_mismatch",
            "The key was used for another request",
            "this Idempotency-Key came with another request before; use a new key",
        ),
        Known::AnsweredSecretly => Problem::conflict(
            "idempotency_secret_answer",
            "this request was carried out, and its answer held a secret that was shown once and \
             is not kept; if it was lost, revoke what was made and ask anew with a new key",
        ),
        Known::Running | Known::Fresh(_) | Known::PerhapsTaken(_) | Known::Answered { .. } => {
            Problem::conflict(
                "idempotency_running",
                "a request with this Idempotency-Key is still running: ask again; if that stays so \
             its outcome is unknown: look at what it was to make, then use a new key",
            )
        }
    }
}

/// Notes what came of the request.
async fn keep(app: App, taken: Taken, response: Response) -> Answer<Response> {
    let (parts, body) = response.into_parts();
    let body = read_all(body, MAX_ANSWER).await?;
    let status = parts.status;
    let lasting = status.is_success()
        || matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY);
    let note = if parts.extensions.get::<OutcomeUnknown>().is_some() {
        None
    } else if !lasting {
        Some(Note::Free)
    } else if parts.extensions.get::<Secret>().is_some() {
        Some(Note::SecretAnswer { status })
    } else {
        let content_type = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("application/json")
            .to_owned();
        Some(Note::Answer { status, content_type, body: body.clone() })
    };
    if let Some(note) = note
        && store::note(&app, &taken, &note).await.is_err()
    {
        // What was done is done: the answer stays true though it could not be noted yet.
        tokio::spawn(note_later(app, taken, note));
    }
    Ok(Response::from_parts(parts, RawBody::from(body)))
}

async fn note_later(app: App, taken: Taken, note: Note) {
    let mut pause = FIRST_PAUSE;
    for _ in 0..NOTE_TRIES {
        tokio::time::sleep(db::pause::spread(pause)).await;
        if store::note(&app, &taken, &note).await.is_ok() {
            return;
        }
        pause *= 2;
    }
    tracing::warn!("what came of a request could not be noted: its key stays taken for a day");
}

fn stored(status: u16, content_type: &str, body: Vec<u8>) -> Response {
    let mut response = RawBody::from(body).into_response();
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
