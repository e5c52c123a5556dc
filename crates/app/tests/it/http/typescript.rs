//! A TypeScript client generated from the `OpenAPI` document.

use std::path::Path;
use std::process::Command;

#[tokio::test]
async fn a_generated_typescript_client_type_checks() {
    let asked = ["CI", "COUNTERSIGN_INSTALLS"].iter().any(|name| std::env::var_os(name).is_some());
    if !asked {
        println!("not run: set COUNTERSIGN_INSTALLS=1 (it installs three packages from npm)");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let document = dir.path().join("openapi.json");
    let text = serde_json::to_string_pretty(&server::router::openapi()).unwrap();
    std::fs::write(&document, text).unwrap();
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let script = Path::new(&manifest).join("../../scripts/typescript/check");
    let run = Command::new(script).arg(&document).output().unwrap();
    let said = [run.stdout, run.stderr].concat();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&said));
}
