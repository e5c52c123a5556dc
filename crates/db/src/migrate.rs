//! The schema: roles, then migrations, both run by an administrator.
//!
//! `DATABASE_ADMIN_URL` serves these two alone. Tables belong to `countersign_owner`, which
//! nobody logs in as; `countersign_queue` and `countersign_sequencer` own the functions that look
//! across tenants; `countersign_app` owns nothing and is what the application logs in as.

mod apply;
mod settings;

use std::str::FromStr;
use std::time::Duration;

use model::canonical::Digest;
#[cfg(feature = "testing")]
use sqlx::migrate::Migration;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::error::Error;

pub use apply::LOCK_TIMEOUT;
pub(crate) use settings::set_config;
pub use settings::{REVOKE_SET_CONFIG, SetConfig};

static EMBEDDED: Migrator = sqlx::migrate!("../../migrations");

/// Where the applied migrations are recorded.
const RECORD: &str = "countersign._sqlx_migrations";

/// The login of the application.
pub const APP_ROLE: &str = "countersign_app";

/// The login of reports: it reads, in one tenant's room at a time. It has no password until
/// [`report_password`] gives it one.
pub const REPORT_ROLE: &str = "countersign_report";

/// The roles that no one logs in as, and what each is for.
const SILENT_ROLES: [&str; 4] =
    ["countersign_owner", "countersign_queue", "countersign_sequencer", "countersign_retention"];

/// The tables, and the five lenses over them. The owner may make no schema itself.
pub const SCHEMAS: [&str; 6] = [
    "countersign",
    "lens_assistant",
    "lens_governance",
    "lens_aiops",
    "lens_decision",
    "lens_drift",
];

/// Extensions that indexes of ours need; both may be made by whoever may create in the database.
const EXTENSIONS: [&str; 2] = ["btree_gin", "pg_trgm"];

/// Two administrators changing one role at once: one of them is told to repeat.
const ATTEMPTS: u32 = 10;

/// What a run changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The newest migration applied before.
    pub from: Option<i64>,
    /// The newest migration applied now.
    pub to: Option<i64>,
    /// How often a table was in use and the run stepped back.
    pub retries: u32,
    /// Whether an expression could change its tenant.
    pub set_config: SetConfig,
}

/// The newest migration of this program.
#[must_use]
pub fn newest() -> Option<i64> {
    EMBEDDED.iter().map(|migration| migration.version).max()
}

/// A hash over all migrations of this program.
#[must_use]
pub fn fingerprint() -> Digest {
    let mut bytes = Vec::new();
    for migration in EMBEDDED.iter() {
        bytes.extend_from_slice(&migration.version.to_be_bytes());
        bytes.extend_from_slice(&migration.checksum);
    }
    Digest::of(&bytes)
}

/// The application's connection string, made from the administrator's.
///
/// # Errors
/// When `admin_url` is no connection string.
pub fn app_url(admin_url: &str, app_password: &str) -> Result<String, Error> {
    login_url(admin_url, APP_ROLE, app_password)
}

fn login_url(admin_url: &str, role: &str, password: &str) -> Result<String, Error> {
    let options = PgConnectOptions::from_str(admin_url).map_err(Error::Url)?;
    Ok(options.username(role).password(password).to_url_lossy().to_string())
}

/// Makes the roles and the schemas where they are missing, sets the application's password, and
/// takes `set_config` from everybody where it can. Safe to repeat, also by several at once.
///
/// # Errors
/// When `admin_url` may not create roles, or cannot be reached.
pub async fn roles(admin_url: &str, app_password: &str) -> Result<SetConfig, Error> {
    let mut admin = connect(admin_url).await?;
    let mut attempt = 1;
    let set_config = loop {
        match make_roles(&mut admin, app_password).await {
            Ok(set_config) => break set_config,
            Err(error) if attempt < ATTEMPTS && made_by_another(&error) => {
                tokio::time::sleep(Duration::from_millis(20 * u64::from(attempt))).await;
                attempt += 1;
            }
            Err(error) => return Err(error.into()),
        }
    };
    admin.close().await?;
    Ok(set_config)
}

/// Sets the password of [`REPORT_ROLE`], and gives its connection string.
///
/// # Errors
/// When `admin_url` may not change roles, or cannot be reached.
pub async fn report_password(admin_url: &str, password: &str) -> Result<String, Error> {
    let mut admin = connect(admin_url).await?;
    set_password(&mut admin, REPORT_ROLE, password).await?;
    admin.close().await?;
    login_url(admin_url, REPORT_ROLE, password)
}

/// Applies the migrations that are missing, beside whoever uses the database. Several at once wait
/// for each other.
///
/// # Errors
/// When a migration fails, one that was applied has changed since or is not known here, or a table
/// is not to be had for ten minutes.
pub async fn run(admin_url: &str) -> Result<Migrated, Error> {
    // A deployment whose roles were made by an earlier version has not got them.
    let mut admin = connect(admin_url).await?;
    while let Err(error) = make_extensions(&mut admin).await {
        // Then it is there, and the next look sees it.
        if !made_by_another(&error) {
            return Err(error.into());
        }
    }
    admin.close().await?;
    apply::apply(admin_url, EMBEDDED.iter().cloned().collect()).await
}

/// As [`run`], with other migrations than this program's.
///
/// # Errors
/// As [`run`].
#[cfg(feature = "testing")]
pub async fn run_these(admin_url: &str, migrations: Vec<Migration>) -> Result<Migrated, Error> {
    apply::apply(admin_url, migrations).await
}

/// The migrations of this program.
#[cfg(feature = "testing")]
#[must_use]
pub fn embedded() -> Vec<Migration> {
    EMBEDDED.iter().cloned().collect()
}

async fn connect(admin_url: &str) -> Result<PgConnection, Error> {
    let options = PgConnectOptions::from_str(admin_url)
        .map_err(Error::Url)?
        .application_name("countersign migrate");
    Ok(options.connect().await?)
}

async fn applied(admin: &mut PgConnection) -> Result<Option<i64>, Error> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(RECORD)
        .fetch_one(&mut *admin)
        .await?;
    if !there {
        return Ok(None);
    }
    Ok(sqlx::query_scalar("SELECT max(version) FROM countersign._sqlx_migrations WHERE success")
        .fetch_one(admin)
        .await?)
}

/// Role exists, name taken, or "tuple concurrently updated": another administrator was faster.
fn made_by_another(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["42710", "23505", "XX000", "42P06"].contains(&code.as_ref()))
}

async fn make_roles(
    admin: &mut PgConnection,
    app_password: &str,
) -> Result<SetConfig, sqlx::Error> {
    let superuser: bool =
        sqlx::query_scalar("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user")
            .fetch_one(&mut *admin)
            .await?;
    for role in SILENT_ROLES {
        make_role(admin, role, "NOLOGIN").await?;
    }
    make_role(admin, APP_ROLE, "LOGIN").await?;
    make_role(admin, REPORT_ROLE, "LOGIN").await?;
    if superuser {
        // Somebody may have widened the role by hand.
        for login in [APP_ROLE, REPORT_ROLE] {
            // Both words are constants of this module.
            let statement = format!(
                "ALTER ROLE {login}
                 NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT"
            );
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *admin).await?;
        }
    } else {
        // To create the schema for its owner, and to act as the owner in `run`.
        sqlx::query("GRANT countersign_owner TO CURRENT_USER").execute(&mut *admin).await?;
    }
    // The owner hands functions over to these (ALTER FUNCTION … OWNER TO).
    sqlx::query(
        "GRANT countersign_queue, countersign_sequencer, countersign_retention
         TO countersign_owner",
    )
    .execute(&mut *admin)
    .await?;
    set_password(admin, APP_ROLE, app_password).await?;
    for schema in SCHEMAS {
        // All of them are constants of this module.
        let statement =
            format!("CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION countersign_owner");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *admin).await?;
    }
    make_extensions(admin).await?;
    settings::revoke_set_config(admin).await
}

async fn make_extensions(admin: &mut PgConnection) -> Result<(), sqlx::Error> {
    for extension in EXTENSIONS {
        let there: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = $1)")
                .bind(extension)
                .fetch_one(&mut *admin)
                .await?;
        if !there {
            // The word is a constant of this module.
            let statement = format!("CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA public");
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *admin).await?;
        }
    }
    Ok(())
}

async fn make_role(
    admin: &mut PgConnection,
    role: &'static str,
    login: &'static str,
) -> Result<(), sqlx::Error> {
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1)")
            .bind(role)
            .fetch_one(&mut *admin)
            .await?;
    if !there {
        // Both words are constants of this module.
        sqlx::query(AssertSqlSafe(format!("CREATE ROLE {role} {login}"))).execute(admin).await?;
    }
    Ok(())
}

/// A role's password is no parameter of any statement: the server itself quotes it.
async fn set_password(
    admin: &mut PgConnection,
    role: &'static str,
    password: &str,
) -> Result<(), sqlx::Error> {
    let statement: String =
        sqlx::query_scalar("SELECT format('ALTER ROLE %I PASSWORD %L', $1, $2)")
            .bind(role)
            .bind(password)
            .fetch_one(&mut *admin)
            .await?;
    sqlx::query(AssertSqlSafe(statement)).persistent(false).execute(admin).await?;
    Ok(())
}
