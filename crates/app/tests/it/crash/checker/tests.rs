//! Every invariant can be broken, and the checker sees it.

use super::super::history::{Attempt, Claim, Effect, Execution, History, Logged, Opening};
use super::*;

const ID: Uuid = Uuid::from_u128(7);

fn attempt(step: &str, direction: &str, completed: i64) -> Attempt {
    Attempt {
        execution: ID,
        step: step.to_owned(),
        semantics: "at_most_once".to_owned(),
        direction: direction.to_owned(),
        token: format!("{step}.{direction}.1"),
        state: "succeeded".to_owned(),
        completed: Some(completed),
    }
}

fn effect(step: &str, direction: &str) -> Effect {
    Effect { execution: ID, step: step.to_owned(), direction: direction.to_owned() }
}

/// Two steps done, and undone.
fn good() -> History {
    let attempts = vec![
        attempt("one", "do", 1),
        attempt("two", "do", 2),
        attempt("two", "undo", 2),
        attempt("one", "undo", 1),
    ];
    let place = |at: usize| i64::try_from(at).unwrap();
    let logged = attempts.iter().enumerate().map(|(at, attempt)| {
        let logged = Logged { started: vec![place(at) * 2], ended: vec![place(at) * 2 + 1] };
        (attempt.token.clone(), logged)
    });
    History {
        effects: vec![
            effect("one", "do"),
            effect("two", "do"),
            effect("two", "undo"),
            effect("one", "undo"),
        ],
        executions: vec![Execution {
            id: ID,
            state: "rolled_back".to_owned(),
            in_limbo: false,
            plan_matches: true,
            verdict: "require_approval".to_owned(),
            has_approval: true,
            approval_holds: true,
        }],
        claims: vec![claim(0, 1), claim(1, 2)],
        openings: vec![Opening { execution: ID, epoch: 1, held: 1 }],
        logged: logged.collect(),
        attempts,
        ..History::default()
    }
}

fn claim(before: i64, epoch: i64) -> Claim {
    Claim { execution: ID, before, epoch, owner: "worker".to_owned() }
}

/// Breaks a good history and says which invariants the checker misses then.
fn broken(breaking: impl FnOnce(&mut History)) -> Vec<String> {
    let mut history = good();
    breaking(&mut history);
    let mut names: Vec<String> =
        violations(&history).iter().map(|found| found[..3].to_owned()).collect();
    names.dedup();
    names
}

#[test]
fn a_good_history_holds() {
    assert_eq!(violations(&good()), Vec::<String>::new());
}

#[test]
fn every_invariant_can_be_broken() {
    assert_eq!(broken(|h| h.effects.insert(0, effect("one", "do"))), ["I-1", "I-3"]);
    assert_eq!(broken(|h| h.executions[0].in_limbo = true), ["I-2"]);
    assert_eq!(broken(|h| h.attempts[0].state = "fenced".to_owned()), ["I-3"]);
    assert_eq!(broken(|h| h.attempts[0].state = "intent".to_owned()), ["I-3"]);
    assert_eq!(
        broken(|h| h.logged.get_mut("one.do.1").unwrap().started = vec![5]),
        ["I-3"],
        "the intent after the outcome"
    );
    assert_eq!(broken(|h| drop(h.attempts.remove(1))), ["I-3", "I-6"], "no attempt");
    assert_eq!(broken(|h| h.executions[0].approval_holds = false), ["I-4"]);
    assert_eq!(broken(|h| h.executions[0].plan_matches = false), ["I-4"]);
    assert_eq!(broken(|h| h.claims[1].epoch = 1), ["I-5"]);
    assert_eq!(broken(|h| h.openings[0].held = 2), ["I-5"]);
    assert_eq!(broken(|h| drop(h.epochs_logged.insert("x".to_owned(), vec![2, 1]))), ["I-5"]);
    assert_eq!(broken(|h| h.effects.swap(2, 3)), ["I-6"]);
    assert_eq!(broken(|h| h.log_fault = Some("altered".to_owned())), ["I-7"]);
}
