//! Judging runbook documents without a server.

use std::path::PathBuf;

use act::runbook::problem::Problem;
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::{Context, End, given, view};
use crate::output::{self, Format};

/// Documents to judge.
#[derive(Debug, Args)]
pub struct Lint {
    /// YAML documents, `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Ask for what `activate` asks for, too
    #[arg(long)]
    active: bool,
}

/// What is said of one document.
struct Judged {
    file: String,
    problems: Vec<Problem>,
}

impl Judged {
    fn accepted(&self) -> bool {
        !self.problems.iter().any(Problem::refuses)
    }

    fn json(&self) -> Value {
        json!({ "file": self.file, "accepted": self.accepted(), "problems": self.problems })
    }

    fn lines(&self) -> Vec<String> {
        let told = |problem: &Problem| {
            let weight = if problem.refuses() { "error" } else { "warning" };
            let Problem { line, column, message, code, hint, .. } = problem;
            let hint = hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
            view::clean(&format!(
                "{}:{line}:{column}: {weight}: {message} [{code}]{hint}",
                self.file
            ))
        };
        self.problems.iter().map(told).collect()
    }
}

fn judge(file: String, text: &str, active: bool) -> Judged {
    let problems = match act::runbook::lint::of_yaml(text) {
        Err(problems) => problems,
        Ok((runbook, mut warnings)) => {
            if active {
                let known = |found: &Problem| {
                    warnings.iter().any(|w| w.code == found.code && w.path == found.path)
                };
                let more: Vec<Problem> = act::runbook::lint::activation(&runbook)
                    .into_iter()
                    .filter(|found| !known(found))
                    .collect();
                warnings.extend(more);
            }
            warnings
        }
    };
    Judged { file, problems }
}

impl Lint {
    /// Judges them, and says so.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn run(self, context: &Context) -> Result<End> {
        let mut all = Vec::new();
        for file in &self.files {
            let text = given::text_of(file)?;
            all.push(judge(file.display().to_string(), &text, self.active));
        }
        match context.format {
            Format::Json => output::json(&all.iter().map(Judged::json).collect::<Vec<_>>())?,
            Format::Human => {
                for line in all.iter().flat_map(Judged::lines) {
                    output::result(&line);
                }
                let refused = all.iter().filter(|judged| !judged.accepted()).count();
                context.remark(&format!(
                    "{} of {} documents accepted",
                    all.len() - refused,
                    all.len()
                ));
            }
        }
        Ok(End::when(all.iter().all(Judged::accepted)))
    }
}

#[cfg(test)]
mod tests;
