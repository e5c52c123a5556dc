//! Commits whose answer was lost: the connection broke after the COMMIT went out, and the
//! transaction may have been kept or not.
//!
//! Its first audit event is the key by which that is found out: the log has it, or nobody ever
//! will. Every change tells the log of itself, so this settles every change.

use std::time::Duration;

use model::id::{EventId, TenantId};
use sqlx::PgPool;

use crate::connect::Db;
use crate::error::Error;
use crate::open::Open;
use crate::pause;

/// How long the database may take to come back and say. Whoever waits for the answer of a request
/// waits for this as well.
const WITHIN: Duration = Duration::from_secs(15);

/// About how long to wait before asking again.
const AGAIN: Duration = Duration::from_millis(200);

/// Finds out what came of the transaction whose first event is `told`: nothing to say when it was
/// kept.
///
/// # Errors
/// [`Error::Unavailable`] when it was not kept, [`Error::InDoubt`] when that cannot be known.
pub(crate) async fn resolve(
    db: &Db,
    tenant: TenantId,
    told: Option<EventId>,
    broken: sqlx::Error,
) -> Result<(), Error> {
    let Some(told) = told else { return Err(Error::InDoubt(broken)) };
    let asked = async {
        loop {
            match kept(db.pool(), tenant, told).await {
                Ok(kept) => return kept,
                Err(error) => tracing::debug!(%error, "what came of a commit is not known yet"),
            }
            tokio::time::sleep(pause::spread(AGAIN)).await;
        }
    };
    match tokio::time::timeout(WITHIN, asked).await {
        Ok(true) => {
            tracing::warn!(error = %broken, "the connection broke during a commit; it was kept");
            Ok(())
        }
        Ok(false) => {
            tracing::warn!(error = %broken, "the connection broke during a commit; it is undone");
            Err(Error::Unavailable(broken))
        }
        Err(_) => Err(Error::InDoubt(broken)),
    }
}

/// Whether the log has this event, or is about to have it.
///
/// The outbox is only written, so the question is asked by writing: where the event is, it cannot
/// be put a second time. That waits as well for a transaction that has not ended yet, which a look
/// would overlook. What is put here is never kept.
async fn kept(pool: &PgPool, tenant: TenantId, told: EventId) -> Result<bool, Error> {
    let mut question = Open::begin(pool, Some(tenant.uuid())).await?;
    let put = sqlx::query(
        "INSERT INTO countersign.audit_outbox (tenant_id, id, canon, mac)
         VALUES ($1, $2, 'question', '')",
    )
    .bind(tenant.uuid())
    .bind(told.uuid())
    .execute(question.conn())
    .await;
    match put.map_err(Error::from) {
        Err(Error::Conflict { .. }) => return Ok(true),
        put => put?,
    };
    // Not there: it never was, or the sequencer has given it its place by now, be it among those
    // it could not read.
    let logged = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM countersign.audit_events WHERE tenant_id = $1 AND id = $2)
           OR EXISTS (
             SELECT 1 FROM countersign.audit_quarantine WHERE tenant_id = $1 AND id = $2)",
    )
    .bind(tenant.uuid())
    .bind(told.uuid())
    .fetch_one(question.conn())
    .await?;
    question.rollback().await?;
    Ok(logged)
}
