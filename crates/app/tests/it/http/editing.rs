//! Writing runbooks: nobody overwrites what they have not seen, a text is tried before it is saved,
//! and lists say how each went.

use model::actor::Role;
use model::id::IntentId;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, text};
use super::stage::{REPAIR, Stage};

/// Imports a text that was made from a version.
async fn save(caller: &Caller, yaml: &str, base: u32) -> Reply {
    caller.post("/runbooks", &json!({"yaml": yaml, "base_version": base})).await
}

fn slower(seconds: u32) -> String {
    REPAIR.replace("timeout_seconds: 60", &format!("timeout_seconds: {seconds}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_made_from_an_older_version_does_not_replace_a_newer_one() {
    let site = Site::start().await;
    let ola = site.caller("ola", &[Role::Operator]).await;
    let eve = site.caller("eve", &[Role::Operator]).await;
    let made = save(&ola, REPAIR, 0).await.expect(201);
    let path = format!("/runbooks/{}", text(&made, "id"));
    assert_eq!(save(&ola, &slower(61), 1).await.expect(200)["version"], 2);
    // Made from the first version, or for a new runbook: neither has seen the second.
    for base in [1, 0, 3] {
        let refused = save(&eve, &slower(99), base).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "changed"), "{base}");
        assert_eq!(refused.path(), "/base_version");
        let detail = text(&refused.body, "detail");
        assert!(detail.contains("version 2 of the runbook repair is stored"), "{detail}");
    }
    let stored = ola.get(&path).await.expect(200);
    assert_eq!(
        (&stored["version"], &stored["document"]["timeout_seconds"]),
        (&json!(2), &json!(61))
    );
    let versions = ola.get(&format!("{path}/versions")).await.expect(200);
    assert_eq!(versions.as_array().unwrap().len(), 2, "what was refused left no version");
    assert_eq!(
        save(&eve, &slower(99), 2).await.expect(200)["version"],
        3,
        "whoever has seen it may"
    );
    // Whoever does not say what they have seen replaces what there is, as ever.
    let unsaid = json!({"yaml": slower(70)});
    assert_eq!(ola.post("/runbooks", &unsaid).await.expect(200)["version"], 4);
    // A name nobody has is not at version 1.
    let other = REPAIR.replace("name: repair", "name: repair-more");
    let refused = save(&ola, &other, 1).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "changed"));
    let theirs = site.another_tenant().await;
    let theirs = site.caller_of(theirs, "ola", &[Role::Operator]).await;
    save(&theirs, REPAIR, 0).await.expect(201);
    let unreadable = save(&ola, "name: a\nsteps: []\n", 7).await;
    assert_eq!(unreadable.status.as_u16(), 400, "what is no runbook is said first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_save_at_once_one_is_told() {
    let site = Site::start().await;
    let ola = site.caller("ola", &[Role::Operator]).await;
    save(&ola, REPAIR, 0).await.expect(201);
    let (a, b) = (slower(61), slower(62));
    let (one, two) = futures::future::join(save(&ola, &a, 1), save(&ola, &b, 1)).await;
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

/// What the gate says to a body, and the plan it would make.
async fn tried(caller: &Caller, body: &Value) -> Value {
    caller.post("/intents/evaluate", body).await.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_tried_before_it_is_saved_and_nothing_is_kept() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let foreign = site.runbook(&theirs.admin, REPAIR).await;
    let before = site.rows(stage.tenant).await;
    let on_web =
        |yaml: &str| json!({"yaml": yaml, "targets": ["web-1"], "variables": {"NOTE": "x"}});
    // Of a runbook there is none of yet.
    let fresh = tried(&stage.admin, &on_web(REPAIR)).await;
    assert_eq!(
        (&fresh["verdict"], &fresh["plan"]["runbook"]["version"]),
        (&json!("require_approval"), &json!(1))
    );
    let after = site.rows(stage.tenant).await;
    for (table, hash) in &before {
        let own = table.starts_with("audit_") || table == "api_keys" || table == "user_sessions";
        assert!(own || after[table] == *hash, "{table} changed");
    }

    let id = site.runbook(&stage.admin, REPAIR).await;
    let stored = json!({"runbook_id": id, "targets": ["web-1"], "variables": {"NOTE": "x"}});
    let stored = tried(&stage.admin, &stored).await;
    // Saved, it is what it was tried as.
    assert_eq!(stored["plan"]["steps"], fresh["plan"]["steps"]);
    let edited = REPAIR.replace("echo prepared", "echo prepared better");
    let mut body = on_web(&edited);
    for named in [json!(null), json!(id)] {
        body["runbook_id"] = named;
        let said = tried(&stage.admin, &body).await;
        assert_eq!(said["plan"]["runbook"], json!({"id": id, "name": "repair", "version": 2}));
        assert!(said["plan"]["steps"].to_string().contains("echo prepared better"));
        assert_ne!(said["plan_hash"], stored["plan_hash"]);
    }
    let kept = stage.admin.get(&format!("/runbooks/{id}")).await.expect(200);
    assert_eq!(kept["version"], 1);
    for table in ["intents", "plans", "decisions", "executions"] {
        assert_eq!(site.count(stage.tenant, table).await, 0, "{table}");
    }
    // It is judged as an import is.
    let bad = "name: a\nsteps:\n  - name: b\n    command: \"\"\n";
    let refused = stage.admin.post("/intents/evaluate", &on_web(bad)).await;
    let import = stage.admin.post("/runbooks", &json!({"yaml": bad})).await;
    assert_eq!((refused.status.as_u16(), &refused.body["errors"]), (400, &import.body["errors"]));
    let nothing = stage.admin.post("/intents/evaluate", &json!({"targets": ["web-1"]})).await;
    assert_eq!((nothing.status.as_u16(), nothing.path()), (400, "/runbook_id"));
    body["runbook_id"] = json!(foreign);
    let reply = stage.admin.post("/intents/evaluate", &body).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "not_found"), "another tenant's");
    let viewer = site.caller("vic", &[Role::Viewer]).await;
    assert_eq!(viewer.post("/intents/evaluate", &on_web(REPAIR)).await.status.as_u16(), 403);
}

/// The figures a list shows of its only runbook.
async fn figures(caller: &Caller) -> Value {
    let list = caller.get("/runbooks").await.expect(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{list:#}");
    let fields = ["runs", "completed", "failed"];
    json!(fields.map(|field| items[0][field].clone()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_runbooks_says_how_each_went_in_the_last_thirty_days() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let id = site.runbook(&stage.admin, REPAIR).await;
    site.runbook(&theirs.admin, REPAIR).await;
    let list = stage.admin.get("/runbooks").await.expect(200);
    assert_eq!(list["items"][0]["last_run_at"], Value::Null);
    assert_eq!(figures(&stage.admin).await, json!([0, 0, 0]));
    let done = stage.run_through(&site, 1, "completed").await;
    // What waits for its approval has not run.
    let run = json!({"targets": ["web-1"], "variables": {"NOTE": "x"},
        "deterministic_id": IntentId::generate().to_string()});
    stage.admin.post(&format!("/runbooks/{id}/run"), &run).await.expect(202);
    let list = stage.admin.get("/runbooks").await.expect(200);
    assert_eq!(list["items"][0]["last_run_at"], done["started_at"]);
    assert_eq!(figures(&stage.admin).await, json!([1, 1, 0]));
    let hopeless = REPAIR.replace("&& echo it is up", "&& exit 1");
    site.runbook(&stage.admin, &hopeless).await;
    stage.run_through(&site, 2, "rolled_back").await;
    assert_eq!(figures(&stage.admin).await, json!([2, 1, 1]));
    assert_eq!(figures(&theirs.admin).await, json!([0, 0, 0]));
    // What began longer ago does not count, and is not the last run.
    sqlx::query(
        "UPDATE countersign.executions SET started_at = started_at - interval '31 days'
         WHERE tenant_id = $1",
    )
    .bind(stage.tenant.uuid())
    .execute(site.test.admin())
    .await
    .unwrap();
    assert_eq!(figures(&stage.admin).await, json!([0, 0, 0]));
    let list = stage.admin.send(Method::GET, "/runbooks", &Value::Null).await.expect(200);
    assert_eq!(list["items"][0]["last_run_at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_is_what_was_looked_at_or_nothing() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let id = site.runbook(&stage.admin, REPAIR).await;
    let run = json!({"targets": ["web-1"], "variables": {"NOTE": "x"}});
    let question = json!({"runbook_id": id, "targets": ["web-1"], "variables": {"NOTE": "x"}});
    let seen = stage.admin.post("/intents/evaluate", &question).await.expect(200);
    let run = |hash: &Value| {
        let mut run = run.clone();
        run["plan_hash"] = hash.clone();
        run
    };
    let path = format!("/runbooks/{id}/run");
    let asked = stage.admin.post(&path, &run(&seen["plan_hash"])).await.expect(202);
    let plan = stage.admin.get(&format!("/plans/{}", text(&asked, "plan_id"))).await.expect(200);
    assert_eq!(plan["plan_hash"], seen["plan_hash"]);
    // Somebody else saves another version meanwhile.
    save(&stage.admin, &slower(61), 1).await.expect(200);
    let refused = stage.admin.post(&path, &run(&seen["plan_hash"])).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "plan_changed"));
    let intents = stage.admin.get("/intents").await.expect(200);
    assert_eq!(intents["items"].as_array().unwrap().len(), 1, "nothing was asked for");
    let other = stage.admin.post(&path, &run(&json!("not a hash"))).await;
    assert_eq!(other.status.as_u16(), 400);
}
