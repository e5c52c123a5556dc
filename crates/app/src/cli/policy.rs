//! Policy bundles: tested here, uploaded and activated there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use judge::policy::{self, Bundle, Files, TestOutcome};
use serde_json::{Value, json};

use super::view::Column;
use super::{Context, End, given, listing, view};
use crate::output::{self, Format};

const COLUMNS: [Column; 5] = [
    ("name", "/name"),
    ("version", "/version"),
    ("active from", "/active_from"),
    ("uploaded", "/created_at"),
    ("id", "/id"),
];

/// Policy bundles.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// List policy bundles, newest first; where none is active the shipped one decides
    List,
    /// Compile a bundle and run its own tests (offline)
    ///
    /// Every problem is told as `FILE:LINE:COLUMN`. Exit code 1 when the bundle cannot be used or a
    /// test fails.
    Test(Test),
    /// Upload a bundle; it decides nothing before it is activated
    Upload(Upload),
    /// Let a bundle decide from now on; its own tests must pass
    Activate {
        /// The bundle's id, or name: its newest version
        #[arg(value_name = "BUNDLE")]
        bundle: String,
    },
}

/// A bundle to test.
#[derive(Debug, Args)]
pub struct Test {
    /// The directory of its .rego files; the shipped bundle when absent
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// A bundle to upload.
#[derive(Debug, Args)]
pub struct Upload {
    /// The directory of its .rego files
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// What it is called; the directory's name when absent
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Activate it too
    #[arg(long)]
    activate: bool,
}

impl Policy {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List => listing::short(context, &["policies"], &COLUMNS).await,
            Self::Test(test) => test.run(context),
            Self::Upload(upload) => upload.run(context).await,
            Self::Activate { bundle } => {
                let client = context.client()?;
                let id = given::id_of(&client, "policy bundle", &["policies"], "pol", &bundle);
                let now = client.post(&["policies", &id.await?, "activate"], &json!({})).await?;
                context.show(&now, |now| view::facts(now, &COLUMNS))
            }
        }
    }
}

impl Test {
    fn run(self, context: &Context) -> Result<End> {
        let files = match &self.directory {
            Some(directory) => read(directory)?,
            None => policy::shipped_files(),
        };
        let outcome = tested(files);
        let end = End::when(outcome["ok"] == true);
        match context.format {
            Format::Json => output::json(&outcome)?,
            Format::Human => output::result(&told(&outcome)),
        }
        Ok(end)
    }
}

/// The `.rego` files of a directory, by their path in it.
fn read(directory: &Path) -> Result<Files> {
    let mut files = Files::new();
    collect(directory, directory, &mut files)?;
    if files.is_empty() {
        bail!("{} holds no .rego file", directory.display());
    }
    Ok(files)
}

fn collect(root: &Path, directory: &Path, files: &mut Files) -> Result<()> {
    let cannot = || format!("cannot read {}", directory.display());
    for entry in std::fs::read_dir(directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rego") {
            let text = given::text_of(&path)?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.insert(name, text);
        }
    }
    Ok(())
}

/// What became of a bundle, as JSON.
fn tested(files: Files) -> Value {
    let bundle = match Bundle::compile(files) {
        Ok(bundle) => bundle,
        Err(problems) => return json!({ "ok": false, "problems": problems, "tests": [] }),
    };
    let mut ok = true;
    let tests: Vec<Value> = policy::test(&bundle)
        .into_iter()
        .map(|result| {
            let (word, message) = match result.outcome {
                TestOutcome::Passed => ("passed", None),
                TestOutcome::Failed => ("failed", None),
                TestOutcome::Broken { message } => ("broken", Some(message)),
            };
            ok &= word == "passed";
            json!({
                "file": result.file, "line": result.line, "name": result.name, "outcome": word,
                "message": message,
            })
        })
        .collect();
    json!({ "ok": ok, "hash": bundle.hash(), "problems": [], "tests": tests })
}

fn told(outcome: &Value) -> String {
    let mut lines: Vec<String> = Vec::new();
    for problem in view::items(&outcome["problems"]) {
        lines.push(format!(
            "{}:{}:{}: error: {}",
            view::at(problem, "/file"),
            view::at(problem, "/line"),
            view::at(problem, "/column"),
            view::at(problem, "/message"),
        ));
    }
    let tests = view::items(&outcome["tests"]);
    for test in tests.iter().filter(|test| test["outcome"] != "passed") {
        let why = match view::at(test, "/message").as_str() {
            "-" => String::new(),
            why => format!(": {why}"),
        };
        lines.push(format!(
            "{}:{}:1: {} {}{why}",
            view::at(test, "/file"),
            view::at(test, "/line"),
            view::at(test, "/name"),
            view::at(test, "/outcome"),
        ));
    }
    let passed = tests.iter().filter(|test| test["outcome"] == "passed").count();
    lines.push(match outcome["hash"].as_str() {
        Some(hash) if tests.is_empty() => format!("compiles, and has no tests; bundle {hash}"),
        Some(hash) => format!("{passed} of {} tests passed; bundle {hash}", tests.len()),
        None => "the bundle cannot be used".to_owned(),
    });
    lines.join("\n")
}

impl Upload {
    async fn run(self, context: &Context) -> Result<End> {
        let files = read(&self.directory)?;
        let directory = self.directory.canonicalize().unwrap_or_else(|_| self.directory.clone());
        let name = directory.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(name) = self.name.or(name) else { bail!("say what it is called: --name") };
        let client = context.client()?;
        let mut now = client.post(&["policies"], &json!({ "name": name, "files": files })).await?;
        if self.activate {
            let id = view::raw(&now, "/id").to_owned();
            now = client.post(&["policies", &id, "activate"], &json!({})).await?;
        }
        context.show(&now, |now| view::facts(now, &COLUMNS))
    }
}

#[cfg(test)]
mod tests;
