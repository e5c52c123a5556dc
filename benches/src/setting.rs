//! What a run is told: where its programs are, where it may write, how long it may take.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The parts of a report, in its order.
const PARTS: [&str; 7] = ["ingest", "fanout", "decision", "audit", "tenancy", "drift", "footprint"];

/// What a run is told.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// A smoke run: nobody's goals.
    pub(crate) quick: bool,
    /// A directory of its own, on a disk.
    pub(crate) dir: PathBuf,
    /// The server's program, as released.
    pub(crate) program: PathBuf,
    /// This program, to run parts of itself apart.
    pub(crate) own: PathBuf,
    /// The Python environment of the comparisons.
    pub(crate) venv: PathBuf,
    /// The Python environment of what drift is measured beside.
    pub(crate) drift_venv: Option<PathBuf>,
    /// Where the simulated provider's program lies.
    pub(crate) provider: Option<PathBuf>,
    /// The scripts of the comparisons.
    pub(crate) peers: PathBuf,
    /// What the program was built from.
    pub(crate) revision: String,
    /// Rows of the large tenant, of those its 90 days have: 1 is all, 0.1 a tenth.
    pub(crate) scale: f64,
    /// Which parts are wanted.
    only: Vec<String>,
    /// Which pieces of the part about drift are wanted.
    drift: Vec<String>,
}

impl Setting {
    /// Reads the environment `benches/run` sets.
    pub(crate) fn from_environment() -> Result<Self> {
        let given = |name: &str| -> Result<OsString> {
            std::env::var_os(name).with_context(|| format!("{name} is not set: use benches/run"))
        };
        let text =
            |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Ok(Self {
            quick: text("BENCH_QUICK").is_some_and(|value| value == "1"),
            dir: given("BENCH_DIR")?.into(),
            program: given("BENCH_PROGRAM")?.into(),
            own: std::env::current_exe()?,
            venv: given("BENCH_VENV")?.into(),
            drift_venv: std::env::var_os("BENCH_DRIFT_VENV").map(PathBuf::from),
            provider: std::env::var_os("BENCH_PROVIDER").map(PathBuf::from),
            peers: given("BENCH_PEERS")?.into(),
            revision: text("BENCH_REVISION").unwrap_or_else(|| "unknown".to_owned()),
            scale: text("BENCH_SCALE").map_or(Ok(0.1), |value| value.parse())?,
            only: words(text("BENCH_ONLY")),
            drift: words(text("BENCH_DRIFT")),
        })
    }

    /// The parts to measure.
    pub(crate) fn parts(&self) -> Vec<&'static str> {
        let wanted = |part: &&str| self.only.is_empty() || self.only.iter().any(|one| one == part);
        PARTS.into_iter().filter(wanted).collect()
    }

    /// Whether a piece of the part about drift is wanted: `states`, `terraform`, `cloud` or
    /// `explained`.
    pub(crate) fn drift(&self, piece: &str) -> bool {
        self.drift.is_empty() || self.drift.iter().any(|one| one == piece)
    }

    /// How often each case is measured.
    pub(crate) const fn runs(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }

    /// How long load is kept up in one run.
    pub(crate) const fn span(&self, full: Duration) -> Duration {
        if self.quick { Duration::from_secs(1) } else { full }
    }
}

fn words(given: Option<String>) -> Vec<String> {
    given.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}
