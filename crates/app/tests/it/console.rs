//! The console in a real browser, where what it shows needs more than a server of its own: drift of
//! a real cloud, and a log that somebody altered. The rest is in `web/e2e` and starts its own.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "all of it is tests, helpers included"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use model::actor::Role;
use serde_json::{Value, json};

use crate::drift::Cloud;
use crate::drift::remedy::{CHANGES, ESTATE, Runner};
use crate::http::{Caller, Site, text};

fn root() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../..")
}

/// Whether there is a console to look at; in CI there has to be.
fn there() -> bool {
    let built = ["web/dist/index.html", "web/node_modules/@playwright/test"];
    let found = built.iter().all(|path| root().join(path).exists());
    let asked = std::env::var_os("CI").is_some();
    assert!(found || !asked, "the console is not built: scripts/web deps build");
    if !found {
        println!("not run: the console is not built (make test does)");
    }
    found
}

/// Runs one file of `web/e2e/driven`, with these settings.
async fn driven(file: &'static str, settings: Vec<(&'static str, String)>) {
    let done = tokio::task::spawn_blocking(move || {
        let mut command = Command::new("npx");
        command.args(["--no-install", "playwright", "test", file]).current_dir(root().join("web"));
        command.env("COUNTERSIGN_SHOTS", root().join("docs/screenshots"));
        for (name, value) in settings {
            command.env(format!("COUNTERSIGN_{name}"), value);
        }
        command.output().expect("npx")
    });
    let done = done.await.unwrap();
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "{said}");
    println!("{said}");
}

/// Somebody with a session, as a browser has one.
async fn person(site: &Site, name: &str, role: Role) -> Caller {
    site.person_of(site.tenant(), name, &[role]).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drift_is_put_back_in_the_console() {
    if !there() {
        return;
    }
    let Some(cloud) = Cloud::start() else { return };
    let dir = cloud.apply("estate", ESTATE);
    let source = json!({"name": "shop", "tool": "terraform", "directory": dir});
    let runner = Runner::set(&cloud.environment(), source).await;
    let before = cloud.there();
    cloud.python(CHANGES);
    assert_eq!(runner.scan().await["drifted"], 3);
    let finding = runner.open("aws_security_group").await;
    let admin = person(&runner.site, "edith", Role::Admin).await;
    let approver = person(&runner.site, "grace", Role::Approver).await;
    let settings = vec![
        ("URL", runner.site.url.clone()),
        ("ADMIN", admin.key),
        ("APPROVER", approver.key),
        ("FINDING", finding),
    ];
    driven("drift.spec.ts", settings).await;
    let there = cloud.there();
    assert_eq!((&there["ports"], &there["owner"]), (&before["ports"], &before["owner"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_is_verified_in_the_page_and_refused_after_one_byte_is_changed() {
    if !there() {
        return;
    }
    let site = Site::start().await;
    let admin = person(&site, "edith", Role::Admin).await;
    for at in 0..12 {
        let name = format!("stage-{at}");
        let environment = json!({"name": name, "slug": name, "class": "test"});
        admin.post("/environments", &environment).await.expect(201);
    }
    let event: Value = site
        .until("a checkpoint over the event", || async {
            let page = admin.get("/audit/events?limit=50").await.expect(200);
            let event = page["items"].as_array()?.iter().find(|event| event["seq"] == 7)?.clone();
            let proof = admin.get(&format!("/audit/events/{}/proof", text(&event, "id"))).await;
            (proof.status == 200).then_some(event)
        })
        .await;
    let settings = |proved: bool| {
        vec![
            ("URL", site.url.clone()),
            ("ADMIN", admin.key.clone()),
            ("EVENT", text(&event, "id")),
            ("PROVED", proved.to_string()),
        ]
    };
    driven("proof.spec.ts", settings(true)).await;
    let changed: i64 = sqlx::query_scalar(
        "UPDATE countersign.audit_events
         SET canon = overlay(canon PLACING '\\x58'::bytea FROM length(canon) - 5)
         WHERE tenant_id = $1 AND seq = 7 RETURNING seq",
    )
    .bind(site.tenant().uuid())
    .fetch_one(site.test.admin())
    .await
    .unwrap();
    assert_eq!(changed, 7);
    driven("proof.spec.ts", settings(false)).await;
}
