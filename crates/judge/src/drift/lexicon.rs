//! Words that count: what commits and tickets speak of, and what kind of property a path names.
//!
//! Texts are other people's, and may be written to mislead. They are counted and forgotten: nothing
//! of a text leaves this room but how many of its words stand in a list.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

const SHIPPED: &str = include_str!("../../../../content/drift/lexicon.yaml");

/// Characters of a text that are read.
const LONGEST_TEXT: usize = 4096;
/// Bytes of a word beyond which it stands in no list.
const LONGEST_WORD: usize = 48;
/// Words of one subject that are counted.
const MOST_WORDS: u32 = 16;

model::words! {
    /// What words speak of.
    Subject {
        /// Haste.
        Emergency = "emergency",
        /// Attacks and holes.
        Security = "security",
        /// Speed.
        Performance = "performance",
        /// Faults that are looked for.
        Debug = "debug",
    }
}

model::words! {
    /// What kind of property a path names.
    PropertyKind {
        /// How many there are.
        Capacity = "capacity",
        /// How large each is.
        Size = "size",
        /// Who is reached.
        Network = "network",
        /// Who may do what.
        Identity = "identity",
        /// Encryption, retention, protection against deletion.
        Protection = "protection",
        /// What is written down.
        Records = "records",
        /// What runs.
        Version = "version",
        /// How what runs is set.
        Settings = "settings",
        /// Words for people.
        Labels = "labels",
    }
}

/// How many words of each subject a text has; 16 at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Words {
    /// Of haste.
    pub emergency: u32,
    /// Of attacks and holes.
    pub security: u32,
    /// Of speed.
    pub performance: u32,
    /// Of faults that are looked for.
    pub debug: u32,
}

impl Words {
    const fn add(&mut self, subject: Subject) {
        let count = match subject {
            Subject::Emergency => &mut self.emergency,
            Subject::Security => &mut self.security,
            Subject::Performance => &mut self.performance,
            Subject::Debug => &mut self.debug,
        };
        if *count < MOST_WORDS {
            *count += 1;
        }
    }

    /// The larger of each count.
    #[must_use]
    pub fn largest(self, other: Self) -> Self {
        Self {
            emergency: self.emergency.max(other.emergency),
            security: self.security.max(other.security),
            performance: self.performance.max(other.performance),
            debug: self.debug.max(other.debug),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    words: BTreeMap<Subject, Vec<String>>,
    properties: BTreeMap<PropertyKind, Vec<String>>,
}

/// The lists.
#[derive(Debug)]
pub struct Lexicon {
    /// Raised with every change of meaning: counts are features of learned models.
    pub version: u32,
    words: BTreeMap<String, Subject>,
    properties: BTreeMap<String, PropertyKind>,
}

impl Lexicon {
    /// What ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
            Lexicon::read(SHIPPED).expect("the shipped lexicon parses: a test reads it")
        });
        &LEXICON
    }

    fn read(text: &str) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let mut words = BTreeMap::new();
        for (subject, list) in file.words {
            for word in list {
                let plain = word.chars().all(|c| c.is_alphanumeric() && !c.is_uppercase());
                if word.is_empty() || word.len() > LONGEST_WORD || !plain {
                    return Err(format!("{word:?} is no word in lower case"));
                }
                if words.insert(word.clone(), subject).is_some() {
                    return Err(format!("{word:?} stands in two lists"));
                }
            }
        }
        let mut properties = BTreeMap::new();
        for (kind, list) in file.properties {
            for name in list {
                if properties.insert(plain(&name), kind).is_some_and(|before| before != kind) {
                    return Err(format!("{name:?} stands in two lists"));
                }
            }
        }
        Ok(Self { version: file.version, words, properties })
    }

    /// Counts the words of a text: whole ones, whatever their case, in its first 4,096 characters.
    #[must_use]
    pub fn count(&self, text: &str) -> Words {
        let mut words = Words::default();
        let mut word = String::new();
        let mut chars = text.chars();
        for c in chars.by_ref().take(LONGEST_TEXT) {
            if c.is_alphanumeric() {
                if word.len() <= LONGEST_WORD {
                    word.extend(c.to_lowercase());
                }
            } else {
                self.add(&word, &mut words);
                word.clear();
            }
        }
        // A word that is cut may be another one.
        if chars.next().is_none_or(|c| !c.is_alphanumeric()) {
            self.add(&word, &mut words);
        }
        words
    }

    fn add(&self, word: &str, words: &mut Words) {
        if let Some(subject) = self.words.get(word) {
            words.add(*subject);
        }
    }

    /// What kind of property a path names: that of the known name nearest its end, but whatever
    /// stands within labels is one.
    #[must_use]
    pub fn kind(&self, path: &str) -> Option<PropertyKind> {
        let names = path.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        let mut known = names.rev().filter_map(|name| self.properties.get(&plain(name)).copied());
        let last = known.next()?;
        Some(known.find(|kind| *kind == PropertyKind::Labels).unwrap_or(last))
    }
}

/// A name as it is compared: `DesiredCapacity` and `desired_capacity` are one.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .take(LONGEST_WORD)
        .collect::<String>()
        .to_lowercase()
}
