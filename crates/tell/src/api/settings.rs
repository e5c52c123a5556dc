//! Settings of a tenant, by key.

use ::api::check::document;
use ::api::etag::{Seen, Tagged};
use ::api::permission::{ReadSettings, WriteSettings};
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use model::id::ActorId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_secret;
use crate::store::{self, Setting};

/// The longest key, in characters.
const LONGEST_KEY: usize = 50;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_settings)).routes(routes!(
        show_setting,
        put_setting,
        remove_setting
    ))
}

/// What is to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettingIn {
    /// Any JSON; nothing secret.
    #[schema(example = json!({"theme": "dark"}))]
    value: Value,
}

/// A setting.
#[derive(Debug, Serialize, ToSchema)]
struct SettingOut {
    /// What it is called.
    #[schema(example = "console")]
    key: String,
    /// What is set.
    value: Value,
    /// Who set it last.
    #[schema(value_type = Option<String>)]
    updated_by: Option<ActorId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Setting> for SettingOut {
    fn from(setting: Setting) -> Self {
        let Setting { key, value, updated_by, updated_at } = setting;
        Self { key, value, updated_by, updated_at }
    }
}

/// List settings, in order of key.
#[utoipa::path(get, path = "/settings", tag = "settings",
    responses((status = 200, body = Vec<SettingOut>), (status = "4XX", body = Problem)))]
async fn list_settings(
    State(app): State<App>,
    caller: Can<ReadSettings>,
) -> Answer<Json<Vec<SettingOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let settings = store::settings(&mut tx).await?;
    Ok(Json(settings.into_iter().map(SettingOut::from).collect()))
}

/// Show a setting.
#[utoipa::path(get, path = "/settings/{key}", tag = "settings",
    params(("key" = String, Path, description = "What it is called")),
    responses((status = 200, body = SettingOut), (status = "4XX", body = Problem)))]
async fn show_setting(
    State(app): State<App>,
    caller: Can<ReadSettings>,
    Path(key): Path<String>,
) -> Answer<Tagged<SettingOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let setting = store::setting(&mut tx, &key).await?.ok_or_else(missing)?;
    Ok(Tagged(setting.into()))
}

/// Set something.
#[utoipa::path(put, path = "/settings/{key}", tag = "settings",
    params(("key" = String, Path, description = "What it is called"), Seen),
    request_body = SettingIn,
    responses((status = 200, body = SettingOut), (status = "4XX", body = Problem)))]
async fn put_setting(
    State(app): State<App>,
    caller: Can<WriteSettings>,
    Path(key): Path<String>,
    seen: Seen,
    Body(wanted): Body<SettingIn>,
) -> Answer<Tagged<SettingOut>> {
    named(&key)?;
    document("/value", &wanted.value)?;
    no_secret("/value", &wanted.value)?;
    let mut change = Change::begin(&app, &caller).await?;
    if let Some(now) = store::setting_to_change(&mut change, &key).await? {
        seen.is(&SettingOut::from(now))?;
    }
    let set = store::set(&mut change, &key, &wanted.value, caller.actor.id).await?;
    let event = change.event("setting.set", "setting", &key);
    change.commit(event).await?;
    Ok(Tagged(set.into()))
}

/// Remove a setting.
#[utoipa::path(delete, path = "/settings/{key}", tag = "settings",
    params(("key" = String, Path, description = "What it is called"), Seen),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn remove_setting(
    State(app): State<App>,
    caller: Can<WriteSettings>,
    Path(key): Path<String>,
    seen: Seen,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    let now = store::setting_to_change(&mut change, &key).await?.ok_or_else(missing)?;
    seen.is(&SettingOut::from(now))?;
    store::unset(&mut change, &key).await?;
    let event = change.event("setting.removed", "setting", &key);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn missing() -> Problem {
    Problem::not_found("setting")
}

fn named(key: &str) -> Answer<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
    let good = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.len() <= LONGEST_KEY
        && key.chars().all(fits);
    if good {
        return Ok(());
    }
    let message = "a key has up to 50 small letters, digits, _ and ., a letter in front";
    Err(Problem::invalid("path.key", "characters", message))
}
