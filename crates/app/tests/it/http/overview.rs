//! What spans the kinds: search, the figures of a dashboard, and lists as files.

use std::collections::BTreeSet;

use model::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, text};
use super::stage::{REPAIR, Stage, alert};

/// Kind and titles of what was found.
async fn found(caller: &Caller, query: &str) -> Vec<(String, Vec<String>)> {
    let answer = caller.get(&format!("/search?{query}")).await.expect(200);
    let kinds = answer.as_array().unwrap().iter();
    kinds
        .map(|kind| {
            let items = kind["items"].as_array().unwrap().iter();
            (text(kind, "kind"), items.map(|item| text(item, "title")).collect())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_finds_things_of_every_kind_and_an_id_finds_what_it_names() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    for admin in [&stage.admin, &theirs.admin] {
        admin.post("/services", &json!({"name": "web shop"})).await.expect(201);
        admin.post("/services", &json!({"name": "100%_real"})).await.expect(201);
    }
    let finding = stage.fire(alert("WebDown", "web-1", 1, "x")).await;
    site.runbook(&stage.admin, REPAIR).await;
    let all = found(&stage.admin, "q=WEB").await;
    let kinds: BTreeSet<&str> = all.iter().map(|(kind, _)| kind.as_str()).collect();
    assert!(kinds.is_superset(&BTreeSet::from(["finding", "resource", "service"])), "{all:?}");
    assert_eq!(all.iter().find(|(kind, _)| kind == "service").unwrap().1, ["web shop"]);
    // Percent and underscore are text.
    assert_eq!(
        found(&stage.admin, "q=%25_").await,
        [("service".to_owned(), vec!["100%_real".to_owned()])]
    );
    assert_eq!(found(&stage.admin, "q=%25_&kind=finding").await, []);
    for id in [finding.clone(), finding.trim_start_matches("fnd_").to_owned()] {
        let named = found(&stage.admin, &format!("q={id}")).await;
        assert_eq!(named.len(), 1, "{named:?}");
        assert_eq!(named[0].0, "finding");
    }
    // T2: an id of another tenant's finds nothing, and neither do its words.
    assert_eq!(found(&theirs.admin, &format!("q={finding}")).await, []);
    assert!(!found(&theirs.admin, "q=webdown").await.iter().any(|(kind, _)| kind == "finding"));
    for (query, path) in [
        ("q=", "query.q"),
        ("q=a%00b", "query.q"),
        ("q=a&kind=secret", "query.kind"),
        ("q=a&limit=0", "query.limit"),
        ("q=a&limit=21", "query.limit"),
    ] {
        let refused = stage.admin.get(&format!("/search?{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.path()), (400, path), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_says_when_there_is_more_and_shows_the_newest() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    for number in 0..4 {
        admin.post("/services", &json!({"name": format!("service-{number}")})).await.expect(201);
    }
    let answer = admin.get("/search?q=service&limit=3").await.expect(200);
    let titles: Vec<String> =
        answer[0]["items"].as_array().unwrap().iter().map(|item| text(item, "title")).collect();
    assert_eq!(titles, ["service-3", "service-2", "service-1"]);
    assert_eq!(answer[0]["more"], true);
    let path = text(&answer[0]["items"][0], "path");
    assert_eq!(admin.get(&path).await.expect(200)["name"], "service-3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_by_key_finds_what_the_key_is_for_and_nothing_of_other_kinds() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, REPAIR).await;
    stage.admin.post("/services", &json!({"name": "repair shop"})).await.expect(201);
    let account = json!({"name": "map", "type": "service", "roles": ["viewer"]});
    let account = stage.admin.post("/service-accounts", &account).await.expect(201);
    let key = json!({"name": "map", "actor_id": account["id"], "scopes": ["estate.read"]});
    let mut map = stage.admin.clone();
    map.key = text(&stage.admin.post("/api-keys", &key).await.expect(201), "key");
    let kinds = async |caller: &Caller| {
        found(caller, "q=repair").await.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&stage.admin).await, ["service", "runbook"]);
    assert_eq!(kinds(&map).await, ["service"]);
    let refused = map.get("/account/api-keys").await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "no_session"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_counts_what_is_open_and_what_waits() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let empty = stage.admin.get("/dashboard/trends").await.expect(200);
    assert_eq!((&empty["findings"], &empty["change_failure_rate"]), (&json!([]), &Value::Null));
    let runbook = site.runbook(&stage.admin, REPAIR).await;
    stage.run_through(&site, 1, "completed").await;
    // Somebody asks by hand, and thinks better of it.
    let run = json!({"targets": ["web-1"], "variables": {"NOTE": "x"}});
    let asked = stage.admin.post(&format!("/runbooks/{runbook}/run"), &run).await.expect(202);
    let execution = text(&asked, "execution_id");
    stage.admin.post(&format!("/executions/{execution}/cancel"), &Value::Null).await.expect(202);
    site.reaches(&stage.admin, &execution, "cancelled").await;
    let waiting = stage.fire(alert("Broken", "web-1", 2, "x")).await;
    stage.asked(&site, &waiting).await;
    let dashboard = stage.admin.get("/dashboard").await.expect(200);
    assert_eq!(
        dashboard["open_findings"],
        json!([{"kind": "alert", "severity": "critical", "count": 1}])
    );
    assert_eq!(dashboard["waiting"]["approvals"], 1, "{dashboard:#}");
    assert_eq!(dashboard["waiting"]["needs_human"], 0);
    let trends = stage.admin.get("/dashboard/trends?days=1").await.expect(200);
    let opened: i64 = trends["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["opened"].as_i64().unwrap())
        .sum();
    assert_eq!(opened, 2, "{trends:#}");
    let changes = json!([
        {"verdict": "require_approval", "mode": "manual", "state": "cancelled", "count": 1},
        {"verdict": "require_approval", "mode": "semi_auto", "state": "completed", "count": 1},
    ]);
    assert_eq!((&trends["changes"], &trends["change_failure_rate"]), (&changes, &json!(0.0)));
    // T2: another tenant's figures are its own.
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let dashboard = theirs.admin.get("/dashboard").await.expect(200);
    assert_eq!(dashboard["open_findings"], json!([]));
    assert_eq!(dashboard["waiting"]["approvals"], 0);
    let refused = stage.admin.get("/dashboard/trends?days=0").await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "query.days"));
}

async fn file(caller: &Caller, path: &str) -> (String, String) {
    let response = caller.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200, "{path}");
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_had_as_a_file_whole_and_narrowed() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let other = site.caller_of(site.another_tenant().await, "eve", &[Role::Admin]).await;
    // More than is read at once.
    let lines: Vec<String> = (0..1_100)
        .map(|number| {
            let team = if number == 7 { "=cmd()" } else { "shop" };
            json!({"name": format!("service-{number:04}"), "owner_team": team}).to_string()
        })
        .collect();
    let request = admin.request(Method::POST, "/services/import");
    let request = request.header("content-type", "application/x-ndjson").body(lines.join("\n"));
    Reply::of(request.send().await.unwrap()).await.expect(200);
    other.post("/services", &json!({"name": "theirs"})).await.expect(201);

    let (kind, text) = file(&admin, "/services/export").await;
    assert_eq!(kind, "application/x-ndjson");
    let names: BTreeSet<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["name"].to_string())
        .collect();
    assert_eq!((text.lines().count(), names.len()), (1_100, 1_100));

    let (kind, text) = file(&admin, "/services/export?sort=name&format=csv").await;
    assert_eq!(kind, "text/csv; charset=utf-8");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1_101);
    assert!(lines[0].starts_with("id,name,"), "{}", lines[0]);
    assert!(lines[1].contains("service-0000") && lines[1_100].contains("service-1099"));
    // W8: what a stranger called it does not run in a spreadsheet.
    assert!(lines[8].contains("\"'=cmd()\""), "{}", lines[8]);

    let (_, text) = file(&admin, "/services/export?name=service-0042&format=csv").await;
    assert_eq!(text.lines().count(), 2);
    for (query, path) in
        [("limit=5", "query.limit"), ("format=xls", "query.format"), ("x=1", "query.x")]
    {
        let refused = admin.get(&format!("/services/export?{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.path()), (400, path), "{query}");
    }
}
