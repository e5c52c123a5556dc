//! The typed action table: what an action may cost before anyone looks at its words.
//!
//! The class of a change comes from here and from nowhere else: not from the wording of a request,
//! not from the name of a runbook. What the table does not know is a write of tier high.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::level::Tier;
use serde::{Deserialize, Serialize};

const SHIPPED: &str = include_str!("../../../content/actions.yaml");

model::words! {
    /// Which posterior an action's outcomes train.
    Category {
        /// Databases and what stores data.
        Database = "database",
        /// Networks.
        Network = "network",
        /// Hosts and workloads.
        Compute = "compute",
        /// Access, secrets, firewalls.
        Security = "security",
        /// Everything else.
        Default = "default",
    }
}

model::words! {
    /// Whether an action changes anything.
    Kind {
        /// It changes nothing.
        Read = "read",
        /// It changes something.
        Write = "write",
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The least scrutiny it needs.
    pub tier: Tier,
    /// Which posterior learns from it.
    pub category: Category,
    /// Read or write.
    pub kind: Kind,
    /// Whether no undo can bring the former state back.
    #[serde(default)]
    pub irreversible: bool,
    /// What it does, in words.
    pub description: String,
}

/// What the table says about one action of a plan, frozen into the record of the decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classified {
    /// The key asked for.
    pub action: String,
    /// The least scrutiny it needs.
    pub tier: Tier,
    /// Which posterior learns from it.
    pub category: Category,
    /// Read or write.
    pub kind: Kind,
    /// Whether no undo can bring the former state back.
    pub irreversible: bool,
    /// Whether the table knows it.
    pub known: bool,
}

/// The table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Raised with every change of meaning; part of the signed record.
    pub version: u32,
    actions: BTreeMap<String, Action>,
}

impl Table {
    /// The table this binary ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static TABLE: LazyLock<Table> = LazyLock::new(|| {
            Table::parse(SHIPPED).expect("the shipped action table parses: a test reads it")
        });
        &TABLE
    }

    /// Reads a table.
    ///
    /// # Errors
    /// When the text is no table: an unknown field, an unknown word, a key twice.
    pub fn parse(yaml: &str) -> Result<Self, TableError> {
        let table: Self = serde_saphyr::from_str(yaml)
            .map_err(|error| TableError::Unreadable { reason: error.to_string() })?;
        for (key, action) in &table.actions {
            let consistent = (action.kind == Kind::Read) == (action.tier == Tier::Read)
                && !(action.kind == Kind::Read && action.irreversible);
            if !consistent {
                return Err(TableError::Inconsistent { action: key.clone() });
            }
        }
        Ok(table)
    }

    /// What the table says about `action`; an action it does not know is a write of tier high.
    #[must_use]
    pub fn classify(&self, action: &str) -> Classified {
        match self.row(action) {
            Some(row) => Classified {
                action: action.to_owned(),
                tier: row.tier,
                category: row.category,
                kind: row.kind,
                irreversible: row.irreversible,
                known: true,
            },
            None => Classified {
                action: action.to_owned(),
                tier: Tier::High,
                category: Category::Default,
                kind: Kind::Write,
                irreversible: true,
                known: false,
            },
        }
    }

    /// Every row with its key, in order of the keys.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &Action)> {
        self.actions.iter().map(|(key, action)| (key.as_str(), action))
    }

    /// The row of `action`: the exact key, else the longest key ending in `*` that matches.
    fn row(&self, action: &str) -> Option<&Action> {
        self.actions.get(action).or_else(|| {
            self.actions
                .iter()
                .filter_map(|(key, row)| Some((key.strip_suffix('*')?, row)))
                .filter(|(prefix, _)| action.starts_with(prefix))
                .max_by_key(|(prefix, _)| prefix.len())
                .map(|(_, row)| row)
        })
    }
}

/// The category of a whole plan: the one of its writes with the highest tier, by the order of
/// [`Category`] among equals; a plan that only reads takes it from its reads.
#[must_use]
pub fn category(actions: &[Classified]) -> Category {
    actions
        .iter()
        .max_by_key(|action| (action.kind, action.tier, std::cmp::Reverse(action.category)))
        .map_or(Category::Default, |action| action.category)
}

/// Why a text is no action table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It does not have the form of a table.
    #[error("the action table cannot be read: {reason}")]
    Unreadable {
        /// In the reader's words, with line and column.
        reason: String,
    },
    /// A read above tier read, or a write of tier read.
    #[error("action {action}: kind read and tier read go together, and a read is reversible")]
    Inconsistent {
        /// The key.
        action: String,
    },
}

#[cfg(test)]
mod tests;
