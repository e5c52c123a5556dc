//! The network between a worker and its host: it can hold back what a connection sends.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::until;

/// How far a connection is on its way to being held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// Everything passes.
    #[default]
    Open,
    /// This many questions and their answers still pass.
    Passing(u32),
    /// A question passed; this many with their answers will, once it is answered.
    Asked(u32),
    /// Nothing that is sent passes any more.
    Held,
}

#[derive(Debug, Default)]
struct State {
    stage: Stage,
    held: Vec<u8>,
    /// Bytes in either direction, held or not.
    moved: usize,
    /// Bytes the host sent since what was held was let through.
    answered: usize,
}

/// One connection.
#[derive(Debug, Clone, Default)]
struct Line {
    state: Arc<Mutex<State>>,
    released: Arc<Notify>,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = tokio::select! {
                read = from.read(&mut buffer) => read?,
                () = self.released.notified() => {
                    let held = std::mem::take(&mut self.state().held);
                    to.write_all(&held).await?;
                    continue;
                }
            };
            if read == 0 {
                return to.shutdown().await;
            }
            let passes = {
                let mut state = self.state();
                state.moved += read;
                match state.stage {
                    Stage::Open | Stage::Asked(_) => true,
                    Stage::Passing(more) => {
                        state.stage = Stage::Asked(more.saturating_sub(1));
                        true
                    }
                    Stage::Held => {
                        state.held.extend_from_slice(&buffer[..read]);
                        false
                    }
                }
            };
            if passes {
                to.write_all(&buffer[..read]).await?;
            }
        }
    }

    async fn answer(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return to.shutdown().await;
            }
            {
                let mut state = self.state();
                state.stage = match state.stage {
                    Stage::Asked(0) => Stage::Held,
                    Stage::Asked(more) => Stage::Passing(more),
                    stage @ (Stage::Open | Stage::Passing(_) | Stage::Held) => stage,
                };
                state.moved += read;
                state.answered += read;
            }
            to.write_all(&buffer[..read]).await?;
        }
    }
}

/// A way to a port of this machine.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) port: u16,
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Wire {
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let ours = listener.local_addr().expect("an address").port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(host) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
                    return;
                };
                let line = Line::default();
                known.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
                let ((from_client, to_client), (from_host, to_host)) =
                    (client.into_split(), host.into_split());
                let back = line.clone();
                tokio::spawn(async move { line.send(from_client, to_host).await });
                tokio::spawn(async move { back.answer(from_host, to_client).await });
            }
        });
        Self { port: ours, lines }
    }

    fn line(&self, at: usize) -> Line {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)[at].clone()
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> usize {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits until nothing moves for this long.
    pub(super) async fn quiet(&self, connection: usize, time: Duration) {
        let line = self.line(connection);
        let mut last = (line.state().moved, Instant::now());
        until("a quiet connection", async || {
            let moved = line.state().moved;
            if moved != last.0 {
                last = (moved, Instant::now());
            }
            (last.1.elapsed() >= time).then_some(())
        })
        .await;
    }

    /// Holds back what a connection sends after this many more questions and answers.
    pub(super) fn hold_after(&self, connection: usize, questions: u32) {
        self.line(connection).state().stage = Stage::Passing(questions);
    }

    /// How many bytes are held back.
    pub(super) fn held(&self, connection: usize) -> usize {
        self.line(connection).state().held.len()
    }

    /// Lets through what was held.
    pub(super) fn release(&self, connection: usize) {
        let line = self.line(connection);
        {
            let mut state = line.state();
            state.stage = Stage::Open;
            state.answered = 0;
        }
        line.released.notify_one();
    }

    /// How many bytes the host sent since the release.
    pub(super) fn answered(&self, connection: usize) -> usize {
        self.line(connection).state().answered
    }
}
