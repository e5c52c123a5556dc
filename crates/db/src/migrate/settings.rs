//! Who may call `set_config`.
//!
//! Everybody may, as a server comes. What is injected into an expression could then name another
//! tenant for the next statement of its transaction: row-level security evaluates the tenant once
//! a statement, so the statement itself is safe. `SET` does the same and is a statement, of which
//! the extended protocol takes one at a time.

use sqlx::PgConnection;

/// Whether an expression of the application's could change its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetConfig {
    /// It could not.
    Revoked,
    /// It could: a superuser has yet to take `set_config` from everybody.
    Callable,
    /// The schema is not there yet, or is from before 0044 and entered by calling it: migrating
    /// comes first.
    Needed,
}

impl SetConfig {
    /// Its name in what the program prints.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Callable => "callable",
            Self::Needed => "needed",
        }
    }
}

/// What a superuser runs where the program could not: in the database itself, once it is migrated.
pub const REVOKE_SET_CONFIG: &str =
    "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC";

/// Takes `set_config` from everybody, where that is ours to do and nothing needs it any more.
pub(super) async fn revoke_set_config(admin: &mut PgConnection) -> Result<SetConfig, sqlx::Error> {
    let (superuser, free): (bool, bool) = sqlx::query_as(
        "SELECT r.rolsuper, EXISTS (
           SELECT 1 FROM pg_catalog.pg_proc p
           JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
           WHERE n.nspname = 'countersign' AND p.proname = 'enter_tenant'
             AND p.prosrc NOT LIKE '%set_config(%')
         FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
    )
    .fetch_one(&mut *admin)
    .await?;
    if !free {
        return Ok(SetConfig::Needed);
    }
    if superuser && set_config(admin).await? == SetConfig::Callable {
        sqlx::query(REVOKE_SET_CONFIG).execute(&mut *admin).await?;
    }
    set_config(admin).await
}

/// Whether the application may call it, as things are.
pub(crate) async fn set_config(connection: &mut PgConnection) -> Result<SetConfig, sqlx::Error> {
    let callable: bool = sqlx::query_scalar(
        "SELECT has_function_privilege(
           'countersign_app', 'pg_catalog.set_config(text, text, boolean)', 'EXECUTE')",
    )
    .fetch_one(connection)
    .await?;
    Ok(if callable { SetConfig::Callable } else { SetConfig::Revoked })
}
