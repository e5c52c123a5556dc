//! Drift: what code declares against what is there.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use connect_terraform::Terraform;
use model::level::Severity;
use sense::drift::rules::{Rule, Rules};
use sense::drift::seal::Sealer;
use sense::drift::severity::Weights;
use serde::Deserialize;
use survey::trail::Trail;

use super::{Context, End, given, view};
use crate::output::{self, Format};

mod codify;
mod fetched;
mod ignore;
mod input;
mod live;
mod manifests;
mod record;
mod remedy;
mod report;
mod show;
mod sides;
mod trail;

use codify::Codify;
use ignore::Ignore;
use input::{Input, LARGEST_MIB};
use manifests::Manifests;
use remedy::Remedy;
use report::Report;
use sides::Sides;

/// Drift: what code declares against what is there.
#[derive(Debug, Subcommand)]
pub enum Drift {
    /// Compare what code declares with what is there (offline, but for --record)
    ///
    /// Of a directory with a configuration Terraform is asked what changed outside of it, on a copy
    /// and without locking the state. A plan as `terraform show -json` prints it says the same by
    /// itself. A state, as the file or as `terraform show -json` prints it, is compared with what
    /// --against names; with --against aws that is what no state names, with --against azure and
    /// google also what Resource Graph and Cloud Asset Inventory have of what it names. Of a template
    /// of CloudFormation the resources of its --stack are read with --against aws. Manifests of
    /// Kubernetes, as written or as Kustomize and Helm print them, are compared with --against
    /// kubernetes.
    ///
    /// What declares may be elsewhere: in a repository of git, as
    /// `git+https://host/path.git//directory?ref=branch`, or as one object, `s3://bucket/key`,
    /// `gs://bucket/object`, `az://account/container/blob` or `https://…`; what opens it --login holds.
    ///
    /// Exit code 0 when nothing drifted that is as severe as --fail-on says, 1 when something did,
    /// 3 when nothing did and something could not be read.
    Scan(Scan),
    /// Change code to what is there, in place (offline)
    ///
    /// Of the resources that a scan found changed, what their code says as a literal is changed to
    /// the live value: configurations of Terraform, with the modules in the directory, templates of
    /// CloudFormation, and manifests of Kubernetes. Comments and the way everything is written stay.
    /// What is computed, a secret, deleted, or not known how to write stays as it is and is told
    /// with the reason. Nothing is committed.
    ///
    /// Exit code 0 when the code says all of it, 1 when something is left, 2 when it cannot be done.
    Codify(Codify),
    /// Ask the server to put drift right: revert the cloud, or change the code
    ///
    /// First the change is worked out on the host the source's tools run on, and kept; then it asks for
    /// its approval; then a scan looks whether the drift is gone, and closes the findings if it is.
    Remedy(Remedy),
    /// Print the manifests of some objects, as one list (offline)
    Manifests(Manifests),
    /// Show a recorded drift: what differs, how bad, why, what to do
    Show {
        /// The finding's id
        #[arg(value_name = "FINDING")]
        id: String,
    },
    /// What a tenant says does not count
    #[command(subcommand)]
    Ignore(Ignore),
}

/// What to compare with what.
#[derive(Debug, Args)]
pub struct Scan {
    /// A directory with a configuration or with manifests, a state, a plan, a template, or
    /// manifests; - is standard input; or where one of them is: git+https, s3, gs, az, https
    #[arg(value_name = "PATH")]
    path: PathBuf,

    /// A file with what opens a PATH that is elsewhere: `user:password` or a token, of a store its
    /// keys; for s3 those of the environment (`AWS_ACCESS_KEY_ID`) when absent
    #[arg(long, value_name = "FILE")]
    login: Option<PathBuf>,

    /// What is there: `aws`, `azure`, `google`, `kubernetes`, or a state or plan that was read later
    /// than what declares. Clouds are reached as their own tools are: by `AWS_ACCESS_KEY_ID` and those
    /// with it; by `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` or
    /// `AZURE_FEDERATED_TOKEN_FILE`; by `GOOGLE_APPLICATION_CREDENTIALS`; or as the machine's identity
    #[arg(long, value_name = "AWS|AZURE|GOOGLE|KUBERNETES|FILE")]
    against: Option<Against>,

    /// How the cluster is reached; `KUBECONFIG` or ~/.kube/config when absent
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The context of it; the current one when absent
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// The stack a template belongs to
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,

    /// The region of AWS; `AWS_REGION` when absent
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// Only what drifted at this address; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with = "record")]
    only: Vec<String>,

    /// The least severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "low")]
    fail_on: Severity,

    /// Tell the server what was found, as a scan of this source: its name or id. What drifted before
    /// and no longer does is closed there
    #[arg(long, value_name = "SOURCE")]
    record: Option<String>,

    /// How the result is printed; by default as --output says
    #[arg(long, value_enum, value_name = "FORMAT")]
    report: Option<ReportFormat>,

    /// Rules beyond those that ship: a file of YAML with a list `rules`, each with `types`, `paths`
    /// and `ignore: ignored`, `as`, `default`, `blank` or `secret`; may be repeated
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,

    /// The largest document that is read, in MiB
    #[arg(long, value_name = "MIB", default_value_t = LARGEST_MIB)]
    largest: u64,

    /// The program to run: terraform or tofu
    #[arg(long, value_name = "PROGRAM", default_value = "terraform")]
    terraform: PathBuf,

    /// How long one step of it may take, in seconds
    #[arg(long, value_name = "S", default_value_t = 1800)]
    terraform_timeout: u64,
}

/// What declarations are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Against {
    /// What calls to AWS give.
    Aws,
    /// What Resource Graph has.
    Azure,
    /// What Cloud Asset Inventory has.
    Google,
    /// What a cluster holds.
    Kubernetes,
    /// A document.
    File(PathBuf),
}

impl FromStr for Against {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "aws" => Self::Aws,
            "azure" => Self::Azure,
            "google" => Self::Google,
            "kubernetes" => Self::Kubernetes,
            path => Self::File(path.into()),
        })
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws => f.write_str("aws"),
            Self::Azure => f.write_str("azure"),
            Self::Google => f.write_str("google"),
            Self::Kubernetes => f.write_str("kubernetes"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people at a terminal
    Table,
    /// One document with everything
    Json,
    /// Static analysis results, version 2.1.0, for code hosts
    Sarif,
    /// A test report: a case each resource that drifted
    Junit,
    /// For a comment on a pull request
    Markdown,
    /// What --record tells a server, a line of JSON each: for a server that runs the scan elsewhere
    Lines,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    rules: Vec<Rule>,
}

impl Drift {
    /// Does it.
    ///
    /// # Errors
    /// When something cannot be read.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::Scan(scan) => scan.run(context).await,
            Self::Codify(codify) => Ok(codify.run(context)),
            Self::Remedy(remedy) => remedy.run(context).await,
            Self::Manifests(manifests) => manifests.run(context).await,
            Self::Show { id } => show::show(context, &id).await,
            Self::Ignore(ignore) => ignore.run(context).await,
        }
    }
}

impl Scan {
    async fn run(&self, context: &Context) -> Result<End> {
        if self.report == Some(ReportFormat::Lines) && !self.only.is_empty() {
            bail!("what a server is told is everything that drifted: leave --only out");
        }
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).context("no randomness")?;
        let sealer = Sealer::new(&key);
        let rules = read_rules(&self.rules)?;
        let terraform = Terraform {
            program: self.terraform.clone(),
            environment: std::env::vars_os().collect(),
            limit: Duration::from_secs(self.terraform_timeout),
        };
        let (declared, against, same) = self.inputs(&terraform, &rules).await?;
        let sides = Sides { declared: &declared, against: against.as_ref(), scan: self };
        let (mut comparison, how) = sides.compare(&rules, &sealer).await?;
        comparison.in_sync += same;
        if !self.only.is_empty() {
            comparison.drifts.retain(|drift| self.only.contains(&drift.address));
        }
        let for_lines = self.report == Some(ReportFormat::Lines);
        let trail = if for_lines || self.record.is_some() {
            trail::of(context, self.region.as_deref(), &comparison.drifts).await
        } else {
            Trail::default()
        };
        if let Some(source) = &self.record {
            let client = context.client()?;
            let scan = record::record(&client, source, how, &comparison, &trail).await?;
            context.remark(&format!(
                "recorded as {}: {} new, {} closed",
                view::raw(&scan, "/id"),
                view::at(&scan, "/opened"),
                view::at(&scan, "/closed"),
            ));
        }
        let lines = for_lines.then(|| record::lines(how, &comparison, &trail));
        let weights = Weights::shipped();
        let judged = comparison.drifts.iter().map(|drift| weights.judge(drift)).collect();
        let report = Report {
            source: self.path.display().to_string(),
            against: self.against.as_ref().map(ToString::to_string),
            comparison,
            judged,
        };
        let format = self.report.unwrap_or(match context.format {
            Format::Human => ReportFormat::Table,
            Format::Json => ReportFormat::Json,
        });
        match format {
            ReportFormat::Table => output::result(&report.table()),
            ReportFormat::Json => output::json(&report.json())?,
            ReportFormat::Sarif => output::json(&report.sarif())?,
            ReportFormat::Junit => output::result(&report.junit()),
            ReportFormat::Markdown => output::result(&report.markdown()),
            ReportFormat::Lines => output::result(&lines.unwrap_or_default()),
        }
        Ok(if report.judged.iter().any(|judged| judged.severity >= self.fail_on) {
            End::Failed
        } else if report.comparison.not_checked.iter().any(|not| not.failed) {
            End::CannotTell
        } else {
            End::Good
        })
    }
}

impl Scan {
    /// What is compared, and how many resources were left out of both sides because they are the same.
    async fn inputs(
        &self,
        terraform: &Terraform,
        rules: &Rules,
    ) -> Result<(Input, Option<Input>, usize)> {
        let place = fetched::place(&self.path)?;
        if let (None, Some(Against::File(live))) = (&place, &self.against)
            && let Some((inputs, same)) = Input::unlike([&self.path, live], self.largest, rules)
        {
            let [declared, live] = inputs;
            return Ok((declared, Some(live), same));
        }
        let declared = match place {
            Some(place) => {
                let name = self.path.display().to_string();
                fetched::read(&name, place, self.login.as_deref(), (terraform, self.largest))
                    .await?
            }
            None => Input::read(&self.path, terraform, self.largest).await?,
        };
        let against = match &self.against {
            Some(Against::File(path)) => Some(Input::read(path, terraform, self.largest).await?),
            Some(Against::Aws | Against::Azure | Against::Google | Against::Kubernetes) | None => {
                None
            }
        };
        Ok((declared, against, 0))
    }
}

/// The rules that ship and those of these files.
fn read_rules(paths: &[PathBuf]) -> Result<Rules> {
    let mut rules = Rules::shipped().clone();
    for path in paths {
        let text = given::text_of(path)?;
        let file: RuleFile = serde_saphyr::from_str(&text)
            .with_context(|| format!("{} is no file of rules", path.display()))?;
        let more = Rules::of(file.rules).with_context(|| format!("in {}", path.display()))?;
        rules = rules.and(&more);
    }
    Ok(rules)
}
