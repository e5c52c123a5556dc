//! Schemathesis against the `OpenAPI` document: whatever it thinks of, no server error, no answer
//! the document does not describe, and none that shows another tenant's.

use std::path::Path;
use std::process::Command;

use model::actor::Role;

use super::harness::{Site, text};
use super::stage::{REPAIR, Stage};
use super::tenancy;

/// How long it thinks of requests, in seconds: in `make test`, and in `make chaos`.
const LIMIT_S: [&str; 2] = ["300", "1200"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_fault() {
    let asked = |name| std::env::var_os(name).is_some();
    let chaos = asked("COUNTERSIGN_CHAOS");
    if !chaos && !asked("CI") && !asked("COUNTERSIGN_INSTALLS") {
        println!("not run: set COUNTERSIGN_INSTALLS=1 (it installs schemathesis from PyPI)");
        return;
    }
    let site = Site::start().await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let mut foreign = tenancy::seed(&site, &theirs).await;
    let ours = Stage::set(&site, site.tenant(), "test").await;
    tenancy::seed(&site, &ours).await;
    site.runbook(&ours.admin, REPAIR).await;
    let caller = site.caller("everything", Role::ALL).await;
    let dir = tempfile::tempdir().unwrap();
    let (person, user) = site.person_of(site.tenant(), "person", Role::ALL).await;
    foreign.insert("/tenants/{id}".to_owned(), theirs.tenant.to_string());
    foreign.insert("/actors/{id}".to_owned(), theirs.source.actor.id.to_string());
    let lines: Vec<String> = foreign
        .iter()
        .filter(|(_, id)| id.len() > 30)
        .map(|(path, id)| format!("{path} {id}"))
        .collect();
    let file = dir.path().join("foreign");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let script = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
        .join("../../scripts/schemathesis");
    let keys = caller.get(&format!("/api-keys?actor_id={}", caller.actor.id)).await.expect(200);
    let sessions = person.get("/account/sessions").await.expect(200);
    let own = [
        caller.actor.id.to_string(),
        text(&keys["items"][0], "id"),
        person.actor.id.to_string(),
        user.to_string(),
        text(&sessions[0], "id"),
    ];
    let mut command = Command::new(script);
    command
        .env("COUNTERSIGN_URL", &site.url)
        .env("COUNTERSIGN_API_KEY", &caller.key)
        .env("COUNTERSIGN_SESSION", &person.key)
        .env("COUNTERSIGN_FOREIGN", &file)
        .env("COUNTERSIGN_OWN", own.join(","));
    if !chaos {
        // A fault that is found is found again.
        command.env("SEED", "1");
    }
    if std::env::var_os("LIMIT_S").is_none() {
        command.env("LIMIT_S", LIMIT_S[usize::from(chaos)]);
    }
    let run = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    println!("{said}");
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    // From operation to operation it went by what answers gave it.
    let links = said.split("API Links:").nth(1).and_then(|rest| rest.split_whitespace().next());
    assert!(links.is_some_and(|covered| covered != "0"), "no link was followed: {links:?}");
    // Another tenant's ids were tried everywhere they could lead in.
    let tried = said.lines().find(|line| line.starts_with("Foreign ids:")).unwrap();
    for at in ["paths", "queries", "bodies"] {
        assert!(tried.contains(&format!(" in {at}")), "{tried}");
    }
    // Both were let in to the end, and the server still answers.
    for caller in [&caller, &person] {
        let account = caller.get("/account").await;
        assert_eq!(account.status.as_u16(), 200, "{}: {:#}", caller.actor.id, account.body);
    }
}
