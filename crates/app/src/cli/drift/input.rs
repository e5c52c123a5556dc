//! The documents a scan reads.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use connect_terraform::Terraform;
use sense::drift::cloudformation;
use sense::drift::compare::Resource;
use sense::drift::terraform::{BadDocument, Document, Plan};

use crate::cli::prompt;

/// The largest document that is read, in bytes: what lies above is no state anybody works with.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// What a document is.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// A state of Terraform's.
    State(Vec<Resource<'a>>),
    /// A plan of Terraform's.
    Plan(Plan<'a>),
    /// A template of CloudFormation.
    Template(&'a str),
}

/// A document and where it came from.
#[derive(Debug)]
pub(super) struct Input {
    name: String,
    text: String,
}

impl Input {
    /// Reads a file; `-` is standard input. Of a directory with a configuration Terraform says what
    /// is there.
    pub(super) async fn read(path: &Path, terraform: &Terraform) -> Result<Self> {
        if path.is_dir() {
            let text = refreshed(path, terraform).await?;
            return Ok(Self { name: path.display().to_string(), text });
        }
        Self::file(path)
    }

    fn file(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        if path == Path::new("-") {
            return Ok(Self { name: "standard input".to_owned(), text: prompt::standard_input()? });
        }
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let kept = file.metadata().with_context(|| format!("cannot read {name}"))?;
        if kept.len() > MOST_BYTES {
            bail!("{name} is larger than {} MiB: split it", MOST_BYTES >> 20);
        }
        let mut text = String::new();
        let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
        match read {
            Ok(_) if text.len() as u64 > MOST_BYTES => {
                bail!("{name} is larger than {} MiB: split it", MOST_BYTES >> 20)
            }
            Ok(_) => Ok(Self { name, text }),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                bail!("{name} is no text: it holds bytes that are no UTF-8")
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {name}")),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it is, by what it holds.
    pub(super) fn content(&self) -> Result<Content<'_>> {
        let unreadable = || format!("{} cannot be read", self.name);
        match Document::read(&self.text) {
            Ok(Document::State(resources)) => return Ok(Content::State(resources)),
            Ok(Document::Plan(plan)) => return Ok(Content::Plan(plan)),
            Err(BadDocument::Other) if !self.text.trim().is_empty() => (),
            Err(error) => return Err(error).with_context(unreadable),
        }
        let template = cloudformation::document(&self.text);
        if template.as_ref().is_ok_and(cloudformation::looks_like_one) {
            return Ok(Content::Template(&self.text));
        }
        // What is wrong with it is said as of what it could be.
        match template {
            Err(cloudformation::BadTemplate::Text(error)) => Err(error).with_context(unreadable),
            Ok(_) | Err(_) => Err(BadDocument::Other).with_context(|| {
                format!("{} is neither Terraform's nor a template of CloudFormation", self.name)
            }),
        }
    }
}

/// What changed outside of Terraform, by its own word.
async fn refreshed(directory: &Path, terraform: &Terraform) -> Result<String> {
    let name = directory.display();
    let directory = directory.canonicalize().with_context(|| format!("cannot read {name}"))?;
    let mut entries = directory.read_dir().with_context(|| format!("cannot read {name}"))?;
    let configuration = entries.any(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.ends_with(".tf") || name.ends_with(".tf.json") || name.ends_with(".tofu")
        })
    });
    if !configuration {
        bail!("{name} holds no configuration of Terraform's: no file ends in .tf");
    }
    // Modules may lie beside the configuration, as far as the repository reaches.
    let repository = directory.ancestors().find(|dir| dir.join(".git").exists());
    let root = repository.unwrap_or(&directory);
    let workspace = terraform.open(root, &directory).await?;
    Ok(workspace.refreshed().await?)
}
