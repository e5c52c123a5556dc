//! Applying migrations beside a running service.
//!
//! A migration that needs a table for itself waits for everybody who uses it, and whoever comes
//! later waits behind the migration. So it waits a moment only, steps back, lets the others
//! through, and tries again. What such a migration may hold is up to the rules of
//! `cargo xtask tidy`; an index of a large table is made by itself, outside a transaction
//! (`-- no-transaction`), and waits for as long as it takes: nobody waits for it.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{Migrated, RECORD, applied, connect, made_by_another, settings};
use crate::error::Error;
use crate::lease;

/// How long a migration waits for a lock: the longest anybody is held up by its waiting.
pub const LOCK_TIMEOUT: Duration = Duration::from_millis(150);
/// Between two tries: whoever waited has their turn.
const PAUSE: Duration = Duration::from_millis(450);
/// Tries of one run, for ten minutes of waiting.
const TRIES: u32 = 1000;
/// Between two looks whether it is one's turn to migrate.
const TURN: Duration = Duration::from_millis(100);

/// A lock was not to be had in time, or two waited for each other.
const LOCKED: [&str; 2] = ["55P03", "40P01"];

/// Applies what is missing of `migrations`. Several at once wait for each other.
pub(super) async fn apply(admin_url: &str, migrations: Vec<Migration>) -> Result<Migrated, Error> {
    let mut admin = connect(admin_url).await?;
    turn(&mut admin).await?;
    cancel_vacuum_soon(&mut admin).await?;
    sqlx::query("SET ROLE countersign_owner").execute(&mut admin).await?;
    let from = applied(&mut admin).await?;
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(RECORD);
    migrator.set_locking(false);
    let mut retries = 0;
    for concurrent in migrator.iter().filter(|migration| migration.no_tx) {
        if from.is_some_and(|from| from >= concurrent.version) {
            continue;
        }
        retries += up_to(&migrator, &mut admin, Some(concurrent.version - 1)).await?;
        wait_at_most(&mut admin, Duration::ZERO).await?;
        drop_half_made(&mut admin, concurrent).await?;
        let done = migrator.run_direct(Some(concurrent.version), &mut admin, false).await;
        done.map_err(Error::Migrate)?;
    }
    retries += up_to(&migrator, &mut admin, None).await?;
    let to = applied(&mut admin).await?;
    sqlx::query("RESET ROLE").execute(&mut admin).await?;
    let set_config = loop {
        match settings::revoke_set_config(&mut admin).await {
            Ok(set_config) => break set_config,
            // Then it is taken already, and the next look sees it.
            Err(error) if made_by_another(&error) => {}
            Err(error) => return Err(error.into()),
        }
    };
    // Closing the session lets go of the lock.
    admin.close().await?;
    Ok(Migrated { from, to, retries, set_config })
}

/// Waits for one's turn by asking again: a statement that waits would itself be waited for by an
/// index that is made beside others.
async fn turn(admin: &mut PgConnection) -> Result<(), Error> {
    loop {
        let mine: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(lease::key("migrate"))
            .fetch_one(&mut *admin)
            .await?;
        if mine {
            return Ok(());
        }
        tokio::time::sleep(TURN).await;
    }
}

/// A vacuum of the table gives way once somebody has waited this long; without it, it would have to
/// end by itself. Only some may say so.
async fn cancel_vacuum_soon(admin: &mut PgConnection) -> Result<(), Error> {
    let mine: bool =
        sqlx::query_scalar("SELECT has_parameter_privilege('deadlock_timeout', 'SET')")
            .fetch_one(&mut *admin)
            .await?;
    if mine {
        sqlx::query("SET deadlock_timeout = '50ms'").execute(admin).await?;
    }
    Ok(())
}

/// Zero waits for as long as it takes.
async fn wait_at_most(admin: &mut PgConnection, most: Duration) -> Result<(), Error> {
    let statement = format!("SET lock_timeout = {}", most.as_millis());
    sqlx::query(AssertSqlSafe(statement)).execute(admin).await?;
    Ok(())
}

/// Applies what is missing up to a version, and says how often it stepped back.
async fn up_to(
    migrator: &Migrator,
    admin: &mut PgConnection,
    version: Option<i64>,
) -> Result<u32, Error> {
    wait_at_most(admin, LOCK_TIMEOUT).await?;
    let mut retries = 0;
    loop {
        match migrator.run_direct(version, &mut *admin, false).await {
            Ok(()) => return Ok(retries),
            Err(error) if locked(&error) && retries < TRIES => {
                retries += 1;
                tracing::info!(retries, "a table is in use; the migration steps back");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(Error::Migrate(error)),
        }
    }
}

fn locked(error: &MigrateError) -> bool {
    let (MigrateError::ExecuteMigration(error, _) | MigrateError::Execute(error)) = error else {
        return false;
    };
    error
        .as_database_error()
        .and_then(DatabaseError::code)
        .is_some_and(|code| LOCKED.contains(&code.as_ref()))
}

/// An index whose making was broken off is there and good for nothing: it goes, and is made anew.
async fn drop_half_made(admin: &mut PgConnection, migration: &Migration) -> Result<(), Error> {
    let Some(index) = index_of(migration.sql.as_str()) else { return Ok(()) };
    let half_made: Option<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname)
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
         WHERE n.nspname = 'countersign' AND c.relname = $1 AND NOT i.indisvalid",
    )
    .bind(index)
    .fetch_optional(&mut *admin)
    .await?;
    if let Some(half_made) = half_made {
        tracing::info!(index, "an index was left half-made; it is made anew");
        // The name is quoted by the server.
        let statement = format!("DROP INDEX CONCURRENTLY {half_made}");
        sqlx::query(AssertSqlSafe(statement)).persistent(false).execute(admin).await?;
    }
    Ok(())
}

/// The index a migration makes: `CREATE [UNIQUE] INDEX CONCURRENTLY IF NOT EXISTS name ON …`.
fn index_of(sql: &str) -> Option<&str> {
    let code = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let mut words = code.flat_map(str::split_whitespace).skip_while(|word| *word != "CONCURRENTLY");
    let written: Vec<&str> = words.by_ref().take(4).collect();
    (written == ["CONCURRENTLY", "IF", "NOT", "EXISTS"]).then(|| words.next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o2_the_index_of_a_migration_is_found_by_its_name() {
        let sql = "-- no-transaction\n-- CONCURRENTLY, for it is large.\n\
                   CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_key\n  ON countersign.a (b);";
        assert_eq!(index_of(sql), Some("a_key"));
        assert_eq!(index_of("CREATE INDEX a ON b (c)"), None);
        assert_eq!(index_of("DROP INDEX CONCURRENTLY IF EXISTS a"), None);
    }

    #[test]
    fn o2_waiting_for_a_lock_holds_nobody_up_longer_than_promised() {
        assert!(LOCK_TIMEOUT < Duration::from_millis(250));
        assert!(PAUSE >= 2 * LOCK_TIMEOUT, "the others have their turn");
    }
}
