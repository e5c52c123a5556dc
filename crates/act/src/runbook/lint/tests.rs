//! What lint refuses, and where it says it is.

use super::*;
use crate::runbook::parse::tests::SEED;

/// `(code, path, line, column)` of each problem of a text.
fn problems(text: &str) -> Vec<(&'static str, String, u32, u32)> {
    let found = match of_yaml(text) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    found.into_iter().map(|p| (p.code, p.path, p.line, p.column)).collect()
}

fn errors(text: &str) -> Vec<&'static str> {
    of_yaml(text).err().unwrap_or_default().iter().filter(|p| p.refuses()).map(|p| p.code).collect()
}

fn with(extra: &str) -> String {
    format!("name: a\nsteps:\n  - name: A\n    command: ls\n{extra}")
}

#[test]
fn the_example_of_the_source_document_may_be_kept_but_not_be_active_yet() {
    let (runbook, warnings) = of_yaml(SEED).unwrap();
    let codes: Vec<_> = warnings.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["no_verify_step", "no_rollback", "no_rollback"]);
    assert_eq!(activation(&runbook)[0].code, "no_verify_step");
    let active = SEED.replace("mode: semi_auto", "mode: semi_auto\nstatus: active");
    assert_eq!(errors(&active), ["no_verify_step"]);
    let verified =
        active.replace("  - name: Verify service", "  - name: Verify service\n    stage: verify");
    assert_eq!(errors(&verified), Vec::<&str>::new());
}

#[test]
fn j2_an_unsafe_placeholder_is_named_with_line_and_column() {
    for (command, code, line, column) in [
        ("echo \"{{ server.name }}\"", "placeholder_in_quotes", 4, 20),
        ("|\n      set -e\n      echo '{{ server.name }}'", "placeholder_in_quotes", 6, 13),
        (">-\n      set -e;\n      eval {{ server.name }}", "evaluated_again", 6, 12),
        ("'echo ''{{ server.name }}'''", "placeholder_in_quotes", 4, 22),
        ("\"echo `{{ server.name }}`\"", "backticks", 4, 20),
        ("|\n      cat <<E\n      {{ server.name }}\n      E", "placeholder_in_heredoc", 6, 7),
        ("echo $(( {{ server.port }} ))", "placeholder_in_arithmetic", 4, 23),
        ("sh -c \"ls {{ server.name }}\"", "placeholder_in_quotes", 4, 24),
        ("sh -c {{ server.name }}", "nested_shell", 4, 20),
        ("echo {{ server.none }}", "unknown_variable", 4, 22),
        ("echo {{ server.name | safe }}", "filter", 4, 36),
        ("echo {% include 'x' %}", "template_include", 4, 19),
    ] {
        let text = format!("name: a\nsteps:\n  - name: A\n    command: {command}\n");
        let found = problems(&text);
        assert!(
            found.contains(&(code, "/steps/0/command".to_owned(), line, column)),
            "{command}: {found:?}"
        );
        // The undo is judged like the command.
        let undo = format!(
            "name: a\nsteps:\n  - name: A\n    command: ls\n    rollback_command: {command}\n"
        );
        assert!(errors(&undo).contains(&code), "{command}");
    }
}

#[test]
fn references_must_be_known_captured_and_earlier() {
    let two = |first: &str, second: &str| {
        format!(
            "name: a\nsteps:\n  - name: First one\n    {first}\n  - name: Second\n    {second}\n"
        )
    };
    for (first, second, expected) in [
        ("command: ls", "command: echo {{ steps.first_one.stdout }}", vec![]),
        ("command: ls", "command: echo {{ steps['First one'].exit_code }}", vec![]),
        ("command: ls", "condition: steps.first_one.success\n    command: ls", vec![]),
        (
            "command: ls",
            "command: ls\n    rollback_command: kill {{ steps.second.stdout }}",
            vec![],
        ),
        ("command: ls", "command: kill {{ steps.second.stdout }}", vec!["later_step"]),
        ("command: echo {{ steps.second.stdout }}", "command: ls", vec!["later_step"]),
        (
            "command: ls\n    capture_output: false",
            "command: echo {{ steps.first_one.stdout }}",
            vec!["not_captured"],
        ),
        (
            "command: ls\n    capture_output: false",
            "command: echo {{ steps.first_one.exit_code }}",
            vec![],
        ),
        ("command: ls", "command: echo {{ steps.third.stdout }}", vec!["unknown_variable"]),
        ("command: ls", "command: echo {{ steps.first_one.output }}", vec!["unknown_variable"]),
        (
            "command: ls",
            "command: echo {{ steps.first_one.stdout | lower }}",
            vec!["late_expression"],
        ),
        ("command: ls", "condition: steps.second.success\n    command: ls", vec!["later_step"]),
        ("command: ls", "condition: a b\n    command: ls", vec!["expression_syntax"]),
        (
            "command: ls",
            "condition: execution.mode == 'auto'\n    command: ls {{ execution.id }}",
            vec![],
        ),
        (
            "command: ls",
            "command: echo {{ alert.labels }} {{ env.X }} {{ Y }} {{ alert }}",
            vec!["unknown_variable"; 4],
        ),
        (
            "command: ls",
            "command: ls {{ server.name }}\n    params: {server.name: {pattern: a}, x: {}}",
            vec!["unknown_param"],
        ),
        (
            "command: ls",
            "command: ls {{ server.name }}\n    params: {server.name: {pattern: '('}}",
            vec!["pattern"],
        ),
    ] {
        assert_eq!(errors(&two(first, second)), expected, "{first} / {second}");
    }
}

#[test]
fn what_cannot_work_is_refused() {
    for (text, expected) in [
        (with("  - name: a\n    command: ls\n"), "name_twice"),
        (with("    timeout_seconds: 0\n"), "out_of_range"),
        (with("    expected_exit_codes: []\n"), "exit_codes"),
        (with("    expected_exit_codes: [256]\n"), "exit_codes"),
        (with("    action: Do It\n"), "action"),
        (with("    evidence: [{type: log, query: all}]\n"), "evidence"),
        (with("    stage: verify\n  - name: B\n    command: ls\n"), "act_after_verify"),
        (with("rate_limit_count: 3\n"), "rate_limit_half"),
        (with("approval_roles: []\n"), "empty"),
        (with("environment_vars: {A-B: x}\n"), "variable_name"),
        (with("environment_vars: {alert: x}\n"), "variable_name"),
        (with("environment_vars: {A: '{{ env.B }}'}\n"), "unknown_variable"),
        (with("environment_vars: {A: '{{ steps.a.stdout }}'}\n"), "unknown_variable"),
        (with("environment_vars: {PATH: '{{ alert.labels.x }}'}\n"), "placeholder_steers_shell"),
        (with("config: {max_parallel: many}\n"), "out_of_range"),
        (with("config: {target_label: 3}\n"), "not_text"),
        (with("allowed_servers: {names: ['[']}\n"), "pattern"),
        ("name: a\nsteps: []\n".to_owned(), "no_steps"),
        (with("target_os: windows\nstatus: active\n"), "no_verify_step"),
    ] {
        assert!(errors(&text).contains(&expected), "{text}: {:?}", errors(&text));
    }
    let trigger = |extra: &str| {
        with(&format!("triggers:\n  - name: t\n    alert_name_pattern: a\n    {extra}\n"))
    };
    for (extra, expected) in [
        ("severity_pattern: '['", "pattern"),
        ("source_pattern: 're:('", "pattern"),
        ("labels_match: {a: '['}", "pattern"),
        ("labels_match: {a: ''}", "empty"),
        ("time_window_start: '22:00'", "window_half"),
        ("timezone: Mars/Olympus", "timezone"),
        ("time_window_start: '22:00'\n    time_window_end: '22:00'", "window_empty"),
    ] {
        assert_eq!(errors(&trigger(extra)), [expected], "{extra}");
    }
    assert_eq!(
        errors(&trigger("time_window_start: 22:00\n    time_window_end: 06:30:15")),
        Vec::<&str>::new()
    );
}

#[test]
fn p7_patterns_too_long_too_large_or_too_many_are_refused_with_their_path() {
    let refused = |yaml: &str, place: &str, word: &str| {
        let found = of_yaml(yaml).err().unwrap_or_default();
        let problem = found.iter().find(|one| one.path == place && one.code == word);
        let problem = problem.unwrap_or_else(|| panic!("{place} {word}: {found:?}"));
        assert!(problem.message.len() < 400, "{}", problem.message);
    };
    let trigger = |extra: &str| {
        with(&format!("triggers:\n  - name: t\n    alert_name_pattern: a\n    {extra}\n"))
    };
    let param = |pattern: &str| with(&format!("    params: {{A: {{pattern: '{pattern}'}}}}\n"));
    // 50,000 characters; a program of gigabytes; groups in groups; what only backtracking knows.
    for pattern in [
        "a".repeat(50_000),
        "(a|b)*c".repeat(10_000),
        "((a{100}){100}){100}".to_owned(),
        r"\pL{1000}{1000}".to_owned(),
        format!("{}a{}", "(".repeat(240), ")".repeat(240)) + &"(".repeat(20),
        r"(a)\1".to_owned(),
        "(?=a)b".to_owned(),
    ] {
        refused(
            &trigger(&format!("severity_pattern: 're:{pattern}'")),
            "/triggers/0/severity_pattern",
            "pattern",
        );
        refused(
            &trigger(&format!("labels_match: {{a: 're:{pattern}'}}")),
            "/triggers/0/labels_match/a",
            "pattern",
        );
        refused(&param(&pattern), "/steps/0/params/A/pattern", "pattern");
    }
    refused(
        &with(&format!("allowed_servers: {{names: ['{}']}}\n", "a".repeat(50_000))),
        "/allowed_servers/names/0",
        "pattern",
    );
    let many = |one: &str| (0..51).map(|at| format!("{one}{at}")).collect::<Vec<_>>().join(", ");
    refused(
        &with(&format!("allowed_servers: {{names: [{}]}}\n", many("a"))),
        "/allowed_servers/names",
        "too_many",
    );
    let labels = (0..51).map(|at| format!("a{at}: b")).collect::<Vec<_>>().join(", ");
    refused(
        &trigger(&format!("labels_match: {{{labels}}}")),
        "/triggers/0/labels_match",
        "too_many",
    );
    // What makes others backtrack for ages is answered.
    let text = format!("{}!", "a".repeat(4096));
    for pattern in ["re:(a+)+$", "re:(a|aa)+", "re:(.*)(.*)(.*)(.*)x", "*a*a*a*a*a*a*b"] {
        assert!(!super::super::glob::Pattern::read(pattern).unwrap().matches(&text), "{pattern}");
    }
}

#[test]
fn what_deserves_a_look_is_a_warning() {
    let (_, warnings) = of_yaml(&with("    retry_count: 2\n")).unwrap();
    let codes: Vec<_> = warnings.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["no_verify_step", "no_rollback", "retry_at_most_once"]);
    let (_, warnings) = of_yaml(&with("target_os: windows\n")).unwrap();
    assert!(warnings.iter().any(|problem| problem.code == "os_not_supported"));
}
