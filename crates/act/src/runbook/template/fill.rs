//! Fills the slots of a script with what became known while the plan ran.

use std::collections::BTreeMap;

use model::plan::{Script, Segment, Slot};

use super::value::{self, ValueFault};
use crate::runbook::Param;

/// What a finished step left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepOutput {
    /// Its standard output, as text.
    pub stdout: String,
    /// Its standard error, as text.
    pub stderr: String,
    /// Its exit code.
    pub exit_code: i32,
    /// Whether that was an expected one.
    pub success: bool,
}

/// What is known only while a plan runs, for one target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LateValues {
    /// Finished steps by their name.
    pub steps: BTreeMap<String, StepOutput>,
    /// `id` and `mode` of the execution.
    pub execution: BTreeMap<String, String>,
}

impl LateValues {
    /// The value of a slot, or nothing when it is not known. Output loses the line breaks at its
    /// end, as `$( )` does.
    #[must_use]
    pub fn get(&self, slot: &str) -> Option<String> {
        if let Some(field) = slot.strip_prefix("execution.") {
            return self.execution.get(field).cloned();
        }
        let (name, field) = slot.strip_prefix("steps.")?.rsplit_once('.')?;
        let step = self.steps.get(name)?;
        match field {
            "stdout" => Some(step.stdout.trim_end_matches(['\n', '\r']).to_owned()),
            "stderr" => Some(step.stderr.trim_end_matches(['\n', '\r']).to_owned()),
            "exit_code" => Some(step.exit_code.to_string()),
            "success" => Some(step.success.to_string()),
            _ => None,
        }
    }
}

/// Why a script could not be filled. The step fails; nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// The step it comes from has not run.
    #[error("{slot} is not known: the step it comes from has not run")]
    Missing {
        /// The slot's name.
        slot: String,
    },
    /// The value may not reach a shell.
    #[error("{slot}: {reason}")]
    Refused {
        /// The slot's name.
        slot: String,
        /// A stable word for the reason: `value_pattern`, `value_leading_dash`, …
        code: &'static str,
        /// The reason in words; it does not hold the value.
        reason: String,
    },
}

/// The script to run: every slot one quoted word.
///
/// # Errors
/// When a value is missing or does not look as its slot demands.
pub fn fill(script: &Script, values: &LateValues) -> Result<String, FillError> {
    script.0.iter().try_fold(String::new(), |mut filled, segment| {
        match segment {
            Segment::Text(text) => filled.push_str(text),
            Segment::Slot(slot) => filled.push_str(&word(slot, values)?),
        }
        Ok(filled)
    })
}

fn word(slot: &Slot, values: &LateValues) -> Result<String, FillError> {
    let refused = |fault: ValueFault| FillError::Refused {
        slot: slot.name.clone(),
        code: fault.code(),
        reason: fault.to_string(),
    };
    let Some(text) = values.get(&slot.name) else {
        return Err(FillError::Missing { slot: slot.name.clone() });
    };
    let param = value::slot_param(&slot.pattern).map_err(refused)?;
    // The pattern of a slot holds for every value; where it comes from only decides about dashes.
    let dash = param.allow_leading_dash || !slot.tainted;
    value::check(&text, true, &Param { allow_leading_dash: dash, ..param }).map_err(refused)?;
    Ok(value::quote(&text))
}
