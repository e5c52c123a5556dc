//! Blackout and maintenance windows.

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Page, TenantTx};
use jiff_sqlx::{DateTime as SqlDateTime, ToSqlx};
use model::id::{ActorId, BlackoutId};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::{executions, guards};
use crate::blackout::{Draft, Malformed, Window};
use crate::error::Error;

/// A window as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWindow {
    /// When, and what it is about.
    pub draft: Draft,
    /// Why it is there.
    pub description: String,
    /// Whether it counts.
    pub enabled: bool,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    description: String,
    kind: String,
    start_time: SqlDateTime,
    end_time: SqlDateTime,
    timezone: String,
    recurrence: String,
    recurrence_pattern: Value,
    affected_servers: Value,
    affected_runbooks: Value,
    enabled: bool,
}

impl TryFrom<Row> for StoredWindow {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            draft: Draft {
                id: row.id.into(),
                name: row.name,
                kind: row.kind.parse().map_err(Error::unreadable("window kind"))?,
                recurrence: row.recurrence.parse().map_err(Error::unreadable("recurrence"))?,
                pattern: row.recurrence_pattern,
                opens: row.start_time.to_jiff(),
                closes: row.end_time.to_jiff(),
                zone: row.timezone,
                servers: row.affected_servers,
                runbooks: row.affected_runbooks,
            },
            description: row.description,
            enabled: row.enabled,
        })
    }
}

/// Every enabled window, understood or not: one that is not closes the gate.
///
/// # Errors
/// When the database cannot be read.
pub async fn enabled(tx: &mut TenantTx) -> Result<Vec<Result<Window, Malformed>>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, description, kind, start_time, end_time, timezone, recurrence,
           recurrence_pattern, affected_servers, affected_runbooks, enabled
         FROM countersign.blackout_windows
         WHERE tenant_id = $1 AND enabled
         ORDER BY id",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| StoredWindow::try_from(row).map(|stored| Window::parse(&stored.draft)))
        .collect()
}

/// By what windows are listed.
pub const LISTED: Kind = Kind {
    word: "blackout_window",
    table: "countersign.blackout_windows",
    columns: &[
        Column::new("name", Holds::Text).filter().sort().search(),
        Column::new("description", Holds::Text).search(),
        Column::new("kind", Holds::Text).filter(),
        Column::new("timezone", Holds::Text).filter(),
        Column::new("recurrence", Holds::Text).filter(),
        Column::new("enabled", Holds::Boolean).filter(),
    ],
    natural: &["name"],
};

/// A page of windows, newest first unless sorted.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(tx: &mut TenantTx, wanted: &ListRequest) -> Result<Page<StoredWindow>, Error> {
    let statement =
        "SELECT id, name, description, kind, start_time, end_time, timezone, recurrence,
           recurrence_pattern, affected_servers, affected_runbooks, enabled
         FROM countersign.blackout_windows
         WHERE tenant_id = $1 AND id = ANY ($2)";
    let page = object::read(tx, &LISTED, wanted, statement, |row: &Row| row.id).await?;
    let items = page.items.into_iter().map(TryInto::try_into).collect::<Result<_, Error>>()?;
    Ok(Page { items, next_cursor: page.next_cursor, has_next: page.has_next })
}

/// A window.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut TenantTx, id: BlackoutId) -> Result<StoredWindow, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, name, description, kind, start_time, end_time, timezone, recurrence,
           recurrence_pattern, affected_servers, affected_runbooks, enabled
         FROM countersign.blackout_windows
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.ok_or_else(|| missing(id))?.try_into()
}

/// Writes a window, new or changed. One that cannot be understood is refused here, so that it
/// does not close the gate later.
///
/// # Errors
/// [`Error::Invalid`] with the field; [`Error::Conflict`] when the name is taken.
pub async fn save(tx: &mut TenantTx, window: &StoredWindow, by: ActorId) -> Result<(), Error> {
    let draft = &window.draft;
    Window::parse(draft).map_err(|error| Error::Invalid {
        path: format!("/{}", error.field),
        reason: error.reason,
    })?;
    guards::change(tx).await?;
    sqlx::query(
        "INSERT INTO countersign.blackout_windows AS w (tenant_id, id, name, description, kind,
           start_time, end_time, timezone, recurrence, recurrence_pattern, affected_servers,
           affected_runbooks, enabled, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT ON CONSTRAINT blackout_windows_pk DO UPDATE
         SET name = excluded.name,
             description = excluded.description,
             kind = excluded.kind,
             start_time = excluded.start_time,
             end_time = excluded.end_time,
             timezone = excluded.timezone,
             recurrence = excluded.recurrence,
             recurrence_pattern = excluded.recurrence_pattern,
             affected_servers = excluded.affected_servers,
             affected_runbooks = excluded.affected_runbooks,
             enabled = excluded.enabled,
             updated_at = clock_timestamp()",
    )
    .bind(tx.tenant().uuid())
    .bind(draft.id.uuid())
    .bind(&draft.name)
    .bind(&window.description)
    .bind(draft.kind.word())
    .bind(draft.opens.to_sqlx())
    .bind(draft.closes.to_sqlx())
    .bind(&draft.zone)
    .bind(draft.recurrence.word())
    .bind(&draft.pattern)
    .bind(&draft.servers)
    .bind(&draft.runbooks)
    .bind(window.enabled)
    .bind(by.uuid())
    .execute(tx.conn())
    .await
    .map_err(|error| taken(error.into(), &draft.name))?;
    executions::look_again(tx).await
}

/// Removes a window.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(tx: &mut TenantTx, id: BlackoutId) -> Result<(), Error> {
    guards::change(tx).await?;
    let removed =
        sqlx::query("DELETE FROM countersign.blackout_windows WHERE tenant_id = $1 AND id = $2")
            .bind(tx.tenant().uuid())
            .bind(id.uuid())
            .execute(tx.conn())
            .await?;
    if removed.rows_affected() == 0 {
        return Err(missing(id));
    }
    executions::look_again(tx).await
}

fn missing(id: BlackoutId) -> Error {
    Error::NotFound { what: "blackout window", id: id.to_string() }
}

fn taken(error: db::Error, name: &str) -> Error {
    if error.constraint() == Some("blackout_windows_name_key") {
        let found = format!("already called {name:?}");
        return Error::Conflict { what: "another window", found, wanted: "the same name again" };
    }
    error.into()
}
