//! People who may log in.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use super::listing::Paging;
use super::view::Column;
use super::{Context, End, given, view};

const COLUMNS: [Column; 6] = [
    ("username", "/username"),
    ("name", "/full_name"),
    ("roles", "/roles"),
    ("active", "/is_active"),
    ("last login", "/last_login"),
    ("id", "/id"),
];

/// People who may log in.
#[derive(Debug, Subcommand)]
pub enum User {
    /// List users, newest first
    List(Paging),
    /// Add a user with a one-time password
    Add(Add),
    /// Change a user's roles, or whether it may log in; its sessions end
    Set(Set),
}

/// A user to be added.
#[derive(Debug, Args)]
pub struct Add {
    /// The login name
    #[arg(value_name = "USER")]
    username: String,

    /// A role: viewer, operator, approver, admin or auditor; may be repeated
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,

    /// What people call it; the login name when absent
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    name: String,

    /// The mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
}

/// What to change of a user.
#[derive(Debug, Args)]
#[command(group(
    clap::ArgGroup::new("change").required(true).multiple(true).args(["roles", "active"])
))]
pub struct Set {
    /// The login name or id
    #[arg(value_name = "USER")]
    user: String,

    /// A role it has from now on, instead of those it has; may be repeated
    #[arg(long = "role", id = "roles", value_name = "ROLE")]
    roles: Option<Vec<String>>,

    /// Whether it may log in
    #[arg(long, value_name = "YES|NO", value_parser = given::yes_or_no)]
    active: Option<bool>,
}

impl User {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(paging) => paging.list(context, &["users"], &[], &COLUMNS).await,
            Self::Add(add) => add.run(context).await,
            Self::Set(set) => set.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<End> {
        let body = json!({
            "username": self.username, "full_name": self.name, "email": self.email,
            "roles": self.roles,
        });
        let made = context.client()?.post(&["users"], &body).await?;
        context.show(&made, |made| {
            format!(
                "{} may log in with the one-time password {}",
                view::at(made, "/user/username"),
                view::at(made, "/one_time_password")
            )
        })
    }
}

impl Set {
    async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let id = given::id_of(&client, "user", &["users"], "usr", &self.user).await?;
        let mut body = json!({});
        if let Some(roles) = self.roles {
            body["roles"] = json!(roles);
        }
        if let Some(active) = self.active {
            body["is_active"] = json!(active);
        }
        let changed = client.patch(&["users", &id], &body).await?;
        context.show(&changed, |user| view::facts(user, &COLUMNS))
    }
}
