//! `Idempotency-Key`: a repeated POST gets the first one's answer instead of a second effect.
//!
//! Same key, same request: the stored answer. Same key, other request: 422. Still running: 409.
//! Answers are kept for a day; a server error is not kept, so the caller may try again.

mod store;

use axum::body::Body as RawBody;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::Digest;

use crate::body::read_all;
use crate::caller;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// The header.
pub const HEADER: &str = "idempotency-key";
/// Says that an answer is the stored one.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The largest stored answer, in bytes.
const MAX_ANSWER: usize = 4 << 20;

/// What the database knows of a key.
#[derive(Debug)]
pub(crate) enum Known {
    /// It is new, and now ours.
    Fresh,
    /// The same request is running.
    Running,
    /// It was used for another request.
    Other,
    /// It was answered.
    Answered { status: u16, content_type: String, body: Vec<u8> },
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
    let body = read_all(body, app.body_limit).await?;
    let mut told = Vec::with_capacity(body.len() + 64);
    told.extend_from_slice(parts.method.as_str().as_bytes());
    told.push(b' ');
    told.extend_from_slice(parts.uri.to_string().as_bytes());
    told.push(b'\n');
    told.extend_from_slice(&body);
    let hash = Digest::of(&told);

    match store::take(app, &caller, &key, &hash).await? {
        Known::Answered { status, content_type, body } => {
            return Ok(stored(status, &content_type, body));
        }
        Known::Running => {
            return Err(Problem::conflict(
                "idempotency_running",
                "a request with this Idempotency-Key is still running; ask again",
            ));
        }
        Known::Other => {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_mismatch",
                "The key was used for another request",
                "this Idempotency-Key came with another request before; use a new key",
            ));
        }
        Known::Fresh => {}
    }
    let response = next.run(Request::from_parts(parts, RawBody::from(body))).await;
    keep(app, &caller, &key, response).await
}

/// Stores an answer, or frees the key when there is none worth keeping.
async fn keep(
    app: &App,
    caller: &caller::Caller,
    key: &str,
    response: Response,
) -> Answer<Response> {
    let (parts, body) = response.into_parts();
    let body = read_all(body, MAX_ANSWER).await?;
    if parts.status.is_server_error() {
        store::release(app, caller, key).await?;
    } else {
        let content_type = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("application/json");
        store::answer(app, caller, key, parts.status.as_u16(), content_type, &body).await?;
    }
    Ok(Response::from_parts(parts, RawBody::from(body)))
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
