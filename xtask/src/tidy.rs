//! House rules that a program can check: who may import what, file length, names, documents.
//!
//! Plain text search over the sources, well under a second. Each rule says what to do instead.

mod migrations;
mod patterns;
mod sorted;
mod way_out;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::say;

const STAGES: [&str; 5] = ["sense", "judge", "gate", "act", "prove"];
const LONGEST_FILE: usize = 600;
const VAGUE_NAMES: [&str; 6] = ["utils", "helpers", "common", "misc", "types", "util"];

/// A source file with its path from the repository's root.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests")
            || self.path.contains("/testing")
            || self.path.contains("/examples/")
    }

    fn in_crate(&self, name: &str) -> bool {
        self.path.starts_with(&format!("crates/{name}/"))
    }

    /// The part before the unit tests that sit at a file's end.
    fn code(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(&self.text)
    }
}

/// Checks every rule and names every breach.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut sources = Vec::new();
    for top in ["crates", "xtask", "benches"] {
        collect(root, &root.join(top), "rs", &mut sources)?;
    }
    let mut breaches = Vec::new();
    for source in &sources {
        if !source.path.starts_with("xtask/") {
            imports(source, &mut breaches);
            edges(source, &mut breaches);
        }
        shape(source, &mut breaches);
        clearance(source, &mut breaches);
        way_out(source, &mut breaches);
        regular_expressions(source, &mut breaches);
    }
    clients(root, &mut breaches)?;
    manifests(root, &mut breaches)?;
    migrations(root, &sources, &mut breaches)?;
    snapshots(root, &sources, &mut breaches)?;
    errors(root, &sources, &mut breaches)?;
    promises(root, &sources, &mut breaches)?;
    paths(root, &mut breaches)?;
    wire_types(&sources, &mut breaches);
    for breach in &breaches {
        say(breach);
    }
    if !breaches.is_empty() {
        bail!("{} breaches of the house rules", breaches.len());
    }
    Ok(())
}

fn collect(root: &Path, dir: &Path, extension: &str, into: &mut Vec<Source>) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", ".git"].contains(&name.as_str()) {
                collect(root, &path, extension, into)?;
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            into.push(Source { path, text });
        }
    }
    Ok(())
}

/// The description knows a wire type by its name alone: of two with one name it shows one.
fn wire_types(sources: &[Source], breaches: &mut Vec<String>) {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let mut derived = false;
        for (_, line) in source.lines() {
            let line = line.trim();
            derived |= line.starts_with("#[derive(") && line.contains("ToSchema");
            let words: Vec<&str> = line.split([' ', '{', '(', '<', ';']).collect();
            let Some(at) = words.iter().position(|word| ["struct", "enum"].contains(word)) else {
                continue;
            };
            let name = words.get(at + 1).copied().unwrap_or_default();
            if std::mem::take(&mut derived)
                && !line.starts_with("//")
                && let Some(other) = known.insert(name, &source.path)
            {
                let path = &source.path;
                breaches.push(format!("{path}: {name} is a wire type of {other} already"));
            }
        }
    }
}

/// SQL in stores, HTTP at the edge.
fn imports(source: &Source, breaches: &mut Vec<String>) {
    if source.is_test() {
        return;
    }
    let file = source.path.as_str();
    let store = file.contains("store") || source.in_crate("db");
    let http = file.contains("/api") || source.in_crate("api") || source.in_crate("server");
    for (line, text) in source.lines() {
        let sql = text
            .replace("jiff_sqlx::", "")
            .replace("From<sqlx::Error>", "")
            .replace("(error: sqlx::Error)", "");
        if !store && sql.contains("sqlx::") {
            breaches.push(format!("{file}:{line}: SQL belongs in a store module"));
        }
        if !http && (text.contains("axum::") || text.contains("use axum")) {
            breaches.push(format!("{file}:{line}: HTTP belongs in an api module"));
        }
    }
}

/// Where time, files, processes and the environment may come in.
fn edges(source: &Source, breaches: &mut Vec<String>) {
    if source.is_test() {
        return;
    }
    let file = source.path.as_str();
    let files = [
        "crates/db/src/private",
        "crates/connect/",
        "crates/connect-terraform/",
        // Files of a repository, written for a program that reads files.
        "crates/connect-git/src/copy.rs",
        // The directory the console is built into, so that cargo can look at it.
        "crates/console/build.rs",
        "crates/prove/src/",
        "crates/app/",
        "benches/",
    ]
    .iter()
    .any(|place| file.starts_with(place));
    let deciding = ["judge", "gate", "act"].iter().any(|stage| source.in_crate(stage))
        && !["store", "/api", "engine", "worker", "lease"].iter().any(|part| file.contains(part));
    for (at, text) in source.code().lines().enumerate() {
        let line = at + 1;
        let text = text.split("//").next().unwrap_or_default();
        if !files && (text.contains("std::fs") || text.contains("std::process::Command")) {
            breaches.push(format!("{file}:{line}: files and processes belong at the edge: db/private, connect, connect-terraform, prove's directories, app"));
        }
        if !file.starts_with("crates/app/")
            && !file.starts_with("benches/")
            && text.contains("std::env::var")
        {
            breaches.push(format!("{file}:{line}: the environment is read in app/config alone"));
        }
        if deciding && (text.contains("async fn") || text.contains("::now()")) {
            breaches
                .push(format!("{file}:{line}: deciding code is pure: take values, give values"));
        }
    }
}

/// A user's regular expression has a limit of its size.
fn regular_expressions(source: &Source, breaches: &mut Vec<String>) {
    if source.is_test() {
        return;
    }
    for line in patterns::made(&source.path, source.code()) {
        let path = &source.path;
        breaches.push(format!("{path}:{line}: patterns are read by act's template::value alone"));
    }
}

/// One outbound client: every other one would have to be as careful.
fn way_out(source: &Source, breaches: &mut Vec<String>) {
    if source.is_test() {
        return;
    }
    for line in way_out::ways_out(&source.path, source.code()) {
        breaches.push(format!("{}:{line}: calls go out by connect::Outbound alone", source.path));
    }
}

fn clients(root: &Path, breaches: &mut Vec<String>) -> Result<()> {
    let mut files = Vec::new();
    for top in ["crates", "xtask", "benches"] {
        collect(root, &root.join(top), "toml", &mut files)?;
    }
    // The root lists what members may ask for; of it only the features are looked at.
    let manifest = fs::read_to_string(root.join("Cargo.toml")).context("cannot read Cargo.toml")?;
    for (at, line) in manifest.lines().enumerate() {
        if way_out::as_feature(line) {
            let line = at + 1;
            breaches.push(format!("Cargo.toml:{line}: calls go out by connect::Outbound alone"));
        }
    }
    for file in &files {
        for line in way_out::clients(&file.path, &file.text) {
            breaches.push(format!("{}:{line}: calls go out by connect::Outbound alone", file.path));
        }
        for line in patterns::backtracking(&file.text) {
            breaches.push(format!("{}:{line}: a library that backtracks", file.path));
        }
    }
    Ok(())
}

fn clearance(source: &Source, breaches: &mut Vec<String>) {
    if source.path == "crates/gate/src/clear.rs" {
        return;
    }
    for (line, text) in source.lines() {
        let makes = text.contains("Clearance {") && !text.contains("impl") && !text.contains("-> ");
        if makes && !source.path.starts_with("xtask/") {
            breaches
                .push(format!("{}:{line}: only gate/src/clear.rs makes a Clearance", source.path));
        }
    }
}

fn shape(source: &Source, breaches: &mut Vec<String>) {
    let file = source.path.as_str();
    let length = source.text.lines().count();
    if length > LONGEST_FILE && !source.is_test() {
        breaches.push(format!(
            "{file}: {length} lines, more than {LONGEST_FILE}: which noun is missing?"
        ));
    }
    if !source.text.starts_with("//!") && !file.ends_with("tests.rs") && !file.contains("/tests/") {
        breaches.push(format!("{file}: the first line says what the file is about (//! …)"));
    }
    let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if VAGUE_NAMES.contains(&stem.as_str()) || stem == "mod" {
        breaches.push(format!("{file}: find the noun it belongs to"));
    }
}

/// Stages do not know each other, but for act, which takes gate's Clearance.
fn manifests(root: &Path, breaches: &mut Vec<String>) -> Result<()> {
    for stage in STAGES.iter().chain(&["learn", "tell", "archive"]) {
        let path = root.join("crates").join(stage).join("Cargo.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {stage}"))?;
        for other in STAGES.iter().chain(&["learn", "tell", "archive"]) {
            let listed = text.lines().any(|line| {
                line.starts_with(&format!("{other}.workspace"))
                    || line.starts_with(&format!("{other} ="))
            });
            if listed && other != stage && !(*stage == "act" && *other == "gate") {
                breaches.push(format!("crates/{stage}/Cargo.toml: a stage does not import {other}: hand over in server/src/cycle"));
            }
        }
    }
    Ok(())
}

/// Constraints have names, so that errors can be told apart.
fn migrations(root: &Path, sources: &[Source], breaches: &mut Vec<String>) -> Result<()> {
    let mut files = Vec::new();
    collect(root, &root.join("migrations"), "sql", &mut files)?;
    // What the tests show to hold up nobody, the rules allow.
    let (mut samples, dir) = (Vec::new(), root.join("crates/db/tests/it/migrations"));
    collect(root, &dir, "sql", &mut samples)?;
    let name = |file: &Source| file.path.rsplit('/').next().unwrap_or_default().to_owned();
    let named = files.iter().map(|file| (name(file), file));
    let sampled = samples.iter().map(|file| (format!("9{}", name(file)), file));
    for (name, file) in named.chain(sampled) {
        for (line, fault) in migrations::faults(&name, &file.text) {
            breaches.push(format!("{}:{line}: {fault}", file.path));
        }
    }
    for file in &files {
        let mut before = "";
        for (line, text) in file.lines() {
            let code = text.split("--").next().unwrap_or_default();
            let constrains = ["PRIMARY KEY", "UNIQUE (", "CHECK (", "FOREIGN KEY", "REFERENCES "]
                .iter()
                .any(|word| code.contains(word));
            let named = |line: &str| {
                line.contains("CONSTRAINT")
                    || line.contains("POLICY")
                    || line.contains("FOREIGN KEY")
            };
            let policy = code.contains("WITH CHECK") || code.contains("USING");
            if constrains && !named(code) && !named(before) && !policy && !code.contains("GRANT") {
                breaches.push(format!("{}:{line}: name the constraint", file.path));
            }
            before = text;
        }
    }
    let all: String = files.iter().map(|file| file.text.as_str()).collect();
    sorted::sorted(sources, &all, breaches);
    Ok(())
}

/// A snapshot no test names is a promise nobody keeps.
fn snapshots(root: &Path, sources: &[Source], breaches: &mut Vec<String>) -> Result<()> {
    let mut snaps = Vec::new();
    collect(root, &root.join("crates"), "snap", &mut snaps)?;
    for snap in &snaps {
        let stem =
            Path::new(&snap.path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = stem.rsplit("__").next().unwrap_or(&stem).to_owned();
        let base = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
        if !sources.iter().any(|source| source.text.contains(base)) {
            breaches.push(format!("{}: no test names this snapshot", snap.path));
        }
    }
    Ok(())
}

/// Every problem code a caller can see is explained in docs/errors.md.
fn errors(root: &Path, sources: &[Source], breaches: &mut Vec<String>) -> Result<()> {
    let page =
        fs::read_to_string(root.join("docs/errors.md")).context("docs/errors.md is missing")?;
    for source in
        sources.iter().filter(|source| !source.is_test() && !source.path.starts_with("xtask/"))
    {
        for call in ["Problem::conflict(", "Problem::forbidden("] {
            for rest in source.code().split(call).skip(1) {
                let Some(code) =
                    rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next())
                else {
                    continue;
                };
                if !page.contains(&format!("`{code}`")) {
                    breaches
                        .push(format!("{}: docs/errors.md has no row for `{code}`", source.path));
                }
            }
        }
    }
    Ok(())
}

/// Every test that docs/safety.md names exists.
fn promises(root: &Path, sources: &[Source], breaches: &mut Vec<String>) -> Result<()> {
    let page =
        fs::read_to_string(root.join("docs/safety.md")).context("docs/safety.md is missing")?;
    let named = page.lines().filter_map(|line| line.strip_prefix("- `")?.split('`').next());
    for test in named {
        let declared = format!("fn {test}(");
        if !sources.iter().any(|source| source.text.contains(&declared)) {
            breaches.push(format!("docs/safety.md: no test is called {test}"));
        }
    }
    Ok(())
}

/// No path of somebody's machine.
fn paths(root: &Path, breaches: &mut Vec<String>) -> Result<()> {
    let mut files = Vec::new();
    for extension in ["rs", "md", "toml", "yaml", "sql", "rego", "sh"] {
        for top in ["crates", "docs", "content", "migrations", "benches"] {
            collect(root, &root.join(top), extension, &mut files)?;
        }
    }
    for file in &files {
        for (line, text) in file.lines() {
            if text.contains("/home/") || text.contains("/Users/") {
                breaches.push(format!("{}:{line}: a path of somebody's machine", file.path));
            }
        }
    }
    Ok(())
}
