use model::verdict::{Judge, Verdict};

use super::*;

#[test]
fn a_long_text_is_cut_at_a_character_and_a_short_one_is_left_alone() {
    assert_eq!(cut("short\nand clear", 20), "short and clear");
    assert_eq!(cut("äöüäöü", 6), "äöüäöü");
    assert_eq!(cut("äöüäöü", 4), "äöü…");
}

#[test]
fn many_messages_are_told_by_the_first_ones_and_a_count_of_the_others() {
    assert_eq!(joined(["full", "full", "late"]), "full; late");
    let many: Vec<String> = (0..1000).map(|n| format!("{n} {}", "x".repeat(1000))).collect();
    let joined = joined(many.iter().map(String::as_str));
    assert!(joined.ends_with("…; and 980 more"), "{}", joined.len());
    assert!(joined.chars().count() < MOST * (CHARS + 2) + 20);
}

#[test]
fn each_code_is_one_headline() {
    let reason = |code: String| Reason {
        judge: Judge::Policy,
        code,
        verdict: Verdict::Deny,
        message: String::new(),
    };
    let same: Vec<Reason> = (0..1000).map(|_| reason("outside".into())).collect();
    let told = vec!["policy: outside".to_owned()];
    assert_eq!(headlines(&same), Headlines { told, more: 999 });
    let different: Vec<Reason> =
        (0..1000).map(|n| reason(format!("{n} {}", "x".repeat(1000)))).collect();
    let headlines = headlines(&different);
    assert_eq!((headlines.told.len(), headlines.more), (MOST, 980));
    assert!(headlines.told.iter().all(|one| one.chars().count() == CHARS));
}
