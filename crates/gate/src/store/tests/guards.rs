//! Windows, breakers, limits and cooldowns as stored, and starts that race for the last slot.

use std::sync::Arc;

use futures::future::join_all;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::audit::Who;
use model::id::{BlackoutId, ExecutionId, RunbookId, TriggerId};
use model::level::Tier;
use model::verdict::Verdict;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use super::world::World;
use crate::Error;
use crate::approval::Choice;
use crate::blackout::{Draft, Recurrence, WindowKind};
use crate::breaker::{Breaker, BreakerScope, Event, Key, Settings, State};
use crate::constraint::Constraints;
use crate::guard::{GuardResult, all_allow};
use crate::proposal::Proposal;
use crate::rate::{Quota, RateScope};
use crate::store::guards::{self, Moment};
use crate::store::rates::{self, Enabled};
use crate::store::windows::StoredWindow;
use crate::store::{breakers, windows};

async fn ask(world: &World, proposal: &Proposal) -> Vec<GuardResult> {
    let mut tx = world.tx().await;
    let answers = guards::ask(&mut tx, proposal, &Constraints::default(), Moment::Asking).await;
    answers.unwrap().results
}

fn denied(results: &[GuardResult]) -> Vec<&str> {
    let denying = results.iter().filter(|one| one.verdict == Verdict::Deny);
    denying.map(|one| one.code.as_str()).collect()
}

/// Starts an execution as a worker would: guards and slot in one transaction.
async fn start(world: &World, proposal: &Proposal) -> bool {
    let mut tx = world.tx().await;
    let execution = ExecutionId::generate();
    let moment = Moment::Starting(execution);
    let answers = guards::ask(&mut tx, proposal, &Constraints::default(), moment).await.unwrap();
    if !all_allow(&answers.results) {
        return false;
    }
    let who = Who::from(&world.requester);
    guards::take_slot(&mut tx, proposal, execution, &answers, &who).await.unwrap();
    tx.commit().await.unwrap();
    true
}

fn night(opens: &str, closes: &str) -> StoredWindow {
    StoredWindow {
        draft: Draft {
            id: BlackoutId::generate(),
            name: "night".into(),
            kind: WindowKind::Deny,
            recurrence: Recurrence::Daily,
            pattern: Value::Null,
            opens: opens.parse().unwrap(),
            closes: closes.parse().unwrap(),
            zone: "Europe/Berlin".into(),
            servers: json!({"names": ["web-*"]}),
            runbooks: json!({}),
        },
        description: "people sleep".into(),
        enabled: true,
    }
}

#[tokio::test]
async fn behaviour_7_a_stored_night_keeps_its_local_times_and_blocks() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let stored = night("2026-01-01T22:00", "2026-01-02T06:00");
    windows::save(&mut tx, &stored, world.author.id).await.unwrap();
    let read = windows::get(&mut tx, stored.draft.id).await.unwrap();
    assert_eq!(read, stored);
    let window = windows::enabled(&mut tx).await.unwrap().remove(0).unwrap();
    let active = |at: &str| crate::blackout::active(&window, at.parse().unwrap()).is_some();
    // Six in the morning, winter and summer.
    assert!(active("2026-01-15T04:59:59Z") && !active("2026-01-15T05:00:00Z"));
    assert!(active("2026-07-15T03:59:59Z") && !active("2026-07-15T04:00:00Z"));

    // A window around the present, begun yesterday, whatever the time is.
    let now = tx.now().await.unwrap().to_zoned(TimeZone::get("Europe/Berlin").unwrap()).datetime();
    let mut around = night("2026-01-01T22:00", "2026-01-02T06:00");
    around.draft.id = stored.draft.id;
    around.draft.opens = now - 1.day() - 2.hours();
    around.draft.closes = now - 1.day() + 2.hours();
    windows::save(&mut tx, &around, world.author.id).await.unwrap();
    tx.commit().await.unwrap();
    let results = ask(&world, &world.proposal()).await;
    assert_eq!(denied(&results), ["blackout"]);
    assert!(results[0].until.is_some());
    let mut elsewhere = world.proposal();
    elsewhere.places[0].name = "db-01".into();
    assert!(all_allow(&ask(&world, &elsewhere).await));
    let mut tx = world.tx().await;
    windows::remove(&mut tx, stored.draft.id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(all_allow(&ask(&world, &world.proposal()).await));
}

#[tokio::test]
async fn a_stored_window_that_cannot_be_read_closes_the_gate_and_a_new_one_is_refused() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let mut broken = night("2026-01-01T22:00", "2026-01-02T06:00");
    broken.draft.zone = "Europe/Atlantis".into();
    let refused = windows::save(&mut tx, &broken, world.author.id).await.unwrap_err();
    assert!(matches!(&refused, Error::Invalid { path, .. } if path == "/timezone"), "{refused:?}");
    let good = night("2026-01-01T22:00", "2026-01-02T06:00");
    windows::save(&mut tx, &good, world.author.id).await.unwrap();
    let same_name = night("2026-01-01T22:00", "2026-01-02T06:00");
    let taken = windows::save(&mut tx, &same_name, world.author.id).await;
    assert!(matches!(taken, Err(Error::Conflict { .. })), "{taken:?}");
    let mut tx = world.tx().await;
    windows::save(&mut tx, &good, world.author.id).await.unwrap();
    tx.commit().await.unwrap();
    for broken in [
        "UPDATE countersign.blackout_windows SET timezone = 'Europe/Atlantis'",
        "UPDATE countersign.blackout_windows SET timezone = 'UTC', recurrence_pattern = '7'",
    ] {
        sqlx::query(broken).execute(world.test.admin()).await.unwrap();
        assert_eq!(denied(&ask(&world, &world.proposal()).await), ["window_malformed"], "{broken}");
    }
}

async fn tell(world: &World, event: Event) -> State {
    let mut tx = world.tx().await;
    let keys = Key::all(&world.proposal());
    breakers::tell(&mut tx, &keys, &event, &Who::from(&world.requester)).await.unwrap();
    tx.commit().await.unwrap();
    stored(world).await.state
}

async fn stored(world: &World) -> Breaker {
    let mut tx = world.tx().await;
    let key = [Key::runbook(world.runbook)];
    breakers::load(&mut tx, &key, breakers::Hold::Read).await.unwrap().remove(0).breaker
}

async fn let_seconds_pass(world: &World, seconds: i32) {
    sqlx::query(
        "UPDATE countersign.circuit_breakers SET opened_at = opened_at - $1 * interval '1 second'",
    )
    .bind(seconds)
    .execute(world.test.admin())
    .await
    .unwrap();
}

#[tokio::test]
async fn behaviour_8_the_breaker_lives_in_the_database_through_its_whole_life() {
    let world = World::new().await;
    let proposal = world.proposal();
    for _ in 0..4 {
        tell(&world, Event::Failed).await;
    }
    assert_eq!(tell(&world, Event::Succeeded).await, State::Closed { failures: 0 });
    for _ in 0..5 {
        assert!(all_allow(&ask(&world, &proposal).await));
        tell(&world, Event::Failed).await;
    }
    assert_eq!(denied(&ask(&world, &proposal).await), ["breaker_open"]);
    let_seconds_pass(&world, 299).await;
    assert_eq!(denied(&ask(&world, &proposal).await), ["breaker_open"]);
    let_seconds_pass(&world, 1).await;
    assert!(start(&world, &proposal).await);
    assert_eq!(stored(&world).await.state.word(), "half_open");
    tell(&world, Event::Failed).await;
    assert_eq!(denied(&ask(&world, &proposal).await), ["breaker_open"], "one failure reopens");
    let_seconds_pass(&world, 599).await;
    assert_eq!(denied(&ask(&world, &proposal).await), ["breaker_open"], "for twice as long");
    let_seconds_pass(&world, 1).await;
    assert!(start(&world, &proposal).await);
    for _ in 0..3 {
        assert_eq!(stored(&world).await.state.word(), "half_open");
        tell(&world, Event::Succeeded).await;
    }
    assert_eq!(stored(&world).await.state, State::Closed { failures: 0 });
    assert_eq!(world.events("breaker.open").await, 2);
    assert_eq!(world.events("breaker.half_open").await, 2);
    assert_eq!(world.events("breaker.closed").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failures_told_at_once_are_all_counted() {
    let world = Arc::new(World::new().await);
    let mut tx = world.tx().await;
    let settings = Settings { failure_threshold: 100, ..Settings::default() };
    breakers::configure(&mut tx, &Key::runbook(world.runbook), settings).await.unwrap();
    tx.commit().await.unwrap();
    let tasks = (0..20).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { tell(&world, Event::Failed).await })
    });
    join_all(tasks).await;
    assert_eq!(stored(&world).await.state, State::Closed { failures: 20 });
}

#[tokio::test]
async fn breakers_of_other_scopes_count_once_they_are_set_up_and_hands_open_them() {
    let world = World::new().await;
    let tool = Key { scope: BreakerScope::Tool, scope_id: "host.service.restart".into() };
    let mut tx = world.tx().await;
    let one = Settings { failure_threshold: 1, ..Settings::default() };
    breakers::configure(&mut tx, &tool, one).await.unwrap();
    tx.commit().await.unwrap();
    tell(&world, Event::Failed).await;
    assert_eq!(denied(&ask(&world, &world.proposal()).await), ["breaker_open"]);
    let who = Who::from(&world.author);
    let mut tx = world.tx().await;
    breakers::override_by_hand(&mut tx, &tool, &Event::Closed, &who).await.unwrap();
    let global = Key { scope: BreakerScope::Global, scope_id: "global".into() };
    let freeze = Event::Opened { reason: "freeze".into() };
    breakers::override_by_hand(&mut tx, &global, &freeze, &who).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(denied(&ask(&world, &world.proposal()).await), ["breaker_held"]);
    let mut tx = world.tx().await;
    let page = db::PageRequest::default();
    assert_eq!(breakers::list(&mut tx, &page).await.unwrap().items.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_starters_never_share_the_last_slot_of_a_limit() {
    let world = Arc::new(World::new().await);
    let mut tx = world.tx().await;
    let quota = Quota { scope: RateScope::Runbook, scope_id: "*".into(), count: 3, window_s: 3600 };
    rates::save(&mut tx, &quota, Enabled::Yes).await.unwrap();
    let quota =
        Quota { scope: RateScope::Tenant, scope_id: "tenant".into(), count: 7, window_s: 3600 };
    rates::save(&mut tx, &quota, Enabled::Yes).await.unwrap();
    tx.commit().await.unwrap();
    let mut starts = Vec::new();
    // Runbook by runbook: three each, until the tenant's seven are used up.
    for _ in 0..4 {
        let mut proposal = world.proposal();
        proposal.runbook = RunbookId::generate();
        let barrier = Arc::new(Barrier::new(8));
        let tasks = (0..8).map(|_| {
            let (world, proposal, barrier) =
                (Arc::clone(&world), proposal.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                start(&world, &proposal).await
            })
        });
        let started = join_all(tasks).await.into_iter().filter(|one| *one.as_ref().unwrap());
        starts.push(started.count());
    }
    assert_eq!(starts, [3, 3, 1, 0]);
}

#[tokio::test]
async fn a_limit_frees_with_time_and_the_runbooks_own_limit_counts_too() {
    let world = World::new().await;
    let mut proposal = world.proposal();
    proposal.quota = Some(Quota {
        scope: RateScope::Runbook,
        scope_id: world.runbook.to_string(),
        count: 1,
        window_s: 60,
    });
    assert!(start(&world, &proposal).await);
    assert!(!start(&world, &proposal).await);
    assert_eq!(denied(&ask(&world, &proposal).await), ["rate_limit_runbook"]);
    pass_slots(&world, 60).await;
    assert!(start(&world, &proposal).await);
    let mut tx = world.tx().await;
    let forgotten = rates::forget(&mut tx, Timestamp::MAX).await.unwrap();
    assert!(forgotten > 0);
}

async fn pass_slots(world: &World, seconds: i32) {
    sqlx::query("UPDATE countersign.rate_slots SET taken_at = taken_at - $1 * interval '1 second'")
        .bind(seconds)
        .execute(world.test.admin())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_cooldown_runs_from_the_end_of_the_run_and_a_run_does_not_block_itself() {
    let world = World::new().await;
    let mut proposal = world.proposal();
    proposal.trigger = Some(TriggerId::generate());
    proposal.trigger_cooldown_s = 600;
    let execution = ExecutionId::generate();
    let who = Who::from(&world.requester);
    let moment = Moment::Starting(execution);
    let mut tx = world.tx().await;
    let answers = guards::ask(&mut tx, &proposal, &Constraints::default(), moment).await.unwrap();
    guards::take_slot(&mut tx, &proposal, execution, &answers, &who).await.unwrap();
    let again = guards::ask(&mut tx, &proposal, &Constraints::default(), moment).await.unwrap();
    assert!(all_allow(&again.results), "the same execution taken up again");
    guards::take_slot(&mut tx, &proposal, execution, &again, &who).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(denied(&ask(&world, &proposal).await), ["cooldown"]);
    pass_slots(&world, 600).await;
    assert!(all_allow(&ask(&world, &proposal).await));
    let mut tx = world.tx().await;
    let now = tx.now().await.unwrap();
    rates::finish(&mut tx, execution, now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(denied(&ask(&world, &proposal).await), ["cooldown"]);
    let mut other_trigger = proposal.clone();
    other_trigger.trigger = Some(TriggerId::generate());
    assert!(all_allow(&ask(&world, &other_trigger).await));
}

#[tokio::test]
async fn limits_that_could_never_apply_are_refused() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    for (scope, scope_id, count, window_s, field) in [
        (RateScope::Runbook, "nginx", 1, 60, "/scope_id"),
        (RateScope::Tenant, "*", 1, 60, "/scope_id"),
        (RateScope::Resource, "*", 0, 60, "/count"),
        (RateScope::Resource, "*", 1, 0, "/window_seconds"),
        (RateScope::Resource, "*", u32::MAX, 1, "/count"),
    ] {
        let quota = Quota { scope, scope_id: scope_id.into(), count, window_s };
        let error = rates::save(&mut tx, &quota, Enabled::Yes).await.unwrap_err();
        assert!(matches!(&error, Error::Invalid { path, .. } if path == field), "{error:?}");
    }
}

#[tokio::test]
async fn a_slot_cannot_be_taken_against_a_guard() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let proposal = world.proposal();
    let execution = ExecutionId::generate();
    let none = Constraints { max_targets: 0, ..Constraints::default() };
    let answers =
        guards::ask(&mut tx, &proposal, &none, Moment::Starting(execution)).await.unwrap();
    let who = Who::from(&world.requester);
    let taken = guards::take_slot(&mut tx, &proposal, execution, &answers, &who).await;
    assert!(matches!(taken, Err(Error::Conflict { .. })), "{taken:?}");
}

/// Waits until something waits for an advisory lock of this database, or the task is done.
async fn stands_in_line(world: &World, task: &JoinHandle<()>) {
    let waits = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_locks l
                   JOIN pg_catalog.pg_database d ON d.oid = l.database
                   WHERE d.datname = current_database() AND l.locktype = 'advisory'
                     AND NOT l.granted)";
    while !task.is_finished() {
        let waiting: bool = sqlx::query_scalar(waits).fetch_one(world.test.admin()).await.unwrap();
        if waiting {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_to_wait_while_the_guard_goes_is_woken() {
    let world = Arc::new(World::new().await);
    let stored = night("2026-01-01T22:00", "2026-01-02T06:00");
    let mut tx = world.tx().await;
    windows::save(&mut tx, &stored, world.author.id).await.unwrap();
    tx.commit().await.unwrap();
    let waiting = world.waiting(1, Tier::Low, 1).await.remove(0);
    world.vote(waiting.approval, &world.approver("Ann").await, Choice::Approve).await;
    // A start has read the window and is about to be told to wait for its end.
    let mut start = world.tx().await;
    guards::keep(&mut start).await.unwrap();
    let removing = tokio::spawn({
        let world = Arc::clone(&world);
        let id = stored.draft.id;
        async move {
            let mut tx = world.tx().await;
            windows::remove(&mut tx, id).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    stands_in_line(&world, &removing).await;
    let told =
        "UPDATE countersign.executions SET next_run_at = clock_timestamp() + interval '1 day'
                WHERE id = $1";
    sqlx::query(told).bind(waiting.execution.uuid()).execute(start.conn()).await.unwrap();
    start.commit().await.unwrap();
    removing.await.unwrap();
    let due = "SELECT next_run_at <= clock_timestamp() FROM countersign.executions WHERE id = $1";
    let due: bool = sqlx::query_scalar(due)
        .bind(waiting.execution.uuid())
        .fetch_one(world.test.admin())
        .await
        .unwrap();
    assert!(due, "it would wait for the end of a window that is gone");
}
