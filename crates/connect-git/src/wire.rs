//! git's HTTP over the one way out: no redirection, every address vetted, every answer bounded.

use std::any::Any;
use std::io::{BufRead, Cursor, Error as IoError, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connect::Outbound;
use connect::outbound::{self, Call, Method};
use gix::error::ErrorExt as _;
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use model::secret::Secret;
use tokio::runtime::Handle;

use crate::Error;

/// How a name stands for nobody where a token is all there is.
const NOBODY: &[u8] = b"x-access-token:";
/// Headers git's protocol needs; who asks is said by the way out.
const NEEDED: [&str; 3] = ["content-type", "accept", "git-protocol"];

/// Makes the calls of one fetch.
#[derive(Clone)]
pub(crate) struct Wire {
    outbound: Outbound,
    runtime: Handle,
    login: Option<Secret>,
    trouble: Trouble,
}

/// What went wrong on the wire: git's own errors do not tell it apart.
#[derive(Clone, Default)]
pub(crate) struct Trouble(Arc<Mutex<Option<Error>>>);

impl Trouble {
    /// What went wrong, once.
    pub(crate) fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, error: Error) -> IoError {
        let kind = match error {
            Error::Denied => ErrorKind::PermissionDenied,
            _ => ErrorKind::Other,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        IoError::new(kind, "the call to the repository failed")
    }
}

impl Wire {
    /// Calls by `outbound`, made from a thread that may wait.
    pub(crate) fn new(outbound: Outbound, runtime: Handle, login: Option<&Secret>) -> Self {
        Self { outbound, runtime, login: login.map(authorization), trouble: Trouble::default() }
    }

    pub(crate) fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }

    fn exchange(
        &self,
        method: Method,
        url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Exchange {
        let headers = headers.into_iter().filter_map(|header| {
            let (name, value) = header.as_ref().split_once(':')?;
            let name = NEEDED.into_iter().find(|needed| needed.eq_ignore_ascii_case(name))?;
            Some((name, value.trim().to_owned()))
        });
        let request =
            Request { method, url: url.to_owned(), headers: headers.collect(), body: Vec::new() };
        Exchange(Arc::new(Mutex::new(State::Open(self.clone(), request))))
    }

    /// Makes the call.
    fn send(&self, request: Request) -> Result<outbound::Reply, Error> {
        let mut call = Call::new(request.method, &request.url).with_body(request.body);
        for (name, value) in request.headers {
            call = call.header(name, value);
        }
        if let Some(login) = &self.login {
            call = call.secret_header("authorization", login.clone());
        }
        let reply =
            self.runtime.block_on(self.outbound.send(call)).map_err(|error| match error {
                outbound::Error::TooLarge { most_bytes } => {
                    Error::TooLarge { most: most_bytes, of: "bytes packed" }
                }
                other => Error::Call(other),
            })?;
        match reply.status.as_u16() {
            200 => Ok(reply),
            401 | 403 => Err(Error::Denied),
            300..=399 => Err(Error::Redirected),
            status => Err(Error::Status { status }),
        }
    }
}

/// The header `Authorization` of a login: a token is the password of nobody in particular, as code
/// hosts take it.
fn authorization(login: &Secret) -> Secret {
    let text = login.expose();
    if text.contains(&b':') {
        return outbound::login(login);
    }
    outbound::login(&Secret::new([NOBODY, text].concat()))
}

struct Request {
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// A call, made when its answer is first read.
#[derive(Clone)]
pub(crate) struct Exchange(Arc<Mutex<State>>);

enum State {
    Open(Wire, Request),
    Done { head: Vec<u8>, body: Vec<u8> },
    Failed,
}

impl Exchange {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the call unless it is made; gives the part of the answer.
    fn part(&self, part: Part) -> std::io::Result<Vec<u8>> {
        let mut state = self.state();
        if matches!(*state, State::Open(..)) {
            let State::Open(wire, request) = std::mem::replace(&mut *state, State::Failed) else {
                return Err(IoError::other("the call was made already"));
            };
            let reply = wire.send(request).map_err(|error| wire.trouble.keep(error))?;
            let mut head = Vec::new();
            for (name, value) in &reply.headers {
                head.extend_from_slice(name.as_str().as_bytes());
                head.extend_from_slice(b": ");
                head.extend_from_slice(value.as_bytes());
                head.push(b'\n');
            }
            *state = State::Done { head, body: reply.body };
        }
        match &mut *state {
            State::Done { head, body } => Ok(std::mem::take(match part {
                Part::Head => head,
                Part::Body => body,
            })),
            State::Open(..) | State::Failed => {
                Err(IoError::other("the call to the repository failed"))
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Head,
    Body,
}

/// Reads a part of an answer.
pub(crate) struct Answer {
    exchange: Exchange,
    part: Part,
    read: Option<Cursor<Vec<u8>>>,
}

impl Answer {
    fn of(exchange: &Exchange, part: Part) -> Self {
        Self { exchange: exchange.clone(), part, read: None }
    }
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Answer {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let read = match self.read.take() {
            Some(read) => read,
            None => Cursor::new(self.exchange.part(self.part)?),
        };
        self.read.insert(read).fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Some(read) = &mut self.read {
            read.consume(count);
        }
    }
}

/// Takes what a call tells.
pub(crate) struct Told(Exchange);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut *self.0.state() {
            State::Open(_, request) => request.body.extend_from_slice(bytes),
            State::Done { .. } | State::Failed => {
                return Err(IoError::other("the call was made already"));
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Http for Wire {
    type Headers = Answer;
    type ResponseBody = Answer;
    type PostBody = Told;

    fn get(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Answer, Answer>> {
        let exchange = self.exchange(Method::GET, url, headers);
        let mut headers = Answer::of(&exchange, Part::Head);
        // A login that will not do is told here, before the answer is read.
        headers.fill_buf().map_err(|error| error.raise())?;
        Ok(GetResponse { headers, body: Answer::of(&exchange, Part::Body) })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Answer, Answer, Told>> {
        let exchange = self.exchange(Method::POST, url, headers);
        Ok(PostResponse {
            headers: Answer::of(&exchange, Part::Head),
            body: Answer::of(&exchange, Part::Body),
            post_body: Told(exchange),
        })
    }

    /// Nothing of git's own configuration counts here: proxies, authorities and headers are the way
    /// out's.
    fn configure(&mut self, _config: &dyn Any) -> gix::Result {
        Ok(())
    }
}
