//! Looks for drift over the API: what a scan finds becomes findings, and what it no longer finds is
//! closed.

use model::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, text};
use super::stage::Stage;

pub(crate) struct Source {
    pub(crate) admin: Caller,
    pub(crate) repository: String,
}

impl Source {
    pub(crate) async fn set(site: &Site) -> Self {
        let stage = Stage::set(site, site.tenant(), "test").await;
        let server = stage.admin.get(&format!("/resources/{}", stage.resource)).await.expect(200);
        let repository = json!({
            "environment_id": server["environment_id"], "name": "shop-infra", "tool": "terraform",
        });
        let made = stage.admin.post("/iac-repositories", &repository).await.expect(201);
        Self { admin: stage.admin, repository: text(&made, "id") }
    }

    pub(crate) async fn begin(&self) -> String {
        let wanted = json!({"iac_repository_id": self.repository, "against": "provider"});
        text(&self.admin.post("/drift-scans", &wanted).await.expect(201), "id")
    }

    pub(crate) async fn tell(&self, scan: &str, drifts: &[Value]) -> Reply {
        let lines: Vec<String> = drifts.iter().map(ToString::to_string).collect();
        let request = self.admin.request(Method::POST, &format!("/drift-scans/{scan}/drifts"));
        let request = request.header("content-type", "application/x-ndjson").body(lines.join("\n"));
        Reply::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn finish(&self, scan: &str, not_checked: Value) -> Value {
        let body = json!({"in_sync": 40, "not_checked": not_checked});
        self.admin.post(&format!("/drift-scans/{scan}/finish"), &body).await.expect(200)
    }

    /// The statuses of the drift there is, by title.
    async fn statuses(&self) -> Vec<(String, String)> {
        let found = self.admin.get("/findings?kind=drift").await.expect(200);
        let items = found["items"].as_array().unwrap().iter();
        let mut all: Vec<_> = items.map(|one| (text(one, "title"), text(one, "status"))).collect();
        all.sort();
        all
    }
}

pub(crate) fn open_door() -> Value {
    json!({
        "address": "aws_security_group.web", "type": "aws_security_group", "id": "sg-1",
        "drift_type": "modified", "changes": [{
            "property_path": "ingress[tcp 22 22]", "change_type": "added",
            "actual_value": {"cidr_blocks": ["0.0.0.0/0"]},
        }],
        "declared_state": {"id": "sg-1"}, "actual_state": {"id": "sg-1", "ingress": []},
    })
}

fn gone(name: &str) -> Value {
    json!({
        "address": format!("aws_s3_bucket.{name}"), "type": "aws_s3_bucket", "id": name,
        "drift_type": "deleted", "declared_state": {"id": name},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_scan_finds_is_a_finding_until_a_scan_no_longer_finds_it() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let declared = json!({
        "iac_repository_id": source.repository, "address": "aws_security_group.web",
        "resource_type": "aws_security_group", "declared_state": {"id": "sg-1"},
    });
    let declared = source.admin.post("/iac-resources", &declared).await.expect(201);

    let first = source.begin().await;
    let told = source.tell(&first, &[open_door(), gone("old"), gone("logs")]).await.expect(200);
    assert_eq!((&told["new"], &told["refused"]), (&json!(3), &json!(0)), "{told:#}");
    assert_eq!(source.finish(&first, json!([])).await["closed"], 0);
    let scan = source.admin.get(&format!("/drift-scans/{first}")).await.expect(200);
    assert_eq!(
        (&scan["state"], &scan["drifted"], &scan["opened"], &scan["in_sync"]),
        (&json!("finished"), &json!(3), &json!(3), &json!(40))
    );
    let found = source.admin.get("/findings?kind=drift&severity=critical").await.expect(200);
    let door = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| text(one, "title") == "aws_security_group.web: ingress[tcp 22 22] differs");
    let door = door.expect("the door is critical");
    let detail = format!("/findings/{}/detail", text(door, "id"));
    let detail = source.admin.get(&detail).await.expect(200);
    assert_eq!(detail["drift"]["iac_resource_id"], declared["id"]);
    assert_eq!(detail["drift"]["changes"][0]["is_security_critical"], true);

    // The same again: no new finding. What could not be looked at stays; what is gone is closed.
    let second = source.begin().await;
    let told = source.tell(&second, &[open_door()]).await.expect(200);
    assert_eq!(told["new"], 0, "{told:#}");
    let left = json!([{"type": "aws_s3_bucket", "id": "old", "why": "throttled", "failed": true}]);
    assert_eq!(source.finish(&second, left).await["closed"], 1);
    let status = |title: &str, status: &str| (title.to_owned(), status.to_owned());
    let expected = [
        status("aws_s3_bucket.logs is gone", "fixed"),
        status("aws_s3_bucket.old is gone", "open"),
        status("aws_security_group.web: ingress[tcp 22 22] differs", "open"),
    ];
    assert_eq!(source.statuses().await, expected);

    // All of a type unknown, and everything back.
    let third = source.begin().await;
    let all = json!([{"type": "aws_s3_bucket", "why": "AccessDenied", "failed": true}]);
    assert_eq!(source.finish(&third, all).await["closed"], 1);
    let fourth = source.begin().await;
    let told = source.tell(&fourth, &[gone("logs")]).await.expect(200);
    assert_eq!(told["new"], 1, "what comes back after it was gone begins anew: {told:#}");
    source.finish(&fourth, json!([])).await;
    let expected = [
        status("aws_s3_bucket.logs is gone", "fixed"),
        status("aws_s3_bucket.logs is gone", "open"),
        status("aws_s3_bucket.old is gone", "fixed"),
        status("aws_security_group.web: ingress[tcp 22 22] differs", "fixed"),
    ];
    assert_eq!(source.statuses().await, expected);
    site.verified(site.tenant()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_another_one_overtook_says_and_closes_nothing_more() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let first = source.begin().await;
    source.tell(&first, &[gone("old")]).await.expect(200);
    let second = source.begin().await;
    let refused = source.tell(&first, &[gone("logs")]).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "scan_over"));
    let path = format!("/drift-scans/{first}/finish");
    let refused = source.admin.post(&path, &json!({"in_sync": 0})).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "scan_over"));
    assert_eq!(source.finish(&second, json!([])).await["closed"], 1, "the second saw nothing");
    let scans = source.admin.get("/drift-scans").await.expect(200);
    let states: Vec<_> =
        scans["items"].as_array().unwrap().iter().map(|one| text(one, "state")).collect();
    assert_eq!(states, ["finished", "abandoned"]);
    let wanted = json!({"iac_repository_id": source.repository, "against": "provider"});
    let viewer = site.caller("eve", &[Role::Viewer]).await;
    viewer.post("/drift-scans", &wanted).await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_at_fault_are_named_and_keep_no_other_from_being_kept() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let scan = source.begin().await;
    let mut bad = open_door();
    bad["changes"][0]["property_path"] = json!("");
    let told = source.tell(&scan, &[bad, gone("old"), json!({"address": "x"})]).await.expect(200);
    assert_eq!((&told["new"], &told["refused"]), (&json!(1), &json!(2)), "{told:#}");
    assert_eq!(told["errors"][0]["errors"][0]["path"], "/changes/0/property_path");
    let nowhere = model::id::RepositoryId::generate().to_string();
    let wanted = json!({"iac_repository_id": nowhere, "against": "api"});
    let refused = source.admin.post("/drift-scans", &wanted).await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "/iac_repository_id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_records_what_it_found_and_no_secret() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let dir = tempfile::tempdir().unwrap();
    let state = |name: &str, kind: &str, secret: &str| {
        let path = dir.path().join(name);
        let attributes = json!({"id": "i-1", "instance_type": kind, "admin_password": secret});
        let state = json!({"version": 4, "resources": [{
            "mode": "managed", "type": "aws_instance", "name": "web", "provider": "p",
            "instances": [{"attributes": attributes}],
        }]});
        std::fs::write(&path, state.to_string()).unwrap();
        path
    };
    let declared = state("declared.json", "t3.micro", "canary-1");
    let actual = state("actual.json", "t3.large", "canary-2");
    let record = async |against: &std::path::Path| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(["drift", "scan", "--record", "shop-infra", "--against"]);
        command.arg(against).arg(&declared);
        command.env("COUNTERSIGN_URL", &site.url).env("COUNTERSIGN_KEY", &source.admin.key);
        let output = command.output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = record(&actual).await;
    assert!(code == Some(1) && told.contains("1 new, 0 closed"), "{told}");
    let found = source.admin.get("/findings?kind=drift").await.expect(200);
    let detail = format!("/findings/{}/detail", text(&found["items"][0], "id"));
    let detail = source.admin.get(&detail).await.expect(200);
    let secret = json!({"sealed": true});
    assert_eq!(detail["drift"]["changes"][0]["actual_value"], secret, "{detail:#}");
    assert_eq!(detail["drift"]["declared_state"]["admin_password"], secret);
    let (code, told) = record(&declared).await;
    assert!(code == Some(0) && told.contains("0 new, 1 closed"), "{told}");
    assert_eq!(source.statuses().await[0].1, "fixed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nothing_declares_is_closed_only_by_a_scan_that_looked_for_it() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let undeclared = json!({
        "address": "i-1", "type": "aws_instance", "id": "i-1", "drift_type": "added",
        "actual_state": {"id": "i-1"},
    });
    let first = source.begin().await;
    source.tell(&first, &[undeclared]).await.expect(200);
    source.finish(&first, json!([])).await;
    for (types, closed) in
        [(json!([]), 0), (json!(["aws_s3_bucket"]), 0), (json!(["aws_instance"]), 1)]
    {
        let scan = source.begin().await;
        let body = json!({"in_sync": 0, "undeclared": types});
        let path = format!("/drift-scans/{scan}/finish");
        let done = source.admin.post(&path, &body).await.expect(200);
        assert_eq!(done["closed"], closed, "{types}");
    }
}
