//! Starting: what a server refuses to start on, and what its private database survives.

use std::os::unix::fs::PermissionsExt as _;

use db::testing::{TestDb, database};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::{Process, Setup};
use super::until;

/// A data directory that the private server's own user may pass through.
pub(super) fn data_dir() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// Starts a server that must refuse to, and gives what it said.
pub(super) async fn refused(setup: &Setup<'_>) -> String {
    let mut process = setup.spawn();
    let status = process.end().await;
    let said = process.last_words().await;
    assert!(!status.success(), "{said}");
    assert!(process.url().is_none(), "it never served: {said}");
    said
}

async fn refused_on(url: &str) -> String {
    let dir = data_dir();
    refused(&Setup::new(dir.path(), Some(url))).await
}

#[tokio::test]
async fn t4_serve_refuses_a_login_row_level_security_does_not_bind() {
    let test: TestDb = database().await;
    let said = refused_on(&test.admin_url).await;
    assert!(said.contains("superuser"), "{said}");
    for (make, word) in [
        ("CREATE ROLE passes_by LOGIN BYPASSRLS IN ROLE countersign_app", "BYPASSRLS"),
        ("CREATE ROLE passes_by LOGIN IN ROLE countersign_owner", "own"),
    ] {
        let name = format!("passes_by_{}", test.name());
        let make = make.replace("passes_by", &name);
        sqlx::query(sqlx::AssertSqlSafe(make)).execute(test.admin()).await.unwrap();
        let (before, database) = test.url.split_once("://").unwrap();
        let (_, place) = database.split_once('@').unwrap();
        let said = refused_on(&format!("{before}://{name}@{place}")).await;
        let gone = format!("DROP ROLE {name}");
        sqlx::query(sqlx::AssertSqlSafe(gone)).execute(test.admin()).await.unwrap();
        assert!(said.contains(word), "{said}");
    }
}

#[tokio::test]
async fn t14_serve_refuses_a_server_without_the_security_release() {
    let test = database().await;
    test.claims_version(150_013, "15.13 (Debian 15.13-0+deb12u1)").await;
    let said = refused_on(&test.url).await;
    assert!(said.contains("PostgreSQL 15.13"), "{said}");
    assert!(said.contains("15.14 or newer is needed"), "{said}");
}

#[tokio::test]
async fn serve_refuses_a_schema_that_is_behind() {
    let test = database().await;
    sqlx::query(
        "DELETE FROM countersign._sqlx_migrations
         WHERE version = (SELECT max(version) FROM countersign._sqlx_migrations)",
    )
    .execute(test.admin())
    .await
    .unwrap();
    let said = refused_on(&test.url).await;
    assert!(said.contains("schema"), "{said}");
    assert!(said.contains("db migrate"), "it says what to do: {said}");
}

pub(super) async fn log_in(url: &str, password: &str) -> Option<String> {
    let login = json!({"username": "admin", "password": password});
    let client = reqwest::Client::builder().build().unwrap();
    let sent = client.post(format!("{url}/api/v1/login")).json(&login).send().await.unwrap();
    let status = sent.status();
    let body: Value = sent.json().await.unwrap();
    status.is_success().then(|| body["token"].as_str().unwrap().to_owned())
}

pub(super) async fn change_password(url: &str, token: &str, from: &str, to: &str) {
    let change = json!({"current_password": from, "new_password": to});
    let client = reqwest::Client::builder().build().unwrap();
    let request = client.post(format!("{url}/api/v1/account/password")).bearer_auth(token);
    let answer = request.json(&change).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{}", answer.text().await.unwrap());
}

#[tokio::test]
async fn behaviour_5_a_private_database_outlives_kills_and_serves_one_server_at_a_time() {
    let dir = data_dir();
    let setup = Setup::new(dir.path(), None);
    let mut first: Process = setup.spawn();
    let url = first.ready().await;
    let once = std::fs::read_to_string(dir.path().join("first-password")).unwrap();
    let token = log_in(&url, once.trim()).await.expect("the one-time password lets in");
    let said = refused(&setup).await;
    assert!(said.contains("another countersign serves this data directory"), "{said}");
    assert!(log_in(&url, once.trim()).await.is_some(), "the first one goes on");
    let password = "a password of one's own";
    change_password(&url, &token, once.trim(), password).await;
    first.kill().await;
    let mut second = setup.spawn();
    let url = second.ready().await;
    assert!(log_in(&url, password).await.is_some(), "what was acknowledged is there");
    assert!(log_in(&url, once.trim()).await.is_none());
    second.stop().await;
    let cluster = dir.path().join("postgres/data/postmaster.pid");
    until("the end of the private server", async || (!cluster.exists()).then_some(())).await;
}

/// What `doctor` says of a database that is not asked for its password in its address.
fn database_checked(url: &str, passfile: Option<&std::path::Path>) -> Value {
    let dir = data_dir();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["--output", "json", "doctor", "--data-dir"]).arg(dir.path());
    command.env("DATABASE_URL", url).env("HOME", dir.path()).env_remove("PGPASSFILE");
    if let Some(passfile) = passfile {
        command.env("PGPASSFILE", passfile);
    }
    let told = command.output().unwrap();
    let checks: Value = serde_json::from_slice(&told.stdout).unwrap();
    let checks = checks["checks"].as_array().unwrap().iter();
    checks.clone().find(|check| check["what"] == "database").cloned().unwrap()
}

#[tokio::test]
async fn s8_the_databases_password_stands_in_a_passfile_and_in_no_environment() {
    let dir = data_dir();
    let mut server = Setup::new(dir.path(), None).spawn();
    server.ready().await;
    let passwords = dir.path().join("database-passwords");
    let passwords = std::fs::read_to_string(passwords).unwrap();
    let password = passwords.lines().nth(1).unwrap();
    let socket = dir.path().join("postgres/run").to_string_lossy().replace('/', "%2F");
    let url = format!("postgres://countersign_app@{socket}:5432/countersign");
    let passfile = dir.path().join("passfile");
    std::fs::write(&passfile, format!("*:*:countersign:countersign_app:{password}\n")).unwrap();
    std::fs::set_permissions(&passfile, std::fs::Permissions::from_mode(0o600)).unwrap();
    let without = database_checked(&url, None);
    assert_eq!(without["health"], "bad", "the server asks for it: {without:#}");
    let with = database_checked(&url, Some(&passfile));
    assert_eq!(with["health"], "good", "{with:#}");
    server.stop().await;
}
