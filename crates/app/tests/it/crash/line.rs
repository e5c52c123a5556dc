//! The line between our processes and PostgreSQL: it follows what is said, and can break just when
//! a certain transaction is committed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixListener, UnixStream};

/// The port in the name of a socket.
const PORT: u16 = 5432;

/// A message longer than this nobody sends.
const MOST: usize = 64 << 20;

/// What gets lost when the line breaks at a COMMIT. Whoever sent it cannot tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The COMMIT itself: nothing is kept.
    Commit,
    /// The answer to it: everything is kept.
    Answer,
}

#[derive(Debug, Default)]
struct Orders {
    /// A part of a statement, or of what it is given, and what to lose when its transaction is
    /// committed.
    armed: Option<(&'static str, Loss)>,
    struck: bool,
}

/// A line to a server, over a socket of its own.
#[derive(Debug)]
pub(super) struct Line {
    /// The connection string of the other end, by this line.
    pub(super) url: String,
    orders: Arc<Mutex<Orders>>,
    _dir: TempDir,
}

#[derive(Debug, Clone)]
enum End {
    Socket(PathBuf),
    Port(String, u16),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl End {
    fn of(options: &PgConnectOptions) -> Self {
        let port = options.get_port();
        match options.get_socket() {
            Some(dir) => Self::Socket(dir.join(format!(".s.PGSQL.{port}"))),
            None => Self::Port(options.get_host().to_owned(), port),
        }
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Socket(path) => Box::new(UnixStream::connect(path).await?),
            Self::Port(host, port) => Box::new(TcpStream::connect((host.as_str(), *port)).await?),
        })
    }
}

impl Line {
    /// A line to the server of this connection string.
    pub(super) fn to(url: &str) -> Self {
        let options = PgConnectOptions::from_str(url).expect("it was used already");
        let end = End::of(&options);
        let dir = tempfile::Builder::new().prefix("cs-line-").tempdir().expect("a directory");
        let socket = dir.path().join(format!(".s.PGSQL.{PORT}"));
        let listener = UnixListener::bind(&socket).expect("a socket");
        let here = options.socket(dir.path()).port(PORT).ssl_mode(PgSslMode::Disable);
        let url = here.to_url_lossy().to_string();
        let orders = Arc::<Mutex<Orders>>::default();
        let known = Arc::clone(&orders);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (end, orders) = (end.clone(), Arc::clone(&known));
                tokio::spawn(async move {
                    // A server that is away shows as a line that breaks.
                    if let Ok(server) = end.connect().await {
                        Call::default().carry(client, server, &orders).await;
                    }
                });
            }
        });
        Self { url, orders, _dir: dir }
    }

    /// Breaks, once, when a transaction with this in one of its statements, or in what they are
    /// given, is committed.
    pub(super) fn lose(&self, part: &'static str, loss: Loss) {
        *locked(&self.orders) = Orders { armed: Some((part, loss)), struck: false };
    }

    /// Whether it has broken since it was told to.
    pub(super) fn struck(&self) -> bool {
        locked(&self.orders).struck
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection.
#[derive(Debug, Default)]
struct Call {
    statements: HashMap<Vec<u8>, String>,
    /// The statements since the last BEGIN, and what they were given.
    transaction: Vec<String>,
}

impl Call {
    /// Carries messages until either end is gone, or the line breaks.
    async fn carry(mut self, client: UnixStream, server: Box<dyn Stream>, orders: &Mutex<Orders>) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = tokio::io::split(server);
        let mute = AtomicBool::new(false);
        let there = async {
            // The first message has no letter.
            let start = message(&mut from_client, false).await?;
            to_server.write_all(&start).await?;
            loop {
                let message = message(&mut from_client, true).await?;
                match self.loss(&message, orders) {
                    Some(Loss::Commit) => return Ok(()),
                    Some(Loss::Answer) => mute.store(true, Ordering::SeqCst),
                    None => {}
                }
                to_server.write_all(&message).await?;
            }
        };
        let back = async {
            loop {
                let message = message(&mut from_server, true).await?;
                if !mute.load(Ordering::SeqCst) {
                    to_client.write_all(&message).await?;
                } else if message.first() == Some(&b'Z') {
                    // The server is ready for more: the commit is done, and nobody is told.
                    return Ok(());
                }
            }
        };
        let _ended: std::io::Result<()> = tokio::select! {
            ended = there => ended,
            ended = back => ended,
        };
    }

    /// Takes a message of the client's in; says what is to be lost with it.
    fn loss(&mut self, message: &[u8], orders: &Mutex<Orders>) -> Option<Loss> {
        let (kind, body) = (message.first()?, message.get(5..)?);
        let mut texts = body.split(|byte| *byte == 0);
        let mut text = || String::from_utf8_lossy(texts.next().unwrap_or_default()).into_owned();
        match kind {
            b'P' => {
                let (name, sql) = (text(), text());
                self.statements.insert(name.into_bytes(), sql);
            }
            b'B' => {
                let (_portal, name) = (text(), text());
                self.transaction.extend(self.statements.get(name.as_bytes()).cloned());
                self.transaction.push(String::from_utf8_lossy(body).into_owned());
            }
            b'Q' => {
                let sql = text();
                if sql.starts_with("BEGIN") || sql.starts_with("ROLLBACK;") || sql == "ROLLBACK" {
                    self.transaction.clear();
                } else if sql.starts_with("COMMIT") {
                    return self.strike(orders);
                }
            }
            _other => {}
        }
        None
    }

    fn strike(&mut self, orders: &Mutex<Orders>) -> Option<Loss> {
        let statements = std::mem::take(&mut self.transaction);
        let mut orders = locked(orders);
        let meant = |(part, _): &(&str, Loss)| statements.iter().any(|sql| sql.contains(part));
        let (_, loss) = orders.armed.take_if(|armed| meant(armed))?;
        orders.struck = true;
        Some(loss)
    }
}

/// One message: a letter but for the first one, its length, and what it says.
async fn message(from: &mut (impl AsyncRead + Unpin), lettered: bool) -> std::io::Result<Vec<u8>> {
    let head = if lettered { 5 } else { 4 };
    let mut message = vec![0; head];
    from.read_exact(&mut message).await?;
    let length: [u8; 4] = message[head - 4..].try_into().expect("four bytes");
    let rest = usize::try_from(u32::from_be_bytes(length)).expect("a length").saturating_sub(4);
    assert!(rest < MOST, "the line lost the thread");
    message.resize(head + rest, 0);
    from.read_exact(&mut message[head..]).await?;
    Ok(message)
}
