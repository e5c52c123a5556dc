//! The bundle that ships: what decides until a tenant activates one of its own.

use std::collections::BTreeMap;

use ::api::permission::ReadPolicy;
use ::api::problem::Answer;
use ::api::{App, Can, Problem};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{TestOut, tested};
use crate::policy;
use crate::store::bundles;

/// The bundle that ships with the server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShippedBundleOut {
    /// What it is called.
    #[schema(example = "shipped")]
    name: String,
    /// SHA-256 over its canonical form; decisions and approvals are bound to it.
    hash: String,
    /// Whether it decides: as long as no bundle of the tenant's was activated.
    decides: bool,
    /// Its files: path to Rego.
    files: BTreeMap<String, String>,
}

/// Show the bundle that ships. It decides until one of the tenant's own does.
#[utoipa::path(get, path = "/policies/shipped", tag = "policy",
    responses((status = 200, body = ShippedBundleOut), (status = "4XX", body = Problem)))]
pub(super) async fn get_shipped_bundle(
    State(app): State<App>,
    caller: Can<ReadPolicy>,
) -> Answer<Json<ShippedBundleOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let bundle = policy::shipped();
    Ok(Json(ShippedBundleOut {
        name: bundles::SHIPPED.to_owned(),
        hash: bundle.hash().to_string(),
        decides: !bundles::any_active(&mut tx).await?,
        files: bundle.files().clone(),
    }))
}

/// Run the tests of the bundle that ships.
#[utoipa::path(post, path = "/policies/shipped/test", tag = "policy",
    responses((status = 200, body = Vec<TestOut>), (status = "4XX", body = Problem)))]
pub(super) async fn test_shipped_bundle(_caller: Can<ReadPolicy>) -> Json<Vec<TestOut>> {
    Json(tested(policy::shipped()))
}
