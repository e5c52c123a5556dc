//! What became known while the plan ran, for conditions and slots.

use std::collections::BTreeMap;

use model::execution::StepState;
use model::id::ResourceId;

use crate::runbook::template::{LateValues, StepOutput};
use crate::snapshot::Snapshot;

/// The steps that ended on this target, and the execution.
///
/// Output is there only where the step captures it. A step whose captured output is not known
/// whole is left out, so that whoever refers to it fails instead of working with half of it.
pub(crate) fn late(snapshot: &Snapshot, resource: ResourceId) -> LateValues {
    let mut steps = BTreeMap::new();
    for run in snapshot.runs.iter().filter(|run| run.resource == resource) {
        let (Some(step), Some(exit_code)) = (snapshot.step(run), run.exit_code) else { continue };
        let mut output = StepOutput {
            exit_code,
            success: step.expected_exit_codes.contains(&exit_code)
                && run.state != StepState::TimedOut,
            ..StepOutput::default()
        };
        if step.capture_output {
            let whole = run.captured.as_ref().filter(|captured| !captured.truncated);
            let Some(captured) = whole else { continue };
            output.stdout.clone_from(&captured.stdout);
            output.stderr.clone_from(&captured.stderr);
        }
        steps.insert(step.name.clone(), output);
    }
    let execution = BTreeMap::from([
        ("id".to_owned(), snapshot.execution.to_string()),
        ("mode".to_owned(), snapshot.mode.clone()),
    ]);
    LateValues { steps, execution }
}
