//! O1: everything is lost but a dump of the database and a copy of the data directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use db::migrate;
use db::testing::TestServer;
use model::id::ExecutionId;
use sqlx::PgPool;

use super::deployment::{Deployment, word};
use super::process::Setup;
use super::runbooks::{Step, runbook};
use super::until;

const PASSWORD: &str = "for tests only";

/// One of PostgreSQL's own programs.
pub(super) fn program(name: &str) -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        installed.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

pub(super) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

pub(super) async fn signed_and_anchored(admin: &PgPool) {
    until("a log that is signed as it is", async || {
        sqlx::query_scalar::<_, bool>(
            "SELECT NOT EXISTS (SELECT 1 FROM countersign.audit_outbox) AND NOT EXISTS (
               SELECT 1 FROM countersign.audit_heads h WHERE h.size > coalesce((
                 SELECT max(c.size) FROM countersign.audit_checkpoints c
                 WHERE c.tenant_id = h.tenant_id), 0))",
        )
        .fetch_one(admin)
        .await
        .unwrap()
        .then_some(())
    })
    .await;
}

async fn states(admin: &PgPool, executions: &[ExecutionId]) -> Vec<String> {
    let ids: Vec<_> = executions.iter().map(|id| id.uuid()).collect();
    sqlx::query_scalar("SELECT state FROM countersign.executions WHERE id = ANY ($1) ORDER BY id")
        .bind(ids)
        .fetch_all(admin)
        .await
        .unwrap()
}

/// A connection string as PostgreSQL's own programs read it.
pub(super) fn plain(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// A cluster in which there is nothing but the roles, with the dump in it: its administrator's and
/// its application's connection strings.
pub(super) async fn restored(server: &TestServer, dump: &Path) -> (String, String) {
    migrate::roles(server.admin_url(), PASSWORD).await.unwrap();
    let empty = PgPool::connect(server.admin_url()).await.unwrap();
    sqlx::query("CREATE DATABASE restored").execute(&empty).await.unwrap();
    empty.close().await;
    let options: sqlx::postgres::PgConnectOptions = server.admin_url().parse().unwrap();
    let admin = sqlx::ConnectOptions::to_url_lossy(&options.database("restored")).to_string();
    run(Command::new(program("pg_restore"))
        .arg("--exit-on-error")
        .arg(format!("--dbname={}", plain(&admin)))
        .arg(dump));
    let url = migrate::app_url(&admin, PASSWORD).unwrap();
    (admin, url)
}

/// A dump of the deployment as it is, made by PostgreSQL's own program.
pub(super) async fn dump_to(deployment: &Deployment, file: &Path) {
    // What notes down claims for other tests is no part of a deployment.
    let witness = "DROP FUNCTION public.claimed(), public.opened(), public.moved() CASCADE;
                   DROP TABLE public.claims, public.openings, public.moves";
    sqlx::raw_sql(witness).execute(deployment.test.admin()).await.unwrap();
    run(Command::new(program("pg_dump"))
        .arg("--format=custom")
        .arg(format!("--dbname={}", plain(&deployment.test.admin_url)))
        .arg("--file")
        .arg(file));
}

/// Reads what an execution left as evidence, of whichever process answers for the deployment.
pub(super) async fn assert_evidence(deployment: &Deployment, execution: ExecutionId) {
    let shown = deployment.get(&format!("/executions/{execution}")).await;
    let pieces = shown["evidence"].as_array().cloned().unwrap_or_default();
    assert!(!pieces.is_empty(), "{shown:#}");
    for piece in pieces {
        let path = format!("/executions/{execution}/evidence/{}", word(&piece, "id"));
        // Its hash is compared before it is shown.
        assert!(deployment.get(&path).await.is_object(), "{path}");
    }
}

#[tokio::test]
async fn o1_a_dump_in_an_empty_cluster_resumes_each_execution_once_and_its_log_verifies() {
    let mut deployment = Deployment::start().await;
    let steps = [Step::act("one"), Step::act("two"), Step::check("check").with_evidence()];
    let book = deployment.runbook(&runbook("restored", &deployment.effects(), &steps)).await;
    let mut executions = vec![deployment.approved(&book).await];
    let mut worker = deployment.worker().start().await;
    deployment.settled(&executions).await;
    worker.stop().await;
    // Two more are under way when the machine is lost, in the middle of a step each; a third waits.
    let under_way = deployment.approved_many(&book, 2).await;
    let mut dying = Setup { failpoint: Some("act.effect.after"), ..deployment.worker() }.spawn();
    dying.end().await;
    executions.extend(under_way);
    executions.push(deployment.approved(&book).await);
    signed_and_anchored(deployment.test.admin()).await;
    deployment.api.stop().await;

    let kept = tempfile::tempdir().unwrap();
    let (dump, data) = (kept.path().join("dump"), kept.path().join("data"));
    dump_to(&deployment, &dump).await;
    run(Command::new("cp").arg("-a").arg(deployment.dir.path()).arg(&data));
    // The dump is older than the loss: all of them ran to their end, which nobody who restores knows.
    let mut worker = deployment.worker().start().await;
    deployment.settled(&executions).await;
    worker.stop().await;

    let started = Instant::now();
    let server = TestServer::start().await;
    let (admin_url, url) = restored(&server, &dump).await;
    let admin = PgPool::connect(&admin_url).await.unwrap();
    // T10: a dump carries what was taken from everybody.
    let callable = "SELECT has_function_privilege(
                      'countersign_app', 'pg_catalog.set_config(text, text, boolean)', 'EXECUTE')";
    assert!(!sqlx::query_scalar::<_, bool>(callable).fetch_one(&admin).await.unwrap());
    let mut process = Setup::new(&data, Some(&url)).start().await;
    let ready = started.elapsed();
    let want = vec!["completed"; executions.len()];
    until("every execution to be over", async || {
        (states(&admin, &executions).await == want).then_some(())
    })
    .await;
    println!(
        "RTO: serving after {:.1} s, every execution over after {:.1} s",
        ready.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );
    // Each step that must not run twice left its line once.
    let mut lines: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for line in deployment.lines() {
        *lines.entry(line).or_default() += 1;
    }
    for execution in &executions {
        for step in ["one", "two"] {
            let line = [execution.uuid().to_string(), step.to_owned(), "do".to_owned()];
            let prefixed = [execution.to_string(), step.to_owned(), "do".to_owned()];
            let count = lines.get(&line[..]).or_else(|| lines.get(&prefixed[..]));
            assert_eq!(count, Some(&1), "{execution} {step}: {lines:?}");
        }
    }
    // What was kept beside the database is read again, that of before the loss included.
    deployment.url = process.url().unwrap();
    for execution in &executions {
        assert_evidence(&deployment, *execution).await;
    }
    signed_and_anchored(&admin).await;
    let verified = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["audit", "verify", "--output", "json", "--tenant", &deployment.tenant().to_string()])
        .arg("--data-dir")
        .arg(&data)
        .env("DATABASE_URL", &url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&verified.stdout);
    assert_eq!(verified.status.code(), Some(0), "{said}");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["anchor"]["size"], report["size"], "{report}");
    process.stop().await;
    admin.close().await;
    server.stop().await;
}
