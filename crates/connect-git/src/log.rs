//! The commits of a copy: who changed what, when, and why.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::tree::EntryMode;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;
use model::Timestamp;

use crate::Error;
use crate::copy::{Copy, broken, step};
use crate::fetch::Revision;

/// How much of a message is kept, in characters.
const MESSAGE: usize = 10_000;
/// How much of a name or a mail address is kept, in characters.
const NAME: usize = 200;
/// How many paths a commit tells at most.
const PATHS: usize = 1_000;

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: Revision,
    /// Who wrote it, by name.
    pub author: String,
    /// And by mail address.
    pub mail: String,
    /// When it was committed.
    pub at: Timestamp,
    /// What its author says of it.
    pub message: String,
    /// The files it adds, changes or removes, against its first parent, at most 1,000; unknown of
    /// the oldest commit that was fetched.
    pub paths: Option<Vec<String>>,
}

/// Which commits are told.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Only those that this commit does not lead to; one that was not fetched says nothing.
    pub after: Option<&'a str>,
    /// Only those committed after this.
    pub since: Option<Timestamp>,
    /// And only so many, the newest.
    pub most: usize,
}

impl Part<'_> {
    /// Everything that was fetched.
    pub const ALL: Self = Self { after: None, since: None, most: usize::MAX };
}

impl Copy {
    /// The commits of a part that were fetched, the newest first.
    ///
    /// # Errors
    /// When the copy is broken.
    pub fn log(&self, part: Part<'_>) -> Result<Vec<Commit>, Error> {
        let repository = self.repository.to_thread_local();
        let sorting = Sorting::ByCommitTime(CommitTimeOrder::NewestFirst);
        let known = part.after.and_then(|id| ObjectId::from_hex(id.as_bytes()).ok());
        let known = known.filter(|id| repository.has_object(*id));
        let walk = repository.rev_walk([self.tip]).sorting(sorting).with_hidden(known);
        let mut commits = Vec::new();
        for found in walk.all().map_err(broken)? {
            if commits.len() >= part.most {
                break;
            }
            let found = found.map_err(broken)?;
            let commit = repository.find_commit(found.id).map_err(broken)?;
            let at = commit.committer().and_then(|who| who.time()).map_err(broken)?;
            let at = Timestamp::from_second(at.seconds)
                .map_err(|_| Error::Malformed { what: "reading the time of a commit" })?;
            // Clocks of committers differ, so that an older one does not end the walk.
            if part.since.is_some_and(|since| at <= since) {
                continue;
            }
            let author = commit.author().map_err(broken)?;
            commits.push(Commit {
                id: Revision(found.id.to_string()),
                author: kept(author.name, NAME),
                mail: kept(author.email, NAME),
                at,
                message: kept(commit.message_raw_sloppy(), MESSAGE),
                paths: paths(&repository, &commit)?,
            });
        }
        Ok(commits)
    }
}

fn kept(text: &[u8], most: usize) -> String {
    String::from_utf8_lossy(text).chars().take(most).collect()
}

fn paths(
    repository: &gix::Repository,
    commit: &gix::Commit<'_>,
) -> Result<Option<Vec<String>>, Error> {
    let before = match commit.parent_ids().next() {
        None => None,
        Some(parent) if repository.has_object(parent) => {
            let parent = repository.find_commit(parent).map_err(broken)?;
            Some(parent.tree_id().map_err(broken)?.detach())
        }
        Some(_) => return Ok(None),
    };
    let after = commit.tree_id().map_err(broken)?.detach();
    let mut paths = Vec::new();
    changed(repository, (before, Some(after)), "", &mut paths)?;
    Ok(Some(paths))
}

/// The paths at which two trees differ.
fn changed(
    repository: &gix::Repository,
    (before, after): (Option<ObjectId>, Option<ObjectId>),
    within: &str,
    paths: &mut Vec<String>,
) -> Result<(), Error> {
    if before == after || paths.len() >= PATHS || within.len() > 4_096 {
        return Ok(());
    }
    let (before, after) = (entries(repository, before)?, entries(repository, after)?);
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let path = if within.is_empty() { name.clone() } else { format!("{within}/{name}") };
        let tree = |entry: Option<&(EntryMode, ObjectId)>| {
            entry.filter(|(mode, _)| mode.is_tree()).map(|(_, id)| *id)
        };
        let (old_tree, new_tree) = (tree(old), tree(new));
        if old_tree.is_some() || new_tree.is_some() {
            changed(repository, (old_tree, new_tree), &path, paths)?;
        }
        let file =
            |entry: Option<&(EntryMode, ObjectId)>| entry.is_some_and(|(mode, _)| !mode.is_tree());
        if (file(old) || file(new)) && paths.len() < PATHS {
            paths.push(path);
        }
    }
    Ok(())
}

fn entries(
    repository: &gix::Repository,
    tree: Option<ObjectId>,
) -> Result<BTreeMap<String, (EntryMode, ObjectId)>, Error> {
    let Some(tree) = tree else { return Ok(BTreeMap::new()) };
    let tree = repository.find_tree(tree).map_err(broken)?;
    let mut entries = BTreeMap::new();
    for entry in tree.iter() {
        let entry = entry.map_err(broken)?;
        entries.insert(step(entry.filename())?, (entry.mode(), entry.object_id()));
    }
    Ok(entries)
}
