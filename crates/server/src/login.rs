//! People and keys: passwords, sessions, users, API keys.

pub mod account;
mod actors;
mod factor;
mod invitations;
pub mod keys;
mod oidc;
pub mod password;
mod permissions;
mod sessions;
pub mod setup;
pub mod store;
#[cfg(test)]
mod tests;
pub mod throttle;
pub mod totp;
pub mod users;

use api::App;
use axum::Extension;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(account::routes())
        .merge(actors::routes())
        .merge(sessions::routes())
        .merge(users::routes())
        .merge(keys::routes())
        .merge(oidc::routes())
        .merge(factor::routes())
        .merge(invitations::routes())
        .merge(permissions::routes())
        .layer(Extension(throttle::Throttle::default()))
}
