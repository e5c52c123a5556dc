//! Connections kept open and shared: many sessions on one, several to one host.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use model::connector::{ConnectError, Endpoint, Login};
use model::id::{ConnectionId, CredentialId};
use russh::client::Msg;
use russh::{Channel, Disconnect};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::Settings;
use crate::connection::{Connection, misconfigured, open, unreachable};

/// How long a host gets to notice that a session was closed, before it is asked for another.
const SETTLING: Duration = Duration::from_millis(20);

/// What must be equal for two steps to share a connection. The connection's id belongs to one
/// tenant; the rest makes sure that nobody uses a connection opened with other proofs than theirs.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    connection: ConnectionId,
    credential: Option<(CredentialId, Option<u32>)>,
    host: String,
    port: u16,
    username: String,
    host_keys: Vec<String>,
    login: [u8; 32],
}

impl Key {
    fn of(endpoint: &Endpoint) -> Self {
        let target = &endpoint.target;
        let mut login = Sha256::new();
        match &endpoint.login {
            None => login.update(b"none"),
            Some(Login::Key(key)) => {
                login.update(b"key");
                login.update(key.expose());
            }
            Some(Login::Password(password)) => {
                login.update(b"password");
                login.update(password.expose());
            }
        }
        Self {
            connection: target.connection_id,
            credential: target.credential_id.map(|id| (id, target.credential_version)),
            host: target.host.clone(),
            port: target.port,
            username: target.username.clone(),
            host_keys: target.host_keys.clone(),
            login: login.finalize().into(),
        }
    }
}

/// All open connections.
pub(crate) struct Pool {
    settings: Settings,
    hosts: Mutex<HashMap<Key, Arc<Host>>>,
}

/// The connections to one host with one login.
#[derive(Default)]
struct Host {
    lines: AsyncMutex<Vec<Arc<Line>>>,
    freed: Notify,
}

/// A connection with its sessions.
struct Line {
    connection: Connection,
    sessions: Arc<Semaphore>,
    /// How many sessions the host allows, as far as we know: less after it has refused one.
    capacity: AtomicUsize,
    dead: AtomicBool,
    /// Whether the host has ever opened a session on it.
    proven: AtomicBool,
    used: Mutex<Instant>,
}

impl Line {
    fn usable(&self) -> bool {
        !self.dead.load(Ordering::Acquire) && !self.connection.handle.is_closed()
    }
}

/// The right to one session on a connection.
pub(crate) struct Lease {
    line: Arc<Line>,
    host: Arc<Host>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        *self.line.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        drop(self.permit.take());
        self.host.freed.notify_waiters();
    }
}

impl Lease {
    /// The connection is of no use any more.
    pub(crate) fn condemn(&self) {
        self.line.dead.store(true, Ordering::Release);
    }

    /// The host refused a session: it allows fewer than we thought. The last one is kept.
    fn give_up_session(&mut self) -> Refused {
        let shrink = |capacity: usize| (capacity > 1).then(|| capacity - 1);
        let shrunk =
            self.line.capacity.fetch_update(Ordering::AcqRel, Ordering::Acquire, shrink).is_ok();
        if shrunk {
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
            Refused::Fewer
        } else if self.line.proven.load(Ordering::Acquire) {
            Refused::NotYet
        } else {
            Refused::None
        }
    }
}

/// A session asked for whose answer nobody has waited for: the host may have opened it and nobody
/// would close it. The connection is not used for more, and takes the session with it.
struct Unanswered<'a>(&'a Line);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.dead.store(true, Ordering::Release);
    }
}

/// What it means that a host opened no session.
enum Refused {
    /// It allows fewer than we tried.
    Fewer,
    /// It has opened some before, and has not noticed yet that they are closed.
    NotYet,
    /// It opens none at all.
    None,
}

impl Pool {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, hosts: Mutex::default() }
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A session on a connection to `endpoint`, opened or shared. Nothing has been asked of the host
    /// yet, so every error means that nothing was started.
    pub(crate) async fn session(
        &self,
        endpoint: &Endpoint,
    ) -> Result<(Channel<Msg>, Lease), ConnectError> {
        let name = &endpoint.target.host;
        let host = self.host(endpoint);
        let deadline = Instant::now() + self.settings.session_wait + self.settings.connect_timeout;
        let mut broken = 0_usize;
        loop {
            let mut lease =
                match tokio::time::timeout_at(deadline, self.lease(&host, endpoint)).await {
                    Ok(lease) => lease?,
                    Err(_) => return Err(unreachable(name, "all sessions stayed busy")),
                };
            let unanswered = Unanswered(&lease.line);
            let opening = lease.line.connection.handle.channel_open_session();
            let opened = timeout(self.settings.connect_timeout, opening).await;
            std::mem::forget(unanswered);
            match opened {
                Ok(Ok(channel)) => {
                    lease.line.proven.store(true, Ordering::Release);
                    return Ok((channel, lease));
                }
                Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
                    match lease.give_up_session() {
                        Refused::Fewer => {}
                        Refused::NotYet if Instant::now() < deadline => {
                            // With the session still held, so that the others wait as well.
                            tokio::time::sleep(SETTLING).await;
                        }
                        Refused::NotYet | Refused::None => {
                            lease.condemn();
                            let reason = format!("the host opens no session: {reason:?}");
                            return Err(misconfigured(name, reason));
                        }
                    }
                }
                // A kept connection may have died unnoticed; a fresh one that dies is a fault.
                failed => {
                    lease.condemn();
                    broken += 1;
                    if broken > self.settings.connections_per_host {
                        let reason = match failed {
                            Ok(Err(error)) => error.to_string(),
                            _ => "no session in time".to_owned(),
                        };
                        return Err(unreachable(name, reason));
                    }
                }
            }
        }
    }

    fn host(&self, endpoint: &Endpoint) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        // Hosts without connections are forgotten here, so that the map does not grow for ever.
        hosts.retain(|_, host| {
            Arc::strong_count(host) > 1
                || host.lines.try_lock().map_or(true, |lines| !lines.is_empty())
        });
        Arc::clone(hosts.entry(Key::of(endpoint)).or_default())
    }

    /// A free session on a living connection, a new connection, or a wait for either.
    async fn lease(&self, host: &Arc<Host>, endpoint: &Endpoint) -> Result<Lease, ConnectError> {
        loop {
            // Registered before the look, so that a session freed during it is not missed.
            let freed = host.freed.notified();
            {
                let mut lines = host.lines.lock().await;
                lines.retain(|line| line.usable());
                for line in lines.iter() {
                    if let Ok(permit) = Arc::clone(&line.sessions).try_acquire_owned() {
                        return Ok(Lease {
                            line: Arc::clone(line),
                            host: Arc::clone(host),
                            permit: Some(permit),
                        });
                    }
                }
                if lines.len() < self.settings.connections_per_host {
                    // Held across the wait on purpose: others want this very connection.
                    let line = Arc::new(self.connect(endpoint).await?);
                    lines.push(Arc::clone(&line));
                    tokio::spawn(close_when_idle(
                        Arc::downgrade(&line),
                        Arc::downgrade(host),
                        self.settings.clone(),
                    ));
                    // The others may share it now.
                    host.freed.notify_waiters();
                    continue;
                }
            }
            freed.await;
        }
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Line, ConnectError> {
        let sessions = self.settings.sessions_per_connection.max(1);
        Ok(Line {
            connection: Box::pin(open(endpoint, &self.settings)).await?,
            sessions: Arc::new(Semaphore::new(sessions)),
            capacity: AtomicUsize::new(sessions),
            dead: AtomicBool::new(false),
            proven: AtomicBool::new(false),
            used: Mutex::new(Instant::now()),
        })
    }
}

/// Closes a connection once nobody has used it for the idle timeout.
async fn close_when_idle(line: Weak<Line>, host: Weak<Host>, settings: Settings) {
    loop {
        let (Some(held), Some(host)) = (line.upgrade(), host.upgrade()) else { return };
        if !held.usable() {
            host.lines.lock().await.retain(|line| line.usable());
            return;
        }
        let used = *held.used.lock().unwrap_or_else(PoisonError::into_inner);
        let due = used + settings.idle_timeout;
        if Instant::now() >= due {
            // With the list locked nobody can take a session between the look and the close.
            let mut lines = host.lines.lock().await;
            if held.sessions.available_permits() >= held.capacity.load(Ordering::Acquire) {
                held.dead.store(true, Ordering::Release);
                lines.retain(|line| line.usable());
                drop(lines);
                let bye = held.connection.handle.disconnect(Disconnect::ByApplication, "", "");
                timeout(settings.reply_timeout, bye).await.ok();
                return;
            }
        }
        drop((held, host));
        let pause = settings.idle_timeout.min(due.saturating_duration_since(Instant::now()));
        tokio::time::sleep(pause.max(settings.idle_timeout / 8)).await;
    }
}
