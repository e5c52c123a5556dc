//! Every route on one screen, and what each request passes on its way.

mod path;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use api::body::OwnLimit;
use api::caller::{Peer, RequestId, authenticate};
use api::peer::Proxies;
use api::{App, Problem, idempotency};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use console::Console;
use prove::api::PublishedLogs;
use prove::directory::Directory;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::decompression::RequestDecompressionLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::cycle::Loop;
use crate::health::{Health, health_routes};
use crate::openapi::{Document, document_routes, with_problems};
use crate::{cycle, demo, events, login, overview};

/// The prefix of all versions of the API there are.
pub const PREFIX: &str = "/api/v1";
/// How long a request may take; event streams are exempt.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes of every room, under [`PREFIX`], and of the process itself, with their description.
pub fn api_routes(health: Health, logs: PublishedLogs) -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(health_routes(health)).nest(
        PREFIX,
        OpenApiRouter::new()
            .merge(login::routes())
            .merge(sense::api::routes())
            .merge(judge::api::routes())
            .merge(gate::api::routes())
            .merge(act::api::routes())
            .merge(prove::api::routes(logs))
            .merge(learn::api::routes())
            .merge(tell::api::routes())
            .merge(archive::api::routes())
            .merge(cycle::api::routes())
            .merge(overview::routes())
            .merge(demo::routes())
            .merge(events::routes())
            .merge(document_routes()),
    )
}

/// The `OpenAPI` document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    // The description depends neither on where the logs lie nor on the process.
    let nowhere = Directory::new("");
    let logs =
        PublishedLogs { deployment: String::new(), directory: nowhere.clone(), signer: nowhere };
    with_problems(api_routes(Health::default(), logs).into_openapi())
}

/// The whole service.
pub fn router(cycle: &Loop, health: Health, logs: PublishedLogs) -> Router {
    let app = cycle.app().clone();
    let (routes, document) = api_routes(health, logs).split_for_parts();
    routes
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This path has other methods",
                "see /api/v1/openapi.json for the methods of this path",
            )
        })
        .layer(Extension(cycle.clone()))
        .layer(Extension(Arc::new(with_problems(document))))
        .layer(middleware::from_fn_with_state(app.clone(), idempotency::layer))
        .layer(middleware::from_fn_with_state(app.clone(), authenticate))
        // The console is the same for everybody: nobody is looked up for its files.
        .fallback(
            |request: Request| async move { crate::console::show(Console::built(), &request) },
        )
        .layer(RequestDecompressionLayer::new())
        .layer(middleware::from_fn_with_state(REQUEST_TIMEOUT, bounded))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "The server made a mistake",
                "the server's log has the cause under this request id",
            )
            .into_response()
        }))
        .layer(middleware::from_fn_with_state(app.proxies.clone(), named))
        .with_state(app)
}

/// A process that answers no requests but whether it lives and is ready.
pub fn without_api(app: App, health: Health) -> Router {
    let (routes, _) = health_routes(health).split_for_parts();
    routes
        .fallback(|| async { Problem::not_found("path").into_response() })
        .layer(middleware::from_fn_with_state(app.proxies.clone(), named))
        .with_state(app)
}

/// Gives each request an id, and writes it into whatever is answered.
async fn named(State(proxies): State<Proxies>, mut request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|given| (1..=64).contains(&given.len()))
        .filter(|given| {
            given.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        })
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    let peer = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>();
    if let Some(peer) = peer.map(|info| proxies.client(info.0.ip(), request.headers())) {
        request.extensions_mut().insert(Peer(peer.to_string()));
    }
    let path = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    let own = match path.strip_prefix("/models/") {
        Some(rest) if rest.ends_with("/artifact") => Some(learn::api::registry::MAX_ARTIFACT_BYTES),
        _ => path.starts_with("/hooks/").then_some(sense::alert::MAX_BODY_BYTES),
    };
    if let Some(own) = own {
        request.extensions_mut().insert(OwnLimit(own));
    }
    let route = request.extensions().get::<MatchedPath>();
    let at = At {
        route: route.map_or_else(String::new, |route| route.as_str().to_owned()),
        path: request.uri().path().to_owned(),
    };
    let mut response = next.run(request).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        response = with_request_id(response, &id, &at).await;
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// What was asked for: the route as it is written, and the path.
struct At {
    route: String,
    path: String,
}

/// Problems name the request they belong to; whatever is an error and no problem becomes one.
async fn with_request_id(response: Response, id: &str, at: &At) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, 1 << 20).await else {
        return (parts.status, "").into_response();
    };
    let mut problem: Problem = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
        let said = String::from_utf8_lossy(&bytes).into_owned();
        if parts.status == StatusCode::BAD_REQUEST
            && let Some(problem) = path::problem(&said, &at.route, &at.path)
        {
            return problem;
        }
        let code = if parts.status.is_server_error() { "internal" } else { "invalid" };
        let detail = if said.is_empty() { parts.status.to_string() } else { said };
        Problem::new(parts.status, code, "The request cannot be answered", detail)
    });
    problem.request_id = Some(id.to_owned());
    let answer = problem.into_response();
    let (fresh, body) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(fresh.headers);
    Response::from_parts(parts, body)
}

/// Ends requests that take too long. What they began in the database is mostly rolled back, but
/// the end may also come between a commit and the answer.
async fn bounded(State(at_most): State<Duration>, request: Request, next: Next) -> Response {
    if events::streams(request.uri().path()) {
        return next.run(request).await;
    }
    match tokio::time::timeout(at_most, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::outcome_unknown("the request took too long").into_response(),
    }
}
