//! The pools, and what must be true of a connection before it serves a tenant.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use model::id::TenantId;
use model::time::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};

use crate::audit::AuditKey;
use crate::error::Error;
use crate::lease::Leadership;
use crate::migrate::{self, SetConfig};
use crate::role;
use crate::tx::{AcrossTx, TenantTx};
use crate::wake::{Topic, Waker, Wakes};

/// Connections kept for lease renewals and wake-ups, so that a storm of other work cannot starve
/// them. One of them listens.
const URGENT_CONNECTIONS: u32 = 4;

/// Statements a connection keeps prepared: more than this program has.
const STATEMENTS: usize = 500;

/// How long a request waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Limits of one session. A statement or an open transaction that outlives them is ended by the
/// server, so that a stuck process cannot hold locks for ever.
const SESSION: &[(&str, &str)] = &[
    ("statement_timeout", "30s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("lock_timeout", "10s"),
    ("timezone", "UTC"),
];

/// How to connect.
#[derive(Clone)]
pub struct Options {
    /// `DATABASE_URL`: the application's login.
    pub url: String,
    /// The size of the general pool.
    pub max_connections: u32,
    /// The key that MACs audit events.
    pub audit_key: AuditKey,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The connection string holds a password.
        f.debug_struct("Options")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

struct Inner {
    pool: PgPool,
    urgent: PgPool,
    connect: PgConnectOptions,
    audit_key: AuditKey,
    wakes: Wakes,
}

/// The database, as the application sees it. Cloning is cheap.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("connections", &self.0.pool.size()).finish_non_exhaustive()
    }
}

impl Db {
    /// Connects as the application's login.
    ///
    /// # Errors
    /// [`Error::Unfit`] when the login could pass by row-level security (superuser, BYPASSRLS,
    /// owner), the server is too old, or the schema is behind this program.
    pub async fn connect(options: Options) -> Result<Self, Error> {
        let connect = PgConnectOptions::from_str(&options.url)
            .map_err(Error::Url)?
            .application_name("countersign")
            .statement_cache_capacity(STATEMENTS)
            .options(SESSION.iter().copied());
        let pool = pool(options.max_connections).connect_lazy_with(connect.clone());
        let urgent = pool_of_urgent().connect_lazy_with(connect.clone());
        let mut first = pool.acquire().await?;
        role::assert_fit(&mut first).await?;
        drop(first);
        let wakes = Wakes::start(urgent.clone());
        Ok(Self(Arc::new(Inner { pool, urgent, connect, audit_key: options.audit_key, wakes })))
    }

    /// Opens a transaction within a tenant.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantTx, Error> {
        TenantTx::begin(self, &self.0.pool, tenant).await
    }

    /// As [`Db::tenant`], from the connections kept for what must not wait: lease renewals.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn urgent(&self, tenant: TenantId) -> Result<TenantTx, Error> {
        TenantTx::begin(self, &self.0.urgent, tenant).await
    }

    /// Opens a transaction without a tenant.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn across(&self) -> Result<AcrossTx, Error> {
        AcrossTx::begin(&self.0.pool).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.across().await?;
        Ok(())
    }

    /// Whether an expression could change its tenant.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn set_config(&self) -> Result<SetConfig, Error> {
        let mut across = self.across().await?;
        Ok(migrate::set_config(across.conn()).await?)
    }

    /// The database's clock, which all processes share.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn now(&self) -> Result<Timestamp, Error> {
        let mut across = self.across().await?;
        let now: jiff_sqlx::Timestamp =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(across.conn()).await?;
        Ok(now.to_jiff())
    }

    /// Tries to become the one process that does `name`; `None` when another does.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn lead(&self, name: &str) -> Result<Option<Leadership>, Error> {
        Leadership::attempt(&self.0.connect, name).await
    }

    /// Wakes when a transaction of any process signalled `topic`.
    #[must_use]
    pub fn waker(&self, topic: Topic) -> Waker {
        self.0.wakes.waker(topic)
    }

    /// The key that MACs audit events.
    #[must_use]
    pub fn audit_key(&self) -> &AuditKey {
        &self.0.audit_key
    }

    /// Connections of the general pool: open, idle.
    #[must_use]
    pub fn connections(&self) -> (u32, usize) {
        (self.0.pool.size(), self.0.pool.num_idle())
    }

    /// Closes every connection, after the work under way.
    pub async fn close(&self) {
        self.0.wakes.stop();
        self.0.pool.close().await;
        self.0.urgent.close().await;
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    pub(crate) fn wakes(&self) -> &Wakes {
        &self.0.wakes
    }
}

fn pool_of_urgent() -> PgPoolOptions {
    pool(URGENT_CONNECTIONS)
}

fn pool(max_connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(Duration::from_secs(300))
        .max_lifetime(Duration::from_secs(1800))
        // Opening a transaction shows as well whether the connection lives and came clean.
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                if without_tenant(connection).await? {
                    return Ok(());
                }
                Err(sqlx::Error::Protocol("the login sets app.tenant_id by itself".into()))
            })
        })
}

/// Whether a connection carries no tenant by itself.
async fn without_tenant(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let left: Option<String> = sqlx::query_scalar("SELECT current_setting('app.tenant_id', true)")
        .fetch_one(connection)
        .await?;
    Ok(left.as_deref().unwrap_or_default().is_empty())
}
