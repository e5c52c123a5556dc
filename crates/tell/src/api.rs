//! Channels, notifications, conversations, language models, terminal sessions, settings and the
//! tenant itself over HTTP.

mod channels;
mod chat;
mod language_model;
mod settings;
mod tenant;
mod terminal;

use ::api::problem::Answer;
use ::api::{App, Problem, object};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use crate::secret;

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(object::routes::<channels::Channel>())
        .merge(object::routes::<channels::Notification>())
        .merge(channels::routes())
        .merge(object::routes::<chat::Chat>())
        .merge(chat::routes())
        .merge(object::routes::<language_model::LlmProvider>())
        .merge(language_model::routes())
        .merge(object::routes::<terminal::TerminalSession>())
        .merge(settings::routes())
        .merge(tenant::routes())
}

/// Refuses what belongs in a credential.
fn no_secret(path: &str, value: &Value) -> Answer<()> {
    match secret::named(value) {
        None => Ok(()),
        Some(at) => Err(Problem::invalid(
            &format!("{path}{at}"),
            "secret_in_plain",
            "is named like a secret: store a credential and refer to it with credential_id",
        )),
    }
}
