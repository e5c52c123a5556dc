//! Learned models: trained, evaluated and imported here; registered and activated there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use learn::training::artifact::Artifact;
use learn::training::champion::{Comparison, refusals};
use learn::training::dataset::Dataset;
use learn::training::evaluate;
use learn::training::fit::{self, Kind};
use learn::training::{logistic, ndjson, onnx, shift, trees};
use model::Clock as _;
use serde_json::{Value, json};

use super::view::Column;
use super::{Context, End, given, listing, view};
use crate::wiring::SystemClock;

const COLUMNS: [Column; 7] = [
    ("name", "/name"),
    ("version", "/version"),
    ("framework", "/framework"),
    ("macro-F1", "/metrics/f1_macro"),
    ("trained", "/trained_at"),
    ("decides", "/is_active"),
    ("id", "/id"),
];

const REGISTERED: [Column; 4] = [
    ("model", "/id"),
    ("file", "/artifact_sha256"),
    ("decides", "/is_active"),
    ("refused", "/refusals"),
];

/// Learned models.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// Train a model on labelled rows (offline)
    ///
    /// A row a line: `{"features":{"commits":2,"age_s":null},"label":"emergency_fix"}`, with `time`,
    /// `group`, `weight` and `stated` (a probability per class) where they are known; `null` is
    /// missing. A fifth of the rows is held out: the latest, where every row has a time. The same
    /// rows and the same seed give the same model, to the byte.
    Train(Train),
    /// Tell how a model does on labelled rows, alone or against another (offline)
    ///
    /// Of the rows it was trained with only those held out are looked at. Exit code 1 when it is
    /// compared and may not take the other's place.
    Evaluate(Evaluate),
    /// Tell which features are not what they were (offline)
    ///
    /// Exit code 1 when some are not.
    Shift(Shift),
    /// Make a model of an ONNX file: a linear classifier or a tree ensemble (offline)
    Import(Import),
    /// List the versions that are registered
    List,
    /// Register a model's file as a version; it decides nothing before it is activated
    Register(Register),
    /// Let a version decide from now on; it must have been compared with what decides
    Activate(Activate),
    /// Let a version decide no more
    Deactivate {
        /// The version's id
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// The kinds there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Word {
    /// Multinomial logistic regression with a ridge
    Logistic,
    /// Gradient-boosted trees
    Trees,
}

/// What to train.
#[derive(Debug, Args)]
pub struct Train {
    /// Labelled rows, `-` for standard input
    #[arg(value_name = "DATA")]
    data: PathBuf,

    /// What kind of model
    #[arg(long, value_enum)]
    kind: Word,

    /// What everything random is drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Where the model goes; nothing may be there
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// The day that stands in the model; today's when absent
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,

    /// How strongly weights are held, or leaves
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    ridge: f64,

    /// The most rounds of trees
    #[arg(long, value_name = "N", default_value_t = 200)]
    rounds: usize,

    /// The most splits on a way through a tree
    #[arg(long, value_name = "N", default_value_t = 6)]
    depth: usize,

    /// How much of what a tree says is believed
    #[arg(long, value_name = "X", default_value_t = 0.1)]
    rate: f64,
}

/// What to evaluate.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// The model
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// Labelled rows, `-` for standard input
    #[arg(value_name = "DATA")]
    data: PathBuf,

    /// The model that decides now
    #[arg(long, value_name = "MODEL", conflicts_with = "first")]
    against: Option<PathBuf>,

    /// Compare with what the rows state, or else with the mere frequencies of the classes
    #[arg(long)]
    first: bool,

    /// What rows are drawn again by
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// The day of the comparison; today's when absent
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,

    /// Where the record of the comparison goes; nothing may be there
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// What to compare.
#[derive(Debug, Args)]
pub struct Shift {
    /// Rows as they were
    #[arg(value_name = "BEFORE")]
    before: PathBuf,

    /// Rows as they are
    #[arg(value_name = "NOW")]
    now: PathBuf,
}

/// What to import.
#[derive(Debug, Args)]
pub struct Import {
    /// The ONNX file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The names of its inputs, in order
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', required = true)]
    features: Vec<String>,

    /// The names of its classes, in order; the file's own when absent
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    classes: Option<Vec<String>>,

    /// Where the model goes; nothing may be there
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What to register.
#[derive(Debug, Args)]
pub struct Register {
    /// The model
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// What it is called
    #[arg(long, value_name = "NAME")]
    name: String,

    /// Which version, unique within the name
    #[arg(long, value_name = "VERSION")]
    version: String,
}

/// What to activate.
#[derive(Debug, Args)]
pub struct Activate {
    /// The version's id
    #[arg(value_name = "ID")]
    id: String,

    /// The record of its comparison, if it is not there yet
    #[arg(long, value_name = "RECORD")]
    comparison: Option<PathBuf>,
}

impl Model {
    /// Does it.
    ///
    /// # Errors
    /// When a file cannot be used, or the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::Train(train) => train.run(context),
            Self::Evaluate(evaluate) => evaluate.run(context),
            Self::Shift(shift) => shift.run(context),
            Self::Import(import) => import.run(context),
            Self::List => listing::short(context, &["models"], &COLUMNS).await,
            Self::Register(register) => register.run(context).await,
            Self::Activate(activate) => activate.run(context).await,
            Self::Deactivate { id } => {
                let client = context.client()?;
                let now = client.post(&["models", &id, "deactivate"], &json!({})).await?;
                context.show(&now, |now| view::facts(now, &REGISTERED))
            }
        }
    }
}

impl Train {
    fn run(self, context: &Context) -> Result<End> {
        let data = rows(&self.data)?;
        let kind = match self.kind {
            Word::Logistic => {
                Kind::Logistic(logistic::Options { ridge: self.ridge, ..Default::default() })
            }
            Word::Trees => Kind::Trees(trees::Options {
                ridge: self.ridge,
                rounds: self.rounds,
                depth: self.depth,
                rate: self.rate,
                ..Default::default()
            }),
        };
        let artifact = fit::train(&data, &kind, self.seed, self.date.unwrap_or_else(today))?;
        write(&self.out, &artifact.write()?)?;
        context.show(&trained(&artifact)?, told)
    }
}

/// What a trained model says of itself, without the model.
fn trained(artifact: &Artifact) -> Result<Value> {
    let origin = artifact.provenance().context("the model was not trained here")?;
    Ok(json!({
        "artifact_sha256": artifact.sha256()?,
        "kind": artifact.model.word(),
        "classes": artifact.classes,
        "temperature": artifact.temperature,
        "trained_on": origin,
    }))
}

fn told(value: &Value) -> String {
    let mut text = view::facts(
        value,
        &[
            ("model", "/artifact_sha256"),
            ("kind", "/kind"),
            ("rows", "/trained_on/rows"),
            ("held out", "/trained_on/split_id"),
            ("accuracy", "/trained_on/report/held_out/accuracy"),
            ("macro-F1", "/trained_on/report/held_out/f1_macro"),
            ("Brier", "/trained_on/report/held_out/brier"),
            ("calibration", "/trained_on/report/held_out/ece"),
            ("folds, F1", "/trained_on/report/cross_validation/f1_macro"),
            ("temperature", "/temperature"),
            ("converged", "/trained_on/report/convergence/converged"),
            ("rounds", "/trained_on/report/rounds"),
        ],
    );
    let importance = view::items(&value["trained_on"]["report"]["importance"]);
    let shown = &importance[..importance.len().min(10)];
    let columns =
        [("feature", "/feature"), ("F1 lost", "/mean"), ("from", "/low"), ("to", "/high")];
    text.push_str(&format!("\n\n{}", view::table(shown, &columns)));
    text
}

impl Evaluate {
    fn run(self, context: &Context) -> Result<End> {
        let (model, data) = (artifact(&self.model)?, rows(&self.data)?);
        let other = self.against.as_deref().map(artifact).transpose()?;
        if other.is_none() && !self.first {
            if self.record.is_some() {
                bail!("a record is of a comparison: --against a model, or --first");
            }
            let found = evaluate::evaluate(&model, &data)?;
            return context.show(&json!(found), figures);
        }
        let date = self.date.unwrap_or_else(today);
        let found = evaluate::compare(&model, other.as_ref(), &data, self.seed, date)?;
        if let Some(path) = &self.record {
            write(path, &format!("{}\n", serde_json::to_string_pretty(&found)?))?;
        }
        let why: Vec<String> = refusals(&found).iter().map(ToString::to_string).collect();
        context.show(&json!({ "comparison": found, "refusals": why }), compared)?;
        Ok(End::when(why.is_empty()))
    }
}

fn figures(value: &Value) -> String {
    view::facts(
        value,
        &[
            ("model", "/artifact_sha256"),
            ("data", "/dataset_sha256"),
            ("split", "/split_id"),
            ("rows", "/metrics/n"),
            ("accuracy", "/metrics/accuracy"),
            ("precision", "/metrics/precision_macro"),
            ("recall", "/metrics/recall_macro"),
            ("macro-F1", "/metrics/f1_macro"),
            ("Brier", "/metrics/brier"),
            ("log loss", "/metrics/log_loss"),
            ("calibration", "/metrics/ece"),
            ("confusion", "/metrics/confusion_matrix"),
        ],
    )
}

fn compared(value: &Value) -> String {
    let mut text = view::facts(
        value,
        &[
            ("rows", "/comparison/n"),
            ("split", "/comparison/split_id"),
            ("against", "/comparison/against"),
            ("macro-F1", "/comparison/challenger/metrics/f1_macro"),
            ("its", "/comparison/incumbent/metrics/f1_macro"),
            ("difference", "/comparison/f1"),
            ("calibration", "/comparison/challenger/metrics/ece"),
            ("its", "/comparison/incumbent/metrics/ece"),
            ("difference", "/comparison/ece"),
        ],
    );
    let why = view::items(&value["refusals"]);
    text.push_str(if why.is_empty() { "\n\nmay decide" } else { "\n\nmay not decide:" });
    why.iter().for_each(|why| text.push_str(&format!("\n  {}", view::words(why))));
    text
}

impl Shift {
    fn run(self, context: &Context) -> Result<End> {
        let found = shift::shifts(&rows(&self.before)?, &rows(&self.now)?);
        let found = found.context("the two data sets have different features")?;
        let columns = [
            ("feature", "/feature"),
            ("distance", "/distance"),
            ("p", "/p_value"),
            ("missing before", "/missing_before"),
            ("now", "/missing_now"),
            ("shifted", "/shifted"),
        ];
        context.show(&json!(found), |found| view::table(view::items(found), &columns))?;
        Ok(End::when(!found.iter().any(|one| one.shifted)))
    }
}

impl Import {
    fn run(self, context: &Context) -> Result<End> {
        let bytes = std::fs::read(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let artifact = onnx::import(&bytes, self.features, self.classes)?;
        write(&self.out, &artifact.write()?)?;
        let value = json!({
            "artifact_sha256": artifact.sha256()?,
            "kind": artifact.model.word(),
            "features": artifact.features,
            "classes": artifact.classes,
        });
        let columns = [("model", "/artifact_sha256"), ("kind", "/kind"), ("classes", "/classes")];
        context.show(&value, |value| view::facts(value, &columns))
    }
}

impl Register {
    async fn run(self, context: &Context) -> Result<End> {
        let artifact = artifact(&self.model)?;
        let trained = artifact.provenance().map_or_else(today, |origin| origin.date);
        let body = json!({
            "name": self.name,
            "version": self.version,
            "model_type": "classification",
            "framework": format!("countersign-{}", artifact.model.word()),
            "features": artifact.features,
            "target_classes": artifact.classes,
            "trained_at": format!("{trained}T00:00:00Z"),
            "metadata": { "origin": if artifact.provenance().is_some() { "trained" } else { "imported" } },
        });
        let file = json!({ "artifact": artifact.write()? });
        let client = context.client()?;
        let made = client.post(&["models"], &body).await?;
        let id = view::raw(&made, "/id").to_owned();
        client.put(&["models", &id, "artifact"], &file).await?;
        let now = client.get(&["models", &id], &[]).await?;
        context.show(&now, |now| view::facts(now, &COLUMNS))
    }
}

impl Activate {
    async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        if let Some(path) = &self.comparison {
            let text = given::text_of(path)?;
            let record: Comparison = serde_json::from_str(&text)
                .with_context(|| format!("{} is no record of a comparison", path.display()))?;
            let body = json!({ "comparison": record });
            client.put(&["models", &self.id, "comparison"], &body).await?;
        }
        let now = client.post(&["models", &self.id, "activate"], &json!({})).await?;
        context.show(&now, |now| view::facts(now, &REGISTERED))
    }
}

fn today() -> Date {
    SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn rows(path: &Path) -> Result<Dataset> {
    let text = given::text_of(path)?;
    ndjson::read(&text).with_context(|| format!("{} is no data set", path.display()))
}

fn artifact(path: &Path) -> Result<Artifact> {
    let text = given::text_of(path)?;
    Artifact::read(&text).with_context(|| format!("{} is no model", path.display()))
}

/// Writes a new file: what a model was registered or compared with must not be overwritten.
fn write(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let cannot = || format!("cannot write {}", path.display());
    let mut file = std::fs::File::create_new(path).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)
}

#[cfg(test)]
mod tests;
