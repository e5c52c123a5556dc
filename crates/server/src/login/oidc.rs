//! Logging in through an identity provider: OpenID Connect, authorization code with PKCE.
//!
//! A login begins at `start`, which sends the browser to the provider with a `state`, a `nonce` and
//! a PKCE challenge. All three come from one secret that only this browser keeps, in a cookie; the
//! database has hashes. It ends at `callback`, which takes the state away before anything else, so
//! that no answer counts twice, trades the code for an ID token at the provider the login began
//! with, and believes of that token only what its signature and claims carry. Its subject is the
//! user; its groups are the roles. The token itself opens nothing here: what comes of it is a
//! session like any other, which ends when it is ended.

mod account;
mod callback;
mod discovery;
mod fetch;
mod provider;
mod secrets;
mod start;
mod store;
mod token;

use api::{App, object};
use axum::Extension;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    object::routes::<provider::OidcProvider>()
        .merge(start::routes())
        .merge(callback::routes())
        .layer(Extension(discovery::Known::default()))
}
