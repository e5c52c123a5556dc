//! What login, server and schema the application consents to run on.

use std::fmt;

use sqlx::PgConnection;

use crate::error::Error;
use crate::migrate;

/// The oldest server of major version 15 that is taken, as `server_version_num` writes it.
///
/// CVE-2025-8713 let planner statistics show rows that row-level security hides.
pub const MINIMUM_SERVER_VERSION: i32 = 150_014;

/// The minor release of each later major version that closes CVE-2025-8713.
const PATCHED: &[(i32, i32)] = &[(16, 160_010), (17, 170_006)];

/// Why a database is not one the application may run on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// The login, or a role it can become, is a superuser.
    Superuser {
        /// The role.
        role: String,
    },
    /// The login, or a role it can become, has BYPASSRLS.
    BypassesRowSecurity {
        /// The role.
        role: String,
    },
    /// The login, or a role it can become, owns something in the schema.
    Owner {
        /// The role.
        role: String,
        /// One thing it owns.
        object: String,
    },
    /// The server lacks a security release.
    OldServer {
        /// What it says it is.
        found: String,
        /// What is needed, at least.
        needed: String,
    },
    /// Migrations of this program are not applied.
    SchemaBehind {
        /// The newest one applied, if any.
        found: Option<i64>,
        /// The newest one this program has.
        needed: i64,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LOGIN: &str = "DATABASE_URL must name a login that is no superuser, lacks BYPASSRLS \
                             and owns nothing, such as countersign_app made by `countersign db roles`";
        match self {
            Self::Superuser { role } => write!(f, "role {role} is a superuser; {LOGIN}"),
            Self::BypassesRowSecurity { role } => write!(f, "role {role} has BYPASSRLS; {LOGIN}"),
            Self::Owner { role, object } => write!(f, "role {role} owns {object}; {LOGIN}"),
            Self::OldServer { found, needed } => {
                write!(f, "the server is PostgreSQL {found}; {needed} or newer is needed")
            }
            Self::SchemaBehind { found: None, needed } => write!(
                f,
                "the schema is not there and this program needs version {needed}; \
                 run `countersign db migrate`"
            ),
            Self::SchemaBehind { found: Some(found), needed } => write!(
                f,
                "the schema is at version {found} and this program needs {needed}; \
                 run `countersign db migrate`"
            ),
        }
    }
}

/// Fails unless the connection's login, server and schema may be used.
pub(crate) async fn assert_fit(connection: &mut PgConnection) -> Result<(), Error> {
    let flaw = match flaw_of_server(connection).await? {
        None => match flaw_of_login(connection).await? {
            None => flaw_of_schema(connection).await?,
            flaw => flaw,
        },
        flaw => flaw,
    };
    flaw.map_or(Ok(()), |flaw| Err(Error::Unfit(flaw)))
}

async fn flaw_of_server(connection: &mut PgConnection) -> Result<Option<Flaw>, Error> {
    let (number, name): (i32, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
    )
    .fetch_one(connection)
    .await?;
    Ok(needed_version(number).map(|needed| Flaw::OldServer { found: name, needed }))
}

/// The version to upgrade to, when `number` (as in `server_version_num`) is too old.
pub(crate) fn needed_version(number: i32) -> Option<String> {
    let needed = PATCHED
        .iter()
        .find(|(major, _)| *major == number / 10_000)
        .map_or(MINIMUM_SERVER_VERSION, |(_, patched)| *patched);
    (number < needed).then(|| format!("{}.{}", needed / 10_000, needed % 10_000))
}

async fn flaw_of_login(connection: &mut PgConnection) -> Result<Option<Flaw>, Error> {
    // Membership counts: SET ROLE would make the login whatever the role is.
    let roles: Vec<(String, bool, bool)> = sqlx::query_as(
        "SELECT rolname::text, rolsuper, rolbypassrls
         FROM pg_catalog.pg_roles
         WHERE (rolsuper OR rolbypassrls)
           AND (rolname IN (session_user, current_user)
                OR pg_has_role(session_user, oid, 'MEMBER'))
         ORDER BY rolname",
    )
    .fetch_all(&mut *connection)
    .await?;
    if let Some((role, superuser, _)) = roles.into_iter().next() {
        return Ok(Some(if superuser {
            Flaw::Superuser { role }
        } else {
            Flaw::BypassesRowSecurity { role }
        }));
    }
    let owned: Option<(String, String)> = sqlx::query_as(
        "SELECT pg_get_userbyid(thing.owner)::text, thing.name
         FROM (
           SELECT nspowner AS owner, 'schema countersign' AS name
           FROM pg_catalog.pg_namespace WHERE nspname = 'countersign'
           UNION ALL
           SELECT c.relowner, 'countersign.' || c.relname
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'countersign'
           UNION ALL
           SELECT p.proowner, 'countersign.' || p.proname || '()'
           FROM pg_catalog.pg_proc p
           JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
           WHERE n.nspname = 'countersign'
         ) AS thing
         WHERE pg_has_role(session_user, thing.owner, 'MEMBER')
         ORDER BY thing.name
         LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    Ok(owned.map(|(role, object)| Flaw::Owner { role, object }))
}

async fn flaw_of_schema(connection: &mut PgConnection) -> Result<Option<Flaw>, Error> {
    let Some(needed) = migrate::newest() else { return Ok(None) };
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass('countersign._sqlx_migrations') IS NOT NULL")
            .fetch_one(&mut *connection)
            .await
            .or_else(no_such_schema)?;
    if !there {
        return Ok(Some(Flaw::SchemaBehind { found: None, needed }));
    }
    let found: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM countersign._sqlx_migrations WHERE success")
            .fetch_one(connection)
            .await?;
    if found.is_some_and(|found| found > needed) {
        // A newer program migrated already: migrations are safe while the old one runs.
        tracing::warn!(found, needed, "the schema is newer than this program");
    }
    let behind = found.is_none_or(|found| found < needed);
    Ok(behind.then_some(Flaw::SchemaBehind { found, needed }))
}

/// `to_regclass` itself is refused when the schema exists but may not be used.
fn no_such_schema(error: sqlx::Error) -> Result<bool, Error> {
    match Error::from(error) {
        Error::Refused(_) => Ok(false),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t14_servers_without_the_security_release_are_named_with_what_is_needed() {
        let cases = [
            (140_019, Some("15.14")),
            (150_013, Some("15.14")),
            (150_014, None),
            (150_018, None),
            (160_009, Some("16.10")),
            (160_010, None),
            (170_005, Some("17.6")),
            (170_006, None),
            (180_000, None),
        ];
        for (number, needed) in cases {
            assert_eq!(needed_version(number).as_deref(), needed, "{number}");
        }
    }
}
