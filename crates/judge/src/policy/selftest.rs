//! A bundle's own tests: every rule `test_…` of its files `…_test.rego`.

use regorus::{Engine, Value};
use serde::{Deserialize, Serialize};

use super::{Bundle, TEST_SUFFIX, lint, machine};

/// One test and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// The file.
    pub file: String,
    /// The line its rule starts on.
    pub line: u32,
    /// Its name, package first.
    pub name: String,
    /// How it went.
    pub outcome: TestOutcome,
}

/// How a test went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum TestOutcome {
    /// Its rule is true.
    Passed,
    /// Its rule is false or undefined.
    Failed,
    /// It could not be evaluated.
    Broken {
        /// In the engine's words.
        message: String,
    },
}

/// Runs the tests of a bundle, in the order of its files.
///
/// Tests need `with`, which only the engine's interpreter knows; decisions are made by its virtual
/// machine and confirmed by the interpreter.
#[must_use]
pub fn test(bundle: &Bundle) -> Vec<TestResult> {
    let mut engine = Engine::new();
    engine.set_execution_timer_config(machine::timer());
    let broken = bundle
        .files()
        .iter()
        .filter_map(|(path, source)| engine.add_policy(path.clone(), source.clone()).err())
        .map(|error| error.to_string())
        .next();
    let mut results = Vec::new();
    for (file, source) in bundle.files().iter().filter(|(path, _)| path.ends_with(TEST_SUFFIX)) {
        let (package, tests) = lint::tests(source);
        for (test, line) in tests {
            let name = format!("{package}.{test}");
            let outcome = match &broken {
                Some(message) => TestOutcome::Broken { message: message.clone() },
                None => one(&mut engine, &name),
            };
            results.push(TestResult { file: file.clone(), line, name, outcome });
        }
    }
    results
}

fn one(engine: &mut Engine, name: &str) -> TestOutcome {
    match engine.eval_rule(format!("data.{name}")) {
        Ok(Value::Bool(true)) => TestOutcome::Passed,
        Ok(_) => TestOutcome::Failed,
        Err(error) => TestOutcome::Broken { message: format!("{error:#}").trim().to_owned() },
    }
}
