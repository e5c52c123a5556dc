//! Runbooks whose steps leave a line each on the target.

use std::fmt::Write as _;
use std::path::Path;

/// Longer than a step waits for anything on a busy machine: what is tested here is never that a
/// step takes too long.
const STEP_TIMEOUT_S: u32 = 1800;

/// A step to be.
#[derive(Debug, Clone)]
pub(super) struct Step {
    name: &'static str,
    semantics: &'static str,
    stage: &'static str,
    /// Shell that follows the line.
    then: String,
    /// Shell that follows the line of its undo; without it there is no undo.
    undo: Option<String>,
    more: Vec<&'static str>,
}

impl Step {
    /// A step that must not run twice, with a way back.
    pub(super) fn act(name: &'static str) -> Self {
        Self {
            name,
            semantics: "at_most_once",
            stage: "act",
            then: "true".to_owned(),
            undo: Some("true".to_owned()),
            more: Vec::new(),
        }
    }

    /// A check.
    pub(super) fn check(name: &'static str) -> Self {
        Self { semantics: "read", stage: "verify", undo: None, ..Self::act(name) }
    }

    pub(super) fn semantics(self, semantics: &'static str) -> Self {
        Self { semantics, ..self }
    }

    pub(super) fn then(self, then: impl Into<String>) -> Self {
        Self { then: then.into(), ..self }
    }

    pub(super) fn undo(self, undo: impl Into<String>) -> Self {
        Self { undo: Some(undo.into()), ..self }
    }

    /// It must leave its output as evidence.
    pub(super) fn with_evidence(mut self) -> Self {
        self.more.push("    evidence:\n      - type: log\n        query: stdout\n");
        self
    }

    /// It is to exit with 7.
    pub(super) fn exits_with_7(mut self) -> Self {
        self.more.push("    expected_exit_codes: [7]\n");
        self
    }

    /// Waits for this file to be there.
    pub(super) fn waits_for(self, file: &Path) -> Self {
        let then = format!("while [ ! -e {} ]; do sleep 0.05; done", file.display());
        self.then(then)
    }
}

/// A runbook of these steps; each writes `<execution> <step> <direction>` to `effects` first.
pub(super) fn runbook(name: &str, effects: &Path, steps: &[Step]) -> String {
    let mut yaml = format!("name: {name}\nstatus: active\ntimeout_seconds: 3600\nsteps:\n");
    let line = |step: &Step, direction: &str, then: &str| {
        let effects = effects.display();
        format!("echo {{{{ execution.id }}}} {} {direction} >> {effects}; {then}", step.name)
    };
    for step in steps {
        let action = if step.semantics == "read" { "host.read" } else { "host.shell" };
        let Step { name, semantics, stage, .. } = step;
        let more = step.more.concat();
        let command = line(step, "do", &step.then);
        write!(
            yaml,
            "  - name: {name}\n    command: '{command}'\n    semantics: {semantics}\n    \
             stage: {stage}\n    action: {action}\n    timeout_seconds: {STEP_TIMEOUT_S}\n{more}"
        )
        .expect("text takes everything");
        if let Some(undo) = &step.undo {
            let undo = line(step, "undo", undo);
            writeln!(yaml, "    rollback_command: '{undo}'").expect("text takes everything");
        }
    }
    yaml
}
