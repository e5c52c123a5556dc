//! Which servers and which runbooks a window is about.

use globset::{GlobBuilder, GlobMatcher};
use model::id::RunbookId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::proposal::{Place, Proposal};

/// Why a selector cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Malformed {
    /// Where, as a path below the selector.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// Servers, by any of their tags, names or environments. Empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Servers {
    /// `key=value`, or `key` for any value.
    pub tags: Vec<String>,
    /// Names; `*` and `?` stand for any characters.
    pub names: Vec<String>,
    /// Slugs or classes of environments.
    pub environments: Vec<String>,
}

/// Runbooks, by id, name or category. Empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Runbooks {
    /// Ids.
    pub ids: Vec<RunbookId>,
    /// Names; `*` and `?` stand for any characters.
    pub names: Vec<String>,
    /// Categories.
    pub categories: Vec<String>,
}

impl Servers {
    /// Reads the `affected_servers` of a window: null, an object, or a plain list of words, each
    /// of which may be a tag, a name or an environment.
    ///
    /// # Errors
    /// When it is neither, has an unknown field, or holds a name that is no glob.
    pub fn parse(value: &Value) -> Result<Self, Malformed> {
        let servers = match value {
            Value::Null => Self::default(),
            Value::Array(_) => {
                let words: Vec<String> = read(value)?;
                Self { tags: words.clone(), names: words.clone(), environments: words }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => read(value)?,
        };
        globs(&servers.names)?;
        Ok(servers)
    }

    /// Whether it means every server.
    #[must_use]
    pub fn all(&self) -> bool {
        self.tags.is_empty() && self.names.is_empty() && self.environments.is_empty()
    }

    /// Whether it means this one.
    #[must_use]
    pub fn picks(&self, place: &Place) -> bool {
        self.all()
            || self.tags.iter().any(|wanted| tagged(place, wanted))
            || self.environments.iter().any(|wanted| {
                wanted.eq_ignore_ascii_case(&place.environment)
                    || wanted.eq_ignore_ascii_case(place.class.word())
            })
            || named(&self.names, &place.name)
    }
}

impl Runbooks {
    /// Reads the `affected_runbooks` of a window: null, an object, or a plain list of words, each
    /// of which may be an id, a name or a category.
    ///
    /// # Errors
    /// When it is neither, has an unknown field, or holds a name that is no glob.
    pub fn parse(value: &Value) -> Result<Self, Malformed> {
        let runbooks = match value {
            Value::Null => Self::default(),
            Value::Array(_) => {
                let words: Vec<String> = read(value)?;
                let ids = words.iter().filter_map(|word| word.parse().ok()).collect();
                Self { ids, names: words.clone(), categories: words }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => read(value)?,
        };
        globs(&runbooks.names)?;
        Ok(runbooks)
    }

    /// Whether it means every runbook.
    #[must_use]
    pub const fn all(&self) -> bool {
        self.ids.is_empty() && self.names.is_empty() && self.categories.is_empty()
    }

    /// Whether it means the runbook proposed.
    #[must_use]
    pub fn picks(&self, proposal: &Proposal) -> bool {
        let all = self.ids.is_empty() && self.names.is_empty() && self.categories.is_empty();
        all || self.ids.contains(&proposal.runbook)
            || self.categories.iter().any(|one| one.eq_ignore_ascii_case(&proposal.category))
            || named(&self.names, &proposal.runbook_name)
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, Malformed> {
    T::deserialize(value)
        .map_err(|error| Malformed { path: String::new(), reason: error.to_string() })
}

fn tagged(place: &Place, wanted: &str) -> bool {
    place.tags.iter().any(|tag| {
        tag == wanted
            || tag.split_once('=').is_some_and(|(key, _)| key == wanted && !wanted.contains('='))
    })
}

fn glob(name: &str) -> Result<GlobMatcher, Malformed> {
    GlobBuilder::new(name)
        .case_insensitive(true)
        .literal_separator(false)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| Malformed { path: format!("names/{name}"), reason: error.to_string() })
}

fn globs(names: &[String]) -> Result<(), Malformed> {
    names.iter().try_for_each(|name| glob(name).map(|_| ()))
}

/// A name that cannot be read picks everything: a guard closes when in doubt.
fn named(names: &[String], name: &str) -> bool {
    names.iter().any(|wanted| glob(wanted).map_or(true, |glob| glob.is_match(name)))
}
