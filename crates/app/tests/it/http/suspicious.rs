//! What somebody who approves is told of text that is not what it seems.

use serde_json::{Value, json};

use super::harness::{Site, text};
use super::stage::{REPAIR, Stage, alert};

fn told<'v>(document: &'v Value, path: &str) -> &'v Value {
    let all = document["suspicious"].as_array().expect("a list");
    let found = all.iter().find(|one| one["path"] == path);
    found.unwrap_or_else(|| panic!("nothing at {path}: {all:#?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_hidden_and_turned_text_is_told_to_whoever_approves() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "prod").await;
    site.runbook(&stage.admin, REPAIR).await;
    // An alert brings it in; what runs carries it as one quoted word.
    let note = "backup\u{202e}gpj.exe\u{200b}";
    let finding = stage.fire(alert("Broken", "web-1", 1, note)).await;
    let asked = stage.asked(&site, &finding).await;

    let plan = stage.approver.get(&format!("/plans/{}", text(&asked, "plan_id"))).await;
    let plan = plan.expect(200);
    let command = told(&plan, "/steps/1/commands/web-1");
    assert_eq!(command["code_points"], json!(["U+200B", "U+202E"]));
    assert_eq!(command["tricks"], json!(["direction", "invisible"]));
    let shown = command["shown"].as_str().expect("a text");
    assert!(shown.contains("backup\\u{202e}gpj.exe\\u{200b}"), "{shown}");

    let path = format!("/approvals/{}", text(&asked, "approval_id"));
    let approval = stage.approver.get(&path).await.expect(200);
    assert_eq!(told(&approval, "/plan/steps/1/commands/web-1")["shown"], command["shown"]);

    // What nothing is wrong with says nothing.
    let finding = stage.fire(alert("Broken", "web-1", 2, "grün и просто")).await;
    let asked = stage.asked(&site, &finding).await;
    for path in [
        format!("/approvals/{}", text(&asked, "approval_id")),
        format!("/plans/{}", text(&asked, "plan_id")),
    ] {
        assert_eq!(stage.approver.get(&path).await.expect(200)["suspicious"], json!([]), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_a_server_is_not_called_by_a_name_that_looks_like_another() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let known = stage.admin.get(&format!("/resources/{}", stage.resource)).await.expect(200);
    for name in ["w\u{435}b-1", "web\u{200b}-1", "web-1\u{202e}", "\u{ff57}eb-1"] {
        let wanted = json!({"name": name, "environment_id": known["environment_id"]});
        let reply = stage.admin.post("/resources", &wanted).await;
        assert_eq!((reply.status.as_u16(), reply.path()), (400, "/name"), "{:#}", reply.body);
        let connection = json!({"host": name, "username": "root"});
        let path = format!("/resources/{}/connections", stage.resource);
        let reply = stage.admin.post(&path, &connection).await;
        assert_eq!((reply.status.as_u16(), reply.path()), (400, "/host"), "{:#}", reply.body);
    }
}
