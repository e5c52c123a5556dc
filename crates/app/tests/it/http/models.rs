//! Learned models: kept with their files, compared, and let decide.

use jiff::civil::date;
use learn::training::artifact::Artifact;
use learn::training::champion::Comparison;
use learn::training::dataset::{Dataset, Row};
use learn::training::evaluate::compare;
use learn::training::fit::{Kind, train};
use model::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Site, text};

/// Rows of two classes; the stronger the signal, the better they are told apart.
fn rows(from: u32, count: u32, signal: f64) -> Dataset {
    let all = (from..from + count).map(|at| {
        let wander = |by: u32| f64::from(at.wrapping_mul(by) % 97) / 97.0;
        let label = usize::from(at % 3 == 0);
        let lift = if label == 1 { signal } else { 0.0 };
        Row::new(vec![wander(61) + lift, wander(29)], label)
    });
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let classes = names(["automated_response", "emergency_fix"]);
    Dataset::new(names(["age", "burst"]), classes, all.collect()).unwrap()
}

fn trained(signal: f64) -> Artifact {
    let kind = Kind::Logistic(learn::training::logistic::Options::default());
    train(&rows(0, 300, signal), &kind, 7, date(2026, 3, 1)).unwrap()
}

fn compared(challenger: &Artifact, incumbent: Option<&Artifact>) -> Comparison {
    compare(challenger, incumbent, &rows(1_000, 200, 0.7), 9, date(2026, 3, 2)).unwrap()
}

/// The bodies of a good file and a good comparison.
pub(crate) fn good() -> &'static (Value, Value) {
    static GOOD: std::sync::OnceLock<(Value, Value)> = std::sync::OnceLock::new();
    GOOD.get_or_init(|| {
        let artifact = trained(0.7);
        let comparison = compared(&artifact, None);
        (json!({"artifact": artifact.write().unwrap()}), json!({"comparison": comparison}))
    })
}

async fn registered(admin: &Caller, version: &str, artifact: &Artifact) -> String {
    let body = json!({
        "name": "drift-cause", "version": version, "model_type": "classification",
        "framework": "countersign-logistic", "features": artifact.features,
        "target_classes": artifact.classes, "trained_at": "2026-03-01T00:00:00Z",
    });
    let made = admin.post("/models", &body).await.expect(201);
    assert_eq!(made["is_active"], false);
    let id = text(&made, "id");
    let file = json!({"artifact": artifact.write().unwrap()});
    let kept = admin.send(Method::PUT, &format!("/models/{id}/artifact"), &file).await.expect(200);
    assert_eq!(kept["artifact_sha256"], artifact.sha256().unwrap().to_string());
    id
}

async fn send(admin: &Caller, id: &str, comparison: &Comparison) -> Value {
    let body = json!({"comparison": comparison});
    admin.send(Method::PUT, &format!("/models/{id}/comparison"), &body).await.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_decides_only_after_it_was_found_better_than_what_decides() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let [weak, strong] = [trained(0.05), trained(0.7)];
    let first = registered(&admin, "1", &weak).await;
    let second = registered(&admin, "2", &strong).await;
    let activate = async |id: &str| {
        let reply = admin.post(&format!("/models/{id}/activate"), &json!({})).await;
        (reply.status.as_u16(), reply.code().to_owned())
    };
    assert_eq!(activate(&first).await, (409, "not_compared".to_owned()));
    // Nobody makes a version decide by saying so.
    let mut claimed = admin.get(&format!("/models/{first}")).await.expect(200);
    claimed["is_active"] = json!(true);
    let reply = admin.send(Method::PUT, &format!("/models/{first}"), &claimed).await;
    assert_eq!(reply.status.as_u16(), 400);

    // The record of another file is none of this one's, and a worse one is kept and lets nothing.
    let of_other = json!({"comparison": compared(&strong, None)});
    let reply = admin.send(Method::PUT, &format!("/models/{first}/comparison"), &of_other).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "artifact_differs"));
    let refused = send(&admin, &first, &compared(&weak, Some(&strong))).await;
    assert!(refused["refusals"].as_array().unwrap().contains(&json!("not_better")), "{refused}");
    assert_eq!(activate(&first).await, (409, "not_better".to_owned()));

    assert_eq!(send(&admin, &second, &compared(&strong, None)).await["refusals"], json!([]));
    assert_eq!(activate(&second).await.0, 200);
    let shown = admin.get(&format!("/models/{second}")).await.expect(200);
    assert_eq!(shown["is_active"], true);
    assert!(shown["deployed_at"].is_string() && shown["comparison"]["n"] == 200, "{shown}");
    assert_eq!(shown["metrics"]["n"], 60);
    assert_eq!(shown["metrics"]["dataset_sha256"], rows(0, 300, 0.7).hash().to_string());

    // What decides stays as it was compared; the next is compared with it, and not with nothing.
    let file = json!({"artifact": weak.write().unwrap()});
    let reply = admin.send(Method::PUT, &format!("/models/{second}/artifact"), &file).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "model_active"));
    let third = registered(&admin, "3", &trained(0.6)).await;
    send(&admin, &third, &compared(&trained(0.6), None)).await;
    assert_eq!(activate(&third).await, (409, "not_compared".to_owned()));

    let body = json!({});
    admin.post(&format!("/models/{second}/deactivate"), &body).await.expect(200);
    assert_eq!(activate(&third).await.0, 200);
    let list = admin.get("/models?is_active=true").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(text(&list["items"][0], "id"), third);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_models_file_is_checked_before_it_is_kept_and_given_back_as_it_was() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let artifact = trained(0.7);
    let id = registered(&admin, "1", &artifact).await;
    let path = format!("/models/{id}/artifact");
    let shown = admin.get(&path).await.expect(200);
    assert_eq!(shown["artifact"], artifact.write().unwrap());
    let file = artifact.write().unwrap();
    for broken in [file.replacen("0.", "1.", 1), file[..100].to_owned(), String::new()] {
        let reply = admin.send(Method::PUT, &path, &json!({"artifact": broken})).await;
        assert_eq!((reply.status.as_u16(), reply.path()), (400, "/artifact"));
    }
    let mut other = artifact.clone();
    other.features[0] = "weather".to_owned();
    let reply = admin.send(Method::PUT, &path, &json!({"artifact": other.write().unwrap()})).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "artifact_differs"));
    assert_eq!(admin.get(&path).await.expect(200), shown);
    let viewer = site.caller("vera", &[Role::Viewer]).await;
    assert_eq!(
        viewer.send(Method::PUT, &path, &json!({"artifact": file})).await.status.as_u16(),
        403
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_say_what_they_were_measured_on() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let mut body = json!({
        "name": "drift-cause", "version": "1", "model_type": "classification",
        "framework": "somebody's", "features": ["age"], "trained_at": "2026-03-01T00:00:00Z",
        "metrics": {"accuracy": 0.87},
    });
    let reply = admin.post("/models", &body).await;
    assert_eq!((reply.status.as_u16(), reply.path()), (400, "/metrics/dataset_sha256"));
    body["metrics"] = json!({
        "accuracy": 0.87, "dataset_sha256": "00", "split_id": "time", "n": 100, "seed": 1,
        "date": "2026-03-01",
    });
    admin.post("/models", &body).await.expect(201);
}
