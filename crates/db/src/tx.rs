//! Transactions: a tenant's room, and the corridor from which no row is seen.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Unit;
use model::id::TenantId;
use model::time::Timestamp;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::audit::AuditKey;
use crate::connect::Db;
use crate::error::Error;
use crate::wake::Topic;

/// A transaction within one tenant: the only way to run a query on a tenant's rows.
///
/// Dropped without [`TenantTx::commit`], by an error, a panic or a cancelled request, it is
/// rolled back before the connection serves anybody else, and its tenant context with it.
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    tenant: TenantId,
    db: Db,
    occurred_at: Option<Timestamp>,
    signals: BTreeSet<Topic>,
}

impl TenantTx {
    pub(crate) async fn begin(db: &Db, pool: &PgPool, tenant: TenantId) -> Result<Self, Error> {
        let mut tx = pool.begin().await?;
        sqlx::query("SELECT countersign.enter_tenant($1)")
            .bind(tenant.uuid())
            .execute(&mut *tx)
            .await?;
        Ok(Self { tx, tenant, db: db.clone(), occurred_at: None, signals: BTreeSet::new() })
    }

    /// Whose room it is.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The connection, for `.execute(tx.conn())`.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The database's clock, which all processes share, to the microsecond.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn now(&mut self) -> Result<Timestamp, Error> {
        let now: jiff_sqlx::Timestamp =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut *self.tx).await?;
        micros(now.to_jiff())
    }

    /// The time the events of this transaction carry: asked once, then kept.
    pub(crate) async fn occurred_at(&mut self) -> Result<Timestamp, Error> {
        if let Some(at) = self.occurred_at {
            return Ok(at);
        }
        let at = self.now().await?;
        self.occurred_at = Some(at);
        Ok(at)
    }

    pub(crate) fn audit_key(&self) -> &AuditKey {
        self.db.audit_key()
    }

    /// Wakes whoever waits for `topic`, in every process, once this transaction is committed.
    pub fn signal(&mut self, topic: Topic) {
        self.signals.insert(topic);
    }

    /// Makes it permanent.
    ///
    /// # Errors
    /// [`Error::NotCommitted`] when a statement had failed and nothing was kept.
    /// [`Error::Unavailable`] when the connection broke: it may or may not be committed.
    pub async fn commit(self) -> Result<(), Error> {
        let Self { mut tx, db, signals, .. } = self;
        settle(&mut tx).await?;
        tx.commit().await?;
        db.wakes().send(&signals);
        Ok(())
    }

    /// Undoes it now instead of when the connection is next used.
    ///
    /// # Errors
    /// When the connection broke; then the server undoes it.
    pub async fn rollback(self) -> Result<(), Error> {
        Ok(self.tx.rollback().await?)
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
    tx: Transaction<'static, Postgres>,
}

impl AcrossTx {
    pub(crate) async fn begin(pool: &PgPool) -> Result<Self, Error> {
        Ok(Self { tx: pool.begin().await? })
    }

    /// The connection, for `.execute(tx.conn())`.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Makes it permanent.
    ///
    /// # Errors
    /// As [`TenantTx::commit`].
    pub async fn commit(self) -> Result<(), Error> {
        let mut tx = self.tx;
        settle(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

impl fmt::Debug for AcrossTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcrossTx").finish_non_exhaustive()
    }
}

/// Fails when a statement of the transaction had failed: PostgreSQL answers the COMMIT of such a
/// transaction with a success that keeps nothing.
async fn settle(tx: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("SELECT").execute(tx).await?;
    Ok(())
}

fn micros(at: Timestamp) -> Result<Timestamp, Error> {
    at.round(jiff::TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Trunc))
        .map_err(Error::internal)
}
