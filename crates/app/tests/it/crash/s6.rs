//! S6: a process that answers requests seals and cannot open; one that works answers no requests.

use std::path::Path;
use std::sync::Arc;

use connect::vault::{Envelope, FileKek, Kek, PublicKek};
use connect_ssh::testing::Sshd;
use model::id::CredentialId;
use model::vault::{Vault as _, VaultError};
use reqwest::StatusCode;
use sense::store::credential;

use super::deployment::{Deployment, word};
use super::process::Setup;
use super::runbooks::{Step, runbook};

/// Everything below `from` but the key that opens, as an operator copies it to another host.
fn copy_keys(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_keys(&source, &target);
        } else if entry.file_name() != "kek" {
            std::fs::copy(source, target).unwrap();
        }
    }
}

#[tokio::test]
async fn s6_with_all_that_the_api_process_has_no_login_opens() {
    let mut deployment = Deployment::logging(Sshd::start().unwrap(), "info").await;
    // The host of a worker, and another one for requests, without the key that opens.
    let api_dir = tempfile::tempdir().unwrap();
    copy_keys(&deployment.dir.path().join("keys"), &api_dir.path().join("keys"));
    deployment.api.stop().await;
    let setup = Setup { role: "api", ..Setup::new(api_dir.path(), Some(&deployment.test.url)) };
    let mut api = setup.spawn();
    deployment.url = api.ready().await;
    let (host, port) = (deployment.sshd.host().to_owned(), deployment.sshd.port());
    deployment.add_server(&host, port).await;
    let look = [Step::check("look")];
    let book = deployment.runbook(&runbook("look", &deployment.effects(), &look)).await;
    let execution = deployment.approved(&book).await;

    // With the files and the database of that process: sealed, and not to be opened.
    let keys = api_dir.path().join("keys");
    assert!(!keys.join("kek").exists(), "the process made no key of its own");
    let request: Arc<dyn Kek> = Arc::new(FileKek::open(&keys.join("request-kek")).unwrap());
    let public = Arc::new(PublicKek::beside(&keys.join("kek")).unwrap());
    let there = Envelope::new("local", public, Arc::clone(&request));
    let credentials = deployment.get("/credentials").await;
    let id: CredentialId = word(&credentials[0], "id").parse().unwrap();
    let tenant = deployment.tenant();
    let mut tx = deployment.test.db.tenant(tenant).await.unwrap();
    let stored = credential::get(&mut tx, id).await.unwrap();
    let place = credential::place(tenant, id, 1);
    let opened = there.open(stored.key.as_ref(), place, &stored.sealed).await;
    assert!(matches!(opened, Err(VaultError::SealOnly)), "{opened:?}");
    // Nor with the other key it has, as if it were the one.
    let wrong = Envelope::new("local", Arc::clone(&request), request);
    let opened = wrong.open(stored.key.as_ref(), place, &stored.sealed).await;
    assert!(matches!(opened, Err(VaultError::UnknownKey { .. })), "{opened:?}");

    // A worker opens it.
    let mut worker = deployment.worker().spawn();
    let url = worker.ready().await;
    assert_eq!(deployment.settled(&[execution]).await, ["completed"], "{}", worker.log.text());

    // It says whether it lives and is ready, and answers nothing else.
    for (path, status) in [
        ("/healthz", StatusCode::OK),
        ("/readyz", StatusCode::OK),
        ("/api/v1/credentials", StatusCode::NOT_FOUND),
        ("/api/v1/login", StatusCode::NOT_FOUND),
        ("/api/v1/hooks/alertmanager", StatusCode::NOT_FOUND),
        ("/api/v1/openapi.json", StatusCode::NOT_FOUND),
    ] {
        let request = deployment.http.get(format!("{url}{path}")).bearer_auth(&deployment.admin);
        assert_eq!(request.send().await.unwrap().status(), status, "{path}");
    }
    worker.stop().await;
    api.stop().await;
}

#[tokio::test]
async fn s6_a_host_with_other_keys_refuses_to_serve_and_says_which() {
    let deployment = Deployment::logging(Sshd::start().unwrap(), "info").await;
    let mut worker = deployment.worker().start().await;
    worker.stop().await;
    let ours = deployment.dir.path().join("keys");
    for (missing, word) in [
        ("kek", "key-encryption key (keys/kek"),
        ("request-kek", "key-encryption key of requests"),
        ("audit-mac", "key of the audit log's MACs"),
        ("log", "signs the audit log"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        copy_keys(&ours, &keys);
        std::fs::copy(ours.join("kek"), keys.join("kek")).unwrap();
        let gone = keys.join(missing);
        if gone.is_dir() {
            std::fs::remove_dir_all(gone).unwrap();
        } else {
            std::fs::remove_file(gone).unwrap();
        }
        let mut stranger = Setup::new(dir.path(), Some(&deployment.test.url)).spawn();
        let status = stranger.end().await;
        let said = stranger.last_words().await;
        assert!(!status.success(), "{missing}: {said}");
        assert!(said.contains(word), "{missing}: {said}");
        assert!(stranger.url().is_none(), "{missing}: it served");
    }
    // And one for requests that has no public half does not make a key of its own.
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup { role: "api", ..Setup::new(dir.path(), Some(&deployment.test.url)) };
    let mut stranger = setup.spawn();
    let status = stranger.end().await;
    let said = stranger.last_words().await;
    assert!(!status.success(), "{said}");
    assert!(said.contains("kek.pub"), "{said}");
}
