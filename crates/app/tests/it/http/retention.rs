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
    let proven = verify_proof(&proof, &policy, &name, None).unwrap();
    assert_eq!(EventId::from(event_id(&proven.event)).to_string(), old);
    // So does what is given out afterwards, alone or as a whole.
    let young = text(&auditor.get("/audit/events").await.expect(200)["items"][0], "id");
    let after = auditor.get(&format!("/audit/events/{young}/proof")).await.expect(200);
    verify_proof(after.as_str().unwrap(), &policy, &name, None).unwrap();
    let log = Directory::new(site.dir.path().join("log")).below(&name);
    let bundle = Directory::new(site.dir.path().join("bundle"));
    export(&log, &policy, &bundle).unwrap();
    let audited = verify_bundle(&bundle, &policy, None).unwrap();
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
    assert_eq!(
        (&set["keep"], &set["own"], &set["default"]),
        (&json!(30), &json!(true), &json!(90))
    );
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t13_a_tenant_is_closed_and_shredded_and_the_other_goes_on() {
    let site = Site::start().await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let ours = Stage::set(&site, site.tenant(), "test").await;
    for stage in [&theirs, &ours] {
        site.runbook(&stage.admin, REPAIR).await;
        stage.run_through(&site, 1, "completed").await;
    }
    let hold = theirs.admin.post("/legal-holds", &json!({"reason": "Matter 1"})).await.expect(201);
    site.verified(theirs.tenant).await;
    // The command's MACs are made with the key the deployment has.
    std::fs::write(site.dir.path().join("keys/audit-mac"), db::testing::AUDIT_KEY).unwrap();
    let slug = format!("t-{}", theirs.tenant.uuid().simple());
    let shred = |confirm: &str| {
        std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["tenant", "shred", &slug, "--confirm", confirm, "--deployment", DEPLOYMENT])
            .arg("--data-dir")
            .arg(site.dir.path())
            .env("DATABASE_URL", &site.test.url)
            .output()
            .unwrap()
    };
    assert!(!shred("another").status.success(), "the slug is asked for twice");
    let other = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["tenant", "shred", "gone", "--confirm", "gone", "--deployment", DEPLOYMENT])
        .args(["--id", &theirs.tenant.to_string()])
        .arg("--data-dir")
        .arg(site.dir.path())
        .env("DATABASE_URL", &site.test.url)
        .output()
        .unwrap();
    assert!(!other.status.success(), "an id must be of the slug");
    let refused = shred(&slug);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("legal hold"), "{refused:?}");
    let lift = format!("/legal-holds/{}/lift", text(&hold, "id"));
    theirs.admin.post(&lift, &json!({"reason": "closed"})).await.expect(200);
    let done = shred(&slug);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    assert_eq!(theirs.admin.get("/findings").await.status, 401, "nobody comes in");
    let wrapped: Vec<(uuid::Uuid, i64)> = sqlx::query_as(
        "SELECT tenant_id, sum(length(wrapped)) FROM countersign.tenant_keys GROUP BY tenant_id",
    )
    .fetch_all(site.test.admin())
    .await
    .unwrap();
    assert!(wrapped.contains(&(theirs.tenant.uuid(), 0)), "{wrapped:?}");
    let left = wrapped.iter().filter(|(_, left)| *left > 0);
    assert!(left.into_iter().any(|(tenant, _)| *tenant == ours.tenant.uuid()), "{wrapped:?}");
    assert!(!site.dir.path().join("objects").join(theirs.tenant.uuid().to_string()).exists());
    for table in ["findings", "alerts", "intents", "plans", "executions", "evidence"] {
        assert_eq!(site.count(theirs.tenant, table).await, 0, "{table}");
        assert!(site.count(ours.tenant, table).await > 0, "{table} of the other tenant");
    }
    // The other tenant's secrets open, and both logs are as they were signed.
    ours.run_through(&site, 2, "completed").await;
    for tenant in [theirs.tenant, ours.tenant] {
        let report = site.verified(tenant).await;
        assert!(report.ok, "{report:?}");
    }
}

/// Where in the database a text is, plain or within bytes: `table: rows`.
async fn found_in_database(site: &Site, text: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_catalog.pg_class c
         WHERE c.relnamespace = 'countersign'::regnamespace AND c.relkind IN ('r', 'p')
           AND NOT c.relispartition",
    )
    .fetch_all(site.test.admin())
    .await
    .unwrap();
    let hexed: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut found = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT count(*) FROM countersign.{table} t
             WHERE position($1 IN t::text) > 0 OR position($2 IN t::text) > 0"
        );
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(text)
            .bind(&hexed)
            .fetch_one(site.test.admin())
            .await
            .unwrap();
        if rows > 0 {
            found.push(format!("{table}: {rows}"));
        }
    }
    found
}

/// The files below a directory that hold a text.
fn found_in_files(directory: &std::path::Path, text: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(found_in_files(&path, text));
        } else if std::fs::read(&path)
            .is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
        {
            found.push(path);
        }
    }
    found
}

/// The tables that name a person in the test below.
const NAMING: &[&str] = &[
    "users",
    "actors",
    "user_sessions",
    "audit_personal",
    "chat_sessions",
    "chat_messages",
    "invitations",
    "break_glass",
    "api_keys",
    "user_identities",
    "approval_votes",
    "alerts",
    "quarantined_alerts",
];

/// Puts a person into every other table that holds what names one: an invitation that was taken up
/// and one that was not, a conversation, a login elsewhere, a vote, alerts, emergency authority, and a
/// key.
async fn plant(site: &Site, user: uuid::Uuid, actor: uuid::Uuid) {
    for statement in [
        "INSERT INTO countersign.chat_sessions (tenant_id, id, user_id, title)
         VALUES ($1, $2, $3, 'Grace Hopper asks')",
        "INSERT INTO countersign.chat_messages (tenant_id, id, session_id, role, content)
         SELECT $1, $2, s.id, 'user', 'write to grace@navy.example' FROM countersign.chat_sessions s
         WHERE s.tenant_id = $1 AND s.user_id = $3",
        "INSERT INTO countersign.invitations (tenant_id, id, email, roles, token_hash, invited_by,
           expires_at, accepted_at, user_id)
         VALUES ($1, $2, 'grace@navy.example', '{viewer}', sha256($2::text::bytea), $4,
                 clock_timestamp(), clock_timestamp(), $3)",
        // One that nobody took up, to the same address.
        "INSERT INTO countersign.invitations (tenant_id, id, email, roles, token_hash, invited_by,
           expires_at)
         SELECT $1, $2, 'Grace@Navy.example', '{viewer}', sha256($2::text::bytea), $4,
                clock_timestamp() + interval '1 day'
         FROM countersign.users u WHERE u.tenant_id = $1 AND u.id = $3",
        "INSERT INTO countersign.user_identities (tenant_id, id, provider_id, subject, user_id)
         SELECT $1, $2, $4, 'grace.h at the provider', $3",
        "INSERT INTO countersign.approval_votes
           (tenant_id, id, approval_id, actor_id, person, decision)
         SELECT $1, $2, $3, $4, 'grace.h', 'approve'",
        // What somebody sends by hand is said to come from them.
        "INSERT INTO countersign.alerts (tenant_id, finding_id, source_name, sender_actor_id,
           alert_name, source_status, starts_at, labels_json, annotations_json, raw_alert_json,
           action_taken)
         SELECT $1, $2, 'grace.h', $4, 'DiskFull', 'firing', clock_timestamp(), '{}', '{}', '{}',
                'manual'
         FROM countersign.users u WHERE u.tenant_id = $1 AND u.id = $3",
        "INSERT INTO countersign.quarantined_alerts
           (tenant_id, id, source_name, position, path, reason, raw)
         SELECT $1, $2, a.display_name, 0, '/', 'no alert', '{}'
         FROM countersign.actors a, countersign.users u
         WHERE a.tenant_id = $1 AND a.id = $4 AND u.tenant_id = $1 AND u.id = $3",
        "INSERT INTO countersign.break_glass (tenant_id, id, actor_id, person, reason, expires_at)
         VALUES ($1, $2, $4, 'grace.h', 'the site is down', clock_timestamp() + interval '1 hour')",
        "INSERT INTO countersign.api_keys (tenant_id, id, actor_id, name, key_prefix, key_hash)
         SELECT $1, $2, a.id, 'key of Grace Hopper', 'prefix-of-hers', sha256($2::text::bytea)
         FROM countersign.actors a, countersign.users u
         WHERE a.tenant_id = $1 AND a.id = $4 AND u.tenant_id = $1 AND u.id = $3",
    ] {
        let mut tx = site.test.admin().begin().await.unwrap();
        // Without the provider and the approval that two of them are of.
        let alone = "SET LOCAL session_replication_role = replica";
        sqlx::query(alone).execute(&mut *tx).await.unwrap();
        let done = sqlx::query(statement)
            .bind(site.tenant().uuid())
            .bind(uuid::Uuid::now_v7())
            .bind(user)
            .bind(actor)
            .execute(&mut *tx)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
        tx.commit().await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l16_an_erased_person_is_unreadable_everywhere_and_the_log_holds() {
    const NAMES: [&str; 5] =
        ["Grace Hopper", "grace@navy.example", "Grace@Navy.example", "grace.h", "harvard-mark/1"];
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin, Role::Auditor]).await;
    let user = json!({"username": "grace.h", "full_name": "Grace Hopper",
        "email": "grace@navy.example", "roles": ["operator"]});
    let made = admin.post("/users", &user).await.expect(201);
    let slug = format!("t-{}", site.tenant().uuid().simple());
    let login =
        json!({"tenant": slug, "username": "grace.h", "password": made["one_time_password"]});
    let session = site
        .http
        .post(format!("{}/api/v1/login", site.url))
        .header("user-agent", "harvard-mark/1")
        .json(&login)
        .send()
        .await
        .unwrap();
    assert_eq!(session.status(), 200);
    site.verified(site.tenant()).await;
    let actor = text(&made["user"], "actor_id");
    let of = |id: &str| id.split_once('_').unwrap().1.parse::<uuid::Uuid>().unwrap();
    plant(&site, of(&text(&made["user"], "id")), of(&actor)).await;
    let listed = admin.get(&format!("/audit/events?actor_id={actor}")).await.expect(200);
    let event = &listed["items"][0];
    assert_eq!(event["event"]["actor"]["display_name"], "grace.h");
    assert_eq!(event["event"]["user_agent"], "harvard-mark/1");
    let id = text(event, "id");
    let proof = admin.get(&format!("/audit/events/{id}/proof")).await.expect(200);
    // What is signed, published and given out never held it.
    let log = site.dir.path().join("log");
    let mut places = std::collections::BTreeSet::new();
    for name in NAMES {
        assert_eq!(found_in_files(&log, name), Vec::<std::path::PathBuf>::new(), "{name}");
        assert!(!proof.as_str().unwrap().contains(name), "{name}");
        let found = found_in_database(&site, name).await;
        assert!(!found.iter().any(|place| place.starts_with("audit_events")), "{found:?}");
        assert!(!found.is_empty(), "{name}: the search finds what is there");
        places.extend(found.iter().filter_map(|place| Some(place.split_once(':')?.0.to_owned())));
    }
    for table in NAMING {
        assert!(places.contains(*table), "{table} holds something of hers: {places:?}");
    }

    let erase = format!("/users/{}/erase", text(&made["user"], "id"));
    let hold = json!({"class": "audit", "reason": "Matter 1"});
    let hold = admin.post("/legal-holds", &hold).await.expect(201);
    let why = json!({"reason": "Request 2026-118"});
    assert_eq!(admin.post(&erase, &why).await.code(), "legal_hold");
    let lift = format!("/legal-holds/{}/lift", text(&hold, "id"));
    admin.post(&lift, &json!({"reason": "closed"})).await.expect(200);
    admin.post(&erase, &why).await.expect(204);
    for name in NAMES {
        assert_eq!(found_in_database(&site, name).await, Vec::<String>::new(), "{name}");
        let files = found_in_files(site.dir.path(), name);
        assert_eq!(files, Vec::<std::path::PathBuf>::new(), "{name}");
    }
    let open: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM countersign.invitations
         WHERE accepted_at IS NULL AND revoked_at IS NULL",
    )
    .fetch_one(site.test.admin())
    .await
    .unwrap();
    assert_eq!(open, 0, "nobody takes up an invitation of hers");
    let report = site.verified(site.tenant()).await;
    assert!(report.ok, "{report:?}");
    let shown = admin.get(&format!("/audit/events/{id}")).await.expect(200);
    assert_eq!(shown["event"]["actor"]["display_name"], Value::Null);
    assert_eq!(shown["event"]["actor"]["id"], actor);
    let name = origin(DEPLOYMENT, site.tenant());
    let policy = site.signer().policy(&name).unwrap();
    verify_proof(proof.as_str().unwrap(), &policy, &name, None).unwrap();
    // Nobody else was erased.
    let others = admin.get(&format!("/audit/events?actor_id={}", admin.actor.id)).await.expect(200);
    assert_eq!(others["items"][0]["event"]["actor"]["display_name"], "ada");
}
