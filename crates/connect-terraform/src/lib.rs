//! Terraform and OpenTofu, run by us: what is there by their own word.
//!
//! A configuration is somebody else's program: it chooses providers, and those run. So it is run on
//! a copy, in a directory of its own that is gone afterwards, with no environment but the one it is
//! given, no terminal, a limit of time and of output, and its state is never locked or written by
//! looking.
#![warn(missing_docs)]

mod copy;
mod process;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

pub use process::Output;

/// Why Terraform gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be copied.
    #[error("the configuration in {directory} cannot be copied")]
    Copy {
        /// Where it is.
        directory: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The configuration is larger than what is copied.
    #[error("the configuration in {directory} holds more than {most} files or {most_mib} MiB")]
    TooLarge {
        /// Where it is.
        directory: PathBuf,
        /// Files.
        most: usize,
        /// Mebibytes.
        most_mib: u64,
    },
    /// The program cannot be started.
    #[error("{program} cannot be started")]
    Start {
        /// Which.
        program: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A step failed.
    #[error("`terraform {step}` failed:\n{told}")]
    Failed {
        /// Which.
        step: String,
        /// The last of what it told.
        told: String,
    },
    /// A step took too long and was ended.
    #[error("`terraform {step}` took longer than {} s and was ended", limit.as_secs())]
    TooSlow {
        /// Which.
        step: String,
        /// How long it may take.
        limit: Duration,
    },
    /// A step told more than is read.
    #[error("`terraform {step}` told more than {most_mib} MiB")]
    TooMuch {
        /// Which.
        step: String,
        /// Mebibytes.
        most_mib: usize,
    },
}

/// How to run it.
#[derive(Debug, Clone)]
pub struct Terraform {
    /// The program: `terraform` or `tofu`.
    pub program: PathBuf,
    /// The whole environment it sees: where to find its programs, and what providers log in with.
    pub environment: BTreeMap<OsString, OsString>,
    /// How long one step may take.
    pub limit: Duration,
}

/// A configuration, copied and made ready. Gone when dropped.
#[derive(Debug)]
pub struct Workspace<'t> {
    terraform: &'t Terraform,
    dir: TempDir,
    /// The configuration within the copy.
    inside: PathBuf,
}

/// The file a plan is saved to within a workspace.
const SAVED: &str = "countersign.plan";

impl Terraform {
    /// Copies a configuration and gets it ready. `root` is what is copied, so that modules beside
    /// the configuration are found: the configuration itself, or a directory it lies in.
    ///
    /// # Errors
    /// When it cannot be copied, or `terraform init` fails.
    pub async fn open(&self, root: &Path, configuration: &Path) -> Result<Workspace<'_>, Error> {
        let failed = |source| Error::Copy { directory: root.to_owned(), source };
        let dir = tempfile::Builder::new().prefix("countersign-tf.").tempdir().map_err(failed)?;
        let tree = dir.path().join("tree");
        copy::tree(root, &tree)?;
        let inside = match configuration.strip_prefix(root) {
            Ok(inside) => tree.join(inside),
            Err(_) => tree,
        };
        let workspace = Workspace { terraform: self, dir, inside };
        workspace.run(&["init", "-input=false", "-no-color"]).await?;
        Ok(workspace)
    }
}

impl Workspace<'_> {
    /// What changed outside of Terraform since the state was written, as JSON: a plan that changes
    /// nothing.
    ///
    /// # Errors
    /// When a step fails or takes too long.
    pub async fn refreshed(&self) -> Result<String, Error> {
        self.planned(&["-refresh-only"]).await
    }

    /// What Terraform would do, as JSON. The plan is kept, to be applied as it is.
    ///
    /// # Errors
    /// When a step fails or takes too long.
    pub async fn planned(&self, options: &[&str]) -> Result<String, Error> {
        let out = format!("-out={SAVED}");
        let mut plan = vec!["plan", "-input=false", "-no-color", "-lock=false", &out];
        plan.extend(options);
        self.run(&plan).await?;
        let shown = self.run(&["show", "-json", "-no-color", SAVED]).await?;
        Ok(shown.text)
    }

    async fn run(&self, arguments: &[&str]) -> Result<Output, Error> {
        let step = arguments.first().copied().unwrap_or_default();
        let mut environment = self.terraform.environment.clone();
        let own = |name: &str| OsString::from(name);
        environment.insert(own("TF_IN_AUTOMATION"), own("1"));
        environment.insert(own("TF_INPUT"), own("0"));
        environment.insert(own("CHECKPOINT_DISABLE"), own("1"));
        environment.insert(own("TF_DATA_DIR"), self.dir.path().join("data").into_os_string());
        // Providers keep caches at home; whoever gives one knows which.
        environment.entry(own("HOME")).or_insert_with(|| self.dir.path().as_os_str().to_owned());
        process::run(&process::Step {
            program: &self.terraform.program,
            name: step,
            arguments,
            directory: &self.inside,
            environment: &environment,
            limit: self.terraform.limit,
        })
        .await
    }
}
