//! Against a server of a few lines on a free port: what is sent, what is repeated, what is read.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Client, Error};

type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

async fn serve(routes: Router<Seen>) -> (Client, Seen) {
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let seen = Seen::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let service = routes.with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, service).await });
    let client = Client::new(
        &format!("http://{address}/"),
        Some("cs_key".to_owned()),
        Duration::from_secs(5),
    );
    (client.expect("a client"), seen)
}

fn note(seen: &Seen, what: &str, headers: &HeaderMap) -> usize {
    let mut seen = seen.lock().expect("not poisoned");
    seen.push((what.to_owned(), headers.clone()));
    seen.len()
}

#[tokio::test]
async fn every_post_names_itself_and_bears_the_key() {
    let routes = Router::new().route(
        "/api/v1/{*path}",
        post(|State(seen): State<Seen>, Path(path): Path<String>, headers: HeaderMap| async move {
            note(&seen, &path, &headers);
            StatusCode::NO_CONTENT
        }),
    );
    let (client, seen) = serve(routes).await;
    for path in [&["approvals", "a/b", "approve"][..], &["runbooks"], &["login"]] {
        assert_eq!(client.post(path, &json!({})).await.expect("an answer"), Value::Null);
    }
    let seen = seen.lock().expect("not poisoned");
    let keys: Vec<_> = seen.iter().map(|(_, headers)| headers.get("idempotency-key")).collect();
    assert_eq!(seen[0].0, "approvals/a/b/approve", "a slash in an id stays in its segment");
    assert!(keys[0].is_some() && keys[1].is_some() && keys[0] != keys[1]);
    assert_eq!(keys[2], None, "an answer with a token is not to be kept by the server");
    assert!(seen.iter().all(|(_, headers)| headers[header::AUTHORIZATION] == "Bearer cs_key"));
}

#[tokio::test]
async fn a_problem_comes_with_its_field_paths() {
    let body = json!({
        "type": "urn:countersign:problem:invalid", "title": "The request is not valid",
        "status": 400, "code": "invalid", "detail": "/targets/0: is no server",
        "errors": [{"path": "/targets/0", "code": "unknown_target", "message": "is no server"}],
    });
    let routes = Router::new().route(
        "/api/v1/plans",
        get(|| async move {
            let kind = [(header::CONTENT_TYPE, "application/problem+json")];
            (StatusCode::BAD_REQUEST, kind, body.to_string())
        }),
    );
    let (client, _) = serve(routes).await;
    let error = client.get(&["plans"], &[]).await.expect_err("refused");
    let problem = error.problem().expect("a problem");
    assert_eq!((problem.status, problem.errors[0].path.as_str()), (400, "/targets/0"));
}

#[tokio::test]
async fn an_answer_that_is_no_problem_is_not_mistaken_for_one() {
    let routes =
        Router::new().route("/api/v1/plans", get(|| async { (StatusCode::BAD_GATEWAY, "oops") }));
    let (client, _) = serve(routes).await;
    let error = client.get(&["plans"], &[]).await.expect_err("refused");
    assert!(matches!(&error, Error::Unreadable { what, .. } if what.contains("502")), "{error}");
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let routes = Router::new().route(
        "/api/v1/alerts",
        get(|Query(query): Query<std::collections::BTreeMap<String, String>>| async move {
            let page = match query.get("cursor").map(String::as_str) {
                None => json!({"items": [1, 2], "next_cursor": "c 2&", "has_next": true}),
                Some("c 2&") => json!({"items": [3], "next_cursor": null, "has_next": false}),
                Some(other) => json!({"other": other}),
            };
            axum::Json(page)
        }),
    );
    let (client, _) = serve(routes).await;
    let all = client.all(&["alerts"], &[("severity", "high".to_owned())]).await.expect("all");
    assert_eq!(all, [json!(1), json!(2), json!(3)]);
}

#[tokio::test]
async fn a_stream_that_breaks_is_resumed_after_the_last_event() {
    let cut = Arc::new(tokio::sync::Notify::new());
    let cutting = Arc::clone(&cut);
    let stream = async move |State(seen): State<Seen>, headers: HeaderMap| -> Response {
        let times = note(&seen, "events", &headers);
        let kind = [(header::CONTENT_TYPE, "text/event-stream")];
        if times == 1 {
            // One whole event, half of another; once that is read the connection breaks.
            let first = async { Ok("id: 4\nevent: step\ndata: a\n\nid: 5\nda") };
            let second = async move {
                cutting.notified().await;
                Err(std::io::Error::other("cut"))
            };
            let pieces = futures::StreamExt::chain(
                futures::stream::once(first),
                futures::stream::once(second),
            );
            return (kind, axum::body::Body::from_stream(pieces)).into_response();
        }
        (kind, "id: 5\nevent: state\ndata: b\n\n").into_response()
    };
    let (client, seen) = serve(Router::new().route("/api/v1/events", get(stream))).await;
    let mut events = client.events(&["events"]);
    let mut found = Vec::new();
    while let Some(event) = events.next().await.expect("events") {
        found.push((event.id, event.data));
        cut.notify_one();
    }
    assert_eq!(found, [(Some(4), "a".to_owned()), (Some(5), "b".to_owned())]);
    let seen = seen.lock().expect("not poisoned");
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].1["last-event-id"], "4");
}

#[tokio::test]
async fn nobody_there_is_said_with_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = Client::new(&format!("http://{address}"), None, Duration::from_secs(5));
    let error = client.expect("a client").get(&["account"], &[]).await.expect_err("nobody");
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("countersign serve")));
}

#[test]
fn an_address_must_be_one() {
    for given in ["", "web-1", "ftp://web-1", "mailto:ada@example.com"] {
        let made = Client::new(given, None, Duration::from_secs(1));
        assert!(matches!(made, Err(Error::Address { .. })), "{given:?}");
    }
}
