//! The table of permissions, for people and for the console.

use api::permission::{OwnAccount, Row, TABLE};
use api::{App, Can, Problem};
use axum::Json;
use model::actor::Role;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_permissions))
}

/// What may be done, and who may.
#[derive(Debug, Serialize, ToSchema)]
struct PermissionOut {
    /// What it is called; a key's scopes are such names.
    #[schema(example = "approvals.vote")]
    name: String,
    /// The roles that have it.
    #[schema(value_type = Vec<String>, example = json!(["approver", "admin"]))]
    roles: Vec<Role>,
}

impl From<&Row> for PermissionOut {
    fn from(row: &Row) -> Self {
        Self { name: row.name.to_owned(), roles: row.roles.to_vec() }
    }
}

/// List what may be done, and which roles may. The same for everybody.
#[utoipa::path(get, path = "/permissions", tag = "identity",
    responses((status = 200, body = Vec<PermissionOut>), (status = "4XX", body = Problem)))]
async fn list_permissions(_caller: Can<OwnAccount>) -> Json<Vec<PermissionOut>> {
    Json(TABLE.iter().map(PermissionOut::from).collect())
}
