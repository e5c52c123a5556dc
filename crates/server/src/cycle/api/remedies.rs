//! Asking over HTTP for drift to be put right.

use ::api::permission::Propose;
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, Problem};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::id::{FindingId, RemediationId};
use sense::remediation::Means;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AskedOut;
use crate::cycle::{Loop, remedy};

/// Findings that one change may be about.
const MOST_FINDINGS: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(remedy_drift))
}

/// Drift to be put right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "auto_revert", "finding_ids": ["fnd_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b"],
    "reason": "nobody asked for this port to be open"
}))]
pub(super) struct RemedyIn {
    /// `auto_revert` brings the cloud back to the code, `codify_iac` changes the code.
    #[schema(value_type = String, example = "auto_revert")]
    kind: Means,
    /// The findings, all of one source.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 1000)]
    finding_ids: Vec<FindingId>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// A remediation that began.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RemedyBegunOut {
    /// Its id.
    #[schema(value_type = String)]
    id: RemediationId,
    /// The execution that works out what would be changed. What follows from it asks by itself.
    preparation: AskedOut,
}

/// Ask for drift to be put right.
///
/// First an execution that reads alone works out the change and keeps it; then the change asks for
/// its approval; then a scan looks whether the drift is gone, and closes the findings if it is.
#[utoipa::path(post, path = "/remediations", tag = "findings", request_body = RemedyIn,
    responses((status = 202, body = RemedyBegunOut), (status = "4XX", body = Problem)))]
async fn remedy_drift(
    Extension(cycle): Extension<Loop>,
    caller: Can<Propose>,
    Body(wanted): Body<RemedyIn>,
) -> Answer<(StatusCode, Json<RemedyBegunOut>)> {
    let mut findings = wanted.finding_ids;
    findings.sort();
    findings.dedup();
    if findings.is_empty() || findings.len() > MOST_FINDINGS {
        let message = format!("name 1 to {MOST_FINDINGS} findings");
        return Err(Problem::invalid("/finding_ids", "length", message));
    }
    let reason = wanted.reason.trim().to_owned();
    if reason.chars().count() > 1000 || reason.contains('\0') {
        return Err(Problem::invalid("/reason", "length", "may have 1000 characters"));
    }
    let mut change = Change::begin(cycle.app(), &caller).await?;
    let wanted = remedy::Wanted {
        requester: &caller.actor,
        means: wanted.kind,
        findings: &findings,
        reason,
    };
    let (id, asked) =
        Box::pin(remedy::begin(&cycle, &mut change, wanted)).await.map_err(Problem::from)?;
    // Every step of the asking wrote its own event.
    change.commit_audited(&[]).await?;
    Ok((StatusCode::ACCEPTED, Json(RemedyBegunOut { id, preparation: asked.into() })))
}
