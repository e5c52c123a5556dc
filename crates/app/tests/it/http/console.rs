//! The console beside the API, and what the API has for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use model::actor::Role;
use model::id::UserId;
use regex::Regex;
use reqwest::{Method, Response, header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::harness::{Reply, Site};

/// What a browser takes when it goes somewhere.
const PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn asked(site: &Site, method: Method, path: &str, accept: &str) -> Response {
    let request = site.http.request(method, format!("{}{path}", site.url));
    request.header(header::ACCEPT, accept).send().await.unwrap()
}

fn said<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// A page, whose nonce is the one of its policy and nobody else's.
async fn page(site: &Site, path: &str) -> String {
    let answer = asked(site, Method::GET, path, PAGE).await;
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(said(&answer, name), value, "{path}: {name}");
    }
    assert!(said(&answer, "permissions-policy").contains("camera=()"), "{path}");
    assert!(!said(&answer, "x-request-id").is_empty(), "{path}");
    let policy = said(&answer, "content-security-policy").to_owned();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
    assert_eq!(nonce.len(), 24, "{policy}");
    let text = answer.text().await.unwrap();
    assert!(!text.contains("__NONCE__") && text.contains(&nonce), "{path}: {text}");
    text.replace(&nonce, "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_stands_beside_the_api_and_not_in_its_place() {
    let site = Site::start().await;
    let home = page(&site, "/").await;
    for path in ["/findings", "/executions/exe_0190b2f4", "/estate/web-1.example.com?tab=keys"] {
        assert_eq!(page(&site, path).await, home, "{path}");
    }
    let built = console::Console::built().is_there();
    assert_eq!(home.contains("<script"), built, "{home}");
    assert_eq!(home.contains("npm run build"), !built, "{home}");
    for (path, accept) in [
        ("/api", PAGE),
        ("/api/v1", PAGE),
        ("/api/v1/nothing", PAGE),
        ("/metrics/x", PAGE),
        ("/assets/nothing.js", PAGE),
        ("/assets/nothing", PAGE),
        ("/nothing.css", "*/*"),
        ("/nothing", "*/*"),
        ("/nothing", "application/json"),
    ] {
        let reply = Reply::of(asked(&site, Method::GET, path, accept).await).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (404, "not_found"), "{path}");
        assert_eq!(reply.headers["content-type"], "application/problem+json", "{path}");
        assert!(reply.body["request_id"].is_string(), "{path}");
    }
    let reply = Reply::of(asked(&site, Method::POST, "/findings", PAGE).await).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "not_found"));
    let head = asked(&site, Method::HEAD, "/", PAGE).await;
    assert_eq!((head.status().as_u16(), said(&head, "cache-control")), (200, "no-store"));
    assert!(said(&head, "content-length").parse::<usize>().unwrap() > 100);
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    // Whoever is not logged in any more is shown the console all the same: it says so.
    let request = site.http.get(format!("{}/", site.url)).header(header::ACCEPT, PAGE);
    let request = request.header(header::COOKIE, "__Host-countersign=css_nothing");
    assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_consoles_files_come_compressed_and_are_kept() {
    if !console::Console::built().is_there() {
        println!("not run: the console is not built (npm run build in web/)");
        return;
    }
    let site = Site::start().await;
    let home = page(&site, "/").await;
    let names = Regex::new(r#"(?:src|href)="(/[^"]+)""#).unwrap();
    let names: Vec<&str> =
        names.captures_iter(&home).map(|found| found.get(1).unwrap().as_str()).collect();
    assert!(names.iter().any(|name| name.ends_with(".js")), "{home}");
    for name in names {
        let whole = asked(&site, Method::GET, name, "*/*").await;
        assert_eq!(whole.status().as_u16(), 200, "{name}");
        let (_, end) = name.rsplit_once('.').unwrap();
        let kind = match end {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{name}: the test knows no {other}"),
        };
        assert_eq!(said(&whole, "content-type"), kind, "{name}");
        let hashed = name.starts_with("/assets/");
        assert_eq!(said(&whole, "cache-control").contains("immutable"), hashed, "{name}");
        let request = site.http.get(format!("{}{name}", site.url));
        let small = request.header(header::ACCEPT_ENCODING, "gzip, br").send().await.unwrap();
        assert_eq!(said(&small, "content-encoding"), "br", "{name}");
        for answer in [&whole, &small] {
            assert_eq!(said(answer, "vary"), "Accept-Encoding", "{name}");
        }
        if !hashed {
            let tag = said(&whole, "etag").to_owned();
            let request = site.http.get(format!("{}{name}", site.url));
            let again = request.header(header::IF_NONE_MATCH, tag).send().await.unwrap();
            assert_eq!(again.status().as_u16(), 304, "{name}");
        }
        let (small, whole) = (small.bytes().await.unwrap(), whole.bytes().await.unwrap());
        // Of a few words nothing is left out.
        assert!(small.len() < whole.len() || whole.len() < 200, "{name}");
    }
}

/// The first line of the answer to a path sent as it is: clients tidy paths up.
async fn raw(site: &Site, path: &str) -> String {
    let address = site.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: {PAGE}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(!answer.contains("[package]") && !answer.contains("root:"), "{path}: {answer}");
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_leads_out_of_the_console() {
    let site = Site::start().await;
    for path in [
        "/../package.json",
        "/assets/../../package.json",
        "/assets/../../../Cargo.toml",
        "/%2e%2e/package.json",
        "/..%2fpackage.json",
        "/assets/..%5c..%5cpackage.json",
        "/../../../../../../../../etc/passwd",
        "//etc/hosts.txt",
        "/x/../api/v1/account",
    ] {
        assert_eq!(raw(&site, path).await, "HTTP/1.1 404 Not Found", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_serves_nothing_of_the_console() {
    let site = Site::start().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = site.worker().into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    for (path, status) in [("/healthz", 200), ("/", 404), ("/findings", 404), ("/icon.svg", 404)] {
        let request = site.http.get(format!("{url}{path}")).header(header::ACCEPT, PAGE);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert!(!said(&answer, "content-type").starts_with("text/html"), "{path}");
    }
    serving.abort();
}

fn may(account: &Value) -> Vec<&str> {
    account["permissions"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

async fn password_is_due(site: &Site, user: UserId) {
    sqlx::query("UPDATE countersign.users SET must_change_password = true WHERE id = $1")
        .bind(user.uuid())
        .execute(site.test.admin())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_says_what_one_may_do() {
    let site = Site::start().await;
    let admin = site.caller("admin", &[Role::Admin]).await;
    let account = admin.get("/account").await.expect(200);
    assert!(may(&account).contains(&"estate.write") && may(&account).contains(&"account.own"));
    assert_eq!(account["must_change_password"], false);
    let (viewer, _) = site.person_of(site.tenant(), "vera", &[Role::Viewer]).await;
    let account = viewer.get("/account").await.expect(200);
    assert!(may(&account).contains(&"findings.read"), "{account:#}");
    assert!(!may(&account).iter().any(|name| name.ends_with(".write")), "{account:#}");

    let wanted = json!({"name": "reader", "roles": ["operator"], "scopes": ["findings.read"]});
    let made = admin.post("/api-keys", &wanted).await.expect(201);
    let mut scoped = admin.clone();
    scoped.key = made["key"].as_str().unwrap().to_owned();
    let account = scoped.get("/account").await.expect(200);
    assert_eq!(may(&account), ["findings.read", "account.own"]);

    let (due, user) = site.person_of(site.tenant(), "dana", &[Role::Viewer]).await;
    password_is_due(&site, user).await;
    let account = due.get("/account").await.expect(200);
    assert_eq!(account["must_change_password"], true);
    assert!(may(&account).contains(&"findings.read"), "{account:#}");
    let refused = due.get("/findings").await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "password_change_required"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_the_demos_hosts_says_so() {
    let site = Site::start().await;
    let admin = site.caller("admin", &[Role::Admin]).await;
    let reply = admin.get("/demo-estate").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "not_found"));
    assert!(reply.body["detail"].as_str().unwrap().contains("--demo-estate"), "{:#}", reply.body);
    let operator = site.caller("otto", &[Role::Operator, Role::Approver, Role::Auditor]).await;
    let reply = operator.get("/demo-estate").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (403, "forbidden"));
}

#[test]
fn the_document_the_console_is_made_from_is_the_servers() {
    let mut document = serde_json::to_string_pretty(&server::router::openapi()).unwrap();
    document.push('\n');
    let path =
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../web/openapi.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    // Not compared as texts: what differs would be shown whole.
    assert!(written == document, "web/openapi.json: UPDATE_DOCS=1 writes it anew");
}
