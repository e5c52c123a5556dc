//! The console as the fallback of a router, with files of the tests' own.

use axum::Router;
use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::routing::get;
use console::File;
use tower::ServiceExt as _;

use super::*;

fn file(path: &str) -> Option<File> {
    let text = match path {
        "index.html" => "<script nonce=\"__NONCE__\">",
        "icon.svg" => "<svg/>",
        _ => return None,
    };
    Some(File { bytes: text.as_bytes().into(), digest: [1; 32] })
}

async fn asked(method: Method, path: &str) -> (StatusCode, axum::http::HeaderMap, String) {
    let router = Router::new()
        .route("/api/v1/account", get(async || "the API"))
        .fallback(|request: Request| async move { show(Console::of(file), &request) });
    let request = Request::builder().method(method).uri(path).header("accept", "text/html");
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_page_never_stands_where_a_program_asks() {
    for path in ["/api", "/api/", "/api/v1/nothing", "/api/v2", "/healthz/x", "/readyz", "/metrics"]
    {
        let (status, headers, text) = asked(Method::GET, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(headers["content-type"], "application/problem+json", "{path}");
        assert!(text.contains("\"not_found\""), "{path}: {text}");
    }
    for path in ["/", "/apiary", "/metrics-of-ours", "/welcome"] {
        let (status, headers, text) = asked(Method::GET, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8", "{path}");
        assert!(text.starts_with("<script nonce="), "{path}: {text}");
    }
    let (_, _, text) = asked(Method::GET, "/api/v1/account").await;
    assert_eq!(text, "the API");
}

#[tokio::test]
async fn the_head_of_an_answer_is_that_of_its_whole() {
    for path in ["/", "/icon.svg"] {
        let (status, whole, text) = asked(Method::GET, path).await;
        let (same, head, nothing) = asked(Method::HEAD, path).await;
        assert_eq!((status, same, nothing.as_str()), (StatusCode::OK, StatusCode::OK, ""));
        assert_eq!(head["content-length"], text.len().to_string(), "{path}");
        for name in ["content-type", "cache-control", "x-frame-options"] {
            assert_eq!(head[name], whole[name], "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn every_page_has_a_nonce_of_its_own() {
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..16 {
        let (_, headers, text) = asked(Method::GET, "/").await;
        let policy = headers["content-security-policy"].to_str().unwrap();
        let (_, nonce) = policy.split_once("'nonce-").unwrap();
        let (nonce, _) = nonce.split_once('\'').unwrap();
        assert_eq!(text, format!("<script nonce=\"{nonce}\">"));
        assert_eq!(nonce.len(), 24, "128 bits in base64: {nonce}");
        assert!(seen.insert(nonce.to_owned()), "{nonce} came twice");
    }
}

#[tokio::test]
async fn nothing_but_reading_finds_the_console() {
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let (status, _, text) = asked(method.clone(), "/").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method}: {text}");
    }
}
