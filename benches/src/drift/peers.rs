//! Terraform on the simulated provider, and the tools from `PyPI` that read what it prints.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::process::Command;

use super::estate::Estate;
use super::files::{self, Truth};
use super::word;
use crate::process::{self, Taken};
use crate::setting::Setting;

/// Who reads plans.
pub(crate) const NAMES: [&str; 2] = ["tfdrift", "drifty"];

/// What passwords of an estate begin with.
const CANARY: &str = "canary-";

/// How many passwords stand in a text.
pub(crate) fn in_clear(text: &str) -> usize {
    text.matches(CANARY).count()
}

/// What a refresh by Terraform took.
#[derive(Debug, Clone)]
pub(crate) struct Refreshed {
    /// `plan -refresh-only`, the provider's process included.
    pub(crate) plan: Taken,
    /// The provider's CPU seconds.
    pub(crate) provider: f64,
    /// `show -json` of the plan.
    pub(crate) show: Taken,
}

/// What a tool took and found.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) taken: Taken,
    /// How many resources are told.
    pub(crate) found: usize,
    pub(crate) missed: usize,
    pub(crate) wrong: usize,
    pub(crate) clear: usize,
}

/// Whether Terraform is not to be had here.
pub(crate) async fn terraform_missing() -> bool {
    !Command::new("terraform").arg("version").output().await.is_ok_and(|out| out.status.success())
}

/// Refreshes a workspace with the simulated provider; the plan as JSON goes to `plan`.
pub(crate) async fn refresh(setting: &Setting, workspace: &Path, plan: &Path) -> Result<Refreshed> {
    let provider = setting.provider.as_deref().context("BENCH_PROVIDER is not set")?;
    let config = workspace.join("terraform.rc");
    std::fs::write(
        &config,
        format!(
            "provider_installation {{\n  dev_overrides {{\n    \"hashicorp/aws\" = {provider:?}\n  }}\n  \
             direct {{}}\n}}\n"
        ),
    )?;
    let cpu = workspace.join("provider.cpu");
    let environment: Vec<(String, String)> = [
        ("TF_CLI_CONFIG_FILE", word(&config)),
        ("SIMULATED_TYPES", word(workspace.join("types.json"))),
        ("SIMULATED_LIVE", word(workspace.join("live.jsonl"))),
        ("SIMULATED_CPU", word(&cpu)),
        ("CHECKPOINT_DISABLE", "1".to_owned()),
        ("TF_IN_AUTOMATION", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let there = format!("-chdir={}", workspace.display());
    let terraform = |arguments: &[&str]| {
        let words = ["terraform", &there].into_iter().chain(arguments.iter().copied());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let planned = terraform(&[
        "plan",
        "-refresh-only",
        "-lock=false",
        "-input=false",
        "-no-color",
        "-out=bench.plan",
    ]);
    let _gone = std::fs::remove_file(&cpu);
    let planned = process::metered(setting, &planned, &environment).await?;
    let provider = std::fs::read_to_string(&cpu).context("the provider left no CPU seconds")?;
    let shown = terraform(&["show", "-json", "-no-color", "bench.plan"]);
    let shown = process::metered(setting, &shown, &environment).await?;
    std::fs::write(plan, &shown.said)?;
    let quiet = |taken: Taken| Taken { said: String::new(), ..taken };
    Ok(Refreshed { plan: quiet(planned), provider: provider.parse()?, show: quiet(shown) })
}

/// What stands in for Terraform: it prints a plan at once.
const STANDS_IN: &str = r#"#!/bin/sh
case "$*" in
  *-json*-out=* | *-out=*-json*) json=yes ;;
  *) json= ;;
esac
case "$1" in
  init) exit 0 ;;
  version) echo '{"terraform_version":"1.11.4"}' ;;
  plan)
    for word in "$@"; do
      case "$word" in -out=*) : > "${word#-out=}" ;; esac
    done
    [ -z "$json" ] || cat "$REPLAYED/stream.jsonl"
    exit 2 ;;
  show) cat "$REPLAYED/plan.json" ;;
esac
"#;

/// The tools, and plans for them to read.
#[derive(Debug)]
pub(crate) struct Peers {
    dir: PathBuf,
}

impl Peers {
    /// Writes the plans of these estates and what prints them.
    pub(crate) fn ready(setting: &Setting, dir: &Path, estates: [Estate; 2]) -> Result<Self> {
        setting.drift_venv.as_deref().context("BENCH_DRIFT_VENV is not set")?;
        let peers = Self { dir: dir.to_owned() };
        for (at, estate) in estates.into_iter().enumerate() {
            let replayed = peers.replayed(at);
            std::fs::create_dir_all(replayed.join("workspace"))?;
            std::fs::write(replayed.join("workspace/main.tf"), "# read by what stands in\n")?;
            files::plan(&replayed.join("plan.json"), estate)?;
            files::stream(&replayed.join("stream.jsonl"), estate)?;
        }
        let program = dir.join("bin/terraform");
        std::fs::create_dir_all(dir.join("bin"))?;
        std::fs::write(&program, STANDS_IN)?;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
        Ok(peers)
    }

    fn replayed(&self, at: usize) -> PathBuf {
        self.dir.join(format!("replayed-{at}"))
    }

    /// The plan of the estate of this place.
    pub(crate) fn plan(&self, at: usize) -> PathBuf {
        self.replayed(at).join("plan.json")
    }

    /// Has both of them read it.
    pub(crate) async fn both(
        &self,
        setting: &Setting,
        at: usize,
        truth: &Truth,
    ) -> Result<[Seen; 2]> {
        let workspace = word(self.replayed(at).join("workspace"));
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let tfdrift = words(&["scan", "--path", &workspace, "--format", "json", "--quiet"]);
        let result = self.dir.join("tfdrift.json");
        let tfdrift = [tfdrift, words(&["--output", &word(&result)])].concat();
        let tfdrift = self.run(setting, at, "tfdrift", tfdrift).await?;
        let told = std::fs::read_to_string(&result).context("what tfdrift told")?;
        let tfdrift = seen(tfdrift, &told, &addresses_of_tfdrift(&told)?, truth);
        let drifty = words(&["scan", "--workspace", &workspace, "--output", "json"]);
        let mut drifty = self.run(setting, at, "drifty", drifty).await?;
        let told = std::mem::take(&mut drifty.said);
        let drifty = seen(drifty, &told, &addresses_of_drifty(&told)?, truth);
        Ok([tfdrift, drifty])
    }

    async fn run(
        &self,
        setting: &Setting,
        at: usize,
        name: &str,
        arguments: Vec<String>,
    ) -> Result<Taken> {
        let venv = setting.drift_venv.as_deref().context("BENCH_DRIFT_VENV is not set")?;
        let home = self.dir.join("home");
        // Both keep what they found before.
        let _gone = std::fs::remove_dir_all(&home);
        let _gone = std::fs::remove_dir_all(self.replayed(at).join("workspace/.drifty"));
        std::fs::create_dir_all(&home)?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let environment = [
            ("PATH", format!("{}:{}", self.dir.join("bin").display(), path.to_string_lossy())),
            ("HOME", word(home)),
            ("REPLAYED", word(self.replayed(at))),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let command = [vec![word(venv.join("bin").join(name))], arguments].concat();
        process::metered_to(setting, &command, &environment, &[0, 1, 2]).await
    }
}

fn seen(taken: Taken, told: &str, addresses: &[String], truth: &Truth) -> Seen {
    let found: BTreeSet<&str> = addresses.iter().map(String::as_str).collect();
    let truth: BTreeSet<&str> = truth.iter().map(|(address, _, _)| address.as_str()).collect();
    Seen {
        taken,
        found: addresses.len(),
        missed: truth.difference(&found).count(),
        wrong: found.difference(&truth).count(),
        clear: in_clear(told),
    }
}

fn addresses_of_tfdrift(told: &str) -> Result<Vec<String>> {
    let told: Value = serde_json::from_str(told).context("what tfdrift told")?;
    let workspaces = told.get("workspaces").and_then(Value::as_array);
    let drifted = workspaces.context("no workspaces of tfdrift's")?.iter().flat_map(|one| {
        one.get("drifted_resources").and_then(Value::as_array).into_iter().flatten()
    });
    Ok(drifted.filter_map(|one| one.get("address")?.as_str().map(str::to_owned)).collect())
}

fn addresses_of_drifty(told: &str) -> Result<Vec<String>> {
    // It may say nothing at all when it found nothing.
    let from = told.find('{').context("drifty told no JSON")?;
    let told: Value = serde_json::from_str(told.get(from..).unwrap_or_default())?;
    let findings = told.get("findings").and_then(Value::as_array);
    let address = |one: &Value| {
        let part = |name: &str| one.get(name).and_then(Value::as_str);
        Some(format!("{}.{}", part("resource_type")?, part("resource_name")?))
    };
    Ok(findings.into_iter().flatten().filter_map(address).collect())
}
