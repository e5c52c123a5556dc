//! What a test watches: the output as it comes, and shorthands for steps.

use std::sync::Mutex;
use std::time::Duration;

use connect_ssh::Ssh;
use connect_ssh::testing::Sshd;
use model::connector::{Connector, Effect, Ended, Endpoint, OutputSink, Stream};
use model::id::StepRunId;
use tokio::sync::watch;

/// Keeps output and wakes whoever waits for some of it.
pub(crate) struct Recorder {
    streams: Mutex<[Vec<u8>; 2]>,
    grown: watch::Sender<usize>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { streams: Mutex::default(), grown: watch::Sender::new(0) }
    }
}

impl Recorder {
    /// Whose first bytes are already known.
    pub(crate) fn knowing(stdout: &[u8], stderr: &[u8]) -> Self {
        Self { streams: Mutex::new([stdout.to_vec(), stderr.to_vec()]), ..Self::default() }
    }

    pub(crate) fn stdout(&self) -> Vec<u8> {
        self.streams.lock().unwrap()[0].clone()
    }

    pub(crate) fn stderr(&self) -> Vec<u8> {
        self.streams.lock().unwrap()[1].clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout()).unwrap()
    }

    /// Waits until standard output holds `wanted`.
    pub(crate) async fn until(&self, wanted: &str) {
        let mut grown = self.grown.subscribe();
        let found = grown.wait_for(|_| String::from_utf8_lossy(&self.stdout()).contains(wanted));
        tokio::time::timeout(Duration::from_secs(20), found).await.expect("in time").unwrap();
    }
}

impl OutputSink for Recorder {
    fn write(&self, stream: Stream, offset: u64, bytes: &[u8]) {
        let mut streams = self.streams.lock().unwrap();
        let kept = &mut streams[usize::from(stream == Stream::Stderr)];
        assert_eq!(kept.len() as u64, offset, "no byte twice and none left out");
        kept.extend_from_slice(bytes);
        let length = kept.len();
        drop(streams);
        self.grown.send_replace(length);
    }
}

/// A token nobody has used.
pub(crate) fn token() -> String {
    format!("{}.forward.1", StepRunId::generate())
}

/// A step under `token`.
pub(crate) fn effect(token: &str, script: &str) -> Effect {
    Effect {
        token: token.to_owned(),
        epoch: 1,
        script: script.to_owned(),
        timeout: Duration::from_secs(60),
        output_cap: 1024 * 1024,
    }
}

/// A host, a connector and a way to run scripts.
pub(crate) struct Bench {
    pub(crate) sshd: Sshd,
    pub(crate) ssh: Ssh,
    pub(crate) endpoint: Endpoint,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::on(Sshd::start().expect("sshd starts"))
    }

    pub(crate) fn on(sshd: Sshd) -> Self {
        let endpoint = sshd.endpoint();
        Self { sshd, ssh: Ssh::default(), endpoint }
    }

    /// Runs a script under a fresh token.
    pub(crate) async fn run(&self, script: &str) -> (Ended, Recorder) {
        self.run_effect(&effect(&token(), script)).await
    }

    pub(crate) async fn run_effect(&self, effect: &Effect) -> (Ended, Recorder) {
        let output = Recorder::default();
        let ended = self.ssh.run(&self.endpoint, effect, &output).await.expect("the step runs");
        (ended, output)
    }
}

/// Waits until something outside this process has happened.
pub(crate) async fn eventually(happened: impl Fn() -> bool) {
    let look = async {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        while !happened() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), look).await.expect("in time");
}

/// Exited with this code and nothing dropped.
pub(crate) const fn exited(code: i32) -> Ended {
    Ended::Exited { code, truncated: false }
}
