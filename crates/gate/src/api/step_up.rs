//! What a tenant asks of approving votes.

use api::permission::{ReadPolicy, WritePolicy};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::State;
use model::level::Tier;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::step_up::{Asked, Policy};
use crate::store::step_up;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_step_up_policy, set_step_up_policy))
}

/// When approving asks for a second factor.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StepUpPolicy {
    /// `enrolled`: whoever has a second factor must show it. `required`: and whoever has none
    /// cannot approve. `required_for_critical`, which holds where nothing was set: cannot approve
    /// what is critical.
    #[schema(value_type = String, example = "required")]
    asked: Asked,
    /// From which tier on: `medium`, `high` or `critical`.
    #[schema(value_type = String, example = "high")]
    tier: Tier,
}

/// Show when approving asks for a second factor.
#[utoipa::path(get, path = "/step-up-policy", tag = "approvals",
    responses((status = 200, body = StepUpPolicy), (status = "4XX", body = Problem)))]
async fn show_step_up_policy(
    State(app): State<App>,
    caller: Can<ReadPolicy>,
) -> Answer<Json<StepUpPolicy>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let Policy { asked, tier } = step_up::policy(&mut tx).await?;
    Ok(Json(StepUpPolicy { asked, tier }))
}

/// Set when approving asks for a second factor.
#[utoipa::path(put, path = "/step-up-policy", tag = "approvals", request_body = StepUpPolicy,
    responses((status = 200, body = StepUpPolicy), (status = "4XX", body = Problem)))]
async fn set_step_up_policy(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Body(wanted): Body<StepUpPolicy>,
) -> Answer<Json<StepUpPolicy>> {
    if wanted.tier < Tier::Medium {
        let message = "must be medium, high or critical";
        return Err(Problem::invalid("/tier", "not_allowed", message));
    }
    let policy = Policy { asked: wanted.asked, tier: wanted.tier };
    let mut change = Change::begin(&app, &caller).await?;
    let before = step_up::policy(&mut change).await?;
    step_up::set_policy(&mut change, policy, caller.actor.id).await?;
    let event = change
        .event("step_up.configured", "step_up_policy", &caller.tenant())
        .with("asked", policy.asked.word())
        .with("tier", policy.tier.word())
        .with("asked_before", before.asked.word())
        .with("tier_before", before.tier.word());
    change.commit(event).await?;
    Ok(Json(wanted))
}
