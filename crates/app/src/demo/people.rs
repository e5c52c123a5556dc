//! Who takes part: accounts with passwords of their own, each with a session.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use model::Clock as _;
use serde_json::{Value, json};
use server::login::totp;

use super::server::TIMEOUT;
use crate::cli::view::raw;
use crate::client::Client;
use crate::wiring::SystemClock;

/// Bytes of randomness in a password.
const PASSWORD_BYTES: usize = 12;

/// Somebody who is logged in.
pub(super) struct Person {
    /// The login name.
    pub(super) username: String,
    /// The password, told at the end when everything is left running.
    pub(super) password: String,
    /// Where the server is.
    url: String,
    session: Mutex<Session>,
}

/// What somebody goes on with: every showing of a second factor begins a new session.
struct Session {
    client: Client,
    /// Recovery codes that were not shown yet.
    codes: Vec<String>,
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
    let session = Mutex::new(Session { client, codes: Vec::new() });
    Ok(Person { username: username.to_owned(), password, url: url.to_owned(), session })
}

impl Person {
    /// Asks in their name.
    pub(super) fn client(&self) -> Client {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// Sets up a second factor, as a generator of codes would be.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn enrol(&self) -> Result<()> {
        let client = self.client();
        let body = json!({ "current_password": self.password });
        let made = client.post(&["account", "second-factor"], &body).await?;
        let now = SystemClock.now().as_second();
        let code = totp::shown(raw(&made, "/secret"), now).context("no secret was given")?;
        let confirm = json!({ "code": code });
        let done = client.post(&["account", "second-factor", "confirm"], &confirm).await?;
        let codes = serde_json::from_value(done["recovery_codes"].clone())?;
        self.go_on(&done, Some(codes))
    }

    /// The next code to show: one of the recovery codes, since the generator's next comes in half a
    /// minute; none without a second factor.
    pub(super) fn next_code(&self) -> Option<String> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).codes.pop()
    }

    /// Shows the second factor for one approval.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn step_up(&self, code: &str, bound_hash: &str) -> Result<()> {
        let body = json!({ "code": code, "bound_hash": bound_hash });
        let shown = self.client().post(&["account", "step-up"], &body).await?;
        self.go_on(&shown, None)
    }

    fn go_on(&self, opened: &Value, codes: Option<Vec<String>>) -> Result<()> {
        let token = raw(opened, "/session/token").to_owned();
        let client = Client::new(&self.url, Some(token), TIMEOUT)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.client = client;
        if let Some(codes) = codes {
            session.codes = codes;
        }
        Ok(())
    }
}
