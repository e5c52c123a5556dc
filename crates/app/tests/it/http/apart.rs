//! What one tenant is told does not depend on what another does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::actor::Role;
use reqwest::Method;
use serde_json::json;

use super::harness::{Caller, Site, text};
use super::routes::operations;
use super::stage::Stage;
use super::tenancy::seed;

/// Everything this caller can read without naming anything: lists, figures, searches, files.
async fn everything(caller: &Caller) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for operation in operations() {
        let plain = operation.method == Method::GET && !operation.path.contains('{');
        // The stream does not end; what is outside the API is the process's own.
        if !plain || operation.path == "/api/v1/events" || !operation.path.starts_with("/api/v1") {
            continue;
        }
        let path = operation.filled(|_| unreachable!());
        let queries: &[&str] = match path.as_str() {
            "/search" => &["?q=e", "?q=web&limit=20", "?q=theirs"],
            "/dashboard/trends" => &["", "?days=90"],
            "/audit/consistency" => &["?from=1&to=2"],
            path if path.ends_with("/export") => &["?format=ndjson", "?format=csv"],
            _ => &[""],
        };
        for query in queries {
            let path = format!("{path}{query}");
            let reply = caller.get(&path).await;
            let fine = reply.status.is_success() || reply.status.as_u16() == 404;
            assert!(fine, "{path}: {:#}", reply.body);
            let mut body = reply.body;
            if let Some(problem) = body.as_object_mut() {
                problem.remove("request_id");
            }
            all.insert(path, body.to_string());
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t2_lists_figures_searches_and_files_are_the_same_whatever_another_tenant_does() {
    let site = Site::start().await;
    let ours = Stage::set(&site, site.tenant(), "test").await;
    seed(&site, &ours).await;
    let (caller, _) = site.person_of(ours.tenant, "everything", Role::ALL).await;
    site.verified(ours.tenant).await;
    let before = everything(&caller).await;
    assert!(before.len() > 120, "only {} answers", before.len());
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    seed(&site, &theirs).await;
    site.verified(theirs.tenant).await;
    let after = everything(&caller).await;
    for (path, shown) in before {
        assert_eq!(after[&path], shown, "{path}");
    }
    // What anybody may read of the process names no tenant.
    for path in ["/metrics", "/readyz", "/healthz"] {
        let shown = site.http.get(format!("{}{path}", site.url)).send().await.unwrap();
        let shown = shown.text().await.unwrap();
        for tenant in [ours.tenant, theirs.tenant] {
            let bare = tenant.uuid().to_string();
            assert!(!shown.contains(&bare), "{path} names a tenant: {shown}");
        }
    }
}

/// Reads a tenant's events until it was told of all of these; gives all it was told.
async fn told_of(mut stream: reqwest::Response, ids: &BTreeSet<String>) -> String {
    let mut told = String::new();
    while !ids.iter().all(|id| told.contains(id.as_str())) {
        let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
        told.push_str(&String::from_utf8_lossy(&chunk));
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t2_two_tenants_who_write_at_once_are_each_told_of_their_own_alone() {
    let site = Site::start().await;
    let here = site.caller("ada", Role::ALL).await;
    let there = site.caller_of(site.another_tenant().await, "eve", Role::ALL).await;
    let watch = async |caller: &Caller| {
        let stream = caller.request(Method::GET, "/events?after=-1").send().await.unwrap();
        assert_eq!(stream.status().as_u16(), 200);
        stream
    };
    let streams = (watch(&here).await, watch(&there).await);
    let write = async |caller: &Caller, name: &str| {
        let mut ids = BTreeSet::new();
        for number in 0..30 {
            let service = json!({"name": format!("{name}-{number}")});
            let made = caller.post("/services", &service).await.expect(201);
            ids.insert(text(&made, "id"));
        }
        ids
    };
    let (ours, theirs) = tokio::join!(write(&here, "here"), write(&there, "there"));
    let told = async { tokio::join!(told_of(streams.0, &ours), told_of(streams.1, &theirs)) };
    let (told_here, told_there) = tokio::time::timeout(Duration::from_secs(200), told)
        .await
        .expect("each is told of what it wrote");
    for (told, caller, others, other) in
        [(&told_here, &here, &theirs, &there), (&told_there, &there, &ours, &here)]
    {
        assert!(!others.iter().any(|id| told.contains(id.as_str())), "{told}");
        for foreign in [other.actor.id.to_string(), other.actor.tenant_id.to_string()] {
            assert!(!told.contains(&foreign), "{told}");
        }
        // Its own numbers have no gap where the other's events were.
        let numbers: Vec<i64> = told
            .lines()
            .filter_map(|line| line.strip_prefix("id:"))
            .map(|number| number.trim().parse().unwrap())
            .collect();
        let first = numbers[0];
        assert!(numbers.len() >= 30, "{told}");
        assert!((first..).zip(&numbers).all(|(expected, number)| expected == *number), "{told}");
        assert_eq!(site.count(caller.actor.tenant_id, "services").await, 30);
    }
}
