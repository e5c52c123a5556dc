//! Schema and roles of an external database.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use db::migrate::{REVOKE_SET_CONFIG, SetConfig};
use serde_json::json;

use super::fault::chain;
use super::{Context, End, given, view};
use crate::config::Place;
use crate::output::{self, Format};
use crate::wiring;

/// Schema and roles of an external database.
///
/// The private database needs none of this: `serve` keeps it up to date.
#[derive(Debug, Subcommand)]
pub enum Database {
    /// Make the roles and set the application's password; prints its `DATABASE_URL`
    Roles(Roles),
    /// Set the password of the login of reports, which reads; prints its URL
    ///
    /// `countersign_report` sees one tenant at a time, and of it no secret, sealed or hashed:
    /// begin a transaction with `SELECT countersign.enter_tenant('…')`, then read the tables or the
    /// five lenses.
    Report(Roles),
    /// Apply the migrations that are missing
    Migrate(Admin),
    /// Say which schema this program needs and which one there is
    Status(Box<Status>),
}

/// The administrator's login.
#[derive(Debug, Args)]
pub struct Admin {
    /// The administrator's login, which may create roles; used by `db` alone
    #[arg(long, env = "DATABASE_ADMIN_URL", value_name = "URL", hide_env_values = true)]
    admin_url: String,
}

/// The application's password.
#[derive(Debug, Args)]
pub struct Roles {
    /// The administrator's login.
    #[command(flatten)]
    admin: Admin,

    /// A file with the password, `-` for standard input; made up when absent
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// The application's login.
#[derive(Debug, Args)]
pub struct Status {
    /// Where the database is.
    #[command(flatten)]
    place: Place,
}

impl Database {
    /// Does it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::Roles(roles) => roles.run(context).await,
            Self::Report(roles) => roles.report(context).await,
            Self::Migrate(admin) => {
                let done = db::migrate::run(&admin.admin_url).await.context("migrating")?;
                let told = json!({
                    "from": done.from,
                    "to": done.to,
                    "retries": done.retries,
                    "set_config": done.set_config.word(),
                });
                remark_on(done.set_config, context);
                context.show(&told, |told| match done.from == done.to {
                    true => format!("nothing to do: the schema is {}", view::at(told, "/to")),
                    false => {
                        format!(
                            "migrated from {} to {}",
                            view::at(told, "/from"),
                            view::at(told, "/to")
                        )
                    }
                })
            }
            Self::Status(status) => status.run(context).await,
        }
    }
}

/// Says what is left to do where this login is no superuser.
fn remark_on(set_config: SetConfig, context: &Context) {
    if set_config == SetConfig::Callable {
        context.remark(&format!(
            "set_config may be called, so an expression could change its tenant; a superuser takes it \
             away in this database: {REVOKE_SET_CONFIG}"
        ));
    }
}

impl Roles {
    fn password(&self) -> Result<String> {
        match &self.password_file {
            Some(file) => Ok(given::text_of(file)?.trim_end_matches(['\n', '\r']).to_owned()),
            None => api::identity::random_text(24).map_err(|problem| {
                anyhow::anyhow!("no password could be made: {}", problem.detail)
            }),
        }
    }

    async fn report(self, context: &Context) -> Result<End> {
        let password = self.password()?;
        let url = db::migrate::report_password(&self.admin.admin_url, &password).await;
        let url = url.context("setting the password of reports")?;
        let told = json!({ "role": db::migrate::REPORT_ROLE, "url": url });
        context.show(&told, |_| url.clone())?;
        context.remark("this holds the password: keep it where only reports can read it");
        Ok(End::Good)
    }

    async fn run(self, context: &Context) -> Result<End> {
        let password = self.password()?;
        let set_config = db::migrate::roles(&self.admin.admin_url, &password).await;
        let set_config = set_config.context("making the roles")?;
        let url = db::migrate::app_url(&self.admin.admin_url, &password)?;
        let told = json!({
            "role": db::migrate::APP_ROLE,
            "database_url": url,
            "set_config": set_config.word(),
        });
        context.show(&told, |_| format!("DATABASE_URL={url}"))?;
        context.remark("this holds the password: keep it where only the service can read it");
        remark_on(set_config, context);
        Ok(End::Good)
    }
}

impl Status {
    async fn run(self, context: &Context) -> Result<End> {
        let needed = db::migrate::newest();
        let reached = wiring::reach_to_read(&self.place).await;
        let problem = match reached {
            Ok((db, _)) => {
                db.close().await;
                None
            }
            Err(error) => Some(chain(&error)),
        };
        let told = json!({
            "ok": problem.is_none(),
            "needed": needed,
            "migrations_sha256": db::migrate::fingerprint(),
            "problem": problem,
        });
        match context.format {
            Format::Json => output::json(&told)?,
            Format::Human => output::result(&match &problem {
                None => format!("ready: the schema is {}", view::at(&told, "/needed")),
                Some(problem) => format!(
                    "not ready: {}\nthis program needs schema {}",
                    view::clean(problem),
                    view::at(&told, "/needed")
                ),
            }),
        }
        Ok(End::when(problem.is_none()))
    }
}
