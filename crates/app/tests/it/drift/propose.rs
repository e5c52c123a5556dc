//! Code changed to what is there, proposed on a branch, and merged.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::extract::{Path as Segments, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::cloud::{Cloud, PROVIDER, good};
use super::remedy::{CHANGES, ESTATE, Runner};
use crate::http::text;

/// A fake of a code host: it takes requests to merge, one for a branch, and remembers them.
#[derive(Clone, Default)]
struct FakeForge(Arc<Mutex<Vec<Value>>>);

impl FakeForge {
    async fn start(&self) -> String {
        let routes =
            Router::new().route("/repos/{*path}", post(Self::open)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        url
    }

    #[expect(clippy::unused_async, reason = "what answers a request is a future")]
    async fn open(
        State(forge): State<Self>,
        Segments(path): Segments<String>,
        headers: HeaderMap,
        Json(mut wanted): Json<Value>,
    ) -> (StatusCode, Json<Value>) {
        if headers.get("authorization").is_none_or(|value| value != "Bearer canary-token") {
            return (StatusCode::UNAUTHORIZED, Json(json!({"message": "Bad credentials"})));
        }
        let mut open = forge.0.lock().unwrap();
        if open.iter().any(|one| one["head"] == wanted["head"]) {
            let message = "A pull request already exists";
            return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"message": message})));
        }
        wanted["asked_of"] = json!(path);
        open.push(wanted);
        (StatusCode::CREATED, Json(json!({"number": open.len()})))
    }
}

fn git(dir: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]).args(arguments);
    let output = command.current_dir(dir).env_remove("GIT_DIR").output().unwrap();
    good(&output);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drift_is_put_into_code_on_a_branch_after_which_the_plan_is_clean() {
    let Some(cloud) = Cloud::start() else { return };
    let forge = FakeForge::default();
    let api = forge.start().await;
    // A code host's repository, and the checkout on the runner.
    let hosted = cloud.dir.path().join("acme/shop.git");
    std::fs::create_dir_all(&hosted).unwrap();
    git(&hosted, &["init", "--quiet", "--bare", "--initial-branch=main"]);
    let dir = cloud.dir.path().join("shop");
    let url = format!("file://{}", hosted.display());
    git(cloud.dir.path(), &["clone", "--quiet", &url, "shop"]);
    git(&dir, &["checkout", "--quiet", "-b", "main"]);
    std::fs::create_dir(dir.join("live")).unwrap();
    let (code, ignored) = (dir.join("live/main.tf"), ".terraform*\nterraform.tfstate*\n");
    std::fs::write(&code, format!("{PROVIDER}{ESTATE}")).unwrap();
    std::fs::write(dir.join(".gitignore"), ignored).unwrap();
    git(&dir, &["add", "."]);
    git(&dir, &["commit", "--quiet", "--message", "the shop"]);
    git(&dir, &["push", "--quiet", "origin", "main"]);
    let live = dir.join("live");
    let terraform = |arguments: &[&str]| {
        let mut command = cloud.command("terraform");
        command.args(arguments).arg("-no-color").current_dir(&live).output().unwrap()
    };
    good(&terraform(&["init", "-input=false"]));
    good(&terraform(&["apply", "-auto-approve", "-input=false"]));

    let mut environment = cloud.environment();
    let forged = [("", "github"), ("_API", api.as_str()), ("_TOKEN", "canary-token")];
    environment
        .extend(forged.map(|(n, value)| (format!("COUNTERSIGN_FORGE{n}"), value.to_owned())));
    let source = json!({
        "name": "shop", "tool": "terraform", "directory": live, "repository_url": url,
        "branch": "main",
    });
    let runner = Runner::set(&environment, source).await;
    cloud.python(CHANGES);
    assert_eq!(runner.scan().await["drifted"], 3);
    let open = runner.drift("open").await;
    let id = |name: &str| open.iter().find(|(title, _)| title.contains(name)).unwrap().1.clone();

    // What is gone cannot be put into code: the code would have to go.
    let wanted = json!({"kind": "codify_iac", "finding_ids": [id("aws_s3_bucket")]});
    let begun = runner.admin.post("/remediations", &wanted).await.expect(202);
    let failed = runner.reaches(&text(&begun, "id"), "failed").await;
    assert!(text(&failed, "error").starts_with("working out the change was"), "{failed:#}");

    let findings = [id("aws_instance"), id("aws_security_group")];
    let asked = runner.remedy("codify_iac", &findings, "asked").await;
    assert_eq!(
        git(&hosted, &["branch", "--list", "countersign/*"]),
        "",
        "nothing is published yet"
    );
    let execution = runner.approve(&asked, "completed").await;
    assert!(!execution.to_string().contains("canary"), "{execution:#}");
    let published = runner.reaches(&text(&asked, "id"), "published").await;
    let branch = format!("countersign/{}", text(&published, "id"));
    assert_eq!(git(&hosted, &["rev-parse", &branch]), text(&asked["prepared"], "COMMIT"));
    {
        let requests = forge.0.lock().unwrap();
        assert_eq!(requests.len(), 1);
        assert_eq!((&requests[0]["head"], &requests[0]["base"]), (&json!(branch), &json!("main")));
        assert!(requests[0]["asked_of"].as_str().unwrap().ends_with("/acme/shop/pulls"));
        assert!(requests[0]["body"].as_str().unwrap().contains("aws_instance.web"));
    }
    assert_eq!(runner.drift("fixed").await, [], "a proposal puts nothing right");

    // Somebody merges it: the rest of the file is as it was, and the plan is clean.
    git(&dir, &["pull", "--quiet", "--ff-only", "origin", &branch]);
    git(&dir, &["push", "--quiet", "origin", "HEAD:main"]);
    let after = std::fs::read_to_string(&code).unwrap();
    assert!(after.contains("instance_type = \"t3.large\" # small is enough"), "{after}");
    let plan = ["plan", "-input=false", "-detailed-exitcode", "-target=aws_instance.web"];
    let targets = [plan.as_slice(), &["-target=aws_security_group.web"]].concat();
    let planned = terraform(&targets);
    assert_eq!(planned.status.code(), Some(0), "{}", String::from_utf8_lossy(&planned.stdout));
    good(&terraform(&["apply", "-refresh-only", "-auto-approve", "-input=false"]));
    runner.scan().await;
    runner.reaches(&text(&asked, "id"), "resolved").await;
    let finding = runner.admin.get(&format!("/findings/{}", findings[0])).await.expect(200);
    assert_eq!(
        (&finding["status"], &finding["resolution_type"]),
        (&json!("fixed"), &json!("codify_iac"))
    );
}
