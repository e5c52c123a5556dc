//! Where placeholders may stand, case by case.

use proptest::prelude::*;

use super::*;
use crate::runbook::template;

/// The codes found, with the offset of each.
fn check_with(script: &str, variables: &[&str]) -> Vec<&'static str> {
    let pieces = template::parse(script).unwrap_or_else(|faults| panic!("{script}: {faults:?}"));
    check(&pieces, variables).into_iter().map(|fault| fault.code).collect()
}

fn refused(script: &str, code: &str) {
    let found = check_with(script, &[]);
    assert!(found.contains(&code), "{script}\nfound {found:?}, not {code}");
}

fn accepted(script: &str) {
    assert_eq!(check_with(script, &[]), Vec::<&str>::new(), "{script}");
}

#[test]
fn j2_placeholders_as_bare_words_are_accepted() {
    for script in [
        "systemctl restart {{x}}",
        "sudo systemctl restart {{ x }}",
        "sudo -u {{x}} systemctl status nginx",
        "sudo -n -- systemctl restart {{x}}",
        "tail -n 20 /var/log/{{x}}.log",
        "echo --name={{x}}",
        "A={{x}} B={{y}} env",
        "export NAME={{x}}",
        "if systemctl is-active {{x}}; then echo {{x}}; else exit 1; fi",
        "for f in {{x}} {{y}}; do rm -f -- \"$f\"; done",
        "case {{x}} in a|b) echo ok;; *) exit 1;; esac",
        "echo 'quoted' \"double $HOME\" {{x}}",
        "echo it\\'s {{x}}",
        "out=$(cat {{x}}) && echo \"$out\"",
        "cat <<EOF\nplain text\nEOF\necho {{x}}",
        "cat <<-'EOF'\n\tplain 'text\n\tEOF\necho {{x}}",
        "cat > /tmp/{{x}} 2>/dev/null",
        "# it's a comment\necho {{x}}",
        "echo a#b {{x}}",
        "echo $((1 + (2 * 3))) {{x}}",
        "echo ${HOME:-none} ${#HOME} {{x}}",
        "grep -F {{x}} /etc/hosts | wc -l",
        "sh -c 'echo \"$1\"' sh {{x}}",
        "bash -euo pipefail -c 'echo \"$1\"' sh {{x}}",
        "find /tmp -name {{x}} -exec rm {} \\;",
        "awk -v name={{x}} '{print name}' /etc/hosts",
        "sed -i -e 's/a/b/' {{x}}",
        "jq -r '.x' {{x}}",
        "psql -p {{x}} -c 'select 1'",
        "timeout 5 curl -fsS http://localhost/{{x}}",
        "printf '%s\\n' {{x}} | tee /tmp/a",
        "f() { echo one; }; f {{x}}",
        "[ -f {{x}} ] && test -n {{y}}",
        "echo \\\n  {{x}}",
        "echo {{x}}{{y}}",
    ] {
        accepted(script);
    }
}

#[test]
fn j2_placeholders_inside_quotes_are_refused() {
    for script in [
        "echo \"{{x}}\"",
        "echo '{{x}}'",
        "echo \"a $(cat {{x}})\"",
        "echo \"it's {{x}}\"",
        "echo 'a \" b {{x}}'",
        "echo \"a\\\"{{x}}\"",
        "echo a'b'\"c{{x}}\"",
        "echo $(echo \"{{x}}\")",
        "echo \"${HOME}{{x}}\"",
    ] {
        refused(script, "placeholder_in_quotes");
    }
}

#[test]
fn j2_placeholders_where_quotes_mean_nothing_are_refused() {
    for (script, code) in [
        ("cat <<EOF\n{{x}}\nEOF", "placeholder_in_heredoc"),
        ("cat <<'EOF'\n{{x}}\nEOF", "placeholder_in_heredoc"),
        ("cat <<-EOF\n\ta\n\t{{x}}\n\tEOF\n", "placeholder_in_heredoc"),
        ("cat <<A <<B\nA\n{{x}}\nB\n", "placeholder_in_heredoc"),
        ("cat <<EOF; echo hi\nEOF2\n{{x}}\nEOF", "placeholder_in_heredoc"),
        ("cat <<{{x}}\na\n", "placeholder_in_heredoc"),
        ("cat <<EOF\na \\\nEOF\n{{x}}\nEOF", "too_complex"),
        ("echo `cat {{x}}`", "backticks"),
        ("echo `date` {{x}}", "backticks"),
        ("echo $(( {{x}} + 1 ))", "placeholder_in_arithmetic"),
        ("echo $[ {{x}} ]", "placeholder_in_arithmetic"),
        ("(( {{x}} > 1 ))", "placeholder_in_arithmetic"),
        ("if (( y == {{x}} )); then :; fi", "placeholder_in_arithmetic"),
        ("for ((i={{x}};i<3;i++)); do :; done", "placeholder_in_arithmetic"),
        ("[[ {{x}} -eq 1 ]]", "placeholder_in_test"),
        ("[[ \"a ]] b\" == {{x}} ]]", "placeholder_in_test"),
        ("echo ${A:-{{x}}}", "placeholder_in_expansion"),
        ("echo # {{x}}", "placeholder_in_comment"),
        ("# {{x}}", "placeholder_in_comment"),
        ("echo \\{{x}}", "placeholder_after_backslash"),
        ("echo ${{x}}", "placeholder_after_dollar"),
        ("echo $'a\\'' {{x}}", "ansi_c_quote"),
        ("echo ${A:-'b'} {{x}}", "too_complex"),
        ("echo $(case a in a) echo b;; esac) {{x}}", "too_complex"),
        ("echo {{x}} 'open", "unclosed"),
        ("echo 'open {{x}}", "placeholder_in_quotes"),
        ("echo $(date {{x}}", "unclosed"),
    ] {
        refused(script, code);
    }
}

#[test]
fn j2_values_read_a_second_time_are_refused() {
    for (script, code) in [
        ("eval {{x}}", "evaluated_again"),
        ("eval echo {{x}}", "evaluated_again"),
        ("eval \"echo\" a{{x}}", "evaluated_again"),
        ("command eval {{x}}", "evaluated_again"),
        ("2>/dev/null eval {{x}}", "evaluated_again"),
        ("f() { eval {{x}}; }", "evaluated_again"),
        ("function f { eval {{x}}; }", "evaluated_again"),
        ("coproc NAME { eval {{x}}; }", "evaluated_again"),
        ("e\\val {{x}}", "evaluated_again"),
        ("'eval' {{x}}", "evaluated_again"),
        (". {{x}}", "evaluated_again"),
        ("trap {{x}} EXIT", "evaluated_again"),
        ("ssh host systemctl restart {{x}}", "evaluated_again"),
        ("sudo watch {{x}}", "evaluated_again"),
        ("let {{x}}", "evaluated_again"),
        ("unset {{x}}", "evaluated_again"),
        ("[ -v {{x}} ]", "evaluated_again"),
        ("printf -v {{x}} a", "evaluated_again"),
        ("declare -i n={{x}}", "evaluated_again"),
        ("export {{x}}=1", "evaluated_again"),
        ("su root -c {{x}}", "evaluated_again"),
        ("env -S {{x}}", "evaluated_again"),
        ("sh -c {{x}}", "nested_shell"),
        ("sh -c echo{{x}}", "nested_shell"),
        ("bash -euc {{x}}", "nested_shell"),
        ("bash -c -- {{x}}", "nested_shell"),
        ("/bin/bash -o pipefail -c {{x}}", "nested_shell"),
        ("sudo -u root bash -c {{x}}", "nested_shell"),
        ("docker exec app sh -c {{x}}", "nested_shell"),
        ("find . -exec sh -c {{x}} \\;", "nested_shell"),
        ("xargs -n 1 sh -c {{x}}", "nested_shell"),
        ("bash {{x}}", "nested_shell"),
        ("echo $(sh -c {{x}})", "nested_shell"),
        ("{{x}} --now", "placeholder_as_command"),
        ("sudo {{x}}", "placeholder_as_command"),
        ("sudo -E {{x}}", "placeholder_as_command"),
        ("timeout 5 {{x}}", "placeholder_as_command"),
        ("true && {{x}}", "placeholder_as_command"),
        ("if {{x}}; then :; fi", "placeholder_as_command"),
        ("A=1 {{x}}", "placeholder_as_command"),
        ("a[{{x}}]=1", "placeholder_as_command"),
        ("find . -exec {{x}} \\;", "placeholder_as_command"),
        ("/usr/bin/{{x}} status", "placeholder_as_command"),
        ("python3 -c {{x}}", "placeholder_in_program"),
        ("perl -ne {{x}} f", "placeholder_in_program"),
        ("awk {{x}} f", "placeholder_in_program"),
        ("sed s/a/{{x}}/ f", "placeholder_in_program"),
        ("psql -c {{x}}", "placeholder_in_program"),
        ("mysql --execute={{x}}", "placeholder_in_program"),
        ("PATH={{x}} ls", "placeholder_steers_shell"),
        ("LD_PRELOAD={{x}} ls", "placeholder_steers_shell"),
    ] {
        refused(script, code);
    }
}

#[test]
fn j2_nested_programs_with_placeholders_in_their_quotes_are_refused() {
    for script in ["sh -c \"echo {{x}}\"", "sh -c 'echo {{x}}'", "ssh h \"ls {{x}}\""] {
        refused(script, "placeholder_in_quotes");
    }
}

#[test]
fn j2_shell_variables_from_outside_are_not_read_a_second_time() {
    for (script, expected) in [
        ("echo \"$NAME\"", vec![]),
        ("sh -c 'echo \"$NAME\"'", vec![]),
        ("sh -c \"echo $NAME\"", vec!["nested_shell"]),
        ("eval \"echo ${NAME}\"", vec!["evaluated_again"]),
        ("$NAME now", vec!["placeholder_as_command"]),
        ("eval \"$OTHER\"", vec![]),
    ] {
        assert_eq!(check_with(script, &["NAME"]), expected, "{script}");
    }
}

#[test]
fn a_script_without_values_from_outside_is_not_judged() {
    accepted("eval `echo \"$(( 1 ))\"` <<EOF\n'\nEOF");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// Whatever is accepted is safe in a real shell: the placeholder's value comes out as it went
    /// in, or the script fails to parse; it never runs.
    #[test]
    fn j2_scripts_that_are_accepted_never_run_a_value(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("{{x}}"), Just("{{x}}"), Just(" "), Just("'"), Just("\""), Just("\\"),
                Just("$("), Just(")"), Just("("), Just("`"), Just("${A"), Just("}"), Just("#"),
                Just("\n"), Just(";"), Just("|"), Just("<<E"), Just("E\n"), Just("\nE\n"),
                Just("echo "), Just("sh -c "), Just("eval "), Just("$(("), Just("))"),
                Just("[[ "), Just(" ]]"), Just("a"), Just("&"), Just("$"), Just("A="),
                Just("case a in a)"), Just(";; esac"), Just("if "), Just("; then "), Just("; fi"),
            ],
            1..9,
        ),
    ) {
        let script = parts.concat();
        let Ok(pieces) = template::parse(&script) else { return Ok(()) };
        if !script.contains("{{x}}") || !check(&pieces, &[]).is_empty() {
            return Ok(());
        }
        let canary = Canary::new();
        for value in canary.values() {
            for shell in SHELLS {
                let ran = canary.sings(shell, &script, &value);
                prop_assert!(!ran, "{shell}: {value:?} in {script:?}");
            }
        }
    }
}

const SHELLS: [&str; 2] = ["/bin/dash", "/bin/bash"];

/// A file that exists only if a value was run.
struct Canary {
    directory: std::path::PathBuf,
}

impl Canary {
    fn new() -> Self {
        let name = format!("countersign-j2-{}", uuid::Uuid::now_v7());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        Self { directory }
    }

    fn values(&self) -> Vec<String> {
        let touch = format!("/usr/bin/touch {}/canary", self.directory.display());
        vec![
            format!("$({touch})"),
            format!("`{touch}`"),
            format!("; {touch} ;"),
            format!("'; {touch} ;'"),
            format!("\"; {touch} ;\""),
            format!("a[$({touch})]"),
            format!("\n{touch}\n"),
            touch,
        ]
    }

    /// Whether the value is run when it is quoted into the script.
    fn sings(&self, shell: &str, script: &str, value: &str) -> bool {
        let rendered = script.replace("{{x}}", &template::value::quote(value));
        let done = std::process::Command::new("/usr/bin/timeout")
            .args(["5", shell, "-c", &rendered])
            .current_dir(&self.directory)
            .env_clear()
            .env("PATH", "/nonexistent")
            .stdin(std::process::Stdio::null())
            .output();
        assert!(done.is_ok(), "{shell} cannot be run: {done:?}");
        self.directory.join("canary").exists()
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

#[test]
fn j2_what_is_refused_would_have_run_a_value() {
    for script in [
        "echo \"{{x}}\"",
        "echo '{{x}}'",
        "/bin/cat <<EOF\n{{x}}\nEOF",
        "echo `echo {{x}}` \"`echo \"{{x}}\"`\"",
        "eval {{x}}",
        "/bin/sh -c {{x}}",
        "[[ {{x}} -eq 1 ]]",
        "(( {{x}} ))",
        "echo $(( {{x}} ))",
        "declare -a a; unset {{x}}",
        "echo a # {{x}}",
        "trap {{x}} EXIT",
    ] {
        assert!(!check_with(script, &[]).is_empty(), "{script}");
        let canary = Canary::new();
        let ran = canary
            .values()
            .iter()
            .any(|value| SHELLS.iter().any(|shell| canary.sings(shell, script, value)));
        assert!(ran, "{script}");
    }
}
