//! House rules, the test run, and everything that must hold before a change lands.
//!
//! `cargo xtask tidy` · `cargo xtask test [nextest arguments]` · `cargo xtask check` ·
//! `cargo xtask web [deps|check|build|e2e]` · `cargo xtask ci`

mod postgres;
mod tidy;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (verb, rest) = arguments.split_first().map_or(("help", &[][..]), |(v, r)| (v.as_str(), r));
    let done = match verb {
        "tidy" => tidy::run(&root()),
        "test" => test(rest),
        "check" => check(),
        "web" => web(rest),
        "ci" => ci(rest),
        _ => {
            say("cargo xtask tidy | check | test [nextest arguments] | web [verbs] | ci");
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask {verb}: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command-line tool speaks on standard error")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// The checkout cargo runs this for. Asked when it runs: two checkouts that share a target
/// directory share this program, too.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().unwrap_or(&here).to_owned()
}

/// Everything that must hold before a change lands. The console comes before the tests, which serve
/// it, and is tried in a browser after them, with the program they were about.
fn ci(arguments: &[String]) -> Result<()> {
    check()?;
    web(&["deps", "check", "build"].map(str::to_owned))?;
    test(arguments)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let program = root().join(target).join("debug/countersign");
    let mut tried = Command::new(root().join("scripts/web"));
    step("web e2e", tried.arg("e2e").env("COUNTERSIGN_PROGRAM", program))
}

/// Steps of the console; all there are when none is named.
fn web(verbs: &[String]) -> Result<()> {
    let all = ["deps", "check", "build", "e2e"].map(str::to_owned);
    let verbs = if verbs.is_empty() { &all } else { verbs };
    for verb in verbs {
        step(&format!("web {verb}"), Command::new(root().join("scripts/web")).arg(verb))?;
    }
    Ok(())
}

/// The cheap checks, cheapest first.
fn check() -> Result<()> {
    step("fmt", Command::new("cargo").args(["fmt", "--all", "--check"]))?;
    let started = Instant::now();
    tidy::run(&root())?;
    say(&format!("tidy: {:.1} s", started.elapsed().as_secs_f32()));
    let mut clippy = Command::new("cargo");
    clippy.args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]);
    step("clippy", &mut clippy)
}

/// All tests, beside one throwaway PostgreSQL. nextest where it is installed, `cargo test` else.
fn test(arguments: &[String]) -> Result<()> {
    let nextest = Command::new("cargo")
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    let all = if arguments.is_empty() { vec!["--workspace".to_owned()] } else { Vec::new() };
    let verb: &[&str] = if nextest { &["nextest", "run"] } else { &["test"] };
    let command = |more: &str| {
        let mut command = Command::new("cargo");
        command.args(verb).arg("--locked").args(&all).args(arguments).current_dir(root());
        if nextest && std::env::var_os("CI").is_some() {
            command.args(["--profile", "ci"]);
        }
        if !more.is_empty() {
            command.arg(more);
        }
        command
    };
    step("build tests", &mut command("--no-run"))?;
    let server = postgres::start()?;
    let mut run = command("");
    run.env("COUNTERSIGN_TEST_ADMIN_URL", server.url());
    step("tests", &mut run)
}

fn step(name: &str, command: &mut Command) -> Result<()> {
    let started = Instant::now();
    let status = command
        .current_dir(root())
        .status()
        .with_context(|| format!("{name}: cannot start {}", command.get_program().display()))?;
    say(&format!("{name}: {:.1} s", started.elapsed().as_secs_f32()));
    if !status.success() {
        bail!("{name} failed");
    }
    Ok(())
}
