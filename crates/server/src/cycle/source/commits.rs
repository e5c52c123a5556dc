//! The commits of a source's repository, told as what happened: who changed which files, and what is
//! declared in them.

use std::collections::{BTreeMap, BTreeSet};

use api::identity::store::by_mail;
use connect_git::{Commit, Copy, Git, Part};
use jiff::SignedDuration;
use model::Timestamp;
use model::audit::Event;
use sense::change_event::{self, Happened};
use sense::store::change_event::{Placed, place};
use sense::store::declared::{self, Source};
use serde_json::json;
use survey::declaring::Declaring;

use super::{Fault, Work};

/// Commits that are told at most, the newest.
pub(super) const MOST: u32 = 200;
/// How old one may be: longer than any window in which one belongs to a drift.
const OLDEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far ahead of ours the clock of a committer may be.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// Names of one kind that an event has at most, and the longest of them.
const NAMES: (usize, usize) = (1_000, 1_000);
/// Commits that are written together.
const AT_ONCE: usize = 20;
/// Bytes of the paths of one commit: a repository may be made of long names.
const MOST_OF_PATHS: usize = 64 << 10;

/// What of a repository's history is to be told.
#[derive(Debug)]
pub(super) enum History {
    /// There is none, or nothing new.
    Nothing,
    /// It was not read.
    Unread {
        /// Why.
        why: String,
        /// The newest commit, where trying again before there is another one would say the same.
        head: Option<String>,
    },
    /// Commits, and the newest of all.
    Read(String, Vec<Commit>),
}

/// Fetches the branch: with its history where that is not known yet, and can be had.
pub(super) async fn fetch(
    git: &Git,
    source: &connect_git::Source,
    head: Option<&str>,
) -> Result<(Copy, Option<String>), connect_git::Error> {
    let one = std::num::NonZeroU32::MIN;
    if git.tip(source).await?.as_str() == head.unwrap_or_default() {
        return Ok((git.fetch(source, one).await?, None));
    }
    // Of the oldest commit nobody knows what it changed.
    match git.fetch(source, one.saturating_add(MOST)).await {
        Ok(copy) => Ok((copy, None)),
        Err(error @ (connect_git::Error::TooLarge { .. } | connect_git::Error::TooSlow { .. })) => {
            Ok((git.fetch(source, one).await?, Some(error.to_string())))
        }
        Err(error) => Err(error),
    }
}

/// Reads what is to be told.
pub(super) fn read(copy: &Copy, head: Option<&str>, now: Timestamp) -> History {
    let newest = copy.revision().as_str().to_owned();
    if head == Some(newest.as_str()) {
        return History::Nothing;
    }
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let part = Part { after: head, since: now.checked_sub(OLDEST).ok(), most };
    match copy.log(part) {
        Ok(mut commits) => {
            commits.retain(|commit| commit.at <= now.checked_add(AHEAD).unwrap_or(now));
            History::Read(newest, commits)
        }
        Err(error) => History::Unread { why: error.to_string(), head: Some(newest) },
    }
}

/// Tells them; gives why they cannot be told, where that is so. The same again writes nothing.
pub(super) async fn tell(
    work: &Work<'_>,
    history: &History,
    declaring: &Declaring,
) -> Result<Option<String>, Fault> {
    let (head, commits) = match history {
        History::Nothing => return Ok(None),
        History::Unread { why, head } => {
            if let Some(head) = head {
                let mut tx = work.app.db.tenant(work.tenant).await?;
                declared::told_to(&mut tx, work.source.id, head).await?;
                tx.commit().await?;
            }
            return Ok(Some(format!(
                "who changed it is not known, its commits are not read: {why}"
            )));
        }
        History::Read(head, commits) => (head, commits),
    };
    let mut tx = work.app.db.tenant(work.tenant).await?;
    // What is declared elsewhere by now was declared in the files it was in.
    let mut of = declared::declaring(&mut tx, work.source.id).await?;
    for (address, file) in declaring.all() {
        of.entry(file.to_owned()).or_default().insert(address.to_owned());
    }
    let mails: Vec<String> = commits.iter().map(|commit| commit.mail.clone()).collect();
    let people = by_mail(&mut tx, &mails).await?;
    let told = told(&work.source, commits, &of, &people);
    let mut placed = Placed::default();
    for batch in told.chunks(AT_ONCE) {
        let some = place(&mut tx, batch).await?;
        placed = Placed { new: placed.new + some.new, changed: placed.changed + some.changed };
    }
    declared::told_to(&mut tx, work.source.id, head).await?;
    if placed != Placed::default() {
        let first = told.first().map(|one| one.external_id.clone()).unwrap_or_default();
        let event = Event::new(work.who.clone(), "change_event.told", "change_event", &first)
            .with("new", placed.new)
            .with("changed", placed.changed)
            .with("iac_repository_id", work.source.id.to_string());
        tx.audit(&event).await?;
    }
    tx.commit().await?;
    Ok(None)
}

/// The commits that touched what the source declares with.
fn told(
    source: &Source,
    commits: &[Commit],
    declared_in: &BTreeMap<String, BTreeSet<String>>,
    people: &BTreeMap<String, String>,
) -> Vec<Happened> {
    let of = commits.iter().filter_map(|commit| {
        let touched = commit.paths.as_deref()?.iter();
        let paths: Vec<String> = touched
            .filter(|path| within(path, source.path.as_deref()) || declared_in.contains_key(*path))
            .map(|path| plain(path))
            .filter(|path| path.chars().count() <= NAMES.1)
            .scan(0, |bytes, path| {
                *bytes += path.len();
                (*bytes <= MOST_OF_PATHS).then_some(path)
            })
            .collect();
        if paths.is_empty() {
            return None;
        }
        let addresses: BTreeSet<&String> =
            paths.iter().filter_map(|path| declared_in.get(path)).flatten().collect();
        Some(change_event::Commit {
            hash: commit.id.as_str().to_owned(),
            at: commit.at,
            author: author(&commit.author, &commit.mail, people),
            message: plain(commit.message.trim()),
            addresses: addresses.into_iter().take(NAMES.0).cloned().collect(),
            paths,
        })
    });
    let commits: Vec<change_event::Commit> = of.collect();
    // One commit is another thing to each source that has a part of the repository.
    let system = format!("git:{}", source.id);
    let mut told = change_event::of_commits(&system, Some(source.environment), &commits);
    for one in &mut told {
        one.data = json!({"repository_url": source.repository_url, "branch": source.branch});
    }
    told
}

/// Whether a path is what the source is about: below its directory, or its file.
fn within(path: &str, directory: Option<&str>) -> bool {
    let steps = |path: &str| -> Vec<String> {
        let steps = path.split('/').filter(|step| !matches!(*step, "" | "."));
        steps.map(str::to_owned).collect()
    };
    steps(path).starts_with(&steps(directory.unwrap_or_default()))
}

/// Who wrote it: somebody who is known here with name and address, anybody else as they call
/// themselves. The address of a stranger is not kept.
fn author(name: &str, mail: &str, people: &BTreeMap<String, String>) -> String {
    match people.get(&mail.to_lowercase()) {
        Some(known) => format!("{known} <{}>", plain(mail)),
        None => plain(name).replace(['<', '>'], ""),
    }
}

/// A text without signs that nobody writes.
fn plain(text: &str) -> String {
    text.chars().filter(|one| !one.is_control() || matches!(one, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests;
