//! What a step printed, by ranges, while it runs and after.

use api::permission::ReadPlans;
use api::problem::Answer;
use api::{App, Can, Problem};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use model::id::{ExecutionId, StepRunId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::store::outputs;
use crate::store::printed::PIECE_BYTES;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_output))
}

/// What a step prints on.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StreamIn {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

/// Which part of which output.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RangeIn {
    /// Which stream; standard output when absent.
    #[param(inline)]
    stream: Option<StreamIn>,
    /// From which byte on; 0 when absent.
    #[param(minimum = 0)]
    from: Option<u64>,
    /// How many bytes at most; a mebibyte when absent, which is the most there is at a time.
    #[param(minimum = 1, maximum = 1_048_576)]
    most: Option<u64>,
    /// Of which attempt, from 1; of the last when absent.
    #[param(minimum = 1)]
    attempt: Option<i32>,
}

/// A range of what a step printed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutputOut {
    /// The text, masked, cut at characters; what is no text is replaced.
    text: String,
    /// Its first byte.
    #[schema(example = 0)]
    from: usize,
    /// Where to go on.
    #[schema(example = 5120)]
    next: usize,
    /// How many bytes there are so far.
    #[schema(example = 5120)]
    size: usize,
    /// Whether nothing more will be added to them.
    ended: bool,
    /// Whether what came after the cap was dropped.
    truncated: bool,
    /// Which attempt printed it, from 1: the next one begins at byte 0 again.
    attempt: Option<i32>,
}

/// Read what a step printed from a byte on, also while it runs.
///
/// Go on at `next` until it is `size` and `ended` is true. What a step prints can be read about a
/// second later. Nothing is shown of sensitive steps.
#[utoipa::path(get, path = "/executions/{id}/steps/{step}/output", tag = "executions",
    params(("id" = String, Path, description = "The execution"),
           ("step" = String, Path, description = "The step run"), RangeIn),
    responses((status = 200, body = OutputOut), (status = "4XX", body = Problem)))]
async fn read_output(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path((id, step)): Path<(ExecutionId, StepRunId)>,
    wanted: Result<Query<RangeIn>, QueryRejection>,
) -> Answer<Json<OutputOut>> {
    let Query(wanted) =
        wanted.map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
    let most = wanted.most.map_or(Some(PIECE_BYTES), |most| usize::try_from(most).ok());
    let most = most.filter(|most| (1..=PIECE_BYTES).contains(most)).ok_or_else(|| {
        let message = format!("must be 1 to {PIECE_BYTES}");
        Problem::invalid("query.most", "out_of_range", message)
    })?;
    let from = usize::try_from(wanted.from.unwrap_or_default()).unwrap_or(usize::MAX);
    let stream = match wanted.stream.unwrap_or_default() {
        StreamIn::Stdout => "stdout",
        StreamIn::Stderr => "stderr",
    };
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let found = outputs::find(&mut tx, (id, step), stream, wanted.attempt).await?;
    drop(tx);
    let (attempt, ended) = (found.attempt, found.ended);
    let told = found.range(&*app.objects, stream, (from, most)).await?;
    let range = told.range;
    Ok(Json(OutputOut {
        text: range.text,
        from: range.from,
        next: range.next,
        size: told.size,
        ended,
        truncated: told.truncated,
        attempt,
    }))
}
