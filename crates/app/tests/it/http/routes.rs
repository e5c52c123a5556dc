//! Every route there is: described, refused without a caller, refused without a role.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site};

/// What anybody may call: `METHOD path`. Whatever else there is needs a caller with a role.
const PUBLIC: [&str; 9] = [
    "GET /api/v1/auth/oidc",
    "GET /api/v1/auth/oidc/{name}/callback",
    "GET /api/v1/auth/oidc/{name}/start",
    "GET /api/v1/openapi.json",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "POST /api/v1/invitations/accept",
    "POST /api/v1/login",
];

/// One operation of the API, as it is described.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) has_body: bool,
}

impl Operation {
    /// `METHOD path`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path below the API's prefix, with its parameters filled in: each parameter is asked
    /// for by the path up to it, itself included.
    pub(crate) fn filled(&self, mut value: impl FnMut(&str) -> String) -> String {
        let path = self.path.strip_prefix("/api/v1").unwrap_or(&self.path);
        let (mut template, mut filled) = (String::new(), String::new());
        for segment in path.split('/').skip(1) {
            template = format!("{template}/{segment}");
            let is_parameter = segment.starts_with('{');
            let segment = if is_parameter { value(&template) } else { segment.to_owned() };
            filled = format!("{filled}/{segment}");
        }
        filled
    }
}

/// Every operation of the document.
pub(crate) fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(server::router::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                has_body: operation.get("requestBody").is_some(),
            });
        }
    }
    all
}

fn guarded() -> Vec<Operation> {
    operations().into_iter().filter(|one| !PUBLIC.contains(&one.name().as_str())).collect()
}

/// `METHOD path` of everything the router answers, read from the router itself.
fn routed(site: &Site) -> BTreeSet<String> {
    let shown = format!("{:?}", site.router());
    let (routes, _) = shown.split_once("fallback_router:").expect("axum shows its router");
    let paths: BTreeMap<&str, &str> = Regex::new(r#"RouteId\((\d+)\): "([^"]+)""#)
        .unwrap()
        .captures_iter(routes)
        .map(|found| (found.get(1).unwrap().as_str(), found.get(2).unwrap().as_str()))
        .collect();
    let route =
        Regex::new(r"RouteId\((\d+)\): MethodRouter\(MethodRouter \{(.*?)fallback").unwrap();
    let method = Regex::new(r"(\w+): (?:Route|BoxedHandler)").unwrap();
    let mut all = BTreeSet::new();
    for found in route.captures_iter(routes) {
        for word in method.captures_iter(found.get(2).unwrap().as_str()) {
            let path = paths[found.get(1).unwrap().as_str()];
            all.insert(format!("{} {path}", word[1].to_uppercase()));
        }
    }
    all
}

async fn call(caller: &Caller, operation: &Operation) -> Reply {
    let path = operation.filled(|_| "x".to_owned());
    let request = caller.request(operation.method.clone(), &path);
    let request = if operation.has_body { request.json(&json!({})) } else { request };
    Reply::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_of_the_router_is_in_the_openapi_document() {
    let site = Site::start().await;
    let described: BTreeSet<String> = operations().iter().map(Operation::name).collect();
    let routed = routed(&site);
    assert!(routed.len() > 80, "the router shows only {}", routed.len());
    assert_eq!(routed, described);
    // Clients are generated from it, and have one function a name.
    let document = serde_json::to_value(server::router::openapi()).unwrap();
    let mut names = BTreeSet::new();
    let paths = document["paths"].as_object().unwrap().values();
    for operation in paths.flat_map(|path| path.as_object().unwrap().values()) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "two operations are called {name}");
    }
    let served = site.http.get(format!("{}/api/v1/openapi.json", site.url)).send().await.unwrap();
    let served: Value = served.json().await.unwrap();
    assert_eq!(served, serde_json::to_value(server::router::openapi()).unwrap());
    assert_eq!(served["openapi"], "3.1.0");
    let list: Vec<String> = described.into_iter().collect();
    insta::assert_snapshot!("openapi_paths", list.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_but_the_public_ones_refuses_an_unknown_caller() {
    let site = Site::start().await;
    let mut nobody = site.caller("nobody", &[]).await;
    for key in ["cs_0000000000000000_nothing", "css_nothing", "cs_", "", "no key at all"] {
        nobody.key = key.to_owned();
        for operation in guarded() {
            let reply = call(&nobody, &operation).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (401, "unauthenticated"),
                "{}",
                operation.name()
            );
        }
    }
    for operation in guarded() {
        let url = format!("{}/api/v1{}", site.url, operation.filled(|_| "x".to_owned()));
        let request = site.http.request(operation.method.clone(), url);
        let reply = Reply::of(request.send().await.unwrap()).await;
        assert_eq!(reply.status.as_u16(), 401, "{}", operation.name());
    }
    for name in PUBLIC {
        let (method, path) = name.split_once(' ').unwrap();
        let request = site.http.request(method.parse().unwrap(), format!("{}{path}", site.url));
        let status = request.json(&json!({})).send().await.unwrap().status().as_u16();
        assert!([200, 400, 401, 404].contains(&status), "{name}: {status}");
    }
}

/// The permission a refusal speaks of.
fn permission(refusal: &Reply) -> &'static api::permission::Row {
    let detail = refusal.body["detail"].as_str().unwrap();
    let (name, _) = detail.split_once(" needs one of the roles ").unwrap();
    api::permission::TABLE.iter().find(|row| row.name == name).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_but_the_public_ones_refuses_a_caller_without_a_role() {
    let site = Site::start().await;
    let nobody = site.caller("nobody", &[]).await;
    let mut table = Vec::new();
    for operation in guarded() {
        let reply = call(&nobody, &operation).await;
        let name = operation.name();
        assert_eq!((reply.status.as_u16(), reply.code()), (403, "forbidden"), "{name}");
        table.push(format!("{name} → {}", permission(&reply).name));
    }
    let denied = site.count(site.tenant(), "audit_outbox").await
        + site.count(site.tenant(), "audit_events").await;
    assert!(denied >= i64::try_from(table.len()).unwrap(), "each denial is an event");
    insta::assert_snapshot!("permissions", table.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_may_do_what_the_table_says_and_nothing_else() {
    let site = Site::start().await;
    let nobody = site.caller("nobody", &[]).await;
    for role in model::actor::Role::ALL {
        let caller = site.caller(role.word(), &[*role]).await;
        for operation in guarded() {
            // Streams do not end.
            if operation.path.ends_with("/events") && operation.path != "/api/v1/audit/events" {
                continue;
            }
            let reply = call(&caller, &operation).await;
            let row = permission(&call(&nobody, &operation).await);
            let refused = reply.status.as_u16() == 403 && reply.code() == "forbidden";
            assert_eq!(refused, !row.roles.contains(role), "{} as {role}", operation.name());
            assert!(!reply.status.is_server_error(), "{}: {:#}", operation.name(), reply.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_route_is_a_problem_too() {
    let site = Site::start().await;
    let caller = site.caller("ada", model::actor::Role::ALL).await;
    let reply = caller.get("/nothing").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "not_found"));
    let reply = caller.send(Method::DELETE, "/account", &Value::Null).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (405, "method_not_allowed"));
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert!(reply.headers.contains_key("allow"));
    assert_eq!(reply.body["request_id"], reply.headers["x-request-id"].to_str().unwrap());
}
