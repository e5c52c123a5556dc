use std::collections::BTreeSet;

use jiff::civil::DateTime;
use model::id::{BlackoutId, ResourceId, RunbookId, TriggerId};
use model::level::EnvironmentClass;
use serde_json::{Value, json};

use super::*;
use crate::blackout::{Draft, Recurrence};
use crate::breaker::{Event, Key};
use crate::cooldown::CooldownScope;
use crate::proposal::Place;
use crate::rate::{Quota, RateScope};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn proposal() -> Proposal {
    Proposal {
        runbook: RunbookId::generate(),
        runbook_name: "restart-nginx".into(),
        category: "web".into(),
        places: vec![Place {
            resource: ResourceId::generate(),
            name: "web-01".into(),
            environment: "production".into(),
            class: EnvironmentClass::Prod,
            tags: BTreeSet::from(["role=web".to_owned()]),
        }],
        actions: BTreeSet::from(["host.shell".to_owned()]),
        trigger: Some(TriggerId::generate()),
        trigger_cooldown_s: 600,
        runbook_cooldown_s: 0,
        quota: None,
        context: Freshness { taken_at: Some(at("2026-05-01T11:59:00Z")), max_age_s: 300 },
    }
}

fn window(name: &str, change: impl Fn(&mut Draft)) -> Result<Window, Malformed> {
    let wall = |text: &str| -> DateTime { text.parse().unwrap() };
    let mut draft = Draft {
        id: BlackoutId::generate(),
        name: name.into(),
        kind: WindowKind::Deny,
        recurrence: Recurrence::Daily,
        pattern: Value::Null,
        opens: wall("2026-01-01T11:00"),
        closes: wall("2026-01-01T13:00"),
        zone: "UTC".into(),
        servers: Value::Null,
        runbooks: Value::Null,
    };
    change(&mut draft);
    Window::parse(&draft)
}

fn noon(proposal: &Proposal, facts: &Facts) -> Vec<GuardResult> {
    evaluate(proposal, facts, &Constraints::default(), at("2026-05-01T12:00:00Z"))
}

fn codes(results: &[GuardResult]) -> Vec<&str> {
    results.iter().map(|result| result.code.as_str()).collect()
}

#[test]
fn nothing_in_the_way_lets_pass_and_says_so_for_every_guard() {
    let results = noon(&proposal(), &Facts::default());
    assert!(all_allow(&results));
    assert_eq!(results.len(), Guard::ALL.len());
    assert!(!all_allow(&results[1..]), "a guard that was not asked does not allow");
}

#[test]
fn every_guard_is_asked_and_recorded_even_when_the_first_blocks() {
    let mut proposal = proposal();
    proposal.context.taken_at = Some(at("2026-05-01T11:00:00Z"));
    let noon_at = at("2026-05-01T12:00:00Z");
    let runbook = Key::runbook(proposal.runbook);
    let open = Breaker::new(runbook).on(Event::Opened { reason: "x".into() }, noon_at);
    let quota =
        Quota { scope: RateScope::Tenant, scope_id: "tenant".into(), count: 1, window_s: 60 };
    let cooldowns = Cooldown::all(&proposal).into_iter().map(|one| (one, Some(noon_at))).collect();
    let facts = Facts {
        windows: vec![window("lunch", |_| ())],
        rates: vec![Usage { quota, filled_at: Some(noon_at) }],
        cooldowns,
        breakers: vec![open],
    };
    let constraints = Constraints { max_targets: 0, ..Constraints::default() };
    let results = evaluate(&proposal, &facts, &constraints, noon_at);
    let order: Vec<_> = results.iter().map(|result| result.guard).collect();
    assert_eq!(order, Guard::ALL);
    assert_eq!(
        codes(&results),
        [
            "blackout",
            "rate_limit_tenant",
            "cooldown",
            "breaker_held",
            "max_targets",
            "context_stale"
        ]
    );
    assert_eq!(results[0].until, Some(at("2026-05-01T13:00:00Z")));
    assert_eq!(results[1].until, Some(at("2026-05-01T12:01:00Z")));
    assert_eq!(results[2].until, Some(at("2026-05-01T12:10:00Z")));
}

#[test]
fn a_window_that_cannot_be_understood_closes_the_gate() {
    let facts = Facts {
        windows: vec![window("typo", |draft| draft.zone = "Europe/Berlln".into())],
        ..Facts::default()
    };
    let results = noon(&proposal(), &facts);
    assert_eq!(results[0].verdict, Verdict::Deny);
    assert_eq!(results[0].code, "window_malformed");
    assert!(results[0].message.contains("Europe/Berlln"), "{}", results[0].message);
}

#[test]
fn windows_concern_only_what_they_pick() {
    let blocked = |servers: Value, runbooks: Value| {
        let windows = vec![window("some", |draft| {
            draft.servers = servers.clone();
            draft.runbooks = runbooks.clone();
        })];
        noon(&proposal(), &Facts { windows, ..Facts::default() })[0].verdict == Verdict::Deny
    };
    for servers in [
        json!({"tags": ["role=web"]}),
        json!({"tags": ["role"]}),
        json!({"names": ["WEB-*"]}),
        json!({"environments": ["prod"]}),
        json!({"environments": ["production"]}),
        json!(["web-01"]),
        json!({}),
    ] {
        assert!(blocked(servers.clone(), Value::Null), "{servers}");
    }
    for servers in [
        json!({"tags": ["role=db"]}),
        json!({"tags": ["web"]}),
        json!({"names": ["db-*", "eb-01"]}),
        json!({"environments": ["staging"]}),
        json!(["db-01"]),
    ] {
        assert!(!blocked(servers.clone(), Value::Null), "{servers}");
    }
    assert!(blocked(Value::Null, json!({"categories": ["web"]})));
    assert!(blocked(Value::Null, json!({"names": ["restart-*"]})));
    assert!(!blocked(Value::Null, json!({"categories": ["db"]})));
    assert!(!blocked(json!({"names": ["web-01"]}), json!({"names": ["other"]})), "both must pick");
}

#[test]
fn maintenance_windows_allow_only_while_one_is_active() {
    let maintenance = |open: &str, close: &str| {
        window("maintenance", |draft| {
            draft.kind = WindowKind::AllowOnly;
            draft.opens = format!("2026-01-01T{open}").parse().unwrap();
            draft.closes = format!("2026-01-01T{close}").parse().unwrap();
        })
    };
    let asked = |windows| noon(&proposal(), &Facts { windows, ..Facts::default() });
    let outside = asked(vec![maintenance("20:00", "21:00")]);
    assert_eq!(outside[0].code, "outside_maintenance");
    assert_eq!(outside[0].until, Some(at("2026-05-01T20:00:00Z")));
    let inside = asked(vec![maintenance("20:00", "21:00"), maintenance("11:30", "12:30")]);
    assert_eq!(inside[0].verdict, Verdict::Allow, "one active window is enough");
}

#[test]
fn context_of_unknown_age_or_from_the_future_is_stale() {
    let verdict = |taken_at: Option<&str>| {
        let mut proposal = proposal();
        proposal.context.taken_at = taken_at.map(at);
        noon(&proposal, &Facts::default())[5].verdict
    };
    assert_eq!(verdict(Some("2026-05-01T11:55:00Z")), Verdict::Allow);
    assert_eq!(verdict(Some("2026-05-01T11:54:59Z")), Verdict::Deny);
    assert_eq!(verdict(Some("2026-05-01T12:00:30Z")), Verdict::Allow, "clocks differ a little");
    assert_eq!(verdict(Some("2026-05-01T12:01:01Z")), Verdict::Deny);
    assert_eq!(verdict(None), Verdict::Deny);
}

#[test]
fn cooldowns_are_per_trigger_and_target_and_per_runbook_and_target() {
    let all = Cooldown::all(&proposal());
    let scopes: Vec<_> = all.iter().map(|one| (one.scope, one.seconds)).collect();
    assert_eq!(scopes, [(CooldownScope::Trigger, 600), (CooldownScope::Runbook, 0)]);
    let last = at("2026-05-01T11:50:00Z");
    let trigger = &all[0];
    assert_eq!(trigger.judge(Some(last), at("2026-05-01T11:59:59Z")).verdict, Verdict::Deny);
    assert_eq!(trigger.judge(Some(last), at("2026-05-01T12:00:00Z")).verdict, Verdict::Allow);
    assert_eq!(trigger.judge(None, last).verdict, Verdict::Allow);
    assert_eq!(all[1].judge(Some(last), last).verdict, Verdict::Allow, "no length, no cooldown");
    let before = at("2026-05-01T11:49:00Z");
    assert_eq!(
        all[1].judge(Some(last), before).verdict,
        Verdict::Allow,
        "nor for a clock put back"
    );
    assert_eq!(trigger.judge(Some(last), before).verdict, Verdict::Deny);
}

#[test]
fn a_guard_that_closes_over_a_thousand_targets_says_so_in_a_few_words() {
    let last = at("2026-05-01T11:59:00Z");
    let cooldown = |n: usize| {
        let mut one = Cooldown::all(&proposal())[0].clone();
        one.target = format!("web-{n}");
        (one, Some(last))
    };
    let facts = Facts { cooldowns: (0..1000).map(cooldown).collect(), ..Facts::default() };
    let result = noon(&proposal(), &facts)[2].clone();
    assert_eq!((result.guard, result.verdict), (Guard::Cooldown, Verdict::Deny));
    assert!(result.message.starts_with("web-0 was acted on"), "{}", result.message);
    assert!(result.message.ends_with("; and 980 more"), "{}", result.message);
    assert_eq!(result.until, Some(at("2026-05-01T12:09:00Z")));
    let refused = crate::clear::Refused::Blocked(vec![result; 1000]).to_string();
    assert!(refused.chars().count() < 320, "the same again is said once, and cut: {refused}");
}
