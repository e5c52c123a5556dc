//! One's own account: log in and out, who one is, the password.

use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};

use super::{Context, End, given, prompt, view};
use crate::client::saved::Session;
use crate::output;

/// Open a session on a server.
#[derive(Debug, Args)]
pub struct Login {
    /// The login name
    #[arg(value_name = "USER", default_value = "admin")]
    username: String,

    /// The tenant's slug
    #[arg(long, value_name = "SLUG", default_value = "default")]
    tenant: String,

    /// Read the password from this file, `-` for standard input; asked for when absent
    #[arg(long, value_name = "FILE")]
    password_file: Option<std::path::PathBuf>,

    /// Print the token instead of keeping it
    #[arg(long)]
    print_token: bool,
}

impl Login {
    /// Logs in and keeps the session.
    ///
    /// # Errors
    /// When the server refuses, or the session cannot be kept.
    pub async fn run(self, context: &Context) -> Result<End> {
        let client = context.client_of_nobody()?;
        let password = password(self.password_file.as_deref(), "password")?;
        let body = json!({
            "tenant": self.tenant, "username": self.username, "password": password,
        });
        let opened = client.post(&["login"], &body).await?;
        if self.print_token {
            output::result(view::raw(&opened, "/token"));
            return Ok(End::Good);
        }
        keep(context, &opened, &self.tenant, &self.username)?;
        let shown = without_token(opened);
        context.show(&shown, |opened| {
            format!(
                "logged in to {} as {}, until {}",
                client.address(),
                view::clean(&self.username),
                view::at(opened, "/expires_at")
            )
        })?;
        if shown["must_change_password"] == true {
            context.remark("this was a one-time password: `countersign password` sets your own");
        }
        Ok(End::Good)
    }
}

fn password(file: Option<&std::path::Path>, what: &str) -> Result<String> {
    match file {
        Some(file) => Ok(given::text_of(file)?.trim_end_matches(['\n', '\r']).to_owned()),
        None => prompt::secret(what),
    }
}

fn keep(context: &Context, opened: &Value, tenant: &str, username: &str) -> Result<()> {
    let session = Session {
        token: view::raw(opened, "/token").to_owned(),
        tenant: tenant.to_owned(),
        username: username.to_owned(),
    };
    context.sessions()?.keep(&context.client_of_nobody()?.address(), session)
}

/// Shows one's second factor for one approval; the session goes on under a new token.
///
/// # Errors
/// When the code is not taken, or there is no session to go on with.
pub(super) async fn step_up(context: &Context, code: &str, bound_hash: &str) -> Result<()> {
    let client = context.client()?;
    let Some(kept) = context.sessions()?.get(&client.address()).cloned() else {
        bail!("a second factor belongs to a session: `countersign login` first");
    };
    let body = json!({ "code": code, "bound_hash": bound_hash });
    let shown = client.post(&["account", "step-up"], &body).await?;
    keep(context, &shown["session"], &kept.tenant, &kept.username)
}

/// The token is in its file; it need not be in a terminal's history too.
fn without_token(mut opened: Value) -> Value {
    if let Some(fields) = opened.as_object_mut() {
        fields.remove("token");
    }
    opened
}

/// Ends the session, there and here.
///
/// # Errors
/// When the server cannot be reached; the session is forgotten here all the same.
pub async fn log_out(context: &Context) -> Result<End> {
    let client = context.client()?;
    let mut sessions = context.sessions()?;
    if sessions.get(&client.address()).is_none() {
        context.remark("there was no session with this server");
        return Ok(End::Good);
    }
    let ended = client.post(&["logout"], &json!({})).await;
    sessions.forget(&client.address())?;
    match ended {
        Err(error) if error.problem().is_none_or(|problem| problem.status != 401) => {
            Err(anyhow::Error::from(error).context("forgotten here, but not ended on the server"))
        }
        _ => {
            context.remark("logged out");
            Ok(End::Good)
        }
    }
}

/// Shows who one is to the server.
///
/// # Errors
/// When the server knows nobody of this key.
pub async fn who_am_i(context: &Context) -> Result<End> {
    let account = context.client()?.get(&["account"], &[]).await?;
    context.show(&account, |account| {
        view::facts(
            account,
            &[
                ("name", "/display_name"),
                ("type", "/type"),
                ("roles", "/roles"),
                ("actor", "/actor_id"),
                ("tenant", "/tenant_id"),
            ],
        )
    })
}

/// Change one's password.
#[derive(Debug, Args)]
pub struct Password {
    /// Read the present password from this file; asked for when absent
    #[arg(long, value_name = "FILE", requires = "new_password_file")]
    password_file: Option<std::path::PathBuf>,

    /// Read the new password, 15 characters or more, from this file; asked for when absent
    #[arg(long, value_name = "FILE", requires = "password_file")]
    new_password_file: Option<std::path::PathBuf>,
}

impl Password {
    /// Changes the password; the session goes on under a new token.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let kept = context.sessions()?.get(&client.address()).cloned();
        let current = password(self.password_file.as_deref(), "present password")?;
        let new = password(self.new_password_file.as_deref(), "new password")?;
        if self.new_password_file.is_none() && prompt::secret("new password again")? != new {
            bail!("the two new passwords differ: nothing was changed");
        }
        let body = json!({ "current_password": current, "new_password": new });
        let opened = client.post(&["account", "password"], &body).await?;
        match kept {
            Some(session) => keep(context, &opened, &session.tenant, &session.username)?,
            None => context.remark("every session ended: `countersign login` opens a new one"),
        }
        context.show(&without_token(opened), |_| {
            "changed; every other session of yours ended".to_owned()
        })
    }
}
