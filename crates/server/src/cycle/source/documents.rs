//! The document of a source, fetched: one text and what it was read from.

use std::time::Duration;

use connect::objects::Remote;
use connect_git::{Copy, File, Git, Limits};
use model::Digest;
use model::id::CredentialId;
use model::secret::Secret;
use survey::declaring::Declaring;
use survey::document::{self, KUSTOMIZATION, WRITTEN};

use super::commits::{self, History};
use super::{Fault, Work, said, secrets};

/// How large a document may be, in bytes: held in memory, some times over.
const MOST_BYTES: usize = 64 << 20;
/// Files of a configuration that are looked into.
const MOST_CONFIGURED: usize = 5_000;
/// How long one may take.
const WITHIN: Duration = Duration::from_secs(120);

/// What a source declares with.
pub(super) struct Document {
    pub(super) text: String,
    /// A commit, or the SHA-256 of the text.
    pub(super) revision: String,
}

/// What was fetched of a source.
pub(super) struct Fetched {
    /// Of a repository: where it cannot be read, who changed it is told all the same.
    pub(super) document: Result<Document, Fault>,
    /// Which file of the repository declares what.
    pub(super) declaring: Declaring,
    /// Who changed it.
    pub(super) history: History,
}

/// Fetches it.
pub(super) async fn fetch(work: &Work<'_>) -> Result<Fetched, Fault> {
    let login = opened(work, work.source.credential).await?;
    if let Some(url) = &work.source.state_url {
        let remote = Remote::parse(url)
            .map_err(|error| Fault::Said(format!("the address of the document {error}")))?;
        let read = remote.read(&work.outbound, login.as_ref(), (WITHIN, MOST_BYTES)).await;
        let bytes = read.map_err(|error| said(&error))?;
        let revision = Digest::of(&bytes).to_string();
        let document = Document { text: text(bytes, "the document")?, revision };
        return beside(work, document).await;
    }
    let Some(url) = &work.source.repository_url else {
        let text = "the source has neither a repository_url nor a state_url";
        return Err(Fault::Said(text.to_owned()));
    };
    repository(work, url, login).await
}

async fn opened(work: &Work<'_>, id: Option<CredentialId>) -> Result<Option<Secret>, Fault> {
    match id {
        Some(id) => Ok(Some(secrets::open(work, id).await?)),
        None => Ok(None),
    }
}

/// A document that is in no repository, with what the repository beside it says: when there is
/// something to open that with, as the login of a store is nobody else's business.
async fn beside(work: &Work<'_>, document: Document) -> Result<Fetched, Fault> {
    let login = opened(work, work.source.repository_credential).await?;
    let read = match (&work.source.repository_url, login) {
        (Some(url), Some(login)) => repository(work, url, Some(login)).await,
        _ => {
            let (declaring, history) = (Declaring::default(), History::Nothing);
            return Ok(Fetched { document: Ok(document), declaring, history });
        }
    };
    match read {
        Ok(fetched) => Ok(Fetched { document: Ok(document), ..fetched }),
        Err(Fault::Said(why)) => {
            let (declaring, history) = (Declaring::default(), History::Unread { why, head: None });
            Ok(Fetched { document: Ok(document), declaring, history })
        }
        Err(again) => Err(again),
    }
}

/// What a repository holds.
async fn repository(work: &Work<'_>, url: &str, login: Option<Secret>) -> Result<Fetched, Fault> {
    let mut source =
        connect_git::Source::new(url, Some(&work.source.branch)).map_err(|error| said(&error))?;
    if let Some(login) = login {
        source = source.opened_by(login);
    }
    let limits = Limits { read_bytes: MOST_BYTES, within: WITHIN, ..Limits::default() };
    let git = Git::new(&work.outbound, limits);
    let head = work.source.head.clone();
    let fetched = commits::fetch(&git, &source, head.as_deref()).await;
    let (copy, unread) = fetched.map_err(|error| said(&error))?;
    let path = work.source.path.clone().unwrap_or_default();
    let (tool, now) = (work.source.tool.clone(), work.app.clock.now());
    // Unpacking objects takes what a thread of requests has not.
    let read = tokio::task::spawn_blocking(move || Fetched {
        document: written(&copy, &path, &tool),
        declaring: declared(&copy, &path, &tool),
        history: match unread {
            Some(why) => {
                let head = Some(copy.revision().as_str().to_owned());
                History::Unread { why, head }
            }
            None => commits::read(&copy, head.as_deref(), now),
        },
    });
    read.await.map_err(|_| Fault::Said("reading the repository was given up".to_owned()))
}

/// The text of the files that declare.
fn written(copy: &Copy, path: &str, tool: &str) -> Result<Document, Fault> {
    let files = declaring(copy, path, tool)?;
    let texts = copy.read(&files).map_err(|error| said(&error))?;
    let texts = files.iter().zip(texts).map(|(file, bytes)| text(bytes, &file.path));
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    let revision = copy.revision().as_str().to_owned();
    let text = match <[String; 1]>::try_from(texts) {
        Ok([one]) => one,
        Err(several) => document::joined(several.iter().map(String::as_str)),
    };
    Ok(Document { text, revision })
}

/// Which file of the repository declares what; nothing where that cannot be read.
fn declared(copy: &Copy, path: &str, tool: &str) -> Declaring {
    let state = path.ends_with(".tfstate");
    let directory =
        if state { path.rsplit_once('/').map_or("", |(within, _)| within) } else { path };
    let files = match tool {
        "kubernetes" | "cloudformation" => declaring(copy, path, tool).unwrap_or_default(),
        _ => copy.files("").map(configuration).unwrap_or_default(),
    };
    let Ok(texts) = copy.read(&files) else { return Declaring::default() };
    // Paths are the repository's: those of a directory begin there, that of one file beside it.
    let within = match tool {
        "kubernetes" | "cloudformation" if copy.files(path).is_ok() => path,
        "kubernetes" | "cloudformation" => path.rsplit_once('/').map_or("", |(within, _)| within),
        _ => "",
    };
    let steps = within.split('/').filter(|step| !matches!(*step, "" | "."));
    let begin: String = steps.map(|step| format!("{step}/")).collect();
    let files = files.iter().zip(texts).filter_map(|(file, bytes)| {
        Some((format!("{begin}{}", file.path), String::from_utf8(bytes).ok()?))
    });
    Declaring::of(tool, files.collect(), directory)
}

/// The files of a configuration, wherever its modules lie.
fn configuration(files: Vec<File>) -> Vec<File> {
    let ends = |file: &File| [".tf", ".tofu"].iter().any(|end| file.path.ends_with(end));
    files.into_iter().filter(ends).take(MOST_CONFIGURED).collect()
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
