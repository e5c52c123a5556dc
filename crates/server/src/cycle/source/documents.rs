//! The document of a source, fetched: one text and what it was read from.

use std::num::NonZeroU32;
use std::time::Duration;

use connect::objects::Remote;
use connect_git::{Copy, File, Git, Limits};
use model::Digest;
use survey::document::{self, KUSTOMIZATION, WRITTEN};

use super::{Fault, Work, said, secrets};

/// How large a document may be, in bytes: held in memory, some times over.
const MOST_BYTES: usize = 64 << 20;
/// How long one may take.
const WITHIN: Duration = Duration::from_secs(120);

/// What a source declares with.
pub(super) struct Fetched {
    pub(super) text: String,
    /// A commit, or the SHA-256 of the text.
    pub(super) revision: String,
}

/// Fetches it.
pub(super) async fn fetch(work: &Work<'_>) -> Result<Fetched, Fault> {
    let login = match work.source.credential {
        Some(id) => Some(secrets::open(work, id).await?),
        None => None,
    };
    if let Some(url) = &work.source.state_url {
        let remote = Remote::parse(url)
            .map_err(|error| Fault::Said(format!("the address of the document {error}")))?;
        let read = remote.read(&work.outbound, login.as_ref(), (WITHIN, MOST_BYTES)).await;
        let bytes = read.map_err(|error| said(&error))?;
        let revision = Digest::of(&bytes).to_string();
        return Ok(Fetched { text: text(bytes, "the document")?, revision });
    }
    let Some(url) = &work.source.repository_url else {
        let text = "the source has neither a repository_url nor a state_url";
        return Err(Fault::Said(text.to_owned()));
    };
    let mut source =
        connect_git::Source::new(url, Some(&work.source.branch)).map_err(|error| said(&error))?;
    if let Some(login) = login {
        source = source.opened_by(login);
    }
    let limits = Limits { read_bytes: MOST_BYTES, within: WITHIN, ..Limits::default() };
    let git = Git::new(&work.outbound, limits);
    let copy = git.fetch(&source, NonZeroU32::MIN).await.map_err(|error| said(&error))?;
    let path = work.source.path.clone().unwrap_or_default();
    let tool = work.source.tool.clone();
    // Unpacking objects takes what a thread of requests has not.
    let read = tokio::task::spawn_blocking(move || written(&copy, &path, &tool));
    read.await.map_err(|_| Fault::Said("reading the repository was given up".to_owned()))?
}

/// The text of the files that declare.
fn written(copy: &Copy, path: &str, tool: &str) -> Result<Fetched, Fault> {
    let files = declaring(copy, path, tool)?;
    let texts = copy.read(&files).map_err(|error| said(&error))?;
    let texts = files.iter().zip(texts).map(|(file, bytes)| text(bytes, &file.path));
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    let revision = copy.revision().as_str().to_owned();
    let text = match <[String; 1]>::try_from(texts) {
        Ok([one]) => one,
        Err(several) => document::joined(several.iter().map(String::as_str)),
    };
    Ok(Fetched { text, revision })
}

fn declaring(copy: &Copy, path: &str, tool: &str) -> Result<Vec<File>, Fault> {
    let ends: &[&str] = match tool {
        "kubernetes" => &WRITTEN,
        "cloudformation" => &[".yaml", ".yml", ".json", ".template"],
        _ => &[".tfstate"],
    };
    let files = match copy.files(path) {
        Err(connect_git::Error::NoDirectory { .. }) => {
            // It may be one file, whatever its name.
            let (within, name) = path.rsplit_once('/').unwrap_or(("", path));
            let files = copy.files(within).map_err(|error| said(&error))?;
            let named: Vec<File> = files.into_iter().filter(|file| file.path == name).collect();
            if named.is_empty() {
                return Err(Fault::Said(format!("the repository has no {path}")));
            }
            return Ok(named);
        }
        files => files.map_err(|error| said(&error))?,
    };
    if files.iter().any(|file| file.path.rsplit('/').next() == Some(KUSTOMIZATION)) {
        let text = "it is put together by Kustomize: keep what `kubectl kustomize` prints, and name \
                    that";
        return Err(Fault::Said(text.to_owned()));
    }
    let hidden = |path: &str| path.split('/').any(|step| step.starts_with('.'));
    let declares =
        |file: &File| !hidden(&file.path) && ends.iter().any(|end| file.path.ends_with(end));
    let files: Vec<File> = files.into_iter().filter(declares).collect();
    match (files.len(), tool) {
        (0, "kubernetes") => Err(Fault::Said("there are no manifests at the path".to_owned())),
        (0, "cloudformation") => Err(Fault::Said("there is no template at the path".to_owned())),
        (0, _) => {
            let text = "a configuration is not read: name the state it has, as state_url or as a \
                        file of the repository";
            Err(Fault::Said(text.to_owned()))
        }
        (1, _) | (_, "kubernetes") => Ok(files),
        (several, _) => {
            let text = format!("there are {several} documents at the path: name one of them");
            Err(Fault::Said(text))
        }
    }
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String, Fault> {
    String::from_utf8(bytes)
        .map_err(|_| Fault::Said(format!("{name} is no text: it holds bytes that are no UTF-8")))
}
