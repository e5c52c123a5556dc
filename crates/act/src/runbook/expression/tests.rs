//! What expressions are found to hold, beside what the engine says of them.

use super::*;

fn paths(source: &str) -> Vec<String> {
    read(source).unwrap().references.iter().map(Reference::path).collect()
}

#[test]
fn references_filters_and_bareness_are_found() {
    for (source, expected, filters, bare) in [
        ("SERVICE_NAME", vec!["SERVICE_NAME"], vec![], true),
        ("alert.labels.service", vec!["alert.labels.service"], vec![], true),
        ("steps['Check it'].stdout", vec!["steps.Check it.stdout"], vec![], true),
        ("x | default('a|b') | lower", vec!["x"], vec!["default", "lower"], false),
        ("a.b == 'c.d' and not e", vec!["a.b", "e"], vec![], false),
        ("x is defined and y is not none", vec!["x", "y"], vec![], false),
        ("x | round(precision=y)", vec!["x", "y"], vec!["round"], false),
        ("alert[x]", vec!["alert", "x"], vec![], false),
        ("'literal'", vec![], vec![], false),
        ("a if b else 3", vec!["a", "b"], vec![], false),
    ] {
        let read = read(source).unwrap();
        assert_eq!(paths(source), expected, "{source}");
        let names: Vec<_> = read.filters.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, filters, "{source}");
        assert_eq!(read.bare, bare, "{source}");
        // The engine must not know of a variable that was not found here.
        let environment = syntax();
        for root in environment.compile_expression(source).unwrap().undeclared_variables(false) {
            assert!(read.references.iter().any(|found| found.root() == root), "{source}: {root}");
        }
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    for (source, code) in [
        ("", "expression_syntax"),
        ("a b", "expression_syntax"),
        ("'open", "expression_syntax"),
        ("{'a': 1}", "expression_syntax"),
        ("range(9)", "call"),
        ("x.upper()", "call"),
        ("a }} {{ b", "expression_syntax"),
    ] {
        assert_eq!(read(source).unwrap_err().code, code, "{source}");
    }
    assert_eq!(read(&"a".repeat(2_001)).unwrap_err().code, "expression_too_long");
}
