//! One connection: socket, host key, login.

use std::fmt::Display;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, PoisonError};

use model::connector::{ConnectError, Endpoint, Login};
use model::secret::Secret;
use russh::client::{self, AuthResult, Config, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{MethodKind, SshId};
use tokio::net::TcpStream;

use crate::Settings;
use crate::host_key::{Pinned, fingerprint};

/// Unanswered signs of life after which a connection counts as dead.
const KEEPALIVES: usize = 3;

/// Rounds of questions answered during a password login; PAM asks one or two.
const QUESTION_ROUNDS: usize = 3;

/// An open, logged-in connection. Dropping it closes the socket at once.
pub(crate) struct Connection {
    pub(crate) handle: Handle<Gatekeeper>,
    _cut: Cut,
}

/// Shuts a socket down when dropped. The task that reads it may be waiting for a host that never
/// speaks again, and would keep it open for ever.
pub(crate) struct Cut(std::net::TcpStream);

impl Drop for Cut {
    fn drop(&mut self) {
        // Fails only when the other side has closed it before.
        self.0.shutdown(Shutdown::Both).ok();
    }
}

/// Lets a connection go on only with a pinned host key.
#[derive(Debug)]
pub(crate) struct Gatekeeper {
    pinned: Pinned,
    refused: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Gatekeeper {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let known = self.pinned.holds(shown);
        if !known {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(fingerprint(&shown.public_key()));
        }
        Ok(known)
    }
}

/// An [`ConnectError::Unreachable`] in the transport's words.
pub(crate) fn unreachable(host: &str, reason: impl Display) -> ConnectError {
    ConnectError::Unreachable { host: host.to_owned(), reason: reason.to_string() }
}

/// A [`ConnectError::Misconfigured`].
pub(crate) fn misconfigured(host: &str, reason: impl Display) -> ConnectError {
    ConnectError::Misconfigured { host: host.to_owned(), reason: reason.to_string() }
}

/// A TCP connection, and what cuts it.
pub(crate) async fn open_socket(host: &str, port: u16) -> Result<(TcpStream, Cut), ConnectError> {
    let failed = |error: std::io::Error| unreachable(host, error);
    let socket = TcpStream::connect((host, port)).await.map_err(failed)?;
    socket.set_nodelay(true).map_err(failed)?;
    let socket = socket.into_std().map_err(failed)?;
    let cut = Cut(socket.try_clone().map_err(failed)?);
    Ok((TcpStream::from_std(socket).map_err(failed)?, cut))
}

/// Connects, checks the host key and logs in, all within `connect_timeout`.
pub(crate) async fn open(
    endpoint: &Endpoint,
    settings: &Settings,
) -> Result<Connection, ConnectError> {
    let host = &endpoint.target.host;
    let opening = Box::pin(open_unhurried(endpoint, settings));
    match tokio::time::timeout(settings.connect_timeout, opening).await {
        Ok(opened) => opened,
        Err(_) => Err(unreachable(host, "no connection in time")),
    }
}

async fn open_unhurried(
    endpoint: &Endpoint,
    settings: &Settings,
) -> Result<Connection, ConnectError> {
    let target = &endpoint.target;
    let host = &target.host;
    if target.transport != "ssh" {
        return Err(misconfigured(host, format_args!("{} is not ssh", target.transport)));
    }
    let pinned = Pinned::of(target).map_err(|number| {
        misconfigured(host, format_args!("pinned host key {number} is not a public key line"))
    })?;
    let proof = Proof::of(endpoint)?;
    let config = Config {
        client_id: SshId::Standard("SSH-2.0-Countersign".into()),
        preferred: pinned.preferred(),
        keepalive_interval: Some(settings.keepalive),
        keepalive_max: KEEPALIVES,
        nodelay: true,
        ..Config::default()
    };
    let refused = Arc::new(Mutex::new(None));
    let gatekeeper = Gatekeeper { pinned, refused: refused.clone() };
    let (socket, cut) = open_socket(host, target.port).await?;
    let connected = client::connect_stream(Arc::new(config), socket, gatekeeper).await;
    if let Some(shown) = refused.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let pinned = target.host_keys.len();
        return Err(ConnectError::HostKey { host: host.clone(), shown, pinned });
    }
    let mut handle = connected.map_err(|error| unreachable(host, error))?;
    let accepted = log_in(&mut handle, &target.username, proof).await;
    match accepted {
        Ok(Verdict::Accepted) => Ok(Connection { handle, _cut: cut }),
        Ok(Verdict::Ended) => Err(unreachable(host, "closed during login")),
        Ok(Verdict::Refused) => {
            Err(ConnectError::Login { host: host.clone(), username: target.username.clone() })
        }
        Err(error) => Err(unreachable(host, error)),
    }
}

/// A login, read and ready to be used.
enum Proof {
    Nothing,
    Key(Arc<PrivateKey>),
    Password(Secret),
}

impl Proof {
    fn of(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let host = &endpoint.target.host;
        match &endpoint.login {
            None => Ok(Self::Nothing),
            Some(Login::Password(password)) => Ok(Self::Password(password.clone())),
            Some(Login::Key(key)) => {
                let key = PrivateKey::from_openssh(key.expose())
                    .map_err(|_| misconfigured(host, "the login is not an OpenSSH private key"))?;
                if key.is_encrypted() {
                    return Err(misconfigured(host, "the private key is encrypted"));
                }
                Ok(Self::Key(Arc::new(key)))
            }
        }
    }
}

/// What came of a login.
enum Verdict {
    Accepted,
    Refused,
    /// The connection ended before there was an answer.
    Ended,
}

async fn log_in(
    handle: &mut Handle<Gatekeeper>,
    username: &str,
    proof: Proof,
) -> Result<Verdict, russh::Error> {
    let result = match proof {
        Proof::Nothing => handle.authenticate_none(username).await?,
        Proof::Key(key) => {
            let key = PrivateKeyWithHashAlg::new(key, None);
            handle.authenticate_publickey(username, key).await?
        }
        Proof::Password(password) => {
            let Some(password) = password.expose_str() else { return Ok(Verdict::Refused) };
            let result = handle.authenticate_password(username, password).await?;
            if let AuthResult::Failure { remaining_methods, .. } = &result
                && remaining_methods.contains(&MethodKind::KeyboardInteractive)
            {
                return answer_questions(handle, username, password).await;
            }
            result
        }
    };
    Ok(match result {
        AuthResult::Success => Verdict::Accepted,
        // russh reports a connection that ended as a refusal that leaves no method; a server that
        // refuses names those that are left.
        AuthResult::Failure { remaining_methods, .. }
            if remaining_methods.is_empty() && handle.is_closed() =>
        {
            Verdict::Ended
        }
        AuthResult::Failure { .. } => Verdict::Refused,
    })
}

/// Password login as PAM does it: one hidden question. Anything else is not answered, least of all
/// with the password.
async fn answer_questions(
    handle: &mut Handle<Gatekeeper>,
    username: &str,
    password: &str,
) -> Result<Verdict, russh::Error> {
    let mut reply = handle.authenticate_keyboard_interactive_start(username, None).await?;
    let mut given = false;
    for _ in 0..QUESTION_ROUNDS {
        let answers = match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(Verdict::Accepted),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(Verdict::Refused),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                match prompts.as_slice() {
                    [] => vec![],
                    [prompt] if !prompt.echo && !given => {
                        given = true;
                        vec![password.to_owned()]
                    }
                    _ => return Ok(Verdict::Refused),
                }
            }
        };
        reply = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Ok(match reply {
        KeyboardInteractiveAuthResponse::Success => Verdict::Accepted,
        _ => Verdict::Refused,
    })
}
