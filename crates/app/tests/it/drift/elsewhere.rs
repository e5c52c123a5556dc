//! What declares is elsewhere: in a repository of git, or one object on the web.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use connect_git::testing::Server;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

fn state(level: &str) -> String {
    let attributes = json!({"id": "settings", "level": level});
    let instance = json!({"schema_version": 0, "attributes": attributes});
    let resource = json!({
        "mode": "managed", "type": "shop_settings", "name": "web", "instances": [instance],
        "provider": "provider[\"registry.example.com/shop/shop\"]",
    });
    let state = json!({
        "version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": {},
        "resources": [resource],
    });
    state.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_reads_what_declares_from_git_and_from_the_web() {
    let git = Server::start(Some("deploy:s3cr3t")).await;
    let repository = git.repository("shop").await;
    let (declared, there) = (state("info"), state("debug"));
    repository.commit(&[("infra/prod.tfstate", &declared)], "first", 1_700_000_000).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let web = format!("http://{}/prod.tfstate", listener.local_addr().unwrap());
    let routes = Router::new().fallback(move |headers: HeaderMap| {
        let may = headers.contains_key("authorization");
        let status = if may { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        let body = declared.clone();
        async move { (status, body) }
    });
    let task = tokio::spawn(async move { axum::serve(listener, routes).await });
    let dir = tempfile::tempdir().unwrap();
    let (later, login) = (dir.path().join("later.tfstate"), dir.path().join("login"));
    std::fs::write(&later, there).unwrap();
    std::fs::write(&login, "deploy:s3cr3t\n").unwrap();
    let scan = async |place: &str, login: Option<&std::path::Path>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(["drift", "scan", place, "--report", "json", "--against"]).arg(&later);
        if let Some(login) = login {
            command.arg("--login").arg(login);
        }
        let done = command.kill_on_drop(true).output().await.unwrap();
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!told.contains("s3cr3t"), "{told}");
        (done.status.code(), serde_json::from_slice::<Value>(&done.stdout).ok(), told)
    };
    let in_git = format!("git+{}//infra/prod.tfstate?ref=main", git.url("shop"));
    for place in [in_git.as_str(), web.as_str()] {
        let (code, report, told) = scan(place, Some(&login)).await;
        assert_eq!(code, Some(1), "{place}: {told}");
        let found = report.expect("a report");
        assert_eq!(found["drifts"][0]["address"], "shop_settings.web", "{found:#}");
        let (code, _, told) = scan(place, None).await;
        assert!(code != Some(0) && code != Some(1) || told.contains("login"), "{place}: {told}");
    }
    for bad in ["git+file:///etc//passwd", "git+ssh://host/x.git", "file:///etc/passwd"] {
        let (code, report, told) = scan(bad, None).await;
        assert!(code != Some(0) && report.is_none(), "{bad}: {told}");
    }
    task.abort();
}
