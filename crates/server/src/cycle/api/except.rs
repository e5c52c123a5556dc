//! What people say of a finding over HTTP: that it may stand for a while, and that others must know.

use ::api::permission::{Propose, WriteFindings};
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, Problem};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::Timestamp;
use model::id::{ApprovalId, ExceptionId, FindingId};
use model::verdict::Verdict;
use sense::store::finding;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::cycle::{Loop, except};

/// The most characters of a reason.
const LONGEST_REASON: usize = 2_000;
/// How long an exception may last, in hours: a year. What is to stand longer belongs in the code.
const LONGEST_HOURS: i64 = 366 * 24;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(accept_finding)).routes(routes!(escalate_finding))
}

/// A finding that is to stand for a while.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reason": "the vendor needs this port until the migration in June",
    "expires_at": "2027-06-30T00:00:00Z"
}))]
pub(super) struct FindingAcceptIn {
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
    /// Until when: at most a year from now.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// An exception that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExceptionAskedOut {
    /// The exception.
    #[schema(value_type = String)]
    exception_id: ExceptionId,
    /// The approval that would bring it about; absent when it was refused.
    #[schema(value_type = Option<String>)]
    approval_id: Option<ApprovalId>,
    /// `require_approval` or `deny`.
    #[schema(value_type = String, example = "require_approval")]
    verdict: Verdict,
}

fn reason(text: &str) -> Answer<&str> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_REASON || text.contains('\0') {
        let message = format!("must have 1 to {LONGEST_REASON} characters");
        return Err(Problem::invalid("/reason", "length", message));
    }
    Ok(text)
}

/// A finding that is not over.
async fn unsettled(tx: &mut db::TenantTx, id: FindingId) -> Answer<finding::Said> {
    let said = finding::said(tx, id).await.map_err(|error| match error.kind() {
        db::Kind::NotFound => Problem::not_found("finding"),
        _ => error.into(),
    })?;
    if said.status == "fixed" {
        return Err(Problem::conflict("finding_fixed", "the finding is fixed already"));
    }
    Ok(said)
}

/// Ask that a finding may stand for a while.
///
/// The exception is pending until it is approved by somebody else. It ends by itself, and the finding
/// is open again then.
#[utoipa::path(post, path = "/findings/{id}/accept", tag = "findings", request_body = FindingAcceptIn,
    params(("id" = String, Path, description = "The finding")),
    responses((status = 202, body = ExceptionAskedOut), (status = "4XX", body = Problem)))]
async fn accept_finding(
    Extension(cycle): Extension<Loop>,
    caller: Can<Propose>,
    Path(id): Path<FindingId>,
    Body(wanted): Body<FindingAcceptIn>,
) -> Answer<(StatusCode, Json<ExceptionAskedOut>)> {
    let why = reason(&wanted.reason)?;
    let mut change = Change::begin(cycle.app(), &caller).await?;
    let said = unsettled(&mut change, id).await?;
    let now = change.now().await?;
    let last = now + jiff::SignedDuration::from_hours(LONGEST_HOURS);
    if wanted.expires_at <= now || wanted.expires_at > last {
        let message = "must lie ahead, and within a year";
        return Err(Problem::invalid("/expires_at", "out_of_range", message));
    }
    let wanted = except::Wanted {
        requester: &caller.actor,
        finding: (id, &said.title),
        class: said.class,
        reason: why,
        until: wanted.expires_at,
    };
    let asked = Box::pin(except::ask(&cycle, &mut change, wanted)).await.map_err(Problem::from)?;
    // Every step of the asking wrote its own event.
    change.commit_audited(&[]).await?;
    let out = ExceptionAskedOut {
        exception_id: asked.exception,
        approval_id: asked.approval,
        verdict: asked.verdict,
    };
    Ok((StatusCode::ACCEPTED, Json(out)))
}

/// A finding that others must know of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "this looks like an intrusion"}))]
pub(super) struct EscalateIn {
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// A finding that was escalated.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EscalatedOut {
    /// `escalated`.
    #[schema(example = "escalated")]
    status: &'static str,
    /// What became of telling others: delivery is not configured yet, and nobody was told.
    #[schema(example = "not configured")]
    delivery: &'static str,
}

/// Escalate a finding: it is kept as escalated, and others are to look at it.
#[utoipa::path(post, path = "/findings/{id}/escalate", tag = "findings", request_body = EscalateIn,
    params(("id" = String, Path, description = "The finding")),
    responses((status = 200, body = EscalatedOut), (status = "4XX", body = Problem)))]
async fn escalate_finding(
    State(app): State<App>,
    caller: Can<WriteFindings>,
    Path(id): Path<FindingId>,
    Body(wanted): Body<EscalateIn>,
) -> Answer<Json<EscalatedOut>> {
    let why = reason(&wanted.reason)?;
    let mut change = Change::begin(&app, &caller).await?;
    unsettled(&mut change, id).await?;
    finding::escalate(&mut change, id).await?;
    let event = change.event("finding.escalated", "finding", &id).with("reason", why);
    change.commit(event).await?;
    Ok(Json(EscalatedOut { status: "escalated", delivery: "not configured" }))
}
