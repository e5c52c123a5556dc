//! A server of our own in this process, for what OpenSSH cannot be made to do.

use std::borrow::Cow;
use std::fs;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::connector::{Endpoint, Login};
use model::id::{ConnectionId, ResourceId};
use model::level::EnvironmentClass;
use model::plan::Target;
use model::secret::Secret;
use russh::keys::PrivateKey;
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session, run_stream};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// The only password that opens the door.
pub(crate) const PASSWORD: &str = "correct horse";

/// How the peer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Takes the password and runs commands.
    Honest,
    /// Takes the password only as the answer to one hidden question, as PAM does.
    OneQuestion,
    /// Asks this many questions at once, again and again.
    ManyQuestions(usize),
    /// Takes every command and never says anything again.
    NeverAnswers,
    /// Takes every command and prints for ever.
    NeverStops,
    /// Takes every command and closes without an exit status.
    BreaksOff,
    /// Refuses to run commands.
    RunsNothing,
    /// Opens no session.
    OpensNothing,
}

impl Behaviour {
    const fn methods(self) -> &'static [MethodKind] {
        match self {
            Self::OneQuestion | Self::ManyQuestions(_) => &[MethodKind::KeyboardInteractive],
            _ => &[MethodKind::Password],
        }
    }
}

/// A running peer; it ends with the test.
pub(crate) struct Peer {
    port: u16,
    host_key: String,
    dir: tempfile::TempDir,
    /// How often anybody tried to log in.
    pub(crate) logins: Arc<AtomicUsize>,
}

impl Peer {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        Self::with_key(behaviour, "ed25519").await
    }

    pub(crate) async fn with_key(behaviour: Behaviour, kind: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-N", "", "-C", "", "-t", kind, "-f"])
            .arg(&path)
            .stdin(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let host_key = fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned();
        let key = PrivateKey::from_openssh(fs::read(&path).unwrap()).unwrap();
        let config = Arc::new(Config {
            keys: vec![key],
            methods: MethodSet::from(behaviour.methods()),
            auth_rejection_time: Duration::ZERO,
            ..Config::default()
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let logins = Arc::new(AtomicUsize::new(0));
        let door = Door {
            behaviour,
            logins: logins.clone(),
            home: dir.path().to_string_lossy().into_owned(),
            command: None,
            input: Vec::new(),
        };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (config, door) = (config.clone(), door.clone());
                tokio::spawn(async move {
                    if let Ok(running) = run_stream(config, socket, door).await {
                        running.await.ok();
                    }
                });
            }
        });
        Self { port, host_key, dir, logins }
    }

    pub(crate) fn login_attempts(&self) -> usize {
        self.logins.load(Ordering::SeqCst)
    }

    pub(crate) fn endpoint(&self, password: &str) -> Endpoint {
        let target = Target {
            resource_id: ResourceId::generate(),
            connection_id: ConnectionId::generate(),
            name: "peer".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: self.port,
            username: "somebody".to_owned(),
            transport: "ssh".to_owned(),
            credential_id: None,
            credential_version: None,
            host_keys: vec![self.host_key.clone()],
            guard_dir: Some(self.dir.path().join("guard").to_string_lossy().into_owned()),
            environment: EnvironmentClass::Test,
        };
        Endpoint { target, login: Some(Login::Password(Secret::from(password.to_owned()))) }
    }
}

#[derive(Clone)]
struct Door {
    behaviour: Behaviour,
    logins: Arc<AtomicUsize>,
    home: String,
    command: Option<String>,
    input: Vec<u8>,
}

impl Door {
    fn open_for(&self, password: &str) -> Auth {
        if password == PASSWORD { Auth::Accept } else { self.refusal() }
    }

    /// Like every real server, says how one may go on.
    fn refusal(&self) -> Auth {
        let proceed_with_methods = Some(MethodSet::from(self.behaviour.methods()));
        Auth::Reject { proceed_with_methods, partial_success: false }
    }
}

impl Handler for Door {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        self.logins.fetch_add(1, Ordering::SeqCst);
        Ok(match self.behaviour {
            Behaviour::OneQuestion | Behaviour::ManyQuestions(_) => self.refusal(),
            _ => self.open_for(password),
        })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        self.logins.fetch_add(1, Ordering::SeqCst);
        let count = match self.behaviour {
            Behaviour::ManyQuestions(count) => count,
            _ => 1,
        };
        if let Some(mut answers) = response {
            if self.behaviour == Behaviour::OneQuestion {
                let answer = answers.next().unwrap_or_default();
                return Ok(self.open_for(&String::from_utf8_lossy(&answer)));
            }
            assert!(
                answers.all(|answer| answer != PASSWORD.as_bytes()),
                "the password was given away"
            );
        }
        let prompts = vec![(Cow::Borrowed("Password: "), false); count];
        Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() })
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.behaviour != Behaviour::OpensNothing {
            reply.accept().await;
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.command = Some(String::from_utf8(command.to_vec()).unwrap());
        match self.behaviour {
            Behaviour::RunsNothing => session.channel_failure(channel)?,
            Behaviour::BreaksOff => {
                session.channel_success(channel)?;
                session.data(channel, "Welcome".as_bytes().to_vec())?;
                session.close(channel)?;
            }
            Behaviour::NeverStops => {
                session.channel_success(channel)?;
                let handle = session.handle();
                tokio::spawn(async move {
                    while handle.data(channel, vec![b'x'; 32_000]).await.is_ok() {}
                });
            }
            _ => session.channel_success(channel)?,
        }
        Ok(())
    }

    async fn data(
        &mut self,
        _: ChannelId,
        data: &[u8],
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.input.extend_from_slice(data);
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let runs = matches!(self.behaviour, Behaviour::Honest | Behaviour::OneQuestion);
        let Some(command) = self.command.take().filter(|_| runs) else { return Ok(()) };
        let mut child = tokio::process::Command::new("sh")
            .args(["-c", &command])
            .env("HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&std::mem::take(&mut self.input)).await?;
        drop(stdin);
        let output = child.wait_with_output().await?;
        session.data(channel, output.stdout)?;
        session.extended_data(channel, 1, output.stderr)?;
        session.exit_status_request(channel, output.status.code().unwrap_or(255).unsigned_abs())?;
        session.eof(channel)?;
        session.close(channel)
    }
}
