use super::*;

fn reported(fingerprint: &str, title: &str, detail: Detail) -> Reported {
    Reported {
        fingerprint: fingerprint.to_owned(),
        began_at: None,
        title: title.to_owned(),
        reason: String::new(),
        severity: Severity::High,
        severity_score: None,
        confidence_score: None,
        resource_id: None,
        environment_id: None,
        detail,
    }
}

#[test]
fn a_batch_that_says_the_same_twice_says_it_once_and_counts() {
    let batch = vec![
        reported("a", "first", Detail::Cost),
        reported("b", "other", Detail::Cost),
        reported("a", "last", Detail::Cost),
        // Another kind is another problem.
        reported("a", "exposed", Detail::Exposure),
    ];
    let folded = fold(batch);
    let shown: Vec<_> = folded.iter().map(|one| (one.reported.title.as_str(), one.times)).collect();
    assert_eq!(shown, [("last", 2), ("other", 1), ("exposed", 1)]);
}
