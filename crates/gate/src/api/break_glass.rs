//! Breaking the glass over HTTP: taken, given back, reviewed by somebody else.

use api::check::sized;
use api::identity::is_person;
use api::permission::{BreakTheGlass, ReadPlans, ReviewBreakGlass};
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Paging, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use model::actor::ActorKind;
use model::id::{ActorId, ApprovalId, BreakGlassId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::break_glass::{
    LONGEST_REASON, MINUTES, MOST_MINUTES, Refused, SHORTEST_REASON, Verdict,
};
use crate::store::approvals::voter;
use crate::store::break_glass::{self, StoredBreakGlass};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_break_glass, break_the_glass))
        .routes(routes!(show_break_glass))
        .routes(routes!(end_break_glass))
        .routes(routes!(review_break_glass))
}

/// Emergency authority somebody took.
#[derive(Debug, Serialize, ToSchema)]
struct BreakGlassOut {
    /// Its id.
    #[schema(value_type = String)]
    id: BreakGlassId,
    /// By whom.
    #[schema(value_type = String)]
    actor_id: ActorId,
    /// Why.
    reason: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was given back or ended by its review.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// The approvals given under it.
    #[schema(value_type = Vec<String>)]
    approvals: Vec<ApprovalId>,
    /// `open` until somebody else closed it, then `closed`.
    #[schema(example = "open")]
    review: &'static str,
    /// By whom it was reviewed.
    #[schema(value_type = Option<String>)]
    reviewed_by: Option<ActorId>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    reviewed_at: Option<Timestamp>,
    /// `justified` or `not_justified`.
    #[schema(value_type = Option<String>)]
    verdict: Option<Verdict>,
    /// What the reviewer wrote.
    notes: Option<String>,
}

fn out(stored: StoredBreakGlass) -> BreakGlassOut {
    let review = stored.review;
    BreakGlassOut {
        id: stored.id,
        actor_id: stored.holder,
        reason: stored.reason,
        started_at: stored.started_at,
        expires_at: stored.expires_at,
        ended_at: stored.ended_at,
        approvals: stored.approvals,
        review: if review.is_some() { "closed" } else { "open" },
        reviewed_by: review.as_ref().map(|review| review.by),
        reviewed_at: review.as_ref().map(|review| review.at),
        verdict: review.as_ref().map(|review| review.verdict),
        notes: review.map(|review| review.notes),
    }
}

fn refusal(refused: Refused) -> Problem {
    match refused {
        Refused::NotAPerson | Refused::OwnReview => {
            Problem::forbidden(refused.code(), refused.to_string())
        }
        Refused::Unreviewed | Refused::Reviewed | Refused::NotHeld => {
            Problem::conflict(refused.code(), refused.to_string())
        }
    }
}

/// List emergency authority people took, newest first.
#[utoipa::path(get, path = "/break-glass", tag = "approvals", params(api::page::PagingIn),
    responses((status = 200, body = PageOut<BreakGlassOut>), (status = "4XX", body = Problem)))]
async fn list_break_glass(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Paging(page): Paging,
) -> Answer<Json<PageOut<BreakGlassOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(break_glass::list(&mut tx, &page).await?, out)))
}

/// Show emergency authority with the approvals given under it.
#[utoipa::path(get, path = "/break-glass/{id}", tag = "approvals",
    params(("id" = String, Path, description = "The emergency authority")),
    responses((status = 200, body = BreakGlassOut), (status = "4XX", body = Problem)))]
async fn show_break_glass(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path(id): Path<BreakGlassId>,
) -> Answer<Json<BreakGlassOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(out(break_glass::get(&mut tx, id).await?)))
}

/// Why the glass is broken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BreakGlassIn {
    /// In words a reviewer can make something of.
    #[schema(
        min_length = 20,
        max_length = 2000,
        example = "Checkout is down, nobody else of the on-call rota answers"
    )]
    reason: String,
    /// For how long.
    #[serde(default = "minutes")]
    #[schema(minimum = 1, maximum = 120, example = 30)]
    minutes: u32,
}

const fn minutes() -> u32 {
    MINUTES
}

/// Break the glass: take emergency authority for a while.
///
/// It lets its holder approve alone, with `break_glass` in the vote, what others would have to
/// approve. It replaces their votes and nothing else, and somebody else must review it.
#[utoipa::path(post, path = "/break-glass", tag = "approvals", request_body = BreakGlassIn,
    responses((status = 201, body = BreakGlassOut), (status = "4XX", body = Problem)))]
async fn break_the_glass(
    State(app): State<App>,
    caller: Can<BreakTheGlass>,
    Body(wanted): Body<BreakGlassIn>,
) -> Answer<(StatusCode, Json<BreakGlassOut>)> {
    sized("/reason", wanted.reason.trim(), SHORTEST_REASON..=LONGEST_REASON)?;
    if !(1..=MOST_MINUTES).contains(&wanted.minutes) {
        let message = format!("must be 1 to {MOST_MINUTES}");
        return Err(Problem::invalid("/minutes", "range", message));
    }
    if caller.actor.kind != ActorKind::User || !is_person(&caller) {
        return Err(refusal(Refused::NotAPerson));
    }
    let mut change = Change::begin(&app, &caller).await?;
    let holder = voter(&mut change, caller.actor.id).await?;
    let taken = break_glass::take(&mut change, &holder, &wanted.reason, wanted.minutes).await;
    let id = match taken {
        Ok(id) => id,
        Err(error) if break_glass::taken_before(&error) => {
            drop(change);
            return Err(again(&app, &caller).await?);
        }
        Err(error) => return Err(error.into()),
    };
    let stored = break_glass::get(&mut change, id).await?;
    let event = change
        .event("break_glass.started", "break_glass", &id)
        .with("reason", wanted.reason)
        .with("minutes", wanted.minutes)
        .with("expires_at", stored.expires_at.to_string());
    change.commit(event).await?;
    tracing::warn!(break_glass.id = %id, actor.id = %caller.actor.id, "the glass was broken");
    Ok((StatusCode::CREATED, Json(out(stored))))
}

/// That somebody tried again before they were reviewed is an event.
async fn again(app: &App, caller: &Can<BreakTheGlass>) -> Answer<Problem> {
    let change = Change::begin(app, caller).await?;
    let event = change
        .event("break_glass.refused", "break_glass", &caller.actor.id)
        .failed(Refused::Unreviewed.to_string());
    change.commit(event).await?;
    Ok(refusal(Refused::Unreviewed))
}

/// Give one's emergency authority back early. The review stays open.
#[utoipa::path(post, path = "/break-glass/{id}/end", tag = "approvals",
    params(("id" = String, Path, description = "The emergency authority")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn end_break_glass(
    State(app): State<App>,
    caller: Can<BreakTheGlass>,
    Path(id): Path<BreakGlassId>,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    let stored = break_glass::get(&mut change, id).await?;
    if stored.holder != caller.actor.id || !break_glass::end(&mut change, id).await? {
        return Err(refusal(Refused::NotHeld));
    }
    let event = change.event("break_glass.ended", "break_glass", &id);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a review found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReviewIn {
    /// `justified` or `not_justified`.
    #[schema(value_type = String, example = "justified")]
    verdict: Verdict,
    /// In words.
    #[schema(min_length = 1, max_length = 2000, example = "Went through the log with the holder")]
    notes: String,
}

/// Close the review of somebody else's emergency authority.
#[utoipa::path(post, path = "/break-glass/{id}/review", tag = "approvals", request_body = ReviewIn,
    params(("id" = String, Path, description = "The emergency authority")),
    responses((status = 200, body = BreakGlassOut), (status = "4XX", body = Problem)))]
async fn review_break_glass(
    State(app): State<App>,
    caller: Can<ReviewBreakGlass>,
    Path(id): Path<BreakGlassId>,
    Body(wanted): Body<ReviewIn>,
) -> Answer<Json<BreakGlassOut>> {
    sized("/notes", wanted.notes.trim(), 1..=LONGEST_REASON)?;
    let (by, verdict) = (caller.actor.id, wanted.verdict);
    let mut change = Change::begin(&app, &caller).await?;
    break_glass::get(&mut change, id).await?;
    if !is_person(&caller) {
        return Err(refusal(Refused::NotAPerson));
    }
    let reviewed = break_glass::review(&mut change, id, by, verdict, &wanted.notes).await?;
    if let Err(refused) = reviewed {
        let event = change
            .event("break_glass.review_refused", "break_glass", &id)
            .failed(refused.to_string());
        change.commit(event).await?;
        return Err(refusal(refused));
    }
    let stored = break_glass::get(&mut change, id).await?;
    let event = change
        .event("break_glass.reviewed", "break_glass", &id)
        .with("verdict", verdict.word())
        .with("notes", wanted.notes)
        .with("holder", stored.holder.to_string());
    change.commit(event).await?;
    Ok(Json(out(stored)))
}
