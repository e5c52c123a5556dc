//! The migrated template all test databases of one set of migrations are copied from.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use uuid::Uuid;

use crate::{lease, migrate};

/// Before the rest of the name of a template: a part of the fingerprint of the migrations.
const TEMPLATE: &str = "cs_template_";

/// Before the rest of the name of a copy: a `UUIDv7`, so that its age can be read from its name.
const COPY: &str = "cs_test_";

/// How long a test waits for the drop of its database.
const DROP_WITHIN: Duration = Duration::from_secs(5);

/// The error when the template is gone: another set of migrations swept it.
const NO_SUCH_DATABASE: &str = "3D000";

/// A copy of the template, dropped with this value.
#[derive(Debug)]
pub(super) struct Copy {
    name: String,
    server_url: String,
}

impl Copy {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Copy {
    /// Waits for the drop: the process may end right after the test, and a copy left behind takes
    /// memory until the next sweep. Not for ever: the test's own runtime stands still meanwhile,
    /// and with it a connection that is being made.
    fn drop(&mut self) {
        let (name, url) = (self.name.clone(), self.server_url.clone());
        let (done, finished) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let dropped = drop_from_outside(&url, &name);
            // Nobody may be waiting any more.
            drop(done.send(dropped));
        });
        match finished.recv_timeout(DROP_WITHIN) {
            Ok(Ok(())) => {}
            outcome => tracing::warn!(database = self.name, ?outcome, "left to the next sweep"),
        }
    }
}

/// With a runtime of its own: the test's may be gone.
fn drop_from_outside(server_url: &str, name: &str) -> Result<(), sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut server = maintenance(server_url).await?;
        drop_database(&mut server, name).await
    })
}

/// Copies the template, making it first where it is missing.
pub(super) async fn copy(server_url: &str, app_password: &str) -> Copy {
    let template = format!("{TEMPLATE}{}", &migrate::fingerprint().to_string()[..16]);
    let mut server = maintenance(server_url)
        .await
        .unwrap_or_else(|error| panic!("no test server at {server_url}: {error}"));
    loop {
        if !ready(&mut server, &template).await {
            make(&mut server, server_url, &template, app_password).await;
        }
        let name = format!("{COPY}{}", Uuid::now_v7().simple());
        // Both names are made here, of letters and digits.
        let statement = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
        match sqlx::query(AssertSqlSafe(statement)).execute(&mut server).await {
            Ok(_) => return Copy { name, server_url: server_url.to_owned() },
            Err(error) if code(&error).as_deref() == Some(NO_SUCH_DATABASE) => {}
            Err(error) => panic!("the template cannot be copied: {error}"),
        }
    }
}

/// Copies a database that nobody uses any more; whoever lingers is cut off.
pub(super) async fn copy_of(server_url: &str, source: &str) -> Copy {
    let mut server = maintenance(server_url)
        .await
        .unwrap_or_else(|error| panic!("no test server at {server_url}: {error}"));
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
        .bind(source)
        .execute(&mut server)
        .await
        .expect("whoever lingers is cut off");
    let name = format!("{COPY}{}", Uuid::now_v7().simple());
    let statement = format!("CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut server).await.expect("it is copied");
    Copy { name, server_url: server_url.to_owned() }
}

async fn maintenance(server_url: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnectOptions::from_str(server_url)?.application_name("countersign tests").connect().await
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

async fn ready(server: &mut PgConnection, template: &str) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate)",
    )
    .bind(template)
    .fetch_one(server)
    .await
    .expect("the server lists its databases")
}

/// Makes the template under a lock: of many test processes, one migrates and the others wait.
async fn make(server: &mut PgConnection, server_url: &str, template: &str, app_password: &str) {
    let lock = lease::key("test template");
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(lock)
        .execute(&mut *server)
        .await
        .expect("the lock is given in turn");
    if !ready(server, template).await {
        sweep(server).await;
        // Left half-made by a process that was killed.
        drop_database(server, template).await.expect("a half-made template is dropped");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {template}")))
            .execute(&mut *server)
            .await
            .expect("an empty database is made");
        let url = PgConnectOptions::from_str(server_url)
            .expect("it was used already")
            .database(template)
            .to_url_lossy()
            .to_string();
        migrate::roles(&url, app_password).await.expect("the roles are made");
        if let Err(error) = migrate::run(&url).await {
            panic!("the migrations fail: {error:?}");
        }
        sqlx::query(AssertSqlSafe(format!("ALTER DATABASE {template} IS_TEMPLATE true")))
            .execute(&mut *server)
            .await
            .expect("the template is marked");
    }
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(lock)
        .execute(server)
        .await
        .expect("the lock is given back");
}

/// Drops what tests of an hour ago left behind.
async fn sweep(server: &mut PgConnection) {
    let old: Vec<String> = sqlx::query_scalar(
        "SELECT datname::text FROM pg_database
         WHERE (datname LIKE 'cs\\_test\\_%' OR datname LIKE 'cs\\_template\\_%')
           AND (pg_stat_file('base/' || oid || '/PG_VERSION', true)).modification
               < clock_timestamp() - interval '1 hour'
           AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datid = pg_database.oid)",
    )
    .fetch_all(&mut *server)
    .await
    .expect("the server lists its databases");
    for name in old {
        if name.starts_with(TEMPLATE) {
            // A template cannot be dropped before it stops being one.
            drop(
                sqlx::query(AssertSqlSafe(format!("ALTER DATABASE {name} IS_TEMPLATE false")))
                    .execute(&mut *server)
                    .await,
            );
        }
        if let Err(error) = drop_database(server, &name).await {
            tracing::debug!(%error, name, "left to the next sweep");
        }
    }
}

async fn drop_database(server: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
        .execute(server)
        .await?;
    Ok(())
}
