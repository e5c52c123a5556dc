//! Schemathesis against the `OpenAPI` document: whatever it thinks of, no server error.

use std::path::Path;
use std::process::Command;

use model::actor::Role;

use super::harness::Site;
use super::stage::{REPAIR, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_server_error() {
    let asked =
        ["CI", "COUNTERSIGN_SCHEMATHESIS"].iter().any(|name| std::env::var_os(name).is_some());
    if !asked {
        println!("not run: set COUNTERSIGN_SCHEMATHESIS=1 (it installs schemathesis from PyPI)");
        return;
    }
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, REPAIR).await;
    let caller = site.caller("everything", Role::ALL).await;
    let script = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
        .join("../../scripts/schemathesis");
    let mut command = Command::new(script);
    command.env("COUNTERSIGN_URL", &site.url).env("COUNTERSIGN_API_KEY", &caller.key);
    let run = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    println!("{said}");
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(caller.get("/account").await.status.as_u16(), 200, "the server still answers");
}
