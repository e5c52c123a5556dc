//! The catalogue of the archive over HTTP, and copies for reading.

use api::permission::{ReadRetention, WriteRetention};
use api::problem::Answer;
use api::{App, Caller, Can, PageOut, Paging, Problem, check};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use model::Digest;
use model::id::ArchiveId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::error::Error;
use crate::run::{Archiver, Done};
use crate::store::catalogue::{self, Filter, Piece};
use crate::store::copies;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_archives))
        .routes(routes!(run_archive))
        .routes(routes!(show_archive))
        .routes(routes!(restore_archive))
        .routes(routes!(read_copy, remove_copy))
}

/// Which pieces are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FilterIn {
    /// Only of this kind: `findings`, `changes`, `audit_events`.
    #[param(max_length = 64)]
    subject: Option<String>,
    /// Only those that hold this thing: its bare UUID, or with its prefix.
    #[param(max_length = 64)]
    holds: Option<String>,
}

fn filter(query: Result<Query<FilterIn>, QueryRejection>) -> Answer<Filter> {
    let Query(wanted) =
        query.map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
    if let Some(subject) = &wanted.subject {
        check::plain("query.subject", subject, 64, "_")?;
    }
    let holds = wanted.holds.as_deref().map(|text| {
        let bare = text.split_once('_').map_or(text, |(_, bare)| bare);
        Uuid::try_parse(bare)
            .map_err(|_| Problem::invalid("query.holds", "not_an_id", "must be the id of a thing"))
    });
    Ok(Filter { subject: wanted.subject, holds: holds.transpose()? })
}

/// A piece of the archive.
#[derive(Debug, Serialize, ToSchema)]
struct ArchiveOut {
    /// Its id.
    #[schema(value_type = String, example = "arc_0190a6c2-7b5e-7000-8000-000000000001")]
    id: ArchiveId,
    /// Of which kind its things are.
    #[schema(example = "findings")]
    subject: String,
    /// Of which class.
    #[schema(example = "findings")]
    class: String,
    /// `planned`, `stored` once the object was read back, `removed` once its rows left.
    #[schema(example = "removed")]
    state: String,
    /// Where the object is in the store.
    object: String,
    /// Its SHA-256, in hexadecimal digits.
    sha256: Option<String>,
    /// Its size, in bytes.
    bytes: Option<i64>,
    /// How many rows it holds.
    rows: Option<i64>,
    /// How many of each table.
    #[schema(value_type = Object)]
    tables: serde_json::Value,
    /// Of the log: the first place, and the one after the last.
    places: Option<[i64; 2]>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    planned_at: model::Timestamp,
    /// When the object was read back.
    #[schema(value_type = Option<String>, format = DateTime)]
    stored_at: Option<model::Timestamp>,
    /// When its rows left the database.
    #[schema(value_type = Option<String>, format = DateTime)]
    removed_at: Option<model::Timestamp>,
    /// Until when a copy is here for reading.
    #[schema(value_type = Option<String>, format = DateTime)]
    restored_until: Option<model::Timestamp>,
}

fn out(piece: Piece) -> ArchiveOut {
    let digest = piece.sha256.as_deref().and_then(|bytes| Digest::try_from(bytes).ok());
    ArchiveOut {
        id: piece.archive_id(),
        subject: piece.subject,
        class: piece.class,
        state: piece.state,
        object: piece.object_key,
        sha256: digest.map(|digest| digest.to_string()),
        bytes: piece.size_bytes,
        rows: piece.row_count,
        tables: piece.row_counts,
        places: piece.first_seq.zip(piece.end_seq).map(|(first, end)| [first, end]),
        planned_at: piece.planned_at.to_jiff(),
        stored_at: piece.stored_at.map(jiff_sqlx::Timestamp::to_jiff),
        removed_at: piece.removed_at.map(jiff_sqlx::Timestamp::to_jiff),
        restored_until: piece.restored_until.map(jiff_sqlx::Timestamp::to_jiff),
    }
}

/// List the pieces of the archive, newest first.
#[utoipa::path(get, path = "/archives", tag = "retention",
    params(api::page::PagingIn, FilterIn),
    responses((status = 200, body = PageOut<ArchiveOut>), (status = "4XX", body = Problem)))]
async fn list_archives(
    State(app): State<App>,
    caller: Can<ReadRetention>,
    Paging(page): Paging,
    query: Result<Query<FilterIn>, QueryRejection>,
) -> Answer<Json<PageOut<ArchiveOut>>> {
    let filter = filter(query)?;
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(catalogue::list(&mut tx, &filter, &page).await?, out)))
}

/// Show a piece of the archive.
#[utoipa::path(get, path = "/archives/{id}", tag = "retention",
    params(("id" = String, Path, description = "The piece")),
    responses((status = 200, body = ArchiveOut), (status = "4XX", body = Problem)))]
async fn show_archive(
    State(app): State<App>,
    caller: Can<ReadRetention>,
    Path(id): Path<ArchiveId>,
) -> Answer<Json<ArchiveOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(out(catalogue::one(&mut tx, id).await?)))
}

fn archiver(app: &App, caller: &Caller) -> Archiver {
    Archiver {
        who: (&caller.actor).into(),
        origin: caller.origin.clone(),
        ..Archiver::new(app.db.clone(), app.objects.clone())
    }
}

/// What a run did.
#[derive(Debug, Serialize, ToSchema)]
struct DoneOut {
    /// Pieces put into the store and read back.
    stored: u64,
    /// Rows in them.
    rows: u64,
    /// Pieces whose rows left the database.
    removed: u64,
    /// Rows deleted without a copy: conversations and notifications.
    deleted: u64,
}

/// Archive now what is due; the server does it every hour.
#[utoipa::path(post, path = "/archives/run", tag = "retention",
    responses((status = 200, body = DoneOut), (status = "4XX", body = Problem)))]
async fn run_archive(State(app): State<App>, caller: Can<WriteRetention>) -> Answer<Json<DoneOut>> {
    let Some(_leading) = app.db.lead(crate::run::LEADER).await? else {
        return Err(Error::Busy.into());
    };
    let Done { stored, rows, removed, deleted, months: _ } =
        archiver(&app, &caller).tenant(caller.tenant()).await?;
    Ok(Json(DoneOut { stored, rows, removed, deleted }))
}

/// A copy for reading.
#[derive(Debug, Serialize, ToSchema)]
struct RestoredOut {
    /// The piece it is of.
    #[schema(value_type = String, example = "arc_0190a6c2-7b5e-7000-8000-000000000001")]
    id: ArchiveId,
    /// How many rows it has.
    rows: u64,
    /// Until when it stays.
    #[schema(value_type = String, format = DateTime)]
    until: model::Timestamp,
}

/// Bring a copy of a piece back for reading, for seven days.
///
/// It never goes into the tables it came from. An object that is not what was put into the store is
/// refused and named.
#[utoipa::path(post, path = "/archives/{id}/restore", tag = "retention",
    params(("id" = String, Path, description = "The piece")),
    responses((status = 200, body = RestoredOut), (status = "4XX", body = Problem)))]
async fn restore_archive(
    State(app): State<App>,
    caller: Can<WriteRetention>,
    Path(id): Path<ArchiveId>,
) -> Answer<Json<RestoredOut>> {
    let restored = archiver(&app, &caller).restore(caller.tenant(), id).await?;
    Ok(Json(RestoredOut { id, rows: restored.rows, until: restored.until }))
}

/// Which rows of a copy are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RowsIn {
    /// Only of this table.
    #[param(max_length = 64)]
    table: Option<String>,
    /// From this number on; 0 when absent.
    #[param(minimum = 0)]
    from: Option<i64>,
    /// How many at most: 1 to 1000, 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
}

/// A row of a copy.
#[derive(Debug, Serialize, ToSchema)]
struct RowOut {
    /// Its number in the copy.
    n: i64,
    /// The table it was of.
    #[schema(example = "findings")]
    table: String,
    /// The row, column by column.
    #[schema(value_type = Object)]
    row: serde_json::Value,
}

/// Read a copy of a piece, row by row.
#[utoipa::path(get, path = "/archives/{id}/rows", tag = "retention",
    params(("id" = String, Path, description = "The piece"), RowsIn),
    responses((status = 200, body = Vec<RowOut>), (status = "4XX", body = Problem)))]
async fn read_copy(
    State(app): State<App>,
    caller: Can<ReadRetention>,
    Path(id): Path<ArchiveId>,
    query: Result<Query<RowsIn>, QueryRejection>,
) -> Answer<Json<Vec<RowOut>>> {
    let Query(wanted) =
        query.map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
    if let Some(table) = &wanted.table {
        check::plain("query.table", table, 64, "_")?;
    }
    let (from, most) = (wanted.from.unwrap_or(0), wanted.limit.unwrap_or(100));
    if from < 0 {
        return Err(Problem::invalid("query.from", "out_of_range", "must be 0 or more"));
    }
    if !(1..=1_000).contains(&most) {
        return Err(Problem::invalid("query.limit", "out_of_range", "must be 1 to 1000"));
    }
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let piece = catalogue::one(&mut tx, id).await?;
    if piece.restored_until.is_none() {
        return Err(Problem::conflict("not_restored", "there is no copy: restore the piece first"));
    }
    let rows = copies::read(&mut tx, id, wanted.table.as_deref(), from, most).await?;
    let out = rows.into_iter().map(|row| RowOut { n: row.n, table: row.table_name, row: row.row });
    Ok(Json(out.collect()))
}

/// Remove a copy before its time.
#[utoipa::path(delete, path = "/archives/{id}/rows", tag = "retention",
    params(("id" = String, Path, description = "The piece")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn remove_copy(
    State(app): State<App>,
    caller: Can<WriteRetention>,
    Path(id): Path<ArchiveId>,
) -> Answer<StatusCode> {
    archiver(&app, &caller).forget(caller.tenant(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
