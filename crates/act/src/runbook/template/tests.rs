//! Values on their way into a shell.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use model::plan::{Script, Segment, Slot};
use proptest::prelude::*;

use super::*;
use crate::runbook::compile::tests::{alert, candidate, runbook};

fn context(labels: &[(&str, &str)], variables: &[(&str, &str)]) -> Context {
    let mut book = runbook("echo");
    book.environment_vars =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Context::of(&book, 1, &candidate("web1"), Some(&alert(labels)), &BTreeMap::new()).unwrap()
}

fn render_with(text: &str, labels: &[(&str, &str)], param: &Param) -> Result<String, RenderError> {
    let pieces = parse(text).unwrap();
    script(&pieces, &context(labels, &[]), &["Check it"], |_| param.clone())
        .map(|script| script.shown())
}

fn render(text: &str, labels: &[(&str, &str)]) -> Result<String, RenderError> {
    render_with(text, labels, &Param::default())
}

fn codes(text: &str) -> Vec<&'static str> {
    parse(text).unwrap_err().into_iter().map(|fault| fault.code).collect()
}

fn anything() -> Param {
    Param { pattern: "(?s).*".to_owned(), allow_leading_dash: true, multiline: true }
}

#[test]
fn a_placeholder_becomes_one_quoted_word() {
    let labels = [("service", "nginx"), ("n", "7")];
    for (text, expected) in [
        ("systemctl restart {{ alert.labels.service }}", "systemctl restart 'nginx'"),
        ("tail /var/log/{{alert.labels.service}}.log", "tail /var/log/'nginx'.log"),
        ("echo {{ alert.labels['service'] | upper }}", "echo 'NGINX'"),
        ("echo {{ alert.labels.none | default('x') }}", "echo 'x'"),
        ("echo {{ (alert.labels.n | int) + 1 }}", "echo '8'"),
        ("docker inspect -f {{ \"{{.State}}\" }} x", "docker inspect -f '{{.State}}' x"),
        ("echo {{ server.name }} {{ server.port }}", "echo 'web1' '22'"),
        ("echo ${#HOME}", "echo ${#HOME}"),
        ("echo {{ alert.severity }}", "echo 'critical'"),
    ] {
        assert_eq!(render(text, &labels).unwrap(), expected, "{text}");
    }
}

#[test]
fn j3_an_undefined_variable_is_an_error() {
    for text in ["{{ alert.labels.none }}", "{{ nothing }}", "{{ server.none }}"] {
        assert_eq!(render(text, &[]).unwrap_err().code, "undefined_variable", "{text}");
    }
    assert_eq!(render("{{ alert.labels }}", &[]).unwrap_err().code, "not_a_word");
}

#[test]
fn j3_includes_statements_and_safe_are_refused() {
    for word in ["include 'x'", "extends 'x'", "import 'x' as y", "from 'x' import y", "macro a()"]
    {
        assert_eq!(codes(&format!("a {{% {word} %}}")), ["template_include"], "{word}");
    }
    assert_eq!(codes("{% if a %}b{% endif %}").first(), Some(&"template_statement"));
    assert_eq!(codes("{%- raw -%}"), ["template_statement"]);
    assert_eq!(codes("{# a #}"), ["template_comment"]);
    for filter in ["safe", "raw", "tojson", "escape", "e", "shuffle"] {
        assert_eq!(codes(&format!("{{{{ x | {filter} }}}}")), ["filter"], "{filter}");
    }
    assert_eq!(codes("{{- x }}"), ["whitespace_control"]);
    assert_eq!(codes("{{ x"), ["placeholder_open"]);
    assert_eq!(codes("{{ .State }}"), ["expression_syntax"]);
    assert_eq!(codes("{{ x }} {{ }} {{ y y }}"), ["expression_syntax", "expression_syntax"]);
}

#[test]
fn j3_safe_has_no_effect_even_if_it_gets_to_the_engine() {
    let engine = Engine::new();
    let safe = engine.render("{{ word | safe }}", "word", "$(reboot)").unwrap();
    assert_eq!(safe, "'$(reboot)'");
    assert!(engine.render("{% include 'x' %}", "word", "").is_err());
    assert!(
        engine.render("{% autoescape false %}{{ word }}{% endautoescape %}", "word", "a").is_err()
    );
}

#[test]
fn j3_a_value_is_never_read_as_a_template() {
    let labels = [("x", "{{ 7*7 }}"), ("y", "{% include 'z' %}")];
    let text = "echo {{ alert.labels.x }} {{ alert.labels.y }}";
    let rendered = render_with(text, &labels, &anything()).unwrap();
    assert_eq!(rendered, "echo '{{ 7*7 }}' '{% include '\\''z'\\'' %}'");
    // Nor through a variable of the runbook's, which is a template itself.
    let context = context(&[("x", "{{ 7*7 }}")], &[("A", "{{ alert.labels.x }}!")]);
    let pieces = parse("echo {{ A }}").unwrap();
    let shown = script(&pieces, &context, &[], |_| anything()).unwrap().shown();
    assert_eq!(shown, "echo '{{ 7*7 }}!'");
}

#[test]
fn j4_custom_escaping_without_our_formatter_is_an_error() {
    let mut environment = minijinja::Environment::empty();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Custom("sh".into()));
    let values = BTreeMap::from([("x".to_owned(), minijinja::Value::from("$(reboot)"))]);
    assert!(environment.render_named_str("c", "{{ x }}", minijinja::Value::from(values)).is_err());
}

#[test]
fn j5_nul_and_line_breaks_are_refused_unless_declared() {
    let plain = Param { pattern: "(?s).*".to_owned(), ..Param::default() };
    for (value, param, expected) in [
        ("a\0b", &anything(), Some("value_nul")),
        ("a\nb", &plain, Some("value_line_break")),
        ("a\rb", &plain, Some("value_line_break")),
        ("a\nb", &anything(), None),
        ("a\nb", &Param { multiline: true, ..Param::default() }, Some("value_pattern")),
    ] {
        let found = render_with("echo {{ alert.labels.x }}", &[("x", value)], param);
        assert_eq!(found.err().map(|error| error.code), expected, "{value:?}");
    }
}

#[test]
fn j6_a_leading_dash_is_refused_unless_declared() {
    for value in ["-rf", "--kubeconfig=/x", "-oProxyCommand=reboot"] {
        let text = "rm {{ alert.labels.x }}";
        let equals = Param { pattern: ".*".to_owned(), ..Param::default() };
        let error = render_with(text, &[("x", value)], &equals).unwrap_err();
        assert_eq!(error.code, "value_leading_dash", "{value}");
        assert!(render_with(text, &[("x", value)], &anything()).is_ok(), "{value}");
    }
    // What the author writes is trusted.
    assert_eq!(render("rm {{ '-rf' }}", &[]).unwrap(), "rm '-rf'");
}

#[test]
fn a_value_from_outside_must_match_its_pattern() {
    for value in ["$(reboot)", "a b", "a;b", "", "ü", &"a".repeat(257)] {
        let error = render("echo {{ alert.labels.x }}", &[("x", value)]).unwrap_err();
        assert_eq!(error.code, "value_pattern", "{value}");
    }
    let digits = Param { pattern: "[0-9]+|all".to_owned(), ..Param::default() };
    assert!(render_with("echo {{ alert.labels.x }}", &[("x", "all")], &digits).is_ok());
    assert!(render_with("echo {{ alert.labels.x }}", &[("x", "1 all")], &digits).is_err());
    // A mixture is as hostile as its worst part.
    let mixed = render("echo {{ server.name ~ alert.labels.x }}", &[("x", "$(a)")]);
    assert_eq!(mixed.unwrap_err().code, "value_pattern");
}

#[test]
fn runaway_expressions_run_out_of_fuel_or_size() {
    let long = format!("{{{{ {} }}}}", vec!["1"; 3_000].join("+"));
    assert_eq!(codes(&long), ["expression_too_long"]);
}

#[test]
fn late_values_become_slots_and_are_filled_as_quoted_words() {
    let pieces = parse("kill {{ steps.check_it.stdout }} {{ execution.id }}").unwrap();
    let made = script(&pieces, &context(&[], &[]), &["Check it"], |_| Param::default()).unwrap();
    assert_eq!(made.shown(), "kill <steps.Check it.stdout> <execution.id>");
    let mut late = LateValues {
        execution: BTreeMap::from([("id".to_owned(), "exe_1".to_owned())]),
        ..LateValues::default()
    };
    assert!(matches!(fill(&made, &late), Err(FillError::Missing { .. })));
    let output = |text: &str| StepOutput { stdout: text.to_owned(), ..StepOutput::default() };
    late.steps.insert("Check it".to_owned(), output("42\n"));
    assert_eq!(fill(&made, &late).unwrap(), "kill '42' 'exe_1'");
    for (value, expected) in [
        ("-9", "value_leading_dash"),
        ("1 2", "value_pattern"),
        ("$(reboot)", "value_pattern"),
        ("a\0", "value_nul"),
        ("a\nb", "value_line_break"),
    ] {
        late.steps.insert("Check it".to_owned(), output(value));
        let Err(FillError::Refused { code, .. }) = fill(&made, &late) else { panic!("{value}") };
        assert_eq!(code, expected, "{value}");
    }
}

#[test]
fn a_slot_carries_what_its_parameter_allows() {
    let pieces = parse("echo {{ steps.check_it.stdout }}").unwrap();
    let made = script(&pieces, &context(&[], &[]), &["Check it"], |_| anything()).unwrap();
    let stdout = "-a'b\nc".to_owned();
    let late = LateValues {
        steps: BTreeMap::from([(
            "Check it".to_owned(),
            StepOutput { stdout, ..StepOutput::default() },
        )]),
        ..LateValues::default()
    };
    assert_eq!(fill(&made, &late).unwrap(), "echo '-a'\\''b\nc'");
}

#[test]
fn a_late_value_stands_for_itself_only() {
    for text in ["{{ steps.check_it.stdout | lower }}", "{{ steps.check_it.exit_code + 1 }}"] {
        assert_eq!(render(text, &[]).unwrap_err().code, "late_expression", "{text}");
    }
    assert_eq!(render("{{ steps.none.stdout }}", &[]).unwrap_err().code, "unknown_variable");
}

#[test]
fn a_broken_pattern_in_a_slot_refuses_the_value() {
    let slot = Slot { name: "execution.id".to_owned(), pattern: "(".to_owned(), tainted: false };
    let late = LateValues {
        execution: BTreeMap::from([("id".to_owned(), "a".to_owned())]),
        ..LateValues::default()
    };
    assert!(fill(&Script(vec![Segment::Slot(slot)]), &late).is_err());
}

/// What `shell` sees as its first argument when the text is a quoted word of a script.
fn through(shell: &str, text: &str) -> Option<Vec<u8>> {
    let script = format!("printf '%s' {}", value::quote(text));
    let done = Command::new(shell).args(["-c", &script]).stdin(Stdio::null()).output().ok()?;
    done.status.success().then_some(done.stdout)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn j1_quoted_text_comes_out_of_a_shell_as_it_went_in(
        text in r##"[a-zA-Z $`'"\\;&|<>(){}\[\]*?!~#%^=\n\t,:@é€\u{2019}-]{0,40}"##,
    ) {
        for shell in ["dash", "bash"] {
            if let Some(seen) = through(shell, &text) {
                prop_assert_eq!(&seen, text.as_bytes(), "{}", shell);
            } else {
                prop_assert!(Command::new(shell).arg("-c").arg(":").output().is_err());
            }
        }
    }
}
