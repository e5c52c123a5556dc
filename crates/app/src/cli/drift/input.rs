//! The documents a scan reads.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use connect_terraform::Terraform;
use sense::drift::rules::Rules;
use sense::drift::terraform::{self, BadDocument};
use survey::document::{self, CONFIGURATION, Content, KUSTOMIZATION, Unreadable, WRITTEN};

use crate::cli::prompt;

/// The largest document that is read when nobody says otherwise, in MiB: what lies above is hardly a
/// state that anybody works with.
pub(super) const LARGEST_MIB: u64 = 512;

/// A document and where it came from.
#[derive(Debug)]
pub(super) struct Input {
    name: String,
    text: String,
}

impl Input {
    /// Reads a file; `-` is standard input. Of a directory with a configuration Terraform says what
    /// is there. Files larger than `largest_mib` are refused.
    pub(super) async fn read(path: &Path, terraform: &Terraform, largest_mib: u64) -> Result<Self> {
        if !path.is_dir() {
            return Self::file(path, largest_mib);
        }
        let name = path.display().to_string();
        let files = files(path).with_context(|| format!("cannot read {name}"))?;
        if files.iter().any(|file| CONFIGURATION.iter().any(|end| named(file, end))) {
            return Ok(Self { name, text: refreshed(path, terraform).await? });
        }
        if files.iter().any(|file| file.file_name().is_some_and(|name| name == KUSTOMIZATION)) {
            bail!(
                "{name} is put together by Kustomize: scan what `kubectl kustomize {name}` prints"
            );
        }
        let mut text = String::new();
        for file in files.iter().filter(|file| WRITTEN.iter().any(|end| named(file, end))) {
            text.push_str(&Self::file(file, largest_mib)?.text);
            text.push_str("\n---\n");
        }
        if text.is_empty() {
            bail!("{name} holds neither a configuration of Terraform's nor manifests");
        }
        Ok(Self { name, text })
    }

    fn file(path: &Path, largest_mib: u64) -> Result<Self> {
        let name = path.display().to_string();
        let most = largest_mib.saturating_mul(1 << 20);
        let too_large =
            || format!("{name} is larger than {largest_mib} MiB: split it, or say --largest");
        if path == Path::new("-") {
            return Ok(Self { name: "standard input".to_owned(), text: prompt::standard_input()? });
        }
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let kept = file.metadata().with_context(|| format!("cannot read {name}"))?;
        if kept.len() > most {
            bail!(too_large());
        }
        // Room for all of it at once: a text that grows is copied, and held twice meanwhile.
        let mut text = String::new();
        let room = usize::try_from(kept.len()).unwrap_or_default().saturating_add(1);
        text.try_reserve_exact(room).with_context(|| format!("{name} does not fit in memory"))?;
        let read = file.take(most.saturating_add(1)).read_to_string(&mut text);
        match read {
            Ok(_) if text.len() as u64 > most => bail!(too_large()),
            Ok(_) => Ok(Self { name, text }),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                bail!("{name} is no text: it holds bytes that are no UTF-8")
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {name}")),
        }
    }

    /// Two files without what is the same in both, and how many resources that are, where both are
    /// states that can be read so.
    pub(super) fn unlike(
        [declared, live]: [&Path; 2],
        largest_mib: u64,
        rules: &Rules,
    ) -> Option<([Self; 2], usize)> {
        let open = |path: &Path| {
            let file = File::open(path).ok()?;
            let kept = file.metadata().ok()?;
            let most = largest_mib.saturating_mul(1 << 20);
            (kept.is_file() && kept.len() <= most).then(|| file.take(kept.len()))
        };
        let kept = |kind: &str| rules.repeated(kind);
        let left = terraform::unlike(open(declared)?, open(live)?, &kept)?;
        let input = |path: &Path, text| Self { name: path.display().to_string(), text };
        Some(([input(declared, left.declared), input(live, left.live)], left.same))
    }

    /// What was fetched from somewhere.
    pub(super) fn fetched(name: &str, bytes: Vec<u8>) -> Result<Self> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name: name.to_owned(), text }),
            Err(_) => bail!("{name} is no text: it holds bytes that are no UTF-8"),
        }
    }

    /// The same under another name.
    pub(super) fn called(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it is, by what it holds.
    pub(super) fn content(&self) -> Result<Content<'_>> {
        match document::read(&self.text) {
            Ok(content) => Ok(content),
            Err(Unreadable::Other) => Err(BadDocument::Other).with_context(|| {
                format!(
                    "{} is nothing of Terraform's, no template of CloudFormation and no manifest",
                    self.name
                )
            }),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", self.name)),
        }
    }
}

/// The files of a directory and, but for hidden ones, of those in it, in the order of their names.
/// Symbolic links are left out: they may lead anywhere.
fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (mut files, mut open) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in directory.read_dir()? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn named(file: &Path, end: &str) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(end))
}

/// What changed outside of Terraform, by its own word.
async fn refreshed(directory: &Path, terraform: &Terraform) -> Result<String> {
    let name = directory.display();
    let directory = directory.canonicalize().with_context(|| format!("cannot read {name}"))?;
    // Modules may lie beside the configuration, as far as the repository reaches.
    let repository = directory.ancestors().find(|dir| dir.join(".git").exists());
    let root = repository.unwrap_or(&directory);
    let workspace = terraform.open(root, &directory).await?;
    Ok(workspace.refreshed().await?)
}
