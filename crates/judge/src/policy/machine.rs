//! The engine: a bundle compiled for its virtual machine, one machine a thread.
//!
//! Threads compile for themselves. A program shared between threads would make them fight over its
//! reference counts; compiling costs about a millisecond, once a thread and bundle.
//!
//! The machine of regorus 0.14.1 overlooks two things the language calls errors: a complete rule
//! that gets two values within one body keeps the last, and a failing function inside a rule makes
//! the rule undefined. Both could turn a `deny` into an `allow`. So an answer of the machine that is
//! not `deny` must be confirmed by the interpreter, which reports both; where the two differ, the
//! evaluation has failed.

use std::cell::RefCell;
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use model::Digest;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::VmError;
use regorus::rvm::{Program, RegoVM};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{CompiledPolicy, Engine, Value};

use super::{
    Bundle, Confirmation, Failure, Files, Input, PACKAGE, PolicyProblem, TEST_SUFFIX, lint, problem,
};

/// Where the answer is put together.
const ENTRY: &str = "data.countersign.entry.answer";
/// The rules that make an answer.
const FIELDS: [&str; 6] = ["decision", "constraints", "ttl", "reasons", "approval", "autonomy"];
/// Machine instructions one evaluation may take: more than fifty times the shipped bundle's.
const MOST_INSTRUCTIONS: usize = 100_000;
/// Wall-clock limit of one evaluation; the instruction limit is meant to bind first, because it is
/// the same on every machine.
const TIME_LIMIT: Duration = Duration::from_secs(1);
/// Instructions between two looks at the clock.
const CLOCK_INTERVAL: NonZeroU32 = NonZeroU32::new(512).expect("512 is not zero");
/// Machines a thread keeps: the active bundle of a few tenants.
const KEPT: usize = 8;

thread_local! {
    static MACHINES: RefCell<Vec<(Digest, Machine)>> = const { RefCell::new(Vec::new()) };
}

/// The virtual machine of a bundle and the interpreter that confirms its answers.
struct Machine {
    machine: RegoVM,
    interpreter: Engine,
}

/// Runs the bundle on this thread's machine.
pub(super) fn run(
    bundle: &Bundle,
    input: &Input,
    confirmation: Confirmation,
) -> Result<serde_json::Value, Failure> {
    let input = serde_json::to_value(input)
        .map_err(|error| Failure::Engine { message: error.to_string() })?;
    let mut machine = match kept(bundle.hash()) {
        Some(machine) => machine,
        None => machine(bundle.files()).map_err(|problems| Failure::Engine {
            message: problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        })?,
    };
    // A machine that failed is dropped: its state is not worth trusting.
    let value = machine.ask(Value::from(input), confirmation)?;
    keep(bundle.hash(), machine);
    if value == Value::Undefined {
        return Err(Failure::Undefined);
    }
    serde_json::to_value(&value).map_err(|error| Failure::Malformed { message: error.to_string() })
}

impl Machine {
    fn ask(&mut self, input: Value, confirmation: Confirmation) -> Result<Value, Failure> {
        self.machine.set_input(input.clone());
        let answer =
            self.machine.execute_entry_point_by_name(ENTRY).map_err(|error| failure(&error))?;
        if confirmation == Confirmation::Skipped || denied(&answer) {
            return Ok(answer);
        }
        self.interpreter.set_input(input);
        let confirmed = self.interpreter.eval_rule(ENTRY.to_owned()).map_err(|error| {
            Failure::Engine { message: located(&format!("{error:#}"), "").to_string() }
        })?;
        if confirmed == answer {
            Ok(answer)
        } else {
            let message = "the engine's two evaluators disagree".to_owned();
            Err(Failure::Engine { message })
        }
    }
}

/// Whether an answer says no, or nothing at all.
fn denied(answer: &Value) -> bool {
    let decision = &answer["decision"];
    *decision == Value::Null || *decision == Value::from("deny")
}

fn kept(hash: Digest) -> Option<Machine> {
    MACHINES.with_borrow_mut(|machines| {
        let at = machines.iter().position(|(of, _)| *of == hash)?;
        Some(machines.remove(at).1)
    })
}

fn keep(hash: Digest, machine: Machine) {
    MACHINES.with_borrow_mut(|machines| {
        machines.insert(0, (hash, machine));
        machines.truncate(KEPT);
    });
}

fn failure(error: &VmError) -> Failure {
    let message = error.to_string();
    match error {
        VmError::InstructionLimitExceeded { .. } | VmError::TimeLimitExceeded { .. } => {
            Failure::TooLong { message }
        }
        _ => Failure::Engine { message },
    }
}

fn machine(files: &Files) -> Result<Machine, Vec<PolicyProblem>> {
    let Compiled { mut interpreter, policy, program } = program(files)?;
    let mut machine = RegoVM::new_with_policy(policy);
    machine.load_program(program);
    machine.set_max_instructions(MOST_INSTRUCTIONS);
    machine.set_execution_timer_config(Some(timer()));
    machine.set_strict_builtin_errors(true);
    interpreter.set_execution_timer_config(timer());
    Ok(Machine { machine, interpreter })
}

pub(super) fn timer() -> ExecutionTimerConfig {
    ExecutionTimerConfig { limit: TIME_LIMIT, check_interval: CLOCK_INTERVAL }
}

/// A bundle in the forms it is evaluated in.
pub(super) struct Compiled {
    interpreter: Engine,
    policy: CompiledPolicy,
    program: Arc<Program>,
}

/// Compiles the deciding files of a bundle; its tests must at least parse.
pub(super) fn program(files: &Files) -> Result<Compiled, Vec<PolicyProblem>> {
    let mut problems = Vec::new();
    let mut engine = Engine::new();
    for (path, source) in files {
        let added = if path.ends_with(TEST_SUFFIX) {
            Engine::new().add_policy(path.clone(), source.clone())
        } else {
            engine.add_policy(path.clone(), source.clone())
        };
        if let Err(error) = added {
            problems.push(located(&format!("{error:#}"), path));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let refused = |message: String| vec![located(&message, "")];
    engine
        .add_policy("countersign/entry.rego".to_owned(), entry(files))
        .map_err(|error| refused(format!("{error:#}")))?;
    // An error of a function is an error, not something undefined that a rule may overlook.
    engine.set_strict_builtin_errors(true);
    let policy = engine
        .compile_with_entrypoint(&ENTRY.into())
        .map_err(|error| refused(format!("{error:#}")))?;
    let program = Compiler::compile_from_policy(&policy, &[ENTRY]).map_err(|error| {
        let message = error.error.to_string();
        match &error.span {
            Some(span) => vec![PolicyProblem {
                file: span.source.get_path().clone(),
                line: span.line,
                column: span.col,
                message,
            }],
            None => vec![problem("", &message)],
        }
    })?;
    Ok(Compiled { interpreter: engine, policy, program })
}

/// A module that puts the answer together, so that one evaluation gives all of it. A rule that is
/// undefined gives `null` there instead of making the whole answer undefined.
pub(super) fn entry(files: &Files) -> String {
    let declared = lint::declared(files);
    let mut module = String::from("package countersign.entry\n\nimport rego.v1\n\n");
    let mut fields = Vec::new();
    for field in FIELDS {
        if declared.contains(field) {
            module.push_str(&format!("default {field} := null\n\n"));
            module.push_str(&format!("{field} := data.{PACKAGE}.{field}\n\n"));
            fields.push(format!("\"{field}\": {field}"));
        } else {
            fields.push(format!("\"{field}\": null"));
        }
    }
    module.push_str(&format!("answer := {{{}}}\n", fields.join(", ")));
    module
}

/// A problem in the engine's words: `--> file:line:column`, a picture of the line, `error: words`.
fn located(text: &str, path: &str) -> PolicyProblem {
    static PLACE: LazyLock<regex::Regex> = LazyLock::new(|| {
        regex::Regex::new(r"--> (.*):(\d+):(\d+)\n").expect("the pattern is a constant")
    });
    let message = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("error: "))
        .unwrap_or_else(|| text.trim())
        .to_owned();
    match PLACE.captures(text) {
        Some(found) => PolicyProblem {
            file: found[1].to_owned(),
            line: found[2].parse().unwrap_or(0),
            column: found[3].parse().unwrap_or(0),
            message,
        },
        None => problem(path, &message),
    }
}

/// The answers of both evaluators, to compare them where the machine denies, too.
#[cfg(test)]
pub(super) fn both(files: &Files, input: &Input) -> [Value; 2] {
    let mut machine = machine(files).unwrap();
    let input = Value::from(serde_json::to_value(input).unwrap());
    machine.machine.set_input(input.clone());
    machine.interpreter.set_input(input);
    let answer = machine.machine.execute_entry_point_by_name(ENTRY).unwrap();
    [answer, machine.interpreter.eval_rule(ENTRY.to_owned()).unwrap()]
}

/// Whether the machine answers within this many instructions.
#[cfg(test)]
pub(super) fn within(files: &Files, input: &Input, instructions: usize) -> bool {
    let mut machine = machine(files).unwrap();
    machine.machine.set_max_instructions(instructions);
    machine.machine.set_input(Value::from(serde_json::to_value(input).unwrap()));
    machine.machine.execute_entry_point_by_name(ENTRY).is_ok()
}
