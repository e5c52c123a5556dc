//! One tenant's ids in another tenant's bodies, queries and cursors: every field the description
//! has an id in.

use std::collections::BTreeSet;

use model::Clock as _;
use model::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, SystemClock, text};
use super::objects::{self, Described};
use super::routes::{Operation, operations};
use super::stage::{REPAIR, Stage};
use super::tenancy::{Seeds, comparable, nothing, seed};

/// Whether a text of this name is an id of ours: what the caller may choose has a greatest length.
fn is_id(name: &str, schema: &Value) -> bool {
    let named = name.ends_with("_id") || name == "targets";
    let is_text = schema["type"].to_string().contains("string");
    named && is_text && schema.get("maxLength").is_none()
}

/// The ids in a body, as JSON pointers; the first of many stands for all.
fn ids_in(schema: &Value, document: &Value, way: &str, found: &mut BTreeSet<String>) {
    if way.matches('/').count() > 4 {
        return;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return ids_in(&document["components"]["schemas"][name], document, way, found);
    }
    for one in ["oneOf", "anyOf", "allOf"].iter().filter_map(|of| schema[of].as_array()).flatten() {
        ids_in(one, document, way, found);
    }
    for (name, one) in schema["properties"].as_object().into_iter().flatten() {
        ids_in(one, document, &format!("{way}/{name}"), found);
    }
    if schema["items"].is_object() {
        ids_in(&schema["items"], document, &format!("{way}/0"), found);
    }
    let name = way.trim_end_matches("/0").rsplit('/').next().unwrap_or_default();
    if is_id(name, schema) {
        found.insert(way.to_owned());
    }
}

/// What is kept as it was said: what an outside system is about to change, and the names a schedule
/// would look up when it runs.
const WORDS: [(&str, &str); 3] = [
    ("POST /api/v1/decisions/evaluate", "/payload/targets/0"),
    ("POST /api/v1/schedules", "/targets/0"),
    ("PUT /api/v1/schedules/{id}", "/targets/0"),
];

/// Every id in every body: `METHOD path` and where it stands.
fn body_ids(document: &Value) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for operation in operations().into_iter().filter(|one| one.has_body) {
        let method = operation.method.as_str().to_lowercase();
        let content = &document["paths"][&operation.path][&method]["requestBody"]["content"];
        let mut found = BTreeSet::new();
        for media in content.as_object().unwrap().values() {
            ids_in(&media["schema"], document, "", &mut found);
        }
        found.retain(|way| !WORDS.contains(&(operation.name().as_str(), way)));
        all.extend(found.into_iter().map(|way| (operation.name(), way)));
    }
    all
}

/// What of a tenant's a field of this name would name.
fn named(seeds: &Seeds, actor: &str, name: &str) -> String {
    let kind = match name {
        "actor_id" | "requester_id" => return actor.to_owned(),
        "targets" | "from_id" | "to_id" | "target_id" => "resource",
        "policy_id" => "provider-policy",
        "ml_model_id" => "model",
        "channel_id" => "notification-channel",
        "finding_ids" => "finding",
        "matched_rule_id" => "alert-rule",
        "iac_repository_id" => "iac-repository",
        "scan_credential_id" | "repository_credential_id" => "credential",
        other => &other.trim_end_matches("_id").replace('_', "-"),
    };
    let plural = match kind.strip_suffix('y') {
        Some(stem) => format!("/{stem}ies/{{id}}"),
        None => format!("/{kind}s/{{id}}"),
    };
    // What is no id of ours takes any.
    seeds.get(&plural).unwrap_or_else(|| &seeds["/resources/{id}"]).clone()
}

/// The body with this value there.
fn with(body: &Value, way: &str, id: &str) -> Value {
    let mut body = body.clone();
    let mut at = &mut body;
    for step in way.split('/').skip(1) {
        at = match step.parse::<usize>() {
            Ok(_) => {
                *at = json!([null]);
                &mut at[0]
            }
            Err(_) => &mut at[step],
        };
    }
    *at = json!(id);
    body
}

/// Asks with their ids in the place of ours.
struct Asker<'a> {
    caller: &'a Caller,
    seeds: &'a Seeds,
    actor: String,
    /// What there is to be asked, and was not yet.
    left: BTreeSet<(String, String)>,
}

impl Asker<'_> {
    fn their(&self, name: &str) -> String {
        named(self.seeds, &self.actor, name)
    }

    async fn send(&self, method: &Method, path: &str, body: &Value) -> Reply {
        let request = self.caller.request(method.clone(), path);
        let request = if path.ends_with("/import") || path == "/change-events" {
            request.header("content-type", "application/x-ndjson").body(body.to_string())
        } else {
            request.json(body)
        };
        Reply::of(request.send().await.unwrap()).await
    }

    /// Each id in the body of this operation: theirs is answered like one of nothing, and neither
    /// is taken. `body` would be good.
    async fn bodies(&mut self, method: &Method, template: &str, path: &str, body: &Value) {
        let name = format!("{method} /api/v1{template}");
        let ways: Vec<String> =
            self.left.iter().filter(|one| one.0 == name).map(|one| one.1.clone()).collect();
        for way in ways {
            let field = way.trim_end_matches("/0").rsplit('/').next().unwrap();
            let foreign = self.their(field);
            let missing = nothing(&foreign);
            let theirs = self.send(method, path, &with(body, &way, &foreign)).await;
            let nowhere = self.send(method, path, &with(body, &way, &missing)).await;
            let shown = comparable(&theirs, std::slice::from_ref(&foreign));
            assert_eq!(shown, comparable(&nowhere, &[missing]), "{name} {way}");
            // What a thing was made with stays, whatever its replacement says.
            let stayed = *method == Method::PUT && !theirs.body.to_string().contains(&foreign);
            let refused = theirs.status.is_client_error() || theirs.body["refused"] == 1;
            assert!(refused || stayed, "{name} {way}: {shown}");
            assert_ne!(theirs.status.as_u16(), 403, "{name} {way}: {shown}");
            self.left.remove(&(name.clone(), way));
        }
    }

    /// Each id in the query of this operation: theirs narrows to nothing.
    async fn queries(&self, operation: &Operation, parameters: &[Value]) -> usize {
        let (name, path) = (operation.name(), operation.filled(|_| unreachable!()));
        let mut asked = 0;
        for parameter in parameters.iter().filter(|one| one["in"] == "query") {
            let word = text(parameter, "name");
            if !word.ends_with("_id") && word != "q" {
                continue;
            }
            let foreign = self.their(&word);
            let missing = nothing(&foreign);
            let theirs = self.caller.get(&format!("{path}?{word}={foreign}")).await;
            let nowhere = self.caller.get(&format!("{path}?{word}={missing}")).await;
            let shown = comparable(&theirs, std::slice::from_ref(&foreign));
            assert_eq!(shown, comparable(&nowhere, &[missing]), "{name} {word}");
            let items = theirs.body.get("items").unwrap_or(&theirs.body);
            let empty = [json!([]), json!("")].contains(items);
            assert!(empty && theirs.status.as_u16() == 200, "{name} {word}: {shown}");
            asked += 1;
        }
        asked
    }
}

/// A good body of what is no plain object.
fn good(template: &str, asker: &Asker<'_>, runbook: &str) -> Option<Value> {
    Some(match template {
        "POST /alert-sources" => {
            let actor = asker.caller.actor.id.to_string();
            json!({"name": "another", "kind": "alertmanager", "actor_id": actor})
        }
        "POST /api-keys" => json!({"name": "another"}),
        "POST /change-events" => json!({
            "kind": "deployment", "occurred_at": "2026-03-01T10:00:00Z",
            "external_system": "argocd", "external_id": "d-1",
        }),
        "POST /drift-scans" => {
            let nothing = model::id::RepositoryId::generate().to_string();
            json!({"iac_repository_id": nothing, "against": "document"})
        }
        "POST /exceptions" => {
            let month = std::time::Duration::from_secs(30 * 24 * 3600);
            json!({"reason": "r", "expires_at": (SystemClock.now() + month).to_string()})
        }
        "POST /findings" | "POST /findings/import" => json!({
            "kind": "violation", "fingerprint": "f", "title": "t", "severity": "high",
            "violation": {},
        }),
        "POST /remediations" => {
            let nothing = model::id::FindingId::generate().to_string();
            json!({"kind": "auto_revert", "finding_ids": [nothing]})
        }
        "POST /intents/evaluate" => {
            json!({"runbook_id": runbook, "targets": ["web-1"], "variables": {"NOTE": "x"}})
        }
        "POST /resources/{id}/connections" | "PUT /connections/{id}" => {
            json!({"host": "h", "username": "u"})
        }
        "POST /runbooks/{id}/run" => {
            json!({"targets": ["web-1"], "variables": {"NOTE": "x"}})
        }
        _ => return None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_an_id_of_another_tenant_in_a_body_leads_nowhere_in_every_field() {
    let site = Site::start().await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let ours = Stage::set(&site, site.tenant(), "test").await;
    let seeds = seed(&site, &theirs).await;
    let runbook = site.runbook(&ours.admin, REPAIR).await;
    let (caller, _) = site.person_of(ours.tenant, "everything", Role::ALL).await;
    let path = format!("/resources/{}/connections", ours.resource);
    let connections = caller.get(&path).await.expect(200);
    let connection = text(&connections[0], "id");
    let before = (site.rows(theirs.tenant).await, site.count(ours.tenant, "intents").await);

    let document = serde_json::to_value(server::router::openapi()).unwrap();
    let left = body_ids(&document);
    let all = left.len();
    assert!(all > 60, "only {all} ids in bodies");
    let actor = theirs.source.actor.id.to_string();
    let mut asker = Asker { caller: &caller, seeds: &seeds, actor, left };
    for operation in operations() {
        let template = operation.path.trim_start_matches("/api/v1").to_owned();
        let Some(body) = good(&format!("{} {template}", operation.method), &asker, &runbook) else {
            continue;
        };
        let path = operation.filled(|at| match at {
            "/connections/{id}" => connection.clone(),
            "/runbooks/{id}" => runbook.clone(),
            _ => ours.resource.clone(),
        });
        asker.bodies(&operation.method, &template, &path, &body).await;
    }
    let (_, made) = objects::make_each(&site, &ours, async |kind: &Described, body: &Value| {
        let import = format!("{}/import", kind.path);
        asker.bodies(&Method::POST, &kind.path, &kind.path, body).await;
        asker.bodies(&Method::POST, &import, &import, body).await;
    })
    .await;
    // A conversation is its owner's.
    asker.caller = &ours.admin;
    for (kind, shown) in &made {
        let path = format!("{}/{}", kind.path, text(shown, "id"));
        // As it is shown, without what nobody may set.
        let given = kind.example.as_object().unwrap().keys();
        let body: Value = given
            .map(|field| (field.clone(), shown[field].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        asker.bodies(&Method::PUT, &kind.one(), &path, &body).await;
    }
    assert_eq!(asker.left, BTreeSet::new(), "give this test a good body of these");
    println!("asked with {all} ids in bodies");

    let after = (site.rows(theirs.tenant).await, site.count(ours.tenant, "intents").await);
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_an_id_or_a_cursor_of_another_tenant_in_a_query_finds_nothing() {
    let site = Site::start().await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let ours = Stage::set(&site, site.tenant(), "test").await;
    let seeds = seed(&site, &theirs).await;
    seed(&site, &ours).await;
    let (caller, _) = site.person_of(ours.tenant, "everything", Role::ALL).await;
    let before = site.rows(theirs.tenant).await;
    let document = serde_json::to_value(server::router::openapi()).unwrap();
    let actor = theirs.source.actor.id.to_string();
    let asker = Asker { caller: &caller, seeds: &seeds, actor, left: BTreeSet::new() };
    let foreign: Vec<&String> = seeds.values().filter(|id| id.len() > 30).collect();
    let (mut asked, mut turned) = (0, 0);
    for operation in operations() {
        let plain = operation.method == Method::GET && !operation.path.contains('{');
        let parameters = document["paths"][&operation.path]["get"]["parameters"].as_array();
        let Some(parameters) = parameters.filter(|_| plain) else { continue };
        asked += asker.queries(&operation, parameters).await;
        if parameters.iter().any(|one| one["name"] == "cursor") {
            let path = operation.filled(|_| unreachable!());
            let first = theirs.admin.get(&format!("{path}?limit=1")).await.expect(200);
            let Some(cursor) = first["next_cursor"].as_str() else { continue };
            let page = caller.get(&format!("{path}?limit=1&cursor={cursor}")).await;
            let shown = page.body.to_string();
            assert!(!foreign.iter().any(|id| shown.contains(*id)), "{path}: {shown}");
            turned += 1;
        }
    }
    assert!(asked > 80 && turned > 3, "only {asked} ids in queries and {turned} cursors");
    println!("asked with {asked} ids in queries and {turned} cursors");
    for (table, hash) in site.rows(theirs.tenant).await {
        // Their sessions were used: by them, for the cursors.
        if table != "user_sessions" {
            assert_eq!(before[&table], hash, "{table} of the other tenant changed");
        }
    }
}
