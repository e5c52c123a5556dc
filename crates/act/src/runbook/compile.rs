//! Makes a plan of a runbook: every command rendered for every target, late values as slots.

use std::collections::{BTreeMap, BTreeSet};

use model::finding::Alert;
use model::id::{ResourceId, RunbookId};
use model::plan::{
    BlastRadius, BlastScope, EvidenceKind, EvidenceRequirement, Plan, PlanStep, RunbookRef, Script,
    Segment, Semantics, Stage, Target,
};

use super::context::Context;
use super::status::{Status, TargetOs};
use super::template::{self, value};
use super::{Runbook, Step, condition, expression, lint};

/// How many targets run at the same time, unless `config.max_parallel` says otherwise.
const MAX_PARALLEL: u32 = 5;

/// What is known of a server beside how to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Its host name.
    pub hostname: String,
    /// Its address, or empty.
    pub ip: String,
    /// What it runs.
    pub os: TargetOs,
    /// The name of its environment.
    pub environment: String,
    /// Its tags: `web`, `role=web`.
    pub tags: Vec<String>,
    /// Its groups.
    pub groups: Vec<String>,
}

/// A server a plan may run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// How to reach it, pinned.
    pub target: Target,
    /// What is known of it.
    pub facts: Facts,
}

/// What to make a plan of.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The runbook's id.
    pub id: RunbookId,
    /// Its version.
    pub version: u32,
    /// The runbook as of that version.
    pub runbook: &'a Runbook,
    /// Where it runs.
    pub targets: &'a [Candidate],
    /// The alert that set it off.
    pub alert: Option<&'a Alert>,
    /// Values for the runbook's variables from whoever asked; they count as from outside.
    pub variables: &'a BTreeMap<String, String>,
}

/// Why no plan could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", self.place())]
pub struct CompileError {
    /// The step at fault.
    pub step: Option<String>,
    /// The target it was rendered for.
    pub target: Option<String>,
    /// Where in the runbook, as a JSON pointer.
    pub path: String,
    /// A stable word for it.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl CompileError {
    fn of_runbook(path: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self { step: None, target: None, path: path.to_owned(), code, message: message.into() }
    }

    fn place(&self) -> String {
        match (&self.step, &self.target) {
            (Some(step), Some(target)) => format!("step {step} on {target}: "),
            (Some(step), None) => format!("step {step}: "),
            (None, Some(target)) => format!("{target}: "),
            (None, None) => String::new(),
        }
    }
}

/// Makes a plan.
///
/// # Errors
/// When the runbook may not run, has an error lint names, or a value cannot be rendered safely.
pub fn compile(request: Request<'_>) -> Result<Plan, CompileError> {
    refuse(request)?;
    let contexts = contexts(request)?;
    let conditions = condition_roots(request.runbook);
    let variables = contexts
        .iter()
        .map(|(candidate, context)| (candidate.target.resource_id, context.under(&conditions)))
        .collect();
    let mut steps = Vec::new();
    for stage in [Stage::Act, Stage::Verify] {
        for (index, step) in request.runbook.steps.iter().enumerate() {
            if step.stage == stage {
                let order = u32::try_from(steps.len() + 1).unwrap_or(u32::MAX);
                steps.push(plan_step(request, index, step, order, &contexts)?);
            }
        }
    }
    Ok(Plan {
        runbook: RunbookRef {
            id: request.id,
            name: request.runbook.name.clone(),
            version: request.version,
        },
        steps,
        targets: request.targets.iter().map(|candidate| candidate.target.clone()).collect(),
        max_parallel: max_parallel(request.runbook),
        timeout_s: request.runbook.timeout_seconds,
        variables,
    })
}

/// How far a plan reaches.
#[must_use]
pub fn blast_radius(plan: &Plan) -> BlastRadius {
    let resources: BTreeSet<ResourceId> = plan.targets.iter().map(|one| one.resource_id).collect();
    let targets = u32::try_from(resources.len()).unwrap_or(u32::MAX);
    let environments: BTreeSet<_> = plan.targets.iter().map(|one| one.environment).collect();
    BlastRadius {
        targets,
        scope: match targets {
            0..=10 => BlastScope::Namespace,
            11..=50 => BlastScope::Cluster,
            _ => BlastScope::Account,
        },
        irreversible: plan.steps.iter().any(|step| {
            step.stage == Stage::Act && step.semantics != Semantics::Read && step.undo.is_empty()
        }),
        environments: environments.into_iter().collect(),
    }
}

fn refuse(request: Request<'_>) -> Result<(), CompileError> {
    let runbook = request.runbook;
    if runbook.status == Status::Disabled {
        return Err(CompileError::of_runbook("/status", "disabled", "the runbook is disabled"));
    }
    if runbook.target_os == TargetOs::Windows {
        return Err(CompileError::of_runbook(
            "/target_os",
            "os_not_supported",
            "runbooks for Windows can be kept but not run yet",
        ));
    }
    // What was never linted, or linted by an older version, must not get past here.
    if let Some(problem) = lint::refusals(runbook).into_iter().next() {
        return Err(CompileError::of_runbook(&problem.path, problem.code, problem.message));
    }
    if request.targets.is_empty() {
        return Err(CompileError::of_runbook("", "no_targets", "there is no target to run on"));
    }
    let mut seen = BTreeSet::new();
    for candidate in request.targets {
        let refused = |code: &'static str, message: String| CompileError {
            target: Some(candidate.target.name.clone()),
            ..CompileError::of_runbook("/target_os", code, message)
        };
        if candidate.facts.os != runbook.target_os {
            let os = candidate.facts.os;
            return Err(refused("os_mismatch", format!("it runs {os}, not {}", runbook.target_os)));
        }
        if !seen.insert(candidate.target.resource_id) {
            return Err(refused("target_twice", "it is named twice".to_owned()));
        }
    }
    Ok(())
}

fn contexts(request: Request<'_>) -> Result<Vec<(&Candidate, Context)>, CompileError> {
    let context = |candidate| {
        Context::of(request.runbook, request.version, candidate, request.alert, request.variables)
    };
    request
        .targets
        .iter()
        .map(|candidate| {
            context(candidate).map(|context| (candidate, context)).map_err(|error| CompileError {
                step: None,
                target: Some(candidate.target.name.clone()),
                path: format!("/environment_vars/{}", super::position::escape(&error.name)),
                code: error.code,
                message: format!("variable {}: {}", error.name, error.message),
            })
        })
        .collect()
}

fn plan_step(
    request: Request<'_>,
    index: usize,
    step: &Step,
    order: u32,
    contexts: &[(&Candidate, Context)],
) -> Result<PlanStep, CompileError> {
    let (retry_count, retry_delay_s) = retries(request.runbook, step);
    Ok(PlanStep {
        order,
        name: step.name.clone(),
        description: step.description.clone(),
        stage: step.stage,
        action: step.action.clone(),
        semantics: step.semantics,
        scripts: scripts(request, index, "command", Some(&step.command), contexts)?,
        undo: scripts(
            request,
            index,
            "rollback_command",
            step.rollback_command.as_ref(),
            contexts,
        )?,
        condition: step.condition.as_deref().map(|text| condition::expression(text).to_owned()),
        expected_exit_codes: step.expected_exit_codes.clone(),
        timeout_s: step.timeout_seconds,
        continue_on_failure: step.continue_on_failure,
        retry_count,
        retry_delay_s,
        capture_output: step.capture_output,
        sensitive: step.sensitive,
        evidence: evidence(step),
    })
}

/// A step's own retries; else the runbook's, for steps that may run twice.
fn retries(runbook: &Runbook, step: &Step) -> (u32, u32) {
    if step.retry_count > 0 || step.semantics == Semantics::AtMostOnce {
        (step.retry_count, step.retry_delay_seconds)
    } else {
        (runbook.max_retries, runbook.retry_delay_seconds)
    }
}

/// A verify step always leaves evidence: its output, when it asks for nothing else.
fn evidence(step: &Step) -> Vec<EvidenceRequirement> {
    if step.evidence.is_empty() && step.stage == Stage::Verify {
        let query = "both".to_owned();
        return vec![EvidenceRequirement { kind: EvidenceKind::Log, query }];
    }
    step.evidence.clone()
}

fn scripts(
    request: Request<'_>,
    index: usize,
    key: &str,
    text: Option<&String>,
    contexts: &[(&Candidate, Context)],
) -> Result<BTreeMap<ResourceId, Script>, CompileError> {
    let (Some(text), Some(step)) = (text, request.runbook.steps.get(index)) else {
        return Ok(BTreeMap::new());
    };
    let names: Vec<&str> = request.runbook.steps.iter().map(|step| step.name.as_str()).collect();
    let failed = |candidate: &Candidate, code: &'static str, message: String| CompileError {
        step: Some(step.name.clone()),
        target: Some(candidate.target.name.clone()),
        path: format!("/steps/{index}/{key}"),
        code,
        message,
    };
    let mut scripts = BTreeMap::new();
    for (candidate, context) in contexts {
        let pieces = template::parse(text).map_err(|faults| {
            let first = faults.into_iter().next();
            let (code, message) =
                first.map_or(("template", String::new()), |f| (f.code, f.message));
            failed(candidate, code, message)
        })?;
        let script = template::script(&pieces, context, &names, |name| step.param(name))
            .map_err(|error| failed(candidate, error.code, error.message))?;
        let exports =
            exports(context, step).map_err(|(code, message)| failed(candidate, code, message))?;
        scripts.insert(candidate.target.resource_id, prefixed(exports, script));
    }
    Ok(scripts)
}

/// The runbook's variables for the step's environment. They travel in the script itself: servers
/// accept next to no variable over SSH.
fn exports(context: &Context, step: &Step) -> Result<String, (&'static str, String)> {
    context.environment.iter().try_fold(String::new(), |mut exports, (name, text)| {
        value::check(text, context.tainted_variable(name), &step.param(name))
            .map_err(|fault| (fault.code(), format!("variable {name}: {fault}")))?;
        exports.push_str(&format!("export {name}={}\n", value::quote(text)));
        Ok(exports)
    })
}

fn prefixed(exports: String, Script(mut segments): Script) -> Script {
    if exports.is_empty() {
        return Script(segments);
    }
    match segments.first_mut() {
        Some(Segment::Text(first)) => first.insert_str(0, &exports),
        _ => segments.insert(0, Segment::Text(exports)),
    }
    Script(segments)
}

/// The variables conditions read: the plan carries these and no others.
fn condition_roots(runbook: &Runbook) -> BTreeSet<String> {
    runbook
        .steps
        .iter()
        .filter_map(|step| step.condition.as_deref())
        .filter_map(|text| expression::read(condition::expression(text)).ok())
        .flat_map(|read| read.references)
        .map(|reference| reference.root().to_owned())
        .collect()
}

fn max_parallel(runbook: &Runbook) -> u32 {
    let configured = runbook.config.get("max_parallel").and_then(serde_json::Value::as_u64);
    configured.and_then(|number| u32::try_from(number).ok()).unwrap_or(MAX_PARALLEL).max(1)
}

#[cfg(test)]
pub(crate) mod tests;
