//! Poisoned bodies: refused with 4xx and a path, nothing stored, and never a 500.

use futures::stream;
use model::actor::Role;
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site};
use super::stage::{alert, group};

/// Where bodies are taken: a path, and a body whose field `%` may be anything.
const TAKERS: [(&str, &str); 7] = [
    ("/hooks/alertmanager", r#"{"version":"4","receiver":%,"alerts":[]}"#),
    ("/runbooks", r#"{"yaml":%}"#),
    ("/login", r#"{"username":%,"password":"correct horse battery"}"#),
    ("/policies", r#"{"name":%,"files":{"p.rego":"package policy.assistant.v1\n"}}"#),
    ("/alert-rules", r#"{"name":%,"action":"ignore"}"#),
    ("/users", r#"{"username":"eve","full_name":%,"roles":[]}"#),
    ("/environments", r#"{"name":%,"slug":"n","class":"dev","tags":{}}"#),
];

struct Poisoned {
    site: Site,
    caller: Caller,
}

impl Poisoned {
    async fn new() -> Self {
        let site = Site::start().await;
        let caller = site.caller("everything", Role::ALL).await;
        Self { site, caller }
    }

    /// What is stored, but for the log of refusals and the use of the key.
    async fn stored(&self) -> Vec<(String, Option<String>)> {
        let mut rows = self.site.rows(self.site.tenant()).await;
        rows.retain(|table, _| !table.starts_with("audit_") && table != "api_keys");
        rows.into_iter().collect()
    }

    /// Sends the value to every taker; each must refuse it with this status and say where.
    async fn everywhere(&self, value: &[u8], status: u16) -> Vec<Reply> {
        let mut replies = Vec::new();
        for (path, template) in TAKERS {
            let (head, tail) = template.split_once('%').unwrap();
            let body = [head.as_bytes(), value, tail.as_bytes()].concat();
            let reply = self.caller.raw(path, body).await;
            let shown: String = String::from_utf8_lossy(value).chars().take(60).collect();
            assert_eq!(reply.status.as_u16(), status, "{path} {shown}: {:#}", reply.body);
            assert!(reply.path().starts_with('/'), "{path} {shown}: {:#}", reply.body);
            replies.push(reply);
        }
        replies
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_deep_json_is_refused_with_its_path() {
    let poisoned = Poisoned::new().await;
    let before = poisoned.stored().await;
    for depth in [100, 10_000, 100_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        poisoned.everywhere(deep.as_bytes(), 400).await;
        let deep = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        poisoned.everywhere(deep.as_bytes(), 400).await;
    }
    assert_eq!(poisoned.stored().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p3_what_is_no_utf8_is_refused_with_its_path() {
    let poisoned = Poisoned::new().await;
    let before = poisoned.stored().await;
    let bad: [&[u8]; 6] = [
        b"\"\xff\"",
        b"\"\xc0\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        br#""\ud800""#,
        br#""\udc00\ud800""#,
    ];
    for value in bad {
        poisoned.everywhere(value, 400).await;
    }
    assert_eq!(poisoned.stored().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_nul_is_refused_with_its_path_in_bodies_paths_and_queries() {
    let poisoned = Poisoned::new().await;
    let before = poisoned.stored().await;
    for reply in poisoned.everywhere(br#""a\u0000b""#, 400).await {
        assert_eq!(reply.body["errors"][0]["code"], "nul");
    }
    poisoned.everywhere(br#"{"a\u0000":1}"#, 400).await;
    for operation in super::routes::operations() {
        if operation.path.contains('{') && operation.path.starts_with("/api/v1") {
            let path = operation.filled(|_| "%00".to_owned());
            let request = poisoned.caller.request(operation.method.clone(), &path);
            let request = if operation.has_body { request.json(&json!({})) } else { request };
            let reply = Reply::of(request.send().await.unwrap()).await;
            assert!(reply.status.is_client_error(), "{}: {:#}", operation.name(), reply.body);
        }
    }
    for path in [
        "/findings?q=%00",
        "/alerts?alert_name=%00",
        "/alerts?q=a%00",
        "/findings?cursor=%00",
        "/audit/events?action=%00",
        "/audit/events?target_id=%00",
        "/executions?state=%00",
        "/approvals?status=%00",
        "/runbooks?status=%00",
        "/executions?runbook_id=%00",
    ] {
        let reply = poisoned.caller.get(path).await;
        assert_eq!(reply.status.as_u16(), 400, "{path}: {:#}", reply.body);
        assert!(reply.path().starts_with("query"), "{path}: {:#}", reply.body);
    }
    assert_eq!(poisoned.stored().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_numbers_out_of_range_are_refused_with_their_path() {
    let poisoned = Poisoned::new().await;
    let before = poisoned.stored().await;
    for value in ["1e400", "-1e400", "1e131071", "18446744073709551616"] {
        poisoned.everywhere(value.as_bytes(), 400).await;
    }
    let priority =
        |number: &str| format!(r#"{{"name":"n","action":"ignore","priority":{number}}}"#);
    for number in ["2147483648", "9007199254740993", "1.5", "1e400", "-1e400", "\"1\""] {
        let reply = poisoned.caller.raw("/alert-rules", priority(number)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.path()),
            (400, "/priority"),
            "{number}: {:#}",
            reply.body
        );
    }
    let query =
        ["limit=1e9", "limit=0", "limit=1001", "limit=-1", "limit=9223372036854775808", "limit=x"];
    for query in query {
        let reply = poisoned.caller.get(&format!("/findings?{query}")).await;
        assert_eq!(reply.status.as_u16(), 400, "{query}: {:#}", reply.body);
        assert!(reply.path().starts_with("query"), "{query}: {:#}", reply.body);
    }
    assert_eq!(poisoned.stored().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_a_key_named_twice_is_refused_with_its_path() {
    let poisoned = Poisoned::new().await;
    let before = poisoned.stored().await;
    for (path, body, place) in [
        (
            "/hooks/alertmanager",
            r#"{"version":"4","approved":false,"approved":true,"alerts":[]}"#,
            "/approved",
        ),
        ("/login", r#"{"username":"a","username":"b","password":"c"}"#, "/username"),
        ("/runbooks", r#"{"yaml":"a","yaml":"b"}"#, "/yaml"),
        (
            "/policies",
            r#"{"name":"a","files":{"x.rego":"","x.rego":"package policy.assistant.v1"}}"#,
            "/files/x.rego",
        ),
        ("/alert-rules", r#"{"name":"a","action":"manual","action":"auto_analyze"}"#, "/action"),
        ("/intents/evaluate", r#"{"runbook_id":"a","runbook_id":"b"}"#, "/runbook_id"),
    ] {
        let reply = poisoned.caller.raw(path, body).await;
        assert_eq!((reply.status.as_u16(), reply.path()), (400, place), "{path}: {:#}", reply.body);
        assert_eq!(reply.body["errors"][0]["code"], "duplicate_key");
    }
    let yaml = json!({"yaml": "name: a\nname: b\nsteps: []\n"});
    let reply = poisoned.caller.post("/runbooks", &yaml).await;
    assert_eq!(reply.status.as_u16(), 400, "{:#}", reply.body);
    assert_eq!(poisoned.stored().await, before);
}

/// Kilobytes this process holds in memory.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_body_without_end_and_a_gzip_bomb_are_refused_while_they_come() {
    let poisoned = Poisoned::new().await;
    let before = poisoned.stored().await;
    let bomb = packed("head -c 1G /dev/zero | gzip -1");
    let memory = resident_kib();
    for (path, _) in TAKERS {
        let chunk = bytes::Bytes::from(vec![b' '; 1 << 20]);
        let hundred = stream::iter((0..100).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
        let request = poisoned.caller.request(reqwest::Method::POST, path);
        let request = request.header("content-type", "application/json");
        refused_or_cut(request.body(reqwest::Body::wrap_stream(hundred)), path).await;
        let request = poisoned.caller.request(reqwest::Method::POST, path);
        let request =
            request.header("content-type", "application/json").header("content-encoding", "gzip");
        refused_or_cut(request.body(bomb.clone()), path).await;
        let request = poisoned.caller.request(reqwest::Method::POST, path);
        let request =
            request.header("content-type", "application/json").header("idempotency-key", "k");
        let chunk = bytes::Bytes::from(vec![b' '; 1 << 20]);
        let hundred = stream::iter((0..100).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
        refused_or_cut(request.body(reqwest::Body::wrap_stream(hundred)), path).await;
    }
    let grown = resident_kib().saturating_sub(memory);
    assert!(grown < 128 << 10, "{grown} KiB more than before");
    assert_eq!(poisoned.stored().await, before);
    let small = gzip(
        poisoned.site.dir.path(),
        group(&[alert("Packed", "web-1", 1, "x")]).to_string().as_bytes(),
    );
    let request = poisoned.caller.request(reqwest::Method::POST, "/hooks/alertmanager");
    let request =
        request.header("content-type", "application/json").header("content-encoding", "gzip");
    let reply = Reply::of(request.body(small).send().await.unwrap()).await;
    assert_eq!(reply.expect(200)["new"], 1);
}

/// 413, or, where the sender had not stopped sending, a closed connection; never success or 500.
async fn refused_or_cut(request: reqwest::RequestBuilder, path: &str) {
    match request.send().await {
        Ok(response) => {
            let reply = Reply::of(response).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (413, "too_large"),
                "{path}: {:#}",
                reply.body
            );
        }
        Err(error) => assert!(error.is_request() || error.is_body(), "{path}: {error:?}"),
    }
}

/// What a shell pipeline writes.
fn packed(pipeline: &str) -> Vec<u8> {
    let run = std::process::Command::new("sh").args(["-c", pipeline]).output().unwrap();
    assert!(run.status.success(), "{pipeline}");
    run.stdout
}

fn gzip(dir: &std::path::Path, bytes: &[u8]) -> Vec<u8> {
    let file = dir.join("plain");
    std::fs::write(&file, bytes).unwrap();
    packed(&format!("gzip -c {}", file.display()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_other_kinds_and_half_bodies_are_refused() {
    let poisoned = Poisoned::new().await;
    let before = poisoned.stored().await;
    for (path, _) in TAKERS {
        for body in ["", "{", "null", "[]", "7", "\"x\"", "{}}", "{} {}", "\u{feff}{}", "<a/>"] {
            let reply = poisoned.caller.raw(path, body).await;
            assert_eq!(reply.status.as_u16(), 400, "{path} {body}: {:#}", reply.body);
            assert_eq!(
                reply.body["errors"].as_array().map(Vec::len),
                Some(1),
                "{path} {body}: {:#}",
                reply.body
            );
        }
        let request = poisoned.caller.request(reqwest::Method::POST, path).body("{}");
        let reply =
            Reply::of(request.header("content-type", "text/plain").send().await.unwrap()).await;
        assert!([415, 400].contains(&reply.status.as_u16()), "{path}: {:#}", reply.body);
        let request = poisoned.caller.request(reqwest::Method::POST, path).body("no gzip");
        let request =
            request.header("content-type", "application/json").header("content-encoding", "gzip");
        let reply = Reply::of(request.send().await.unwrap()).await;
        assert_eq!(reply.status.as_u16(), 400, "{path}: {:#}", reply.body);
        let request = poisoned.caller.request(reqwest::Method::POST, path).body("{}");
        let request =
            request.header("content-type", "application/json").header("content-encoding", "br");
        let reply = Reply::of(request.send().await.unwrap()).await;
        assert_eq!(reply.status.as_u16(), 415, "{path}: {:#}", reply.body);
    }
    assert_eq!(poisoned.stored().await, before);
    assert_eq!(Value::from(poisoned.site.count(poisoned.site.tenant(), "alerts").await), 0);
}
