//! The tenant itself: what it is called, and whom to ask.

use ::api::check::sized;
use ::api::etag::{Seen, Tagged};
use ::api::permission::{ReadSettings, WriteSettings};
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, Problem};
use axum::extract::State;
use model::Timestamp;
use model::id::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::store::tenant::{self, Tenant};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_tenant, replace_tenant))
}

/// What a tenant says about itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TenantIn {
    /// What people call it.
    #[schema(min_length = 1, max_length = 255, example = "Example Shops")]
    name: String,
    /// What it is.
    #[serde(default)]
    #[schema(max_length = 2000, example = "Runs the shops of three countries")]
    description: String,
    /// Whom to write to about it.
    #[schema(max_length = 320, example = "platform@example.com")]
    contact_email: Option<String>,
}

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
struct TenantOut {
    /// Its id.
    #[schema(value_type = String, example = "ten_0190a6c2-7b5e-7000-8000-000000000001")]
    id: TenantId,
    /// What it is called in logins and addresses; it stays.
    #[schema(example = "example-shops")]
    slug: String,
    /// What people call it.
    name: String,
    /// What it is.
    description: String,
    /// Whom to write to about it.
    contact_email: Option<String>,
    /// How much of the decision API it may use: `free`, `pro`, `premium` or `enterprise`.
    #[schema(example = "enterprise")]
    tier: String,
    /// Whether it may be used.
    is_active: bool,
    /// Who made it, in their words.
    created_by: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Show the tenant one belongs to.
#[utoipa::path(get, path = "/tenant", tag = "settings",
    responses((status = 200, body = TenantOut), (status = "4XX", body = Problem)))]
async fn get_tenant(
    State(app): State<App>,
    caller: Can<ReadSettings>,
) -> Answer<Tagged<TenantOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Tagged(tenant::get(&mut tx).await?.into()))
}

/// Replace what the tenant says about itself.
#[utoipa::path(put, path = "/tenant", tag = "settings", request_body = TenantIn, params(Seen),
    responses((status = 200, body = TenantOut), (status = "4XX", body = Problem)))]
async fn replace_tenant(
    State(app): State<App>,
    caller: Can<WriteSettings>,
    seen: Seen,
    Body(wanted): Body<TenantIn>,
) -> Answer<Tagged<TenantOut>> {
    sized("/name", &wanted.name, 1..=255)?;
    sized("/description", &wanted.description, 0..=2000)?;
    if let Some(email) = &wanted.contact_email {
        sized("/contact_email", email, 1..=320)?;
    }
    let mut change = Change::begin(&app, &caller).await?;
    seen.is(&TenantOut::from(tenant::hold(&mut change).await?))?;
    let email = wanted.contact_email.as_deref();
    let now = tenant::replace(&mut change, &wanted.name, &wanted.description, email).await?;
    let event = change
        .event("tenant.updated", "tenant", &now.id)
        .with("name", now.name.clone())
        .with("description", now.description.clone());
    change.commit(event).await?;
    Ok(Tagged(now.into()))
}

impl From<Tenant> for TenantOut {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id.into(),
            slug: tenant.slug,
            name: tenant.name,
            description: tenant.description,
            contact_email: tenant.contact_email,
            tier: tenant.tier,
            is_active: tenant.is_active,
            created_by: tenant.created_by,
            created_at: tenant.created_at.to_jiff(),
            updated_at: tenant.updated_at.to_jiff(),
        }
    }
}
