//! Where a login through a provider begins.

use api::caller::From;
use api::problem::Answer;
use api::{App, Problem};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use connect::Outbound;
use model::Digest;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::discovery::{Fault, Known};
use super::secrets::{self, Browser};
use super::store::{self, LOGIN_MINUTES};
use crate::login::account::default_tenant;
use crate::login::store::tenant_by_slug;
use crate::login::throttle::Throttle;
use crate::router::PREFIX;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_login_providers)).routes(routes!(start_login))
}

/// Whose providers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The tenant's slug; `default` when absent.
    #[serde(default = "default_tenant")]
    #[param(example = "default", max_length = 63, required = false)]
    tenant: String,
}

/// A way in.
#[derive(Serialize, ToSchema)]
struct WayIn {
    /// Its name in addresses.
    #[schema(example = "corporate")]
    name: String,
    /// What people call it.
    #[schema(example = "Example Corporation")]
    display_name: String,
    /// Where to send the browser.
    #[schema(example = "/api/v1/auth/oidc/corporate/start")]
    start: String,
}

/// List the identity providers people may log in through.
#[utoipa::path(get, path = "/auth/oidc", tag = "identity", params(Whose), security(()),
    responses((status = 200, body = Vec<WayIn>), (status = "4XX", body = Problem)))]
async fn list_login_providers(
    State(app): State<App>,
    Query(whose): Query<Whose>,
) -> Answer<Json<Vec<WayIn>>> {
    let Some(tenant) = tenant_by_slug(&app.db, &whose.tenant).await? else {
        // A tenant nobody has looks like one without providers.
        return Ok(Json(Vec::new()));
    };
    let mut tx = app.db.tenant(tenant).await?;
    let ways = store::active(&mut tx).await?.into_iter().map(|provider| WayIn {
        start: format!("{PREFIX}/auth/oidc/{}/start", provider.name),
        name: provider.name,
        display_name: provider.display_name,
    });
    Ok(Json(ways.collect()))
}

/// Log in through an identity provider: the browser is sent there.
///
/// It comes back to `…/callback` within ten minutes, with the cookie that is set here.
#[utoipa::path(get, path = "/auth/oidc/{name}/start", tag = "identity", security(()),
    params(("name" = String, Path, description = "The provider's name"), Whose),
    responses((status = 303), (status = "4XX", body = Problem), (status = "5XX", body = Problem)))]
async fn start_login(
    State(app): State<App>,
    asking: (Extension<Known>, Extension<Outbound>),
    Extension(throttle): Extension<Throttle>,
    From(origin): From,
    Path(name): Path<String>,
    Query(whose): Query<Whose>,
) -> Answer<Response> {
    let (Extension(known), Extension(outbound)) = asking;
    throttle.begin(origin.ip.as_deref())?;
    let missing = || Problem::not_found("identity provider");
    let tenant = tenant_by_slug(&app.db, &whose.tenant).await?.ok_or_else(missing)?;
    let mut tx = app.db.tenant(tenant).await?;
    let provider = store::by_name(&mut tx, &name).await?.ok_or_else(missing)?;
    drop(tx);
    let metadata =
        known.asking(outbound.of(tenant)).metadata(&provider.issuer).await.map_err(unavailable)?;
    let (browser, state) = (Browser::fresh()?, secrets::new_state(tenant)?);
    let mut to = url::Url::parse(&metadata.authorization_endpoint)
        .map_err(|error| Problem::internal(&error))?;
    to.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", &provider.redirect_uri)
        .append_pair("scope", &provider.scopes.join(" "))
        .append_pair("state", &state)
        .append_pair("nonce", &browser.nonce())
        .append_pair("code_challenge", &browser.challenge())
        .append_pair("code_challenge_method", "S256");
    let mut tx = app.db.tenant(tenant).await?;
    let state = Digest::of(state.as_bytes());
    store::begin(&mut tx, provider.id, &state, &browser.hash()).await?;
    tx.commit().await?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    let set =
        |value: String| HeaderValue::from_str(&value).map_err(|error| Problem::internal(&error));
    let age = LOGIN_MINUTES * 60;
    let cookie = format!(
        "{}={}; Path=/; Max-Age={age}; Secure; HttpOnly; SameSite=Lax",
        secrets::COOKIE,
        browser.cookie()
    );
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, set(to.into())?);
    headers.insert(header::SET_COOKIE, set(cookie)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A provider that cannot be used just now, as an answer. What it said goes to the log.
#[expect(clippy::needless_pass_by_value, reason = "errors are mapped with it")]
pub(super) fn unavailable(fault: Fault) -> Problem {
    tracing::warn!(error = %fault, "an identity provider cannot be used");
    Problem::unavailable("the identity provider cannot be used just now; try again")
}
