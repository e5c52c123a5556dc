//! An open transaction on a connection of the pool.
//!
//! Opening takes one trip: BEGIN and the question whether the connection came clean go out
//! together. A connection that cannot answer, or whose opening was cancelled half-way, is closed
//! and another one tried, so that a restarted server costs nobody a failed request.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgTransactionManager as Driver;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr as _};
use sqlx_core::transaction::TransactionManager as _;
use uuid::Uuid;

use crate::error::Error;
use crate::pause;

/// About how long to wait before trying another connection than a broken one.
const AGAIN: Duration = Duration::from_millis(20);

/// What `countersign.enter_tenant` raises for a connection that still carries a tenant.
const TENANT_LEFT: &str = "CS001";

/// A transaction that is rolled back before its connection serves anybody else, unless it is
/// committed.
pub(crate) struct Open {
    connection: PoolConnection<Postgres>,
}

impl Open {
    /// Opens one in the room of `tenant`, or in none.
    pub(crate) async fn begin(pool: &PgPool, tenant: Option<Uuid>) -> Result<Self, Error> {
        let room = tenant.map_or_else(|| "NULL".to_owned(), |id| format!("'{id}'"));
        let mut left = pool.options().get_max_connections();
        loop {
            let mut fresh = Fresh(Some(pool.acquire().await?));
            let opening = AssertSqlSafe(format!("BEGIN; SELECT countersign.enter_tenant({room})"));
            match Driver::begin(fresh.connection(), Some(opening.into_sql_str())).await {
                Ok(()) => return fresh.open(),
                Err(error) if left > 0 && spoilt(&error) => {
                    left -= 1;
                    drop(fresh);
                    // A server that went away broke every connection of every process at once:
                    // they must not all come back at the same moment.
                    tokio::time::sleep(pause::spread(AGAIN)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        Ok(Driver::commit(&mut self.connection).await?)
    }

    pub(crate) async fn rollback(mut self) -> Result<(), Error> {
        Ok(Driver::rollback(&mut self.connection).await?)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Nothing where it was committed or rolled back; else sent with the next use.
        Driver::start_rollback(&mut self.connection);
    }
}

/// A connection until its transaction is open; one that does not get there is closed.
struct Fresh(Option<PoolConnection<Postgres>>);

impl Fresh {
    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is there until it is opened")
    }

    fn open(mut self) -> Result<Open, Error> {
        let connection = self.0.take().ok_or_else(|| Error::internal("opened twice"))?;
        Ok(Open { connection })
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

/// Whether another connection may do better.
fn spoilt(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    if code.as_deref() == Some(TENANT_LEFT) {
        tracing::error!("a pooled connection still carried a tenant; it is closed");
        return true;
    }
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        // The server ended the session.
        sqlx::Error::Database(_) => code.is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
