//! Reading what was written gives the same.

use std::collections::BTreeMap;

use jiff::civil::Time;
use model::intent::ExecutionMode;
use model::plan::{EvidenceKind, EvidenceRequirement, Semantics, Stage};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::runbook::parse::from_yaml;
use crate::runbook::status::{Status, TargetOs};
use crate::runbook::{Param, Selector, Step, Trigger};

/// Texts that tempt a YAML writer: words of other types, indicators, white space, newlines.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 _.-]{1,24}",
        "[ -~]{0,40}",
        "([ -~]{0,30}\n){0,4}[ -~]{0,30}",
        r"[\PC\n\t]{0,30}",
        prop_oneof![
            Just("yes"),
            Just("null"),
            Just("~"),
            Just("22:00"),
            Just("1e3"),
            Just("0x1f"),
            Just("{{ x }}"),
            Just("- a"),
            Just("# b"),
            Just(""),
            Just(" a "),
            Just("a\n"),
            Just("\n"),
            Just("a\n\n\n"),
            Just("  a\nb"),
            Just("true"),
            Just("2024-01-01"),
            Just("\ta"),
            Just("a: b"),
            Just("---"),
            Just("!x"),
            Just("&x"),
            Just("*x"),
            Just("%a"),
        ]
        .prop_map(str::to_owned),
        // Longer than a line, as descriptions are.
        "([a-z]{1,12} ){5,30}[a-z]{1,5}",
        "([a-z{}]{1,12}[ ]{1,3}){10,20}",
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn step() -> impl Strategy<Value = Step> {
    let param = (text(), any::<bool>(), any::<bool>()).prop_map(
        |(pattern, allow_leading_dash, multiline)| Param { pattern, allow_leading_dash, multiline },
    );
    let evidence = text().prop_map(|query| EvidenceRequirement { kind: EvidenceKind::Log, query });
    let texts =
        (text(), option::of(text()), text(), option::of(text()), option::of(text()), text());
    let numbers = (vec(any::<i32>(), 0..4), 0..9_u32, 0..9_u32, 0..90_u32);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let more = (
        proptest::sample::select(Semantics::ALL),
        proptest::sample::select(Stage::ALL),
        btree_map(text(), param, 0..3),
        vec(evidence, 0..3),
    );
    (texts, numbers, flags, more).prop_map(|(texts, numbers, flags, more)| Step {
        name: texts.0,
        description: texts.1,
        command: texts.2,
        expected_exit_codes: numbers.0,
        timeout_seconds: numbers.3,
        continue_on_failure: flags.0,
        condition: texts.3,
        rollback_command: texts.4,
        retry_count: numbers.1,
        retry_delay_seconds: numbers.2,
        capture_output: flags.1,
        sensitive: flags.2,
        action: texts.5,
        semantics: more.0,
        stage: more.1,
        params: more.2,
        evidence: more.3,
    })
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let time = option::of(
        (0..24_i8, 0..60_i8, prop_oneof![Just(0_i8), 0..60_i8])
            .prop_map(|(h, m, s)| Time::new(h, m, s, 0).unwrap()),
    );
    let texts = (text(), text(), option::of(text()), option::of(text()), text());
    (
        texts,
        btree_map(text(), text(), 0..3),
        time.clone(),
        time,
        any::<i32>(),
        any::<bool>(),
        any::<u32>(),
    )
        .prop_map(|(texts, labels_match, start, end, priority, enabled, cooldown_seconds)| {
            Trigger {
                name: texts.0,
                priority,
                alert_name_pattern: texts.1,
                severity_pattern: texts.2,
                source_pattern: texts.3,
                labels_match,
                time_window_start: start,
                time_window_end: end,
                timezone: texts.4,
                enabled,
                cooldown_seconds,
            }
        })
}

fn runbook() -> impl Strategy<Value = Runbook> {
    let texts = (text(), option::of(text()), option::of(text()));
    let words = (
        proptest::sample::select(ExecutionMode::ALL),
        proptest::sample::select(&[Status::Draft, Status::Active, Status::Disabled][..]),
        proptest::sample::select(&[TargetOs::Linux, TargetOs::Windows][..]),
    );
    let numbers = (any::<u32>(), 0..3_u32, 58..62_u32, option::of(any::<u32>()), any::<bool>());
    let selector =
        (vec(text(), 0..3), vec(text(), 0..2), vec(text(), 0..2), vec(text(), 0..2)).prop_map(
            |(tags, groups, environments, names)| Selector { tags, groups, environments, names },
        );
    let maps = (btree_map(text(), text(), 0..3), btree_map(text(), json(), 0..3));
    let lists = (vec(text(), 0..3), vec(step(), 0..3), vec(trigger(), 0..3));
    (texts, words, numbers, selector, maps, lists).prop_map(
        |(texts, words, numbers, allowed_servers, maps, lists)| Runbook {
            name: texts.0,
            description: texts.1,
            category: texts.2,
            mode: words.0,
            status: words.1,
            target_os: words.2,
            timeout_seconds: numbers.0,
            max_retries: numbers.1,
            retry_delay_seconds: numbers.2,
            rate_limit_count: numbers.3,
            rate_limit_window_seconds: numbers.3,
            requires_approval: numbers.4,
            approval_roles: lists.0,
            allowed_servers,
            environment_vars: maps.0,
            config: maps.1,
            steps: lists.1,
            triggers: lists.2,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn reading_what_was_written_gives_the_same_runbook(runbook in runbook()) {
        let text = to_yaml(&runbook).unwrap();
        match from_yaml(&text) {
            Ok(read) => prop_assert_eq!(&read, &runbook, "{}", text),
            Err(problems) => prop_assert!(false, "{}\n{}", problems[0], text),
        }
        prop_assert_eq!(to_yaml(&from_yaml(&text).unwrap()).unwrap(), text);
    }
}

#[test]
fn defaults_are_left_out() {
    let text = "name: a\nsteps:\n  - name: b\n    command: ls\n";
    assert_eq!(to_yaml(&from_yaml(text).unwrap()).unwrap(), text);
}

#[test]
fn the_example_of_the_source_document_survives() {
    let runbook = from_yaml(crate::runbook::parse::tests::SEED).unwrap();
    let text = to_yaml(&runbook).unwrap();
    assert_eq!(from_yaml(&text).unwrap(), runbook);
    let order: Vec<_> =
        ["name:", "description:", "category:", "requires_approval:", "steps:", "triggers:"]
            .iter()
            .map(|key| text.find(key).unwrap())
            .collect();
    assert!(order.is_sorted(), "{text}");
    let empty = BTreeMap::<String, Value>::new();
    assert_eq!(runbook.config, empty);
}
