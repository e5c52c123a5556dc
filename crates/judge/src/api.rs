//! Policy bundles and the action table over HTTP.

mod advice;
mod label;
mod provider_policy;
mod shipped;

use std::collections::BTreeMap;

use ::api::permission::{ReadPolicy, WritePolicy};
use ::api::problem::{Answer, FieldFault};
use ::api::{App, Body, Can, Change, Problem, object};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::id::BundleId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::action::Table;
use crate::policy::{self, Bundle, PolicyProblem, TestOutcome};
use crate::store::bundles::Stored;
use crate::store::{Error, bundles};

/// The largest bundle, in files.
const MAX_FILES: usize = 100;
/// Bundles listed at most.
const MAX_LISTED: u32 = 200;

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_bundles, upload_bundle))
        .routes(routes!(shipped::get_shipped_bundle))
        .routes(routes!(shipped::test_shipped_bundle))
        .routes(routes!(get_bundle))
        .routes(routes!(activate_bundle))
        .routes(routes!(test_bundle))
        .routes(routes!(list_actions))
        .routes(routes!(label::label_cause))
        .merge(object::routes::<advice::Cause>())
        .merge(object::routes::<advice::Recommendation>())
        .merge(object::routes::<provider_policy::ProviderPolicy>())
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => error.into(),
            Error::NoBundle(_) => Self::not_found("policy bundle"),
            Error::NoAssessment(_) => Self::not_found("risk assessment"),
            Error::Unusable { ref problems, .. } => {
                let mut problem = Self::conflict("policy_unusable", error.to_string());
                problem.errors = faults(problems);
                problem
            }
            Error::Altered(_) | Error::Unreadable { .. } => Self::internal(&error),
        }
    }
}

/// A problem in a bundle, with its file, line and column in the path.
fn faults(problems: &[PolicyProblem]) -> Vec<FieldFault> {
    problems
        .iter()
        .map(|problem| FieldFault {
            path: format!("/files/{}:{}:{}", problem.file, problem.line, problem.column),
            code: "policy".to_owned(),
            message: problem.message.clone(),
        })
        .collect()
}

/// A policy bundle.
#[derive(Debug, Serialize, ToSchema)]
pub struct BundleOut {
    /// The bundle.
    #[schema(value_type = String)]
    id: BundleId,
    /// What it is called.
    #[schema(example = "default")]
    name: String,
    /// Its version under that name.
    version: i32,
    /// SHA-256 over its canonical form; decisions and approvals are bound to it.
    hash: String,
    /// Since when it decides; the newest such bundle of the tenant does.
    #[schema(value_type = Option<String>, format = DateTime)]
    active_from: Option<model::Timestamp>,
    /// When it was uploaded.
    #[schema(value_type = String, format = DateTime)]
    created_at: model::Timestamp,
}

impl From<Stored> for BundleOut {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            name: stored.name,
            version: stored.version,
            hash: stored.hash.to_string(),
            active_from: stored.active_from,
            created_at: stored.created_at,
        }
    }
}

/// List policy bundles, newest first. Where none is active the shipped one decides.
#[utoipa::path(get, path = "/policies", tag = "policy",
    responses((status = 200, body = Vec<BundleOut>), (status = "4XX", body = Problem)))]
async fn list_bundles(
    State(app): State<App>,
    caller: Can<ReadPolicy>,
) -> Answer<Json<Vec<BundleOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let stored = bundles::list(&mut tx, MAX_LISTED).await?;
    Ok(Json(stored.into_iter().map(BundleOut::from).collect()))
}

/// A bundle to upload.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleIn {
    /// What it is called.
    #[schema(example = "default", min_length = 1, max_length = 100)]
    name: String,
    /// Its files: path to Rego.
    #[schema(example = json!({"policy.rego": "package policy.assistant.v1\n"}))]
    files: BTreeMap<String, String>,
}

/// Upload a policy bundle. What the engine does not support is refused with line and column.
#[utoipa::path(post, path = "/policies", tag = "policy", request_body = BundleIn,
    responses((status = 201, body = BundleOut), (status = "4XX", body = Problem)))]
async fn upload_bundle(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Body(wanted): Body<BundleIn>,
) -> Answer<(StatusCode, Json<BundleOut>)> {
    if !(1..=100).contains(&wanted.name.chars().count()) {
        return Err(Problem::invalid("/name", "length", "must have 1 to 100 characters"));
    }
    if wanted.files.is_empty() || wanted.files.len() > MAX_FILES {
        let message = format!("must be 1 to {MAX_FILES} files");
        return Err(Problem::invalid("/files", "length", message));
    }
    let bundle = Bundle::compile(wanted.files).map_err(|problems| {
        Problem::invalid_fields("the bundle cannot be used", faults(&problems))
    })?;
    let mut change = Change::begin(&app, &caller).await?;
    let stored = bundles::upload(&mut change, &wanted.name, &bundle, Some(caller.actor.id)).await?;
    let event = change
        .event("policy.uploaded", "policy_bundle", &stored.id)
        .with("name", stored.name.clone())
        .with("version", stored.version)
        .with("hash", stored.hash.to_string());
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(stored.into())))
}

/// Show a bundle's files.
#[utoipa::path(get, path = "/policies/{id}", tag = "policy",
    params(("id" = String, Path, description = "The bundle")),
    responses((status = 200, body = BTreeMap<String, String>), (status = "4XX", body = Problem)))]
async fn get_bundle(
    State(app): State<App>,
    caller: Can<ReadPolicy>,
    Path(id): Path<BundleId>,
) -> Answer<Json<BTreeMap<String, String>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(bundles::files(&mut tx, id).await?))
}

/// One test of a bundle's.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestOut {
    /// The file.
    file: String,
    /// The line its rule starts on.
    line: u32,
    /// Its name.
    name: String,
    /// Whether it passed.
    passed: bool,
    /// Why it could not be evaluated.
    message: Option<String>,
}

fn tested(bundle: &Bundle) -> Vec<TestOut> {
    policy::test(bundle)
        .into_iter()
        .map(|result| TestOut {
            file: result.file,
            line: result.line,
            name: result.name,
            passed: result.outcome == TestOutcome::Passed,
            message: match result.outcome {
                TestOutcome::Broken { message } => Some(message),
                TestOutcome::Passed | TestOutcome::Failed => None,
            },
        })
        .collect()
}

async fn load(app: &App, caller: &::api::Caller, id: BundleId) -> Answer<Bundle> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let files = bundles::files(&mut tx, id).await?;
    Bundle::compile(files).map_err(|problems| Error::Unusable { id, problems }.into())
}

/// Run a bundle's own tests.
#[utoipa::path(post, path = "/policies/{id}/test", tag = "policy",
    params(("id" = String, Path, description = "The bundle")),
    responses((status = 200, body = Vec<TestOut>), (status = "4XX", body = Problem)))]
async fn test_bundle(
    State(app): State<App>,
    caller: Can<ReadPolicy>,
    Path(id): Path<BundleId>,
) -> Answer<Json<Vec<TestOut>>> {
    let bundle = load(&app, &caller, id).await?;
    Ok(Json(tested(&bundle)))
}

/// Let a bundle decide from now on. Its own tests must pass.
#[utoipa::path(post, path = "/policies/{id}/activate", tag = "policy",
    params(("id" = String, Path, description = "The bundle")),
    responses((status = 200, body = BundleOut), (status = "4XX", body = Problem)))]
async fn activate_bundle(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Path(id): Path<BundleId>,
) -> Answer<Json<BundleOut>> {
    let bundle = load(&app, &caller, id).await?;
    let failed: Vec<_> = tested(&bundle).into_iter().filter(|test| !test.passed).collect();
    if !failed.is_empty() {
        let names: Vec<_> = failed.iter().map(|test| test.name.as_str()).collect();
        return Err(Problem::conflict(
            "policy_tests_failed",
            format!("the bundle's own tests fail: {}", names.join(", ")),
        ));
    }
    let mut change = Change::begin(&app, &caller).await?;
    let stored = bundles::activate(&mut change, id).await?;
    let event = change
        .event("policy.activated", "policy_bundle", &id)
        .with("hash", stored.hash.to_string());
    change.commit(event).await?;
    Ok(Json(stored.into()))
}

/// One row of the action table.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionOut {
    /// The typed action.
    #[schema(example = "host.service.restart")]
    action: String,
    /// Its tier.
    #[schema(example = "medium")]
    tier: String,
    /// The risk category it teaches.
    category: String,
    /// `read` or `write`.
    kind: String,
    /// What it does.
    description: String,
}

/// List the typed actions; what is not listed counts as high.
#[utoipa::path(get, path = "/actions", tag = "policy",
    responses((status = 200, body = Vec<ActionOut>), (status = "4XX", body = Problem)))]
async fn list_actions(_caller: Can<ReadPolicy>) -> Json<Vec<ActionOut>> {
    let rows = Table::shipped().rows().map(|(key, action)| ActionOut {
        action: key.to_owned(),
        tier: action.tier.word().to_owned(),
        category: action.category.word().to_owned(),
        kind: action.kind.word().to_owned(),
        description: action.description.clone(),
    });
    Json(rows.collect())
}
