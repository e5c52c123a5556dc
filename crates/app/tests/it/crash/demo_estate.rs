//! `serve --demo-estate`: hosts to try the product on, made known by what the server tells of them,
//! and the same again at every start.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::process::{Process, Setup};
use super::startup::{change_password, data_dir, log_in};
use super::until;

/// Somebody, with a session or a key.
#[derive(Debug)]
struct Somebody {
    url: String,
    token: String,
    http: reqwest::Client,
}

impl Somebody {
    fn of(url: &str, token: &str) -> Self {
        let http = reqwest::Client::builder().build().unwrap();
        Self { url: url.to_owned(), token: token.to_owned(), http }
    }

    /// Somebody who logs in for the first time, and sets this password.
    async fn first(url: &str, username: &str, once: &str, password: &str) -> Self {
        let login = json!({"username": username, "password": once});
        let token = Self::of(url, "").post("/login", &login).await["token"].clone();
        change_password(url, token.as_str().unwrap(), once, password).await;
        let login = json!({"username": username, "password": password});
        let token = Self::of(url, "").post("/login", &login).await["token"].clone();
        Self::of(url, token.as_str().unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}/api/v1{path}", self.url));
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body:#}");
        body
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}/api/v1{path}", self.url)).json(body);
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}

fn word(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value:#}")).to_owned()
}

/// Sends what was told, as the console does; gives a key of the source of alerts.
async fn make_known(admin: &Somebody, told: &Value) -> String {
    let environment = admin.post("/environments", &told["environment"]).await;
    for host in told["hosts"].as_array().unwrap() {
        let mut resource = host["resource"].clone();
        resource["environment_id"] = environment["id"].clone();
        let resource = word(&admin.post("/resources", &resource).await, "/id");
        let name = word(host, "/name");
        let key = json!({"name": name, "kind": "ssh_key", "secret": host["login_key"]});
        let credential = admin.post("/credentials", &key).await;
        let connection = json!({
            "host": host["host"], "port": host["port"], "username": host["username"],
            "credential_id": credential["id"], "guard_dir": host["guard_dir"],
        });
        let path = format!("/resources/{resource}/connections");
        let connection = word(&admin.post(&path, &connection).await, "/id");
        let path = format!("/connections/{connection}/host-keys");
        admin.post(&path, &json!({"public_key": host["host_key"]})).await;
    }
    for runbook in told["runbooks"].as_array().unwrap() {
        let made = admin.post("/runbooks", &json!({"yaml": runbook["yaml"]})).await;
        let kept = admin.get(&format!("/runbooks/{}", word(&made, "/id"))).await;
        assert_eq!(kept["document"]["name"], runbook["name"]);
    }
    let key = admin.post("/api-keys", &told["source"]).await;
    let source = json!({
        "name": told["source"]["name"], "kind": "alertmanager", "actor_id": key["actor_id"],
    });
    admin.post("/alert-sources", &source).await;
    for rule in told["alert_rules"].as_array().unwrap() {
        admin.post("/alert-rules", rule).await;
    }
    word(&key, "/key")
}

/// The exit code of a host's control script, asked how its service is.
fn service(data_dir: &Path, host: &str) -> Option<i32> {
    let script = data_dir.join("demo-estate").join(host).join("bin/service-control");
    let asked = Command::new(script).args(["status", "shop"]).output().unwrap();
    asked.status.code()
}

fn ports(told: &Value) -> Vec<u16> {
    let hosts = told["hosts"].as_array().unwrap().iter();
    hosts.map(|host| u16::try_from(host["port"].as_u64().unwrap()).unwrap()).collect()
}

fn somebody_listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The alert of the first host, to the end of what it leads to.
async fn answered(url: &str, admin: &Somebody, told: &Value) {
    let key = make_known(admin, told).await;
    let user = admin.post("/users", &json!({"username": "grace", "roles": ["approver"]})).await;
    let once = word(&user, "/one_time_password");
    let grace = Somebody::first(url, "grace", &once, "the second one on call").await;
    let receipt = Somebody::of(url, &key).post("/hooks/alertmanager", &told["alert"]).await;
    let finding = word(&receipt, "/finding_ids/0");
    let asked = until("a runbook that answers the alert", async || {
        let alert = admin.get(&format!("/alerts/{finding}")).await;
        alert.pointer("/trigger_report/started/0/asked").cloned()
    })
    .await;
    let plan = admin.get(&format!("/plans/{}", word(&asked, "/plan_id"))).await;
    assert_eq!(plan["document"]["runbook"]["name"], "restart-supervised-service", "{plan:#}");
    let path = format!("/approvals/{}/approve", word(&asked, "/approval_id"));
    grace.post(&path, &json!({"note": "it is down"})).await;
    let execution = format!("/executions/{}", word(&asked, "/execution_id"));
    let ended = until("the end of the execution", async || {
        let shown = admin.get(&execution).await;
        (!shown["completed_at"].is_null()).then_some(shown)
    })
    .await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    let finding = admin.get(&format!("/findings/{finding}")).await;
    assert_eq!(finding["status"], "fixed", "{finding:#}");
}

async fn signed_in(process: &mut Process, password: &str) -> Somebody {
    let url = process.ready().await;
    let line = process.says("Countersign: ").await;
    assert_eq!(line, format!("{url} — sign in with your account"));
    Somebody::of(&url, &log_in(&url, password).await.expect("the password is still the same"))
}

#[tokio::test]
async fn the_demos_hosts_are_made_known_by_what_is_told_and_are_the_same_again() {
    let dir = data_dir();
    let setup = Setup { more: &["--demo-estate"], ..Setup::new(dir.path(), None) };
    let mut process = setup.spawn();
    let url = process.ready().await;
    let line = process.says("Countersign: ").await;
    let way_in = format!("{url} — sign in as admin with ");
    let once = line.strip_prefix(&way_in).and_then(|rest| rest.strip_suffix(" (must be changed)"));
    let once = once.unwrap_or_else(|| panic!("{line}"));
    let password = "a password of one's own";
    let admin = Somebody::first(&url, "admin", once, password).await;
    let told = admin.get("/demo-estate").await;
    assert_eq!(told["hosts"].as_array().unwrap().len(), 3, "{:#}", told["environment"]);
    assert_ne!(told["alert"]["alerts"][0]["startsAt"], Value::Null);
    assert!(ports(&told).into_iter().all(somebody_listens));
    assert_eq!(
        ["web-1", "web-2", "web-3"].map(|name| service(dir.path(), name)),
        [Some(3), Some(0), Some(0)]
    );
    answered(&url, &admin, &told).await;
    assert_eq!(service(dir.path(), "web-1"), Some(0), "the runbook started it");
    process.stop().await;
    assert!(!ports(&told).into_iter().any(somebody_listens), "they end with the server");
    assert_eq!(service(dir.path(), "web-2"), Some(3));

    let mut process = setup.spawn();
    let admin = signed_in(&mut process, password).await;
    let again = admin.get("/demo-estate").await;
    assert_eq!(again["hosts"], told["hosts"]);
    assert_ne!(again["alert"], told["alert"], "it begins anew");
    assert_eq!(service(dir.path(), "web-1"), Some(0), "what was up is up again");
    process.kill().await;
    let gone = async || (!ports(&told).into_iter().any(somebody_listens)).then_some(());
    until("the end of the hosts of a server that was killed", gone).await;

    let second = ports(&told)[1];
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, second)).unwrap();
    let mut process = setup.spawn();
    let admin = signed_in(&mut process, password).await;
    let moved = admin.get("/demo-estate").await;
    let said = process.says(&format!("port {second} is somebody else's now: ")).await;
    assert!(said.contains(&format!("web-2 listens on {}", ports(&moved)[1])), "{said}");
    assert_eq!([0, 2].map(|at| ports(&moved)[at]), [0, 2].map(|at| ports(&told)[at]));
    for (host, before) in [0, 1, 2].map(|at| (&moved["hosts"][at], &told["hosts"][at])) {
        assert_eq!(host["host_key"], before["host_key"]);
        assert_eq!(host["login_key"], before["login_key"]);
    }
    drop(taken);
    process.stop().await;
}
