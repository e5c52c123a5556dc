//! Looks for drift over HTTP: begun, told drift by drift, and ended.

mod told;

pub use told::told;

use api::lines::ImportOut;
use api::permission::{ReadFindings, WriteFindings};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem, object};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use model::Timestamp;
use model::id::{RepositoryId, ScanId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::import::{Importer, import};
use super::report::{ChangeTypeIn, DriftTypeIn};
use super::{answer, sized};
use crate::drift::compare::NotChecked;
use crate::drift::{self, ChangeType, DriftType, path};
use crate::scan::{self, Against};
use crate::store::{ignore, scan as store};

/// Properties one drift may have.
const MOST_CHANGES: usize = 1_000;
/// What a scan may leave out by name.
const MOST_NOT_CHECKED: usize = 10_000;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    object::routes::<DriftScan>()
        .routes(routes!(begin_scan))
        .routes(routes!(add_drifts))
        .routes(routes!(finish_scan))
}

object! {
    /// A look for drift: which source was compared with what, and what came of it.
    DriftScan (DriftScanIn, DriftScanOut) {
        word: "drift_scan", plural: "drift scans", path: "/drift-scans",
        table: "countersign.drift_scans", tag: "findings", verbs: Read,
        id: ScanId, read: ReadFindings, write: WriteFindings,
        example: {}
    }
    given {}
    kept {
        /// The source.
        #[schema(value_type = String)]
        iac_repository_id: RepositoryId => Id.filter();
        /// `running`, `finished`, or `abandoned` when another one began before it was over.
        state: String => Text.filter();
        /// What it was compared with: `provider`, `api`, `dry_run` or `document`.
        against: String => Text;
        /// How many resources differ.
        drifted: i32 => Integer;
        /// How many of these findings were new.
        opened: i32 => Integer;
        /// How many are as declared, once it is over.
        in_sync: Option<i32> => Integer;
        /// How many findings it closed, once it is over: what drifted before and no longer does.
        closed: Option<i32> => Integer;
        /// What could not be looked at: `type`, `id`, `why`, `failed`.
        #[schema(value_type = Vec<Object>)]
        not_checked: Value => Json;
        /// What else it has to say: that who changed something is not known, and why.
        remark: Option<String> => Text;
        /// When it began.
        started_at: Timestamp => Time.age();
        /// When it was over.
        finished_at: Option<Timestamp> => Time;
    }
    check(_wanted) { Ok(()) }
}

/// A scan to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "iac_repository_id": "rep_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b", "against": "provider"
}))]
pub(super) struct BeginIn {
    /// The source that declares.
    #[schema(value_type = String)]
    iac_repository_id: RepositoryId,
    /// What its declarations are compared with: `provider`, `api`, `dry_run` or `document`.
    #[schema(value_type = String, example = "provider")]
    against: Against,
}

/// A scan that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BegunOut {
    /// Its id.
    #[schema(value_type = String)]
    id: ScanId,
}

/// A property that a scan found to differ.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScannedChangeIn {
    /// Where.
    #[schema(min_length = 1, max_length = 2000)]
    property_path: String,
    /// How it differs.
    change_type: ChangeTypeIn,
    /// What is declared.
    declared_value: Option<Value>,
    /// What is there.
    actual_value: Option<Value>,
}

/// A resource that a scan found to differ. How bad that is follows from it here.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "address": "aws_security_group.web", "type": "aws_security_group", "id": "sg-0a1b2c",
    "drift_type": "modified", "changes": [{
        "property_path": "ingress[tcp 22 22]", "change_type": "added",
        "actual_value": {"cidr_blocks": ["0.0.0.0/0"]}
    }]
}))]
pub(super) struct ScannedIn {
    /// What the declaration calls it; what the provider calls it where nothing declares it.
    #[schema(min_length = 1, max_length = 1000)]
    address: String,
    /// Its type, in the declaration's language.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 100)]
    kind: String,
    /// What the provider calls it.
    #[schema(max_length = 1000)]
    id: Option<String>,
    /// How it differs.
    drift_type: DriftTypeIn,
    /// The properties that do.
    #[serde(default)]
    changes: Vec<ScannedChangeIn>,
    /// What is declared.
    #[schema(value_type = Option<Object>)]
    declared_state: Option<Value>,
    /// What is there.
    #[schema(value_type = Option<Object>)]
    actual_state: Option<Value>,
}

impl ScannedIn {
    fn drift(self) -> Answer<drift::Drift> {
        sized("/address", &self.address, 1..=1000)?;
        sized("/type", &self.kind, 1..=100)?;
        self.id.as_deref().map_or(Ok(()), |id| sized("/id", id, 1..=1000))?;
        for (path, state) in
            [("/declared_state", &self.declared_state), ("/actual_state", &self.actual_state)]
        {
            state.as_ref().map_or(Ok(()), |state| api::check::object(path, state))?;
        }
        if self.changes.len() > MOST_CHANGES {
            let message = format!("may have at most {MOST_CHANGES} entries");
            return Err(Problem::invalid("/changes", "length", message));
        }
        let changes = self.changes.into_iter().enumerate().map(|(at, change)| {
            let place = format!("/changes/{at}");
            sized(&format!("{place}/property_path"), &change.property_path, 1..=2000)?;
            for (name, value) in
                [("declared_value", &change.declared_value), ("actual_value", &change.actual_value)]
            {
                let path = format!("{place}/{name}");
                value.as_ref().map_or(Ok(()), |value| api::check::document(&path, value))?;
            }
            Ok(drift::Change {
                steps: path::parse(&change.property_path),
                path: change.property_path,
                change: match change.change_type {
                    ChangeTypeIn::Modified => ChangeType::Modified,
                    ChangeTypeIn::Added => ChangeType::Added,
                    ChangeTypeIn::Removed => ChangeType::Removed,
                },
                declared: change.declared_value,
                actual: change.actual_value,
            })
        });
        Ok(drift::Drift {
            address: self.address,
            kind: self.kind,
            id: self.id,
            drift: match self.drift_type {
                DriftTypeIn::Modified => DriftType::Modified,
                DriftTypeIn::Deleted => DriftType::Deleted,
                DriftTypeIn::Added => DriftType::Added,
                DriftTypeIn::Moved => DriftType::Moved,
            },
            changes: changes.collect::<Answer<_>>()?,
            declared: self.declared_state,
            actual: self.actual_state,
        })
    }
}

/// Something that could not be looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NotCheckedIn {
    /// The type of resources.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 100)]
    kind: String,
    /// One resource by its address or id; all of the type when absent.
    #[schema(max_length = 1000)]
    id: Option<String>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 1000)]
    why: String,
    /// Whether reading it was tried and failed.
    #[serde(default)]
    failed: bool,
}

/// How a scan ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "in_sync": 41, "not_checked": [{"type": "aws_kms_key", "why": "AccessDenied", "failed": true}]
}))]
pub(super) struct FinishIn {
    /// How many resources are as declared.
    in_sync: u32,
    /// What could not be looked at: nothing is said of it, and nothing of it is closed.
    #[serde(default)]
    not_checked: Vec<NotCheckedIn>,
    /// The types of which what nothing declares was looked for; `*` is all of them. Only of these
    /// what was undeclared before and was not seen again is closed.
    #[serde(default)]
    undeclared: Vec<String>,
    /// What else there is to say.
    #[schema(max_length = 1000)]
    remark: Option<String>,
}

/// What could not be looked at, checked.
fn not_checked(told: Vec<NotCheckedIn>) -> Answer<Vec<NotChecked>> {
    if told.len() > MOST_NOT_CHECKED {
        let message = format!("may have at most {MOST_NOT_CHECKED} entries");
        return Err(Problem::invalid("/not_checked", "length", message));
    }
    let checked = told.into_iter().enumerate().map(|(at, not)| {
        let place = format!("/not_checked/{at}");
        sized(&format!("{place}/type"), &not.kind, 1..=100)?;
        sized(&format!("{place}/why"), &not.why, 0..=1000)?;
        not.id.as_deref().map_or(Ok(()), |id| sized(&format!("{place}/id"), id, 1..=1000))?;
        Ok(NotChecked { kind: not.kind, id: not.id, why: not.why, failed: not.failed })
    });
    checked.collect()
}

fn remarked(remark: Option<&str>) -> Answer<()> {
    remark.map_or(Ok(()), |remark| sized("/remark", remark, 0..=1000))
}

/// What a scan came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FinishedOut {
    /// How many findings it closed.
    closed: usize,
}

/// A scan that is held, or the problem with it.
pub(super) fn held(found: Result<Option<scan::Scan>, db::Error>) -> Answer<scan::Scan> {
    answer("drift scan", found)?.ok_or_else(|| {
        Problem::conflict("scan_over", "the scan is over: another one began, or it was ended")
    })
}

/// Begin a look for drift; one of the same source that runs is given up.
#[utoipa::path(post, path = "/drift-scans", tag = "findings", request_body = BeginIn,
    responses((status = 201, body = BegunOut), (status = "4XX", body = Problem)))]
async fn begin_scan(
    State(app): State<App>,
    caller: Can<WriteFindings>,
    Body(wanted): Body<BeginIn>,
) -> Answer<(StatusCode, Json<BegunOut>)> {
    let mut change = Change::begin(&app, &caller).await?;
    let begun = store::begin(&mut change, wanted.iac_repository_id, wanted.against).await;
    let missing = |error: db::Error| match error.kind() {
        db::Kind::NotFound => Problem::invalid(
            "/iac_repository_id",
            "no_such_reference",
            "the drift scan refers to what is not there",
        ),
        _ => error.into(),
    };
    let id = begun.map_err(missing)?.id;
    let event = change
        .event("drift_scan.begun", "drift_scan", &id)
        .with("iac_repository_id", wanted.iac_repository_id.to_string())
        .with("against", wanted.against.word());
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(BegunOut { id })))
}

/// Tell a running scan what drifted, a line of JSON each (NDJSON).
///
/// Each becomes a finding, or is the finding it was before, unless a rule of the tenant's says that
/// it does not count. Lines that are refused keep no other
/// from being kept.
#[utoipa::path(post, path = "/drift-scans/{id}/drifts", tag = "findings",
    params(("id" = String, Path, description = "The scan")),
    request_body(content = ScannedIn, content_type = "application/x-ndjson",
        description = "One of these in each line"),
    responses((status = 200, body = ImportOut), (status = "4XX", body = Problem)))]
async fn add_drifts(
    State(app): State<App>,
    caller: Can<WriteFindings>,
    Path(id): Path<ScanId>,
    request: Request,
) -> Answer<Json<ImportOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let of = held(store::hold(&mut tx, id).await)?;
    let ignored = ignore::active(&mut tx, of.repository).await?;
    drop(tx);
    let read =
        |line: ScannedIn| Ok(ignored.left(line.drift()?).map(|drift| scan::finding(&of, &drift)));
    Box::pin(import(&Importer::new(&app, &caller, Some(of)), request, read)).await.map(Json)
}

/// End a scan: what drifted before and was not seen again is closed.
#[utoipa::path(post, path = "/drift-scans/{id}/finish", tag = "findings", request_body = FinishIn,
    params(("id" = String, Path, description = "The scan")),
    responses((status = 200, body = FinishedOut), (status = "4XX", body = Problem)))]
async fn finish_scan(
    State(app): State<App>,
    caller: Can<WriteFindings>,
    Path(id): Path<ScanId>,
    Body(wanted): Body<FinishIn>,
) -> Answer<Json<FinishedOut>> {
    let not_checked = not_checked(wanted.not_checked)?;
    if wanted.undeclared.len() > MOST_NOT_CHECKED {
        let message = format!("may have at most {MOST_NOT_CHECKED} entries");
        return Err(Problem::invalid("/undeclared", "length", message));
    }
    remarked(wanted.remark.as_deref())?;
    for (at, kind) in wanted.undeclared.iter().enumerate() {
        sized(&format!("/undeclared/{at}"), kind, 1..=100)?;
    }
    let mut change = Change::begin(&app, &caller).await?;
    let of = held(store::hold(&mut change, id).await)?;
    let looked = store::Looked {
        in_sync: wanted.in_sync,
        not_checked: &not_checked,
        undeclared: &wanted.undeclared,
        remark: wanted.remark.as_deref(),
    };
    let closed = store::finish(&mut change, &of, looked).await?;
    let told: Vec<String> = closed.iter().take(100).map(ToString::to_string).collect();
    let event = change
        .event("drift_scan.finished", "drift_scan", &id)
        .with("iac_repository_id", of.repository.to_string())
        .with("in_sync", u64::from(wanted.in_sync))
        .with("not_checked", not_checked.len() as u64)
        .with("closed", closed.len() as u64)
        .with("closed_findings", json!(told));
    change.commit(event).await?;
    Ok(Json(FinishedOut { closed: closed.len() }))
}
