//! How the documents say what the API says in other words: written out here a second time, from the
//! documents, so that a slip in a lens shows.

use serde_json::{Value, json};

use super::{World, bare};

/// A value of the API in a document's words.
pub(super) async fn told(world: &mut World<'_>, how: &str, value: Value, record: &Value) -> Value {
    let word = value.as_str().unwrap_or_default();
    match how {
        "person" => person(world, &value).await,
        "name" => name(world, word).await,
        "voter" => voter(world, &value).await,
        "approver" => approver(world, &value).await,
        "auth_type" => auth_type(world, word).await,
        "analysis" => analysis(world, word).await,
        "recommendations" => recommendations(world, word).await,
        "context" => context(world, &value).await,
        "params" => {
            let mut params = value;
            params["requires_approval"] = json!(record["state"] == "awaiting_approval");
            params
        }
        "result" => result(&value, record),
        "span" => span(&value),
        "justification" => justification(&value),
        "messages" => value.as_array().unwrap().iter().map(|one| one["message"].clone()).collect(),
        // Document 003 learns from every reported outcome.
        "with_failures" => sum(&value, &record["reported_failures"]),
        "with_successes" => sum(&value, &record["reported_successes"]),
        "called" if word.is_empty() => record["username"].clone(),
        "called" => value,
        "upn" if value.is_null() => record["username"].clone(),
        "upn" => value,
        "user" => json!("user"),
        "uuid" => {
            let id = bare(word);
            if uuid::Uuid::try_parse(id).is_ok() { json!(id) } else { Value::Null }
        }
        "tool" => json!(word.split('.').next()),
        "preconditions" => match value {
            Value::Null => json!([]),
            condition => json!([condition]),
        },
        "rollback" => rollback(&value),
        "texts" => value.as_object().unwrap().values().cloned().collect(),
        "custom" => json!("custom"),
        "not_logs" => {
            let all = value.as_array().cloned().unwrap_or_default();
            all.into_iter().filter(|one| one["type"] != "log").collect()
        }
        "hours" => value.as_i64().map_or(Value::Null, |seconds| json!((seconds + 3599) / 3600)),
        "artifact_kind" => {
            json!(if record["repository_url"].is_string() { "git_path" } else { "object_store" })
        }
        "artifact_ref" => artifact(record),
        "artifact_sha" if record["output_sha256"].is_string() => record["output_sha256"].clone(),
        "artifact_sha" => record["sha256"].clone(),
        "role_of_governance" | "role_of_aiops" => role(how, &value),
        how => words(how, word),
    }
}

/// One word for another.
fn words(how: &str, word: &str) -> Value {
    let told = match (how, word) {
        ("cause", "intentional_override") => "unknown",
        ("status_of_violation", "accepted") => "suppressed",
        ("status_of_violation", "escalated") => "open",
        ("void_is_expired", "void") => "expired",
        ("door", "api" | "auto") => "cli",
        ("long_class", "prod") => "production",
        ("stage", "staging") => "stage",
        ("stage", "test") => "dev",
        ("three_levels", "read") => "low",
        ("three_levels" | "two_tiers", "critical") => "high",
        ("two_tiers", "low" | "read") => "medium",
        ("scope", "") => "namespace",
        ("state_of_assistant", "completed") => "succeeded",
        ("state_of_step", "succeeded") => "completed",
        ("state_of_assistant" | "state_of_aiops", "awaiting_approval") => "pending",
        ("state_of_governance", "awaiting_approval") => "preflight",
        (
            "cause"
            | "status_of_violation"
            | "void_is_expired"
            | "door"
            | "long_class"
            | "stage"
            | "three_levels"
            | "two_tiers"
            | "scope"
            | "state_of_assistant"
            | "state_of_governance"
            | "state_of_aiops"
            | "state_of_step",
            _,
        ) => word,
        _ => panic!("nobody knows how {how} is told"),
    };
    json!(told)
}

fn sum(one: &Value, other: &Value) -> Value {
    json!(one.as_f64().unwrap() + other.as_f64().unwrap())
}

fn role(how: &str, roles: &Value) -> Value {
    let has = |role: &str| roles.as_array().unwrap().contains(&json!(role));
    json!(match how {
        _ if has("admin") => "admin",
        "role_of_aiops" if has("operator") || has("approver") => "engineer",
        "role_of_aiops" => "user",
        _ if has("approver") => "approver",
        _ if has("operator") => "operator",
        _ => "viewer",
    })
}

/// `-00:09:00` for -540 seconds.
fn span(seconds: &Value) -> Value {
    let Some(seconds) = seconds.as_f64() else { return Value::Null };
    let sign = if seconds < 0.0 { "-" } else { "" };
    let whole = jiff::SignedDuration::from_secs_f64(seconds.abs()).as_secs();
    json!(format!("{sign}{:02}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60))
}

fn justification(reasons: &Value) -> Value {
    let said = reasons.as_array().unwrap().iter().filter_map(|reason| reason["message"].as_str());
    json!(said.filter(|said| !said.is_empty()).collect::<Vec<_>>().join("; "))
}

fn result(evidence: &Value, record: &Value) -> Value {
    if record["completed_at"].is_null() {
        return Value::Null;
    }
    let evidence = evidence.as_array().unwrap().iter();
    let kept = evidence.map(|one| json!({"path": one["result_ref"], "checksum": one["sha256"]}));
    json!({"state": record["state"], "evidence": kept.collect::<Vec<_>>()})
}

/// The undo of a step is a script for each target.
fn rollback(undo: &Value) -> Value {
    let Some(scripts) = undo.as_object().filter(|scripts| !scripts.is_empty()) else {
        return Value::Null;
    };
    let text = |script: &Value| {
        let segments = script.as_array().unwrap().iter();
        segments.map(|one| one["text"].as_str().unwrap_or_default()).collect::<String>()
    };
    json!({"type": "custom", "steps": scripts.values().map(text).collect::<Vec<_>>()})
}

fn artifact(record: &Value) -> Value {
    if let Some(url) = record["repository_url"].as_str() {
        return json!(format!("{url}@{}", record["branch"].as_str().unwrap()));
    }
    let found = ["result_ref", "output_ref"].into_iter().find(|key| record[*key].is_string());
    found.map_or(Value::Null, |key| record[key].clone())
}

/// The user of an actor; null for one that is no person.
async fn person(world: &mut World<'_>, actor: &Value) -> Value {
    let users = world.list("/users").await;
    let found = users.into_iter().find(|user| user["actor_id"] == *actor);
    found.map_or(Value::Null, |user| user["id"].clone())
}

/// What the log calls an actor.
async fn name(world: &mut World<'_>, actor: &str) -> Value {
    let events = world.list("/audit/events").await;
    let by = |event: &Value| event["event"]["actor"]["id"] == actor;
    events
        .into_iter()
        .find(by)
        .map_or(Value::Null, |one| one["event"]["actor"]["display_name"].clone())
}

async fn voter(world: &mut World<'_>, votes: &Value) -> Value {
    match votes.as_array().and_then(|votes| votes.last()).filter(|one| one["decision"] == "approve")
    {
        Some(vote) => person(world, &vote["actor_id"].clone()).await,
        None => Value::Null,
    }
}

async fn approver(world: &mut World<'_>, votes: &Value) -> Value {
    let Some(vote) = votes.as_array().and_then(|votes| votes.last()) else { return Value::Null };
    let events = world.list("/audit/events").await;
    let by = |event: &&Value| event["event"]["actor"]["id"] == vote["actor_id"];
    let voted = events.iter().find(by).unwrap();
    json!({
        "id": vote["actor_id"], "display_name": vote["display_name"],
        "type": voted["event"]["actor"]["type"], "tenant_id": voted["event"]["tenant_id"],
        // The second person of the stage.
        "roles": ["approver"],
    })
}

async fn auth_type(world: &mut World<'_>, credential: &str) -> Value {
    let known = world.list("/credentials").await;
    let kind = known.into_iter().find(|one| one["id"] == credential);
    let kind = kind.map(|one| one["kind"].clone()).unwrap_or_default();
    if kind == "ssh_key" { json!("key") } else { kind }
}

async fn analysis(world: &mut World<'_>, finding: &str) -> Value {
    let all = world.list("/cause-analyses").await;
    let found = all.into_iter().find(|one| one["finding_id"] == finding);
    found.map_or(Value::Null, |one| one["analysis"].clone())
}

async fn recommendations(world: &mut World<'_>, finding: &str) -> Value {
    let all = world.list("/recommendations").await;
    let ours = all.into_iter().filter(|one| one["finding_id"] == finding).map(|one| {
        json!({
            "title": one["title"], "description": one["description"],
            "confidence": one["confidence"],
        })
    });
    let ours: Vec<Value> = ours.collect();
    if ours.is_empty() { Value::Null } else { json!(ours) }
}

/// Where an intent is about, as document 000 says it.
async fn context(world: &mut World<'_>, intent: &Value) -> Value {
    let all = world.list("/environments").await;
    let found = all.into_iter().find(|one| one["id"] == intent["environment_id"]);
    let place = found.unwrap_or_default();
    let class = place["class"].as_str().or_else(|| intent["environment_class"].as_str());
    let tenant = world.list("/tenant").await.remove(0);
    json!({
        "tenant_id": tenant["id"], "environment": words("stage", class.unwrap()),
        "cluster_id": place["cluster_id"], "namespace": place["namespace"],
        "aws_account_id": place["account_id"], "region": place["region"],
        "argocd_project": place["argocd_project"], "grafana_org_id": place["grafana_org_id"],
    })
}
