//! Where a repository is, and what opens it.

use connect::Outbound;
use connect::outbound::UrlFault;
use gix::refs::FullName;
use model::secret::Secret;

/// What a repository is read by.
#[derive(Debug, Clone)]
pub struct Source {
    pub(crate) url: String,
    pub(crate) branch: Option<String>,
    pub(crate) login: Option<Secret>,
}

/// Why something is no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSource {
    /// Its address is at fault. Only `https://` leads to a repository, and `http://` to one in a
    /// network the operator allows: files of this machine, programs and hosts over SSH do not.
    #[error("the repository's address {0}")]
    Url(UrlFault),
    /// Its address has a query or a fragment.
    #[error("the repository's address must have neither a query nor a fragment")]
    Tail,
    /// Its branch cannot be the name of one.
    #[error("the branch is no name git allows")]
    Branch,
}

impl Source {
    /// The repository at this address; its branch `branch`, or the one it says itself.
    ///
    /// # Errors
    /// When the address or the branch cannot be one.
    pub fn new(url: &str, branch: Option<&str>) -> Result<Self, BadSource> {
        Outbound::check(url).map_err(BadSource::Url)?;
        if url.contains(['?', '#']) {
            return Err(BadSource::Tail);
        }
        if let Some(branch) = branch {
            FullName::try_from(format!("refs/heads/{branch}")).map_err(|_| BadSource::Branch)?;
        }
        let (url, branch) = (url.to_owned(), branch.map(str::to_owned));
        Ok(Self { url, branch, login: None })
    }

    /// Opened by `user:password`; a token alone goes as the password of nobody in particular, as
    /// code hosts take it.
    #[must_use]
    pub fn opened_by(self, login: Secret) -> Self {
        Self { login: Some(login), ..self }
    }

    /// What the branch is called at its place.
    pub(crate) fn reference(&self) -> String {
        self.branch.as_ref().map_or_else(|| "HEAD".to_owned(), |name| format!("refs/heads/{name}"))
    }
}
