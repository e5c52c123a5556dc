//! S1: secrets that can be recognised anywhere, put everywhere a secret goes, and looked for
//! everywhere one must not be. S8: in no argument list and no environment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use connect_ssh::testing::Sshd;
use serde_json::{Value, json};

use super::deployment::{Deployment, word};
use super::runbooks::{Step, runbook};
use super::until;

/// A secret that nobody would write by chance; what it holds needs escaping in JSON and in URLs.
fn canary(number: u8) -> String {
    format!("Canary\"{number:02}/+\\&=q9Zx7Wv3Ut5Rs1Po")
}

/// What an error would quote of such a secret.
const MARK: &str = "q9Zx7Wv3Ut5Rs1Po";

/// All the ways a secret may be written down.
fn written(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut ways = vec![secret.to_vec(), secret.iter().rev().copied().collect()];
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    ways.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    for ahead in 0..3 {
        // Where a secret stands in a longer text decides how it looks in base64; the characters at
        // either end depend on its neighbours.
        let text = STANDARD_NO_PAD.encode([&vec![0; ahead], secret].concat());
        let (from, to) = ((ahead * 4).div_ceil(3), text.len() - 1);
        let inner = &text[from..to];
        ways.push(inner.as_bytes().to_vec());
        ways.push(inner.replace('+', "-").replace('/', "_").into_bytes());
    }
    if let Ok(text) = std::str::from_utf8(secret) {
        let quoted = serde_json::to_string(text).unwrap();
        let quoted = quoted.trim_matches('"').to_owned();
        // Once more quoted, as a problem quotes a body, or a log line a text.
        let twice = serde_json::to_string(&quoted).unwrap();
        let twice = twice.trim_matches('"').to_owned();
        // As `pg_dump` writes a text and a document: COPY doubles each backslash.
        ways.extend([text, &quoted, &twice].map(|one| one.replace('\\', "\\\\").into_bytes()));
        ways.extend([quoted.into_bytes(), twice.into_bytes()]);
        ways.push(escaped(text).into_bytes());
    }
    // Pieces of it, as a line that is cut leaves them, from either end.
    ways.extend(secret.chunks_exact(16).map(<[u8]>::to_vec));
    ways.extend(secret.rchunks_exact(16).map(<[u8]>::to_vec));
    ways
}

/// As in a URL.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// What is looked for, and where it was found.
pub(super) struct Search {
    finder: aho_corasick::AhoCorasick,
    names: Vec<String>,
    pub(super) hits: Vec<String>,
    looked_at: usize,
}

impl Search {
    pub(super) fn new(secrets: &[(String, Vec<u8>)]) -> Self {
        let (mut ways, mut names) = (Vec::new(), Vec::new());
        for (name, secret) in secrets {
            for way in written(secret) {
                names.push(name.clone());
                ways.push(way);
            }
        }
        let finder = aho_corasick::AhoCorasick::new(ways).unwrap();
        Self { finder, names, hits: Vec::new(), looked_at: 0 }
    }

    pub(super) fn look(&mut self, place: &str, bytes: &[u8]) {
        self.looked_at += bytes.len();
        for found in self.finder.find_iter(bytes) {
            let around = &bytes[found.start().saturating_sub(120)..found.start()];
            let around = String::from_utf8_lossy(around).into_owned();
            let name = &self.names[found.pattern().as_usize()];
            self.hits.push(format!("{name} in {place}, after {around:?}"));
        }
    }

    /// Every file below a directory.
    pub(super) fn look_below(&mut self, dir: &Path, skip: &[&str]) {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path: PathBuf = entry.path();
            if skip.iter().any(|skip| path.ends_with(skip)) {
                continue;
            }
            // Neither what a link leads to nor a pipe, which would wait for somebody to write.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                self.look_below(&path, skip);
            } else if kind.is_file()
                && let Ok(bytes) = std::fs::read(&path)
            {
                self.look(&path.display().to_string(), &bytes);
            }
        }
    }
}

/// As COPY writes a text.
fn copied(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

#[test]
fn s1_the_search_finds_a_secret_however_it_is_written() {
    let secret = canary(1);
    let mut search = Search::new(&[("it".to_owned(), secret.clone().into_bytes())]);
    let url = escaped(&secret);
    for text in [
        format!("x{secret}y"),
        json!({ "said": secret }).to_string(),
        json!({ "said": json!({ "deep": secret }).to_string() }).to_string(),
        format!("a?b={url}"),
        STANDARD.encode(&secret),
        STANDARD.encode(format!("a{secret}b")),
        STANDARD.encode(format!("ab{secret}bcd")),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        secret.chars().rev().collect(),
        secret[..20].to_owned(),
        secret[8..].to_owned(),
        copied(&secret),
        copied(&json!({ "said": secret }).to_string()),
        copied(&json!({ "said": json!({ "deep": secret }).to_string() }).to_string()),
    ] {
        let before = search.hits.len();
        search.look("here", text.as_bytes());
        assert!(search.hits.len() > before, "{text}");
    }
}

/// Puts secrets everywhere one goes, and gives all there are now.
async fn plant(deployment: &Deployment) -> Vec<(String, Vec<u8>)> {
    let admin = &deployment.admin;
    // With a key each: stored answers are looked at as well.
    let made = async |path: &str, body: Value| {
        let url = format!("{}/api/v1{path}", deployment.url);
        let request = deployment.http.post(url).bearer_auth(admin).json(&body);
        let key = uuid::Uuid::now_v7().to_string();
        let answer = request.header("idempotency-key", key).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json::<Value>().await.unwrap_or_default()
    };
    let (first, second, signing, password) = (canary(1), canary(2), canary(3), canary(4));
    let credential = json!({"name": "planted", "kind": "password", "secret": first});
    let credential = word(&made("/credentials", credential).await, "id");
    let url = format!("{}/api/v1/credentials/{credential}/secret", deployment.url);
    let put = deployment.http.put(url).bearer_auth(admin).json(&json!({ "secret": second }));
    assert!(put.send().await.unwrap().status().is_success());
    let actor: uuid::Uuid =
        sqlx::query_scalar("SELECT id FROM countersign.actors WHERE display_name = 'Otto'")
            .fetch_one(deployment.test.admin())
            .await
            .unwrap();
    let source = json!({
        "name": "theirs", "kind": "generic", "actor_id": actor.to_string(), "secret": signing,
        "mapping": {"name": "/check", "starts_at": "/since"},
    });
    made("/alert-sources", source).await;
    let user = made("/users", json!({"username": "kim", "roles": ["viewer"]})).await;
    let once = word(&user, "one_time_password");
    let tenant: String = sqlx::query_scalar("SELECT slug FROM countersign.tenants WHERE id = $1")
        .bind(deployment.tenant().uuid())
        .fetch_one(deployment.test.admin())
        .await
        .unwrap();
    let login = |password: &str| json!({"tenant": tenant, "username": "kim", "password": password});
    let session = word(&made("/login", login(&once)).await, "token");
    let change = json!({"current_password": once, "new_password": password});
    let changed = deployment.post(&session, "/account/password", &change).await;
    let renewed = word(&changed, "token");
    let again = word(&made("/login", login(&password)).await, "token");
    let wrapped = made("/one-time-secrets", json!({"secret": canary(7)})).await;
    let untold = word(&wrapped, "token");
    let told = word(&made("/one-time-secrets", json!({"secret": canary(8)})).await, "token");
    made("/one-time-secrets/unwrap", json!({"token": told})).await;
    let mut secrets = vec![
        ("a one-time secret".to_owned(), canary(7).into_bytes()),
        ("a one-time secret that was told".to_owned(), canary(8).into_bytes()),
        ("a credential".to_owned(), first.into_bytes()),
        ("a replaced credential".to_owned(), second.into_bytes()),
        ("a signing secret".to_owned(), signing.into_bytes()),
        ("a password".to_owned(), password.clone().into_bytes()),
        ("a one-time password".to_owned(), once.into_bytes()),
        ("a wrong password".to_owned(), canary(5).into_bytes()),
        ("a secret in a bad request".to_owned(), canary(6).into_bytes()),
    ];
    for (name, token) in [
        ("the token of a one-time secret", &untold),
        ("the token of one that was told", &told),
        ("a session", &session),
        ("a renewed session", &renewed),
        ("a second session", &again),
        ("the administrator's key", &deployment.admin),
        ("the operator's key", &deployment.operator),
        ("the approver's key", &deployment.approver),
    ] {
        // The part in front names the key and is no secret.
        let secret = &token.as_bytes()[token.len() - 32..];
        secrets.push((name.to_owned(), secret.to_vec()));
    }
    secrets.extend(plant_more(deployment, &again, &password).await);
    let key = deployment.sshd.client_key();
    let body = key.lines().filter(|line| !line.starts_with("-----")).nth(2).unwrap();
    secrets.push(("the login's private key".to_owned(), body.as_bytes().to_vec()));
    for file in ["kek", "request-kek", "audit-mac"] {
        let bytes = std::fs::read(deployment.dir.path().join("keys").join(file)).unwrap();
        secrets.push((format!("keys/{file}"), bytes));
    }
    secrets
}

/// Those of providers, second factors, invitations and keys.
async fn plant_more(
    deployment: &Deployment,
    session: &str,
    password: &str,
) -> Vec<(String, Vec<u8>)> {
    let made =
        async |path: &str, body: Value| deployment.post(&deployment.admin, path, &body).await;
    made("/credentials", json!({"name": "client", "kind": "oidc", "secret": canary(9)})).await;
    let factor = json!({ "current_password": password });
    let factor = word(&deployment.post(session, "/account/second-factor", &factor).await, "secret");
    let invited = json!({"email": "lee@example.com", "roles": ["viewer"]});
    let invited = word(&made("/invitations", invited).await, "token");
    let key = word(&made("/api-keys", json!({"name": "pipe", "roles": ["viewer"]})).await, "key");
    // The part in front names the thing and is no secret.
    let end = |token: &str| token.as_bytes()[token.len() - 32..].to_vec();
    vec![
        ("a client's secret".to_owned(), canary(9).into_bytes()),
        ("a second factor".to_owned(), factor.into_bytes()),
        ("the token of an invitation".to_owned(), end(&invited)),
        ("a key".to_owned(), end(&key)),
    ]
}

/// Requests that are refused, with secrets in them; gives what was answered.
async fn refused(deployment: &Deployment) -> Vec<(String, Vec<u8>)> {
    let secret = canary(6);
    let bad = [
        ("/credentials", json!({"name": "x", "kind": "nonsense", "secret": secret})),
        ("/credentials", json!({"name": "x", "kind": "password", "secret": [secret]})),
        ("/credentials", json!({"name": "x", "kind": "ssh_key", "secret": secret})),
        ("/credentials", json!({"name": "x", "kind": "password", "secret": {"secret": secret}})),
        ("/credentials", json!({"name": 7, "kind": "password", "secret": secret})),
        ("/credentials", json!({"name": "x", "kind": "password", "secret": format!("{secret}\0")})),
        ("/alert-sources", json!({"name": "x", "kind": "generic", "secret": secret})),
        ("/account/password", json!({"current_password": secret, "new_password": secret})),
        ("/login", json!({"username": "kim", "password": canary(5)})),
        ("/login", json!({"username": "kim", "password": [canary(5)]})),
    ];
    let mut answers = Vec::new();
    for (path, body) in bad {
        let url = format!("{}/api/v1{path}", deployment.url);
        let request = deployment.http.post(url).bearer_auth(&deployment.admin).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
        answers.push((format!("the refusal of {path}"), answer.bytes().await.unwrap().to_vec()));
    }
    for (path, text) in [
        ("/credentials", format!("{{\"name\": \"x\", \"secret\": \"{MARK}{MARK}")),
        ("/credentials", format!("{{\"name\": \"x\", \"secret\": \"{MARK}\", \"secret\": 1}}")),
        ("/hooks/generic/theirs", format!("{{\"check\": \"{MARK}\"}}")),
    ] {
        let url = format!("{}/api/v1{path}", deployment.url);
        let request = deployment.http.post(url).bearer_auth(&deployment.operator).body(text);
        let request = request.header("content-type", "application/json");
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
        answers.push((format!("the refusal of {path}"), answer.bytes().await.unwrap().to_vec()));
    }
    answers
}

/// What everything that can be listed shows, and the events that were streamed.
async fn shown(deployment: &Deployment) -> Vec<(String, Vec<u8>)> {
    let document = deployment.get("/openapi.json").await;
    let paths = document["paths"].as_object().unwrap();
    let lists = paths.iter().filter(|(path, methods)| {
        methods.get("get").is_some() && !path.contains('{') && !path.ends_with("/events")
    });
    let mut answers = Vec::new();
    for (path, _) in lists {
        let url = format!("{}{path}", deployment.url);
        let answer = deployment.http.get(url).bearer_auth(&deployment.admin).send().await.unwrap();
        answers.push((path.clone(), answer.bytes().await.unwrap().to_vec()));
    }
    let credentials = deployment.get("/credentials").await;
    answers.push(("credentials".to_owned(), credentials.to_string().into_bytes()));
    assert!(answers.len() > 30, "{}", answers.len());
    answers
}

/// Everything a step leaves while it runs: streams, and what processes show of themselves.
async fn run(deployment: &Deployment, search: &mut Search) -> Vec<u8> {
    let url = format!("{}/api/v1/events", deployment.url);
    let stream = deployment.http.get(url).bearer_auth(&deployment.admin).send().await.unwrap();
    assert!(stream.status().is_success(), "{}", stream.status());
    let heard = tokio::spawn(async move {
        let (mut stream, mut heard) = (stream, Vec::new());
        while let Ok(Some(chunk)) = stream.chunk().await {
            heard.extend_from_slice(&chunk);
            if String::from_utf8_lossy(&heard).contains("execution.completed") {
                break;
            }
        }
        heard
    });
    let gate = deployment.sshd.dir().join("gate");
    let wait = format!("until [ -e {} ]; do sleep 0.05; done", gate.display());
    let steps = [Step::act("wait").then(wait), Step::check("look")];
    let book = deployment.runbook(&runbook("waits", &deployment.effects(), &steps)).await;
    let execution = deployment.approved(&book).await;
    let mut worker = deployment.worker().start().await;
    until("a step that runs", async || (!deployment.lines().is_empty()).then_some(())).await;
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        for file in ["cmdline", "environ"] {
            let path = entry.path().join(file);
            let Ok(bytes) = std::fs::read(&path) else { continue };
            search.look(&path.display().to_string(), &bytes);
            seen.insert(path);
        }
    }
    for process in [deployment.api.id(), worker.id()] {
        for file in ["cmdline", "environ"] {
            let path = PathBuf::from(format!("/proc/{process}/{file}"));
            assert!(seen.contains(&path), "{} could not be read", path.display());
        }
    }
    search.look_below(&deployment.sshd.guard_dir(), &[]);
    std::fs::write(&gate, "").unwrap();
    assert_eq!(deployment.settled(&[execution]).await, ["completed"], "{}", worker.log.text());
    let heard = heard.await.unwrap();
    worker.stop().await;
    let log = worker.log.text();
    assert!(log.contains("TRACE"), "it logs all there is");
    search.look("the worker's log", log.as_bytes());
    heard
}

/// `pg_dump` of everything, as a backup is made.
pub(super) fn dump(url: &str) -> Vec<u8> {
    // Of the parameters, those that only our driver knows are left out.
    let (base, parameters) = url.split_once('?').unwrap_or((url, ""));
    let host = parameters.split('&').find(|parameter| parameter.starts_with("host="));
    let url = host.map_or_else(|| base.to_owned(), |host| format!("{base}?{host}"));
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let program = installed
        .map(|version| version.path().join("bin/pg_dump"))
        .find(|program| program.exists())
        .unwrap_or_else(|| "pg_dump".into());
    let out = Command::new(program).arg(url).output().expect("PostgreSQL's programs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_and_s8_planted_secrets_are_found_nowhere_in_logs_answers_dumps_files_or_processes() {
    let mut deployment = Deployment::logging(Sshd::start().unwrap(), "trace").await;
    let (host, port) = (deployment.sshd.host().to_owned(), deployment.sshd.port());
    deployment.add_server(&host, port).await;
    let secrets = plant(&deployment).await;
    let mut search = Search::new(&secrets);

    for (place, bytes) in refused(&deployment).await {
        search.look(&place, &bytes);
        assert!(!String::from_utf8_lossy(&bytes).contains(MARK), "{place}");
    }
    let heard = run(&deployment, &mut search).await;
    assert!(!heard.is_empty());
    search.look("the event stream", &heard);
    for (place, bytes) in shown(&deployment).await {
        search.look(&place, &bytes);
    }
    // What is looked for is found where it is.
    let mut there = Search::new(&secrets);
    there.look_below(&deployment.dir.path().join("keys"), &[]);
    assert!(there.hits.len() >= 3, "{:?}", there.hits);
    // A secret in a text and in a document is found in a dump.
    let control = canary(10);
    let mut in_dump = Search::new(&[("it".to_owned(), control.clone().into_bytes())]);
    for (of, value) in [("text", control.clone()), ("jsonb", json!({ "a": control }).to_string())] {
        let make = format!("CREATE TABLE public.control (it {of})");
        let fill = format!("INSERT INTO public.control SELECT $1::text::{of}");
        let admin = deployment.test.admin();
        sqlx::query(sqlx::AssertSqlSafe(make)).execute(admin).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(fill)).bind(&value).execute(admin).await.unwrap();
        let before = in_dump.hits.len();
        in_dump.look("pg_dump", &dump(&deployment.test.admin_url));
        assert!(in_dump.hits.len() > before, "not found as {of}");
        sqlx::query("DROP TABLE public.control").execute(admin).await.unwrap();
    }
    let dump = dump(&deployment.test.admin_url);
    assert!(String::from_utf8_lossy(&dump).contains("planted"), "the dump has the credential");
    search.look("pg_dump", &dump);
    search.look_below(deployment.dir.path(), &["keys"]);
    deployment.api.stop().await;
    let log = deployment.api.log.text();
    assert!(log.contains("TRACE"), "it logs all there is");
    search.look("the log of the process that answers", log.as_bytes());
    assert!(search.looked_at > 1 << 20, "{}", search.looked_at);
    assert!(search.hits.is_empty(), "{:#?}", &search.hits[..search.hits.len().min(20)]);
}
