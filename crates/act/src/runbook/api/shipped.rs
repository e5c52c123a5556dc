//! The runbooks that ship, to begin from.

use api::permission::ReadRunbooks;
use api::problem::Answer;
use api::{Can, Problem};
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer;
use crate::runbook::library::LIBRARY;
use crate::runbook::{parse, store};

/// A runbook that ships, for `POST /api/v1/runbooks`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShippedRunbookOut {
    /// Its name.
    #[schema(example = "restart-service")]
    name: String,
    /// What it is for.
    description: String,
    /// The whole of it.
    yaml: String,
}

/// List the runbooks that ship, to begin from. None of them is imported.
#[utoipa::path(get, path = "/runbooks/shipped", tag = "runbooks",
    responses((status = 200, body = Vec<ShippedRunbookOut>), (status = "4XX", body = Problem)))]
pub(super) async fn list_shipped_runbooks(
    _caller: Can<ReadRunbooks>,
) -> Answer<Json<Vec<ShippedRunbookOut>>> {
    let shipped = LIBRARY.iter().map(|(name, yaml)| {
        let document =
            parse::from_yaml(yaml).map_err(|problems| answer(store::Error::Invalid(problems)))?;
        Ok(ShippedRunbookOut {
            name: (*name).to_owned(),
            description: document.description.unwrap_or_default(),
            yaml: (*yaml).to_owned(),
        })
    });
    Ok(Json(shipped.collect::<Answer<_>>()?))
}
