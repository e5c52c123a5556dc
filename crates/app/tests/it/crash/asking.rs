//! Requests with an `Idempotency-Key`, as a careful client sends them.

use serde_json::Value;

use super::deployment::Deployment;
use super::until;

/// A request that is repeated with the same key until it is answered.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    deployment: &'a Deployment,
    key: String,
    who: &'a str,
    path: String,
    body: Value,
}

impl<'a> Asking<'a> {
    pub(super) fn new(deployment: &'a Deployment, who: &'a str, path: &str, body: Value) -> Self {
        let key = uuid::Uuid::now_v7().to_string();
        Self { deployment, key, who, path: path.to_owned(), body }
    }

    /// Asks, and gives what comes back.
    pub(super) async fn once(&self) -> (u16, Value) {
        let url = format!("{}/api/v1{}", self.deployment.url, self.path);
        let request = self.deployment.http.post(url).json(&self.body).bearer_auth(self.who);
        let response = request.header("idempotency-key", &self.key).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    /// Asks until there is an answer; says whether the first one was.
    pub(super) async fn answered(&self) -> (bool, Value) {
        let mut first = true;
        let answer = until("an answer", async || {
            let (status, answer) = self.once().await;
            if (200..300).contains(&status) {
                return Some((first, answer));
            }
            let code = answer["code"].as_str().unwrap_or_default();
            let again = matches!(code, "unavailable" | "idempotency_running");
            assert!(again, "{}: {status} {answer:#}", self.path);
            first = false;
            None
        });
        answer.await
    }
}
