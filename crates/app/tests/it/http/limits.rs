//! Bodies that are too much of a good thing: every field of every endpoint has an end.

use std::collections::{BTreeMap, BTreeSet};

use model::actor::Role;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::harness::{Caller, Reply, Site};
use super::objects;
use super::routes::{Operation, operations};
use super::stage::{Stage, alert, group};
use super::tenancy::{self, Seeds, call, seed};

/// More than the largest document one field may hold.
const BYTES: usize = 300_000;
/// More entries than any list or map may have; together they are larger than a document, too.
const ENTRIES: usize = 2_000;
/// As long as one of so many must be.
const ENTRY: usize = BYTES / ENTRIES;

/// The document, to look schemas up in.
struct Described(Value);

impl Described {
    fn new() -> Self {
        Self(serde_json::to_value(server::router::openapi()).unwrap())
    }

    fn resolved<'d>(&'d self, schema: &'d Value) -> &'d Value {
        match schema["$ref"].as_str() {
            Some(name) => self.resolved(self.0.pointer(name.trim_start_matches('#')).unwrap()),
            None => ["oneOf", "anyOf", "allOf"]
                .iter()
                .find_map(|word| schema[*word].as_array())
                .and_then(|all| all.iter().find(|one| one["type"] != "null"))
                .map_or(schema, |one| self.resolved(one)),
        }
    }

    /// What an operation takes.
    fn taken(&self, path: &str, method: &Method) -> &Value {
        let method = method.as_str().to_lowercase();
        let content = &self.0["paths"][path][method]["requestBody"]["content"];
        self.resolved(&content["application/json"]["schema"])
    }

    fn is(&self, schema: &Value, word: &str) -> bool {
        let kind = &self.resolved(schema)["type"];
        kind == word || kind.as_array().is_some_and(|all| all.iter().any(|one| one == word))
    }

    /// Something that fits.
    fn good(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        if let Some(example) = schema.get("example") {
            return example.clone();
        }
        if let Some(first) = schema["enum"].as_array().and_then(|words| words.first()) {
            return first.clone();
        }
        if self.is(schema, "object") {
            let required: BTreeSet<&str> = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields = fields.filter(|(name, _)| required.contains(name.as_str()));
            return fields
                .map(|(name, field)| (name.clone(), self.good(field)))
                .collect::<Map<_, _>>()
                .into();
        }
        match ["array", "string", "integer", "number", "boolean"]
            .iter()
            .position(|word| self.is(schema, word))
        {
            Some(0) => json!([]),
            Some(1) => json!("x"),
            Some(2 | 3) => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
            Some(4) => json!(false),
            _ => json!({}),
        }
    }

    /// A text of one character more than a field says it takes.
    fn one_more(&self, schema: &Value) -> Option<Value> {
        let of = |schema: &Value| schema["maxLength"].as_u64();
        let longest = of(schema).or_else(|| of(self.resolved(schema)))?;
        Some(json!("a".repeat(usize::try_from(longest + 1).unwrap())))
    }

    /// Too much of what a field takes; nothing where there cannot be.
    fn too_much(&self, schema: &Value) -> Option<Value> {
        let schema = self.resolved(schema);
        if self.is(schema, "string") {
            return Some(json!("a".repeat(BYTES)));
        }
        if self.is(schema, "array") {
            let item = &schema["items"];
            let items = (0..ENTRIES).map(|at| {
                let text = format!("{at:0ENTRY$}");
                if self.is(item, "string") {
                    json!(text)
                } else if self.is(item, "array") {
                    json!(vec![1_234_567.25; 20])
                } else if self.is(item, "number") || self.is(item, "integer") {
                    json!(1_234_567_890)
                } else {
                    json!({"k": text})
                }
            });
            let items: Vec<Value> = items.collect();
            // Numbers are short: of them it takes more.
            let more = if items.first().is_some_and(Value::is_number) { 20 } else { 1 };
            return Some(vec![items; more].concat().into());
        }
        if schema.get("properties").is_some() || self.is(schema, "integer") {
            return None;
        }
        if self.is(schema, "number") || self.is(schema, "boolean") {
            return None;
        }
        let named = |at: usize| (format!("k{at}"), json!(format!("{at:0ENTRY$}")));
        Some((0..ENTRIES).map(named).collect::<Map<_, _>>().into())
    }

    /// Every body with too much in one field, and where that is.
    fn bodies(&self, schema: &Value, good: &Value) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let mut put = |path: String, value: Value| {
                let mut body = good.clone();
                body[name] = value;
                all.push((path, body));
            };
            let path = format!("/{name}");
            if let Some(value) = self.one_more(field) {
                put(path.clone(), value);
            }
            if let Some(value) = self.too_much(field) {
                put(path, value);
            } else if self.is(field, "object") {
                let inner = self.resolved(field);
                for (below, value) in self.bodies(inner, &self.good(inner)) {
                    put(format!("{path}{below}"), value);
                }
            }
        }
        all
    }
}

/// What is compared and kept nowhere: whatever it is, it is wrong, and the answer says no more.
const COMPARED: [&str; 10] = [
    "POST /api/v1/account/password /current_password",
    "POST /api/v1/account/second-factor /current_password",
    "POST /api/v1/account/second-factor/confirm /code",
    "POST /api/v1/account/second-factor/remove /code",
    "POST /api/v1/account/step-up /code",
    "POST /api/v1/invitations/accept /token",
    "POST /api/v1/login /password",
    "POST /api/v1/login /tenant",
    "POST /api/v1/login /username",
    "POST /api/v1/one-time-secrets/unwrap /token",
];

/// Bodies that would be good, so that what is too much is what decides.
struct Good {
    seeds: Seeds,
    ids: BTreeMap<String, String>,
    actor: String,
    host_key: String,
    kinds: Vec<objects::Described>,
}

impl Good {
    /// With somebody who may do everything.
    async fn set(site: &Site, stage: &Stage) -> (Caller, Self) {
        let seeds = seed(site, stage).await;
        let (caller, user) = site.person_of(stage.tenant, "everything", Role::ALL).await;
        let mut ids: BTreeMap<String, String> =
            ["finding", "resource", "environment", "connection", "runbook"]
                .map(|word| (format!("{word}_id"), seeds[&format!("/{word}s/{{id}}")].clone()))
                .into();
        ids.insert("user_id".to_owned(), user.to_string());
        let kinds = objects::described();
        for kind in &kinds {
            ids.insert(format!("{}_id", kind.word), seeds[&kind.one()].clone());
        }
        let actor = caller.actor.id.to_string();
        let host_key = stage.sshd.host_key().to_owned();
        (caller, Self { seeds, ids, actor, host_key, kinds })
    }

    fn of(&self, described: &Described, operation: &Operation, schema: &Value) -> Value {
        let name = operation.name();
        let path = operation.path.trim_start_matches("/api/v1");
        let plain = self
            .kinds
            .iter()
            .find(|kind| [kind.path.as_str(), kind.one().as_str()].contains(&path));
        if let Some(kind) = plain {
            return kind.body(&self.ids).unwrap();
        }
        match path {
            "/account/password" => json!({
                "current_password": "x", "new_password": "correct horse battery staple",
            }),
            "/account/step-up" => json!({"code": "123456", "bound_hash": "0".repeat(64)}),
            "/alert-sources" => json!({
                "name": "n", "kind": "generic", "actor_id": self.actor,
                "mapping": {"name": "/a", "starts_at": "/b"}, "secret": "sixteen bytes at least",
            }),
            "/intents/evaluate" => {
                json!({"runbook_id": self.seeds["/runbooks/{id}"], "targets": ["web-1"]})
            }
            "/invitations/accept" => json!({
                "token": "x", "username": "u", "full_name": "f",
                "password": "correct horse battery staple",
            }),
            _ if path.contains('{') => {
                tenancy::body(&name, &self.seeds["/environments/{id}"], &self.host_key)
            }
            _ => described.good(schema),
        }
    }
}

/// Whether an answer says where too much was: there, or in what it is part of.
fn names(reply: &Reply, place: &str) -> bool {
    let path = reply.path();
    let refused = [400, 413].contains(&reply.status.as_u16());
    let place = match place {
        // A runbook's variables are those it declares.
        "/variables" if path.starts_with("/environment_vars/") => "/environment_vars",
        // Its address, of 500 characters, ends with a provider's name.
        "/name" if path == "/redirect_uri" => path,
        other => other,
    };
    let part = !path.is_empty() && place.starts_with(&format!("{path}/"));
    (refused && (path.starts_with(place) || part)) || reply.body["accepted"] == false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_too_much_in_any_field_of_any_endpoint_is_refused_with_its_path() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let (caller, good) = Good::set(&site, &stage).await;
    let described = Described::new();
    let before = site.rows(stage.tenant).await;
    let (mut asked, mut wrong) = (0, Vec::new());
    for operation in operations().into_iter().filter(|one| one.has_body) {
        let schema = described.taken(&operation.path, &operation.method);
        let name = operation.name();
        let whole = good.of(&described, &operation, schema);
        for (place, mut body) in described.bodies(schema, &whole) {
            if operation.path == "/api/v1/findings" && place.starts_with("/drift") {
                body["kind"] = json!("drift");
                body.as_object_mut().unwrap().remove("violation");
            }
            if operation.path == "/api/v1/decisions/evaluate" && place.starts_with("/payload/") {
                body["intent_type"] = json!("provision_resource");
            }
            let path = operation.filled(|template| good.seeds[template].clone());
            let reply = call(&caller, &operation.method, &path, Some(&body)).await;
            asked += 1;
            let field = format!("{name} {place}");
            let length = reply.body.to_string().len();
            let compared = COMPARED.contains(&field.as_str()) && !reply.status.is_server_error();
            if !(names(&reply, &place) || compared) || length > 10_000 {
                let shown: String = reply.body.to_string().chars().take(300).collect();
                wrong.push(format!("{field}: {} {} {length} {shown}", reply.status, reply.path()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 200, "only {asked} fields");
    let after = site.rows(stage.tenant).await;
    for (table, hash) in before {
        let aside = ["api_keys", "second_factors", "user_sessions"].contains(&table.as_str());
        assert!(table.starts_with("audit_") || aside || after[&table] == hash, "{table} changed");
    }
}

/// What nobody may set: each is said by the server alone, somewhere.
const NOT_SET: [&str; 9] = [
    "tenant_id",
    "role",
    "approved_by",
    "risk",
    "id",
    "created_by",
    "min_votes",
    "verdict",
    "requester_actor_id",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t3_a_good_body_is_refused_for_the_one_field_nobody_may_set() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let (caller, good) = Good::set(&site, &stage).await;
    let described = Described::new();
    let (mut asked, mut wrong) = (0, Vec::new());
    for operation in operations().into_iter().filter(|one| one.has_body) {
        // The hooks tolerate what they do not read; imports take lines, below.
        if operation.path.contains("/hooks/")
            || operation.path.ends_with("/import")
            || operation.path.ends_with("/drifts")
            || operation.path.ends_with("/change-events")
        {
            continue;
        }
        let schema = described.taken(&operation.path, &operation.method);
        let whole = good.of(&described, &operation, schema);
        let path = operation.filled(|template| good.seeds[template].clone());
        for field in NOT_SET {
            if schema["properties"].get(field).is_some() {
                continue;
            }
            let mut body = whole.clone();
            body[field] = json!("x");
            let reply = call(&caller, &operation.method, &path, Some(&body)).await;
            asked += 1;
            if (reply.status.as_u16(), reply.path()) != (400, &*format!("/{field}")) {
                let name = operation.name();
                wrong.push(format!("{name} {field}: {} {:#}", reply.status, reply.body));
            }
        }
    }
    for kind in &good.kinds {
        let path = format!("{}/import", kind.path);
        if !operations().iter().any(|one| one.path == format!("/api/v1{path}")) {
            continue;
        }
        let mut line = kind.body(&good.ids).unwrap();
        line["tenant_id"] = json!("x");
        let request = caller.request(Method::POST, &path);
        let request = request.header("content-type", "application/x-ndjson");
        let reply = Reply::of(request.body(line.to_string()).send().await.unwrap()).await;
        asked += 1;
        if reply.body["errors"][0]["errors"][0]["path"] != "/tenant_id" {
            wrong.push(format!("{path}: {} {:#}", reply.status, reply.body));
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 500, "only {asked} bodies");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_a_million_labels_and_labels_of_megabytes_are_refused_or_set_aside() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let with = |labels: Value| {
        let mut one = alert("Broken", "web-1", 1, "x");
        one["labels"] = labels;
        group(&[one, alert("Good", "web-1", 2, "x")]).to_string()
    };
    let labels = |count: usize| -> Value {
        let named = |at: usize| (format!("l{at}"), json!(""));
        let mut all: Map<String, Value> = (0..count).map(named).collect();
        all.insert("alertname".to_owned(), json!("Broken"));
        all.into()
    };
    // A million labels are more than is read, in bytes or in values.
    for count in [100_000, 600_000, 1_000_000] {
        let reply = answered(&stage, &with(labels(count))).await;
        let (status, length) = (reply.status.as_u16(), reply.body.to_string().len());
        match count {
            100_000 => assert_eq!(reply.expect(200)["quarantined"], 1),
            _ => assert_eq!((status, reply.code()), (413, "too_large"), "{:#}", reply.body),
        }
        assert!(length < 10_000);
    }
    let huge = |bytes: usize| json!({"alertname": "Broken", "huge": "x".repeat(bytes)});
    let reply = answered(&stage, &with(huge(10 << 20))).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (413, "too_large"));
    // One bad alert in a group that can be read is set aside, with the place of its fault.
    for (labels, place) in [
        (labels(101), "/alerts/0/labels"),
        (huge(1 << 20), "/alerts/0/labels/huge"),
        (json!({"alertname": "x".repeat(5000)}), "/alerts/0/labels/alertname"),
        (json!({"alertname": "a", "y".repeat(1000): "b"}), "/alerts/0/labels"),
    ] {
        let reply = stage.source.raw("/hooks/alertmanager", with(labels)).await.expect(200);
        assert_eq!(reply["quarantined"], 1, "{reply:#}");
        let aside = stage.admin.get("/quarantined-alerts?limit=1").await.expect(200);
        assert_eq!(aside["items"][0]["path"], place, "{:#}", aside["items"][0]["reason"]);
    }
}

/// The answer to what a source sends. What is too large is answered before it is read, and then the
/// server hangs up: whoever is still sending may learn of the one before the other, and sends again.
async fn answered(stage: &Stage, body: &str) -> Reply {
    for _ in 0..50 {
        let request = stage.source.request(Method::POST, "/hooks/alertmanager");
        let request = request.header("content-type", "application/json").body(body.to_owned());
        match request.send().await {
            Ok(answer) => return Reply::of(answer).await,
            Err(error) => assert!(error.is_request(), "{error:?}"),
        }
    }
    panic!("the server hung up fifty times before its answer was read")
}

/// Names whose FNV-1a and DJB hashes have been made to be alike by the thousand are no slower and
/// no different from others: maps of what comes in are trees, and what tells problems apart is a
/// SHA-256 over lengths and texts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_names_made_to_collide_stay_apart() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    // Equal in hash, by construction of DJB's: 33 * 'E' + 'z' = 33 * 'F' + 'Y'.
    let colliding = |bits: usize| -> String {
        (0..6).map(|at| if bits >> at & 1 == 0 { "Ez" } else { "FY" }).collect()
    };
    let labels: Map<String, Value> = (0..64)
        .map(|bits| (colliding(bits), json!(bits.to_string())))
        .chain([("alertname".to_owned(), json!("Broken"))])
        .collect();
    let mut split = Vec::new();
    // The same bytes, cut between name and value in other places.
    for at in 1..6 {
        let (name, value) = "abcdef".split_at(at);
        let mut one = alert("Broken", "web-1", 1, "x");
        one["labels"] = json!({"alertname": "Broken", name: value});
        one.as_object_mut().unwrap().remove("fingerprint");
        split.push(one);
    }
    let mut one = alert("Broken", "web-1", 1, "x");
    one["labels"] = labels.clone().into();
    one.as_object_mut().unwrap().remove("fingerprint");
    split.push(one);
    let receipt = stage.source.post("/hooks/alertmanager", &group(&split)).await.expect(200);
    assert_eq!(receipt["new"], 6, "{receipt:#}");
    let kept = stage.admin.get("/alerts").await.expect(200);
    let kept: Vec<&Value> =
        kept["items"].as_array().unwrap().iter().map(|alert| &alert["labels"]).collect();
    assert!(kept.contains(&&Value::from(labels)), "{kept:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_a_pattern_without_end_in_a_runbook_is_refused_with_its_path() {
    let site = Site::start().await;
    let admin = site.caller("ada", Role::ALL).await;
    for pattern in ["a".repeat(50_000), "((a{100}){100}){100}".to_owned()] {
        let yaml = format!(
            "name: a\nsteps:\n  - name: A\n    command: ls\ntriggers:\n  - name: t\n    \
             alert_name_pattern: 're:{pattern}'\n"
        );
        let reply: Reply = admin.post("/runbooks", &json!({"yaml": yaml})).await;
        assert_eq!(reply.status.as_u16(), 400, "{:#}", reply.body);
        let faults = reply.body["errors"].as_array().unwrap();
        let named = |fault: &Value| {
            let path = fault["path"].as_str().unwrap_or_default();
            path.ends_with("/triggers/0/alert_name_pattern") && fault["code"] == "pattern"
        };
        assert!(faults.iter().any(named), "{:#}", reply.body);
        assert!(reply.body.to_string().len() < 10_000);
    }
}
