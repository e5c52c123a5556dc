//! Lists and streams: every row once, nothing lost, nothing twice.

use std::collections::BTreeSet;

use model::actor::Role;
use serde_json::{Value, json};

use super::harness::{Caller, Site, text};
use super::stage::{REPAIR, Stage, alert, group};

/// All ids of a list, page by page.
async fn walk(caller: &Caller, path: &str, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = caller.get(&format!("{path}?limit={limit}{cursor}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        ids.extend(items.iter().map(|item| text(item, "id")));
        let Some(next) = page["next_cursor"].as_str() else {
            assert_eq!(page["has_next"], false);
            return ids;
        };
        assert_eq!((&page["has_next"], items.len()), (&json!(true), limit));
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paging_walks_every_row_once_while_rows_are_added() {
    let site = Site::start().await;
    let caller = site.caller("ada", Role::ALL).await;
    let alerts: Vec<Value> = (0..57).map(|at| alert("Page", "h", at, "x")).collect();
    let receipt = caller.post("/hooks/alertmanager", &group(&alerts)).await.expect(200);
    let made: BTreeSet<&str> =
        receipt["finding_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(made.len(), 57);
    for limit in [1, 7, 19, 56, 57, 58, 100] {
        for path in ["/findings", "/alerts"] {
            let ids = walk(&caller, path, limit).await;
            assert_eq!(ids.len(), 57, "{path} by {limit}");
            assert_eq!(ids.iter().map(String::as_str).collect::<BTreeSet<_>>(), made);
        }
    }
    // What comes meanwhile is newer than where the walk is, and does not shift it.
    let first = caller.get("/findings?limit=20").await.expect(200);
    let later: Vec<Value> = (100..110).map(|at| alert("Later", "h", at, "x")).collect();
    caller.post("/hooks/alertmanager", &group(&later)).await.expect(200);
    let mut ids: Vec<String> =
        first["items"].as_array().unwrap().iter().map(|item| text(item, "id")).collect();
    let mut next = first["next_cursor"].as_str().map(str::to_owned);
    while let Some(cursor) = next {
        let page = caller.get(&format!("/findings?limit=20&cursor={cursor}")).await.expect(200);
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| text(item, "id")));
        next = page["next_cursor"].as_str().map(str::to_owned);
    }
    assert_eq!(ids.len(), 57);
    assert_eq!(ids.iter().map(String::as_str).collect::<BTreeSet<_>>(), made);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_paged_list_walks_every_row_once() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let runbook = site.runbook(&stage.admin, REPAIR).await;
    for number in 0..5 {
        let body =
            json!({"yaml": REPAIR.replace("name: repair", &format!("name: repair-{number}"))});
        stage.admin.post("/runbooks", &body).await.expect(201);
        let run = json!({"targets": ["web-1"], "variables": {"NOTE": "x"}});
        stage.admin.post(&format!("/runbooks/{runbook}/run"), &run).await.expect(202);
        let user = json!({"username": format!("user-{number}"), "roles": ["viewer"]});
        stage.admin.post("/users", &user).await.expect(201);
        let window = json!({
            "name": format!("w-{number}"), "start_time": "2020-01-01T00:00:00",
            "end_time": "2020-01-01T00:01:00",
        });
        stage.admin.post("/blackout-windows", &window).await.expect(201);
        let resource = stage.admin.get(&format!("/resources/{}", stage.resource)).await.expect(200);
        let resource =
            json!({"name": format!("h-{number}"), "environment_id": resource["environment_id"]});
        stage.admin.post("/resources", &resource).await.expect(201);
    }
    site.verified(stage.tenant).await;
    for (path, table) in [
        ("/runbooks", "runbooks"),
        ("/users", "users"),
        ("/resources", "resources"),
        ("/blackout-windows", "blackout_windows"),
        ("/api-keys", "api_keys"),
        ("/audit/events", "audit_events"),
        ("/intents", "intents"),
        ("/executions", "executions"),
        ("/approvals", "approvals"),
    ] {
        let rows = site.count(stage.tenant, table).await;
        for limit in [1, 2, 100] {
            let ids = walk(&stage.admin, path, limit).await;
            let once: BTreeSet<&String> = ids.iter().collect();
            assert_eq!(ids.len(), once.len(), "{path} by {limit} repeats");
            assert_eq!(i64::try_from(ids.len()).unwrap(), rows, "{path} by {limit}");
        }
    }
}

/// Some of what has lists.
async fn fill(admin: &Caller) {
    let alerts: Vec<Value> = (0..3).map(|at| alert("Page", "h", at, "x")).collect();
    admin.post("/hooks/alertmanager", &group(&alerts)).await.expect(200);
    for number in 0..3 {
        let user = json!({"username": format!("user-{number}"), "roles": ["viewer"]});
        admin.post("/users", &user).await.expect(201);
        let window = json!({
            "name": format!("w-{number}"), "start_time": "2020-01-01T00:00:00",
            "end_time": "2020-01-01T00:01:00",
        });
        admin.post("/blackout-windows", &window).await.expect(201);
        let key = json!({"name": format!("pipe-{number}"), "roles": ["viewer"]});
        admin.post("/api-keys", &key).await.expect(201);
    }
}

/// Lists of what has statements of its own know the words plain objects' lists know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_narrowed_searched_and_sorted_in_the_same_words() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "prod").await;
    let runbook = site.runbook(&stage.admin, REPAIR).await;
    let other = REPAIR.replace("name: repair", "name: another").replace("active", "draft");
    site.runbook(&stage.admin, &other).await;
    for note in ["x", "y", "z"] {
        let run = json!({"targets": ["web-1"], "variables": {"NOTE": note}});
        stage.admin.post(&format!("/runbooks/{runbook}/run"), &run).await.expect(202);
    }
    fill(&stage.admin).await;
    let items = async |query: &str| {
        let page = stage.admin.get(query).await.expect(200);
        page["items"].as_array().unwrap().clone()
    };
    let of_runbook = format!("runbook_id={runbook}");
    let of_type = format!("type=runbook.run&runbook_id={runbook}");
    for (path, narrowed, none, sort, held) in [
        ("/executions", &*of_runbook, "state=completed", "created_at", "REPAIR"),
        ("/approvals", "status=pending&status=denied", "tier=read", "created_at", "REPAIR"),
        ("/intents", &of_type, "trigger=alert", "created_at", "REPAIR"),
        ("/decisions", "purpose=change&purpose=advice", "verdict=deny", "created_at", "REPAIR"),
        ("/runbooks", "status=active&status=draft", "status=disabled", "name", "REPAIR"),
        ("/alerts", "status=open&status=fixed", "alert_name=Nothing", "first_seen", "PAGE"),
        ("/blackout-windows", "enabled=true", "recurrence=daily", "name", "W-"),
        ("/users", "is_active=true", "username=nobody", "username", "USER-"),
        ("/service-accounts", "is_active=true", "name=nobody", "created_at", "PIPE-"),
        ("/api-keys", "is_active=true", "name=nobody", "created_at", "PIPE-"),
    ] {
        let all = items(path).await;
        assert!(all.len() > 1, "{path}: {all:#?}");
        assert_eq!(items(&format!("{path}?{narrowed}")).await, all, "{path}");
        assert_eq!(items(&format!("{path}?{none}")).await, [json!(null); 0], "{path}");
        assert!(!items(&format!("{path}?q={held}")).await.is_empty(), "{path}");
        assert_eq!(items(&format!("{path}?q=nothing%25")).await, [json!(null); 0], "{path}");
        for order in [sort.to_owned(), format!("-{sort}")] {
            let mut sorted: Vec<String> = Vec::new();
            let mut cursor = String::new();
            loop {
                let query = format!("{path}?sort={order}&limit=1{cursor}");
                let page = stage.admin.get(&query).await.expect(200);
                let one = &page["items"][0];
                sorted.push(format!("{} {}", one[sort].as_str().unwrap(), text(one, "id")));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            let mut expected = sorted.clone();
            expected.sort();
            if order.starts_with('-') {
                expected.reverse();
            }
            assert_eq!((sorted.len(), &sorted), (all.len(), &expected), "{path} {order}");
        }
        for wrong in ["nothing=1", "sort=nothing", "q=", "limit=0", "cursor=x", "q=a&q=b"] {
            let refused = stage.admin.get(&format!("{path}?{wrong}")).await;
            let name = format!("query.{}", wrong.split('=').next().unwrap());
            assert_eq!((refused.status.as_u16(), refused.path()), (400, &*name), "{path} {wrong}");
        }
    }
    for (path, word) in [
        ("/executions", "state"),
        ("/approvals", "status"),
        ("/intents", "trigger"),
        ("/runbooks", "mode"),
        ("/decisions", "verdict"),
        ("/alerts", "severity"),
        ("/blackout-windows", "kind"),
        ("/users", "roles"),
        ("/service-accounts", "type"),
    ] {
        let refused = stage.admin.get(&format!("{path}?{word}=lost")).await;
        let path = format!("query.{word}");
        assert_eq!((refused.status.as_u16(), refused.path()), (400, &*path));
        assert_eq!(refused.body["errors"][0]["code"], "unknown_word");
    }
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    id: i64,
    data: Value,
}

/// An open stream.
struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(caller: &Caller, path: &str, last: Option<i64>) -> Self {
        let mut request = caller.request(reqwest::Method::GET, path);
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        Self { response, text: String::new() }
    }

    /// The next event, or none at the end.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
                };
                let told = field("id:").map(|id| Told {
                    id: id.parse().unwrap(),
                    data: serde_json::from_str(field("data:").unwrap()).unwrap(),
                });
                self.text = rest.to_owned();
                if told.is_some() {
                    return told;
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Told> {
        let mut all = Vec::new();
        while all.len() < count {
            all.push(self.next().await.expect("the stream goes on"));
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_resumed_by_last_event_id_loses_and_repeats_nothing() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, REPAIR).await;
    let done = stage.run_through(&site, 1, "completed").await;
    site.verified(stage.tenant).await;

    // One execution: it ends by itself.
    let path = format!("/executions/{}/events", text(&done, "id"));
    let mut stream = Stream::open(&stage.admin, &path, None).await;
    let mut whole = Vec::new();
    while let Some(told) = stream.next().await {
        whole.push(told);
    }
    assert!(whole.len() > 5, "{whole:#?}");
    let ids: Vec<i64> = whole.iter().map(|told| told.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    for cut in 0..whole.len() - 1 {
        let mut resumed = Stream::open(&stage.admin, &path, Some(whole[cut].id)).await;
        let mut rest = Vec::new();
        while let Some(told) = resumed.next().await {
            rest.push(told);
        }
        assert_eq!(rest, whole[cut + 1..], "resumed after {}", whole[cut].id);
    }

    // The tenant: by its numbers in the log, which have no gaps.
    let logged = usize::try_from(site.count(stage.tenant, "audit_events").await).unwrap();
    let all = Stream::open(&stage.admin, "/events?after=-1", None).await.take(logged).await;
    let numbers: Vec<i64> = all.iter().map(|told| told.id).collect();
    assert_eq!(numbers, (0..i64::try_from(logged).unwrap()).collect::<Vec<_>>());
    let cut = logged / 2;
    let mut resumed = Stream::open(&stage.admin, "/events?after=0", Some(all[cut].id)).await;
    let rest = resumed.take(logged - cut - 1).await;
    assert_eq!(rest, all[cut + 1..]);
    // It goes on with what happens next.
    stage.fire(alert("Later", "h", 99, "x")).await;
    let next = resumed.next().await.unwrap();
    assert_eq!(next.id, i64::try_from(logged).unwrap());
    let bad = stage.admin.request(reqwest::Method::GET, "/events").header("last-event-id", "x");
    let bad = super::harness::Reply::of(bad.send().await.unwrap()).await;
    assert_eq!((bad.status.as_u16(), bad.path()), (400, "header.Last-Event-ID"));
}
