//! What happened around an estate in which everything drifted: what made most of its drifts, and a
//! company's usual day beside it.

use std::time::Duration;

use model::Timestamp;
use serde_json::{Value, json};

use crate::drift::estate::{Draw, Estate, Resource};

/// Services the estate is made of: as many as its tags name.
const SERVICES: usize = 900;
/// Who calls the cloud: people and pipelines, with a session each.
const CALLERS: u64 = 12_000;
/// Numbers that are drawn for events, apart from those of resources.
const APART: usize = 1 << 40;
const MINUTE: Duration = Duration::from_secs(60);
const DAY_MINUTES: u64 = 1_440;

/// What made a drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Call,
    Deployment,
    Commit,
    /// Nothing that anybody told.
    Nothing,
}

fn made(place: usize) -> Made {
    match place % 20 {
        0..12 => Made::Call,
        12..16 => Made::Deployment,
        16..18 => Made::Commit,
        _ => Made::Nothing,
    }
}

/// What the event is called that made a drift.
fn name(place: usize) -> Option<String> {
    match made(place) {
        Made::Call => Some(format!("call-{place}")),
        Made::Deployment => Some(format!("release-{place}")),
        Made::Commit => Some(format!("{place:040x}")),
        Made::Nothing => None,
    }
}

/// Of the drifts that something made: the address, and what that is called.
pub(super) fn planted(estate: Estate) -> impl Iterator<Item = (String, String)> {
    estate.resources().enumerate().filter_map(|(place, one)| Some((one.address(), name(place)?)))
}

fn service(place: usize) -> String {
    format!("svc-{:04}", place % SERVICES)
}

fn id(resource: &Resource) -> &str {
    resource.declared.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// The estate, as an inventory tells it.
pub(super) fn resources(estate: Estate, environment: &str) -> impl Iterator<Item = String> {
    estate.resources().enumerate().map(move |(place, one)| {
        json!({
            "environment_id": environment, "external_id": id(&one), "provider": "aws",
            "kind": one.kind.trim_start_matches("aws_"), "type": one.kind, "name": one.name,
            "owner_team": format!("team-{}", place % 40), "tags": {"service": service(place)},
        })
        .to_string()
    })
}

/// So many events of the days before `now`, those that made a drift among them.
pub(super) fn events(
    estate: Estate,
    count: usize,
    now: Timestamp,
    environment: &str,
) -> impl Iterator<Item = String> {
    let ours = estate.resources().enumerate();
    let ours = ours.filter_map(move |(place, one)| maker(place, &one, now));
    let usual = count.saturating_sub(planted(estate).count());
    let usual = (0..usual).map(move |n| usual_event(n, estate.size, now, environment));
    ours.chain(usual).map(|event| event.to_string())
}

fn before(now: Timestamp, minutes: u64, draw: &mut Draw) -> Timestamp {
    let seconds = Duration::from_secs(draw.below(60));
    now - MINUTE * u32::try_from(minutes).unwrap_or_default() - seconds
}

/// The event that made a drift.
fn maker(place: usize, one: &Resource, now: Timestamp) -> Option<Value> {
    let mut draw = Draw::of(APART + place);
    let external_id = name(place)?;
    Some(match made(place) {
        Made::Call => {
            let at = before(now, 5 + draw.below(600), &mut draw);
            let who = caller(draw.below(CALLERS));
            json!({
                "kind": "audit_event", "occurred_at": at, "external_system": "cloudtrail",
                "external_id": external_id, "actor": who.actor,
                "summary": changing(one.kind), "resources": [id(one)],
                "data": {
                    "actor_type": "AssumedRole", "role": who.role, "user_agent": who.with,
                    "mfa": who.person, "region": "eu-central-1", "source_ip": "192.0.2.7",
                },
            })
        }
        Made::Deployment => json!({
            "kind": "deployment", "occurred_at": before(now, 10 + draw.below(30), &mut draw),
            "external_system": "argocd", "external_id": external_id,
            "actor": "argocd", "summary": format!("release of {}", service(place)),
            "service": service(place), "resources": [id(one)],
        }),
        Made::Commit => json!({
            "kind": "git_commit", "occurred_at": before(now, 60 + draw.below(120), &mut draw),
            "external_system": "github", "external_id": external_id,
            "actor": format!("dev-{}@example.com", draw.below(400)),
            "summary": draw.of_these(&[
                "hotfix: more room for the queue", "Tidy up what is not used",
                "revert: back to the old type", "Give the team's things their tags",
            ]),
            "addresses": [one.address()], "paths": [format!("live/{}/main.tf", service(place))],
        }),
        Made::Nothing => return None,
    })
}

/// Somebody who calls the cloud.
struct Caller {
    actor: String,
    role: &'static str,
    with: &'static str,
    person: bool,
}

fn caller(number: u64) -> Caller {
    let of = |role: &str, session: String| {
        format!("arn:aws:sts::123456789012:assumed-role/{role}/{session}")
    };
    match number % 10 {
        0..5 => Caller {
            actor: of("pipeline", format!("run-{number}")),
            role: "arn:aws:iam::123456789012:role/pipeline",
            with: "APN/1.0 HashiCorp/1.0 Terraform/1.11.4",
            person: false,
        },
        5..9 => Caller {
            actor: of("engineer", format!("person-{number}")),
            role: "arn:aws:iam::123456789012:role/engineer",
            with: "console.amazonaws.com",
            person: true,
        },
        _ => Caller {
            actor: of("break-glass", format!("oncall-{number}")),
            role: "arn:aws:iam::123456789012:role/break-glass",
            with: "aws-cli/2.17.0",
            person: true,
        },
    }
}

fn changing(kind: &str) -> &'static str {
    match kind {
        "aws_instance" => "ModifyInstanceAttribute",
        "aws_sqs_queue" => "SetQueueAttributes",
        "aws_db_instance" => "ModifyDBInstance",
        _ => "AuthorizeSecurityGroupIngress",
    }
}

/// What happens anyway: of every hundred 70 calls, 12 deployments, 8 commits, 10 of the rest.
fn usual_event(n: usize, size: usize, now: Timestamp, environment: &str) -> Value {
    let mut draw = Draw::of(2 * APART + n);
    let draw = &mut draw;
    let within = |days: u64, draw: &mut Draw| before(now, draw.below(days * DAY_MINUTES), draw);
    let mut event = match n % 100 {
        0..70 => call(n, size, now, draw),
        70..82 => json!({
            "kind": "deployment", "occurred_at": within(1, draw), "external_system": "argocd",
            "actor": "argocd", "summary": "rolled out", "service": any_service(draw),
        }),
        82..90 => json!({
            "kind": "git_commit", "occurred_at": within(3, draw), "external_system": "github",
            "actor": format!("dev-{}@example.com", draw.below(400)),
            "summary": draw.of_these(&["Add a metric", "fix: retry once more", "Update a chart"]),
            "addresses": [format!("aws_lambda_function.f{}", draw.below(90_000))],
            "paths": [format!("functions/f{}/main.tf", draw.below(9_000))],
        }),
        90..95 => json!({
            "kind": "incident_ticket", "occurred_at": within(1, draw), "external_system": "jira",
            "actor": format!("dev-{}@example.com", draw.below(400)),
            "summary": draw.of_these(&["Checkout is slow", "Disk is filling up", "Who owns this?"]),
            "severity": draw.of_these(&["low", "medium", "high"]),
            "service": n.is_multiple_of(4).then(|| any_service(draw)),
            "resources": [format!("i-{}", draw.hex())],
        }),
        95..97 => incident(now, draw),
        97 => json!({
            "kind": "maintenance", "occurred_at": within(1, draw), "external_system": "calendar",
            "ended_at": now, "summary": "patches", "resources": [format!("db-{}", draw.hex())],
        }),
        _ => json!({
            "kind": "security_event", "occurred_at": within(1, draw),
            "external_system": "guardduty", "severity": "medium", "summary": "Unusual call",
            "resources": [format!("i-{}", draw.hex())],
        }),
    };
    // Two things that are about the whole environment.
    if n < 2 {
        let kind = if n == 0 { "incident" } else { "maintenance" };
        event = json!({
            "kind": kind, "occurred_at": now - MINUTE * 50, "external_system": "statuspage",
            "ended_at": now - MINUTE * 40, "environment_id": environment, "severity": "high",
            "summary": "the zone's network",
        });
    }
    if let Some(event) = event.as_object_mut() {
        event.insert("external_id".to_owned(), format!("usual-{n}").into());
    }
    event
}

fn any_service(draw: &mut Draw) -> String {
    service(usize::try_from(draw.below(SERVICES as u64)).unwrap_or_default())
}

/// A call: mostly of things that did not drift, now and then one that reads what did.
fn call(n: usize, size: usize, now: Timestamp, draw: &mut Draw) -> Value {
    let who = caller(draw.below(CALLERS));
    let place = usize::try_from(draw.below(size as u64)).unwrap_or_default();
    let reads = n.is_multiple_of(5) && made(place) == Made::Call;
    let (what, touched) = if reads {
        let one = Estate { size, every: 1 }.resource(place);
        ("Describe", id(&one).to_owned())
    } else {
        (draw.of_these(&["PutObject", "RunInstances", "Describe"]), format!("i-{}", draw.hex()))
    };
    json!({
        "kind": "audit_event", "occurred_at": before(now, draw.below(DAY_MINUTES), draw),
        "external_system": "cloudtrail", "actor": who.actor, "summary": what,
        "resources": [touched], "data": {
            "actor_type": "AssumedRole", "role": who.role, "user_agent": who.with,
            "mfa": who.person, "read_only": what == "Describe", "region": "eu-central-1",
        },
    })
}

fn incident(now: Timestamp, draw: &mut Draw) -> Value {
    let began = before(now, 30 + draw.below(DAY_MINUTES), draw);
    json!({
        "kind": "incident", "occurred_at": began, "ended_at": began + MINUTE * 25,
        "external_system": "pagerduty", "severity": draw.of_these(&["medium", "high", "critical"]),
        "summary": draw.of_these(&["5xx above the limit", "Queue is growing", "Database is slow"]),
        "service": any_service(draw),
    })
}
