//! What has earned running unasked, and what is missing where nothing has.

use std::collections::BTreeMap;

use ::api::permission::ReadPlans;
use ::api::problem::Answer;
use ::api::{App, Can, Problem};
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::{Extension, Json};
use judge::action::{Category, Table};
use judge::autonomy::{Evidence, Key};
use judge::constants::AutonomyConstants;
use judge::risk::Belief;
use judge::standing::{self, Ground, Standing};
use learn::store::track::{self, Recorded};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::weigh::belief;
use super::Loop;

/// Kinds of change in one answer: the policy is asked about each.
const MOST: usize = 200;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_autonomy))
}

/// Of which changes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct KindsIn {
    /// Of one category: `database`, `network`, `compute`, `security` or `default`.
    #[param(value_type = Option<String>, example = "compute")]
    category: Option<Category>,
}

/// What has earned running unasked.
#[derive(Debug, Serialize, ToSchema)]
struct AutonomyOut {
    /// What is asked of every change; a policy may ask for more, never for less.
    limits: AutonomyLimitsOut,
    /// Each kind of change that has a verified outcome, those seen last first; 200 at most.
    items: Vec<EarnedOut>,
    /// Whether there are more.
    more: bool,
}

/// What running unasked is earned by.
#[derive(Debug, Serialize, ToSchema)]
struct AutonomyLimitsOut {
    /// Verified successes at least.
    #[schema(example = 20)]
    min_successes: u32,
    /// What the failure rate must lie below.
    #[schema(example = 0.05)]
    max_failure_bound: f64,
    /// With which certainty it must.
    #[schema(example = 0.95)]
    certainty: f64,
    /// The highest tier it can be earned for.
    #[schema(example = "medium")]
    max_tier: String,
}

impl From<&AutonomyConstants> for AutonomyLimitsOut {
    fn from(limits: &AutonomyConstants) -> Self {
        Self {
            min_successes: limits.min_successes,
            max_failure_bound: limits.max_failure_bound.0,
            certainty: limits.bound_mass.0,
            max_tier: limits.max_tier.word().to_owned(),
        }
    }
}

/// Where one action stands in environments of one class.
#[derive(Debug, Serialize, ToSchema)]
struct EarnedOut {
    /// The category its outcomes teach.
    #[schema(example = "compute")]
    category: String,
    /// `dev`, `test`, `staging` or `prod`.
    #[schema(example = "staging")]
    environment_class: String,
    /// The typed action.
    #[schema(example = "host.service.restart")]
    action: String,
    /// The tier of a change of this alone, on one target, with a way back.
    #[schema(example = "medium")]
    tier: String,
    /// Verified successes.
    successes: u32,
    /// Verified failures.
    failures: u32,
    /// What the failure rate lies below, with the certainty of the limits.
    failure_bound: f64,
    /// How many verified successes are needed beside these failures; none where no number is
    /// enough, as above the highest tier.
    #[schema(example = 58)]
    needed: Option<u32>,
    /// Whether the gate would let a change of this alone run unasked, as far as autonomy goes.
    earned: bool,
    /// What is asked of it: that of every change, or more where the policy in force says so.
    limits: AutonomyLimitsOut,
    /// When an outcome of it was last recorded.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Show which kinds of change have earned running unasked.
///
/// Each is judged as the gate judges a change of this action alone, on one target and with a way
/// back, by the policy in force now. A plan must have earned it for each of its writes in each
/// class of environments it touches; guards, the policy and the runbook may still ask people.
#[utoipa::path(get, path = "/autonomy", tag = "learning", params(KindsIn),
    responses((status = 200, body = AutonomyOut), (status = "4XX", body = Problem)))]
async fn show_autonomy(
    Extension(cycle): Extension<Loop>,
    caller: Can<ReadPlans>,
    wanted: Result<Query<KindsIn>, QueryRejection>,
) -> Answer<Json<AutonomyOut>> {
    let Query(wanted) =
        wanted.map_err(|error| Problem::invalid("query.category", "shape", error.body_text()))?;
    let mut tx = cycle.app().db.tenant(caller.tenant()).await?;
    let at = tx.now().await?;
    let mut seen = track::every(&mut tx, wanted.category.map(Category::word), MOST + 1).await?;
    let beliefs: BTreeMap<String, Belief> = learn::store::beliefs(&mut tx)
        .await?
        .into_iter()
        .map(|one| (one.category, belief(one.posterior)))
        .collect();
    let bundle = cycle.bundle(&mut tx).await.map_err(Problem::from)?;
    drop(tx);
    let more = seen.len() > MOST;
    seen.truncate(MOST);
    let constants = cycle.0.constants;
    let ground = Ground { tenant: caller.tenant(), at, constants, bundle: bundle.as_ref() };
    let mut items = Vec::with_capacity(seen.len());
    for one in seen {
        let believed = beliefs.get(&one.category).copied();
        items.extend(earned(one, believed, ground)?);
        // Asking the policy takes a while, and others wait.
        tokio::task::yield_now().await;
    }
    Ok(Json(AutonomyOut { limits: (&constants.autonomy).into(), items, more }))
}

/// Where it stands; nothing of what is never asked about.
fn earned(
    seen: Recorded,
    believed: Option<Belief>,
    ground: Ground<'_>,
) -> Answer<Option<EarnedOut>> {
    let category: Category = seen.category.parse().map_err(|error| Problem::internal(&error))?;
    let evidence = Evidence {
        key: Key { category, environment: seen.record.class, action: seen.action },
        successes: u32::try_from(seen.record.successes).unwrap_or(u32::MAX),
        failures: u32::try_from(seen.record.failures).unwrap_or(u32::MAX),
    };
    if !standing::counts(&evidence.key, Table::shipped()) {
        return Ok(None);
    }
    let Standing { tier, autonomy, limits, needed } = standing::of(&evidence, believed, ground);
    Ok(Some(EarnedOut {
        category: seen.category,
        environment_class: evidence.key.environment.word().to_owned(),
        action: evidence.key.action,
        tier: tier.word().to_owned(),
        successes: autonomy.successes,
        failures: autonomy.failures,
        failure_bound: autonomy.failure_bound.0,
        needed,
        earned: autonomy.earned,
        limits: (&limits).into(),
        updated_at: seen.updated_at,
    }))
}
