//! Connections tried out over real sshd.

use connect_ssh::testing::Sshd;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Site, text};
use super::stage::Stage;

struct Tried<'a> {
    admin: &'a Caller,
    path: String,
}

impl Tried<'_> {
    /// Tests, and sees that the connection says the same.
    async fn test(&self) -> (bool, String) {
        let path = format!("{}/test", self.path);
        let told = self.admin.post(&path, &Value::Null).await.expect(200);
        let shown = self.admin.get(&self.path).await.expect(200);
        assert_eq!(shown["last_test_at"], told["tested_at"]);
        assert_eq!(shown["last_test_ok"], told["reachable"]);
        assert_eq!(shown["last_test_detail"], told["detail"]);
        assert!((0..10_500).contains(&told["took_ms"].as_i64().unwrap()));
        (told["reachable"] == true, text(&told, "detail"))
    }

    async fn pinned(&self, verb: &str, key: &str) {
        let path = format!("{}/host-keys{verb}", self.path);
        self.admin.post(&path, &json!({"public_key": key})).await.expect(204);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_tested_with_its_own_key_and_login_and_changes_nothing() {
    let site = Site::start().await;
    let mut stage = Stage::set(&site, site.tenant(), "test").await;
    let stranger = Sshd::start().unwrap();
    let admin = stage.admin.clone();
    let connections = admin.get(&format!("/resources/{}/connections", stage.resource)).await;
    let connection = connections.expect(200)[0].clone();
    assert_eq!(connection["last_test_at"], Value::Null);
    let tried = Tried { admin: &admin, path: format!("/connections/{}", text(&connection, "id")) };

    let (reached, detail) = tried.test().await;
    assert!(reached && detail.contains("the guard answers"), "{detail}");
    assert!(!stage.sshd.guard_dir().exists(), "nothing is left there");

    // Another login.
    let secret = format!("/credentials/{}/secret", text(&connection, "credential_id"));
    let wrong = json!({"secret": stranger.client_key()});
    admin.send(Method::PUT, &secret, &wrong).await.expect(200);
    let (reached, detail) = tried.test().await;
    assert!(!reached && detail.contains("was refused"), "{detail}");
    let right = json!({"secret": stage.sshd.client_key()});
    admin.send(Method::PUT, &secret, &right).await.expect(200);
    assert!(tried.test().await.0);

    // Another host key than the pinned one, although a moment ago it was.
    tried.pinned("/unpin", stage.sshd.host_key()).await;
    let (reached, detail) = tried.test().await;
    assert!(!reached && detail.contains("no host key is pinned"), "{detail}");
    tried.pinned("", stranger.host_key()).await;
    let (reached, detail) = tried.test().await;
    assert!(!reached && detail.contains("host key SHA256:"), "{detail}");
    tried.pinned("", stage.sshd.host_key()).await;
    assert!(tried.test().await.0);

    // Nobody there.
    stage.sshd.stop();
    let (reached, detail) = tried.test().await;
    assert!(!reached && detail.contains("cannot be reached"), "{detail}");

    site.verified(stage.tenant).await;
    let events = admin.get("/audit/events?action=connection.tested").await.expect(200);
    let items = events["items"].as_array().unwrap();
    assert_eq!(items.len(), 7);
    assert!(items.iter().all(|event| event["event"]["actor"]["id"] == admin.actor.id.to_string()));
    assert_eq!(items.iter().filter(|event| event["event"]["success"] == true).count(), 3);
    // What leads elsewhere was not tested.
    let elsewhere = json!({"host": "other.example.com", "username": "ops"});
    let replaced = admin.send(Method::PUT, &tried.path, &elsewhere).await.expect(200);
    assert_eq!(replaced["last_test_at"], Value::Null);
}
