//! The account behind some credentials in one region: one call, as often as it takes, and lists to
//! their end.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use connect::Outbound;
use connect::pace::{Pace, back_off, chance};
use model::time::Clock;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::credentials::{Credentials, Scope};
use crate::error::Error;
use crate::table::{Ask, Protocol, Service, Table};
use crate::{tree, wire};

/// What reading may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// How often a call is tried at most.
    pub tries: u32,
    /// How long to wait after a first failure at most; after each further one at most twice as
    /// long, and never longer than twenty seconds.
    pub first_wait: Duration,
    /// How many calls are on their way at once at most.
    pub at_once: usize,
    /// How many pages a list may have.
    pub most_pages: u32,
    /// Which part of what a service lets an account ask is ours, above 0: an account has other
    /// callers, deployments among them.
    pub share: f64,
}

impl Default for Limits {
    fn default() -> Self {
        let first_wait = Duration::from_millis(200);
        Self { tries: 6, first_wait, at_once: 8, most_pages: 2_000, share: 0.5 }
    }
}

/// AWS, as some credentials see it in one region. Cheap to clone; the clones share one pace.
#[derive(Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

struct Inner {
    outbound: Outbound,
    credentials: Credentials,
    region: String,
    endpoint: Option<String>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    pace: Pace,
    slots: Semaphore,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.inner.region)
            .field("access_key_id", &self.inner.credentials.access_key_id)
            .finish_non_exhaustive()
    }
}

/// How many calls something took.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    calls: AtomicU64,
    throttled: AtomicU64,
}

impl Tally {
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }
}

/// Where an account's region is, and where the account itself is.
struct Partition {
    suffix: &'static str,
    /// The region that services without one are signed for.
    home: &'static str,
    /// What IAM is called.
    iam: &'static str,
}

/// AWS General Reference, IAM endpoints; IAM has one in each partition.
fn partition(region: &str) -> Partition {
    if region.starts_with("cn-") {
        let iam = "iam.cn-north-1.amazonaws.com.cn";
        Partition { suffix: "amazonaws.com.cn", home: "cn-north-1", iam }
    } else if region.starts_with("us-gov-") {
        Partition {
            suffix: "amazonaws.com",
            home: "us-gov-west-1",
            iam: "iam.us-gov.amazonaws.com",
        }
    } else {
        Partition { suffix: "amazonaws.com", home: "us-east-1", iam: "iam.amazonaws.com" }
    }
}

impl Aws {
    /// An account in a region, called through `outbound`: its rules say how large an answer may be
    /// and how long it may take. With an `endpoint` every service is called there.
    ///
    /// # Errors
    /// [`Error::Region`] when the region is none that AWS could have: it becomes part of the name
    /// of a host.
    pub fn new(
        outbound: Outbound,
        credentials: Credentials,
        region: &str,
        endpoint: Option<&str>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.is_empty() || region.len() > 32 || !region.bytes().all(plain) {
            return Err(Error::Region);
        }
        let endpoint = endpoint.map(|url| url.trim_end_matches('/').to_owned());
        let slots = Semaphore::new(limits.at_once.clamp(1, Semaphore::MAX_PERMITS));
        let region = region.to_owned();
        let pace = Pace::default();
        let inner = Inner { outbound, credentials, region, endpoint, clock, limits, pace, slots };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same region as somebody else, with a pace of their own.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(&self, credentials: Credentials) -> Result<Self, Error> {
        let Inner { outbound, region, endpoint, clock, limits, .. } = &*self.inner;
        let clock = Arc::clone(clock);
        Self::new(outbound.clone(), credentials, region, endpoint.as_deref(), clock, *limits)
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.inner.region
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Where a service is called, and the region it is signed for.
    pub(crate) fn place(&self, name: &str, service: &Service) -> (String, &str) {
        let region = &self.inner.region;
        let partition = partition(region);
        let signed = if service.global { partition.home } else { region };
        let base = match &self.inner.endpoint {
            Some(endpoint) => endpoint.clone(),
            None if service.global => format!("https://{}", partition.iam),
            None => {
                let host = service.host.as_deref().unwrap_or(name);
                format!("https://{host}.{region}.{}", partition.suffix)
            }
        };
        (base, signed)
    }

    /// The answer to a call, tried as often as it takes and may.
    pub(crate) async fn ask(
        &self,
        tally: &Tally,
        ask: &Ask,
        input: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let unmade = |fault| Error::Unmade { call: ask.title(), fault };
        let service = Table::shipped().services.get(&ask.service);
        let service = service.ok_or_else(|| unmade("its service is not known"))?;
        let Limits { share, tries, first_wait, .. } = self.inner.limits;
        let mut failed = 0;
        loop {
            let (rate, burst) = (service.rate * share, service.burst * share);
            self.inner.pace.wait(&ask.service, rate, burst).await;
            let error = match self.try_once(tally, service, ask, input).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failed += 1;
            if error.throttled() {
                tally.throttled.fetch_add(1, Ordering::Relaxed);
                self.inner.pace.drain(&ask.service);
            }
            if !error.passes() || failed >= tries {
                return Err(error);
            }
            tracing::debug!(call = ask.title(), %error, failed, "a call to AWS is tried again");
            tokio::time::sleep(back_off(first_wait, failed, chance())).await;
        }
    }

    async fn try_once(
        &self,
        tally: &Tally,
        service: &Service,
        ask: &Ask,
        input: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let unmade = |fault| Error::Unmade { call: ask.title(), fault };
        let (base, region) = self.place(&ask.service, service);
        let request = wire::request(&base, service, ask, input).map_err(unmade)?;
        // Held until the answer is there; the semaphore is never closed.
        let _slot = self.inner.slots.acquire().await.map_err(|_| unmade("nobody may call"))?;
        let scope = Scope {
            service: service.signing.as_deref().unwrap_or(&ask.service),
            region,
            s3: service.protocol == Protocol::S3,
            // When it is sent: a signature is good for minutes only.
            at: self.inner.clock.now(),
        };
        let call = self.inner.credentials.sign(&request, scope).map_err(unmade)?;
        tally.calls.fetch_add(1, Ordering::Relaxed);
        let reply = self.inner.outbound.send(call).await;
        let reply = reply.map_err(|source| Error::Unanswered { call: ask.title(), source })?;
        wire::answer(service, ask, &reply)
    }

    /// The answer to a call whose input is filled from what was read so far: its list to the end,
    /// or the answer itself, with what further pages bring laid onto it.
    pub(crate) async fn whole(
        &self,
        tally: &Tally,
        ask: &Ask,
        read: &Value,
    ) -> Result<Value, Error> {
        let unmade = |fault| Error::Unmade { call: ask.title(), fault };
        let missing = || unmade("what it asks about was not read");
        // What no table lists has no places to fill: its braces are somebody's.
        let (mut input, filled) = if read.is_null() {
            (ask.input.clone(), ask.clone())
        } else {
            let input = wire::filled(&ask.input, read).ok_or_else(missing)?;
            let call = wire::filled_path(&ask.call, read).ok_or_else(missing)?;
            (input, Ask { call, ..ask.clone() })
        };
        let service = Table::shipped().services.get(&ask.service);
        let paging = service.and_then(|service| ask.paging(service));
        let mut size = paging.as_ref().map_or(0, |paging| paging.size);
        let mut gathered = if ask.items.is_some() { Value::Array(Vec::new()) } else { Value::Null };
        let mut before = None;
        let mut pages = 0;
        loop {
            if let Some(name) = paging.as_ref().and_then(|paging| paging.size_name.as_ref()) {
                input.insert(name.clone(), size.into());
            }
            let answer = match self.ask(tally, &filled, &input).await {
                Ok(answer) => answer,
                // Half as many may fit.
                Err(error) => match &paging {
                    Some(paging) if error.too_large() && size / 2 >= paging.least => {
                        size /= 2;
                        continue;
                    }
                    _ => return Err(untitled(error, ask)),
                },
            };
            let next = paging.as_ref().and_then(|paging| tree::text_at(&answer, &paging.next));
            let page = match &ask.items {
                Some(path) => Value::Array(tree::list_at(&answer, path)),
                None => answer,
            };
            tree::merge(&mut gathered, page);
            let (Some(next), Some(paging)) = (next.filter(|next| !next.is_empty()), &paging) else {
                return Ok(gathered);
            };
            pages += 1;
            let endless = |fault| Error::Endless { call: ask.title(), fault };
            if pages >= self.inner.limits.most_pages {
                return Err(endless("it has more pages than are read"));
            }
            if before.as_ref() == Some(&next) {
                return Err(endless("the next page is the same again"));
            }
            input.insert(paging.token.clone(), next.clone().into());
            before = Some(next);
        }
    }
}

/// An error under the name the call has in the table: without what was filled in, which is the
/// account's.
fn untitled(error: Error, ask: &Ask) -> Error {
    let title = ask.title();
    match error {
        Error::Refused { code, .. } => Error::Refused { call: title, code },
        Error::Credentials { code, .. } => Error::Credentials { call: title, code },
        Error::Throttled { code, .. } => Error::Throttled { call: title, code },
        Error::Failed { status, code, .. } => Error::Failed { call: title, status, code },
        Error::Unreadable { fault, .. } => Error::Unreadable { call: title, fault },
        Error::Endless { fault, .. } => Error::Endless { call: title, fault },
        Error::Unanswered { source, .. } => Error::Unanswered { call: title, source },
        Error::Unmade { fault, .. } => Error::Unmade { call: title, fault },
        Error::Region => Error::Region,
    }
}
