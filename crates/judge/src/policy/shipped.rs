//! The bundle this binary ships.

use std::sync::LazyLock;

use super::{Bundle, Files};

const FILES: &[(&str, &str)] = &[
    ("assistant/decision.rego", include_str!("../../../../content/policy/assistant/decision.rego")),
    (
        "assistant/decision_test.rego",
        include_str!("../../../../content/policy/assistant/decision_test.rego"),
    ),
];

/// The files of the bundle this binary ships.
#[must_use]
pub fn shipped_files() -> Files {
    FILES.iter().map(|(path, source)| ((*path).to_owned(), (*source).to_owned())).collect()
}

/// The bundle this binary ships, compiled.
#[must_use]
pub fn shipped() -> &'static Bundle {
    static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
        Bundle::compile(shipped_files()).expect("the shipped bundle compiles: a test compiles it")
    });
    &BUNDLE
}
