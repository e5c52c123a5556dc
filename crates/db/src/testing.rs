//! Databases for tests: one migrated template, one copy a test.
//!
//! The server is the one of `COUNTERSIGN_TEST_ADMIN_URL` (a superuser's connection string to a
//! throwaway server) or, when that is unset, one of our own that ends with the test process.

#![expect(clippy::panic, reason = "a test that has no database cannot go on")]

mod server;
mod template;

use std::str::FromStr;

use model::actor::{Actor, ActorKind, Role};
use model::id::{ActorId, TenantId};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};

use crate::audit::AuditKey;
use crate::connect::{Db, Options};
use crate::migrate;

pub use server::TestServer;

/// The key that MACs audit events in tests.
pub const AUDIT_KEY: [u8; 32] = [0x5a; 32];

/// The password of the application's login on test servers.
const APP_PASSWORD: &str = "for tests only";

/// Connections of a test's general pool.
const CONNECTIONS: u32 = 8;

/// A database of one test's own, dropped with this value.
#[derive(Debug)]
pub struct TestDb {
    /// Connected as the application's login.
    pub db: Db,
    /// A fresh tenant with one actor who holds every role.
    pub tenant: TenantId,
    /// A superuser in this database, whom row-level security does not bind.
    pub admin: PgPool,
    /// The application's connection string.
    pub url: String,
    /// The superuser's connection string.
    pub admin_url: String,
    copy: template::Copy,
}

/// A fresh migrated database with one tenant.
///
/// # Panics
/// When there is no server to be had: the test cannot go on.
pub async fn database() -> TestDb {
    database_with(CONNECTIONS).await
}

/// As [`database`], with a general pool of this many connections.
///
/// # Panics
/// As [`database`].
pub async fn database_with(max_connections: u32) -> TestDb {
    database_on(&server::admin_url().await, max_connections).await
}

/// As [`database_with`], on the server of this connection string.
async fn database_on(server_url: &str, max_connections: u32) -> TestDb {
    let copy = template::copy(server_url, APP_PASSWORD).await;
    let (db, admin, url, admin_url) = open(server_url, &copy, max_connections).await;
    let tenant = new_tenant(&db).await;
    TestDb { db, tenant, admin, url, admin_url, copy }
}

async fn open(
    server_url: &str,
    copy: &template::Copy,
    max_connections: u32,
) -> (Db, PgPool, String, String) {
    let admin_options = PgConnectOptions::from_str(server_url)
        .expect("the administrator's connection string was used already")
        .database(copy.name());
    let admin_url = admin_options.to_url_lossy().to_string();
    let url = migrate::app_url(&admin_url, APP_PASSWORD).expect("made from a good one");
    let admin = PgPoolOptions::new().max_connections(4).connect_lazy_with(admin_options);
    let db = Db::connect(Options {
        url: url.clone(),
        max_connections,
        audit_key: AuditKey::new(&AUDIT_KEY),
    })
    .await
    .unwrap_or_else(|error| panic!("the test database cannot be used: {error:?}"));
    (db, admin, url, admin_url)
}

impl TestDb {
    /// A superuser in this database, whom row-level security does not bind.
    #[must_use]
    pub const fn admin(&self) -> &PgPool {
        &self.admin
    }

    /// The name of this database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.copy.name()
    }

    /// Makes the server say, to whoever connects from now on, that it is of this version: `number`
    /// as in `server_version_num`. All else about it stays as it is.
    ///
    /// # Panics
    /// When the database does not take it.
    pub async fn claims_version(&self, number: u32, version: &str) {
        // Looked for before PostgreSQL's own, which the path then names second.
        let statements = format!(
            "CREATE SCHEMA IF NOT EXISTS fake;
             GRANT USAGE ON SCHEMA fake TO PUBLIC;
             CREATE OR REPLACE FUNCTION fake.current_setting(text) RETURNS text LANGUAGE sql AS $$
               SELECT CASE $1 WHEN 'server_version_num' THEN '{number}'
                              WHEN 'server_version' THEN '{version}'
                              ELSE pg_catalog.current_setting($1) END
             $$;
             ALTER DATABASE {} SET search_path = fake, pg_catalog, public",
            self.name()
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
            .execute(&self.admin)
            .await
            .expect("the fake is set up");
    }

    /// One more tenant with one actor who holds every role.
    ///
    /// # Panics
    /// When the database does not take it.
    pub async fn another_tenant(&self) -> TenantId {
        new_tenant(&self.db).await
    }

    /// The actor every fresh tenant has: a user who holds every role.
    ///
    /// # Panics
    /// When the tenant is not one of this database's.
    pub async fn system_actor(&self, tenant: TenantId) -> Actor {
        let (id, display_name): (uuid::Uuid, String) = sqlx::query_as(
            "SELECT id, display_name FROM countersign.actors
             WHERE tenant_id = $1 AND type = 'user' ORDER BY id LIMIT 1",
        )
        .bind(tenant.uuid())
        .fetch_one(&self.admin)
        .await
        .expect("a fresh tenant has an actor");
        Actor {
            id: id.into(),
            tenant_id: tenant,
            kind: ActorKind::User,
            display_name,
            roles: Role::ALL.iter().copied().collect(),
        }
    }

    /// One more actor of this tenant, a user with these roles.
    ///
    /// # Panics
    /// When the database does not take it.
    pub async fn another_actor(&self, tenant: TenantId, name: &str, roles: &[Role]) -> Actor {
        new_actor(&self.db, tenant, name, roles).await
    }

    /// This database and a copy of it, as a backup would be that is restored beside the original.
    ///
    /// # Panics
    /// When the server does not copy it.
    pub async fn split(self) -> (Self, Self) {
        let Self { db, tenant, admin, copy, .. } = self;
        db.close().await;
        admin.close().await;
        let server_url = server::admin_url().await;
        let second = template::copy_of(&server_url, copy.name()).await;
        let mut both = Vec::new();
        for copy in [copy, second] {
            let (db, admin, url, admin_url) = open(&server_url, &copy, CONNECTIONS).await;
            both.push(Self { db, tenant, admin, url, admin_url, copy });
        }
        let (second, first) = (both.pop(), both.pop());
        (first.expect("the original"), second.expect("the copy"))
    }

    /// A second handle on this database, as another process would have: its own pool.
    ///
    /// # Panics
    /// When the database cannot be reached.
    pub async fn another_process(&self) -> Db {
        Db::connect(Options {
            url: self.url.clone(),
            max_connections: CONNECTIONS,
            audit_key: AuditKey::new(&AUDIT_KEY),
        })
        .await
        .expect("the first handle could connect")
    }
}

async fn new_tenant(db: &Db) -> TenantId {
    let tenant = TenantId::generate();
    let mut tx = db.tenant(tenant).await.expect("a connection");
    sqlx::query("INSERT INTO countersign.tenants (id, slug, name) VALUES ($1, $2, $2)")
        .bind(tenant.uuid())
        .bind(format!("t-{}", tenant.uuid().simple()))
        .execute(tx.conn())
        .await
        .expect("the tenant is written");
    tx.commit().await.expect("the tenant is committed");
    new_actor(db, tenant, "Test User", Role::ALL).await;
    tenant
}

async fn new_actor(db: &Db, tenant: TenantId, name: &str, roles: &[Role]) -> Actor {
    let id = ActorId::generate();
    let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    let mut tx = db.tenant(tenant).await.expect("a connection");
    sqlx::query(
        "INSERT INTO countersign.actors (tenant_id, id, type, display_name, roles)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .bind(ActorKind::User.word())
    .bind(name)
    .bind(words)
    .execute(tx.conn())
    .await
    .expect("the actor is written");
    tx.commit().await.expect("the actor is committed");
    Actor {
        id,
        tenant_id: tenant,
        kind: ActorKind::User,
        display_name: name.to_owned(),
        roles: roles.iter().copied().collect(),
    }
}
