//! Who takes part: accounts with passwords of their own, each with a session.

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;

use super::server::TIMEOUT;
use crate::cli::view::raw;
use crate::client::Client;

/// Bytes of randomness in a password.
const PASSWORD_BYTES: usize = 12;

/// Somebody who is logged in.
pub(super) struct Person {
    /// The login name.
    pub(super) username: String,
    /// The password, told at the end when everything is left running.
    pub(super) password: String,
    /// Asks in their name.
    pub(super) client: Client,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Logs somebody in for the first time and gives them a password of their own, as everybody must.
///
/// # Errors
/// When the server refuses.
pub(super) async fn first_login(url: &str, username: &str, one_time: &str) -> Result<Person> {
    let nobody = Client::new(url, None, TIMEOUT)?;
    let login = json!({ "username": username, "password": one_time });
    let session =
        nobody.post(&["login"], &login).await.with_context(|| format!("{username} logs in"))?;
    let client = Client::new(url, Some(raw(&session, "/token").to_owned()), TIMEOUT)?;
    let password = api::identity::random_text(PASSWORD_BYTES)
        .map_err(|problem| anyhow!("no password could be made: {}", problem.detail))?;
    let change = json!({ "current_password": one_time, "new_password": password });
    let session = client
        .post(&["account", "password"], &change)
        .await
        .with_context(|| format!("{username} sets a password"))?;
    let client = Client::new(url, Some(raw(&session, "/token").to_owned()), TIMEOUT)?;
    Ok(Person { username: username.to_owned(), password, client })
}
