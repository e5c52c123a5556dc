//! A person's word for why a finding came about.

use ::api::check::sized;
use ::api::permission::WriteFindings;
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::{Path, State};
use model::actor::ActorKind;
use model::id::{ActorId, CauseId, FindingId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::advice::CauseCategory;
use crate::drift::Cause;
use crate::store::explained;

/// A person's word.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "cause": "intentional_override", "comment": "The pool stays as it is until the sale is over."
}))]
pub(super) struct LabelIn {
    /// Why it came about.
    cause: CauseCategory,
    /// What there is to say to it.
    #[schema(max_length = 2000)]
    comment: Option<String>,
}

/// A label that stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LabelOut {
    /// The analysis it stands in.
    #[schema(value_type = String)]
    id: CauseId,
    /// The finding.
    #[schema(value_type = String)]
    finding_id: FindingId,
    /// Why it came about.
    #[schema(value_type = String)]
    cause: Cause,
    /// What was said before, by whomever.
    #[schema(value_type = Option<String>)]
    before: Option<Cause>,
    /// Who says so.
    #[schema(value_type = String)]
    labelled_by: ActorId,
}

/// Say why a finding came about: a person's word stands above all others.
///
/// Models learn from it, and are measured by it. `intentional_override` is said here alone.
#[utoipa::path(put, path = "/findings/{id}/cause", tag = "findings", request_body = LabelIn,
    params(("id" = String, Path, description = "The finding")),
    responses((status = 200, body = LabelOut), (status = "4XX", body = Problem)))]
pub(super) async fn label_cause(
    State(app): State<App>,
    caller: Can<WriteFindings>,
    Path(id): Path<FindingId>,
    Body(wanted): Body<LabelIn>,
) -> Answer<Json<LabelOut>> {
    if caller.actor.kind != ActorKind::User {
        let message = "a label is a person's word: services and agents report analyses";
        return Err(Problem::forbidden("not_a_person", message));
    }
    wanted.comment.as_deref().map_or(Ok(()), |comment| sized("/comment", comment, 0..=2000))?;
    let cause = Cause::from(wanted.cause);
    let mut change = Change::begin(&app, &caller).await?;
    let by = caller.actor.id;
    let comment = wanted.comment.as_deref().filter(|comment| !comment.is_empty());
    let labelled = explained::label(&mut change, id, cause, comment, by).await;
    let labelled = labelled.map_err(|error| match error.kind() {
        db::Kind::NotFound => Problem::not_found("finding"),
        _ => error.into(),
    })?;
    let event = change
        .event("finding.cause_labelled", "finding", &id)
        .with("cause", cause.word())
        .with("before", json!(labelled.before))
        .with("comment", json!(comment));
    change.commit(event).await?;
    let (id, finding_id, before) = (labelled.id, id, labelled.before);
    Ok(Json(LabelOut { id, finding_id, cause, before, labelled_by: by }))
}

impl From<CauseCategory> for Cause {
    fn from(category: CauseCategory) -> Self {
        match category {
            CauseCategory::EmergencyFix => Self::EmergencyFix,
            CauseCategory::ManualTroubleshooting => Self::ManualTroubleshooting,
            CauseCategory::SecurityResponse => Self::SecurityResponse,
            CauseCategory::ConfigurationError => Self::ConfigurationError,
            CauseCategory::AutomatedResponse => Self::AutomatedResponse,
            CauseCategory::IntentionalOverride => Self::IntentionalOverride,
            CauseCategory::Unknown => Self::Unknown,
        }
    }
}
