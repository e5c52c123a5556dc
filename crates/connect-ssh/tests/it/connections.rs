//! Logins, shared connections, many sessions, and connections that die.

use std::collections::BTreeSet;
use std::time::Duration;

use connect_ssh::testing::{Options, Sshd};
use connect_ssh::{Settings, Ssh};
use futures::future::join_all;
use model::connector::{ConnectError, Connector, Endpoint, Guard, Login};
use model::secret::Secret;

use crate::peer::{Behaviour, PASSWORD, Peer};
use crate::recorder::{Bench, Recorder, effect, eventually, exited, token};

#[tokio::test]
async fn a_password_logs_in_directly_and_as_the_answer_to_one_question() {
    for behaviour in [Behaviour::Honest, Behaviour::OneQuestion] {
        let peer = Peer::start(behaviour).await;
        let (ssh, output) = (Ssh::default(), Recorder::default());
        let effect = effect(&token(), "echo hello; exit 2");
        let ended = ssh.run(&peer.endpoint(PASSWORD), &effect, &output).await.unwrap();
        assert_eq!((ended, output.text()), (exited(2), "hello\n".to_owned()));
        let refused = ssh.probe(&peer.endpoint("wrong"), &effect.token).await.unwrap_err();
        assert!(matches!(refused, ConnectError::Login { .. }), "{refused}");
        assert!(refused.nothing_started());
    }
}

async fn probe(endpoint: &Endpoint) -> ConnectError {
    Ssh::default().probe(endpoint, "token").await.unwrap_err()
}

#[tokio::test]
async fn logins_that_cannot_work_say_why_and_show_no_secret() {
    let bench = Bench::new();
    let other = Sshd::start().unwrap();
    let mut endpoint = bench.endpoint.clone();

    endpoint.login = Some(other.login());
    let refused = probe(&endpoint).await;
    assert!(matches!(refused, ConnectError::Login { .. }), "{refused}");
    endpoint.login = None;
    let refused = probe(&endpoint).await;
    assert!(matches!(refused, ConnectError::Login { .. }), "{refused}");
    endpoint.login = Some(Login::Key(Secret::from("hunter2 is no key".to_owned())));
    let refused = probe(&endpoint).await;
    assert!(matches!(refused, ConnectError::Misconfigured { .. }), "{refused}");
    assert!(!format!("{refused:?} {refused}").contains("hunter2"));

    endpoint = bench.endpoint.clone();
    endpoint.target.transport = "winrm".to_owned();
    let refused = probe(&endpoint).await;
    assert!(matches!(refused, ConnectError::Misconfigured { .. }), "{refused}");
    endpoint = bench.endpoint.clone();
    drop(bench);
    let refused = probe(&endpoint).await;
    assert!(matches!(refused, ConnectError::Unreachable { .. }), "{refused}");
}

#[tokio::test]
async fn steps_share_a_connection_one_after_the_other() {
    let bench = Bench::new();
    let mut clients = BTreeSet::new();
    for _ in 0..5 {
        clients.insert(bench.run("echo $SSH_CONNECTION").await.1.text());
    }
    assert_eq!(clients.len(), 1, "{clients:?}");
}

#[tokio::test]
async fn steps_do_not_share_a_connection_across_credentials() {
    let bench = Bench::new();
    let client = async |endpoint| {
        let output = Recorder::default();
        let effect = effect(&token(), "echo $SSH_CONNECTION");
        assert_eq!(bench.ssh.run(endpoint, &effect, &output).await.unwrap(), exited(0));
        output.text()
    };
    let first = client(&bench.endpoint).await;
    let mut endpoint = bench.endpoint.clone();
    endpoint.target.credential_version = Some(2);
    assert_ne!(client(&endpoint).await, first);
    // Somebody with the right names and another secret gets nothing from the open connection.
    endpoint = bench.endpoint.clone();
    endpoint.login = Some(Login::Password(Secret::from("guess".to_owned())));
    let refused = bench.ssh.probe(&endpoint, "token").await.unwrap_err();
    assert!(matches!(refused, ConnectError::Login { .. }), "{refused}");
}

#[tokio::test]
async fn many_steps_at_a_time_all_run_and_none_is_mixed_up() {
    let bench = Bench::new();
    let steps = (0..40).map(|number| {
        let bench = &bench;
        async move {
            let script = format!("i=0; while [ $i -lt 200 ]; do echo {number}; i=$((i+1)); done");
            let (ended, output) = bench.run(&script).await;
            assert_eq!(ended, exited(0));
            assert_eq!(output.text(), format!("{number}\n").repeat(200));
        }
    });
    join_all(steps).await;
    assert!(bench.sshd.connections() <= Settings::default().connections_per_host);
}

#[tokio::test]
async fn a_host_with_few_sessions_is_used_within_its_limit() {
    let options = Options { max_sessions: 1, ..Options::default() };
    let bench = Bench::on(Sshd::start_with(&options).unwrap());
    let ended = join_all((0..12).map(|_| bench.run("exit 3"))).await;
    assert!(ended.iter().all(|(ended, _)| *ended == exited(3)));
    let options = Options { max_sessions: 0, ..Options::default() };
    let bench = Bench::on(Sshd::start_with(&options).unwrap());
    let refused = bench.ssh.probe(&bench.endpoint, "token").await.unwrap_err();
    assert!(matches!(refused, ConnectError::Misconfigured { .. }), "{refused}");
}

#[tokio::test]
async fn a_dead_connection_is_replaced_by_the_next_step() {
    let mut bench = Bench::new();
    assert_eq!(bench.run("true").await.0, exited(0));
    bench.sshd.cut_connections();
    assert_eq!(bench.run("exit 1").await.0, exited(1));
    bench.sshd.restart().unwrap();
    assert_eq!(bench.run("exit 2").await.0, exited(2));
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_used_one_is_not() {
    let bench = Bench::new();
    let settings = Settings { idle_timeout: Duration::from_millis(300), ..Settings::default() };
    let ssh = Ssh::new(settings);
    let (effect, output) = (effect(&token(), "sleep 1; echo $SSH_CONNECTION"), Recorder::default());
    assert_eq!(ssh.run(&bench.endpoint, &effect, &output).await.unwrap(), exited(0));
    eventually(|| bench.sshd.connections() == 0).await;
    let held = ssh.probe(&bench.endpoint, &effect.token).await.unwrap();
    assert_eq!(held, Guard::Exited { code: 0 });
}
