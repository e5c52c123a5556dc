//! Who did what to which: names in the place of ids, and lists of what was done, by what it was
//! done to.

use model::actor::Role;
use serde_json::{Value, json};

use super::drift_scans::{Source, open_door};
use super::harness::{Caller, Site, text};
use super::identity::refused;
use super::stage::{REPAIR, Stage, alert};

async fn ids(caller: &Caller, path: &str) -> Vec<String> {
    let page = caller.get(path).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|one| text(one, "id")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_learns_the_name_of_an_actor_of_its_tenant_and_of_no_other() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let service = json!({"name": "pipeline", "roles": ["viewer"]});
    let service = admin.post("/service-accounts", &service).await.expect(201);
    let person = admin.actor.id.to_string();
    let ours = [
        (person.clone(), "user", "ada"),
        (text(&service, "id"), "service", "pipeline"),
        (model::actor::service().to_string(), "service", "countersign"),
    ];
    for role in Role::ALL {
        let reader = site.caller(role.word(), &[*role]).await;
        for (id, kind, name) in &ours {
            let shown = reader.get(&format!("/actors/{id}")).await.expect(200);
            assert_eq!(shown, json!({"id": id, "type": kind, "display_name": name}), "{role}");
        }
    }
    let elsewhere = site.caller_of(site.another_tenant().await, "eve", Role::ALL).await;
    let nobody = model::id::ActorId::generate();
    for (caller, id) in
        [(&admin, &elsewhere.actor.id), (&elsewhere, &admin.actor.id), (&admin, &nobody)]
    {
        let reply = caller.get(&format!("/actors/{id}")).await;
        assert_eq!(refused(&reply), (404, "not_found"), "{:#}", reply.body);
    }
    let narrow = json!({"name": "ci", "roles": ["viewer"], "scopes": ["findings.read"]});
    let mut key = site.caller("nobody", &[]).await;
    key.key = text(&admin.post("/api-keys", &narrow).await.expect(201), "key");
    let reply = key.get(&format!("/actors/{person}")).await;
    assert_eq!(refused(&reply), (403, "scope_missing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_an_approval_reads_who_said_what_and_why() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "prod").await;
    site.runbook(&stage.admin, REPAIR).await;
    let finding = stage.fire(alert("Broken", "web-1", 1, "x")).await;
    let asked = stage.asked(&site, &finding).await;
    let path = format!("/approvals/{}", text(&asked, "approval_id"));
    let viewer = site.caller("vic", &[Role::Viewer]).await;
    let before = viewer.get(&path).await.expect(200);
    assert_eq!((&before["votes"], &before["alone_name"]), (&json!([]), &Value::Null));
    let why = "not while \u{202e}the freeze lasts";
    let vote = json!({"note": why, "source": "ui"});
    stage.approver.post(&format!("{path}/deny"), &vote).await.expect(200);

    let shown = viewer.get(&path).await.expect(200);
    let cast = &shown["votes"][0];
    assert_eq!(
        (&cast["display_name"], &cast["decision"], &cast["note"], &cast["source"]),
        (&json!("ann"), &json!("deny"), &json!(why), &json!("ui"))
    );
    let at: model::Timestamp = text(cast, "created_at").parse().unwrap();
    let [asked_at, decided_at]: [model::Timestamp; 2] =
        ["created_at", "decided_at"].map(|field| text(&shown, field).parse().unwrap());
    assert!(asked_at < at && (at - decided_at).get_seconds().abs() < 5, "{shown:#}");
    // What somebody wrote is looked through like what is approved.
    let odd: Vec<&Value> = shown["suspicious"].as_array().unwrap().iter().collect();
    assert!(odd.iter().any(|one| text(one, "path") == "/votes/0/note"), "{odd:#?}");
    assert_eq!(shown["requester_name"], "alertmanager");
    for who in ["requester", "author"] {
        let actor = format!("/actors/{}", text(&shown, &format!("{who}_id")));
        let actor = viewer.get(&actor).await.expect(200);
        assert_eq!(shown[format!("{who}_name")], actor["display_name"], "{who}");
    }
    let listed = viewer.get("/approvals?status=denied").await.expect(200);
    for field in ["votes", "requester_name", "author_name", "alone_name"] {
        assert_eq!(listed["items"][0][field], shown[field], "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_are_found_by_what_they_answer_and_by_what_they_touched() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, REPAIR).await;
    let first = stage.run_through(&site, 1, "completed").await;
    let second = stage.run_through(&site, 2, "completed").await;
    // Denied before it began: it answers its finding and touched nothing.
    let finding = stage.fire(alert("Broken", "web-1", 3, "x")).await;
    let asked = stage.asked(&site, &finding).await;
    let deny = format!("/approvals/{}/deny", text(&asked, "approval_id"));
    stage.approver.post(&deny, &json!({})).await.expect(200);
    let beside = stage.admin.get(&format!("/resources/{}", stage.resource)).await.expect(200);
    let beside = json!({"name": "web-2", "environment_id": beside["environment_id"]});
    let beside = text(&stage.admin.post("/resources", &beside).await.expect(201), "id");

    let of = async |query: &str| ids(&stage.admin, &format!("/executions?{query}")).await;
    let [one, two] = [&first, &second].map(|execution| text(execution, "id"));
    let denied = text(&asked, "execution_id");
    let [answers_one, answers_two] = [&first, &second].map(|one| text(one, "finding_id"));
    assert_eq!(of(&format!("finding_id={answers_one}")).await, std::slice::from_ref(&one));
    let both = format!("finding_id={answers_one}&finding_id={answers_two}");
    assert_eq!(of(&both).await, [two.clone(), one.clone()]);
    assert_eq!(of(&format!("finding_id={finding}")).await, [denied]);
    let touched = format!("resource_id={}", stage.resource);
    assert_eq!(of(&touched).await, [two.clone(), one.clone()], "each once, for all its steps");
    assert_eq!(of(&format!("resource_id={beside}&{touched}")).await, [two.clone(), one.clone()]);
    assert_eq!(of(&format!("resource_id={beside}")).await, Vec::<String>::new());
    assert_eq!(
        of(&format!("{touched}&finding_id={answers_one}")).await,
        std::slice::from_ref(&one)
    );
    assert_eq!(of(&format!("{touched}&state=failed")).await, Vec::<String>::new());
    let page = stage.admin.get(&format!("/executions?{touched}&limit=1")).await.expect(200);
    let next = format!("{touched}&limit=1&cursor={}", text(&page, "next_cursor"));
    assert_eq!((text(&page["items"][0], "id"), of(&next).await), (two, vec![one]));
    let bad = stage.admin.get("/executions?resource_id=web-1").await;
    assert_eq!((bad.status.as_u16(), bad.path()), (400, "query.resource_id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn remediations_are_found_by_any_of_their_findings() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let findings: Vec<_> = (0..3).map(|_| model::id::FindingId::generate()).collect();
    let mut made = Vec::new();
    for about in [&findings[..1], &findings[..2]] {
        let id = model::id::RemediationId::generate();
        sqlx::query(
            "INSERT INTO countersign.remediations (tenant_id, id, iac_repository_id, kind,
               finding_ids, requested_by)
             SELECT $1, $2, r.id, 'auto_revert', $3, $4
             FROM countersign.iac_repositories r WHERE r.tenant_id = $1",
        )
        .bind(site.tenant().uuid())
        .bind(id.uuid())
        .bind(about.iter().map(|one| one.uuid()).collect::<Vec<_>>())
        .bind(source.admin.actor.id.uuid())
        .execute(site.test.admin())
        .await
        .unwrap();
        made.push(id.to_string());
    }
    let [one, two] = [made[0].clone(), made[1].clone()];
    let of = async |wanted: &[usize]| {
        let words: Vec<String> =
            wanted.iter().map(|at| format!("finding_id={}", findings[*at])).collect();
        ids(&source.admin, &format!("/remediations?{}", words.join("&"))).await
    };
    assert_eq!(of(&[0]).await, [two.clone(), one]);
    assert_eq!(of(&[1]).await, std::slice::from_ref(&two));
    assert_eq!(of(&[1, 2]).await, [two]);
    assert_eq!(of(&[2]).await, Vec::<String>::new());
    // The list of ids is shown, and not what it is asked for by.
    let unknown = source.admin.get(&format!("/remediations?finding_ids={}", findings[0])).await;
    assert_eq!((unknown.status.as_u16(), unknown.path()), (400, "query.finding_ids"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_name_their_resource_in_lists_by_themselves_and_in_files() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    for number in 0..3 {
        let mut finding = json!({
            "kind": "violation", "fingerprint": format!("tls/{number}"), "title": "accepts TLS 1.0",
            "severity": "high",
        });
        if number != 1 {
            finding["resource_id"] = json!(stage.resource);
        }
        stage.admin.post("/findings", &finding).await.expect(200);
    }
    let all = stage.admin.get("/findings?sort=first_seen").await.expect(200);
    let all = all["items"].as_array().unwrap();
    let names: Vec<&Value> = all.iter().map(|one| &one["resource_name"]).collect();
    assert_eq!(names, [&json!("web-1"), &Value::Null, &json!("web-1")]);
    for finding in all {
        let alone = stage.admin.get(&format!("/findings/{}", text(finding, "id"))).await;
        assert_eq!(&alone.expect(200), finding);
    }
    let file = stage.admin.request(reqwest::Method::GET, "/findings/export?format=csv");
    let file = file.send().await.unwrap().text().await.unwrap();
    let at = file.lines().next().unwrap().split(',').position(|name| name == "resource_name");
    let cells: Vec<&str> =
        file.lines().skip(1).map(|line| line.split(',').nth(at.unwrap()).unwrap()).collect();
    assert_eq!(cells, ["web-1", "", "web-1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drift_names_its_source_and_scan_though_nothing_declares_it() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let scan = source.begin().await;
    source.tell(&scan, &[open_door()]).await.expect(200);
    source.finish(&scan, json!([])).await;
    let found = source.admin.get("/findings?kind=drift").await.expect(200);
    let detail = format!("/findings/{}/detail", text(&found["items"][0], "id"));
    let drift = source.admin.get(&detail).await.expect(200)["drift"].clone();
    assert_eq!(
        (&drift["iac_resource_id"], &drift["iac_repository_id"], &drift["scan_id"]),
        (&Value::Null, &json!(source.repository), &json!(scan))
    );
    // The next scan that sees it takes the place of the first.
    let again = source.begin().await;
    source.tell(&again, &[open_door()]).await.expect(200);
    assert_eq!(source.admin.get(&detail).await.expect(200)["drift"]["scan_id"], json!(again));
    // Reported by somebody else against a declaration: the source is that of the declaration.
    let declared = json!({
        "iac_repository_id": source.repository, "address": "aws_instance.web",
        "resource_type": "aws_instance", "declared_state": {"id": "i-1"},
    });
    let declared = source.admin.post("/iac-resources", &declared).await.expect(201);
    let told = json!({
        "kind": "drift", "fingerprint": "i-1", "title": "web is another size", "severity": "low",
        "drift": {"drift_type": "modified", "iac_resource_id": declared["id"]},
    });
    let told = source.admin.post("/findings", &told).await.expect(200);
    let detail = format!("/findings/{}/detail", text(&told, "id"));
    let drift = source.admin.get(&detail).await.expect(200)["drift"].clone();
    assert_eq!(
        (&drift["iac_repository_id"], &drift["scan_id"]),
        (&json!(source.repository), &Value::Null)
    );
}
