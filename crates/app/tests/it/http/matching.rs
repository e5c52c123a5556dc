//! A runbook's triggers tried on the alerts there were.

use serde_json::{Value, json};

use super::harness::{Site, text};
use super::stage::{REPAIR, Stage, alert};

const PATH: &str = "/runbooks/match";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triggers_of_a_document_are_tried_on_the_alerts_there_were() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let mut ids = Vec::new();
    for (number, (name, instance)) in
        [("Broken", "web-1"), ("Other", "web-2"), ("BrokenDisk", "web-2")].into_iter().enumerate()
    {
        ids.push(stage.fire(alert(name, instance, number + 1, "x")).await);
    }
    // What is over by now was firing when it came.
    let mut over = alert("Broken", "web-1", 1, "x");
    over["status"] = json!("resolved");
    over["endsAt"] = json!("2026-03-01T11:00:00Z");
    stage.source.post("/hooks/alertmanager", &super::group(&[over])).await.expect(200);
    for id in &ids {
        stage.analyzed(&site, id).await;
    }
    let told = stage.admin.post(PATH, &json!({"yaml": REPAIR})).await.expect(200);
    assert_eq!((&told["seen"], &told["more"]), (&json!(3), &json!(false)));
    let alerts = told["alerts"].as_array().unwrap();
    let found: Vec<(String, bool)> =
        alerts.iter().map(|one| (text(one, "finding_id"), one["matched"] == true)).collect();
    let [first, second, third] = ids.try_into().unwrap();
    assert_eq!(found, [(third, true), (second, false), (first, true)], "newest first");
    let report = &alerts[1]["report"][0];
    assert_eq!((&report["trigger"], &report["matched"]), (&json!("Broken"), &json!(false)));
    let failed: Vec<&Value> = report["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|verdict| verdict["holds"] == false)
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["criterion"], "alert_name");
    assert_eq!(alerts[1]["severity"], "critical");

    let one = stage.admin.post(PATH, &json!({"yaml": REPAIR, "limit": 1})).await.expect(200);
    assert_eq!((&one["seen"], &one["more"]), (&json!(1), &json!(true)));
    for (body, path) in [
        (json!({"yaml": REPAIR, "days": 31}), "/days"),
        (json!({"yaml": REPAIR, "limit": 501}), "/limit"),
        (json!({"yaml": REPAIR, "limit": 0}), "/limit"),
    ] {
        let reply = stage.admin.post(PATH, &body).await;
        assert_eq!((reply.status.as_u16(), reply.path()), (400, path));
    }
    let bad = json!({"yaml": "name: a\nsteps:\n  - name: b\n    command: \"\"\n"});
    let lint = stage.admin.post("/runbooks/lint", &bad).await.expect(200);
    let refused = stage.admin.post(PATH, &bad).await;
    assert_eq!(refused.status.as_u16(), 400);
    let place = format!("/yaml#{}", text(&lint["problems"][0], "path"));
    assert_eq!(
        (refused.path(), &refused.body["errors"][0]["code"]),
        (place.as_str(), &lint["problems"][0]["code"],)
    );
    // Another tenant's alerts are nobody else's.
    let other = Stage::set(&site, site.another_tenant().await, "test").await;
    let theirs = other.admin.post(PATH, &json!({"yaml": REPAIR})).await.expect(200);
    assert_eq!(theirs["seen"], 0);
    assert_eq!(site.count(stage.tenant, "intents").await, 0, "nothing was asked for");
}
