//! The connector: effects behind the guard, over shared connections.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use model::connector::{
    CHECKED, ConnectError, Connector, Effect, Ended, Endpoint, Fence, Guard, Offsets, OutputSink,
    Pending, Stream,
};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};

use crate::Settings;
use crate::answer::{Answer, Ending};
use crate::connection::{misconfigured, unreachable};
use crate::guard::{self, Nonce, Verb};
use crate::pool::{Lease, Pool};

/// Longest script sent. The guard holds it in a shell variable for a moment.
const SCRIPT_MAX: usize = 4 * 1024 * 1024;

/// How long a killed step gets: five seconds after TERM, as long after KILL, and the way there.
const KILL_TIME: Duration = Duration::from_secs(60);

/// The SSH connector.
pub struct Ssh {
    pool: Pool,
}

impl fmt::Debug for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ssh").field("settings", self.pool.settings()).finish_non_exhaustive()
    }
}

impl Default for Ssh {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

/// One question to a host.
struct Question<'a> {
    endpoint: &'a Endpoint,
    token: &'a str,
    verb: Verb,
    /// What goes over standard input.
    script: Option<&'a str>,
    /// How long the host has for the whole answer.
    limit: Duration,
    output_cap: u64,
    from: Offsets,
    sink: Option<&'a dyn OutputSink>,
}

/// A host's answer.
struct Reply {
    ending: Ending,
    truncated: bool,
}

impl Ssh {
    /// A connector with these limits.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { pool: Pool::new(settings) }
    }

    /// Asks and waits for the answer. Until the command is handed to the connection every error says
    /// that nothing was started; from then on they say that it may have been.
    async fn ask(&self, question: Question<'_>) -> Result<Reply, ConnectError> {
        let target = &question.endpoint.target;
        let host = &target.host;
        let nonce = Nonce::fresh();
        let command =
            guard::command(question.verb, question.token, target.guard_dir.as_deref(), &nonce)
                .map_err(|reason| misconfigured(host, reason))?;
        let input = question.script.map(|script| checked(host, script, &nonce)).transpose()?;
        let (channel, lease) = Box::pin(self.pool.session(question.endpoint)).await?;
        let (reading, writing) = channel.split();
        let mut session = Session { reading, writing: Some(writing), lease: Some(lease) };
        let mut answer = Answer::new(&nonce, question.output_cap, question.from, question.sink);
        let talk = session.talk(host, command, input.unwrap_or_default(), &mut answer);
        match tokio::time::timeout(question.limit, talk).await {
            Ok(talked) => talked?,
            Err(_) => {
                session.condemn();
                return Err(interrupted(host, "no end of the answer in time"));
            }
        }
        let ending = answer.ending().map_err(|fault| interrupted(host, fault))?;
        Ok(Reply { ending, truncated: answer.truncated() })
    }

    async fn follow_to_end(&self, question: Question<'_>) -> Result<Ended, ConnectError> {
        let host = &question.endpoint.target.host;
        let Reply { ending, truncated } = self.ask(question).await?;
        match ending {
            Ending::End { result } => match guard::read_result(&result) {
                Ok(Guard::Exited { code }) => Ok(Ended::Exited { code, truncated }),
                Ok(_) => Ok(Ended::TimedOut { truncated }),
                Err(error) => Err(interrupted(host, error)),
            },
            Ending::Guard { .. } => held(host, ending).map(Ended::Lost),
            Ending::Unusable { why } => Err(unusable(host, &why)),
            Ending::Gone => Err(interrupted(host, "the step's keeper on the host was killed")),
            Ending::Won => Err(interrupted(host, "the guard gave an answer out of place")),
        }
    }

    /// A question that is answered at once.
    fn question<'a>(&self, endpoint: &'a Endpoint, token: &'a str, verb: Verb) -> Question<'a> {
        Question {
            endpoint,
            token,
            verb,
            script: None,
            limit: self.pool.settings().reply_timeout,
            output_cap: 0,
            from: Offsets::default(),
            sink: None,
        }
    }
}

impl Connector for Ssh {
    fn run<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        effect: &'a Effect,
        output: &'a dyn OutputSink,
    ) -> Pending<'a, Result<Ended, ConnectError>> {
        let verb = Verb::Start {
            epoch: effect.epoch,
            timeout: effect.timeout,
            output_cap: effect.output_cap,
        };
        let question = Question {
            script: Some(&effect.script),
            limit: effect.timeout.saturating_add(self.pool.settings().step_grace),
            output_cap: effect.output_cap,
            sink: Some(output),
            ..self.question(endpoint, &effect.token, verb)
        };
        Box::pin(self.follow_to_end(question))
    }

    fn probe<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: &'a str,
    ) -> Pending<'a, Result<Guard, ConnectError>> {
        Box::pin(async move {
            let reply = self.ask(self.question(endpoint, token, Verb::Status)).await?;
            held(&endpoint.target.host, reply.ending)
        })
    }

    fn check<'a>(&'a self, endpoint: &'a Endpoint) -> Pending<'a, Result<(), ConnectError>> {
        Box::pin(async move {
            // A kept connection says nothing of who answers there now.
            let fresh = Self::new(self.pool.settings().clone());
            fresh.probe(endpoint, CHECKED).await.map(drop)
        })
    }

    fn fence<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: &'a str,
        epoch: i64,
    ) -> Pending<'a, Result<Fence, ConnectError>> {
        Box::pin(async move {
            let host = &endpoint.target.host;
            let reply = self.ask(self.question(endpoint, token, Verb::Fence { epoch })).await?;
            match reply.ending {
                Ending::Won => Ok(Fence::Won),
                ending => match held(host, ending)? {
                    // Ours, from a call whose answer got lost.
                    Guard::Fenced { epoch: by } if by == epoch => Ok(Fence::Won),
                    Guard::Absent => Err(interrupted(host, "the guard vanished while fencing")),
                    guard => Ok(Fence::Lost(guard)),
                },
            }
        })
    }

    fn follow<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        effect: &'a Effect,
        from: Offsets,
        output: &'a dyn OutputSink,
    ) -> Pending<'a, Result<Ended, ConnectError>> {
        let limit = effect.timeout.saturating_add(self.pool.settings().step_grace);
        // The host gives up before we do, and then says what it holds.
        let patience = effect.timeout.saturating_add(self.pool.settings().step_grace / 2);
        let question = Question {
            limit,
            output_cap: effect.output_cap,
            from,
            sink: Some(output),
            ..self.question(endpoint, &effect.token, Verb::Follow { from, patience })
        };
        Box::pin(self.follow_to_end(question))
    }

    fn kill<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: &'a str,
    ) -> Pending<'a, Result<Guard, ConnectError>> {
        Box::pin(async move {
            let question =
                Question { limit: KILL_TIME, ..self.question(endpoint, token, Verb::Kill) };
            held(&endpoint.target.host, self.ask(question).await?.ending)
        })
    }
}

/// The script with the nonce after it: the guard runs nothing that does not end in it.
fn checked(host: &str, script: &str, nonce: &Nonce) -> Result<Bytes, ConnectError> {
    if script.len() > SCRIPT_MAX {
        return Err(misconfigured(host, "the script is longer than 4 MiB"));
    }
    if script.contains('\0') {
        return Err(misconfigured(host, "the script holds a NUL byte"));
    }
    Ok(Bytes::from(format!("{script}{}", nonce.as_str())))
}

fn interrupted(host: &str, reason: impl fmt::Display) -> ConnectError {
    ConnectError::Interrupted { host: host.to_owned(), reason: reason.to_string() }
}

fn held(host: &str, ending: Ending) -> Result<Guard, ConnectError> {
    match ending {
        Ending::Guard { link, result, alive } => {
            guard::read(&link, &result, &alive).map_err(|error| interrupted(host, error))
        }
        Ending::Unusable { why } => Err(unusable(host, &why)),
        Ending::End { .. } | Ending::Won | Ending::Gone => {
            Err(interrupted(host, "the guard gave an answer out of place"))
        }
    }
}

/// The guard said itself, before it took the token, that it cannot work here.
fn unusable(host: &str, why: &str) -> ConnectError {
    let reason = match why {
        "directory" => "the guard directory cannot be made",
        "proc" => "/proc is not readable: the guard needs Linux",
        "fifo" => "the guard directory is not writable or holds no named pipes",
        "space" => "no space in the guard directory",
        "n" => "the step could not be launched: is setsid (util-linux) installed?",
        "shell" => "sh is a Korn shell on this host: the guard needs dash, bash or busybox",
        "k" => "the guard directory holds no symbolic links",
        "incomplete" => "the script arrived incomplete and was not run",
        _ => "the guard cannot work on this host",
    };
    misconfigured(host, reason)
}

/// An open session. Dropped in the middle, it is closed behind us, and only then given back.
struct Session {
    reading: ChannelReadHalf,
    writing: Option<ChannelWriteHalf<Msg>>,
    lease: Option<Lease>,
}

impl Session {
    /// No new session is opened on this connection.
    fn condemn(&self) {
        if let Some(lease) = &self.lease {
            lease.condemn();
        }
    }

    /// Sends command and input and listens until the host has closed its side.
    async fn talk(
        &mut self,
        host: &str,
        command: String,
        input: Bytes,
        answer: &mut Answer<'_>,
    ) -> Result<(), ConnectError> {
        let Some(writing) = &self.writing else {
            return Err(interrupted(host, "the session is closed"));
        };
        if let Err(error) = writing.exec(true, command).await {
            // The connection ended before it took the command.
            return Err(unreachable(host, error));
        }
        let speak = async {
            writing.data_bytes(input).await?;
            writing.eof().await
        };
        tokio::pin!(speak);
        let mut speaking = true;
        let (mut status, mut ended) = (None, false);
        while !(ended && status.is_some()) {
            let message = tokio::select! {
                spoken = &mut speak, if speaking => {
                    speaking = false;
                    // Nothing is concluded from a failure: the end shows in the reading half.
                    spoken.ok();
                    continue;
                }
                message = self.reading.wait() => message,
            };
            let heard = match message {
                Some(ChannelMsg::Data { data }) => answer.hear(Stream::Stdout, &data),
                Some(ChannelMsg::ExtendedData { data, ext: 1 }) => {
                    answer.hear(Stream::Stderr, &data)
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    status = Some(exit_status);
                    Ok(())
                }
                Some(ChannelMsg::Failure) => {
                    return Err(misconfigured(host, "the host refuses to run commands"));
                }
                Some(ChannelMsg::Eof) => {
                    ended = true;
                    Ok(())
                }
                Some(ChannelMsg::Close) | None => break,
                Some(_) => Ok(()),
            };
            heard.map_err(|fault| interrupted(host, fault))?;
            answer.room().await;
        }
        match status {
            Some(0) => Ok(()),
            Some(code) => {
                let said = answer.ending().err().map(|fault| format!(", {fault}"));
                let said = said.unwrap_or_default();
                Err(interrupted(host, format_args!("the guard exited with {code}{said}")))
            }
            None => Err(interrupted(host, "the session ended in the middle")),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let (Some(writing), Some(lease)) = (self.writing.take(), self.lease.take()) else { return };
        // The host must see the close before the next session is opened in its place.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                writing.close().await.ok();
                drop(lease);
            });
        }
    }
}
