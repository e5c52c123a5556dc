//! Sweeping: what time alone brings about. One tenant after another, each in its own room.

use std::time::Duration;

use db::{Db, jobs, partitions};
use futures::FutureExt as _;
use gate::store::{approvals, exceptions, rates};
use jiff::SignedDuration;
use learn::store::drift_day;
use model::audit::Who;
use model::id::TenantId;
use sense::store::change_event;
use sense::store::declared;
use tokio_util::sync::CancellationToken;

use super::{Error, remedy, store};

/// How often approvals are looked at. Expiry itself is by the database's clock: a late sweep
/// shows it late, and lets nothing through.
const EVERY: Duration = Duration::from_secs(5);
/// How long finished jobs are kept.
const KEEP_JOBS: SignedDuration = SignedDuration::from_hours(24);
/// How long starts are kept beyond every window of a rate limit.
const KEEP_STARTS: SignedDuration = SignedDuration::from_hours(24 * 32);

/// How often the coming months' partitions are looked at; they are made months ahead.
const MONTHS_EVERY: Duration = Duration::from_secs(3600);

/// How often drift is counted day by day.
const DAYS_EVERY: Duration = Duration::from_secs(300);
/// Events of outside that are forgotten at once, of one tenant.
const MOST_FORGOTTEN: i64 = 50_000;

/// Sweeps until told to stop.
pub async fn sweep(db: Db, who: Who, stop: CancellationToken) {
    let mut months = tokio::time::interval(MONTHS_EVERY);
    let mut days = tokio::time::interval(DAYS_EVERY);
    loop {
        if days.tick().now_or_never().is_some()
            && let Err(error) = count(&db).await
        {
            tracing::warn!(%error, "drift could not be counted; it is tried again");
        }
        if months.tick().now_or_never().is_some()
            && let Err(error) = partitions::make_ahead(&db).await
        {
            tracing::warn!(%error, "the coming months' partitions could not be made");
        }
        if let Err(error) = round(&db, &who).await {
            tracing::warn!(%error, "sweeping failed; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn round(db: &Db, who: &Who) -> Result<(), Error> {
    for tenant in store::tenants(db).await? {
        // One tenant's trouble must not keep the others' approvals from expiring.
        if let Err(error) = one(db, who, tenant).await {
            tracing::warn!(%tenant, %error, "sweeping a tenant failed; it is tried again");
        }
    }
    Ok(())
}

/// Counts drift day by day, says how models did, and forgets what is too old to explain anything.
///
/// # Errors
/// When the tenants cannot be listed. One tenant's trouble does not keep the others.
pub async fn count(db: &Db) -> Result<(), Error> {
    for tenant in store::tenants(db).await? {
        if let Err(error) = count_one(db, tenant).await {
            tracing::warn!(%tenant, %error, "counting a tenant's drift failed; it is tried again");
        }
    }
    Ok(())
}

async fn count_one(db: &Db, tenant: TenantId) -> Result<(), Error> {
    let mut tx = db.tenant(tenant).await?;
    drift_day::count(&mut tx).await?;
    change_event::forget(&mut tx, MOST_FORGOTTEN).await?;
    tx.commit().await?;
    super::monitor::models(db, tenant).await
}

async fn one(db: &Db, who: &Who, tenant: TenantId) -> Result<(), Error> {
    let mut tx = db.tenant(tenant).await?;
    approvals::expire_due(&mut tx, who).await?;
    exceptions::expire_due(&mut tx, who).await?;
    tx.commit().await?;
    let mut tx = db.tenant(tenant).await?;
    remedy::overdue(&mut tx).await?;
    declared::queue_due(&mut tx).await?;
    tx.commit().await?;
    let mut tx = db.tenant(tenant).await?;
    let now = tx.now().await?;
    store::forget_keys(&mut tx).await?;
    crate::login::store::prune_sessions(&mut tx).await?;
    jobs::prune(&mut tx, now - KEEP_JOBS).await?;
    rates::forget(&mut tx, now - KEEP_STARTS).await?;
    tx.commit().await?;
    Ok(())
}
