use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_clock_is_off_by_what_the_way_to_the_database_does_not_explain() {
    let seconds = SignedDuration::from_secs;
    for (before, took, there, expected) in [
        (100, 0, 100, 0),
        // Somewhere within the three seconds it was 102 here as well.
        (100, 3, 102, 0),
        (100, 3, 103, 0),
        (100, 3, 110, -7),
        (100, 3, 90, 10),
        (700, 1, 100, 600),
    ] {
        let ahead = at_least(at(before), Duration::from_secs(took), at(there));
        assert_eq!(ahead, seconds(expected), "{before} {took} {there}");
    }
}

#[test]
fn a_clock_that_is_off_is_spoken_of_when_it_moves_and_now_and_then() {
    let now = Instant::now();
    let seconds = SignedDuration::from_secs;
    let said = |ahead| Some(Said { ahead: seconds(ahead), at: now });
    for (before, ahead, later, expected) in [
        (None, 0, 0, Word::Nothing),
        (None, 2, 0, Word::Nothing),
        (None, 3, 0, Word::Off),
        (None, -3, 0, Word::Off),
        (said(600), 601, 10, Word::Nothing),
        (said(600), 601, 600, Word::Off),
        (said(30), -30, 1, Word::Off),
        (said(30), 1, 1, Word::Agrees),
    ] {
        let then = now + Duration::from_secs(later);
        assert_eq!(word(before, seconds(ahead), then), expected, "{before:?} {ahead} {later}");
    }
}

#[test]
fn how_far_a_clock_is_off_is_said_in_words() {
    assert_eq!(described(SignedDuration::from_millis(601_400)), "601 s ahead of");
    assert_eq!(described(SignedDuration::from_secs(-30)), "30 s behind");
}
