//! Approvals: what waits for whom, and votes.

use api::caller::Proof;
use api::object::Wanted;
use api::permission::{ReadPlans, Vote};
use api::problem::Answer;
use api::suspicious::{Suspicious, suspicious};
use api::{App, Body, Can, Change, PageOut, Problem, listed};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::id::{ActorId, ApprovalId, DecisionId, IntentId, PlanId};
use model::intent::ApprovalState;
use model::level::Tier;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::intents::PlanOut;
use crate::approval::{Choice, Refused};
use crate::store::approvals::{self, Authority, Ballot, Cast, End, Source, StoredApproval};
use crate::store::{intents, plans};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_approvals))
        .routes(routes!(show_approval))
        .routes(routes!(approve))
        .routes(routes!(deny))
        .routes(routes!(approve_plan))
        .routes(routes!(deny_plan))
}

/// A request for approval.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApprovalOut {
    /// Its id.
    #[schema(value_type = String, example = "apr_0190a6c2-7b5e-7000-8000-000000000001")]
    id: ApprovalId,
    /// The intent.
    #[schema(value_type = String)]
    intent_id: IntentId,
    /// The plan to be approved.
    #[schema(value_type = String)]
    plan_id: PlanId,
    /// The decision that demands it.
    #[schema(value_type = String)]
    decision_id: DecisionId,
    /// `pending`, `approved`, `denied`, `expired`, `void`.
    #[schema(value_type = String, example = "pending")]
    status: ApprovalState,
    /// The tier that asked for it.
    #[schema(example = "high")]
    tier: String,
    /// Holders of any of these may vote.
    roles: Vec<String>,
    /// How many approving votes are needed.
    min_votes: u32,
    /// Who asked for the change; may not vote.
    #[schema(value_type = String)]
    requester_id: ActorId,
    /// What people call them.
    requester_name: String,
    /// Who wrote the plan; may not vote above tier low.
    #[schema(value_type = String)]
    author_id: ActorId,
    /// What people call them.
    author_name: String,
    /// SHA-256 over plan, policy bundle, tier and blast radius: what is approved.
    #[schema(value_type = String)]
    bound_hash: Digest,
    /// Who gave it alone, under emergency authority.
    #[schema(value_type = Option<String>)]
    alone: Option<ActorId>,
    /// What people call them.
    alone_name: Option<String>,
    /// The votes so far.
    votes: Vec<VoteOut>,
    /// Through which door it was asked for: `api`, `ui`, `cli`, `slack`, `linear`, `auto`.
    #[schema(value_type = String, example = "api")]
    source: Source,
    /// Why it was denied or voided.
    reason: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Until when votes are taken and a start is allowed.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was decided.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
}

/// A request for approval, and what in it is not what it seems.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApprovalDetail {
    /// The request.
    #[serde(flatten)]
    approval: ApprovalOut,
    /// Texts of the plan (`/plan/…`, as `GET /plans/{id}` shows it), of the intent (`/intent/…`) and
    /// of this request that are not what they seem: hidden characters, turned direction, letters
    /// that look like others. Show these escaped to whoever approves.
    suspicious: Vec<Suspicious>,
}

/// A vote that was cast.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VoteOut {
    /// By whom.
    #[schema(value_type = String)]
    actor_id: ActorId,
    /// What people call them.
    display_name: String,
    /// `approve` or `deny`.
    #[schema(value_type = String, example = "approve")]
    decision: Choice,
    /// Why, in their words; empty where they said nothing. It is theirs: escape it wherever it is
    /// shown.
    note: String,
    /// Through which door: `api`, `ui`, `cli`, `slack`, `linear`, `auto`.
    #[schema(value_type = String, example = "ui")]
    source: Source,
    /// When it was cast.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn out(stored: StoredApproval) -> ApprovalOut {
    let request = stored.request;
    ApprovalOut {
        id: stored.id,
        intent_id: stored.intent,
        plan_id: stored.plan,
        decision_id: stored.decision,
        status: request.state,
        tier: request.requirement.tier.to_string(),
        roles: request.requirement.roles.iter().map(ToString::to_string).collect(),
        min_votes: request.requirement.min_votes,
        requester_id: request.requester.actor,
        requester_name: stored.names.requester,
        author_id: request.author.actor,
        author_name: stored.names.author,
        bound_hash: request.bound_hash,
        alone: request.alone,
        alone_name: stored.names.alone,
        votes: request
            .votes
            .into_iter()
            .zip(stored.said)
            .map(|(vote, said)| VoteOut {
                actor_id: vote.voter.actor.id,
                display_name: vote.voter.actor.display_name,
                decision: vote.choice,
                note: said.note,
                source: said.source,
                created_at: said.at,
            })
            .collect(),
        source: stored.source,
        reason: stored.reason,
        created_at: stored.created_at,
        expires_at: request.expires_at,
        decided_at: stored.decided_at,
    }
}

listed! {
    /// Which approvals are wanted.
    Approvals: approvals::LISTED, "status": ApprovalState, "tier": Tier,
}

/// List approvals, newest first unless sorted.
#[utoipa::path(get, path = "/approvals", tag = "approvals", params(Approvals),
    responses((status = 200, body = PageOut<ApprovalOut>), (status = "4XX", body = Problem)))]
async fn list_approvals(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Wanted(wanted, _): Wanted<Approvals>,
) -> Answer<Json<PageOut<ApprovalOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let approvals = approvals::list(&mut tx, &wanted).await?;
    Ok(Json(PageOut::of(approvals, out)))
}

/// Show an approval with its votes.
#[utoipa::path(get, path = "/approvals/{id}", tag = "approvals",
    params(("id" = String, Path, description = "The approval")),
    responses((status = 200, body = ApprovalDetail), (status = "4XX", body = Problem)))]
async fn show_approval(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path(id): Path<ApprovalId>,
) -> Answer<Json<ApprovalDetail>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let approval = out(approvals::get(&mut tx, id).await?);
    let plan = PlanOut::from(plans::get(&mut tx, approval.plan_id).await?);
    let intent = intents::get(&mut tx, approval.intent_id).await?;
    let [summary, steps, document] = plan.read().map(|(_, part)| part);
    let suspicious = suspicious(&[
        ("/plan/summary", summary),
        ("/plan/steps", steps),
        ("/intent/summary", json!(intent.summary)),
        ("/intent/intent", json!(intent.text)),
        ("/intent/payload", intent.payload),
        ("/votes", json!(approval.votes)),
        ("/reason", json!(approval.reason)),
        ("/plan/document", document),
    ]);
    Ok(Json(ApprovalDetail { approval, suspicious }))
}

/// A vote.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VoteIn {
    /// Why, in the voter's words.
    #[serde(default)]
    #[schema(max_length = 2000, example = "checked the runbook")]
    note: String,
    /// Through which door: `api`, `cli`, `ui`.
    #[serde(default = "api_door")]
    #[schema(value_type = String, example = "cli")]
    source: Source,
    /// Whether it is given alone, under emergency authority that one holds. Approving alone.
    #[serde(default)]
    break_glass: bool,
}

const fn api_door() -> Source {
    Source::Api
}

/// What a vote brought about.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BallotOut {
    /// `counted`, `approved`, `denied`, or `repeated` when you had said the same before.
    #[schema(example = "counted")]
    result: String,
    /// Where the approval stands now.
    #[schema(value_type = String, example = "pending")]
    status: ApprovalState,
    /// How many more votes are needed, when it was counted.
    missing: Option<u32>,
}

/// Approve. The last vote needed lets the execution start.
#[utoipa::path(post, path = "/approvals/{id}/approve", tag = "approvals", request_body = VoteIn,
    params(("id" = String, Path, description = "The approval")),
    responses((status = 200, body = BallotOut), (status = "4XX", body = Problem)))]
async fn approve(
    State(app): State<App>,
    caller: Can<Vote>,
    Path(id): Path<ApprovalId>,
    Body(vote): Body<VoteIn>,
) -> Answer<Json<BallotOut>> {
    cast(&app, &caller, By::Approval(id), Choice::Approve, &vote).await
}

/// Deny. One vote is enough, and it is final.
#[utoipa::path(post, path = "/approvals/{id}/deny", tag = "approvals", request_body = VoteIn,
    params(("id" = String, Path, description = "The approval")),
    responses((status = 200, body = BallotOut), (status = "4XX", body = Problem)))]
async fn deny(
    State(app): State<App>,
    caller: Can<Vote>,
    Path(id): Path<ApprovalId>,
    Body(vote): Body<VoteIn>,
) -> Answer<Json<BallotOut>> {
    cast(&app, &caller, By::Approval(id), Choice::Deny, &vote).await
}

/// Approve a plan: a vote on the latest approval asked for it.
#[utoipa::path(post, path = "/plans/{id}/approve", tag = "approvals", request_body = VoteIn,
    params(("id" = String, Path, description = "The plan")),
    responses((status = 200, body = BallotOut), (status = "4XX", body = Problem)))]
async fn approve_plan(
    State(app): State<App>,
    caller: Can<Vote>,
    Path(id): Path<PlanId>,
    Body(vote): Body<VoteIn>,
) -> Answer<Json<BallotOut>> {
    cast(&app, &caller, By::Plan(id), Choice::Approve, &vote).await
}

/// Deny a plan: a vote on the latest approval asked for it.
#[utoipa::path(post, path = "/plans/{id}/deny", tag = "approvals", request_body = VoteIn,
    params(("id" = String, Path, description = "The plan")),
    responses((status = 200, body = BallotOut), (status = "4XX", body = Problem)))]
async fn deny_plan(
    State(app): State<App>,
    caller: Can<Vote>,
    Path(id): Path<PlanId>,
    Body(vote): Body<VoteIn>,
) -> Answer<Json<BallotOut>> {
    cast(&app, &caller, By::Plan(id), Choice::Deny, &vote).await
}

enum By {
    Approval(ApprovalId),
    Plan(PlanId),
}

async fn cast(
    app: &App,
    caller: &Can<Vote>,
    by: By,
    choice: Choice,
    vote: &VoteIn,
) -> Answer<Json<BallotOut>> {
    let mut change = Change::begin(app, caller).await?;
    let approval = match by {
        By::Approval(id) => id,
        By::Plan(plan) => approvals::of_plan(&mut change, plan).await?,
    };
    let actor = &caller.actor;
    let (note, source, origin) = (vote.note.as_str(), vote.source, &caller.origin);
    let session = match caller.proof {
        Proof::Session { id, .. } => Some(id),
        Proof::Key { .. } => None,
    };
    let authority = if vote.break_glass { Authority::Emergency } else { Authority::Own };
    let cast = Cast { approval, actor, choice, note, source, origin, session, authority };
    let ballot = approvals::vote(&mut change, &cast).await?;
    change.commit_audited(&ballot.events).await?;
    shown(ballot).map(Json)
}

fn shown(ballot: Ballot) -> Answer<BallotOut> {
    let (result, missing) = match ballot.end {
        End::Repeated => ("repeated", None),
        End::Counted { missing } => ("counted", Some(missing)),
        End::Approved => ("approved", None),
        End::Denied => ("denied", None),
        End::Refused(refused) => return Err(refusal(&refused)),
    };
    Ok(BallotOut { result: result.to_owned(), status: ballot.state, missing })
}

fn refusal(refused: &Refused) -> Problem {
    match refused.status() {
        401 => Problem::new(
            StatusCode::UNAUTHORIZED,
            refused.code(),
            "A second factor is asked for",
            refused.to_string(),
        ),
        403 => Problem::forbidden(refused.code(), refused.to_string()),
        _ => Problem::conflict(refused.code(), refused.to_string()),
    }
}
