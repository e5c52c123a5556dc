//! Files of learned models, comparisons, and letting a model decide.

use ::api::body::{Body, parse, read_all};
use ::api::change::Change;
use ::api::permission::{ReadModels, WriteModels};
use ::api::problem::{Answer, Problem};
use ::api::{App, Can};
use axum::Json;
use axum::extract::{Path, Request, State};
use model::Digest;
use model::id::ModelId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::store::registry::{self, Registered};
use crate::training::artifact::Artifact;
use crate::training::champion::{Comparison, Refusal, refusals};

/// The largest file of a model, in bytes.
pub const MAX_ARTIFACT_BYTES: usize = 16 * 1024 * 1024;

/// What the registry has of a version now.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisteredOut {
    /// The version.
    #[schema(value_type = String)]
    id: ModelId,
    /// SHA-256 of its file.
    #[schema(value_type = Option<String>)]
    artifact_sha256: Option<Digest>,
    /// Whether it decides.
    is_active: bool,
    /// Why it may not; empty when it may. Absent when it was not compared.
    #[schema(value_type = Option<Vec<String>>, example = json!(["not_better"]))]
    refusals: Option<Vec<Refusal>>,
}

/// The file of a model.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArtifactDocument {
    /// What `countersign model train` or `import` wrote, as one text.
    artifact: String,
}

/// A comparison of a model with what decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparisonIn {
    /// The record that `countersign model evaluate --against` writes.
    #[schema(value_type = Object)]
    comparison: Value,
}

fn read(value: &Value) -> Answer<Comparison> {
    Comparison::deserialize(value)
        .map_err(|error| Problem::invalid("/comparison", "shape", error.to_string()))
}

/// Keep the file of a model, and its figures with it.
#[utoipa::path(put, path = "/models/{id}/artifact", tag = "learning",
    params(("id" = String, Path, description = "The version")), request_body = ArtifactDocument,
    responses((status = 200, body = RegisteredOut), (status = "4XX", body = Problem)))]
pub(super) async fn put_model_artifact(
    State(app): State<App>,
    caller: Can<WriteModels>,
    Path(id): Path<ModelId>,
    request: Request,
) -> Answer<Json<RegisteredOut>> {
    let bytes = read_all(request.into_body(), MAX_ARTIFACT_BYTES).await?;
    let wanted: ArtifactDocument = parse(&bytes, MAX_ARTIFACT_BYTES)?;
    let read = Artifact::read(&wanted.artifact);
    let artifact =
        read.map_err(|error| Problem::invalid("/artifact", "model", error.to_string()))?;
    // As we write it: another order of keys is no other model.
    let text = artifact.write().map_err(db::Error::internal)?;
    let mut change = Change::begin(&app, &caller).await?;
    let row = registry::lock(&mut change, id).await?;
    if row.is_active {
        let message = "the version decides at present; register another version";
        return Err(Problem::conflict("model_active", message));
    }
    fits(&row, &artifact)?;
    let sha256 = Digest::of(text.as_bytes());
    registry::keep_artifact(&mut change, id, &text, &figures(&artifact)).await?;
    let event =
        change.event("ml_model.artifact_kept", "ml_model", &id).with("sha256", sha256.to_string());
    change.commit(event).await?;
    let artifact_sha256 = Some(sha256);
    Ok(Json(RegisteredOut { id, artifact_sha256, is_active: false, refusals: None }))
}

/// The features and classes of a file are those the version is registered with.
fn fits(row: &Registered, artifact: &Artifact) -> Answer<()> {
    let classes = row.target_classes.as_ref().is_none_or(|classes| classes.0 == artifact.classes);
    if row.features.0 == artifact.features && classes {
        return Ok(());
    }
    let message = "the file has other features or classes than the version is registered with";
    Err(Problem::conflict("artifact_differs", message))
}

/// The figures a file carries, with what they were measured on; without that, none.
fn figures(artifact: &Artifact) -> Value {
    let Some(origin) = artifact.provenance() else { return json!({}) };
    let mut figures = json!(origin.report.held_out);
    figures["dataset_sha256"] = json!(origin.dataset_sha256);
    figures["split_id"] = json!(origin.split_id);
    figures["seed"] = json!(origin.seed);
    figures["date"] = json!(origin.date);
    figures["cross_validation"] = json!(origin.report.cross_validation);
    figures
}

/// The file of a model.
#[utoipa::path(get, path = "/models/{id}/artifact", tag = "learning",
    params(("id" = String, Path, description = "The version")),
    responses((status = 200, body = ArtifactDocument), (status = "4XX", body = Problem)))]
pub(super) async fn get_model_artifact(
    State(app): State<App>,
    caller: Can<ReadModels>,
    Path(id): Path<ModelId>,
) -> Answer<Json<ArtifactDocument>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let found = registry::artifact(&mut tx, id).await?;
    let (text, sha256) = found.ok_or_else(|| Problem::not_found("file of this model"))?;
    if Digest::of(text.as_bytes()).as_bytes().as_slice() != sha256 {
        return Err(db::Error::internal("a model's file is not the one that was kept").into());
    }
    Ok(Json(ArtifactDocument { artifact: text }))
}

/// Keep what a model was compared with; it may decide only then.
#[utoipa::path(put, path = "/models/{id}/comparison", tag = "learning",
    params(("id" = String, Path, description = "The version")), request_body = ComparisonIn,
    responses((status = 200, body = RegisteredOut), (status = "4XX", body = Problem)))]
pub(super) async fn put_model_comparison(
    State(app): State<App>,
    caller: Can<WriteModels>,
    Path(id): Path<ModelId>,
    Body(wanted): Body<ComparisonIn>,
) -> Answer<Json<RegisteredOut>> {
    let comparison = read(&wanted.comparison)?;
    let mut change = Change::begin(&app, &caller).await?;
    let row = registry::lock(&mut change, id).await?;
    if row.is_active {
        let message = "the version decides at present: what it was compared with stays";
        return Err(Problem::conflict("model_active", message));
    }
    let artifact_sha256 = row.sha256();
    if artifact_sha256.is_none() || comparison.challenger.artifact_sha256 != artifact_sha256 {
        let message = "the comparison is about another file than the one that is kept";
        return Err(Problem::conflict("artifact_differs", message));
    }
    let record = json!(comparison);
    registry::keep_comparison(&mut change, id, &record).await?;
    let event =
        change.event("ml_model.compared", "ml_model", &id).with("comparison", facts(&comparison));
    change.commit(event).await?;
    let refusals = Some(refusals(&comparison));
    Ok(Json(RegisteredOut { id, artifact_sha256, is_active: false, refusals }))
}

/// What of a comparison is told in the log: what it was about, and how it ended. Numbers that are
/// no integers are texts there.
fn facts(comparison: &Comparison) -> Value {
    json!({
        "dataset_sha256": comparison.dataset_sha256,
        "split_id": comparison.split_id,
        "n": comparison.n,
        "seed": comparison.seed.to_string(),
        "date": comparison.date,
        "against": comparison.incumbent.artifact_sha256,
        "f1_macro": comparison.challenger.metrics.f1_macro.to_string(),
        "f1_macro_before": comparison.incumbent.metrics.f1_macro.to_string(),
        "refusals": refusals(comparison),
    })
}

/// Let a version decide from now on: it must have been found better.
#[utoipa::path(post, path = "/models/{id}/activate", tag = "learning",
    params(("id" = String, Path, description = "The version")),
    responses((status = 200, body = RegisteredOut), (status = "4XX", body = Problem)))]
pub(super) async fn activate_model(
    State(app): State<App>,
    caller: Can<WriteModels>,
    Path(id): Path<ModelId>,
) -> Answer<Json<RegisteredOut>> {
    let mut change = Change::begin(&app, &caller).await?;
    let row = registry::lock(&mut change, id).await?;
    let comparison = row.comparison.as_ref().map(|record| read(&record.0)).transpose()?;
    let artifact_sha256 = row.sha256();
    let before = registry::lock_active(&mut change, &row.name).await?;
    let compared = comparison.filter(|comparison| {
        let decides = before.as_ref().filter(|before| before.id != row.id);
        comparison.challenger.artifact_sha256 == artifact_sha256
            && decides.is_none_or(|before| comparison.incumbent.artifact_sha256 == before.sha256())
    });
    let Some(comparison) = compared else {
        let message = "the version was not compared with what decides now";
        return Err(Problem::conflict("not_compared", message));
    };
    let found = refusals(&comparison);
    if !found.is_empty() {
        let why: Vec<String> = found.iter().map(ToString::to_string).collect();
        return Err(Problem::conflict("not_better", why.join("; ")));
    }
    registry::decide(&mut change, &row.name, Some(id)).await?;
    let event = change
        .event("ml_model.activated", "ml_model", &id)
        .with("comparison", facts(&comparison))
        .with("before", before.map(|before| ModelId::from(before.id).to_string()));
    change.commit(event).await?;
    Ok(Json(RegisteredOut { id, artifact_sha256, is_active: true, refusals: Some(found) }))
}

/// Let a version decide no more: stated rules do, until another one may.
#[utoipa::path(post, path = "/models/{id}/deactivate", tag = "learning",
    params(("id" = String, Path, description = "The version")),
    responses((status = 200, body = RegisteredOut), (status = "4XX", body = Problem)))]
pub(super) async fn deactivate_model(
    State(app): State<App>,
    caller: Can<WriteModels>,
    Path(id): Path<ModelId>,
) -> Answer<Json<RegisteredOut>> {
    let mut change = Change::begin(&app, &caller).await?;
    let row = registry::lock(&mut change, id).await?;
    if row.is_active {
        registry::decide(&mut change, &row.name, None).await?;
    }
    let event = change.event("ml_model.deactivated", "ml_model", &id);
    change.commit(event).await?;
    let artifact_sha256 = row.sha256();
    Ok(Json(RegisteredOut { id, artifact_sha256, is_active: false, refusals: None }))
}
