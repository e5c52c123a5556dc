use model::finding::SourceStatus::{Firing, Resolved};
use proptest::prelude::*;

use super::*;

fn end(second: i64) -> Option<Timestamp> {
    Timestamp::from_second(1_772_359_200 + second).ok()
}

fn sequence(notices: &[(SourceStatus, Option<Timestamp>)]) -> (Option<Known>, Vec<Change>) {
    notices.iter().fold((None, Vec::new()), |(known, mut changes), (status, ends_at)| {
        let (known, change) = merge(known, *status, *ends_at);
        changes.push(change);
        (Some(known), changes)
    })
}

#[test]
fn i6_resolved_before_firing_stays_resolved() {
    let (known, changes) = sequence(&[(Resolved, end(5)), (Firing, None), (Firing, None)]);
    assert_eq!(known, Some(Known { status: Resolved, ends_at: end(5), seen: 3 }));
    assert_eq!(changes, [Change::New, Change::Repeated, Change::Repeated]);
}

#[test]
fn i6_a_late_repeat_of_firing_does_not_reopen() {
    let (known, changes) =
        sequence(&[(Firing, None), (Resolved, end(5)), (Firing, end(9)), (Resolved, end(3))]);
    assert_eq!(known, Some(Known { status: Resolved, ends_at: end(5), seen: 4 }));
    assert_eq!(changes, [Change::New, Change::Resolved, Change::Repeated, Change::Repeated]);
}

fn notice(fingerprint: &str, status: SourceStatus, text: &str) -> Notice {
    Notice {
        fingerprint: fingerprint.to_owned(),
        name: "DiskFull".to_owned(),
        severity: model::level::Severity::High,
        severity_raw: "high".to_owned(),
        instance: String::new(),
        job: String::new(),
        status,
        starts_at: Timestamp::from_second(1_772_359_200).unwrap(),
        ends_at: None,
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        raw: text.to_owned(),
    }
}

#[test]
fn notices_of_one_problem_in_one_batch_become_one() {
    let notices = [
        notice("b", Firing, "first"),
        notice("a", Firing, "other"),
        notice("b", Resolved, "second"),
        notice("b", Firing, "late"),
    ];
    let problems = fold([notices.as_slice()]);
    let seen: Vec<_> = problems
        .iter()
        .map(|p| (p.notice.fingerprint.as_str(), p.notice.raw.as_str(), p.known.seen))
        .collect();
    assert_eq!(seen, [("a", "other", 1), ("b", "second", 3)]);
    assert_eq!(problems[1].known.status, Resolved);
}

#[test]
fn deliveries_written_together_change_what_they_would_have_changed_one_after_the_other() {
    let deliveries = [
        vec![notice("a", Firing, "1")],
        vec![notice("a", Resolved, "2"), notice("b", Firing, "3")],
        vec![notice("a", Firing, "late"), notice("b", Firing, "4")],
    ];
    let problems = fold(deliveries.iter().map(Vec::as_slice));
    let [a, b] = problems.as_slice() else { panic!("two problems") };
    assert_eq!((a.notice.raw.as_str(), a.known.seen), ("2", 3));
    let changes = |problem: &Problem<'_>, before| problem.changes(before).collect::<Vec<_>>();
    let (new, resolved, repeated) = (Change::New, Change::Resolved, Change::Repeated);
    assert_eq!(changes(a, None), [(0, new), (1, resolved), (2, repeated)]);
    assert_eq!(changes(a, Some(Firing)), [(0, repeated), (1, resolved), (2, repeated)]);
    assert_eq!(changes(a, Some(Resolved)), [(0, repeated), (1, repeated), (2, repeated)]);
    assert_eq!(changes(b, None), [(1, new), (2, repeated)]);
}

fn any_notice() -> impl Strategy<Value = (SourceStatus, Option<Timestamp>)> {
    (
        prop_oneof![Just(Firing), Just(Resolved)],
        prop::option::of((0..5_i64).prop_map(|s| end(s).unwrap())),
    )
}

proptest! {
    #[test]
    fn what_is_known_in_the_end_does_not_depend_on_the_order(
        (given, shuffled) in prop::collection::vec(any_notice(), 1..12)
            .prop_flat_map(|given| (Just(given.clone()), Just(given).prop_shuffle()))
    ) {
        prop_assert_eq!(sequence(&given).0, sequence(&shuffled).0);
    }

    #[test]
    fn exactly_one_notice_is_new_and_at_most_one_resolves(
        given in prop::collection::vec(any_notice(), 1..12)
    ) {
        let (_, changes) = sequence(&given);
        prop_assert_eq!(changes.iter().filter(|c| **c == Change::New).count(), 1);
        prop_assert!(changes.iter().filter(|c| **c == Change::Resolved).count() <= 1);
    }
}
