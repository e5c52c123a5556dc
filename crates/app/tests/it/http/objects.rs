//! Plain objects: each is made as the example in its description says, and then shown, listed,
//! replaced and removed.

use std::collections::BTreeMap;

use model::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, text};
use super::stage::{Stage, alert};

/// A kind of object, as the description has it.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    /// Below the API's prefix.
    pub(crate) path: String,
    pub(crate) example: Value,
    pub(crate) word: String,
    filters: Vec<(String, String)>,
    sorts: Vec<String>,
    verbs: Vec<String>,
}

impl Described {
    /// `/services/{id}`.
    pub(crate) fn one(&self) -> String {
        format!("{}/{{id}}", self.path)
    }

    /// A body for one more beside one that is there: `mark` makes its names others.
    pub(crate) fn another(&self, shown: &Value, mark: &str) -> Value {
        const NAMES: [&str; 6] = ["name", "slug", "external_id", "address", "branch", "version"];
        let mut body = self.example.clone();
        for (key, value) in body.as_object_mut().unwrap() {
            *value = shown[key].clone();
            if NAMES.contains(&key.as_str()) {
                *value = json!(format!("{}-{mark}", text(shown, key)));
            }
        }
        body
    }

    fn may(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// The example, with ids of what is there.
    pub(crate) fn body(&self, ids: &BTreeMap<String, String>) -> Option<Value> {
        let mut body = self.example.clone();
        for (field, value) in body.as_object_mut().unwrap() {
            if !value.as_str().is_some_and(|value| value.contains("0190a3c4")) {
                continue;
            }
            let of = match field.as_str() {
                "from_id" | "to_id" => "resource_id",
                "policy_id" => "provider_policy_id",
                other => other,
            };
            *value = json!(ids.get(of)?);
        }
        Some(body)
    }
}

/// Every kind whose description has an example of its own: those with uniform endpoints.
pub(crate) fn described() -> Vec<Described> {
    let document = serde_json::to_value(server::router::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, methods) in paths {
        let id = methods["post"]["operationId"].as_str().unwrap_or_default();
        let Some(word) = id.strip_prefix("make_") else { continue };
        let body = &methods["post"]["requestBody"]["content"]["application/json"]["schema"];
        let name = body["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let example = document["components"]["schemas"][name]["example"].clone();
        assert!(example.is_object(), "{name} has no example");
        let parameters = methods["get"]["parameters"].as_array().unwrap();
        let sort = parameters.iter().find(|one| one["name"] == "sort").unwrap();
        let one = paths[&format!("{path}/{{id}}")].as_object().unwrap();
        all.push(Described {
            path: path.strip_prefix("/api/v1").unwrap().to_owned(),
            example,
            word: word.to_owned(),
            filters: parameters
                .iter()
                .map(|one| (text(one, "name"), text(one, "description")))
                .filter(|(name, _)| !["limit", "cursor", "sort", "q"].contains(&name.as_str()))
                .collect(),
            sorts: serde_json::from_value(sort["schema"]["enum"].clone()).unwrap(),
            verbs: one.keys().cloned().collect(),
        });
    }
    assert!(all.len() > 10, "only {} kinds", all.len());
    all
}

/// Makes one object of every kind; gives their ids by the path that leads to them, and what their
/// maker said.
pub(crate) async fn make_all(
    site: &Site,
    stage: &Stage,
) -> (BTreeMap<String, String>, Vec<(Described, Value)>) {
    make_each(site, stage, async |_: &Described, _: &Value| ()).await
}

/// The same, with a look at the body of each just before it is made.
pub(crate) async fn make_each(
    site: &Site,
    stage: &Stage,
    mut before: impl AsyncFnMut(&Described, &Value),
) -> (BTreeMap<String, String>, Vec<(Described, Value)>) {
    let finding = stage.fire(alert("Surrounded", "web-1", 9, "x")).await;
    let path = format!("/resources/{}", stage.resource);
    let resource = stage.admin.get(&path).await.expect(200);
    let connections = stage.admin.get(&format!("{path}/connections")).await.expect(200);
    let mut ids = BTreeMap::from([
        ("finding_id".to_owned(), finding),
        ("resource_id".to_owned(), stage.resource.clone()),
        ("environment_id".to_owned(), text(&resource, "environment_id")),
        ("connection_id".to_owned(), text(&connections[0], "id")),
        ("runbook_id".to_owned(), site.runbook(&stage.admin, SCHEDULED).await),
        ("user_id".to_owned(), stage.user.to_string()),
    ]);
    let (mut paths, mut made) = (BTreeMap::new(), Vec::new());
    let mut waiting = described();
    while !waiting.is_empty() {
        let left = waiting.len();
        let mut later = Vec::new();
        for kind in waiting {
            let Some(body) = kind.body(&ids) else {
                later.push(kind);
                continue;
            };
            before(&kind, &body).await;
            let reply = stage.admin.post(&kind.path, &body).await;
            assert_eq!(reply.status.as_u16(), 201, "{}: {:#}", kind.path, reply.body);
            let id = text(&reply.body, "id");
            ids.insert(format!("{}_id", kind.word), id.clone());
            paths.insert(kind.one(), id);
            made.push((kind, reply.body));
        }
        waiting = later;
        assert!(waiting.len() < left, "the examples refer to what nobody makes: {waiting:#?}");
    }
    (paths, made)
}

/// A runbook nothing triggers.
const SCHEDULED: &str = "name: by the clock\nstatus: active\nsteps:\n  - name: look\n    \
    command: uptime\n    semantics: read\n    stage: verify\n    action: host.read\n";

async fn with_tag(
    caller: &Caller,
    method: Method,
    path: &str,
    tag: &str,
    body: Option<&Value>,
) -> Reply {
    let request = caller.request(method, path).header("if-match", tag);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    Reply::of(request.send().await.unwrap()).await
}

fn tag(reply: &Reply) -> String {
    reply.headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_is_kept_as_its_example_says_and_shown_as_it_was_given() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let (_, made) = make_all(&site, &stage).await;
    for (kind, shown) in &made {
        for (field, given) in kind.example.as_object().unwrap() {
            let id = given.as_str().is_some_and(|given| given.contains("0190a3c4"));
            assert!(
                id || shown[field] == *given,
                "{} {field}: {} {given}",
                kind.path,
                shown[field]
            );
        }
        let one = format!("{}/{}", kind.path, text(shown, "id"));
        let found = stage.admin.get(&one).await;
        assert_eq!((found.status.as_u16(), &found.body), (200, shown), "{one}");
        let listed = stage.admin.get(&kind.path).await.expect(200);
        assert!(listed["items"].as_array().unwrap().contains(shown), "{}", kind.path);
    }
    println!("objects: {} kinds made, shown and listed", made.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_is_narrowed_by_each_filter_and_sorted_by_each_order() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let (_, made) = make_all(&site, &stage).await;
    let mut asked = 0;
    for (kind, shown) in &made {
        for (name, what) in &kind.filters {
            let cut = name.strip_suffix("_from").or_else(|| name.strip_suffix("_before"));
            let column = cut.filter(|_| what.starts_with('`')).unwrap_or(name);
            let value = match &shown[column] {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Array(items) => items[0].as_str().unwrap().to_owned(),
                other => other.to_string(),
            };
            let path = format!("{}?{name}={}", kind.path, urlencoded(&value));
            let listed = stage.admin.get(&path).await.expect(200);
            let expected = cut.is_none() || name.ends_with("_from");
            assert_eq!(listed["items"].as_array().unwrap().contains(shown), expected, "{path}");
            asked += 1;
        }
        for sort in &kind.sorts {
            let path = format!("{}?sort={sort}", kind.path);
            let listed = stage.admin.get(&path).await.expect(200);
            assert!(listed["items"].as_array().unwrap().contains(shown), "{path}");
            asked += 1;
        }
        let path = format!("{}?colour=red", kind.path);
        let refused = stage.admin.get(&path).await;
        assert_eq!((refused.status.as_u16(), refused.path()), (400, "query.colour"), "{path}");
    }
    println!("objects: {asked} filters and orders asked");
}

fn urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_rules_of_its_own_is_changed_as_it_was_seen() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let rule = json!({"name": "databases", "action": "manual"});
    let window = json!({
        "name": "freeze", "start_time": "2026-03-01T22:00:00", "end_time": "2026-03-02T02:00:00",
    });
    let connection = json!({"host": "10.0.0.7", "username": "deploy"});
    let user = json!({"username": "somebody", "roles": ["viewer"]});
    let service = json!({"name": "pipeline", "roles": ["viewer"]});
    let less = json!({"is_active": false});
    let at_server = format!("/resources/{}/connections", stage.resource);
    let connections = stage.admin.get(&at_server).await.expect(200);
    for (path, body, method, given) in [
        ("/alert-rules", rule.clone(), Method::PUT, json!({"name": "others", "action": "manual"})),
        ("/blackout-windows", window.clone(), Method::PUT, {
            let mut later = window.clone();
            later["end_time"] = json!("2026-03-02T03:00:00");
            later
        }),
        ("/connections", Value::Null, Method::PUT, connection),
        ("/users", user, Method::PATCH, less.clone()),
        ("/service-accounts", service, Method::PATCH, less),
    ] {
        let made = match &body {
            Value::Null => connections[0].clone(),
            body => stage.admin.post(path, body).await.expect(201),
        };
        let made = made.get("user").unwrap_or(&made);
        let one = format!("{path}/{}", text(made, "id"));
        let seen = tag(&stage.admin.get(&one).await);
        let replaced = with_tag(&stage.admin, method.clone(), &one, &seen, Some(&given)).await;
        assert_eq!(replaced.status.as_u16(), 200, "{one}: {:#}", replaced.body);
        let now = stage.admin.get(&one).await;
        assert_eq!((&now.body, tag(&now)), (&replaced.body, tag(&replaced)), "{one}");
        // Somebody else's change came between.
        let stale = with_tag(&stage.admin, method, &one, &seen, Some(&given)).await;
        assert_eq!((stale.status.as_u16(), stale.code()), (412, "changed_meanwhile"), "{one}");
        assert_eq!(stage.admin.get(&one).await.body, now.body, "{one}");
        if ["/alert-rules", "/blackout-windows"].contains(&path) {
            let stale = with_tag(&stage.admin, Method::DELETE, &one, &seen, None).await;
            assert_eq!(stale.status.as_u16(), 412, "{one}");
            let gone = with_tag(&stage.admin, Method::DELETE, &one, &tag(&now), None).await;
            assert_eq!(gone.status.as_u16(), 204, "{one}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_replaces_or_removes_says_which_state_they_saw() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let (_, made) = make_all(&site, &stage).await;
    // What cannot be removed may hold what it refers to.
    let held: Vec<&Value> = made
        .iter()
        .filter(|(kind, _)| !kind.may("delete"))
        .flat_map(|(_, shown)| shown.as_object().unwrap().values())
        .collect();
    // What refers to others goes first.
    for (kind, shown) in made.iter().rev() {
        let one = format!("{}/{}", kind.path, text(shown, "id"));
        let seen = tag(&stage.admin.get(&one).await);
        let other = "\"00000000000000000000000000000000\"";
        if kind.may("put") {
            let mut body = kind.example.clone();
            for (field, value) in body.as_object_mut().unwrap() {
                *value = shown[field].clone();
            }
            let stale = with_tag(&stage.admin, Method::PUT, &one, other, Some(&body)).await;
            assert_eq!((stale.status.as_u16(), stale.code()), (412, "changed_meanwhile"), "{one}");
            let replaced = with_tag(&stage.admin, Method::PUT, &one, &seen, Some(&body)).await;
            assert_eq!(replaced.status.as_u16(), 200, "{one}: {:#}", replaced.body);
            let now = stage.admin.get(&one).await;
            assert_eq!((&now.body, tag(&now)), (&replaced.body, tag(&replaced)), "{one}");
        } else {
            let refused = stage.admin.send(Method::PUT, &one, &kind.example).await;
            assert_eq!(refused.status.as_u16(), 405, "{one}");
        }
        if kind.may("delete") {
            let stale = with_tag(&stage.admin, Method::DELETE, &one, other, None).await;
            assert_eq!(stale.status.as_u16(), 412, "{one}");
            let now = tag(&stage.admin.get(&one).await);
            let gone = with_tag(&stage.admin, Method::DELETE, &one, &now, None).await;
            if held.contains(&&shown["id"]) && gone.status.as_u16() == 409 {
                assert_eq!(gone.code(), "in_use", "{one}");
                continue;
            }
            assert_eq!(gone.status.as_u16(), 204, "{one}: {:#}", gone.body);
            assert_eq!(stage.admin.get(&one).await.status.as_u16(), 404, "{one}");
        }
    }
    site.verified(stage.tenant).await;
    for (verb, values) in [("created", "new"), ("updated", "old"), ("deleted", "old")] {
        let path = format!("/audit/events?action=service.{verb}");
        let events = stage.admin.get(&path).await.expect(200);
        let path = format!("/audit/events/{}", text(&events["items"][0], "id"));
        let event = stage.admin.get(&path).await.expect(200).to_string();
        assert!(event.contains(&format!("{values}_values")), "{event}");
        assert!(event.contains("checkout"), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_object_refers_to_must_be_there_and_stays_while_it_is_needed() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let edge = json!({
        "from_id": stage.resource, "relation": "depends_on",
        "to_id": model::id::ResourceId::generate().to_string(),
    });
    let refused = stage.admin.post("/resource-edges", &edge).await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "/to_id"), "{:#}", refused.body);
    let service = json!({ "name": "checkout" });
    stage.admin.post("/services", &service).await.expect(201);
    let again = stage.admin.post("/services", &service).await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "already_there"));
    let unknown = stage.admin.post("/services", &json!({ "name": "x", "colour": "red" })).await;
    assert_eq!(unknown.status.as_u16(), 400, "{:#}", unknown.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_to_nothing_is_refused_by_the_name_of_its_field() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let (_, made) = make_all(&site, &stage).await;
    let nothing = |id: &str| {
        let (prefix, _) = id.split_once('_').unwrap();
        json!(format!("{prefix}_{}", model::id::FindingId::generate().uuid()))
    };
    let mut asked = 0;
    for (kind, shown) in &made {
        for (field, value) in kind.example.as_object().unwrap() {
            if !value.as_str().is_some_and(|value| value.contains("0190a3c4")) {
                continue;
            }
            let mut body = kind.another(shown, field);
            body[field] = nothing(value.as_str().unwrap());
            let refused = stage.admin.post(&kind.path, &body).await;
            let path = format!("/{field}");
            assert_eq!(
                (refused.status.as_u16(), refused.path()),
                (400, path.as_str()),
                "{} {:#}",
                kind.path,
                refused.body
            );
            asked += 1;
        }
    }
    let violation = json!({
        "kind": "violation", "fingerprint": "x", "title": "x", "severity": "low", "violation": {},
    });
    let drift = json!({
        "kind": "drift", "fingerprint": "x", "title": "x", "severity": "low",
        "drift": {"drift_type": "modified"},
    });
    for (report, pointer, id) in [
        (&violation, "/resource_id", "res_"),
        (&violation, "/environment_id", "env_"),
        (&violation, "/violation/policy_id", "ppl_"),
        (&drift, "/drift/iac_resource_id", "dcl_"),
    ] {
        let mut body = report.clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[field] = nothing(id);
        let refused = stage.admin.post("/findings", &body).await;
        assert_eq!((refused.status.as_u16(), refused.path()), (400, pointer), "{:#}", refused.body);
        asked += 1;
    }
    println!("objects: {asked} references to nothing refused by name");
    assert!(asked > 25, "{asked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_goes_through_all_pages_in_every_order_and_shows_each_object_once() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    for number in 0..25 {
        let service = json!({ "name": format!("service-{number:02}"), "owner_team": "t%_\\" });
        admin.post("/services", &service).await.expect(201);
    }
    for sort in ["name", "-name", "created_at", "-updated_at", "id", "-id"] {
        let (mut cursor, mut names) = (String::new(), Vec::new());
        loop {
            let path = format!("/services?limit=7&sort={sort}{cursor}");
            let page = admin.get(&path).await.expect(200);
            let items = page["items"].as_array().unwrap();
            names.extend(items.iter().map(|item| text(item, "name")));
            if page["has_next"] == false {
                break;
            }
            cursor = format!("&cursor={}", text(&page, "next_cursor"));
        }
        let mut expected: Vec<String> = (0..25).map(|n| format!("service-{n:02}")).collect();
        if sort.starts_with('-') {
            expected.reverse();
        }
        assert_eq!(names, expected, "{sort}");
    }
    let page = admin.get("/services?limit=1&sort=name").await.expect(200);
    let other = format!("/services?sort=-name&cursor={}", text(&page, "next_cursor"));
    let refused = admin.get(&other).await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "query.cursor"));
    // What is searched for is text, not a pattern.
    let found = admin.get("/services?q=%25_%5C").await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 20);
    assert_eq!(admin.get("/services?q=service%25").await.expect(200)["items"], json!([]));
    assert_eq!(
        admin.get("/services?q=SERVICE-07").await.expect(200)["items"][0]["name"],
        "service-07"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_known_by_names_from_outside_and_names_the_lines_at_fault() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let server = stage.admin.get(&format!("/resources/{}", stage.resource)).await.expect(200);
    let resource = |number: usize, team: &str, environment: &Value| {
        json!({
            "environment_id": environment, "name": format!("db-{number}"), "kind": "database",
            "provider": "aws", "external_id": format!("arn:db/{number}"), "owner_team": team,
        })
        .to_string()
    };
    let import = async |lines: Vec<String>| {
        let request = stage.admin.request(Method::POST, "/resources/import");
        let request = request.header("content-type", "application/x-ndjson").body(lines.join("\n"));
        Reply::of(request.send().await.unwrap()).await.expect(200)
    };
    let environment = &server["environment_id"];
    let mut lines: Vec<String> = (0..1200).map(|n| resource(n, "one", environment)).collect();
    let first = import(lines.clone()).await;
    assert_eq!((&first["new"], &first["refused"]), (&json!(1200), &json!(0)), "{first:#}");
    let nowhere = json!(model::id::EnvironmentId::generate().to_string());
    lines = vec![
        resource(1, "two", environment),
        resource(2, "two", &nowhere),
        resource(1, "three", environment),
        "{\"name\": 1}".to_owned(),
        resource(5000, "two", environment),
    ];
    let second = import(lines).await;
    let errors = second["errors"].as_array().unwrap();
    let at: Vec<(&Value, &Value)> =
        errors.iter().map(|one| (&one["line"], &one["errors"][0]["path"])).collect();
    let expected = [(json!(2), json!("/environment_id")), (json!(4), json!("/name"))];
    assert_eq!(at, expected.iter().map(|(line, path)| (line, path)).collect::<Vec<_>>());
    assert_eq!(second["new"], 1, "{second:#}");
    let teams = |team: &str| format!("/resources?owner_team={team}");
    let three = stage.admin.get(&teams("three")).await.expect(200);
    assert_eq!(three["items"][0]["external_id"], "arn:db/1");
    let two = stage.admin.get(&teams("two")).await.expect(200);
    assert_eq!(two["items"].as_array().unwrap().len(), 1, "the last line about a thing counts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_says_what_it_is_called_and_whom_to_ask() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let before = admin.get("/tenant").await;
    let wanted = json!({
        "name": "Example Shops", "description": "three countries", "contact_email": "ops@example.com",
    });
    let replaced = admin.send(Method::PUT, "/tenant", &wanted).await.expect(200);
    for key in ["name", "description", "contact_email"] {
        assert_eq!(replaced[key], wanted[key]);
    }
    assert_eq!((&replaced["slug"], &replaced["id"]), (&before.body["slug"], &before.body["id"]));
    assert_eq!(admin.get("/tenant").await.expect(200), replaced);
    let tag = tag(&before);
    let stale = with_tag(&admin, Method::PUT, "/tenant", &tag, Some(&wanted)).await;
    assert_eq!((stale.status.as_u16(), stale.code()), (412, "changed_meanwhile"));
    let viewer = site.caller("eve", &[Role::Viewer]).await;
    assert_eq!(viewer.get("/tenant").await.expect(200), replaced);
    let refused = viewer.send(Method::PUT, "/tenant", &wanted).await;
    assert_eq!(refused.status.as_u16(), 403);
    site.verified(site.tenant()).await;
}
