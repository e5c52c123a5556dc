//! Trying a channel out.

use std::time::Duration;

use ::api::permission::WriteSettings;
use ::api::problem::Answer;
use ::api::{App, Can, Problem};
use axum::Json;
use axum::extract::{Path, State};
use db::wake::Topic;
use model::Timestamp;
use model::id::ChannelId;
use serde::Serialize;
use tell::channel::{self, Tested};
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::cycle::deliver;

/// How long a caller waits: what a channel gets, and the way to the worker and back.
const WAIT: Duration = Duration::from_secs(15);

/// How often is looked without a wake-up.
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(test_channel))
}

/// What a test of a channel said.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelTestOut {
    /// Whether the channel took the message.
    delivered: bool,
    /// In words; nothing of what the channel answered but its status or its word for the fault.
    #[schema(example = "it was answered with HTTP status 404")]
    detail: String,
    /// How long it took, in milliseconds.
    took_ms: i32,
    /// When it was over.
    #[schema(value_type = String, format = DateTime)]
    tested_at: Timestamp,
}

impl From<Tested> for ChannelTestOut {
    fn from(tested: Tested) -> Self {
        Self {
            delivered: tested.delivered,
            detail: tested.detail,
            took_ms: tested.took_ms,
            tested_at: tested.at,
        }
    }
}

/// Test a channel: send a message through it that says it is a test.
///
/// A worker sends it, with the channel's secret. `PagerDuty` is told of an incident that is over at
/// once. Mail is not sent by this release. `no_worker` when none took it in time.
#[utoipa::path(post, path = "/notification-channels/{id}/test", tag = "notifications",
    params(("id" = String, Path, description = "The channel")),
    responses((status = 200, body = ChannelTestOut), (status = "4XX", body = Problem)))]
async fn test_channel(
    State(app): State<App>,
    caller: Can<WriteSettings>,
    Path(id): Path<ChannelId>,
) -> Answer<Json<ChannelTestOut>> {
    let mut waker = app.db.waker(Topic::Events);
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let known = channel::get(&mut tx, id).await;
    known.map_err(|error| match error {
        db::Error::NotFound => Problem::not_found("channel"),
        other => other.into(),
    })?;
    let asked_at = tx.now().await?;
    let until = asked_at.checked_add(WAIT).unwrap_or(asked_at);
    tx.enqueue(deliver::job(id, caller.actor.id, until)).await?;
    tx.commit().await?;
    let deadline = Instant::now() + WAIT;
    while Instant::now() < deadline {
        waker.wait(LOOK).await;
        let mut tx = app.db.tenant(caller.tenant()).await?;
        let tested = channel::get(&mut tx, id).await?.tested;
        drop(tx);
        if let Some(tested) = tested.filter(|tested| tested.at > asked_at) {
            return Ok(Json(tested.into()));
        }
    }
    let told = "no worker took the test in time: see that one runs (`countersign serve` with the \
                role worker or all), then test again";
    Err(Problem::conflict("no_worker", told))
}
