//! Runbooks in the database: import, export, versions, status, what alerts may start.
//!
//! The snapshot of a version is the truth; the columns beside it are for lists and reports. Only
//! the status lives in its column alone, for it changes without a new version.

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Page, TenantTx};
use model::Timestamp;
use model::id::{ActorId, RunbookId};
use model::intent::ExecutionMode;
use sqlx::FromRow;
use uuid::Uuid;

use super::problem::Problem;
use super::status::{Status, TargetOs};
use super::{Runbook, emit, lint, parse};

pub mod armed;
mod figures;
mod shipped;
mod write;

pub use figures::Figures;
pub use shipped::procedure;

/// Why a runbook could not be stored or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The document is refused.
    #[error("the runbook is refused: {}", first(.0))]
    Invalid(Vec<Problem>),
    /// The runbook may not become active.
    #[error("the runbook cannot become active: {}", first(.0))]
    NotReady(Vec<Problem>),
    /// Another version is stored than the one the document was made from.
    #[error("{}", changed(.name, *.stored, *.base))]
    Changed {
        /// The runbook's name.
        name: String,
        /// The version that is stored; 0 where there is none.
        stored: u32,
        /// The version the document was made from; 0 where there was none.
        base: u32,
    },
    /// A stored snapshot can no longer be read.
    #[error("version {version} of the runbook {id} cannot be read: {}", first(.problems))]
    Snapshot {
        /// The runbook.
        id: RunbookId,
        /// The version.
        version: u32,
        /// What is wrong with it.
        problems: Vec<Problem>,
    },
    /// The runbook cannot be written as YAML.
    #[error("the runbook cannot be exported")]
    Emit(#[source] emit::Error),
    /// The database failed, or there is no such runbook.
    #[error("the runbook cannot be reached")]
    Database(#[source] db::Error),
}

fn first(problems: &[Problem]) -> String {
    problems.first().map(ToString::to_string).unwrap_or_default()
}

fn changed(name: &str, stored: u32, base: u32) -> String {
    let known = match stored {
        0 => format!("there is no runbook {name}"),
        version => format!("version {version} of the runbook {name} is stored"),
    };
    let made = match base {
        0 => "the document was made for a new one".to_owned(),
        version => format!("the document was made from version {version}"),
    };
    format!("{known}, and {made}: compare the two, then name the version it is to replace")
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        Self::Database(error)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// A runbook as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its id.
    pub id: RunbookId,
    /// Its current version.
    pub version: u32,
    /// The document, its status as of now.
    pub runbook: Runbook,
    /// The text it was imported as.
    pub yaml: String,
    /// When it was first imported.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A runbook in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: RunbookId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its label.
    pub category: String,
    /// How much runs by itself.
    pub mode: ExecutionMode,
    /// Whether it may be used.
    pub status: Status,
    /// What its targets run.
    pub target_os: TargetOs,
    /// Its current version.
    pub version: u32,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How its runs of the last 30 days went.
    pub figures: Figures,
}

/// One version of a runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1.
    pub version: u32,
    /// The document as imported.
    pub yaml: String,
    /// What changed, in words.
    pub change_summary: String,
    /// Who imported it.
    pub created_by: ActorId,
    /// When.
    pub created_at: Timestamp,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The name was new.
    Created,
    /// Another version came to be.
    Changed,
    /// The document says what the stored one says.
    Unchanged,
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The runbook.
    pub id: RunbookId,
    /// Its version now.
    pub version: u32,
    /// What was done.
    pub change: Change,
    /// What deserves a look.
    pub warnings: Vec<Problem>,
}

/// Imports a document: the runbook of its name becomes what it says, as a new version.
///
/// # Errors
/// When lint refuses the document, or the database fails. A second import of a new name at the
/// same time is a conflict.
pub async fn import(
    tx: &mut TenantTx,
    text: &str,
    by: ActorId,
    change_summary: &str,
) -> Result<Imported, Error> {
    import_on(tx, text, by, change_summary, None).await
}

/// The same, of a document that was made from version `base`, 0 where there was none of its name.
///
/// # Errors
/// As of [`import`], and when another version is stored by now.
pub async fn import_on(
    tx: &mut TenantTx,
    text: &str,
    by: ActorId,
    change_summary: &str,
    base: Option<u32>,
) -> Result<Imported, Error> {
    let (runbook, warnings) = lint::of_yaml(text).map_err(Error::Invalid)?;
    let known = write::locked(tx, &runbook.name).await?;
    let stored = known.map_or(0, |(_, version)| version);
    if let Some(base) = base.filter(|base| *base != stored) {
        return Err(Error::Changed { name: runbook.name, stored, base });
    }
    let (id, version, change) = match known {
        None => {
            let id = RunbookId::generate();
            write::insert(tx, id, &runbook, by).await?;
            (id, 1, Change::Created)
        }
        Some((id, version)) => {
            let before = get(tx, id).await?;
            if before.runbook == runbook {
                return Ok(Imported { id, version, change: Change::Unchanged, warnings });
            }
            write::update(tx, id, version + 1, &runbook).await?;
            (id, version + 1, Change::Changed)
        }
    };
    write::steps(tx, id, &runbook).await?;
    write::triggers(tx, id, &runbook).await?;
    write::snapshot(tx, id, version, text, change_summary, by).await?;
    Ok(Imported { id, version, change, warnings })
}

/// A document that is not imported, as the version an import would make of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The runbook of its name; where there is none, an id that nothing has.
    pub id: RunbookId,
    /// The version it would be.
    pub version: u32,
    /// The document.
    pub runbook: Runbook,
}

/// What an import would make of a document; nothing is written.
///
/// # Errors
/// When lint refuses the document, or the database fails.
pub async fn draft(tx: &mut TenantTx, text: &str) -> Result<Draft, Error> {
    let (runbook, _) = lint::of_yaml(text).map_err(Error::Invalid)?;
    let (id, version) = match by_name(tx, &runbook.name).await {
        Ok(id) => {
            let stored = get(tx, id).await?;
            (id, stored.version + u32::from(stored.runbook != runbook))
        }
        Err(Error::Database(db::Error::NotFound)) => (RunbookId::generate(), 1),
        Err(error) => return Err(error),
    };
    Ok(Draft { id, version, runbook })
}

/// The document of a runbook, as it was imported unless its status has changed since.
///
/// # Errors
/// When there is no such runbook, or the database fails.
pub async fn export(tx: &mut TenantTx, id: RunbookId) -> Result<String, Error> {
    let stored = get(tx, id).await?;
    let imported = parse::from_yaml(&stored.yaml);
    if imported.is_ok_and(|imported| imported == stored.runbook) {
        return Ok(stored.yaml);
    }
    emit::to_yaml(&stored.runbook).map_err(Error::Emit)
}

#[derive(FromRow)]
struct StoredRow {
    version: i32,
    status: String,
    yaml_content: String,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

/// A runbook.
///
/// # Errors
/// When there is none of this id, its snapshot cannot be read, or the database fails.
pub async fn get(tx: &mut TenantTx, id: RunbookId) -> Result<Stored, Error> {
    let tenant = tx.tenant().uuid();
    let row: StoredRow = sqlx::query_as(
        "SELECT r.version, r.status, v.yaml_content, r.created_at, r.updated_at
         FROM countersign.runbooks r
         JOIN countersign.runbook_versions v
           ON v.tenant_id = r.tenant_id AND v.runbook_id = r.id AND v.version = r.version
         WHERE r.tenant_id = $1 AND r.id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    let version = number(row.version)?;
    let mut runbook = read(id, version, &row.yaml_content)?;
    runbook.status = word(&row.status)?;
    Ok(Stored {
        id,
        version,
        runbook,
        yaml: row.yaml_content,
        created_at: row.created_at.to_jiff(),
        updated_at: row.updated_at.to_jiff(),
    })
}

/// The id of the runbook of a name.
///
/// # Errors
/// When there is none, or the database fails.
pub async fn by_name(tx: &mut TenantTx, name: &str) -> Result<RunbookId, Error> {
    let tenant = tx.tenant().uuid();
    let id: Uuid = sqlx::query_scalar(
        "SELECT id
         FROM countersign.runbooks
         WHERE tenant_id = $1 AND name = $2",
    )
    .bind(tenant)
    .bind(name)
    .fetch_one(tx.conn())
    .await?;
    Ok(id.into())
}

/// The document of one version, its status as it was then.
///
/// # Errors
/// When there is no such version, its snapshot cannot be read, or the database fails.
pub async fn at_version(
    tx: &mut TenantTx,
    id: RunbookId,
    version: u32,
) -> Result<(Runbook, Version), Error> {
    let tenant = tx.tenant().uuid();
    let row: VersionRow = sqlx::query_as(
        "SELECT version, yaml_content, change_summary, created_by, created_at
         FROM countersign.runbook_versions
         WHERE tenant_id = $1 AND runbook_id = $2 AND version = $3",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(i64::from(version))
    .fetch_one(tx.conn())
    .await?;
    let found = row.version()?;
    Ok((read(id, version, &found.yaml)?, found))
}

#[derive(FromRow)]
struct VersionRow {
    version: i32,
    yaml_content: String,
    change_summary: String,
    created_by: Uuid,
    created_at: jiff_sqlx::Timestamp,
}

impl VersionRow {
    fn version(self) -> Result<Version, Error> {
        Ok(Version {
            version: number(self.version)?,
            yaml: self.yaml_content,
            change_summary: self.change_summary,
            created_by: self.created_by.into(),
            created_at: self.created_at.to_jiff(),
        })
    }
}

/// The versions of a runbook, newest first.
///
/// # Errors
/// When the database fails.
pub async fn versions(tx: &mut TenantTx, id: RunbookId) -> Result<Vec<Version>, Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<VersionRow> = sqlx::query_as(
        "SELECT version, yaml_content, change_summary, created_by, created_at
         FROM countersign.runbook_versions
         WHERE tenant_id = $1 AND runbook_id = $2
         ORDER BY version DESC
         LIMIT 200",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(VersionRow::version).collect()
}

#[derive(FromRow)]
struct SummaryRow {
    id: Uuid,
    name: String,
    description: String,
    category: String,
    mode: String,
    status: String,
    target_os: String,
    version: i32,
    updated_at: jiff_sqlx::Timestamp,
}

impl SummaryRow {
    fn summary(self, figures: Figures) -> Result<Summary, Error> {
        Ok(Summary {
            id: self.id.into(),
            name: self.name,
            description: self.description,
            category: self.category,
            mode: word(&self.mode)?,
            status: word(&self.status)?,
            target_os: word(&self.target_os)?,
            version: number(self.version)?,
            updated_at: self.updated_at.to_jiff(),
            figures,
        })
    }
}

/// By what runbooks are listed.
pub const LISTED: Kind = Kind {
    word: "runbook",
    table: "countersign.runbooks",
    columns: &[
        Column::new("name", Holds::Text).filter().sort().search(),
        Column::new("description", Holds::Text).search(),
        Column::new("category", Holds::Text).filter(),
        Column::new("mode", Holds::Text).filter(),
        Column::new("status", Holds::Text).filter(),
        Column::new("target_os", Holds::Text).filter(),
        Column::new("updated_at", Holds::Time).filter(),
    ],
    natural: &[],
};

/// A page of runbooks, newest first unless sorted.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut TenantTx, wanted: &ListRequest) -> Result<Page<Summary>, Error> {
    let statement =
        "SELECT id, name, description, category, mode, status, target_os, version, updated_at
         FROM countersign.runbooks
         WHERE tenant_id = $1 AND id = ANY ($2)";
    let page = object::read(tx, &LISTED, wanted, statement, |row: &SummaryRow| row.id).await?;
    let ids: Vec<Uuid> = page.items.iter().map(|row| row.id).collect();
    let mut figures = figures::of(tx, &ids).await?;
    let summary = |row: SummaryRow| {
        let of_row = figures.remove(&RunbookId::from(row.id)).unwrap_or_default();
        row.summary(of_row)
    };
    let items = page.items.into_iter().map(summary).collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor: page.next_cursor, has_next: page.has_next })
}

/// Sets the status. Only a runbook lint lets become active becomes so.
///
/// # Errors
/// When it is not ready, there is no such runbook, or the database fails.
pub async fn set_status(tx: &mut TenantTx, id: RunbookId, status: Status) -> Result<(), Error> {
    if status == Status::Active {
        let problems = lint::activation(&get(tx, id).await?.runbook);
        if !problems.is_empty() {
            return Err(Error::NotReady(problems));
        }
    }
    write::status(tx, id, status).await
}

fn read(id: RunbookId, version: u32, yaml: &str) -> Result<Runbook, Error> {
    parse::from_yaml(yaml).map_err(|problems| Error::Snapshot { id, version, problems })
}

fn number(stored: i32) -> Result<u32, Error> {
    u32::try_from(stored).map_err(|error| db::Error::internal(error).into())
}

fn word<T: std::str::FromStr<Err = model::words::UnknownWord>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|error: model::words::UnknownWord| db::Error::internal(error).into())
}

#[cfg(test)]
mod tests;
