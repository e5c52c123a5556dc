//! A job in the hands of a worker: claimed, renewed, done, given back or given up.

use std::time::Duration;

use model::id::{JobId, TenantId};
use model::time::Timestamp;
use serde_json::Value;
use sqlx::FromRow;
use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use crate::connect::Db;
use crate::error::Error;
use crate::tx::TenantTx;

/// The longest text of a failure that is kept, in bytes.
const MAX_ERROR_BYTES: usize = 4096;

/// The first pause after a failure; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A job in the hands of one worker, until its lease is over.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who works on it.
    pub subject: String,
    /// What the parameters are.
    pub kind: String,
    /// What the worker needs to know.
    pub params: Value,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// After how many it is dead.
    pub max_attempts: i32,
    /// Which lease this is: only the current one can complete the job.
    pub epoch: i64,
}

/// What came of reporting a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// It will be tried again, not before this time.
    Retry(Timestamp),
    /// It will not be tried again.
    Dead,
}

#[derive(FromRow)]
struct JobRow {
    subject: String,
    #[sqlx(rename = "type")]
    kind: String,
    params: Value,
    attempts: i32,
    max_attempts: i32,
}

/// Leases the next job of one of these subjects for `ttl`; tenants take turns.
///
/// # Errors
/// When the database cannot be asked.
pub async fn claim(
    db: &Db,
    worker: &str,
    ttl: Duration,
    subjects: &[&str],
) -> Result<Option<Claimed>, Error> {
    loop {
        let Some((tenant, id, epoch)) = lease(db, worker, ttl, subjects).await? else {
            return Ok(None);
        };
        let mut tx = db.tenant(tenant).await?;
        let row: JobRow = sqlx::query_as(
            "SELECT subject, type, params, attempts, max_attempts
             FROM countersign.jobs
             WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant.uuid())
        .bind(id.uuid())
        .fetch_one(tx.conn())
        .await?;
        let claimed = Claimed {
            id,
            tenant,
            subject: row.subject,
            kind: row.kind,
            params: row.params,
            attempt: row.attempts,
            max_attempts: row.max_attempts,
            epoch,
        };
        if claimed.attempt <= claimed.max_attempts {
            tx.rollback().await?;
            return Ok(Some(claimed));
        }
        // Every worker that took it died or hung: one more try would only take the next one down.
        claimed.bury(&mut tx, "its workers stopped without an answer").await?;
        tx.commit().await?;
    }
}

async fn lease(
    db: &Db,
    worker: &str,
    ttl: Duration,
    subjects: &[&str],
) -> Result<Option<(TenantId, JobId, i64)>, Error> {
    let mut across = db.across().await?;
    let taken: Option<(Uuid, Uuid, i64)> =
        sqlx::query_as("SELECT tenant_id, job_id, epoch FROM countersign.claim_job($1, $2, $3)")
            .bind(worker)
            .bind(interval(ttl)?)
            .bind(subjects)
            .fetch_optional(across.conn())
            .await?;
    across.commit().await?;
    Ok(taken.map(|(tenant, id, epoch)| (tenant.into(), id.into(), epoch)))
}

fn interval(duration: Duration) -> Result<PgInterval, Error> {
    PgInterval::try_from(duration).map_err(Error::Internal)
}

impl Claimed {
    /// Marks it done, in the transaction of whatever it changed.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when another worker has it by now: nothing may be committed.
    pub async fn complete(&self, tx: &mut TenantTx) -> Result<(), Error> {
        let done = sqlx::query(
            "UPDATE countersign.jobs
             SET done_at = clock_timestamp(), lease_until = NULL, last_error = NULL
             WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3
               AND done_at IS NULL AND dead_at IS NULL",
        )
        .bind(self.tenant.uuid())
        .bind(self.id.uuid())
        .bind(self.epoch)
        .execute(tx.conn())
        .await?;
        one_row(done.rows_affected())
    }

    /// Keeps it for another `ttl` from now, over the connections that must not wait.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when another worker has it by now: stop working on it.
    pub async fn renew(&self, db: &Db, ttl: Duration) -> Result<(), Error> {
        let mut tx = db.urgent(self.tenant).await?;
        let renewed = sqlx::query(
            "UPDATE countersign.jobs
             SET lease_until = clock_timestamp() + $4
             WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3
               AND done_at IS NULL AND dead_at IS NULL",
        )
        .bind(self.tenant.uuid())
        .bind(self.id.uuid())
        .bind(self.epoch)
        .bind(interval(ttl)?)
        .execute(tx.conn())
        .await?;
        one_row(renewed.rows_affected())?;
        tx.commit().await
    }

    /// Gives it back: to be tried again after a pause that doubles each time, or dead.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when another worker has it by now.
    pub async fn fail(&self, db: &Db, error: &str) -> Result<Failed, Error> {
        let mut tx = db.tenant(self.tenant).await?;
        if self.attempt >= self.max_attempts {
            self.bury(&mut tx, error).await?;
            tx.commit().await?;
            return Ok(Failed::Dead);
        }
        let at: Option<jiff_sqlx::Timestamp> = sqlx::query_scalar(
            "UPDATE countersign.jobs
             SET run_at = clock_timestamp() + $4, lease_until = NULL, last_error = $5
             WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3
               AND done_at IS NULL AND dead_at IS NULL
             RETURNING run_at",
        )
        .bind(self.tenant.uuid())
        .bind(self.id.uuid())
        .bind(self.epoch)
        .bind(interval(pause(self.attempt))?)
        .bind(shortened(error))
        .fetch_optional(tx.conn())
        .await?;
        let at = at.ok_or(Error::LeaseLost)?;
        tx.commit().await?;
        Ok(Failed::Retry(at.to_jiff()))
    }

    /// Gives it up at once, in the caller's transaction: repeating it could not help.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when another worker has it by now.
    pub async fn bury(&self, tx: &mut TenantTx, error: &str) -> Result<(), Error> {
        let dead = sqlx::query(
            "UPDATE countersign.jobs
             SET dead_at = clock_timestamp(), lease_until = NULL, last_error = $4
             WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3
               AND done_at IS NULL AND dead_at IS NULL",
        )
        .bind(self.tenant.uuid())
        .bind(self.id.uuid())
        .bind(self.epoch)
        .bind(shortened(error))
        .execute(tx.conn())
        .await?;
        one_row(dead.rows_affected())?;
        tracing::error!(job.id = %self.id, job.subject = self.subject, error, "job is dead");
        Ok(())
    }
}

const fn one_row(rows: u64) -> Result<(), Error> {
    if rows == 1 { Ok(()) } else { Err(Error::LeaseLost) }
}

/// 1 s, 2 s, 4 s … up to five minutes.
fn pause(attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// As much of the text as is kept; NUL, which the database does not take, is left out.
fn shortened(error: &str) -> String {
    let mut end = error.len().min(MAX_ERROR_BYTES);
    while !error.is_char_boundary(end) {
        end -= 1;
    }
    error[..end].replace('\0', "")
}

#[cfg(test)]
mod tests;
