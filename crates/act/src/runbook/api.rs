//! Runbooks over HTTP: import, export, lint, versions, status.

mod shipped;

use api::object::Wanted;
use api::permission::{ReadRunbooks, WriteRunbooks};
use api::problem::{Answer, FieldFault};
use api::{App, Body, Can, Change, PageOut, Problem, listed};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use model::Digest;
use model::id::{ActorId, RunbookId};
use model::intent::ExecutionMode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::status::Status;
use super::store::{self, Change as Imported};
use super::{lint, problem};

/// The routes of runbooks.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_runbooks, import_runbook))
        .routes(routes!(lint_runbook))
        .routes(routes!(shipped::list_shipped_runbooks))
        .routes(routes!(get_runbook))
        .routes(routes!(export_runbook))
        .routes(routes!(list_versions))
        .routes(routes!(get_version))
        .routes(routes!(set_status))
}

/// A runbook in a list.
#[derive(Debug, Serialize, ToSchema)]
struct SummaryOut {
    /// Its id.
    #[schema(value_type = String)]
    id: RunbookId,
    /// Its name, unique.
    name: String,
    /// What it is for.
    description: String,
    /// A label to group by.
    category: String,
    /// `auto`, `semi_auto` or `manual`.
    mode: String,
    /// `draft`, `active` or `disabled`.
    status: String,
    /// `linux` or `windows`.
    target_os: String,
    /// Its current version.
    version: u32,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: model::Timestamp,
    /// How often it ran in the last 30 days: what began, however it went on.
    runs: u64,
    /// How many of these ended as wanted, verified.
    completed: u64,
    /// How many of these ended otherwise: failed, too late, undone or not to be undone.
    failed: u64,
    /// When it last began, within these days; none when it did not.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_run_at: Option<model::Timestamp>,
}

fn summary_out(summary: store::Summary) -> SummaryOut {
    SummaryOut {
        id: summary.id,
        name: summary.name,
        description: summary.description,
        category: summary.category,
        mode: summary.mode.to_string(),
        status: summary.status.to_string(),
        target_os: summary.target_os.to_string(),
        version: summary.version,
        updated_at: summary.updated_at,
        runs: summary.figures.runs,
        completed: summary.figures.completed,
        failed: summary.figures.failed,
        last_run_at: summary.figures.last_run_at,
    }
}

/// A runbook.
#[derive(Debug, Serialize, ToSchema)]
struct RunbookOut {
    /// Its id.
    #[schema(value_type = String)]
    id: RunbookId,
    /// Its current version.
    version: u32,
    /// The document, key by key; defaults are left out.
    #[schema(value_type = Object)]
    document: super::Runbook,
    /// When it was first imported.
    #[schema(value_type = String, format = DateTime)]
    created_at: model::Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: model::Timestamp,
}

fn runbook_out(stored: store::Stored) -> RunbookOut {
    RunbookOut {
        id: stored.id,
        version: stored.version,
        document: stored.runbook,
        created_at: stored.created_at,
        updated_at: stored.updated_at,
    }
}

/// A document to import.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportIn {
    /// The runbook as YAML.
    #[schema(example = "name: uptime\nsteps:\n  - name: Look\n    command: uptime\n")]
    yaml: String,
    /// What changed, in words.
    #[serde(default)]
    #[schema(max_length = 1000)]
    change_summary: String,
    /// The version the document was made from, 0 where there was none of its name. When another is
    /// stored by now, the import is refused (`changed`); absent, whatever is stored is replaced.
    #[schema(minimum = 0, example = 3)]
    base_version: Option<u32>,
}

/// A document to judge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LintIn {
    /// The runbook as YAML.
    yaml: String,
}

/// Something wrong with a document.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemOut {
    /// `error` or `warning`.
    weight: String,
    /// Where in the document, as a JSON pointer.
    path: String,
    /// The line, from 1.
    line: u32,
    /// The column, from 1.
    column: u32,
    /// A stable word for it.
    code: String,
    /// What is wrong.
    message: String,
    /// What to write instead.
    hint: Option<String>,
}

fn problem_out(found: problem::Problem) -> ProblemOut {
    ProblemOut {
        weight: if found.refuses() { "error" } else { "warning" }.to_owned(),
        path: found.path,
        line: found.line,
        column: found.column,
        code: found.code.to_owned(),
        message: found.message,
        hint: found.hint,
    }
}

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
struct RunbookImportOut {
    /// The runbook.
    #[schema(value_type = String)]
    id: RunbookId,
    /// Its version now.
    version: u32,
    /// `created`, `changed` or `unchanged`.
    change: String,
    /// What deserves a look.
    warnings: Vec<ProblemOut>,
}

/// What lint says.
#[derive(Debug, Serialize, ToSchema)]
struct LintOut {
    /// Whether the document would be imported.
    accepted: bool,
    /// Errors first.
    problems: Vec<ProblemOut>,
}

/// One version of a runbook.
#[derive(Debug, Serialize, ToSchema)]
struct VersionOut {
    /// Its number, from 1.
    version: u32,
    /// The document as imported.
    yaml: String,
    /// What changed, in words.
    change_summary: String,
    /// Who imported it.
    #[schema(value_type = String)]
    created_by: ActorId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: model::Timestamp,
}

fn version_out(version: store::Version) -> VersionOut {
    VersionOut {
        version: version.version,
        yaml: version.yaml,
        change_summary: version.change_summary,
        created_by: version.created_by,
        created_at: version.created_at,
    }
}

/// The status a runbook is to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StatusIn {
    /// `draft`, `active` or `disabled`.
    #[schema(value_type = String, example = "active")]
    status: Status,
}

listed! {
    /// Which runbooks are wanted.
    Runbooks: store::LISTED, "status": Status, "mode": ExecutionMode,
}

/// List runbooks, newest first unless sorted.
#[utoipa::path(get, path = "/runbooks", tag = "runbooks",
    params(Runbooks),
    responses((status = 200, body = PageOut<SummaryOut>), (status = "4XX", body = Problem)))]
async fn list_runbooks(
    State(app): State<App>,
    caller: Can<ReadRunbooks>,
    Wanted(wanted, _): Wanted<Runbooks>,
) -> Answer<Json<PageOut<SummaryOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let found = store::list(&mut tx, &wanted).await.map_err(answer)?;
    Ok(Json(PageOut::of(found, summary_out)))
}

/// Import a runbook: the one of its name becomes what the document says.
///
/// Nobody overwrites what they have not seen: `base_version` says which version was.
#[utoipa::path(post, path = "/runbooks", tag = "runbooks", request_body = ImportIn,
    responses((status = 201, body = RunbookImportOut), (status = 200, body = RunbookImportOut),
        (status = "4XX", body = Problem)))]
async fn import_runbook(
    State(app): State<App>,
    caller: Can<WriteRunbooks>,
    Body(wanted): Body<ImportIn>,
) -> Answer<(StatusCode, Json<RunbookImportOut>)> {
    if wanted.change_summary.chars().count() > 1_000 {
        let message = "may have at most 1000 characters";
        return Err(Problem::invalid("/change_summary", "length", message));
    }
    let mut change = Change::begin(&app, &caller).await?;
    let by = caller.actor.id;
    let (summary, base) = (&wanted.change_summary, wanted.base_version);
    let made =
        store::import_on(&mut change, &wanted.yaml, by, summary, base).await.map_err(answer)?;
    let (status, word) = match made.change {
        Imported::Created => (StatusCode::CREATED, "created"),
        Imported::Changed => (StatusCode::OK, "changed"),
        Imported::Unchanged => (StatusCode::OK, "unchanged"),
    };
    if made.change != Imported::Unchanged {
        let event = change
            .event("runbook.imported", "runbook", &made.id)
            .with("change", word)
            .with("version", made.version)
            .with("yaml_sha256", Digest::of(wanted.yaml.as_bytes()).to_string());
        change.commit(event).await?;
    }
    let warnings = made.warnings.into_iter().map(problem_out).collect();
    let out =
        RunbookImportOut { id: made.id, version: made.version, change: word.to_owned(), warnings };
    Ok((status, Json(out)))
}

/// Judge a document without importing it.
#[utoipa::path(post, path = "/runbooks/lint", tag = "runbooks", request_body = LintIn,
    responses((status = 200, body = LintOut), (status = "4XX", body = Problem)))]
async fn lint_runbook(
    _caller: Can<ReadRunbooks>,
    Body(wanted): Body<LintIn>,
) -> Answer<Json<LintOut>> {
    let (accepted, problems) = match lint::of_yaml(&wanted.yaml) {
        Ok((_, warnings)) => (true, warnings),
        Err(problems) => (false, problems),
    };
    let problems = problems.into_iter().map(problem_out).collect();
    Ok(Json(LintOut { accepted, problems }))
}

/// Show a runbook.
#[utoipa::path(get, path = "/runbooks/{id}", tag = "runbooks",
    params(("id" = String, Path, description = "The runbook")),
    responses((status = 200, body = RunbookOut), (status = "4XX", body = Problem)))]
async fn get_runbook(
    State(app): State<App>,
    caller: Can<ReadRunbooks>,
    Path(id): Path<RunbookId>,
) -> Answer<Json<RunbookOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(runbook_out(store::get(&mut tx, id).await.map_err(answer)?)))
}

/// Export a runbook as YAML.
#[utoipa::path(get, path = "/runbooks/{id}/yaml", tag = "runbooks",
    params(("id" = String, Path, description = "The runbook")),
    responses((status = 200, body = Object, content_type = "application/yaml"),
        (status = "4XX", body = Problem)))]
async fn export_runbook(
    State(app): State<App>,
    caller: Can<ReadRunbooks>,
    Path(id): Path<RunbookId>,
) -> Answer<impl IntoResponse> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let yaml = store::export(&mut tx, id).await.map_err(answer)?;
    Ok(([(header::CONTENT_TYPE, "application/yaml")], yaml))
}

/// List the versions of a runbook, newest first.
#[utoipa::path(get, path = "/runbooks/{id}/versions", tag = "runbooks",
    params(("id" = String, Path, description = "The runbook")),
    responses((status = 200, body = Vec<VersionOut>), (status = "4XX", body = Problem)))]
async fn list_versions(
    State(app): State<App>,
    caller: Can<ReadRunbooks>,
    Path(id): Path<RunbookId>,
) -> Answer<Json<Vec<VersionOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let versions = store::versions(&mut tx, id).await.map_err(answer)?;
    if versions.is_empty() {
        return Err(Problem::not_found("runbook"));
    }
    Ok(Json(versions.into_iter().map(version_out).collect()))
}

/// Show one version of a runbook.
#[utoipa::path(get, path = "/runbooks/{id}/versions/{version}", tag = "runbooks",
    params(("id" = String, Path, description = "The runbook"),
        ("version" = u32, Path, description = "The version, from 1")),
    responses((status = 200, body = VersionOut), (status = "4XX", body = Problem)))]
async fn get_version(
    State(app): State<App>,
    caller: Can<ReadRunbooks>,
    Path((id, version)): Path<(RunbookId, u32)>,
) -> Answer<Json<VersionOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let (_, found) = store::at_version(&mut tx, id, version).await.map_err(answer)?;
    Ok(Json(version_out(found)))
}

/// Set the status. Only a runbook with a verify step becomes active.
#[utoipa::path(put, path = "/runbooks/{id}/status", tag = "runbooks", request_body = StatusIn,
    params(("id" = String, Path, description = "The runbook")),
    responses((status = 200, body = RunbookOut), (status = "4XX", body = Problem)))]
async fn set_status(
    State(app): State<App>,
    caller: Can<WriteRunbooks>,
    Path(id): Path<RunbookId>,
    Body(wanted): Body<StatusIn>,
) -> Answer<Json<RunbookOut>> {
    let mut change = Change::begin(&app, &caller).await?;
    store::set_status(&mut change, id, wanted.status).await.map_err(answer)?;
    let now = store::get(&mut change, id).await.map_err(answer)?;
    let event = change
        .event("runbook.status_changed", "runbook", &id)
        .with("status", wanted.status.word())
        .with("version", now.version);
    change.commit(event).await?;
    Ok(Json(runbook_out(now)))
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        answer(error)
    }
}

/// A store's error as an answer. Faults of a document are faults of the field `yaml`, each with
/// its place in the document.
fn answer(error: store::Error) -> Problem {
    match error {
        store::Error::Invalid(problems) => {
            Problem::invalid_fields("the runbook is refused", problems.iter().map(fault).collect())
        }
        ref changed @ store::Error::Changed { .. } => {
            let message = changed.to_string();
            let mut problem = Problem::conflict("changed", message.clone());
            let (path, code) = ("/base_version".to_owned(), "changed".to_owned());
            problem.errors.push(FieldFault { path, code, message });
            problem
        }
        store::Error::NotReady(problems) => {
            let mut problem =
                Problem::conflict("not_ready", "the runbook cannot become active as it is");
            problem.errors = problems.iter().map(fault).collect();
            problem
        }
        store::Error::Database(db::Error::NotFound) => Problem::not_found("runbook"),
        store::Error::Database(error) if error.constraint() == Some("runbooks_name_key") => {
            Problem::conflict("already_there", "a runbook of this name was imported just now")
        }
        store::Error::Database(error) => error.into(),
        other @ (store::Error::Snapshot { .. } | store::Error::Emit(_)) => {
            Problem::internal(&other)
        }
    }
}

fn fault(problem: &problem::Problem) -> FieldFault {
    FieldFault {
        path: format!("/yaml#{}", problem.path),
        code: problem.code.to_owned(),
        message: problem.to_string(),
    }
}

#[cfg(test)]
mod tests;
