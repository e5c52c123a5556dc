//! Policy: Rego bundles, compiled once and evaluated in process, fail closed.
//!
//! A bundle is a set of files. The one package that decides is [`PACKAGE`]; its rules `decision`,
//! `constraints`, `ttl`, `reasons`, `approval` and `autonomy` are the answer. Whatever goes wrong
//! (no bundle, an error, an undefined or malformed answer, too much work) is a `deny` for writes;
//! reads stay possible for roles that read.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Digest;
use model::actor::Role;
use model::verdict::{ApprovalRequirement, Judge, Reason, Verdict};
use serde::{Deserialize, Serialize};

use crate::autonomy::Limits;

mod constraints;
mod input;
mod lint;
mod machine;
mod output;
mod selftest;
mod shipped;
mod token;

pub use constraints::{Constraints, MaintenanceWindow};
pub(crate) use input::assistant_tier;
pub use input::{
    ActionFacts, ActorFacts, AutonomyFacts, ContextFacts, Input, ResourceFacts, RiskFacts,
    TargetFacts, TierFacts,
};
pub(crate) use output::usual_requirement;
pub use selftest::{TestOutcome, TestResult, test};
pub use shipped::{shipped, shipped_files};

/// The package that decides.
pub const PACKAGE: &str = "policy.assistant.v1";
/// What the names of a bundle's test files end in.
pub const TEST_SUFFIX: &str = "_test.rego";
/// Roles that may still read when no policy can be asked.
const READING_ROLES: [Role; 4] = [Role::Viewer, Role::Operator, Role::Approver, Role::Admin];

/// Files of a bundle: path to content.
pub type Files = BTreeMap<String, String>;

/// Something in a bundle that keeps it from being used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyProblem {
    /// The file.
    pub file: String,
    /// Line, from 1; 0 when the problem has no place.
    pub line: u32,
    /// Column, from 1; 0 when the problem has no place.
    pub column: u32,
    /// What is wrong and what to do.
    pub message: String,
}

impl std::fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

/// A bundle that compiled.
#[derive(Debug, Clone)]
pub struct Bundle {
    hash: Digest,
    files: Arc<Files>,
}

impl Bundle {
    /// Checks and compiles a bundle.
    ///
    /// # Errors
    /// Every problem found, with file, line and column: what does not parse, what the engine does
    /// not support or would misread, imports that lead nowhere.
    pub fn compile(files: Files) -> Result<Self, Vec<PolicyProblem>> {
        let problems = lint::problems(&files);
        if !problems.is_empty() {
            return Err(problems);
        }
        machine::program(&files)?;
        let hash = hash(&files)?;
        Ok(Self { hash, files: Arc::new(files) })
    }

    /// SHA-256 over the canonical form of `{path: content}`.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// Its files.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Asks the bundle. A failure is an answer too: `deny`, but for reads by roles that read.
    #[must_use]
    pub fn evaluate(&self, input: &Input) -> Answer {
        self.answer(input, Confirmation::Demanded)
    }

    /// Asks without the confirmation that a decision needs, to look for candidates.
    pub(crate) fn sketch(&self, input: &Input) -> Answer {
        self.answer(input, Confirmation::Skipped)
    }

    fn answer(&self, input: &Input, confirmation: Confirmation) -> Answer {
        let answer =
            machine::run(self, input, confirmation).and_then(|value| output::parse(value, input));
        match answer {
            Ok(answer) => Answer { bundle: Some(self.hash), ..answer },
            Err(failure) => Answer { bundle: Some(self.hash), ..Answer::failed(failure, input) },
        }
    }
}

/// Asks a bundle that may not be there; without one every write is denied.
#[must_use]
pub fn evaluate(bundle: Option<&Bundle>, input: &Input) -> Answer {
    match bundle {
        Some(bundle) => bundle.evaluate(input),
        None => Answer::failed(Failure::Missing, input),
    }
}

fn hash(files: &Files) -> Result<Digest, Vec<PolicyProblem>> {
    Digest::of_canonical(files).map_err(|error| vec![problem("", &error.to_string())])
}

fn problem(file: &str, message: &str) -> PolicyProblem {
    PolicyProblem { file: file.to_owned(), line: 0, column: 0, message: message.to_owned() }
}

/// Whether the interpreter must agree with the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confirmation {
    Demanded,
    Skipped,
}

/// What the policy says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Allow, require approval or deny.
    pub decision: Verdict,
    /// Why; never empty.
    pub reasons: Vec<Reason>,
    /// What must hold while it runs.
    pub constraints: Constraints,
    /// How long the answer may be relied on, in seconds.
    pub ttl_s: Option<u32>,
    /// Who must approve; present exactly when the decision is `require_approval`.
    pub approval: Option<ApprovalRequirement>,
    /// Stricter limits of earned autonomy.
    pub autonomy: Limits,
    /// The bundle asked.
    pub bundle: Option<Digest>,
    /// Why the policy could not be asked, if it could not.
    pub failure: Option<Failure>,
}

/// Why a policy gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Failure {
    /// No bundle is active.
    #[error("no policy bundle is active")]
    Missing,
    /// The evaluation failed.
    #[error("the policy could not be evaluated: {message}")]
    Engine {
        /// In the engine's words.
        message: String,
    },
    /// The evaluation took more work or time than allowed.
    #[error("the policy took too long: {message}")]
    TooLong {
        /// Which limit.
        message: String,
    },
    /// The policy defines no decision for this input.
    #[error("the policy defines no decision for this input")]
    Undefined,
    /// The answer is not of the form agreed on.
    #[error("the policy's answer is malformed: {message}")]
    Malformed {
        /// Where and how.
        message: String,
    },
}

impl Failure {
    /// A stable word for it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "policy_missing",
            Self::Engine { .. } => "policy_failed",
            Self::TooLong { .. } => "policy_too_long",
            Self::Undefined => "policy_undefined",
            Self::Malformed { .. } => "policy_malformed",
        }
    }
}

impl Answer {
    fn failed(failure: Failure, input: &Input) -> Self {
        let decision = if input.reads() && input.actor.has_any(&READING_ROLES) {
            Verdict::Allow
        } else {
            Verdict::Deny
        };
        let reason = Reason {
            judge: Judge::Policy,
            code: failure.code().to_owned(),
            verdict: decision,
            message: failure.to_string(),
        };
        Self {
            decision,
            reasons: vec![reason],
            constraints: Constraints::default(),
            ttl_s: None,
            approval: None,
            autonomy: Limits::default(),
            bundle: None,
            failure: Some(failure),
        }
    }
}

#[cfg(test)]
mod tests;
