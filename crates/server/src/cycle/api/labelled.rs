//! What people labelled, as training takes it.

use ::api::permission::ReadModels;
use ::api::problem::Answer;
use ::api::{App, Can, Problem};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use judge::drift::{Cause, features};
use learn::store::labelled;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_labelled_causes))
}

/// Labelled findings as rows for training, a line of JSON each.
///
/// As `countersign model train` reads them: the features, the label, when it was noticed, and what
/// was said of it by evidence or a model. Labels that no evidence speaks for are left out.
#[utoipa::path(get, path = "/cause-analyses/labelled", tag = "learning",
    responses((status = 200, body = String, content_type = "application/x-ndjson"),
        (status = "4XX", body = Problem)))]
async fn list_labelled_causes(State(app): State<App>, caller: Can<ReadModels>) -> Answer<Response> {
    let causes = Cause::INFERRED.map(Cause::word);
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let rows = labelled::all(&mut tx, features::VERSION, &causes).await?;
    let mut lines = String::new();
    for row in rows {
        let values =
            features::names().map(str::to_owned).zip(row.features.iter().map(|n| json!(n)));
        let mut line = json!({
            "features": values.collect::<Map<String, Value>>(), "label": row.label,
            "time": row.at,
        });
        if let Some(stated) = row.stated {
            line["stated"] = stated;
        }
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
}
