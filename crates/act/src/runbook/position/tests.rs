//! Places inside scalars of every style.

use super::*;

/// Finds `X` in the value at `path` and in the text; both must be the same place.
fn check(text: &str, path: &str, value: &str) {
    let positions = Positions::of(text);
    let index = text.find('X').unwrap();
    let before = &text[..index];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let place = positions.inside(path, value.find('X').unwrap());
    assert_eq!((place.line as usize, place.column as usize), (line, column), "{text}");
}

#[test]
fn places_inside_every_style_of_scalar_are_found() {
    check("a: one X two\n", "/a", "one X two");
    check("a: 'it''s X'\n", "/a", "it's X");
    check("a: \"tab\\t \\\"q\\\" \\u00e9 nX\"\n", "/a", "tab\t \"q\" é nX");
    check("a: |\n  first\n\n  sécond X\n  third\n", "/a", "first\n\nsécond X\nthird\n");
    check("a: >-\n   folded\n   over X\n\n   more\n", "/a", "folded over X\nmore");
    check("a: |2\n    indented\n  X\n", "/a", "  indented\nX\n");
    check("list:\n  - b: {c: 'q X'}\n", "/list/0/b/c", "q X");
    check("a: plain\n  over X lines\n", "/a", "plain over X lines");
    check("a: \"one\\\n   two X\"\n", "/a", "onetwo X");
}

#[test]
fn a_key_and_a_missing_node_have_places() {
    let positions = Positions::of("name: x\nsteps:\n  - name: one\n    command: ls\n");
    assert_eq!(positions.node("/steps/0/command"), Place { line: 4, column: 5 });
    assert_eq!(positions.node("/steps/0/none"), Place { line: 3, column: 5 });
    assert_eq!(positions.path_at(Place { line: 4, column: 14 }), "/steps/0/command");
}
