//! Blackout and maintenance windows.

use api::etag::{Seen, Tagged};
use api::object::Wanted;
use api::permission::{ReadPolicy, WritePolicy};
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Problem, listed};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::object::hold;
use jiff::civil::DateTime;
use model::Timestamp;
use model::audit::Event;
use model::id::BlackoutId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::blackout::{self, Draft, Recurrence, Window, WindowKind};
use crate::store::windows::{self, StoredWindow};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_windows, create_window)).routes(routes!(
        show_window,
        replace_window,
        delete_window
    ))
}

/// A window to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowIn {
    /// What people call it; unique.
    #[schema(min_length = 1, max_length = 200, example = "quiet night")]
    name: String,
    /// Why it is there.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: String,
    /// `deny`: nothing starts while it is active. `allow_only`: only while it is active.
    #[serde(default = "deny")]
    #[schema(value_type = String, example = "deny")]
    kind: WindowKind,
    /// Start of the first occurrence, on the clocks of `timezone`.
    #[schema(value_type = String, example = "2026-01-01T22:00:00")]
    start_time: DateTime,
    /// End of the first occurrence, on the clocks of `timezone`; may be the next day.
    #[schema(value_type = String, example = "2026-01-02T06:00:00")]
    end_time: DateTime,
    /// IANA time zone.
    #[serde(default = "utc")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    timezone: String,
    /// `none`, `daily`, `weekly` or `monthly`.
    #[serde(default = "once")]
    #[schema(value_type = String, example = "daily")]
    recurrence: Recurrence,
    /// `{"days_of_week": ["mon"]}` or `{"days_of_month": [1, -1]}`; else the day it starts on.
    #[serde(default)]
    recurrence_pattern: Value,
    /// `{"tags": [], "names": [], "environments": []}` or a list of words; empty is all.
    #[serde(default)]
    affected_servers: Value,
    /// `{"ids": [], "names": [], "categories": []}` or a list of words; empty is all.
    #[serde(default)]
    affected_runbooks: Value,
    /// Whether it counts; true when absent.
    #[serde(default = "enabled")]
    enabled: bool,
}

const fn deny() -> WindowKind {
    WindowKind::Deny
}

const fn once() -> Recurrence {
    Recurrence::None
}

const fn enabled() -> bool {
    true
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A window.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WindowOut {
    /// Its id.
    #[schema(value_type = String, example = "blk_0190a6c2-7b5e-7000-8000-000000000001")]
    id: BlackoutId,
    /// What people call it.
    name: String,
    /// Why it is there.
    description: String,
    /// `deny` or `allow_only`.
    #[schema(value_type = String)]
    kind: WindowKind,
    /// Start of the first occurrence, on the clocks of `timezone`.
    #[schema(value_type = String)]
    start_time: DateTime,
    /// End of the first occurrence, on the clocks of `timezone`.
    #[schema(value_type = String)]
    end_time: DateTime,
    /// IANA time zone.
    timezone: String,
    /// `none`, `daily`, `weekly` or `monthly`.
    #[schema(value_type = String)]
    recurrence: Recurrence,
    /// On which days.
    recurrence_pattern: Value,
    /// Which servers.
    affected_servers: Value,
    /// Which runbooks.
    affected_runbooks: Value,
    /// Whether it counts.
    enabled: bool,
    /// Until when the present occurrence lasts, if it is active now.
    #[schema(value_type = Option<String>, format = DateTime)]
    active_until: Option<Timestamp>,
    /// Why it cannot be understood, which closes the gate.
    fault: Option<String>,
}

impl WindowIn {
    fn window(self, id: BlackoutId) -> Answer<StoredWindow> {
        for (path, text, longest) in [
            ("/name", &self.name, 200),
            ("/description", &self.description, 2000),
            ("/timezone", &self.timezone, 64),
        ] {
            if text.chars().count() > longest {
                let message = format!("may have {longest} characters");
                return Err(Problem::invalid(path, "length", message));
            }
        }
        if self.name.trim().is_empty() {
            return Err(Problem::invalid("/name", "length", "must not be empty"));
        }
        Ok(StoredWindow {
            draft: Draft {
                id,
                name: self.name,
                kind: self.kind,
                recurrence: self.recurrence,
                pattern: self.recurrence_pattern,
                opens: self.start_time,
                closes: self.end_time,
                zone: self.timezone,
                servers: self.affected_servers,
                runbooks: self.affected_runbooks,
            },
            description: self.description,
            enabled: self.enabled,
        })
    }
}

fn out(stored: StoredWindow, now: Timestamp) -> WindowOut {
    let parsed = Window::parse(&stored.draft);
    let active = parsed.as_ref().ok().and_then(|window| blackout::active(window, now));
    let draft = stored.draft;
    WindowOut {
        id: draft.id,
        name: draft.name,
        description: stored.description,
        kind: draft.kind,
        start_time: draft.opens,
        end_time: draft.closes,
        timezone: draft.zone,
        recurrence: draft.recurrence,
        recurrence_pattern: draft.pattern,
        affected_servers: draft.servers,
        affected_runbooks: draft.runbooks,
        enabled: stored.enabled,
        active_until: active.filter(|_| stored.enabled).map(|active| active.until),
        fault: parsed.err().map(|error| error.to_string()),
    }
}

fn told(event: Event, window: &StoredWindow) -> Event {
    event
        .with("name", window.draft.name.clone())
        .with("kind", window.draft.kind.word())
        .with("recurrence", window.draft.recurrence.word())
        .with("start_time", window.draft.opens.to_string())
        .with("end_time", window.draft.closes.to_string())
        .with("timezone", window.draft.zone.clone())
        .with("enabled", window.enabled)
}

listed! {
    /// Which windows are wanted.
    Windows: windows::LISTED, "kind": WindowKind, "recurrence": Recurrence,
}

/// List windows, newest first unless sorted.
#[utoipa::path(get, path = "/blackout-windows", tag = "guards", params(Windows),
    responses((status = 200, body = PageOut<WindowOut>), (status = "4XX", body = Problem)))]
async fn list_windows(
    State(app): State<App>,
    caller: Can<ReadPolicy>,
    Wanted(wanted, _): Wanted<Windows>,
) -> Answer<Json<PageOut<WindowOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let now = tx.now().await?;
    let windows = windows::list(&mut tx, &wanted).await?;
    Ok(Json(PageOut::of(windows, |window| out(window, now))))
}

/// Show a window.
#[utoipa::path(get, path = "/blackout-windows/{id}", tag = "guards",
    params(("id" = String, Path, description = "The window")),
    responses((status = 200, body = WindowOut), (status = "4XX", body = Problem)))]
async fn show_window(
    State(app): State<App>,
    caller: Can<ReadPolicy>,
    Path(id): Path<BlackoutId>,
) -> Answer<Tagged<WindowOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let now = tx.now().await?;
    Ok(Tagged(out(windows::get(&mut tx, id).await?, now)))
}

/// Add a window.
#[utoipa::path(post, path = "/blackout-windows", tag = "guards", request_body = WindowIn,
    responses((status = 201, body = WindowOut), (status = "4XX", body = Problem)))]
async fn create_window(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Body(wanted): Body<WindowIn>,
) -> Answer<(StatusCode, Json<WindowOut>)> {
    let window = wanted.window(BlackoutId::generate())?;
    let change = Change::begin(&app, &caller).await?;
    let saved = save(change, &caller, window, "blackout_window.created").await?;
    Ok((StatusCode::CREATED, Json(saved)))
}

/// Replace a window.
#[utoipa::path(put, path = "/blackout-windows/{id}", tag = "guards", request_body = WindowIn,
    params(("id" = String, Path, description = "The window"), Seen),
    responses((status = 200, body = WindowOut), (status = "4XX", body = Problem)))]
async fn replace_window(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Path(id): Path<BlackoutId>,
    seen: Seen,
    Body(wanted): Body<WindowIn>,
) -> Answer<Tagged<WindowOut>> {
    let window = wanted.window(id)?;
    let mut change = Change::begin(&app, &caller).await?;
    unchanged(&mut change, id, &seen).await?;
    save(change, &caller, window, "blackout_window.updated").await.map(Tagged)
}

/// The window is as the caller saw it, and stays so.
async fn unchanged(change: &mut Change<'_>, id: BlackoutId, seen: &Seen) -> Answer<StoredWindow> {
    hold(change, "countersign.blackout_windows", id.uuid()).await?;
    let now = change.now().await?;
    let window = windows::get(change, id).await?;
    seen.is(&out(window.clone(), now))?;
    Ok(window)
}

/// Remove a window.
#[utoipa::path(delete, path = "/blackout-windows/{id}", tag = "guards",
    params(("id" = String, Path, description = "The window"), Seen),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn delete_window(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Path(id): Path<BlackoutId>,
    seen: Seen,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    let window = unchanged(&mut change, id, &seen).await?;
    windows::remove(&mut change, id).await?;
    let event = told(change.event("blackout_window.deleted", "blackout_window", &id), &window);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn save(
    mut change: Change<'_>,
    caller: &Can<WritePolicy>,
    window: StoredWindow,
    action: &str,
) -> Answer<WindowOut> {
    windows::save(&mut change, &window, caller.actor.id).await?;
    let now = change.now().await?;
    let event = told(change.event(action, "blackout_window", &window.draft.id), &window);
    change.commit(event).await?;
    Ok(out(window, now))
}
