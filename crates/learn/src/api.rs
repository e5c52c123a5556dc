//! Outcomes, beliefs and learned models over HTTP.

mod analytics;
mod calibration;
mod models;
pub mod registry;

use ::api::object::Wanted;
use ::api::permission::ReadPlans;
use ::api::problem::Answer;
use ::api::{App, Can, PageOut, Problem, listed, object};
use axum::Json;
use axum::extract::State;
use model::id::{ActorId, ExecutionId, IntentId, OutcomeId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::store::{self, Evidence, OutcomeRow};

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_outcomes))
        .routes(routes!(list_beliefs))
        .routes(routes!(analytics::show_drift_summary))
        .routes(routes!(calibration::show_calibration))
        .routes(routes!(registry::get_model_artifact, registry::put_model_artifact))
        .routes(routes!(registry::put_model_comparison))
        .routes(routes!(registry::activate_model))
        .routes(routes!(registry::deactivate_model))
        .merge(object::routes::<models::Model>())
        .merge(object::routes::<models::Prediction>())
        .merge(object::routes::<models::Performance>())
        .merge(object::routes::<models::DriftDay>())
}

/// What came of an intent.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeOut {
    /// Its id.
    #[schema(value_type = String, example = "out_0190a6c2-7b5e-7000-8000-000000000001")]
    id: OutcomeId,
    /// Of which intent.
    #[schema(value_type = String)]
    intent_id: IntentId,
    /// By which execution.
    #[schema(value_type = Option<String>)]
    execution_id: Option<ExecutionId>,
    /// Whether it worked.
    success: bool,
    /// Whether somebody else than whoever acted has looked; only then it teaches what may run
    /// here, is remembered, and earns autonomy.
    verified: bool,
    /// By whom: `machine`, `person`, `nobody`; or `reporter`, the word of whoever acted, which
    /// teaches the advice outside systems get and nothing else.
    verified_by: String,
    /// Who recorded it.
    #[schema(value_type = String)]
    recorded_by: ActorId,
    /// In words.
    notes: String,
    /// What it was seen by.
    #[schema(value_type = Vec<Object>)]
    evidence: Vec<Evidence>,
    /// The recorder's own name for it.
    idempotency_key: Option<String>,
    /// The category it taught.
    category: String,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: model::Timestamp,
}

impl From<OutcomeRow> for OutcomeOut {
    fn from(row: OutcomeRow) -> Self {
        Self {
            id: row.id.into(),
            intent_id: row.intent_id.into(),
            execution_id: row.execution_id.map(ExecutionId::from),
            success: row.success,
            verified: row.verified,
            verified_by: row.verified_by,
            recorded_by: row.recorded_by.into(),
            notes: row.notes,
            evidence: row.evidence.0,
            idempotency_key: row.idempotency_key,
            category: row.category,
            recorded_at: row.recorded_at.to_jiff(),
        }
    }
}

listed! {
    /// Which outcomes are wanted.
    Outcomes: store::LISTED,
}

/// List outcomes, newest first unless sorted.
#[utoipa::path(get, path = "/outcomes", tag = "learning", params(Outcomes),
    responses((status = 200, body = PageOut<OutcomeOut>), (status = "4XX", body = Problem)))]
async fn list_outcomes(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Wanted(wanted, _): Wanted<Outcomes>,
) -> Answer<Json<PageOut<OutcomeOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let rows = store::list(&mut tx, &wanted).await?;
    Ok(Json(PageOut::of(rows, OutcomeOut::from)))
}

/// What is believed of a category of changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct BeliefOut {
    /// The category.
    #[schema(example = "compute")]
    category: String,
    /// Failures seen, plus the prior's.
    alpha: f64,
    /// Successes seen, plus the prior's.
    beta: f64,
    /// Verified outcomes learned from.
    n: u64,
    /// The mean probability of failure.
    mean: f64,
    /// Failures that were only reported: they teach advice alone.
    reported_failures: u64,
    /// Successes that were only reported: they teach advice alone.
    reported_successes: u64,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    updated_at: model::Timestamp,
}

/// List what was learned of each category.
#[utoipa::path(get, path = "/beliefs", tag = "learning",
    responses((status = 200, body = Vec<BeliefOut>), (status = "4XX", body = Problem)))]
async fn list_beliefs(
    State(app): State<App>,
    caller: Can<ReadPlans>,
) -> Answer<Json<Vec<BeliefOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let beliefs = store::beliefs(&mut tx).await?;
    Ok(Json(
        beliefs
            .into_iter()
            .map(|belief| BeliefOut {
                category: belief.category,
                alpha: belief.posterior.alpha,
                beta: belief.posterior.beta,
                n: belief.posterior.n,
                mean: belief.posterior.mean(),
                reported_failures: belief.reported_failures,
                reported_successes: belief.reported_successes,
                updated_at: belief.updated_at,
            })
            .collect(),
    ))
}
