//! Legal holds over HTTP.

use api::permission::{ReadRetention, WriteRetention};
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Paging, Problem, check};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::id::{ActorId, HoldId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rule::Class;
use crate::store::holds::{self, Hold};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_holds, set_hold)).routes(routes!(lift_hold))
}

/// The longest reason, in characters.
const LONGEST: usize = 1_000;

/// What must be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldIn {
    /// Which class; everything when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "evidence")]
    class: Option<Class>,
    /// Why.
    #[schema(min_length = 1, max_length = 1000, example = "Matter 2026-17")]
    reason: String,
}

/// Why a hold is lifted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LiftIn {
    /// Why.
    #[schema(min_length = 1, max_length = 1000, example = "Matter 2026-17 is closed")]
    reason: String,
}

/// A hold, in force or lifted.
#[derive(Debug, Serialize, ToSchema)]
struct HoldOut {
    /// Its id.
    #[schema(value_type = String, example = "hld_0190a6c2-7b5e-7000-8000-000000000001")]
    id: HoldId,
    /// What it keeps; everything when null.
    #[schema(example = "evidence")]
    class: Option<String>,
    /// Why.
    #[schema(example = "Matter 2026-17")]
    reason: String,
    /// Whether it is in force.
    in_force: bool,
    /// Who set it.
    #[schema(value_type = String)]
    set_by: ActorId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    set_at: model::Timestamp,
    /// Who lifted it.
    #[schema(value_type = Option<String>)]
    lifted_by: Option<ActorId>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    lifted_at: Option<model::Timestamp>,
    /// Why.
    lift_reason: Option<String>,
}

fn out(hold: Hold) -> HoldOut {
    HoldOut {
        id: hold.id.into(),
        class: hold.class,
        reason: hold.reason,
        in_force: hold.lifted_at.is_none(),
        set_by: hold.set_by.into(),
        set_at: hold.set_at.to_jiff(),
        lifted_by: hold.lifted_by.map(ActorId::from),
        lifted_at: hold.lifted_at.map(jiff_sqlx::Timestamp::to_jiff),
        lift_reason: hold.lift_reason,
    }
}

/// List legal holds, newest first.
#[utoipa::path(get, path = "/legal-holds", tag = "retention", params(api::page::PagingIn),
    responses((status = 200, body = PageOut<HoldOut>), (status = "4XX", body = Problem)))]
async fn list_holds(
    State(app): State<App>,
    caller: Can<ReadRetention>,
    Paging(page): Paging,
) -> Answer<Json<PageOut<HoldOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(holds::list(&mut tx, &page).await?, out)))
}

/// Set a legal hold: what it covers stays until it is lifted.
#[utoipa::path(post, path = "/legal-holds", tag = "retention", request_body = HoldIn,
    responses((status = 201, body = HoldOut), (status = "4XX", body = Problem)))]
async fn set_hold(
    State(app): State<App>,
    caller: Can<WriteRetention>,
    Body(wanted): Body<HoldIn>,
) -> Answer<(StatusCode, Json<HoldOut>)> {
    check::sized("/reason", &wanted.reason, 1..=LONGEST)?;
    let mut change = Change::begin(&app, &caller).await?;
    let id = holds::set(&mut change, wanted.class, &wanted.reason, caller.actor.id).await?;
    let made = holds::one(&mut change, id).await?;
    let event = change
        .event("legal_hold.set", "legal_hold", &id)
        .with("class", wanted.class.map_or("everything", Class::word))
        .with("reason", wanted.reason);
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(out(made))))
}

/// Lift a legal hold.
#[utoipa::path(post, path = "/legal-holds/{id}/lift", tag = "retention", request_body = LiftIn,
    params(("id" = String, Path, description = "The hold")),
    responses((status = 200, body = HoldOut), (status = "4XX", body = Problem)))]
async fn lift_hold(
    State(app): State<App>,
    caller: Can<WriteRetention>,
    Path(id): Path<HoldId>,
    Body(wanted): Body<LiftIn>,
) -> Answer<Json<HoldOut>> {
    check::sized("/reason", &wanted.reason, 1..=LONGEST)?;
    let mut change = Change::begin(&app, &caller).await?;
    if !holds::lift(&mut change, id, &wanted.reason, caller.actor.id).await? {
        return Err(Problem::conflict("not_held", "the hold was lifted before"));
    }
    let lifted = holds::one(&mut change, id).await?;
    let event = change.event("legal_hold.lifted", "legal_hold", &id).with("reason", wanted.reason);
    change.commit(event).await?;
    Ok(Json(out(lifted)))
}
