//! Where a source is when it is not on the disk: a directory of a repository, or one object.

use connect::objects::{BadRemote, Remote};
use connect_git::{BadSource, Source};
use url::Url;

/// Where a source is.
#[derive(Debug, Clone)]
pub enum Place {
    /// A repository of git and what of it: a directory or one file.
    Git {
        /// The repository and its branch.
        source: Source,
        /// Where in it; empty for all of it.
        path: String,
    },
    /// One object.
    Object(Remote),
}

/// Why a text names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// As a repository.
    #[error("{0}; a repository is written git+https://host/path.git//directory?ref=branch")]
    Git(BadSource),
    /// As a repository, for more than its branch.
    #[error("a repository is written git+https://host/path.git//directory?ref=branch")]
    Form,
    /// As an object.
    #[error("the address {0}")]
    Object(BadRemote),
}

impl Place {
    /// The place a text names; `None` when it is a path on the disk.
    ///
    /// # Errors
    /// When it begins like an address, and is none.
    pub fn parse(text: &str) -> Result<Option<Self>, NoPlace> {
        if let Some(url) = text.strip_prefix("git+") {
            return git(url).map(Some);
        }
        if !text.contains("://") {
            return Ok(None);
        }
        Remote::parse(text).map(|remote| Some(Self::Object(remote))).map_err(NoPlace::Object)
    }
}

fn git(text: &str) -> Result<Place, NoPlace> {
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let begin = address.find("://").map_or(0, |at| at + 3);
    let (head, tail) = address.split_at(begin);
    let (repository, path) = tail.split_once("//").unwrap_or((tail, ""));
    let mut branch = None;
    if !query.is_empty() {
        let url = Url::parse(text).map_err(|_| NoPlace::Form)?;
        for (name, value) in url.query_pairs() {
            if name != "ref" || branch.is_some() {
                return Err(NoPlace::Form);
            }
            branch = Some(value.into_owned());
        }
    }
    let source = Source::new(&format!("{head}{repository}"), branch.as_deref());
    Ok(Place::Git { source: source.map_err(NoPlace::Git)?, path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_repositories_have_a_directory_and_a_branch() {
        let place = |text: &str| Place::parse(text);
        let git = place("git+https://example.com/shop.git//infra/prod?ref=release/1").unwrap();
        assert!(matches!(git, Some(Place::Git { path, .. }) if path == "infra/prod"));
        assert!(matches!(place("git+https://example.com/shop.git"), Ok(Some(Place::Git { .. }))));
        assert!(matches!(place("s3://bucket/key"), Ok(Some(Place::Object(_)))));
        assert!(matches!(place("infra/prod"), Ok(None)));
        for bad in [
            "git+ssh://example.com/shop.git",
            "git+file:///etc",
            "git+https://example.com/shop.git?depth=1",
            "git+https://example.com/shop.git?ref=a&ref=b",
            "git+https://example.com/shop.git?ref=a..b",
            "git+https://user:password@example.com/shop.git",
            "ext::sh -c x://y",
            "ssh://example.com/x",
        ] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}
