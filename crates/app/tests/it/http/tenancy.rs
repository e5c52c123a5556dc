//! One tenant's ids in another tenant's hands: as good as ids of nothing.

use std::collections::BTreeMap;

use model::Clock as _;
use model::actor::Role;
use model::id::{ArchiveId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, SystemClock, text};
use super::routes::operations;
use super::stage::{REPAIR, Stage, alert, group};
use super::{models, objects};

/// What a tenant has, by the path that leads to it.
pub(crate) type Seeds = BTreeMap<String, String>;

/// Makes one of everything there is a path to.
pub(crate) async fn seed(site: &Site, stage: &Stage) -> Seeds {
    let admin = &stage.admin;
    let runbook = site.runbook(admin, REPAIR).await;
    let done = stage.run_through(site, 1, "completed").await;
    let finding = stage.fire(alert("Broken", "web-1", 2, "x")).await;
    let asked = stage.asked(site, &finding).await;
    sources(site, stage).await;
    let quarantined = admin.get("/quarantined-alerts").await.expect(200);
    let resource = admin.get("/resources").await.expect(200)["items"][0].clone();
    let path = format!("/resources/{}/connections", stage.resource);
    let connections = admin.get(&path).await.expect(200);
    let user = json!({"username": "eve", "roles": ["viewer"]});
    let user = admin.post("/users", &user).await.expect(201);
    let session = stage.session(site, &user).await;
    let key = admin.post("/api-keys", &json!({"name": "k", "roles": ["viewer"]})).await.expect(201);
    let account = json!({"name": "pipeline", "roles": ["viewer"]});
    let account = admin.post("/service-accounts", &account).await.expect(201);
    let invitation = json!({"email": "ann@example.com", "roles": ["viewer"]});
    let invitation = admin.post("/invitations", &invitation).await.expect(201);
    let glass = broken_glass(site, admin).await;
    let window = admin.post("/blackout-windows", &window()).await.expect(201);
    let limit = admin.send(Method::PUT, "/rate-limits", &rate()).await.expect(200);
    let policy = admin.post("/policies", &denying()).await.expect(201);
    let rules = admin.get("/alert-rules").await.expect(200);
    let credentials = admin.get("/credentials").await.expect(200);
    let (objects, _) = objects::make_all(site, stage).await;
    let exception = excepted(admin, &objects).await;
    let drift = drift(site, admin).await;
    let setting = json!({"value": {"theme": "dark"}});
    admin.send(Method::PUT, "/settings/console", &setting).await.expect(200);
    let hold = json!({"class": "costs", "reason": "Matter 1"});
    let hold = admin.post("/legal-holds", &hold).await.expect(201);
    let piece = archived(site, stage.tenant).await;
    site.verified(stage.tenant).await;
    let events = admin.get("/audit/events").await.expect(200);
    let ours = BTreeMap::from([
        ("/actors/{id}", stage.source.actor.id.to_string()),
        ("/alert-rules/{id}", text(&rules[0], "id")),
        ("/alert-sources/{name}", "theirs".to_owned()),
        ("/alerts/{id}", finding.clone()),
        ("/account/api-keys/{id}", text(&key, "id")),
        ("/api-keys/{id}", text(&key, "id")),
        ("/auth/oidc/{name}", "theirs".to_owned()),
        ("/approvals/{id}", text(&asked, "approval_id")),
        ("/archives/{id}", piece),
        ("/legal-holds/{id}", text(&hold, "id")),
        ("/audit/events/{id}", text(&events["items"][0], "id")),
        ("/blackout-windows/{id}", text(&window, "id")),
        ("/break-glass/{id}", glass),
        ("/circuit-breakers/{scope}", "runbook".to_owned()),
        ("/circuit-breakers/{scope}/{scope_id}", runbook.clone()),
        ("/connections/{id}", text(&connections[0], "id")),
        ("/credentials/{id}", text(&credentials[0], "id")),
        ("/decisions/{id}", text(&asked, "decision_id")),
        ("/environments/{id}", text(&resource, "environment_id")),
        ("/exceptions/{id}", exception),
        ("/executions/{id}", text(&done, "id")),
        ("/executions/{id}/evidence/{evidence}", text(&done["evidence"][0], "id")),
        ("/executions/{id}/steps/{step}", text(&done["steps"][0], "id")),
        ("/findings/{id}", finding),
        ("/hooks/generic/{source}", "theirs".to_owned()),
        ("/invitations/{id}", text(&invitation, "id")),
        ("/intents/{id}", text(&asked, "intent_id")),
        ("/plans/{id}", text(&asked, "plan_id")),
        ("/policies/{id}", text(&policy, "id")),
        ("/quarantined-alerts/{id}", text(&quarantined["items"][0], "id")),
        ("/rate-limits/{id}", text(&limit, "id")),
        ("/resources/{id}", stage.resource.clone()),
        ("/runbooks/{id}", runbook),
        ("/account/sessions/{id}", session.clone()),
        ("/sessions/{id}", session),
        ("/service-accounts/{id}", text(&account, "id")),
        ("/runbooks/{id}/versions/{version}", "1".to_owned()),
        ("/settings/{key}", "console".to_owned()),
        ("/users/{id}", text(&user["user"], "id")),
    ]);
    let ours = ours.into_iter().chain(drift).map(|(path, id)| (path.to_owned(), id));
    ours.chain(objects).collect()
}

/// A policy that lets nothing through.
fn denying() -> Value {
    let rego = "package policy.assistant.v1\n\ndefault decision := \"deny\"\n";
    json!({"name": "p", "files": {"p.rego": rego}})
}

/// How much a tenant may ask for.
fn rate() -> Value {
    json!({"scope": "tenant", "scope_id": "tenant", "count": 100, "window_seconds": 60})
}

/// What there is to drift.
async fn drift(site: &Site, admin: &Caller) -> [(&'static str, String); 3] {
    [
        ("/change-events/{id}", happened(admin).await),
        ("/drift-scans/{id}", scanned(admin).await),
        ("/remediations/{id}", remedied(site, admin).await),
    ]
}

/// A leave to break the policy there is, by the resource there is, that nobody has decided.
async fn excepted(admin: &Caller, objects: &Seeds) -> String {
    let month = std::time::Duration::from_secs(30 * 24 * 3600);
    let resources = admin.get("/resources").await.expect(200);
    let wanted = json!({
        "policy_id": objects["/provider-policies/{id}"], "resource_id": resources["items"][0]["id"],
        "reason": "until the appliance is replaced", "expires_at": (SystemClock.now() + month).to_string(),
    });
    text(&admin.post("/exceptions", &wanted).await.expect(202), "exception_id")
}

/// A signing source, and an alert that cannot be read.
async fn sources(site: &Site, stage: &Stage) {
    let admin = &stage.admin;
    let generic = site.caller_of(stage.tenant, "zabbix", &[Role::Operator]).await;
    let source = json!({
        "name": "theirs", "kind": "generic", "actor_id": generic.actor.id.to_string(),
        "mapping": {"name": "/check", "starts_at": "/since"}, "secret": "sixteen bytes at least",
    });
    admin.post("/alert-sources", &source).await.expect(201);
    let mut bad = alert("Bad", "web-1", 3, "x");
    bad["startsAt"] = json!("never");
    stage.source.post("/hooks/alertmanager", &group(&[bad])).await.expect(200);
}

/// A look for drift in the first source there is.
async fn scanned(admin: &Caller) -> String {
    let sources = admin.get("/iac-repositories").await.expect(200);
    let wanted = json!({"iac_repository_id": sources["items"][0]["id"], "against": "document"});
    text(&admin.post("/drift-scans", &wanted).await.expect(201), "id")
}

/// Something that happened outside.
async fn happened(admin: &Caller) -> String {
    let told = json!({
        "kind": "deployment", "occurred_at": "2026-03-01T10:00:00Z", "external_system": "argocd",
        "external_id": "d-1",
    });
    let request = admin.request(Method::POST, "/change-events");
    let request = request.header("content-type", "application/x-ndjson").body(told.to_string());
    Reply::of(request.send().await.unwrap()).await.expect(200);
    text(&admin.get("/change-events").await.expect(200)["items"][0], "id")
}

/// Drift of the first source there is that was once put right.
async fn remedied(site: &Site, admin: &Caller) -> String {
    let id = model::id::RemediationId::generate();
    sqlx::query(
        "INSERT INTO countersign.remediations (tenant_id, id, iac_repository_id, kind, finding_ids,
           state, requested_by, ended_at)
         SELECT $1, $2, r.id, 'auto_revert', ARRAY[$2], 'resolved', $3, clock_timestamp()
         FROM countersign.iac_repositories r WHERE r.tenant_id = $1 LIMIT 1",
    )
    .bind(admin.actor.tenant_id.uuid())
    .bind(id.uuid())
    .bind(admin.actor.id.uuid())
    .execute(site.test.admin())
    .await
    .unwrap();
    id.to_string()
}

/// A piece of the archive, with a copy for reading.
async fn archived(site: &Site, tenant: TenantId) -> String {
    let id = ArchiveId::generate();
    let sql = "INSERT INTO countersign.archives (tenant_id, id, subject, class, state, object_key,
                 sha256, content_sha256, row_count, stored_at, restored_until)
               VALUES ($1, $2, 'findings', 'findings', 'removed', 'none', sha256(''), sha256(''), 0,
                 now(), now() + interval '1 day')";
    sqlx::query(sql).bind(tenant.uuid()).bind(id.uuid()).execute(site.test.admin()).await.unwrap();
    id.to_string()
}

/// Emergency authority of an administrator's.
async fn broken_glass(site: &Site, admin: &Caller) -> String {
    let id = model::id::BreakGlassId::generate();
    sqlx::query(
        "INSERT INTO countersign.break_glass (tenant_id, id, actor_id, person, reason, expires_at)
         VALUES ($1, $2, $3, 'ada', 'it is down', clock_timestamp() + interval '1 hour')",
    )
    .bind(admin.actor.tenant_id.uuid())
    .bind(id.uuid())
    .bind(admin.actor.id.uuid())
    .execute(site.test.admin())
    .await
    .unwrap();
    id.to_string()
}

fn window() -> Value {
    json!({"name": "w", "start_time": "2020-01-01T00:00:00", "end_time": "2020-01-01T00:01:00"})
}

/// An id of the same kind that nothing has.
pub(crate) fn nothing(id: &str) -> String {
    match id.split_once('_') {
        Some((prefix, uuid)) if uuid.len() == 36 => format!("{prefix}_{}", uuid::Uuid::now_v7()),
        _ if ["runbook", "1"].contains(&id) => id.to_owned(),
        _ => "nothing".to_owned(),
    }
}

/// A body that would be good, so that the id is what decides.
pub(crate) fn body(name: &str, environment: &str, host_key: &str) -> Value {
    match name
        .split_once("/api/v1/")
        .map(|(method, path)| format!("{method}{path}"))
        .unwrap()
        .as_str()
    {
        "PUT alert-rules/{id}" => json!({"name": "r", "action": "ignore"}),
        "PATCH alert-sources/{name}" => json!({"is_active": true}),
        "POST alert-sources/{name}/secret" => json!({"secret": "sixteen bytes at least"}),
        "POST approvals/{id}/approve" | "POST approvals/{id}/deny" => json!({}),
        "POST plans/{id}/approve" | "POST plans/{id}/deny" => json!({}),
        "POST decisions/{id}/outcome" => json!({"success": true}),
        "PUT api-keys/{id}/tier" => json!({"tier": "pro"}),
        "PUT blackout-windows/{id}" => window(),
        "POST break-glass/{id}/review" => json!({"verdict": "justified", "notes": "n"}),
        "PUT circuit-breakers/{scope}/{scope_id}" => json!({}),
        "POST circuit-breakers/{scope}/{scope_id}/close" => json!({"reason": "r"}),
        "POST circuit-breakers/{scope}/{scope_id}/open" => json!({"reason": "r"}),
        "PUT connections/{id}" => json!({"host": "h", "username": "u"}),
        "POST chat-sessions/{id}/messages" => json!({"content": "c"}),
        "POST connections/{id}/host-keys" => json!({"public_key": host_key}),
        "POST connections/{id}/host-keys/unpin" => json!({"public_key": host_key}),
        "PUT credentials/{id}/secret" => json!({"secret": "s"}),
        "PUT environments/{id}" => json!({"name": "n", "slug": "n", "class": "dev"}),
        "POST drift-scans/{id}/drifts" => {
            json!({"address": "a.b", "type": "a", "drift_type": "deleted"})
        }
        "POST drift-scans/{id}/finish" => json!({"in_sync": 0}),
        "POST exceptions/{id}/revoke" => json!({"reason": "r"}),
        "POST findings/{id}/accept" => {
            let until = model::Timestamp::from_second(4_000_000_000).unwrap().to_string();
            json!({"reason": "r", "expires_at": until})
        }
        "POST findings/{id}/escalate" => json!({"reason": "r"}),
        "PUT findings/{id}/cause" => json!({"cause": "emergency_fix"}),
        "POST executions/{id}/steps/{step}/resolve" => json!({"choice": "mark_succeeded"}),
        "POST hooks/generic/{source}" => json!({"check": "c", "since": 1_772_359_200}),
        "PUT models/{id}/artifact" => models::good().0.clone(),
        "PUT models/{id}/comparison" => models::good().1.clone(),
        "PUT resources/{id}" => json!({"name": "n", "environment_id": environment}),
        "POST resources/{id}/connections" => json!({"host": "h", "username": "u"}),
        "POST runbooks/{id}/run" => json!({"targets": ["web-1"]}),
        "PUT runbooks/{id}/status" => json!({"status": "disabled"}),
        "PUT settings/{key}" => json!({"value": 1}),
        "POST legal-holds/{id}/lift" => json!({"reason": "r"}),
        "POST users/{id}/erase" => json!({"reason": "r"}),
        "PATCH service-accounts/{id}" => json!({"is_active": false}),
        "PATCH users/{id}" => json!({"is_active": false}),
        other => {
            objects::described()
                .into_iter()
                .find(|kind| other.strip_prefix("PUT ") == kind.one().strip_prefix('/'))
                .unwrap_or_else(|| panic!("{other} takes a body: give this test a good one"))
                .example
        }
    }
}

/// What is made by naming it: its id is nobody's, and each tenant has its own of that name.
const NAMED_BY_THE_CALLER: [&str; 2] = ["/api/v1/circuit-breakers/", "/api/v1/settings/"];
/// What comes back from a provider is found by its state, which names the tenant.
const FOUND_BY_STATE: &str = "/api/v1/auth/oidc/{name}/callback";

pub(crate) async fn call(
    caller: &Caller,
    method: &Method,
    path: &str,
    body: Option<&Value>,
) -> Reply {
    let request = caller.request(method.clone(), path);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    Reply::of(request.send().await.unwrap()).await
}

/// An answer without what differs by nature: the request's name, the ids asked for, times.
pub(crate) fn comparable(reply: &Reply, ids: &[String]) -> String {
    let mut body = reply.body.clone();
    if let Some(problem) = body.as_object_mut() {
        for volatile in ["request_id", "id", "last_failure_at", "opened_at", "updated_at"] {
            problem.remove(volatile);
        }
    }
    let shown = format!("{} {body}", reply.status);
    ids.iter().fold(shown, |shown, id| shown.replace(id.as_str(), "ID"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_an_id_of_another_tenant_is_answered_like_one_of_nothing_on_every_path() {
    let site = Site::start().await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let ours = Stage::set(&site, site.tenant(), "test").await;
    let seeds = seed(&site, &theirs).await;
    let (caller, _) = site.person_of(ours.tenant, "everything", Role::ALL).await;
    let environment = caller.get("/resources").await.expect(200);
    let environment = text(&environment["items"][0], "environment_id");
    let before = site.rows(theirs.tenant).await;
    let mut asked = 0;
    for operation in operations().into_iter().filter(|one| one.path.contains('{')) {
        let name = operation.name();
        let body = operation.has_body.then(|| body(&name, &environment, ours.sshd.host_key()));
        let mut ids = Vec::new();
        let mut seeded = |template: &str| {
            let id = seeds.get(template).unwrap_or_else(|| panic!("{name}: seed {template}"));
            ids.push(id.clone());
            id.clone()
        };
        let foreign = operation.filled(&mut seeded);
        let mut missing = Vec::new();
        let nowhere = operation.filled(|template| {
            let id = nothing(&seeds[template]);
            missing.push(id.clone());
            id
        });
        let foreign = call(&caller, &operation.method, &foreign, body.as_ref()).await;
        let nowhere = call(&caller, &operation.method, &nowhere, body.as_ref()).await;
        let (foreign_shown, nowhere_shown) =
            (comparable(&foreign, &ids), comparable(&nowhere, &missing));
        assert_eq!(foreign_shown, nowhere_shown, "{name}");
        let named = NAMED_BY_THE_CALLER.iter().any(|named| operation.path.starts_with(named));
        if !named && operation.path != FOUND_BY_STATE {
            assert_eq!(foreign.status.as_u16(), 404, "{name}: {foreign_shown}");
        }
        asked += 1;
    }
    assert!(asked > 50, "only {asked} operations with ids");
    let after = site.rows(theirs.tenant).await;
    for (table, hash) in before {
        assert_eq!(after[&table], hash, "{table} of the other tenant changed");
    }

    // The seeds are good: their owner finds every one of them.
    for (template, id) in &seeds {
        let Some(operation) = operations().into_iter().find(|one| {
            one.method == Method::GET && one.path.strip_prefix("/api/v1") == Some(template.as_str())
        }) else {
            continue;
        };
        let found = theirs.admin.get(&operation.filled(|at| seeds[at].clone())).await;
        assert_eq!(found.status.as_u16(), 200, "{template} {id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t2_lists_and_streams_hold_only_the_callers_own() {
    let site = Site::start().await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let seeds = seed(&site, &theirs).await;
    let (caller, _) = site.person_of(site.tenant(), "everything", Role::ALL).await;
    let secrets: Vec<&String> = seeds.values().filter(|id| id.len() > 30).collect();
    for operation in operations() {
        let is_list = operation.method == Method::GET && !operation.path.contains('{');
        if !is_list || operation.path == "/api/v1/events" || !operation.path.starts_with("/api/v1")
        {
            continue;
        }
        let query = match operation.path.as_str() {
            "/api/v1/search" => "?q=e",
            "/api/v1/audit/consistency" => "?from=0&to=0",
            _ => "",
        };
        let path = format!("{}{query}", operation.filled(|_| String::new()));
        let reply = caller.get(&path).await;
        let shown = reply.body.to_string();
        assert!(reply.status.is_success() || reply.status.as_u16() == 404, "{shown}");
        for id in &secrets {
            assert!(!shown.contains(id.as_str()), "{} shows {id}", operation.path);
        }
        assert!(!shown.contains(&theirs.tenant.to_string()), "{}", operation.path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t3_what_nobody_may_set_is_refused_wherever_a_body_is_taken() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let caller = site.caller("everything", Role::ALL).await;
    let seeds = seed(&site, &stage).await;
    let before = site.rows(stage.tenant).await;
    let fields = [
        ("tenant_id", json!("x")),
        ("role", json!("admin")),
        ("approved_by", json!("x")),
        ("risk", json!({"tier": "read"})),
        ("id", json!("x")),
        ("status", json!(7)),
        ("created_by", json!("x")),
        ("min_votes", json!(0)),
        ("verdict", json!("allow")),
    ];
    for operation in operations().into_iter().filter(|one| one.has_body) {
        // The hooks tolerate what they do not read: that is not ours to refuse.
        if operation.path.starts_with("/api/v1/hooks/") {
            continue;
        }
        for (field, value) in &fields {
            let path = operation.filled(|template| seeds[template].clone());
            let body = json!({*field: value});
            let reply = call(&caller, &operation.method, &path, Some(&body)).await;
            let name = operation.name();
            assert!(
                reply.status.is_client_error(),
                "{name} {field}: {} {:#}",
                reply.status,
                reply.body
            );
        }
    }
    let after = site.rows(stage.tenant).await;
    // Refused logins and keys that were used are on record; nothing else is.
    for (table, hash) in before {
        if !table.starts_with("audit_") && table != "api_keys" {
            assert_eq!(after[&table], hash, "{table} changed");
        }
    }
}
