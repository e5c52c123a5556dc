//! Retention and the archive over HTTP, on a deployment that works: changes, the signed log, holds.

use model::actor::Role;
use model::audit::{Event, Who};
use model::id::{ArchiveId, EventId, TenantId};
use prove::bundle::proof_file::verify_proof;
use prove::bundle::{export, verify_bundle};
use prove::checkpoint::origin;
use prove::directory::Directory;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, DEPLOYMENT, Site, text};
use super::stage::{REPAIR, Stage};

/// Moves everything of a tenant's changes and findings this far back in time.
async fn age(site: &Site, tenant: TenantId, years: u32) {
    for (table, columns) in [
        ("intents", vec!["created_at", "updated_at"]),
        ("executions", vec!["created_at", "started_at", "completed_at"]),
        ("outcomes", vec!["recorded_at"]),
        ("findings", vec!["first_seen", "last_seen", "resolved_at"]),
    ] {
        let moved: Vec<String> =
            columns.iter().map(|c| format!("{c} = {c} - interval '{years} years'")).collect();
        let sql = format!(
            "UPDATE countersign.{table} SET {} WHERE tenant_id = '{}'",
            moved.join(", "),
            tenant.uuid()
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(site.test.admin()).await.unwrap();
    }
}

/// Puts events of long ago into the outbox, as the application did then.
async fn old_events(site: &Site, tenant: TenantId, count: usize) {
    let key = site.test.db.audit_key();
    for n in 0..count {
        let id = EventId::generate();
        let event = Event::new(Who::service(), "runbook.edited", "runbook", &format!("rbk_{n}"));
        let at = "2010-01-01T00:00:00Z".parse::<model::Timestamp>().unwrap();
        let canon = event.canonical(tenant, id, at).unwrap();
        sqlx::query(
            "INSERT INTO countersign.audit_outbox (tenant_id, id, canon, mac)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(&canon)
        .bind(key.mac(tenant, id, &canon).as_slice())
        .execute(site.test.admin())
        .await
        .unwrap();
    }
}

async fn pieces(by: &Caller, subject: &str) -> Vec<Value> {
    let list = by.get(&format!("/archives?subject={subject}&limit=100")).await.expect(200);
    list["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_goes_to_the_archive_after_three_years_and_is_read_from_there() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, REPAIR).await;
    let done = stage.run_through(&site, 1, "completed").await;
    let execution = text(&done, "id");
    let finding = text(&stage.admin.get("/findings").await.expect(200)["items"][0], "id");
    // Young, it stays.
    let nothing = json!({"stored": 0, "rows": 0, "removed": 0, "deleted": 0});
    assert_eq!(stage.admin.post("/archives/run", &json!({})).await.expect(200), nothing);
    age(&site, stage.tenant, 4).await;
    sqlx::query("UPDATE countersign.findings SET status = 'fixed', resolved_at = first_seen")
        .execute(site.test.admin())
        .await
        .unwrap();
    let plan = stage.admin.get("/retention/plan").await.expect(200);
    let of = |subject: &str| {
        let list = plan.as_array().unwrap().iter();
        list.clone().find(|one| one["subject"] == subject).unwrap().clone()
    };
    assert_eq!(of("changes")["go"], 1);
    assert_eq!(of("findings")["stay"]["referred_to"], 1, "the change keeps its cause: {plan:#}");

    let ran = stage.admin.post("/archives/run", &json!({})).await.expect(200);
    assert_eq!((&ran["stored"], &ran["removed"]), (&json!(2), &json!(2)), "the change, its cause");
    assert_eq!(stage.admin.get(&format!("/executions/{execution}")).await.status, 404);
    assert_eq!(stage.admin.get(&format!("/findings/{finding}")).await.status, 404);
    for table in ["intents", "plans", "decisions", "executions", "attempts", "evidence", "outcomes"]
    {
        assert_eq!(site.count(stage.tenant, table).await, 0, "{table}");
    }
    // What was learned from it stays.
    assert!(site.count(stage.tenant, "beta_state").await > 0);

    let piece = pieces(&stage.admin, "changes").await.remove(0);
    let path = format!("/archives/{}", text(&piece, "id"));
    assert_eq!(stage.admin.get(&format!("{path}/rows")).await.code(), "not_restored");
    let copy = stage.admin.post(&format!("{path}/restore"), &json!({})).await.expect(200);
    assert_eq!(copy["rows"], piece["rows"]);
    let rows = stage.admin.get(&format!("{path}/rows?table=executions")).await.expect(200);
    assert_eq!(rows[0]["row"]["state"], "completed");
    assert!(execution.ends_with(rows[0]["row"]["id"].as_str().unwrap()));
    // A name is looked up with whoever has it, not kept in the archive.
    let votes = stage.admin.get(&format!("{path}/rows?table=approval_votes")).await.expect(200);
    assert_eq!(votes[0]["row"]["decision"], "approve");
    assert_eq!(votes[0]["row"]["person"], Value::Null);
    stage.admin.send(Method::DELETE, &format!("{path}/rows"), &json!({})).await.expect(204);
    assert_eq!(site.count(stage.tenant, "restored_rows").await, 0);
    let report = site.verified(stage.tenant).await;
    assert!(report.ok, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_pruned_by_its_own_rules_and_every_proof_given_before_still_holds() {
    let site = Site::start().await;
    let auditor = site.caller("ada", &[Role::Admin, Role::Auditor]).await;
    old_events(&site, site.tenant(), 520).await;
    let report = site.verified(site.tenant()).await;
    assert!(report.ok, "{report:?}");
    let listed = auditor.get("/audit/events?target_id=rbk_7").await.expect(200);
    let old = text(&listed["items"][0], "id");
    let proof = auditor.get(&format!("/audit/events/{old}/proof")).await.expect(200);
    let proof = proof.as_str().unwrap().to_owned();

    // A hold keeps it, whatever its age.
    let hold = json!({"class": "audit", "reason": "Matter 1"});
    let hold = auditor.post("/legal-holds", &hold).await.expect(201);
    site.retire().await;
    assert_eq!(pieces(&auditor, "audit_events").await, Vec::<Value>::new());
    let lift = format!("/legal-holds/{}/lift", text(&hold, "id"));
    auditor.post(&lift, &json!({"reason": "closed"})).await.expect(200);
    assert_eq!(auditor.post(&lift, &json!({"reason": "again"})).await.code(), "not_held");

    // First it is stored and said; what is said is signed; only then it goes.
    site.retire().await;
    let stored = pieces(&auditor, "audit_events").await.remove(0);
    assert_eq!((&stored["state"], &stored["places"]), (&json!("stored"), &json!([0, 512])));
    assert_eq!(site.verified(site.tenant()).await.minimum, 0);
    let before = site.count(site.tenant(), "audit_events").await;
    site.retire().await;
    assert_eq!(before - site.count(site.tenant(), "audit_events").await, 512);
    let report = site.verified(site.tenant()).await;
    assert!(report.ok, "{report:?}");
    assert_eq!(report.minimum, 512);
    assert_eq!(auditor.get(&format!("/audit/events/{old}")).await.status, 404);
    auditor.get("/audit/events").await.expect(200);

    let name = origin(DEPLOYMENT, site.tenant());
    let policy = site.signer().policy(&name).unwrap();
    let proven = verify_proof(&proof, &policy, &name).unwrap();
    assert_eq!(EventId::from(event_id(&proven.event)).to_string(), old);
    // So does what is given out afterwards, alone or as a whole.
    let young = text(&auditor.get("/audit/events").await.expect(200)["items"][0], "id");
    let after = auditor.get(&format!("/audit/events/{young}/proof")).await.expect(200);
    verify_proof(after.as_str().unwrap(), &policy, &name).unwrap();
    let log = Directory::new(site.dir.path().join("log")).below(&name);
    let bundle = Directory::new(site.dir.path().join("bundle"));
    export(&log, &policy, &bundle).unwrap();
    let audited = verify_bundle(&bundle, &policy).unwrap();
    assert!(audited.ok, "{audited:?}");
    assert_eq!((audited.minimum, audited.size), (512, report.size));
    assert!(!log.path().join("tile/entries/000").exists());
    assert!(log.path().join("tile/0/000").exists());

    // And the events themselves come back from the archive.
    let path = format!("/archives/{}", text(&stored, "id"));
    let copy = auditor.post(&format!("{path}/restore"), &json!({})).await.expect(200);
    assert_eq!(copy["rows"], 512);
    let row = auditor.get(&format!("{path}/rows?limit=1")).await.expect(200);
    assert_eq!(row[0]["table"], "audit_events");
}

fn event_id(canon: &[u8]) -> uuid::Uuid {
    let event: Value = serde_json::from_slice(canon).unwrap();
    event["event_id"].as_str().unwrap().parse::<EventId>().unwrap().uuid()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_are_set_within_bounds_and_leave_an_event() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin, Role::Auditor]).await;
    let rule = json!({"class": "findings", "keep": 30});
    let set = admin.send(Method::PUT, "/retention", &rule).await.expect(200);
    assert_eq!((&set["keep"], &set["own"], &set["default"]), (&json!(30), &json!(true), &json!(90)));
    for (class, keep) in [("audit", 30), ("evidence", 1), ("findings", 0), ("models", 1_000_000)] {
        let rule = json!({"class": class, "keep": keep});
        let refused = admin.send(Method::PUT, "/retention", &rule).await;
        assert_eq!((refused.status.as_u16(), refused.path()), (400, "/keep"), "{class} {keep}");
    }
    let unknown = admin.send(Method::PUT, "/retention", &json!({"class": "rows", "keep": 9})).await;
    assert_eq!((unknown.status.as_u16(), unknown.path()), (400, "/class"));
    let back = json!({"class": "findings"});
    assert_eq!(admin.send(Method::PUT, "/retention", &back).await.expect(200)["keep"], 90);
    site.verified(site.tenant()).await;
    let events = admin.get("/audit/events?action=retention.set").await.expect(200);
    let first = &events["items"][1]["event"]["context"];
    assert_eq!((&first["before"], &first["after"]), (&json!(90), &json!(30)));
    let somebody = site.caller("otto", &[Role::Operator, Role::Viewer, Role::Approver]).await;
    for path in ["/retention", "/retention/plan", "/legal-holds", "/archives"] {
        assert_eq!(somebody.get(path).await.status, 403, "{path}");
    }
    let nothing = format!("/archives/{}/restore", ArchiveId::generate());
    assert_eq!(admin.post(&nothing, &json!({})).await.status, 404);
}
