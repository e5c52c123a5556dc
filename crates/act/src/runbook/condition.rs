//! Conditions of steps: one expression, evaluated while the plan runs, with a yes or no.

use std::collections::BTreeMap;

use minijinja::value::{Value, ValueKind};
use serde_json::Value as Json;

use super::context;
use super::template::{Engine, LateValues};

/// Why a condition has no answer. The step fails; it is not skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// It names something that is not there.
    #[error("the condition names something that is not defined: {condition}")]
    Undefined {
        /// The condition.
        condition: String,
    },
    /// It gives something else than true or false.
    #[error("the condition gives {kind}, not true or false: {condition}")]
    NotBoolean {
        /// The condition.
        condition: String,
        /// What it gives.
        kind: String,
    },
    /// It could not be evaluated.
    #[error("the condition cannot be evaluated: {reason}")]
    Failed {
        /// In the engine's words.
        reason: String,
    },
}

/// The expression of a condition; braces around the whole are allowed and mean nothing.
pub(crate) fn expression(condition: &str) -> &str {
    let trimmed = condition.trim();
    trimmed.strip_prefix("{{").and_then(|inner| inner.strip_suffix("}}")).map_or(trimmed, str::trim)
}

/// Whether a step is to run. `variables` are those of the plan for the target.
///
/// # Errors
/// When the condition names something unknown, is no yes-or-no question, or takes too long.
pub fn holds(condition: &str, variables: &Json, late: &LateValues) -> Result<bool, ConditionError> {
    let mut values: BTreeMap<String, Value> = variables
        .as_object()
        .map(|map| map.iter().map(|(k, v)| (k.clone(), context::engine_value(v))).collect())
        .unwrap_or_default();
    values.insert("steps".to_owned(), steps(late));
    values.insert(
        "execution".to_owned(),
        Value::from(
            late.execution
                .iter()
                .map(|(k, v)| (k.clone(), Value::from(v.as_str())))
                .collect::<BTreeMap<_, _>>(),
        ),
    );
    let value =
        Engine::new().value(expression(condition), &values).map_err(|error| match error {
            error if error.code() == "undefined_variable" => {
                ConditionError::Undefined { condition: condition.to_owned() }
            }
            other => ConditionError::Failed { reason: other.to_string() },
        })?;
    match value.kind() {
        ValueKind::Bool => Ok(value.is_true()),
        ValueKind::Undefined => Err(ConditionError::Undefined { condition: condition.to_owned() }),
        other => Err(ConditionError::NotBoolean {
            condition: condition.to_owned(),
            kind: other.to_string(),
        }),
    }
}

/// Finished steps under their names and their aliases.
fn steps(late: &LateValues) -> Value {
    let mut steps: BTreeMap<String, Value> = BTreeMap::new();
    for (name, output) in &late.steps {
        let fields = BTreeMap::from([
            ("stdout".to_owned(), Value::from(output.stdout.trim_end_matches(['\n', '\r']))),
            ("stderr".to_owned(), Value::from(output.stderr.trim_end_matches(['\n', '\r']))),
            ("exit_code".to_owned(), Value::from(output.exit_code)),
            ("success".to_owned(), Value::from(output.success)),
        ]);
        let fields = Value::from(fields);
        steps.entry(context::alias(name)).or_insert_with(|| fields.clone());
        steps.insert(name.clone(), fields);
    }
    Value::from(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::runbook::template::StepOutput;

    fn late() -> LateValues {
        let check =
            StepOutput { stdout: "inactive\n".to_owned(), exit_code: 3, ..StepOutput::default() };
        LateValues {
            steps: BTreeMap::from([("Check it".to_owned(), check)]),
            execution: BTreeMap::from([("mode".to_owned(), "auto".to_owned())]),
        }
    }

    #[test]
    fn conditions_see_variables_steps_and_the_execution() {
        let variables = json!({"alert": {"labels": {"env": "prod"}}, "NAME": "nginx"});
        for (condition, expected) in [
            ("steps.check_it.exit_code != 0", true),
            ("steps['Check it'].stdout == 'active'", false),
            ("{{ alert.labels.env == 'prod' and NAME == 'nginx' }}", true),
            ("execution.mode == 'manual'", false),
            ("not steps.check_it.success", true),
            ("alert.labels.team is defined", false),
            ("steps.check_it.stdout is startingwith 'in'", true),
        ] {
            assert_eq!(holds(condition, &variables, &late()), Ok(expected), "{condition}");
        }
    }

    #[test]
    fn a_condition_without_a_clear_answer_is_an_error() {
        for condition in ["steps.none.exit_code == 0", "missing", "alert.labels.env", "1", "a b"] {
            assert!(
                holds(condition, &json!({"alert": {"labels": {"env": "x"}}}), &late()).is_err(),
                "{condition}"
            );
        }
    }

    #[test]
    fn j3_a_value_that_looks_like_an_expression_is_text() {
        let variables = json!({"alert": {"labels": {"x": "{{ 7*7 }}"}}});
        assert_eq!(holds("alert.labels.x == '49'", &variables, &late()), Ok(false));
    }
}
