//! The private server: real ones, started, killed and started again.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use db::private::{self, Error, Options, PrivateServer};
use db::{AuditKey, Db, testing};
use model::id::TenantId;
use rustix::process::{Pid, Signal, kill_process};

/// Longer than a start takes on a busy machine: a test that waits this long has failed.
const LONG: Duration = Duration::from_secs(120);

/// A directory of this test's own that the user postgres may pass through.
fn open_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

fn options(dir: &Path) -> Options {
    let mut options = Options::new(dir);
    // Writing through costs seconds here, and no test pulls the plug.
    options.settings = vec![("fsync".to_owned(), "off".to_owned())];
    options
}

async fn connect(url: &str) -> Db {
    Db::connect(db::Options {
        url: url.to_owned(),
        max_connections: 2,
        audit_key: AuditKey::new(&testing::AUDIT_KEY),
    })
    .await
    .unwrap()
}

async fn write_tenant(db: &Db) -> Result<TenantId, db::Error> {
    let tenant = TenantId::generate();
    let mut tx = db.tenant(tenant).await?;
    sqlx::query("INSERT INTO countersign.tenants (id, slug, name) VALUES ($1, $2, 'x')")
        .bind(tenant.uuid())
        .bind(format!("t-{}", tenant.uuid().simple()))
        .execute(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(tenant)
}

async fn tenant_is_there(db: &Db, tenant: TenantId) -> bool {
    let mut tx = db.tenant(tenant).await.unwrap();
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM countersign.tenants WHERE id = $1)")
        .bind(tenant.uuid())
        .fetch_one(tx.conn())
        .await
        .unwrap()
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
}

/// Asks again until it is so.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, asked).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// The processes that work in a cluster.
fn users(dir: &Path) -> Vec<u32> {
    let cluster = dir.join("postgres/data").canonicalize().unwrap();
    let works_there =
        |pid: &u32| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster);
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|p| p.file_name().to_str()?.parse().ok()).filter(works_there).collect()
}

#[tokio::test]
async fn a_server_is_made_used_stopped_and_found_again() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    let db = connect(server.url()).await;
    let tenant = write_tenant(&db).await.unwrap();
    db.close().await;
    server.stop().await;
    assert!(users(dir.path()).is_empty(), "something is left running");
    let again = PrivateServer::start(options(dir.path())).await.unwrap();
    assert!(tenant_is_there(&connect(again.url()).await, tenant).await);
    assert_eq!(private::urls(dir.path()).unwrap().0, again.url());
    again.stop().await;
}

#[tokio::test]
async fn it_listens_on_its_private_socket_only_and_keeps_its_passwords_to_itself() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    let mode =
        |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("postgres"), 0o700);
    assert_eq!(mode("postgres/run"), 0o700);
    assert_eq!(mode("postgres/data"), 0o700);
    assert_eq!(mode("database-passwords"), 0o600);
    let db = connect(server.url()).await;
    let mut tx = db.across().await.unwrap();
    let (addresses, encryption): (String, String) = sqlx::query_as(
        "SELECT current_setting('listen_addresses'), current_setting('password_encryption')",
    )
    .fetch_one(tx.conn())
    .await
    .unwrap();
    assert_eq!((addresses.as_str(), encryption.as_str()), ("", "scram-sha-256"));
    for role in ["countersign_admin", "countersign_app"] {
        let socket = dir.path().join("postgres/run");
        let url =
            format!("postgres://{role}:wrong@localhost/countersign?host={}", socket.display());
        let refused = db::migrate::run(&url).await;
        assert!(refused.is_err(), "{role} came in with a wrong password");
    }
    server.stop().await;
}

#[tokio::test]
async fn where_the_user_postgres_cannot_go_it_runs_in_a_namespace() {
    // As made: only we may enter. When we are not root there is nothing to drop, and it just runs.
    let dir = tempfile::tempdir().unwrap();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    write_tenant(&connect(server.url()).await).await.unwrap();
    server.stop().await;
    let again = PrivateServer::start(options(dir.path())).await.unwrap();
    again.stop().await;
}

#[tokio::test]
async fn a_killed_postmaster_is_started_again_and_nothing_committed_is_lost() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    let db = connect(server.url()).await;
    for round in 1..=3 {
        let tenant = write_tenant(&db).await.unwrap();
        let killed = server.postmaster().unwrap();
        kill(killed);
        until("another postmaster", async || {
            server.postmaster().filter(|present| *present != killed)
        })
        .await;
        server.ready().await.unwrap();
        assert_eq!(server.starts(), round + 1);
        until("the pool recovers", async || db.ping().await.ok()).await;
        assert!(tenant_is_there(&db, tenant).await);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_server_whose_processes_are_all_killed_comes_back() {
    let dir = open_dir();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    let db = connect(server.url()).await;
    let tenant = write_tenant(&db).await.unwrap();
    let killed = server.postmaster().unwrap();
    for pid in users(dir.path()) {
        kill(pid);
    }
    until("another postmaster", async || server.postmaster().filter(|pid| *pid != killed)).await;
    server.ready().await.unwrap();
    until("the pool recovers", async || db.ping().await.ok()).await;
    assert!(tenant_is_there(&db, tenant).await);
    server.stop().await;
}

/// The example program, which is built with the tests.
fn supervise(dir: &Path) -> (Child, u32) {
    let me = std::env::current_exe().unwrap();
    let program: PathBuf = me.ancestors().nth(2).unwrap().join("examples/supervise");
    let mut child = Command::new(program)
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let postmaster = line.strip_prefix("ready ").unwrap().trim().parse().unwrap();
    (child, postmaster)
}

#[tokio::test]
async fn a_killed_supervisor_takes_its_postmaster_along_and_the_next_one_takes_over() {
    let dir = open_dir();
    let (mut first, postmaster) = supervise(dir.path());
    let db = connect(&private::urls(dir.path()).unwrap().0).await;
    let tenant = write_tenant(&db).await.unwrap();
    kill(first.id());
    first.wait().unwrap();
    // At once: the old postmaster may still be shutting down.
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    assert_ne!(server.postmaster(), Some(postmaster));
    assert!(!users(dir.path()).contains(&postmaster), "two postmasters on one cluster");
    assert!(tenant_is_there(&connect(server.url()).await, tenant).await);
    server.stop().await;
}

#[tokio::test]
async fn supervisor_and_postmaster_killed_together_leave_a_directory_that_starts() {
    let dir = open_dir();
    let (mut first, postmaster) = supervise(dir.path());
    let db = connect(&private::urls(dir.path()).unwrap().0).await;
    let tenant = write_tenant(&db).await.unwrap();
    kill(postmaster);
    kill(first.id());
    first.wait().unwrap();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    assert!(tenant_is_there(&connect(server.url()).await, tenant).await);
    server.stop().await;
}

#[tokio::test]
async fn the_second_server_of_a_directory_says_who_serves_it() {
    let dir = open_dir();
    let (mut first, _) = supervise(dir.path());
    let error = PrivateServer::start(options(dir.path())).await.unwrap_err();
    let pid = first.id();
    assert_eq!(
        error.to_string(),
        format!("another countersign serves this data directory (pid {pid})")
    );
    assert_eq!(private::examine(&options(dir.path())).served_by, Some(pid));
    drop(first.stdin.take());
    assert!(first.wait().unwrap().success());
    assert_eq!(private::examine(&options(dir.path())).served_by, None);
    PrivateServer::start(options(dir.path())).await.unwrap().stop().await;
}

#[tokio::test]
async fn stale_files_of_an_earlier_run_do_not_hold_up_a_start() {
    let dir = open_dir();
    PrivateServer::start(options(dir.path())).await.unwrap().stop().await;
    let base = dir.path().join("postgres");
    // The number of a living process that has nothing to do with it: ours.
    let me = std::process::id();
    std::fs::write(base.join("data/postmaster.pid"), format!("{me}\n/x\n1\n5432\n")).unwrap();
    std::fs::write(base.join("run/.s.PGSQL.5432.lock"), format!("{me}\n/x\n1\n5432\n")).unwrap();
    // A first start that was killed within initdb.
    std::fs::create_dir(base.join("draft-killed")).unwrap();
    let server = PrivateServer::start(options(dir.path())).await.unwrap();
    assert!(!base.join("draft-killed").exists());
    server.stop().await;
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_said_before_anything_is_made() {
    let dir = open_dir();
    let long = dir.path().join("x".repeat(110));
    let error = PrivateServer::start(options(&long)).await.unwrap_err();
    assert!(matches!(error, Error::PathTooLong { length, .. } if length > 107), "{error:?}");
    assert!(!long.join("postgres").exists());
}

#[tokio::test]
async fn without_postgresql_one_line_says_what_to_install() {
    let dir = open_dir();
    let mut options = options(dir.path());
    options.bin_dir = Some(dir.path().to_owned());
    let error = PrivateServer::start(options.clone()).await.unwrap_err().to_string();
    assert!(error.contains("apt-get install -y postgresql"), "{error}");
    assert_eq!(error.lines().count(), 1);
    let report = private::examine(&options);
    assert_eq!((report.chosen, report.problems.len()), (None, 1));
}

#[tokio::test]
async fn settings_that_postgresql_refuses_are_shown_from_its_log() {
    let dir = open_dir();
    let mut options = options(dir.path());
    options.settings = vec![("shared_buffers".to_owned(), "nonsense".to_owned())];
    let error = PrivateServer::start(options).await.unwrap_err().to_string();
    assert!(error.contains("nonsense"), "{error}");
}
