//! Asking a server to put drift right.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::{Context, End, view};
use crate::output::{self, Format};

/// What is put right, and how.
#[derive(Debug, Args)]
pub struct Remedy {
    /// The findings, all of one source
    #[arg(value_name = "FINDING", required = true)]
    findings: Vec<String>,

    /// How
    #[arg(long, value_enum, value_name = "MEANS")]
    by: Means,

    /// Why: whoever approves it reads this
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// By which means drift is put right.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Means {
    /// The cloud is brought back to the code
    Revert,
    /// The code is changed to what is there, as a branch and a pull request
    Codify,
}

impl Remedy {
    pub(super) async fn run(self, context: &Context) -> Result<End> {
        let kind = match self.by {
            Means::Revert => "auto_revert",
            Means::Codify => "codify_iac",
        };
        let wanted = json!({"kind": kind, "finding_ids": self.findings, "reason": self.reason});
        let begun = context.client()?.post(&["remediations"], &wanted).await?;
        match context.format {
            Format::Json => output::json(&begun)?,
            Format::Human => {
                let (id, execution) =
                    (view::raw(&begun, "/id"), view::raw(&begun, "/preparation/execution_id"));
                output::result(&format!(
                    "{id} begun: {execution} works out the change, which then asks for its approval"
                ));
            }
        }
        Ok(End::Good)
    }
}
