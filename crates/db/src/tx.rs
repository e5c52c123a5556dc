//! Transactions: a tenant's room, and the corridor from which no row is seen.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Unit;
use model::id::{EventId, TenantId};
use model::time::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::audit::{self, AuditKey};
use crate::connect::Db;
use crate::doubt;
use crate::error::Error;
use crate::open::Open;
use crate::wake::Topic;

/// A transaction within one tenant: the only way to run a query on a tenant's rows.
///
/// Dropped without [`TenantTx::commit`], by an error, a panic or a cancelled request, it is
/// rolled back before the connection serves anybody else, and its tenant context with it.
pub struct TenantTx {
    open: Open,
    tenant: TenantId,
    db: Db,
    /// The database's clock, as asked last.
    asked_at: Option<Timestamp>,
    /// What the events of this transaction carry.
    occurred_at: Option<Timestamp>,
    /// Audit events, written with one statement before the commit.
    events: Vec<audit::Row>,
    /// The first event that was written.
    told: Option<EventId>,
    /// Whether anything was written.
    wrote: bool,
    signals: BTreeSet<Topic>,
}

/// A place in a transaction to come back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    events: usize,
}

impl TenantTx {
    pub(crate) async fn begin(db: &Db, pool: &PgPool, tenant: TenantId) -> Result<Self, Error> {
        Ok(Self {
            open: Open::begin(pool, Some(tenant.uuid())).await?,
            tenant,
            db: db.clone(),
            asked_at: None,
            occurred_at: None,
            events: Vec::new(),
            told: None,
            wrote: false,
            signals: BTreeSet::new(),
        })
    }

    /// Whose room it is.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The connection, for `.execute(tx.conn())`.
    pub fn conn(&mut self) -> &mut PgConnection {
        self.open.conn()
    }

    /// The database's clock, which all processes share, to the microsecond.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn now(&mut self) -> Result<Timestamp, Error> {
        let now: jiff_sqlx::Timestamp =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(self.open.conn()).await?;
        let now = micros(now.to_jiff())?;
        self.asked_at = Some(now);
        Ok(now)
    }

    /// The time the events of this transaction carry: that of the first, or when the clock was
    /// last asked before it.
    pub(crate) async fn occurred_at(&mut self) -> Result<Timestamp, Error> {
        if let Some(at) = self.occurred_at {
            return Ok(at);
        }
        let at = match self.asked_at {
            Some(at) => at,
            None => self.now().await?,
        };
        self.occurred_at = Some(at);
        Ok(at)
    }

    pub(crate) fn audit_key(&self) -> &AuditKey {
        self.db.audit_key()
    }

    pub(crate) fn keep_events(&mut self, rows: Vec<audit::Row>) {
        self.events.extend(rows);
        self.signal(Topic::Audit);
    }

    /// Marks a place to come back to. One mark is kept: a later one takes its place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark(&mut self) -> Result<Mark, Error> {
        sqlx::query("SAVEPOINT mark").execute(self.open.conn()).await?;
        Ok(Mark { events: self.events.len() })
    }

    /// Undoes everything since `mark`, its audit events included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn back_to(&mut self, mark: Mark) -> Result<(), Error> {
        sqlx::query("ROLLBACK TO SAVEPOINT mark").execute(self.open.conn()).await?;
        self.events.truncate(mark.events);
        Ok(())
    }

    /// Writes what is still to be written. Until this has succeeded, and the commit has begun,
    /// nothing can have been kept.
    ///
    /// # Errors
    /// [`Error::NotCommitted`] when a statement had failed; else when the audit events cannot be
    /// written.
    pub async fn write_out(&mut self) -> Result<(), Error> {
        let events = std::mem::take(&mut self.events);
        if let Some(first) = events.first().map(audit::Row::id) {
            // Fails as well when a statement had.
            audit::write(self.open.conn(), self.tenant, events).await?;
            self.told.get_or_insert(first);
            self.wrote = true;
        } else {
            self.wrote = settle(self.open.conn()).await?;
        }
        Ok(())
    }

    /// Wakes whoever waits for `topic`, in every process, once this transaction is committed.
    pub fn signal(&mut self, topic: Topic) {
        self.signals.insert(topic);
    }

    /// Makes it permanent. Where the connection breaks before the answer comes, the audit log is
    /// asked over another one whether it was kept.
    ///
    /// # Errors
    /// [`Error::NotCommitted`] when a statement had failed, [`Error::Unavailable`] when the
    /// connection broke: nothing was kept. [`Error::InDoubt`] when it broke and nobody could say
    /// in time what came of it, or the transaction told the log nothing.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.write_out().await?;
        let Self { open, tenant, db, told, wrote, signals, .. } = self;
        match open.commit().await {
            Ok(()) => {}
            // Of a transaction that wrote nothing there is nothing to be kept.
            Err(Error::Unavailable(source)) if wrote => {
                doubt::resolve(&db, tenant, told, source).await?;
            }
            Err(error) => return Err(error),
        }
        db.wakes().send(&signals);
        Ok(())
    }

    /// Undoes it now instead of when the connection is next used.
    ///
    /// # Errors
    /// When the connection broke; then the server undoes it.
    pub async fn rollback(self) -> Result<(), Error> {
        self.open.rollback().await
    }
}

impl fmt::Debug for TenantTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantTx").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// A transaction without a tenant: row-level security shows it nothing, so all it can do is call
/// the definer functions that look across tenants on its behalf.
pub struct AcrossTx {
    open: Open,
}

impl AcrossTx {
    pub(crate) async fn begin(pool: &PgPool) -> Result<Self, Error> {
        Ok(Self { open: Open::begin(pool, None).await? })
    }

    /// The connection, for `.execute(tx.conn())`.
    pub fn conn(&mut self) -> &mut PgConnection {
        self.open.conn()
    }

    /// Makes it permanent.
    ///
    /// # Errors
    /// As [`TenantTx::commit`].
    pub async fn commit(self) -> Result<(), Error> {
        let Self { mut open } = self;
        settle(open.conn()).await?;
        open.commit().await
    }
}

impl fmt::Debug for AcrossTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcrossTx").finish_non_exhaustive()
    }
}

/// Fails when a statement of the transaction had failed: PostgreSQL answers the COMMIT of such a
/// transaction with a success that keeps nothing. Says whether anything was written.
async fn settle(tx: &mut PgConnection) -> Result<bool, Error> {
    let wrote = sqlx::query_scalar("SELECT pg_current_xact_id_if_assigned() IS NOT NULL");
    Ok(wrote.fetch_one(tx).await?)
}

fn micros(at: Timestamp) -> Result<Timestamp, Error> {
    at.round(jiff::TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Trunc))
        .map_err(Error::internal)
}
