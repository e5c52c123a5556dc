use proptest::prelude::*;

use super::*;

fn rule(priority: i32, name: &str, severity: &str, action: RuleAction) -> Rule {
    Rule {
        id: AlertRuleId::generate(),
        name: format!("{name} {severity}"),
        priority,
        alert_name_pattern: name.to_owned(),
        severity_pattern: severity.to_owned(),
        action,
        enabled: true,
    }
}

#[test]
fn globs_are_anchored_and_ignore_case() {
    for (pattern, text, expected) in [
        ("HostDown", "hostdown", true),
        ("Host", "HostDown", false),
        ("Host*", "HOSTDOWN", true),
        ("*Down", "HostDownNow", false),
        ("*down*", "HostDownNow", true),
        ("h?st*", "HostDown", true),
        ("h?st", "hst", false),
        ("*", "", true),
        ("", "", true),
        ("", "x", false),
        ("a.c", "abc", false),
        ("[ab]", "a", false),
        ("*a*b*c", "xxaxxbxxbc", true),
        ("ÄÖ?", "äöü", true),
        ("***", "x", true),
    ] {
        assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} on {text}");
    }
}

#[test]
fn the_first_match_in_priority_order_decides_and_is_named() {
    let ignore = rule(10, "Watchdog", "*", RuleAction::Ignore);
    let wide = rule(100, "*", "critical", RuleAction::AutoAnalyze);
    let off = Rule { enabled: false, ..rule(1, "*", "*", RuleAction::Ignore) };
    let rules = Ruleset::new(vec![wide.clone(), off, ignore.clone()]);
    let decide = |name, severity| rules.decide(name, severity, Severity::from_label(severity));
    assert_eq!(
        decide("watchdog", "critical"),
        Ruling { action: RuleAction::Ignore, rule: Some(ignore.id) }
    );
    assert_eq!(
        decide("DiskFull", "page"),
        Ruling { action: RuleAction::AutoAnalyze, rule: Some(wide.id) }
    );
    assert_eq!(decide("DiskFull", "warning"), Ruling { action: RuleAction::Manual, rule: None });
}

#[test]
fn among_equal_priorities_the_older_rule_is_asked_first() {
    let first = rule(5, "*", "*", RuleAction::Manual);
    let second = rule(5, "*", "*", RuleAction::Ignore);
    let rules = Ruleset::new(vec![second, first.clone()]);
    assert_eq!(rules.decide("a", "", Severity::Medium).rule, Some(first.id));
}

fn by_regex(pattern: &str, text: &str) -> bool {
    let body: String = pattern
        .chars()
        .map(|c| match c {
            '*' => ".*".to_owned(),
            '?' => ".".to_owned(),
            other => regex::escape(&other.to_string()),
        })
        .collect();
    regex::RegexBuilder::new(&format!("^{body}$"))
        .case_insensitive(true)
        .build()
        .unwrap()
        .is_match(text)
}

proptest! {
    #[test]
    fn a_glob_agrees_with_the_regular_expression_it_stands_for(
        pattern in "[aAb*?]{0,8}", text in "[aAbB]{0,10}"
    ) {
        prop_assert_eq!(Glob::new(&pattern).matches(&text), by_regex(&pattern, &text));
    }
}
