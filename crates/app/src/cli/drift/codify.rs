//! `drift codify`: the code of a directory changed to what is there.

mod files;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use sense::drift::Drift;
use sense::drift::codify::{self, Codified, How, Sources};
use serde_json::{Value, json};
use similar::TextDiff;

use super::super::{Context, End, fault, given, view};
use super::read_rules;
use crate::output::{self, Format};
use files::Directory;

/// How many lines around a change a diff shows.
const AROUND: usize = 3;

/// What to change, and to what.
#[derive(Debug, Args)]
pub struct Codify {
    /// The directory with the code
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// What drifted: what `drift scan --report json` printed; - is standard input
    #[arg(long, value_name = "FILE")]
    drifts: PathBuf,

    /// Only this resource, by its address; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    only: Vec<String>,

    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// How the result is printed; by default as --output says
    #[arg(long, value_enum, value_name = "FORMAT")]
    report: Option<ReportFormat>,

    /// Rules beyond those that ship, as the scan had them; may be repeated
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// A unified diff, and what stays as it is
    Table,
    /// One document with everything
    Json,
}

impl Codify {
    /// Does it; what goes wrong is told here, since 1 says that something is left.
    pub(super) fn run(&self, context: &Context) -> End {
        match self.codify(context) {
            Ok(end) => end,
            Err(error) => {
                fault::tell(&error, context.format);
                End::Fault
            }
        }
    }

    fn codify(&self, context: &Context) -> Result<End> {
        let directory = Directory::open(&self.directory)?;
        let texts = directory.texts()?;
        let drifts = self.wanted()?;
        let rules = read_rules(&self.rules)?;
        let made = codify::codify(&Sources::new(texts.clone()), &drifts, &rules);
        let diffs: Vec<(&str, String)> = made
            .files
            .iter()
            .map(|(path, text)| {
                let before = texts.get(path).map(String::as_str).unwrap_or_default();
                (path.as_str(), diff(path, before, text))
            })
            .collect();
        if !self.dry_run {
            directory.replace(&texts, &made.files)?;
        }
        let format = self.report.unwrap_or(match context.format {
            Format::Human => ReportFormat::Table,
            Format::Json => ReportFormat::Json,
        });
        match format {
            ReportFormat::Table => output::result(&table(&made, &diffs)),
            ReportFormat::Json => output::json(&document(&made, &diffs))?,
        }
        Ok(End::when(made.left.is_empty()))
    }

    /// What drifted, as far as it is asked for.
    fn wanted(&self) -> Result<Vec<Drift>> {
        let text = given::text_of(&self.drifts)?;
        let name = self.drifts.display();
        let mut drifts = codify::read(&text).with_context(|| format!("{name} cannot be read"))?;
        if self.only.is_empty() {
            return Ok(drifts);
        }
        let known: BTreeSet<&str> = drifts.iter().map(|drift| drift.address.as_str()).collect();
        if let Some(unknown) = self.only.iter().find(|only| !known.contains(only.as_str())) {
            bail!("{name} says nothing of {unknown:?}");
        }
        drifts.retain(|drift| self.only.contains(&drift.address));
        Ok(drifts)
    }
}

fn diff(path: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    unified.context_radius(AROUND).header(&format!("a/{path}"), &format!("b/{path}"));
    unified.to_string()
}

/// For people: the diff, and what stays as it is.
fn table(made: &Codified, diffs: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (_, diff) in diffs {
        text.push_str(&view::clean(diff));
        text.push('\n');
    }
    for left in &made.left {
        let property = left.property_path.as_deref();
        let property = property.map_or_else(String::new, |path| format!(" {}", view::line(path)));
        let _written = writeln!(
            text,
            "left: {}{property}: {}",
            view::line(&left.address),
            view::line(&left.why)
        );
    }
    let edited = made.done.iter().filter(|done| done.how == How::Edited).count();
    let already = made.done.len() - edited;
    text.push_str(&format!(
        "{edited} put into the code, {already} there already, {} left",
        made.left.len()
    ));
    text
}

/// Everything, for programs.
fn document(made: &Codified, diffs: &[(&str, String)]) -> Value {
    let files: Vec<Value> =
        diffs.iter().map(|(path, diff)| json!({"path": path, "diff": diff})).collect();
    json!({"files": files, "done": made.done, "left": made.left})
}
