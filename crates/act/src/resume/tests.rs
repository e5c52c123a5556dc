use super::*;

#[test]
fn each_semantics_has_its_first_move() {
    assert_eq!(approach(Semantics::Read), Approach::NewAttempt);
    assert_eq!(approach(Semantics::Idempotent), Approach::SameToken);
    assert_eq!(approach(Semantics::AtMostOnce), Approach::Fence);
}

fn guards() -> Vec<Guard> {
    vec![
        Guard::Absent,
        Guard::Started { epoch: 1, alive: true },
        Guard::Started { epoch: 1, alive: false },
        Guard::Exited { code: 3 },
        Guard::TimedOut,
        Guard::Fenced { epoch: 2 },
    ]
}

fn unknown(next: &Next) -> bool {
    matches!(next, Next::Close(Observed::Unknown { .. }))
}

#[test]
fn a_won_fence_means_it_never_starts_unless_a_start_was_seen() {
    assert_eq!(after_fence(&Fence::Won, false), Next::Close(Observed::Fenced));
    assert!(unknown(&after_fence(&Fence::Won, true)));
}

#[test]
fn a_lost_fence_adopts_what_the_target_holds_or_gives_up_knowing() {
    let next: Vec<Next> =
        guards().into_iter().map(|guard| after_fence(&Fence::Lost(guard), true)).collect();
    assert!(unknown(&next[0]), "the record of the start is gone");
    assert_eq!(next[1], Next::Follow, "it runs");
    assert_eq!(next[2], Next::Follow, "the target rebooted in between, but has its last output");
    let gone = Ended::Lost(Guard::Started { epoch: 1, alive: false });
    let seen = after_follow(&gone, Semantics::AtMostOnce);
    assert!(matches!(seen, Observed::Unknown { .. }), "and no end");
    assert_eq!(next[3], Next::Follow, "it has a result");
    assert_eq!(next[4], Next::Follow, "it was stopped at its timeout");
    assert_eq!(next[5], Next::Close(Observed::Fenced), "somebody else fenced it");
}

#[test]
fn at_most_once_is_never_repeated_whatever_the_target_says() {
    for guard in guards() {
        let next = after_lost(&guard, Semantics::AtMostOnce);
        assert!(!matches!(next, Next::Close(Observed::Repeatable { .. })), "{guard:?}");
        let seen = after_follow(&Ended::Lost(guard.clone()), Semantics::AtMostOnce);
        assert!(!matches!(seen, Observed::Repeatable { .. }), "{guard:?}");
    }
    assert!(matches!(overdue(Semantics::AtMostOnce, "gone"), Observed::Unknown { .. }));
}

#[test]
fn an_idempotent_step_that_was_killed_runs_again() {
    let dead = Guard::Started { epoch: 1, alive: false };
    assert_eq!(after_lost(&dead, Semantics::Idempotent), Next::Follow);
    let seen = after_follow(&Ended::Lost(dead), Semantics::Idempotent);
    assert!(matches!(seen, Observed::Repeatable { .. }));
    assert!(matches!(overdue(Semantics::Idempotent, "gone"), Observed::GaveUp { .. }));
}

#[test]
fn following_to_the_end_gives_the_exit_code() {
    let ended = Ended::Exited { code: 7, truncated: false };
    assert_eq!(after_follow(&ended, Semantics::AtMostOnce), Observed::Exited { code: 7 });
    let ended = Ended::Lost(Guard::Exited { code: 7 });
    assert_eq!(after_follow(&ended, Semantics::AtMostOnce), Observed::Exited { code: 7 });
    assert_eq!(
        after_follow(&Ended::TimedOut { truncated: true }, Semantics::AtMostOnce),
        Observed::TimedOut
    );
}
