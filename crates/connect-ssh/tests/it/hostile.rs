//! Hosts that lie, flood, stall or change.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use connect_ssh::testing::Sshd;
use connect_ssh::{Settings, Ssh, scan};
use model::connector::{ConnectError, Connector, Endpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::peer::{Behaviour, PASSWORD, Peer};
use crate::recorder::{Bench, Recorder, effect, exited, token};

/// A connector with little patience.
fn hasty() -> Ssh {
    let second = Duration::from_secs(1);
    Ssh::new(Settings {
        connect_timeout: second,
        reply_timeout: second,
        step_grace: second,
        session_wait: second,
        ..Settings::default()
    })
}

async fn refusal(ssh: &Ssh, endpoint: &Endpoint) -> ConnectError {
    let mut effect = effect(&token(), "true");
    effect.timeout = Duration::from_secs(1);
    let before = Instant::now();
    let refused = ssh.run(endpoint, &effect, &Recorder::default()).await.unwrap_err();
    assert!(before.elapsed() < Duration::from_secs(15), "in bounded time");
    refused
}

#[tokio::test]
async fn h1_an_unknown_host_key_is_refused_before_any_login() {
    let peer = Peer::start(Behaviour::Honest).await;
    let mut endpoint = peer.endpoint(PASSWORD);
    let pinned = std::mem::take(&mut endpoint.target.host_keys);
    let error = refusal(&Ssh::default(), &endpoint).await;
    assert!(error.nothing_started());
    let fingerprint = match error {
        ConnectError::HostKey { shown, pinned: 0, .. } => shown,
        other => panic!("{other}"),
    };
    assert!(fingerprint.starts_with("SHA256:"));
    assert_eq!(peer.login_attempts(), 0, "not even a login was sent");
    let scanned = scan("127.0.0.1", endpoint.target.port, Duration::from_secs(5)).await.unwrap();
    assert_eq!(scanned.len(), 1);
    assert_eq!(scanned[0].fingerprint, fingerprint);
    assert_eq!(scanned[0].line, pinned[0]);
    assert_eq!(peer.login_attempts(), 0);
    // Having seen it once changes nothing.
    let again = refusal(&Ssh::default(), &endpoint).await;
    assert!(matches!(again, ConnectError::HostKey { .. }));
}

#[tokio::test]
async fn h1_a_changed_host_key_is_refused_also_when_the_old_one_was_known() {
    let bench = Bench::new();
    assert_eq!(bench.run("true").await.0, exited(0));
    let impostor = Sshd::start().unwrap();
    let mut endpoint = bench.endpoint.clone();
    endpoint.target.port = impostor.port();
    let error = refusal(&bench.ssh, &endpoint).await;
    assert!(matches!(error, ConnectError::HostKey { pinned: 1, .. }), "{error}");
    // Nor is an open connection used for a target whose pins have changed.
    let mut endpoint = bench.endpoint.clone();
    endpoint.target.host_keys = vec![impostor.host_key().to_owned()];
    let error = refusal(&bench.ssh, &endpoint).await;
    assert!(matches!(error, ConnectError::HostKey { pinned: 1, .. }), "{error}");
}

#[tokio::test]
async fn h1_another_kind_of_key_than_the_pinned_one_is_refused() {
    let known = Peer::start(Behaviour::Honest).await;
    let downgraded = Peer::with_key(Behaviour::Honest, "ecdsa").await;
    let mut endpoint = downgraded.endpoint(PASSWORD);
    endpoint.target.host_keys = known.endpoint(PASSWORD).target.host_keys;
    let error = refusal(&Ssh::default(), &endpoint).await;
    assert!(matches!(error, ConnectError::HostKey { pinned: 1, .. }), "{error}");
    assert_eq!(downgraded.login_attempts(), 0);
}

#[tokio::test]
async fn h1_a_pin_that_cannot_be_read_stops_everything() {
    let peer = Peer::start(Behaviour::Honest).await;
    let mut endpoint = peer.endpoint(PASSWORD);
    endpoint.target.host_keys.push("ssh-ed25519 AAAA".to_owned());
    let error = refusal(&Ssh::default(), &endpoint).await;
    assert!(matches!(error, ConnectError::Misconfigured { .. }), "{error}");
}

#[test]
fn h2_no_source_accepts_a_host_key_unconditionally() {
    let mut looked = 0;
    let mut folders = vec![Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                for check in source.split("fn check_server_key").skip(1) {
                    looked += 1;
                    let body = check.split("\n    }\n").next().unwrap();
                    assert!(!body.contains("true"), "{}: {body}", path.display());
                }
            }
        }
    }
    assert_eq!(looked, 2, "one for connections, one for looking at keys");
}

#[test]
fn h3_russh_is_newer_than_its_advisories() {
    let lock = fs::read_to_string(
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../Cargo.lock"),
    );
    let lock = lock.unwrap();
    let versions: Vec<&str> = lock
        .split("[[package]]")
        .filter(|package| package.contains("\nname = \"russh\"\n"))
        .filter_map(|package| package.split("\nversion = \"").nth(1)?.split('"').next())
        .collect();
    assert!(!versions.is_empty());
    for version in versions {
        let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
        // GHSA-47hw-gvq5-r2gm, GHSA-p8qx-h547-fjw9, CVE-2026-48107.
        assert!(parts >= vec![0, 63, 1], "{version}");
    }
}

/// A listener that treats every connection in the same hostile way.
async fn raw<F>(treat: fn(TcpStream) -> F) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(treat(socket));
        }
    });
    port
}

async fn at(port: u16) -> Endpoint {
    let mut endpoint = Peer::start(Behaviour::Honest).await.endpoint(PASSWORD);
    endpoint.target.port = port;
    endpoint
}

async fn silence(mut socket: TcpStream) {
    let mut heard = Vec::new();
    socket.read_to_end(&mut heard).await.ok();
}

async fn endless_banner(mut socket: TcpStream) {
    while socket.write_all(b"Welcome, please wait\r\n").await.is_ok() {}
}

async fn endless_line(mut socket: TcpStream) {
    while socket.write_all(&[b'x'; 1024]).await.is_ok() {}
}

async fn nonsense_after_banner(mut socket: TcpStream) {
    socket.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.ok();
    while socket.write_all(&[0xff; 1024]).await.is_ok() {}
}

async fn silence_after_banner(mut socket: TcpStream) {
    socket.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.ok();
    silence(socket).await;
}

#[tokio::test]
async fn h4_servers_that_never_come_to_the_point_are_given_up() {
    let ports = [
        raw(silence).await,
        raw(endless_banner).await,
        raw(endless_line).await,
        raw(nonsense_after_banner).await,
        raw(silence_after_banner).await,
    ];
    for port in ports {
        let error = refusal(&hasty(), &at(port).await).await;
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
        assert!(error.nothing_started());
    }
}

#[tokio::test]
async fn h4_a_socket_given_up_is_closed() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = at(listener.local_addr().unwrap().port()).await;
    let ssh = hasty();
    let watch = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.unwrap();
        let mut heard = Vec::new();
        // Ends only when the other side closes.
        socket.read_to_end(&mut heard).await.ok();
    };
    let both = async { tokio::join!(refusal(&ssh, &endpoint), watch) };
    tokio::time::timeout(Duration::from_secs(10), both).await.expect("closed");
}

#[tokio::test]
async fn h4_a_flood_of_questions_is_not_answered() {
    for count in [2, 60_000] {
        let peer = Peer::start(Behaviour::ManyQuestions(count)).await;
        let error = refusal(&hasty(), &peer.endpoint(PASSWORD)).await;
        assert!(error.nothing_started(), "{error}");
        assert!(peer.login_attempts() <= 4, "{}", peer.login_attempts());
    }
    // One question again and again gets the password once.
    let peer = Peer::start(Behaviour::ManyQuestions(1)).await;
    let mut endpoint = peer.endpoint("not the password");
    endpoint.target.username = "somebody else".to_owned();
    let error = refusal(&hasty(), &endpoint).await;
    assert!(matches!(error, ConnectError::Login { .. }), "{error}");
    assert!(peer.login_attempts() <= 4);
}

#[tokio::test]
async fn h4_a_server_that_never_answers_or_never_stops_interrupts_the_step() {
    for behaviour in [Behaviour::NeverAnswers, Behaviour::NeverStops, Behaviour::BreaksOff] {
        let peer = Peer::start(behaviour).await;
        let error = refusal(&hasty(), &peer.endpoint(PASSWORD)).await;
        assert!(matches!(error, ConnectError::Interrupted { .. }), "{behaviour:?}: {error}");
        assert!(!error.nothing_started());
    }
}

#[tokio::test]
async fn h4_a_server_that_refuses_sessions_or_commands_has_started_nothing() {
    for behaviour in [Behaviour::RunsNothing, Behaviour::OpensNothing] {
        let peer = Peer::start(behaviour).await;
        let error = refusal(&hasty(), &peer.endpoint(PASSWORD)).await;
        assert!(matches!(error, ConnectError::Misconfigured { .. }), "{behaviour:?}: {error}");
    }
}
