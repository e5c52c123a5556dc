//! Regular expressions: users write some, and each is made with a limit of its size by one function.
//! Libraries that backtrack are refused altogether.

/// Who may make one: the function every user's pattern goes through; the policy engine's own
/// messages, by a constant.
const MAY: [&str; 2] =
    ["crates/act/src/runbook/template/value.rs", "crates/judge/src/policy/machine.rs"];

/// What makes one.
const MAKES: [&str; 5] =
    ["Regex::new(", "RegexBuilder::new(", "RegexSet::new(", "RegexSetBuilder::new(", "meta::Regex"];

/// Libraries with back-references and look-around, whose matching can take for ever.
const BACKTRACK: [&str; 6] = ["fancy-regex", "onig", "pcre2", "pcre", "regress", "hyperscan"];

/// The lines of a product source, from 1, that make a regular expression elsewhere.
pub(super) fn made(path: &str, code: &str) -> Vec<usize> {
    if MAY.contains(&path) || path.starts_with("xtask/") || path.starts_with("benches/") {
        return Vec::new();
    }
    let makes = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        MAKES.iter().any(|word| code.contains(word))
    };
    code.lines().enumerate().filter(|(_, line)| makes(line)).map(|(at, _)| at + 1).collect()
}

/// The lines of a manifest, from 1, that bring a library that backtracks.
pub(super) fn backtracking(text: &str) -> Vec<usize> {
    let brings =
        |line: &str| BACKTRACK.contains(&line.split(['.', '=', ' ']).next().unwrap_or_default());
    text.lines().enumerate().filter(|(_, line)| brings(line)).map(|(at, _)| at + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p7_a_regular_expression_without_a_limit_is_named() {
        let room = "crates/gate/src/selector.rs";
        for line in [
            "let read = Regex::new(&pattern)?;",
            "let read = regex::RegexBuilder::new(text).build();",
            "RegexSet::new([a, b])",
        ] {
            assert_eq!(made(room, &format!("\n{line}\n")), [2], "{line}");
            assert!(made(MAY[0], line).is_empty());
        }
        assert!(made(room, "value::pattern(text)? // no Regex::new(").is_empty());
        assert_eq!(backtracking("regex.workspace = true\nfancy-regex = \"0.16\"\n"), [2]);
    }
}
