//! What people say over HTTP of what speaks against something: that a finding may stand or a policy
//! be broken for a while, and that others must know.

use ::api::permission::{Propose, WriteFindings};
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, Problem};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use gate::store::exceptions::About;
use model::Timestamp;
use model::id::{ApprovalId, ExceptionId, FindingId, ProviderPolicyId, ResourceId};
use model::level::EnvironmentClass;
use model::verdict::Verdict;
use sense::store::finding;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::cycle::store::excepted;
use crate::cycle::{Loop, except};

/// The most characters of a reason.
const LONGEST_REASON: usize = 2_000;
/// How long an exception may last, in hours: a year. What is to stand longer belongs in the code.
const LONGEST_HOURS: i64 = 366 * 24;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(accept_finding))
        .routes(routes!(ask_exception))
        .routes(routes!(escalate_finding))
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
    let what = format!("{id} ({}) may stand", said.title);
    let wanted = except::Wanted {
        requester: &caller.actor,
        about: About::Finding(id),
        what: &what,
        class: said.class,
        reason: why,
        until: end(change.now().await?, wanted.expires_at)?,
        recertify_at: None,
    };
    asked(&cycle, change, wanted).await
}

/// An end that lies ahead, and not too far.
fn end(now: Timestamp, until: Timestamp) -> Answer<Timestamp> {
    let last = now + jiff::SignedDuration::from_hours(LONGEST_HOURS);
    if until <= now || until > last {
        let message = "must lie ahead, and within a year";
        return Err(Problem::invalid("/expires_at", "out_of_range", message));
    }
    Ok(until)
}

async fn asked(
    cycle: &Loop,
    mut change: Change<'_>,
    wanted: except::Wanted<'_>,
) -> Answer<(StatusCode, Json<ExceptionAskedOut>)> {
    let asked = Box::pin(except::ask(cycle, &mut change, wanted)).await.map_err(Problem::from)?;
    // Every step of the asking wrote its own event.
    change.commit_audited(&[]).await?;
    let out = ExceptionAskedOut {
        exception_id: asked.exception,
        approval_id: asked.approval,
        verdict: asked.verdict,
    };
    Ok((StatusCode::ACCEPTED, Json(out)))
}

/// What is to be otherwise than a rule says, for a while: a policy or a resource, or a finding.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "policy_id": "ppl_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
    "resource_id": "res_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
    "reason": "the vendor's appliance speaks TLS 1.1 until it is replaced in June",
    "expires_at": "2027-06-30T00:00:00Z", "recertify_at": "2027-04-01T00:00:00Z"
}))]
pub(super) struct ExceptionIn {
    /// Which policy of a provider's; any when absent.
    #[schema(value_type = Option<String>)]
    policy_id: Option<ProviderPolicyId>,
    /// For which resource; all when absent.
    #[schema(value_type = Option<String>)]
    resource_id: Option<ResourceId>,
    /// For which finding; named without a policy and without a resource.
    #[schema(value_type = Option<String>)]
    finding_id: Option<FindingId>,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
    /// Until when: at most a year from now.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When somebody must look whether it is still right; not after its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    recertify_at: Option<Timestamp>,
}

/// What an exception would be about, what people call that, and the class of its environment.
struct Meant {
    about: About,
    what: String,
    class: EnvironmentClass,
}

fn nothing_there(path: &str) -> Problem {
    Problem::invalid(path, "no_such_reference", "refers to what is not there")
}

async fn meant(tx: &mut db::TenantTx, wanted: &ExceptionIn) -> Answer<Meant> {
    let about = match (wanted.finding_id, wanted.policy_id, wanted.resource_id) {
        (Some(finding), None, None) => About::Finding(finding),
        (None, policy, resource) if policy.is_some() || resource.is_some() => {
            About::Policy { policy, resource }
        }
        (None, _, _) => {
            let message = "name a policy, a resource or a finding it is about";
            return Err(Problem::invalid("/policy_id", "missing", message));
        }
        (Some(_), _, _) => {
            let message = "a finding is named alone, without policy and resource";
            return Err(Problem::invalid("/finding_id", "not_allowed", message));
        }
    };
    let (policy, resource) = match about {
        About::Finding(id) => {
            let said = unsettled(tx, id).await.map_err(|problem| match problem.status {
                404 => nothing_there("/finding_id"),
                _ => problem,
            })?;
            let what = format!("{id} ({}) may stand", said.title);
            return Ok(Meant { about, what, class: said.class });
        }
        About::Policy { policy, resource } => (policy, resource),
    };
    let broken = match policy {
        Some(id) => {
            let name =
                excepted::policy(tx, id).await?.ok_or_else(|| nothing_there("/policy_id"))?;
            format!("{id} ({name})")
        }
        None => "any policy of a provider's".to_owned(),
    };
    let (by, class) = match resource {
        Some(id) => {
            let found = excepted::resource(tx, id).await?;
            let (name, class) = found.ok_or_else(|| nothing_there("/resource_id"))?;
            (format!("{id} ({name})"), class)
        }
        // Among all of them are those that matter most.
        None => ("any resource".to_owned(), EnvironmentClass::Prod),
    };
    Ok(Meant { about, what: format!("{broken} may be broken by {by}"), class })
}

/// Ask that a policy may be broken for a while, or that a finding may stand.
///
/// The exception is pending until it is approved by somebody else. While it holds, violations of the
/// policy by the resource count as accepted, those that are there and those that are reported. It
/// ends by itself or when it is revoked; what it alone let stand is open again then. Policies are
/// those of the providers' catalogue: the gate's own rules and guards know no exception.
#[utoipa::path(post, path = "/exceptions", tag = "policy", request_body = ExceptionIn,
    responses((status = 202, body = ExceptionAskedOut), (status = "4XX", body = Problem)))]
async fn ask_exception(
    Extension(cycle): Extension<Loop>,
    caller: Can<Propose>,
    Body(wanted): Body<ExceptionIn>,
) -> Answer<(StatusCode, Json<ExceptionAskedOut>)> {
    let why = reason(&wanted.reason)?;
    let mut change = Change::begin(cycle.app(), &caller).await?;
    let until = end(change.now().await?, wanted.expires_at)?;
    if wanted.recertify_at.is_some_and(|at| at > until) {
        let message = "must not be after expires_at";
        return Err(Problem::invalid("/recertify_at", "out_of_range", message));
    }
    let Meant { about, what, class } = meant(&mut change, &wanted).await?;
    let wanted = except::Wanted {
        requester: &caller.actor,
        about,
        what: &what,
        class,
        reason: why,
        until,
        recertify_at: wanted.recertify_at,
    };
    asked(&cycle, change, wanted).await
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
    finding::escalate(&mut change, id, caller.actor.id, why).await?;
    let event = change.event("finding.escalated", "finding", &id).with("reason", why);
    change.commit(event).await?;
    Ok(Json(EscalatedOut { status: "escalated", delivery: "not configured" }))
}
