//! Retention over HTTP: rules, holds, the catalogue of the archive, copies for reading.

mod archives;
mod holds;

use std::collections::BTreeMap;

use ::api::permission::{ReadRetention, WriteRetention};
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rule::{Class, MOST, Rules};
use crate::run::preview;
use crate::store::rules;

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_retention_rules, set_rule))
        .routes(routes!(show_retention_plan))
        .merge(holds::routes())
        .merge(archives::routes())
}

/// How long things of a class are kept.
#[derive(Debug, Serialize, ToSchema)]
struct RetentionRuleOut {
    /// The class.
    #[schema(value_type = String, example = "findings")]
    class: Class,
    /// How long, in `unit`.
    #[schema(example = 90)]
    keep: u32,
    /// `days` after the end of a thing, or the newest `versions` of a model.
    #[schema(example = "days")]
    unit: &'static str,
    /// How long when the tenant sets nothing.
    #[schema(example = 90)]
    default: u32,
    /// The least that can be set.
    #[schema(example = 1)]
    least: u32,
    /// Whether the tenant set it.
    own: bool,
}

fn rule_out(rules: &Rules, class: Class) -> RetentionRuleOut {
    RetentionRuleOut {
        class,
        keep: rules.keep(class),
        unit: class.unit().word(),
        default: class.default_keep(),
        least: class.least(),
        own: rules.is_own(class),
    }
}

/// List how long what is kept.
#[utoipa::path(get, path = "/retention", tag = "retention",
    responses((status = 200, body = Vec<RetentionRuleOut>), (status = "4XX", body = Problem)))]
async fn list_retention_rules(
    State(app): State<App>,
    caller: Can<ReadRetention>,
) -> Answer<Json<Vec<RetentionRuleOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let rules = rules::read(&mut tx).await?;
    Ok(Json(Class::ALL.iter().map(|class| rule_out(&rules, *class)).collect()))
}

/// How long things of a class are to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetentionRuleIn {
    /// `findings`, `correlations`, `predictions`, `conversations`, `notifications`, `usage`,
    /// `costs`, `evidence`, `audit` or `models`.
    #[schema(value_type = String, example = "findings")]
    class: Class,
    /// How many days, or versions; the default when absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 36525, example = 120)]
    keep: Option<u32>,
}

/// Set how long things of a class are kept.
#[utoipa::path(put, path = "/retention", tag = "retention", request_body = RetentionRuleIn,
    responses((status = 200, body = RetentionRuleOut), (status = "4XX", body = Problem)))]
async fn set_rule(
    State(app): State<App>,
    caller: Can<WriteRetention>,
    Body(wanted): Body<RetentionRuleIn>,
) -> Answer<Json<RetentionRuleOut>> {
    let class = wanted.class;
    if wanted.keep.is_some_and(|keep| !class.allows(keep)) {
        let message = format!("must be {} to {MOST} {}", class.least(), class.unit().word());
        return Err(Problem::invalid("/keep", "out_of_range", message));
    }
    let mut change = Change::begin(&app, &caller).await?;
    let before = rules::read(&mut change).await?.keep(class);
    rules::set(&mut change, class, wanted.keep, caller.actor.id).await?;
    let after = rules::read(&mut change).await?;
    let event = change
        .event("retention.set", "retention", &class)
        .with("before", before)
        .with("after", after.keep(class))
        .with("unit", class.unit().word());
    change.commit(event).await?;
    Ok(Json(rule_out(&after, class)))
}

/// What would go of a kind of things, and why the rest stays.
#[derive(Debug, Serialize, ToSchema)]
struct RetentionPlanOut {
    /// The kind.
    #[schema(example = "findings")]
    subject: &'static str,
    /// Its class.
    #[schema(value_type = String, example = "findings")]
    class: Class,
    /// How many would go now.
    #[schema(example = 12)]
    go: usize,
    /// How many that are old enough to be looked at stay, by reason: `legal_hold`, `not_over`,
    /// `too_young`, `referred_to`, `in_use`.
    stay: BTreeMap<String, u64>,
}

/// Show what a run would archive or delete, and why the rest stays.
///
/// Tables that are kept by month are not listed: of them whole months go.
#[utoipa::path(get, path = "/retention/plan", tag = "retention",
    responses((status = 200, body = Vec<RetentionPlanOut>), (status = "4XX", body = Problem)))]
async fn show_retention_plan(
    State(app): State<App>,
    caller: Can<ReadRetention>,
) -> Answer<Json<Vec<RetentionPlanOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let plans = preview(&mut tx).await?;
    let out = plans.into_iter().map(|(subject, plan)| RetentionPlanOut {
        subject: subject.name,
        class: subject.class,
        go: plan.go.len(),
        stay: plan
            .stay
            .into_iter()
            .map(|(reason, count)| (reason.word().to_owned(), count))
            .collect(),
    });
    Ok(Json(out.collect()))
}
