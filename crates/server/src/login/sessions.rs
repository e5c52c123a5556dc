//! Sessions: who is logged in from where, and ending that.

use api::caller::Proof;
use api::permission::{ManageIdentity, OwnAccount};
use api::problem::Answer;
use api::{App, Can, Change, Problem, object};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::object::{self as rows, Filter, ListRequest, Lock, Test};
use model::Timestamp;
use model::id::{SessionId, UserId};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store;

/// Sessions of one's own that are listed at most.
const MOST_LISTED: i64 = 100;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    object::routes::<UserSession>()
        .routes(routes!(revoke_session))
        .routes(routes!(list_own_sessions))
        .routes(routes!(revoke_own_session))
}

object! {
    /// A login session; its token is nowhere.
    UserSession (UserSessionIn, UserSessionOut) {
        word: "session", plural: "sessions", path: "/sessions",
        table: "countersign.user_sessions", tag: "identity", verbs: Read,
        id: SessionId, read: ManageIdentity, write: ManageIdentity,
        example: {}
    }
    given {}
    kept {
        /// Whose.
        #[schema(value_type = String)]
        user_id: UserId => Id.filter();
        /// From where it was opened.
        ip_address: Option<String> => Text.filter();
        /// By what.
        user_agent: Option<String> => Text.search();
        /// Whether it was not ended. It is dead after `expires_at` all the same.
        is_active: bool => Boolean.filter();
        /// When it was opened.
        created_at: Timestamp => Time.filter().age();
        /// When it was used last.
        last_activity: Timestamp => Time.filter().sort();
        /// When it ends by itself.
        expires_at: Timestamp => Time.filter().sort();
    }
    check(_wanted) { Ok(()) }
}

fn shown(row: Value) -> Answer<UserSessionOut> {
    Ok(serde_json::from_value(row).map_err(db::Error::internal)?)
}

/// The user behind a session; a key has none.
fn user(proof: &Proof) -> Answer<UserId> {
    match proof {
        Proof::Session { user, .. } => Ok(*user),
        Proof::Key { .. } => {
            Err(Problem::conflict("no_session", "an API key has no sessions: revoke the key"))
        }
    }
}

/// List one's own sessions that are open, newest first.
#[utoipa::path(get, path = "/account/sessions", tag = "identity",
    responses((status = 200, body = Vec<UserSessionOut>), (status = "4XX", body = Problem)))]
async fn list_own_sessions(
    State(app): State<App>,
    caller: Can<OwnAccount>,
) -> Answer<Json<Vec<UserSessionOut>>> {
    let kind = <UserSession as object::Object>::KIND;
    // Whoever holds a key alone has none.
    let Ok(user) = user(&caller.proof) else { return Ok(Json(Vec::new())) };
    let own = [("user_id", user.uuid().to_string()), ("is_active", "true".to_owned())];
    let mut wanted = ListRequest::default();
    wanted.filters = own
        .into_iter()
        .filter_map(|(name, value)| {
            Some(Filter { column: kind.column(name)?, test: Test::OneOf(vec![value]) })
        })
        .collect();
    let wanted = wanted.page(Some(MOST_LISTED), None).map_err(db::Error::internal)?;
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let page = rows::list(&mut tx, &kind, &wanted).await?;
    Ok(Json(page.items.into_iter().map(shown).collect::<Answer<_>>()?))
}

/// End one of one's own sessions.
#[utoipa::path(delete, path = "/account/sessions/{id}", tag = "identity",
    params(("id" = String, Path, description = "The session")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke_own_session(
    State(app): State<App>,
    caller: Can<OwnAccount>,
    Path(id): Path<SessionId>,
) -> Answer<StatusCode> {
    // Whoever holds a key alone has no session to end: what they name is not theirs.
    let own = user(&caller.proof).ok();
    end(&app, &caller, id, |session| own == Some(session.user_id)).await
}

/// End anybody's session: it is dead from the next request on.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "identity",
    params(("id" = String, Path, description = "The session")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke_session(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<SessionId>,
) -> Answer<StatusCode> {
    end(&app, &caller, id, |_anybodys| true).await
}

async fn end(
    app: &App,
    caller: &api::Caller,
    id: SessionId,
    may: impl FnOnce(&UserSessionOut) -> bool,
) -> Answer<StatusCode> {
    let kind = <UserSession as object::Object>::KIND;
    let mut change = Change::begin(app, caller).await?;
    let row = rows::get(&mut change, &kind, id.uuid(), Lock::ForChange).await;
    let session = match row {
        Ok(row) => shown(row)?,
        Err(db::Error::NotFound) => return Err(Problem::not_found("session")),
        Err(error) => return Err(error.into()),
    };
    if !may(&session) {
        return Err(Problem::not_found("session"));
    }
    if !store::end_session(&mut change, id).await? {
        // It had ended already: there is nothing to say twice.
        return Ok(StatusCode::NO_CONTENT);
    }
    let event =
        change.event("session.ended", "session", &id).with("user_id", session.user_id.to_string());
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}
