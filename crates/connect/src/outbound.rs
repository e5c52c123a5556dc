//! The one way out over HTTP.
//!
//! Whoever chooses a URL chooses what this process connects to: webhooks, issuers of identities,
//! language models, keys. So every call looks its name up once, vets every address it was given,
//! and connects to one of those and no other. Redirections are not followed, answers are not
//! unpacked, and a proxy the environment names is not asked. What may not be reached and what
//! cannot be reached are one error, and nothing is sent to find out which.

mod address;
mod call;
mod destination;
mod lookup;
mod rules;
mod tls;
mod wire;

use std::fmt;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use model::id::TenantId;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use destination::{Destination, Named};
use rules::Meant;

pub use call::{Call, Lines, Reply, login};
pub use destination::UrlFault;
pub use http::{HeaderMap, Method, StatusCode};
pub use lookup::Lookup;
pub use rules::{Allowance, NoAllowance, NoCertificate, Rules};
pub use tls::{NoIdentity, Tls};

/// Why a call gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The URL is at fault, whatever lies behind it.
    #[error("the URL {0}")]
    Url(UrlFault),
    /// A header holds what none may.
    #[error("a header of the call holds a line break or another control character")]
    Header,
    /// There was no connection. Whether the address is not allowed, does not exist or does not
    /// answer is not told.
    #[error(
        "the address cannot be reached, or may not be: the operator of this deployment says which \
         networks calls may go to"
    )]
    Unreachable,
    /// The answer was not whole in time.
    #[error("the answer took too long")]
    TooSlow,
    /// The answer is larger than what is taken.
    #[error("the answer has more than {most_bytes} bytes")]
    TooLarge {
        /// What is taken, in bytes.
        most_bytes: usize,
    },
    /// The answer is no HTTP/1.1, is compressed, or is not of the form expected.
    #[error("the answer cannot be read")]
    Malformed,
}

/// Makes calls. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    rules: Arc<Rules>,
    tenant: Option<TenantId>,
    tls: Arc<ClientConfig>,
    lookup: Arc<dyn Lookup>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Why there can be no calls.
#[derive(Debug, thiserror::Error)]
#[error("the TLS settings for calls cannot be used")]
pub struct NoTls(#[source] rustls::Error);

impl Outbound {
    /// Calls under these rules, trusting the system's certificates and those of the rules.
    ///
    /// # Errors
    /// When a certificate of the rules cannot be used.
    pub fn new(rules: Rules) -> Result<Self, NoTls> {
        let mut roots = tls::system();
        for root in &rules.roots {
            roots.add(root.clone()).map_err(NoTls)?;
        }
        let tls = tls::anonymous(roots)?;
        let lookup = Arc::new(lookup::System);
        Ok(Self { rules: Arc::new(rules), tenant: None, tls: Arc::new(tls), lookup })
    }

    /// The same with names looked up by `lookup`.
    #[must_use]
    pub fn looking_up(self, lookup: Arc<dyn Lookup>) -> Self {
        Self { lookup, ..self }
    }

    /// The same for calls on behalf of `tenant`, with what is allowed to it alone.
    #[must_use]
    pub fn of(&self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self.clone() }
    }

    /// The same for a place with TLS settings of its own. Where calls may go stays as it is.
    ///
    /// # Errors
    /// When a certificate cannot be used, or is not the key's.
    pub fn speaking(&self, tls: &Tls) -> Result<Self, NoTls> {
        Ok(Self { tls: Arc::new(tls.client()?), ..self.clone() })
    }

    /// The same with other limits: how long a call may take, and how large the body of an answer
    /// may be, in bytes.
    #[must_use]
    pub fn limited(&self, timeout: Duration, most_bytes: usize) -> Self {
        let rules = Rules::clone(&self.rules).within(timeout).at_most(most_bytes);
        Self { rules: Arc::new(rules), ..self.clone() }
    }

    /// What is wrong with the text of a URL, before anything is called: for whoever stores one.
    ///
    /// # Errors
    /// The fault.
    pub fn check(url: &str) -> Result<(), UrlFault> {
        Destination::parse(url).map(drop)
    }

    /// Asks `url`.
    ///
    /// # Errors
    /// When there is no whole answer. Every status is an answer.
    pub async fn get(&self, url: &str) -> Result<Reply, Error> {
        self.send(Call::get(url)).await
    }

    /// Tells `url` a body of this media type.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, url: &str, media_type: &str, body: Vec<u8>) -> Result<Reply, Error> {
        self.send(Call::post(url, media_type, body)).await
    }

    /// Makes a call.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn send(&self, call: Call<'_>) -> Result<Reply, Error> {
        let destination = Destination::parse(call.url).map_err(Error::Url)?;
        let request = wire::request(&call, &destination)?;
        let end = Instant::now() + self.rules.timeout;
        let stream = self.connected(&destination, end).await?;
        let most_bytes = self.rules.most_bytes;
        let answer = wire::exchange(stream, request, end, async |answer| {
            wire::read(answer, most_bytes).await
        });
        timeout_at(end, answer).await.map_err(|_| Error::TooSlow)?
    }

    /// Makes a call whose answer is lines that come as things happen, and hands each to `each`
    /// without its line break, until the answer ends, `each` breaks off or `within` is over.
    ///
    /// The answer's head has to come in the rules' time. A line is held to the size the rules allow
    /// a whole answer; the number of lines is bounded by time alone. An answer that is no success is
    /// read like any other and comes back whole.
    ///
    /// # Errors
    /// As [`Self::get`]. What was handed to `each` before stays handed.
    pub async fn lines(
        &self,
        call: Call<'_>,
        within: Duration,
        each: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<Lines, Error> {
        let destination = Destination::parse(call.url).map_err(Error::Url)?;
        let request = wire::request(&call, &destination)?;
        let (begun, limits) = (Instant::now(), &self.rules);
        let head = begun + limits.timeout;
        let stream = self.connected(&destination, head).await?;
        let limits = wire::Limits { head, end: begun + within, most_bytes: limits.most_bytes };
        wire::lines(stream, request, limits, each).await
    }

    /// A connection to where a URL leads, when it may lead there.
    async fn connected(
        &self,
        destination: &Destination,
        end: Instant,
    ) -> Result<Box<dyn wire::Stream>, Error> {
        let connecting = async {
            let vetted = self.vetted(destination).await?;
            match wire::connect(&vetted, destination, &self.tls).await {
                Ok(stream) => Ok(stream),
                Err(error) => {
                    tracing::debug!(host = destination.authority, %error, "no connection");
                    Err(Error::Unreachable)
                }
            }
        };
        timeout_at(end, connecting).await.map_err(|_| Error::Unreachable)?
    }

    /// The addresses to connect to: those of one look-up, each of them allowed.
    ///
    /// A name with one address that is not allowed is refused whole: no name of the public
    /// Internet has a reason for it.
    async fn vetted(&self, destination: &Destination) -> Result<Vec<SocketAddr>, Error> {
        let found = match &destination.host {
            Named::Address(ip) => vec![*ip],
            Named::Name(name) => match self.lookup.lookup(name).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::debug!(host = name, %error, "a name has no address");
                    return Err(Error::Unreachable);
                }
            },
        };
        let (port, tls) = (destination.port, destination.tls);
        let permitted =
            found.iter().all(|ip| self.rules.permits(self.tenant, &Meant { ip: *ip, port, tls }));
        if found.is_empty() || !permitted {
            tracing::warn!(host = destination.authority, "a call to where none may go was refused");
            return Err(Error::Unreachable);
        }
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }
}

#[cfg(test)]
mod tests;
