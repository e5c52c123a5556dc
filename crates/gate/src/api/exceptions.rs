//! Leaves to break a policy for a while, or to let a finding stand: listed, shown and revoked.
//! Asking for one goes through the whole gate, and is the server's.

use api::object;
use api::permission::{Propose, ReadPolicy, RevokeExceptions};
use api::problem::{Answer, Problem};
use api::{App, Body, Can, Change};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use model::audit::Who;
use model::id::{ActorId, ApprovalId, ExceptionId, FindingId, ProviderPolicyId, ResourceId};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::Error;
use crate::store::exceptions;

/// The most characters of a reason.
const LONGEST_REASON: usize = 2_000;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    object::routes::<Exception>().routes(routes!(revoke_exception))
}

object! {
    /// A leave to break a policy for a while, or to let a finding stand. It is born pending, and
    /// only an approval makes it more than that.
    Exception (ExceptionRow, ExceptionOut) {
        word: "exception", plural: "exceptions", path: "/exceptions",
        table: "countersign.exceptions", tag: "policy", verbs: Read,
        id: ExceptionId, read: ReadPolicy, write: Propose,
        example: {}
    }
    given {}
    kept {
        /// Which policy; any when absent.
        #[schema(value_type = Option<String>)]
        policy_id: Option<ProviderPolicyId> => Id.filter();
        /// For which resource; all when absent.
        #[schema(value_type = Option<String>)]
        resource_id: Option<ResourceId> => Id.filter();
        /// For which finding; then neither policy nor resource is named.
        #[schema(value_type = Option<String>)]
        finding_id: Option<FindingId> => Id.filter();
        /// Why.
        reason: String => Text.search();
        /// Until when.
        expires_at: Timestamp => Time.filter().sort();
        /// When somebody must look whether it is still right.
        recertify_at: Option<Timestamp> => Time.filter();
        /// `pending`, `approved`, `rejected`, `expired`. It holds while it is `approved`.
        status: String => Text.filter().sort();
        /// The approval it stands on.
        #[schema(value_type = Option<String>)]
        approval_id: Option<ApprovalId> => Id.filter();
        /// When it was ended by hand.
        revoked_at: Option<Timestamp> => Time.filter();
        /// By whom.
        #[schema(value_type = Option<String>)]
        revoked_by: Option<ActorId> => Id.filter();
        /// Why.
        revoke_reason: Option<String> => Text;
        /// When it was asked for.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    maker created_by;
    check(_wanted) { Ok(()) }
}

/// Why an exception ends before its time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the appliance was replaced"}))]
pub(super) struct RevokeExceptionIn {
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Revoke an exception before its time; one that waits is withdrawn.
///
/// What it alone let stand is open again at once. With one that waits its approval is withdrawn.
#[utoipa::path(post, path = "/exceptions/{id}/revoke", tag = "policy",
    request_body = RevokeExceptionIn,
    params(("id" = String, Path, description = "The exception")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke_exception(
    State(app): State<App>,
    caller: Can<RevokeExceptions>,
    Path(id): Path<ExceptionId>,
    Body(wanted): Body<RevokeExceptionIn>,
) -> Answer<StatusCode> {
    let why = wanted.reason.trim();
    if why.is_empty() || why.chars().count() > LONGEST_REASON {
        let message = format!("must have 1 to {LONGEST_REASON} characters");
        return Err(Problem::invalid("/reason", "length", message));
    }
    let mut change = Change::begin(&app, &caller).await?;
    let by = (caller.actor.id, Who::from(&caller.actor));
    let revoked = exceptions::revoke(&mut change, id, by, why).await;
    let event = revoked.map_err(|error| match error {
        Error::Conflict { .. } => {
            Problem::conflict("exception_over", "the exception is over already")
        }
        other => other.into(),
    })?;
    change.commit(event.from_origin(caller.origin.clone())).await?;
    Ok(StatusCode::NO_CONTENT)
}
