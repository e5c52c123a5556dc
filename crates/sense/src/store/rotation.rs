//! Runs of re-wrapping keys in the database, and how far they got.

use db::TenantTx;
use db::jobs::NewJob;
use model::Timestamp;
use model::id::{ActorId, KeyRotationId};
use serde_json::json;
use sqlx::FromRow;
use uuid::Uuid;

use super::sealed::Holder;
use super::{instant, word};

/// The subject of the jobs that carry rotations out.
pub const ROTATE: &str = "rotate_keys";
/// After how many failures a rotation is given up: the key store may be away for long.
const MOST_ATTEMPTS: i32 = 1_000;

model::words! {
    /// Which layer is made anew.
    RotationKind {
        /// The tenant's keys are wrapped by the newest key-encryption key.
        Kek = "kek",
        /// The tenant gets new keys, which take over every data key.
        TenantKey = "tenant_key",
        /// Every secret is encrypted anew under a fresh data key.
        DataKey = "data_key",
    }
}

/// A run of re-wrapping keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Its id.
    pub id: KeyRotationId,
    /// What is made anew.
    pub kind: RotationKind,
    /// Whether it is under way.
    pub running: bool,
    /// What it is going over.
    pub stage: Holder,
    /// The last row of it done.
    pub after: Option<Uuid>,
    /// How many of the tenant's keys were wrapped anew or made.
    pub keys_done: u32,
    /// How many secrets were gone through.
    pub secrets_done: u32,
    /// How many of them did not open and were left as they are.
    pub secrets_failed: u32,
    /// Who asked for it; nobody when it is the operator's.
    pub requested_by: Option<ActorId>,
    /// When.
    pub created_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    state: String,
    stage: String,
    after_id: Option<Uuid>,
    keys_done: i32,
    secrets_done: i32,
    secrets_failed: i32,
    requested_by: Option<Uuid>,
    created_at: jiff_sqlx::Timestamp,
    ended_at: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn rotation(self) -> Result<Rotation, db::Error> {
        let count = |number: i32| u32::try_from(number).map_err(db::Error::internal);
        Ok(Rotation {
            id: self.id.into(),
            kind: word::<RotationKind>(&self.kind)?,
            running: self.state == "running",
            stage: word::<Holder>(&self.stage)?,
            after: self.after_id,
            keys_done: count(self.keys_done)?,
            secrets_done: count(self.secrets_done)?,
            secrets_failed: count(self.secrets_failed)?,
            requested_by: self.requested_by.map(Into::into),
            created_at: self.created_at.to_jiff(),
            ended_at: instant(self.ended_at),
        })
    }
}

/// Begins a rotation and queues its job.
///
/// # Errors
/// A conflict with `key_rotations_running_key` when one is under way.
pub async fn begin(
    tx: &mut TenantTx,
    kind: RotationKind,
    by: Option<ActorId>,
) -> Result<Rotation, db::Error> {
    let id = KeyRotationId::generate();
    let row: Row = sqlx::query_as(
        "INSERT INTO countersign.key_rotations (tenant_id, id, kind, requested_by)
         VALUES ($1, $2, $3, $4)
         RETURNING id, kind, state, stage, after_id, keys_done, secrets_done,
                   secrets_failed, requested_by, created_at, ended_at",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(kind.word())
    .bind(by.map(ActorId::uuid))
    .fetch_one(tx.conn())
    .await?;
    let mut job = NewJob::new(ROTATE, json!({"rotation_id": id.to_string()}));
    job.max_attempts = MOST_ATTEMPTS;
    tx.enqueue(job).await?;
    row.rotation()
}

/// One rotation.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: KeyRotationId) -> Result<Rotation, db::Error> {
    let row: Row = sqlx::query_as(
        "SELECT id, kind, state, stage, after_id, keys_done, secrets_done, secrets_failed,
                requested_by, created_at, ended_at
         FROM countersign.key_rotations
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    row.rotation()
}

/// The latest rotations, newest first.
///
/// # Errors
/// When the database fails.
pub async fn latest(tx: &mut TenantTx) -> Result<Vec<Rotation>, db::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, kind, state, stage, after_id, keys_done, secrets_done, secrets_failed,
                requested_by, created_at, ended_at
         FROM countersign.key_rotations
         WHERE tenant_id = $1
         ORDER BY id DESC
         LIMIT 100",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Row::rotation).collect()
}

/// Notes that the tenant's keys are done, unless somebody did meanwhile.
///
/// # Errors
/// [`db::Error::LeaseLost`] when somebody did: nothing may be committed.
pub async fn keys_done(
    tx: &mut TenantTx,
    rotation: &Rotation,
    keys: usize,
) -> Result<(), db::Error> {
    let done = sqlx::query(
        "UPDATE countersign.key_rotations
         SET keys_done = $3
         WHERE tenant_id = $1 AND id = $2 AND keys_done = 0 AND state = 'running'",
    )
    .bind(tx.tenant().uuid())
    .bind(rotation.id.uuid())
    .bind(i32::try_from(keys).map_err(db::Error::internal)?)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(db::Error::LeaseLost) }
}

/// What a batch came to.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// The last row of it; none when there was nothing left.
    pub last: Option<Uuid>,
    /// How many secrets were gone through.
    pub done: usize,
    /// How many of them did not open.
    pub failed: usize,
    /// What comes next, when it was the last of its stage.
    pub next: Option<Holder>,
}

/// Moves a rotation on by a batch, unless somebody else did meanwhile.
///
/// # Errors
/// [`db::Error::LeaseLost`] when somebody did: nothing may be committed.
pub async fn advance(
    tx: &mut TenantTx,
    rotation: &Rotation,
    batch: Batch,
) -> Result<(), db::Error> {
    let done = sqlx::query(
        "UPDATE countersign.key_rotations
         SET stage = coalesce($8, stage),
             after_id = CASE WHEN $8 IS NULL THEN coalesce($5, after_id) END,
             secrets_done = secrets_done + $6, secrets_failed = secrets_failed + $7
         WHERE tenant_id = $1 AND id = $2 AND stage = $3 AND after_id IS NOT DISTINCT FROM $4
           AND state = 'running'",
    )
    .bind(tx.tenant().uuid())
    .bind(rotation.id.uuid())
    .bind(rotation.stage.word())
    .bind(rotation.after)
    .bind(batch.last)
    .bind(i32::try_from(batch.done).map_err(db::Error::internal)?)
    .bind(i32::try_from(batch.failed).map_err(db::Error::internal)?)
    .bind(batch.next.map(Holder::word))
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(db::Error::LeaseLost) }
}

/// Notes that a rotation is over, unless somebody else did.
///
/// # Errors
/// [`db::Error::LeaseLost`] when somebody did: nothing may be committed.
pub async fn end(tx: &mut TenantTx, rotation: &Rotation) -> Result<(), db::Error> {
    let done = sqlx::query(
        "UPDATE countersign.key_rotations SET state = 'done', ended_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2 AND state = 'running'",
    )
    .bind(tx.tenant().uuid())
    .bind(rotation.id.uuid())
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(db::Error::LeaseLost) }
}
