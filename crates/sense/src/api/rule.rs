//! Alert rules over HTTP.

use api::etag::{Seen, Tagged};
use api::permission::{ReadRules, WriteRules};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::object::hold;
use model::finding::RuleAction;
use model::id::AlertRuleId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{answer, sized};
use crate::alert::rule::Rule;
use crate::store::rule;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_rules, create_rule)).routes(routes!(
        get_rule,
        replace_rule,
        delete_rule
    ))
}

/// An alert rule.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RuleOut {
    /// Its id.
    #[schema(value_type = String)]
    id: AlertRuleId,
    /// What people call it.
    name: String,
    /// Lower is asked first.
    priority: i32,
    /// A glob over the alert's name.
    alert_name_pattern: String,
    /// A glob over the severity.
    severity_pattern: String,
    /// `auto_analyze`, `ignore` or `manual`.
    action: String,
    /// Whether it is asked.
    enabled: bool,
}

fn out(rule: Rule) -> RuleOut {
    RuleOut {
        id: rule.id,
        name: rule.name,
        priority: rule.priority,
        alert_name_pattern: rule.alert_name_pattern,
        severity_pattern: rule.severity_pattern,
        action: rule.action.to_string(),
        enabled: rule.enabled,
    }
}

/// An alert rule to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleIn {
    /// What people call it, unique.
    #[schema(min_length = 1, max_length = 100, example = "critical database alerts")]
    name: String,
    /// Lower is asked first; 100 when absent.
    #[serde(default = "default_priority")]
    priority: i32,
    /// A glob over the alert's name: `*` any text, `?` one character, whatever the case.
    #[serde(default = "everything")]
    #[schema(max_length = 255, example = "Postgres*")]
    alert_name_pattern: String,
    /// A glob over the severity, the sender's word or ours.
    #[serde(default = "everything")]
    #[schema(max_length = 255, example = "critical")]
    severity_pattern: String,
    /// What to do.
    #[schema(value_type = String, example = "auto_analyze")]
    action: RuleAction,
    /// Whether it is asked; true when absent.
    #[serde(default = "enabled")]
    enabled: bool,
}

const fn default_priority() -> i32 {
    100
}

fn everything() -> String {
    "*".to_owned()
}

const fn enabled() -> bool {
    true
}

impl RuleIn {
    fn rule(self, id: AlertRuleId) -> Answer<Rule> {
        sized("/name", &self.name, 1..=100)?;
        sized("/alert_name_pattern", &self.alert_name_pattern, 1..=255)?;
        sized("/severity_pattern", &self.severity_pattern, 1..=255)?;
        Ok(Rule {
            id,
            name: self.name,
            priority: self.priority,
            alert_name_pattern: self.alert_name_pattern,
            severity_pattern: self.severity_pattern,
            action: self.action,
            enabled: self.enabled,
        })
    }
}

/// List alert rules in the order they are asked.
#[utoipa::path(get, path = "/alert-rules", tag = "alert rules",
    responses((status = 200, body = Vec<RuleOut>), (status = "4XX", body = Problem)))]
async fn list_rules(State(app): State<App>, caller: Can<ReadRules>) -> Answer<Json<Vec<RuleOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(rule::all(&mut tx).await?.into_iter().map(out).collect()))
}

/// Show an alert rule.
#[utoipa::path(get, path = "/alert-rules/{id}", tag = "alert rules",
    params(("id" = String, Path, description = "The rule")),
    responses((status = 200, body = RuleOut), (status = "4XX", body = Problem)))]
async fn get_rule(
    State(app): State<App>,
    caller: Can<ReadRules>,
    Path(id): Path<AlertRuleId>,
) -> Answer<Tagged<RuleOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Tagged(out(answer("alert rule", rule::get(&mut tx, id).await)?)))
}

/// Add an alert rule.
#[utoipa::path(post, path = "/alert-rules", tag = "alert rules", request_body = RuleIn,
    responses((status = 201, body = RuleOut), (status = "4XX", body = Problem)))]
async fn create_rule(
    State(app): State<App>,
    caller: Can<WriteRules>,
    Body(wanted): Body<RuleIn>,
) -> Answer<(StatusCode, Json<RuleOut>)> {
    let new = wanted.rule(AlertRuleId::generate())?;
    let mut change = Change::begin(&app, &caller).await?;
    answer("alert rule", rule::insert(&mut change, &new).await)?;
    let event = told(change.event("alert_rule.created", "alert_rule", &new.id), &new);
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(out(new))))
}

/// Replace an alert rule. Alerts that were ruled on stay as they are.
#[utoipa::path(put, path = "/alert-rules/{id}", tag = "alert rules", request_body = RuleIn,
    params(("id" = String, Path, description = "The rule"), Seen),
    responses((status = 200, body = RuleOut), (status = "4XX", body = Problem)))]
async fn replace_rule(
    State(app): State<App>,
    caller: Can<WriteRules>,
    Path(id): Path<AlertRuleId>,
    seen: Seen,
    Body(wanted): Body<RuleIn>,
) -> Answer<Tagged<RuleOut>> {
    let new = wanted.rule(id)?;
    let mut change = Change::begin(&app, &caller).await?;
    unchanged(&mut change, id, &seen).await?;
    answer("alert rule", rule::update(&mut change, &new).await)?;
    let event = told(change.event("alert_rule.updated", "alert_rule", &id), &new);
    change.commit(event).await?;
    Ok(Tagged(out(new)))
}

/// The rule is as the caller saw it, and stays so.
async fn unchanged(change: &mut Change<'_>, id: AlertRuleId, seen: &Seen) -> Answer<()> {
    answer("alert rule", hold(change, "countersign.alert_rules", id.uuid()).await)?;
    seen.is(&out(answer("alert rule", rule::get(change, id).await)?))
}

/// Remove an alert rule.
#[utoipa::path(delete, path = "/alert-rules/{id}", tag = "alert rules",
    params(("id" = String, Path, description = "The rule"), Seen),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn delete_rule(
    State(app): State<App>,
    caller: Can<WriteRules>,
    Path(id): Path<AlertRuleId>,
    seen: Seen,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    unchanged(&mut change, id, &seen).await?;
    answer("alert rule", rule::delete(&mut change, id).await)?;
    let event = change.event("alert_rule.deleted", "alert_rule", &id);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn told(event: model::audit::Event, rule: &Rule) -> model::audit::Event {
    event
        .with("name", rule.name.clone())
        .with("priority", rule.priority)
        .with("alert_name_pattern", rule.alert_name_pattern.clone())
        .with("severity_pattern", rule.severity_pattern.clone())
        .with("action", rule.action.word())
        .with("enabled", rule.enabled)
}
