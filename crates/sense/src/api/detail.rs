//! What a kind of finding adds, shown as it was reported.

use std::collections::BTreeMap;

use api::permission::ReadFindings;
use api::problem::Answer;
use api::{App, Can, Problem};
use axum::Json;
use axum::extract::{Path, State};
use model::Timestamp;
use model::id::{DeclaredId, ExceptionId, FindingId, ProviderPolicyId, RepositoryId, ScanId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer;
use crate::store::detail::{self, Change, Drift, Kept, Violation};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_finding_detail))
}

/// What a finding of one kind has and others have not: at most one of these. An alert's is at
/// `/alerts/{id}`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FindingDetailOut {
    /// Of a violation.
    violation: Option<ViolationDetailOut>,
    /// Of a drift.
    drift: Option<DriftDetailOut>,
}

/// What a violation adds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ViolationDetailOut {
    /// The policy of the catalogue that is broken, when it is known.
    #[schema(value_type = Option<String>)]
    policy_id: Option<ProviderPolicyId>,
    /// The exception that lets it stand the longest, while one holds.
    #[schema(value_type = Option<String>)]
    exception_id: Option<ExceptionId>,
}

/// What a drift adds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DriftDetailOut {
    /// The declaration it differs from, when it is known.
    #[schema(value_type = Option<String>)]
    iac_resource_id: Option<DeclaredId>,
    /// The source whose scan found it, or else that of the declaration; absent where neither is
    /// known.
    #[schema(value_type = Option<String>)]
    iac_repository_id: Option<RepositoryId>,
    /// The scan that saw it last; absent where somebody else reported it.
    #[schema(value_type = Option<String>)]
    scan_id: Option<ScanId>,
    /// `modified`, `deleted`, `added` or `moved`.
    #[schema(example = "modified")]
    drift_type: String,
    /// What is there.
    #[schema(value_type = Option<Object>)]
    actual_state: Option<Value>,
    /// What is declared.
    #[schema(value_type = Option<Object>)]
    declared_state: Option<Value>,
    /// What it means for security, performance, cost and compliance.
    #[schema(value_type = Object)]
    risk_assessment: Value,
    /// Free words about it, by name.
    tags: BTreeMap<String, String>,
    /// What else its reporter knows.
    #[schema(value_type = Object)]
    metadata: Value,
    /// The properties that differ.
    changes: Vec<ChangeOut>,
}

/// A property that differs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangeOut {
    /// Where: a JSON path.
    property_path: String,
    /// What is declared.
    declared_value: Option<Value>,
    /// What is there.
    actual_value: Option<Value>,
    /// `modified`, `added` or `removed`.
    #[schema(example = "modified")]
    change_type: String,
    /// Whether it matters to security.
    is_security_critical: bool,
    /// When it was reported last.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Show what a finding's kind adds to it.
#[utoipa::path(get, path = "/findings/{id}/detail", tag = "findings",
    params(("id" = String, Path, description = "The finding")),
    responses((status = 200, body = FindingDetailOut), (status = "4XX", body = Problem)))]
async fn get_finding_detail(
    State(app): State<App>,
    caller: Can<ReadFindings>,
    Path(id): Path<FindingId>,
) -> Answer<Json<FindingDetailOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(answer("finding", detail::of(&mut tx, id).await)?.into()))
}

impl From<Kept> for FindingDetailOut {
    fn from(Kept { violation, drift }: Kept) -> Self {
        Self { violation: violation.map(Into::into), drift: drift.map(Into::into) }
    }
}

impl From<Violation> for ViolationDetailOut {
    fn from(Violation { policy_id, exception_id }: Violation) -> Self {
        Self { policy_id: policy_id.map(Into::into), exception_id: exception_id.map(Into::into) }
    }
}

impl From<Drift> for DriftDetailOut {
    fn from(drift: Drift) -> Self {
        Self {
            iac_resource_id: drift.iac_resource_id.map(Into::into),
            iac_repository_id: drift.iac_repository_id.map(Into::into),
            scan_id: drift.scan_id.map(Into::into),
            drift_type: drift.drift_type,
            actual_state: drift.actual_state,
            declared_state: drift.declared_state,
            risk_assessment: drift.risk_assessment,
            tags: drift.tags,
            metadata: drift.metadata,
            changes: drift.changes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Change> for ChangeOut {
    fn from(change: Change) -> Self {
        Self {
            property_path: change.property_path,
            declared_value: change.declared_value,
            actual_value: change.actual_value,
            change_type: change.change_type,
            is_security_critical: change.is_security_critical,
            created_at: change.created_at.to_jiff(),
        }
    }
}
