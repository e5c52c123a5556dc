//! The witness over HTTP: `POST /add-checkpoint`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use model::Clock;
use tokio::net::TcpListener;

use super::{Answer, Witness};
use crate::note::MAX_NOTE_BYTES;

/// What a call answers with a size is of this type.
const SIZE: &str = "text/x.tlog.size";

#[derive(Clone)]
struct Shared {
    witness: Arc<Witness>,
    clock: Arc<dyn Clock>,
}

/// The routes of a witness, below whatever prefix it is given.
pub fn witness_routes(witness: Arc<Witness>, clock: Arc<dyn Clock>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MAX_NOTE_BYTES + 8 * 1024))
        .with_state(Shared { witness, clock })
}

/// Answers calls until `stop` is done.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    witness: Arc<Witness>,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, witness_routes(witness, clock)).with_graceful_shutdown(stop).await
}

/// Cosign a checkpoint that continues the log.
async fn add_checkpoint(State(shared): State<Shared>, body: Bytes) -> Response {
    let Ok(text) = String::from_utf8(body.to_vec()) else {
        return told(StatusCode::BAD_REQUEST, "it is no text\n");
    };
    let now = shared.clock.now();
    let asked = tokio::task::spawn_blocking(move || shared.witness.add_checkpoint(&text, now));
    match asked.await {
        Ok(Ok(answer)) => shown(answer),
        Ok(Err(error)) => {
            tracing::error!(error = crate::publish::chain(&error), "a checkpoint is not cosigned");
            told(StatusCode::INTERNAL_SERVER_ERROR, "the witness cannot remember this now\n")
        }
        Err(error) => {
            tracing::error!(%error, "answering was interrupted");
            told(StatusCode::INTERNAL_SERVER_ERROR, "interrupted\n")
        }
    }
}

fn shown(answer: Answer) -> Response {
    match answer {
        Answer::Cosigned(line) => told(StatusCode::OK, line),
        Answer::Malformed(why) => told(StatusCode::BAD_REQUEST, format!("{why}\n")),
        Answer::Forbidden => told(StatusCode::FORBIDDEN, "no key of this log signed it\n"),
        Answer::Unknown => told(StatusCode::NOT_FOUND, "no such log is watched here\n"),
        Answer::Conflict(size) => {
            let body = format!("{size}\n");
            (StatusCode::CONFLICT, [(header::CONTENT_TYPE, SIZE)], body).into_response()
        }
        Answer::Inconsistent => {
            told(StatusCode::UNPROCESSABLE_ENTITY, "the log does not continue the one cosigned\n")
        }
    }
}

fn told(status: StatusCode, body: impl Into<String>) -> Response {
    let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, text, body.into()).into_response()
}
