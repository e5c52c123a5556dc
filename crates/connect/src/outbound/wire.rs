//! One exchange of HTTP/1.1 over a connection to a vetted address.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::destination::{Destination, Named};
use super::{Call, Error, Lines, Reply};

/// How much of an answer may be headers, in bytes.
const HEADER_BYTES: usize = 64 << 10;

/// Headers that are ours to say.
const OWN: [HeaderName; 5] = [
    header::HOST,
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
];

/// A connection with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to the first of these addresses that answers, and speaks TLS where the URL says so.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    destination: &Destination,
    tls: &Arc<ClientConfig>,
) -> std::io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(addresses).await?;
    stream.set_nodelay(true)?;
    if !destination.tls {
        return Ok(Box::new(stream));
    }
    let name = match &destination.host {
        Named::Address(ip) => ServerName::IpAddress((*ip).into()),
        Named::Name(name) => ServerName::try_from(name.clone()).map_err(std::io::Error::other)?,
    };
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
    Ok(Box::new(stream))
}

/// Makes the request of a call.
pub(super) fn request(
    call: &Call<'_>,
    destination: &Destination,
) -> Result<Request<Full<Bytes>>, Error> {
    let mut request = Request::new(Full::new(Bytes::from(call.body.clone())));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = destination.target.parse().map_err(|_| Error::Malformed)?;
    let headers = request.headers_mut();
    let host = HeaderValue::from_str(&destination.authority).map_err(|_| Error::Header)?;
    headers.insert(header::HOST, host);
    headers.insert(header::USER_AGENT, HeaderValue::from_static("countersign"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for (name, value) in &call.signed {
        if !OWN.contains(name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, text) in &call.headers {
        let name = HeaderName::try_from(*name).map_err(|_| Error::Header)?;
        headers.insert(name, text.value()?);
    }
    Ok(request)
}

/// Sends a request and, when its answer's head is there in time, reads the answer.
pub(super) async fn exchange<T>(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
    head: Instant,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, Error>,
) -> Result<T, Error> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEADER_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Error::Malformed)?;
    let answer = async {
        let response = timeout_at(head, sender.send_request(request)).await;
        read(response.map_err(|_| Error::TooSlow)?.map_err(|_| Error::Malformed)?).await
    };
    tokio::pin!(connection, answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // What has come is still to be had.
        _ = &mut connection => answer.await,
    }
}

/// Reads an answer whole, no more than `most_bytes` of it.
pub(super) async fn read(response: Response<Incoming>, most_bytes: usize) -> Result<Reply, Error> {
    plain(&response)?;
    let (parts, mut body) = response.into_parts();
    let too_large = Error::TooLarge { most_bytes };
    if usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX) > most_bytes {
        return Err(too_large);
    }
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Error::Malformed)?.into_data() else { continue };
        if kept.len() + data.len() > most_bytes {
            return Err(too_large);
        }
        kept.extend_from_slice(&data);
    }
    Ok(Reply { status: parts.status, headers: parts.headers, body: kept })
}

/// An answer that is compressed is refused: nobody asked for it, and a small one may unfold without
/// end.
fn plain(response: &Response<Incoming>) -> Result<(), Error> {
    let mut encoded = response.headers().get_all(header::CONTENT_ENCODING).iter();
    if encoded.any(|encoding| encoding.as_bytes() != b"identity") {
        return Err(Error::Malformed);
    }
    Ok(())
}

/// How long an answer in lines may take, and how long a line may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// When its head has to be there, and all of it when it is no success.
    pub(super) head: Instant,
    /// When nobody listens any longer.
    pub(super) end: Instant,
    /// How long a line may be, and an answer that is no success, in bytes.
    pub(super) most_bytes: usize,
}

/// Sends a request and hands out the lines of its answer as they come.
pub(super) async fn lines(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
    limits: Limits,
    mut each: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<Lines, Error> {
    let Limits { head, end, most_bytes } = limits;
    let each = &mut each;
    exchange(stream, request, head, async move |answer: Response<Incoming>| {
        if !answer.status().is_success() {
            let whole = timeout_at(head, read(answer, most_bytes));
            return whole.await.map_err(|_| Error::TooSlow)?.map(Lines::Refused);
        }
        plain(&answer)?;
        let handed = hand_out(answer.into_body(), most_bytes, each);
        timeout_at(end, handed).await.unwrap_or(Ok(Lines::TimeOver))
    })
    .await
}

async fn hand_out(
    mut body: Incoming,
    most_bytes: usize,
    each: &mut impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<Lines, Error> {
    let mut begun: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Error::Malformed)?.into_data() else { continue };
        let mut parts = data.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            if begun.len() + part.len() > most_bytes {
                return Err(Error::TooLarge { most_bytes });
            }
            begun.extend_from_slice(part);
            // The last part has no line break behind it yet.
            if parts.peek().is_some() {
                if each(&begun).is_break() {
                    return Ok(Lines::Ended);
                }
                begun.clear();
            }
        }
    }
    // An end in the middle of a line is a connection that was cut.
    if begun.is_empty() { Ok(Lines::Ended) } else { Err(Error::Malformed) }
}
