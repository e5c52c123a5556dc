//! A code host of the test's own: a bare repository, a checkout of it on the runner, and a fake of
//! what takes requests to merge.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::extract::{Path as Segments, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::cloud::good;
use super::remedy::Runner;
use crate::http::text;

/// It takes one request for a branch, and remembers it.
#[derive(Clone, Default)]
struct Requests(Arc<Mutex<Vec<Value>>>);

impl Requests {
    #[expect(clippy::unused_async, reason = "what answers a request is a future")]
    async fn open(
        State(requests): State<Self>,
        Segments(path): Segments<String>,
        headers: HeaderMap,
        Json(mut wanted): Json<Value>,
    ) -> (StatusCode, Json<Value>) {
        if headers.get("authorization").is_none_or(|value| value != "Bearer canary-token") {
            return (StatusCode::UNAUTHORIZED, Json(json!({"message": "Bad credentials"})));
        }
        let mut open = requests.0.lock().unwrap();
        if open.iter().any(|one| one["head"] == wanted["head"]) {
            let message = "A pull request already exists";
            return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"message": message})));
        }
        wanted["asked_of"] = json!(path);
        open.push(wanted);
        (StatusCode::CREATED, Json(json!({"number": open.len()})))
    }
}

/// A repository, where it is hosted and where it is checked out.
pub(super) struct Forge {
    requests: Requests,
    api: String,
    hosted: PathBuf,
    /// The checkout on the runner.
    pub(super) checkout: PathBuf,
    /// What it is cloned from.
    pub(super) url: String,
}

impl Forge {
    /// One below this directory, with these files on its main branch.
    pub(super) async fn start(dir: &Path, files: &[(&str, &str)]) -> Self {
        let requests = Requests::default();
        let routes = Router::new()
            .route("/repos/{*path}", post(Requests::open))
            .with_state(requests.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let hosted = dir.join("acme/shop.git");
        std::fs::create_dir_all(&hosted).unwrap();
        git(&hosted, &["init", "--quiet", "--bare", "--initial-branch=main"]);
        let (url, checkout) = (format!("file://{}", hosted.display()), dir.join("shop"));
        git(dir, &["clone", "--quiet", &url, "shop"]);
        git(&checkout, &["checkout", "--quiet", "-b", "main"]);
        for (path, content) in files {
            let path = checkout.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        git(&checkout, &["add", "."]);
        git(&checkout, &["commit", "--quiet", "--message", "the shop"]);
        git(&checkout, &["push", "--quiet", "origin", "main"]);
        Self { requests, api, hosted, checkout, url }
    }

    /// What a runner has to know to speak to it.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let set = [("", "github"), ("_API", self.api.as_str()), ("_TOKEN", "canary-token")];
        set.map(|(name, value)| (format!("COUNTERSIGN_FORGE{name}"), value.to_owned())).to_vec()
    }

    /// Has these findings put into code and the proposal approved; gives the remediation, published.
    pub(super) async fn proposed(&self, runner: &Runner, findings: &[String]) -> Value {
        let asked = runner.remedy("codify_iac", findings, "asked").await;
        let branches = git(&self.hosted, &["branch", "--list", "countersign/*"]);
        assert_eq!(branches, "", "nothing is published yet");
        let execution = runner.approve(&asked, "completed").await;
        assert!(!execution.to_string().contains("canary"), "{execution:#}");
        let published = runner.reaches(&text(&asked, "id"), "published").await;
        let branch = branch_of(&published);
        assert_eq!(git(&self.hosted, &["rev-parse", &branch]), text(&asked["prepared"], "COMMIT"));
        {
            let open = self.requests.0.lock().unwrap();
            assert_eq!(open.len(), 1);
            assert_eq!((&open[0]["head"], &open[0]["base"]), (&json!(branch), &json!("main")));
            assert!(open[0]["asked_of"].as_str().unwrap().ends_with("/acme/shop/pulls"));
        }
        assert_eq!(runner.drift("fixed").await, [], "a proposal puts nothing right");
        published
    }

    /// What the one request that is open says of itself.
    pub(super) fn request(&self) -> String {
        text(&self.requests.0.lock().unwrap()[0], "body")
    }

    /// Somebody merges what a remediation proposed.
    pub(super) fn merge(&self, published: &Value) {
        let branch = branch_of(published);
        git(&self.checkout, &["pull", "--quiet", "--ff-only", "origin", &branch]);
        git(&self.checkout, &["push", "--quiet", "origin", "HEAD:main"]);
    }
}

fn branch_of(remediation: &Value) -> String {
    format!("countersign/{}", text(remediation, "id"))
}

fn git(dir: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]).args(arguments);
    let output = command.current_dir(dir).env_remove("GIT_DIR").output().unwrap();
    good(&output);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
