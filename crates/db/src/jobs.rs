//! Work handed from one process to another: queued in the transaction that causes it, leased to
//! one worker at a time, repeated after a failure, and dead after too many.
//!
//! A job runs at least once. Whatever it changes is committed together with its completion, which
//! only the holder of the current lease can make.

mod claimed;

use jiff_sqlx::ToSqlx;
use model::id::JobId;
use model::time::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;
use crate::tx::TenantTx;
use crate::wake::Topic;

pub use claimed::{Claimed, Failed, claim};

/// Failures after which a job is dead when nobody says otherwise.
pub const DEFAULT_MAX_ATTEMPTS: i32 = 10;

/// A job to be queued.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Who works on it: workers name the subjects they take.
    pub subject: String,
    /// What the parameters are.
    pub kind: String,
    /// What the worker needs to know.
    pub params: Value,
    /// Within a tenant and subject, a job with the same key is queued once.
    pub idempotency_key: Option<String>,
    /// Not before; `None` is now.
    pub run_at: Option<Timestamp>,
    /// Failures after which it is dead.
    pub max_attempts: i32,
}

impl NewJob {
    /// A job to be run as soon as possible.
    #[must_use]
    pub fn new(subject: &str, params: Value) -> Self {
        Self {
            subject: subject.to_owned(),
            kind: subject.to_owned(),
            params,
            idempotency_key: None,
            run_at: None,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
        }
    }

    /// Queues it once a key.
    #[must_use]
    pub fn once(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }

    /// Not before `at`.
    #[must_use]
    pub const fn not_before(mut self, at: Timestamp) -> Self {
        self.run_at = Some(at);
        self
    }
}

impl TenantTx {
    /// Queues a job; workers learn of it when this transaction is committed.
    ///
    /// With an idempotency key that is taken, the id is that of the job queued before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn enqueue(&mut self, job: NewJob) -> Result<JobId, Error> {
        // The empty update makes RETURNING give the earlier job's id.
        let id: Uuid = sqlx::query_scalar(
            "INSERT INTO countersign.jobs AS job
               (tenant_id, id, subject, type, params, idempotency_key, max_attempts, run_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, clock_timestamp()))
             ON CONFLICT ON CONSTRAINT jobs_idempotency_key
               DO UPDATE SET subject = job.subject
             RETURNING id",
        )
        .bind(self.tenant().uuid())
        .bind(JobId::generate().uuid())
        .bind(job.subject)
        .bind(job.kind)
        .bind(job.params)
        .bind(job.idempotency_key)
        .bind(job.max_attempts)
        .bind(job.run_at.map(ToSqlx::to_sqlx))
        .fetch_one(self.conn())
        .await?;
        self.signal(Topic::Jobs);
        Ok(id.into())
    }

    /// Queues many jobs with one statement and gives the number of those that are new: a job whose
    /// idempotency key is taken, also by an earlier one of the same list, is left out.
    ///
    /// # Errors
    /// When they cannot be written; then none is.
    pub async fn enqueue_all(&mut self, jobs: &[NewJob]) -> Result<u64, Error> {
        if jobs.is_empty() {
            return Ok(0);
        }
        let ids: Vec<Uuid> = jobs.iter().map(|_| JobId::generate().uuid()).collect();
        let subjects: Vec<&str> = jobs.iter().map(|job| job.subject.as_str()).collect();
        let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_str()).collect();
        let params: Vec<&Value> = jobs.iter().map(|job| &job.params).collect();
        let keys: Vec<Option<&str>> =
            jobs.iter().map(|job| job.idempotency_key.as_deref()).collect();
        let attempts: Vec<i32> = jobs.iter().map(|job| job.max_attempts).collect();
        let times: Vec<Option<jiff_sqlx::Timestamp>> =
            jobs.iter().map(|job| job.run_at.map(ToSqlx::to_sqlx)).collect();
        let queued = sqlx::query(
            "INSERT INTO countersign.jobs
               (tenant_id, id, subject, type, params, idempotency_key, max_attempts, run_at)
             SELECT $1, job.id, job.subject, job.type, job.params, job.key, job.max_attempts,
                    coalesce(job.run_at, clock_timestamp())
             FROM unnest($2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::int[],
                         $8::timestamptz[])
               AS job (id, subject, type, params, key, max_attempts, run_at)
             ON CONFLICT ON CONSTRAINT jobs_idempotency_key DO NOTHING",
        )
        .bind(self.tenant().uuid())
        .bind(ids)
        .bind(subjects)
        .bind(kinds)
        .bind(params)
        .bind(keys)
        .bind(attempts)
        .bind(times)
        .execute(self.conn())
        .await?;
        self.signal(Topic::Jobs);
        Ok(queued.rows_affected())
    }
}

/// Deletes the jobs of this tenant that were done before `before`; gives their number.
///
/// # Errors
/// When they cannot be deleted.
pub async fn prune(tx: &mut TenantTx, before: Timestamp) -> Result<u64, Error> {
    let tenant = tx.tenant().uuid();
    let pruned = sqlx::query("DELETE FROM countersign.jobs WHERE tenant_id = $1 AND done_at < $2")
        .bind(tenant)
        .bind(before.to_sqlx())
        .execute(tx.conn())
        .await?;
    Ok(pruned.rows_affected())
}
