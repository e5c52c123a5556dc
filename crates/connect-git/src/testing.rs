//! A server of git's own `http-backend` on loopback, and repositories for it to serve.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect::Outbound;
use connect::outbound::Rules;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;

/// A server of repositories. It ends with this value.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    room: TempDir,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug, Clone)]
struct Served {
    root: PathBuf,
    login: Option<String>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one that serves whoever comes, or who knows `login`, as `user:password`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(login: Option<&str>) -> Self {
        let room = tempfile::tempdir().expect("a directory");
        let asked = Arc::default();
        let served = Served {
            root: room.path().to_owned(),
            login: login.map(|login| format!("Basic {}", STANDARD.encode(login))),
            asked: Arc::clone(&asked),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let routes = Router::new().fallback(serve).with_state(served);
        let task = tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("the server of git");
        });
        Self { address, room, asked, task }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a repository of this name is.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// What it was asked, method and path.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A way out to the servers of this machine.
    ///
    /// # Panics
    /// When there can be none.
    #[must_use]
    pub fn way() -> Outbound {
        let here = "127.0.0.0/8:*".parse().expect("an allowance");
        Outbound::new(Rules::default().allowing(here)).expect("a way out")
    }

    /// An empty repository with the branch `main`.
    pub async fn repository(&self, name: &str) -> Repository {
        let path = self.room.path().join(name);
        tokio::fs::create_dir_all(&path).await.expect("a directory");
        let repository = Repository { path };
        repository.git(&["init", "--quiet", "--initial-branch=main"]).await;
        repository
    }
}

/// A repository with a working tree.
#[derive(Debug)]
pub struct Repository {
    /// The working tree.
    pub path: PathBuf,
}

impl Repository {
    /// Runs git in it, as somebody in particular at a time of their own; gives what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub async fn git(&self, arguments: &[&str]) -> String {
        self.git_at(arguments, 1_790_000_000).await
    }

    /// The same at this second.
    ///
    /// # Panics
    /// When it fails.
    pub async fn git_at(&self, arguments: &[&str], second: i64) -> String {
        let at = format!("{second} +0000");
        let done = Command::new("git")
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(&self.path)
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
            .envs([("GIT_COMMITTER_NAME", "Grace"), ("GIT_COMMITTER_EMAIL", "grace@example.com")])
            .envs([("GIT_AUTHOR_DATE", &at), ("GIT_COMMITTER_DATE", &at)])
            .output()
            .await
            .expect("git");
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "git {arguments:?}: {told}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Writes files and commits everything; gives the commit.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn commit(&self, files: &[(&str, &str)], message: &str, second: i64) -> String {
        for (name, text) in files {
            let path = self.path.join(name);
            tokio::fs::create_dir_all(path.parent().expect("a directory")).await.expect("made");
            tokio::fs::write(&path, text).await.expect("written");
        }
        self.git(&["add", "--all"]).await;
        self.git_at(&["commit", "--quiet", "--allow-empty", "-m", message], second).await;
        self.git(&["rev-parse", "HEAD"]).await
    }
}

/// Hands a request to git's CGI program and its answer back (RFC 3875).
async fn serve(
    State(served): State<Served>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = format!("{method} {}", uri.path());
    served.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    if served.login.as_deref().is_some_and(|login| login != header("authorization")) {
        return status(StatusCode::UNAUTHORIZED);
    }
    let mut program = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &served.root)
        .envs([("GIT_HTTP_EXPORT_ALL", "1"), ("GATEWAY_INTERFACE", "CGI/1.1")])
        .envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory")])
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("PATH_INFO", uri.path())
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", method.as_str())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("git http-backend");
    let mut stdin = program.stdin.take().expect("its input");
    let told = tokio::spawn(async move { stdin.write_all(&body).await.is_ok() });
    let done = program.wait_with_output().await.expect("its answer");
    told.await.expect("its input was written");
    answer(&done.stdout)
}

fn answer(printed: &[u8]) -> Response {
    let Some(end) = printed.windows(4).position(|four| four == b"\r\n\r\n") else {
        return status(StatusCode::BAD_GATEWAY);
    };
    let (head, body) = printed.split_at(end);
    let mut made = Response::builder();
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        made = match value.split(' ').next().and_then(|code| code.parse::<u16>().ok()) {
            Some(code) if name == "Status" => made.status(code),
            _ => made.header(name, value),
        };
    }
    let body = body.get(4..).unwrap_or_default().to_vec();
    made.body(Body::from(body)).unwrap_or_else(|_| status(StatusCode::BAD_GATEWAY))
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
