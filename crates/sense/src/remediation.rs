//! Putting drift right: by which means, through which procedures, and how far it got.
//!
//! A remediation is two executions and a look: one that reads alone and says what the change would
//! be, the change itself, and the scan that closes the findings or does not. The procedures are
//! runbooks that ship (`content/drift/runbooks`) and run where the tools of the source are.

use std::collections::BTreeMap;

use model::execution::ExecutionState;
use model::id::{RemediationId, RepositoryId, ResourceId};
use serde_json::json;

#[cfg(test)]
mod tests;

/// The most characters of one value that a preparation may say.
const LONGEST_VALUE: usize = 2000;
/// What a preparation may say, by the names of the change's variables.
const PREPARED: &[&str] = &["SHA256", "SUMMARY", "WAY_BACK", "COMMIT", "CHANGE_SET"];

model::words! {
    /// By which means drift is put right.
    Means {
        /// The cloud is brought back to what is declared.
        AutoRevert = "auto_revert",
        /// The code is changed to what is there.
        CodifyIac = "codify_iac",
    }
}

model::words! {
    /// How far a remediation got.
    Progress {
        /// What it would change is being worked out.
        Preparing = "preparing",
        /// The change waits for its approval, or runs.
        Asked = "asked",
        /// The change is done, and a scan looks whether the drift is gone.
        Checking = "checking",
        /// The code is proposed: a scan finds the drift gone once it is merged and applied.
        Published = "published",
        /// A scan found the drift gone.
        Resolved = "resolved",
        /// It came to nothing; why is said beside it.
        Failed = "failed",
    }
}

model::words! {
    /// What the declarations are written in.
    Tool {
        /// Terraform.
        Terraform = "terraform",
        /// `OpenTofu`.
        Opentofu = "opentofu",
        /// AWS `CloudFormation`.
        Cloudformation = "cloudformation",
        /// Kubernetes manifests.
        Kubernetes = "kubernetes",
    }
}

model::words! {
    /// One of the executions of a remediation.
    Stage {
        /// It reads, and says what the change would be.
        Prepare = "prepare",
        /// It changes.
        Change = "change",
        /// It looks for drift again.
        Check = "check",
    }
}

/// A source as its tools' host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its id.
    pub id: RepositoryId,
    /// What people call it.
    pub name: String,
    /// What it is written in.
    pub tool: Tool,
    /// The branch that counts.
    pub branch: String,
    /// The resource its tools are reached as.
    pub resource: ResourceId,
    /// Where a checkout of its code lies there.
    pub directory: String,
    /// The directory or the file of it that declares; all of it when absent.
    pub path: Option<String>,
    /// The stack a template belongs to.
    pub stack: Option<String>,
}

impl Source {
    /// The values of the variables that a look at this source has; what it does not say is left out.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let program = if self.tool == Tool::Opentofu { "tofu" } else { "terraform" };
        // A configuration is a directory; templates and manifests are files in one.
        let (directory, document) = match (self.tool, self.path.as_deref()) {
            (Tool::Terraform | Tool::Opentofu, Some(path)) => {
                (format!("{}/{path}", self.directory.trim_end_matches('/')), "")
            }
            (_, path) => (self.directory.clone(), path.unwrap_or_default()),
        };
        [
            ("SOURCE", self.id.to_string()),
            ("TOOL", self.tool.to_string()),
            ("PROGRAM", program.to_owned()),
            ("DIRECTORY", directory),
            ("DOCUMENT", document.to_owned()),
            ("BRANCH", self.branch.clone()),
            ("STACK", self.stack.clone().unwrap_or_default()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

/// A remediation with what its executions need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remediation {
    /// Its id.
    pub id: RemediationId,
    /// By which means.
    pub means: Means,
    /// What declares.
    pub source: Source,
    /// What the declarations call the resources it is about.
    pub addresses: Vec<String>,
    /// Why, in the words of whoever asked.
    pub reason: String,
    /// What its preparation said.
    pub prepared: BTreeMap<String, String>,
}

impl Remediation {
    /// The runbook that a stage of it is.
    #[must_use]
    pub fn procedure(&self, stage: Stage) -> &'static str {
        match (stage, self.means, self.source.tool) {
            (Stage::Check, _, _) => "drift-scan",
            (Stage::Prepare, Means::CodifyIac, _) => "drift-codify-plan",
            (Stage::Change, Means::CodifyIac, _) => "drift-codify",
            (Stage::Prepare, Means::AutoRevert, Tool::Terraform | Tool::Opentofu) => {
                "terraform-revert-plan"
            }
            (Stage::Change, Means::AutoRevert, Tool::Terraform | Tool::Opentofu) => {
                // The way back is the same code with what is there now: of what is gone, and of
                // what code cannot say, there is none.
                if self.prepared.get("WAY_BACK").is_some_and(|code| code == "0") {
                    "terraform-revert"
                } else {
                    "terraform-revert-for-good"
                }
            }
            (Stage::Prepare, Means::AutoRevert, Tool::Cloudformation) => {
                "cloudformation-revert-plan"
            }
            (Stage::Change, Means::AutoRevert, Tool::Cloudformation) => "cloudformation-revert",
            (Stage::Prepare, Means::AutoRevert, Tool::Kubernetes) => "kubernetes-revert-plan",
            (Stage::Change, Means::AutoRevert, Tool::Kubernetes) => "kubernetes-revert",
        }
    }

    /// What it is about, in a line.
    #[must_use]
    pub fn title(&self) -> String {
        let what = match self.addresses.as_slice() {
            [one] => one.clone(),
            many => format!("{} resources", many.len()),
        };
        match self.means {
            Means::AutoRevert => format!("Bring {what} of {} back to the code", self.source.name),
            Means::CodifyIac => format!("Put {what} of {} into code as it is", self.source.name),
        }
    }

    /// Why, for whoever is asked to approve it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.title();
        if let Some(summary) = self.prepared.get("SUMMARY").filter(|summary| !summary.is_empty()) {
            text.push_str(". ");
            text.push_str(summary);
        }
        if !self.reason.is_empty() {
            text.push_str(". ");
            text.push_str(&self.reason);
        }
        text.chars().take(LONGEST_VALUE).collect()
    }

    /// The values of all variables that its procedures may have.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let mut all = self.source.variables();
        let list: String = self.addresses.iter().map(|one| format!("- {one}\n")).collect();
        let branch = format!("countersign/{}", self.id);
        let body = format!(
            "The code is changed to what is there:\n\n{list}\n{}\n",
            if self.reason.is_empty() { "No reason was given." } else { self.reason.as_str() }
        );
        // What GitHub and GitLab each ask for; each leaves alone what it does not know.
        let request = json!({
            "title": self.title(), "head": branch, "base": self.source.branch, "body": body,
            "source_branch": branch, "target_branch": self.source.branch, "description": body,
        });
        let more = [
            ("REMEDIATION", self.id.to_string()),
            ("ADDRESSES", self.addresses.join("\n")),
            ("MESSAGE", format!("{}\n\n{list}\n{}", self.title(), self.reason)),
            ("REQUEST", request.to_string()),
        ];
        all.extend(more.map(|(name, value)| (name.to_owned(), value)));
        all.extend(self.prepared.clone());
        all
    }
}

/// What follows when an execution of a remediation has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The next execution is asked for.
    Ask(Stage),
    /// It waits for a scan.
    Wait(Progress),
    /// It came to nothing.
    Fail(String),
}

/// What follows when `stage` of a remediation has ended like this.
#[must_use]
pub fn next(means: Means, stage: Stage, ended: ExecutionState, why: Option<&str>) -> Next {
    if ended != ExecutionState::Completed {
        let why =
            why.filter(|why| !why.is_empty()).map_or_else(String::new, |why| format!(": {why}"));
        let what = match stage {
            Stage::Prepare => "working out the change",
            Stage::Change => "the change",
            Stage::Check => "the look for drift after it",
        };
        return Next::Fail(format!("{what} was {ended}{why}"));
    }
    match (stage, means) {
        (Stage::Prepare, _) => Next::Ask(Stage::Change),
        (Stage::Change, Means::AutoRevert) => Next::Ask(Stage::Check),
        (Stage::Change, Means::CodifyIac) => Next::Wait(Progress::Published),
        (Stage::Check, _) => {
            Next::Fail("the look for drift after the change still finds it".to_owned())
        }
    }
}

/// Why what a preparation printed cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPrepared {
    /// It is no object of texts.
    #[error("the preparation did not say what it prepared: {0}")]
    Form(String),
    /// It says something nobody asked for.
    #[error("the preparation says {0:?}, which no change takes")]
    Name(String),
    /// A value is too long, or more than a line.
    #[error("what the preparation says of {0} is no line of at most {LONGEST_VALUE} characters")]
    Value(String),
}

/// Reads what a preparation printed: one JSON object of texts.
///
/// # Errors
/// When it is something else. What it says comes from a host: it is held to names and lengths here,
/// and to their patterns by the procedure that takes it.
pub fn prepared(printed: &str) -> Result<BTreeMap<String, String>, NotPrepared> {
    let values: BTreeMap<String, String> = serde_json::from_str(printed.trim())
        .map_err(|error| NotPrepared::Form(error.to_string()))?;
    for (name, value) in &values {
        if !PREPARED.contains(&name.as_str()) {
            return Err(NotPrepared::Name(name.clone()));
        }
        if value.chars().count() > LONGEST_VALUE || value.contains(char::is_control) {
            return Err(NotPrepared::Value(name.clone()));
        }
    }
    Ok(values)
}
