//! Trying a connection out.

use std::time::Duration;

use ::api::permission::WriteEstate;
use ::api::problem::Answer;
use ::api::{App, Can, Problem};
use axum::Json;
use axum::extract::{Path, State};
use db::wake::Topic;
use model::Timestamp;
use model::id::ConnectionId;
use sense::inventory::Tested;
use sense::store::connection;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::cycle::reach;

/// How long a caller waits: what a server gets, and the way to the worker and back.
const WAIT: Duration = Duration::from_secs(15);

/// How often is looked without a wake-up.
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(test_connection))
}

/// What a test of a connection said.
#[derive(Debug, Serialize, ToSchema)]
struct ConnectionTestOut {
    /// Whether the pinned host key was shown, the login accepted and the guard able to answer.
    reachable: bool,
    /// In words. Parts of it come from the server: escape it wherever it is shown.
    #[schema(example = "web-1: cannot be reached: Connection refused (os error 111)")]
    detail: String,
    /// How long it took, in milliseconds.
    took_ms: i32,
    /// When it was over.
    #[schema(value_type = String, format = DateTime)]
    tested_at: Timestamp,
}

impl From<Tested> for ConnectionTestOut {
    fn from(tested: Tested) -> Self {
        Self {
            reachable: tested.reachable,
            detail: tested.detail,
            took_ms: tested.took_ms,
            tested_at: tested.at,
        }
    }
}

/// Test a connection: log in, ask the guard, change nothing.
///
/// A worker does it with the pinned host keys and the login, over a connection of its own, within
/// ten seconds. What it said is kept with the connection. `no_worker` when none took it in time.
#[utoipa::path(post, path = "/connections/{id}/test", tag = "estate",
    params(("id" = String, Path, description = "The connection")),
    responses((status = 200, body = ConnectionTestOut), (status = "4XX", body = Problem)))]
async fn test_connection(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Path(id): Path<ConnectionId>,
) -> Answer<Json<ConnectionTestOut>> {
    let mut waker = app.db.waker(Topic::Events);
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let known = connection::get(&mut tx, id).await;
    known.map_err(|error| match error {
        db::Error::NotFound => Problem::not_found("connection"),
        other => other.into(),
    })?;
    let asked_at = tx.now().await?;
    let until = asked_at.checked_add(WAIT).unwrap_or(asked_at);
    tx.enqueue(reach::job(id, caller.actor.id, until)).await?;
    tx.commit().await?;
    let deadline = Instant::now() + WAIT;
    while Instant::now() < deadline {
        waker.wait(LOOK).await;
        let mut tx = app.db.tenant(caller.tenant()).await?;
        let tested = connection::get(&mut tx, id).await?.tested;
        drop(tx);
        if let Some(tested) = tested.filter(|tested| tested.at > asked_at) {
            return Ok(Json(tested.into()));
        }
    }
    let told = "no worker took the test in time: see that one runs (`countersign serve` with the \
                role worker or all), then test again";
    Err(Problem::conflict("no_worker", told))
}
