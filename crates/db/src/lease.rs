//! Leadership: at most one process does a named task, for as long as its connection lives.
//!
//! An advisory lock of the session. The server lets go of it when the connection ends, however it
//! ends, so a killed leader is followed at once. What a leader writes must carry an epoch of its
//! own all the same: a paused process may believe for a while that it still leads.

use std::fmt;

use model::Digest;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::error::Error;

/// Proof of leading, until it is dropped or its connection breaks.
pub struct Leadership {
    connection: PgConnection,
    name: String,
    key: i64,
}

impl Leadership {
    pub(crate) async fn attempt(
        options: &PgConnectOptions,
        name: &str,
    ) -> Result<Option<Self>, Error> {
        let mut connection = options.connect().await?;
        let key = key(name);
        let won: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(key)
            .fetch_one(&mut connection)
            .await?;
        if won {
            return Ok(Some(Self { connection, name: name.to_owned(), key }));
        }
        connection.close().await?;
        Ok(None)
    }

    /// What is led.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the lock is still held: to be asked before every round of work.
    ///
    /// # Errors
    /// When the connection broke; then somebody else may lead already.
    pub async fn confirm(&mut self) -> Result<(), Error> {
        let held: bool = sqlx::query_scalar(
            "SELECT EXISTS (
               SELECT 1 FROM pg_catalog.pg_locks
               WHERE locktype = 'advisory'
                 AND pid = pg_backend_pid()
                 AND granted
                 AND objsubid = 1
                 AND ((classid::bigint << 32) | objid::bigint) = $1)",
        )
        .bind(self.key)
        .fetch_one(&mut self.connection)
        .await?;
        if held { Ok(()) } else { Err(Error::internal("the lock of the leader is gone")) }
    }

    /// Steps down now, so that another process can follow at once.
    ///
    /// # Errors
    /// When the connection broke; then the server lets go of the lock.
    pub async fn resign(self) -> Result<(), Error> {
        Ok(self.connection.close().await?)
    }
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leadership").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The first 64 bits of a hash: two names share a lock about never.
pub(crate) fn key(name: &str) -> i64 {
    let digest = Digest::of(format!("countersign.lead/{name}").as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    i64::from_be_bytes(first)
}
