use std::fmt::Write as _;

use model::id::RunbookId;

use super::*;

fn second(n: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + n).unwrap()
}

fn breaker() -> Breaker {
    Breaker::new(Key::runbook(RunbookId::generate()))
}

fn failed_times(mut breaker: Breaker, times: u32, at: Timestamp) -> Breaker {
    for _ in 0..times {
        breaker = breaker.on(Event::Failed, at);
    }
    breaker
}

#[test]
fn behaviour_8_five_failures_open_and_one_success_before_that_resets() {
    let at = second(0);
    let four = failed_times(breaker(), 4, at);
    assert_eq!(four.state, State::Closed { failures: 4 });
    assert_eq!(four.clone().on(Event::Succeeded, at).state, State::Closed { failures: 0 });
    let again = failed_times(four.clone().on(Event::Succeeded, at), 4, at);
    assert_eq!(again.state.word(), "closed", "consecutive, not cumulative");
    assert_eq!(four.on(Event::Failed, at).state, State::Open { since: at, timeout_s: 300 });
}

#[test]
fn behaviour_8_half_open_after_300_seconds_and_closed_after_three_successes() {
    let open = failed_times(breaker(), 5, second(0));
    assert_eq!(open.judge(second(299)).verdict, Verdict::Deny);
    assert_eq!(open.judge(second(299)).until, Some(second(300)));
    assert_eq!(open.judge(second(300)).verdict, Verdict::Allow);
    let mut trial = open.on(Event::Asked, second(300));
    for _ in 0..2 {
        trial = trial.on(Event::Succeeded, second(310));
        assert_eq!(trial.state.word(), "half_open");
    }
    assert_eq!(trial.on(Event::Succeeded, second(320)).state, State::Closed { failures: 0 });
}

#[test]
fn behaviour_8_one_failure_on_trial_reopens_for_twice_as_long_up_to_an_hour() {
    let mut now = 0;
    let mut one = failed_times(breaker(), 5, second(now));
    let mut waited = Vec::new();
    for _ in 0..6 {
        let State::Open { timeout_s, .. } = one.state else { panic!("{:?}", one.state) };
        waited.push(timeout_s);
        now += i64::from(timeout_s);
        one = one.on(Event::Asked, second(now)).on(Event::Succeeded, second(now));
        one = one.on(Event::Failed, second(now));
    }
    assert_eq!(waited, [300, 600, 1200, 2400, 3600, 3600]);
    now += 3600;
    one = one.on(Event::Asked, second(now));
    for _ in 0..3 {
        one = one.on(Event::Succeeded, second(now));
    }
    let reopened = failed_times(one, 5, second(now)).state;
    assert_eq!(reopened, State::Open { since: second(now), timeout_s: 300 }, "starts over");
}

#[test]
fn a_breaker_opened_by_hand_waits_for_a_hand() {
    let held = breaker().on(Event::Opened { reason: "release freeze".into() }, second(0));
    let later = held.on(Event::Asked, second(1_000_000)).on(Event::Succeeded, second(1_000_000));
    let answer = later.judge(second(2_000_000));
    assert_eq!((answer.verdict, answer.until), (Verdict::Deny, None));
    assert!(answer.message.contains("release freeze"));
    assert_eq!(later.on(Event::Closed, second(0)).state, State::Closed { failures: 0 });
}

#[test]
fn every_state_answers_every_event() {
    let since = second(0);
    let states = [
        State::Closed { failures: 0 },
        State::Closed { failures: 4 },
        State::Open { since, timeout_s: 300 },
        State::Held { since, reason: "why".into() },
        State::HalfOpen { since, successes: 0, timeout_s: 300 },
        State::HalfOpen { since, successes: 2, timeout_s: 2400 },
    ];
    let events = [
        (Event::Succeeded, 10),
        (Event::Failed, 10),
        (Event::Asked, 299),
        (Event::Asked, 300),
        (Event::Opened { reason: "hand".into() }, 10),
        (Event::Closed, 10),
    ];
    let shown = |state: &State| match state {
        State::Closed { failures } => format!("closed {failures}"),
        State::Open { since, timeout_s } => {
            format!("open since {} for {timeout_s}", since.as_second() - 1_800_000_000)
        }
        State::Held { since, reason } => {
            format!("held since {}: {reason}", since.as_second() - 1_800_000_000)
        }
        State::HalfOpen { since, successes, timeout_s } => format!(
            "half_open since {} with {successes} after {timeout_s}",
            since.as_second() - 1_800_000_000
        ),
    };
    let mut table = String::new();
    for state in &states {
        for (event, at) in &events {
            let next = Settings::default().next(state.clone(), event.clone(), second(*at));
            writeln!(table, "{} | {event:?} at {at} -> {}", shown(state), shown(&next)).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}
