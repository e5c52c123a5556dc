//! One call, as often as it takes and may: with a token that is fetched when it is needed, at the
//! pace the cloud allows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use connect::Outbound;
use connect::outbound::{Call, Method, Reply};
use connect::pace::{LONGEST_WAIT, Pace, back_off, chance};
use jiff::{SignedDuration, Timestamp};
use model::secret::Secret;
use model::time::Clock;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};

use crate::error::{self, Error};

/// A token is not used any more when it ends within this: answers take their time.
const MARGIN: SignedDuration = SignedDuration::from_secs(120);
/// What is taken for the life of a token that does not say its own.
const SHORT: i64 = 300;

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
    /// How many resources a page may have; the clouds give 1,000 at most.
    pub page: u32,
    /// Which part of what a cloud lets a caller ask is ours, above 0.
    pub share: f64,
}

impl Default for Limits {
    fn default() -> Self {
        let first_wait = Duration::from_millis(500);
        Self { tries: 6, first_wait, at_once: 4, most_pages: 1_000, page: 1_000, share: 0.5 }
    }
}

/// How a token is had.
pub(crate) trait Login: Send + Sync {
    /// What to do for one.
    ///
    /// # Errors
    /// When the credentials cannot be used.
    fn way(&self, now: Timestamp) -> Result<Way, Error>;
}

/// What to do for a token.
pub(crate) enum Way {
    /// It is at hand.
    Held(Secret),
    /// Somebody is asked for it.
    Ask {
        /// What that is called.
        call: &'static str,
        url: String,
        headers: Vec<(&'static str, Secret)>,
        /// What is told, as a form; without one it is asked by `GET`.
        form: Option<Vec<(&'static str, Secret)>>,
    },
}

/// A token.
struct Token {
    bearer: Secret,
    /// When it ends; one that was given does not, as far as we know.
    until: Option<Timestamp>,
}

/// An answer that holds a token (RFC 6749, section 5.1). Azure's metadata service writes the number
/// as a text.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<Value>,
}

/// A call.
pub(crate) struct Ask<'a> {
    /// What it is called in errors, without what the account says.
    pub(crate) call: &'static str,
    /// Whose quota it is on, calls a second and at once.
    pub(crate) quota: (&'static str, f64, f64),
    pub(crate) url: &'a str,
    /// What is told; without it is asked by `GET`.
    pub(crate) body: Option<&'a Value>,
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

/// Makes the calls to one cloud.
pub(crate) struct Calls {
    outbound: Outbound,
    login: Box<dyn Login>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    pace: Pace,
    slots: Semaphore,
    token: Mutex<Option<Token>>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Calls {
    pub(crate) fn new(
        outbound: Outbound,
        login: Box<dyn Login>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Self {
        let slots = Semaphore::new(limits.at_once.clamp(1, Semaphore::MAX_PERMITS));
        let (pace, token) = (Pace::default(), Mutex::new(None));
        Self { outbound, login, clock, limits, pace, slots, token }
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The answer to a call.
    pub(crate) async fn ask(&self, tally: &Tally, ask: &Ask<'_>) -> Result<Value, Error> {
        let (quota, rate, burst) = ask.quota;
        let (rate, burst) = (rate * self.limits.share, burst * self.limits.share);
        let (mut failed, mut renewed) = (0, false);
        loop {
            let bearer = self.bearer(tally).await?;
            self.pace.wait(quota, rate, burst).await;
            let error = match self.try_once(tally, ask, &bearer).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // It may have been taken back before its time: a new one, once.
            if matches!(error, Error::Credentials { .. }) && !renewed {
                renewed = true;
                // Unless somebody has got a new one meanwhile.
                let own = |token: &mut Token| token.bearer.expose() == bearer.expose();
                self.token.lock().await.take_if(own);
                continue;
            }
            failed += 1;
            if error.throttled() {
                tally.throttled.fetch_add(1, Ordering::Relaxed);
                self.pace.drain(quota);
            }
            if !error.passes() || failed >= self.limits.tries {
                return Err(error);
            }
            tracing::debug!(call = ask.call, %error, failed, "a call to a cloud is tried again");
            tokio::time::sleep(back_off(self.limits.first_wait, failed, chance())).await;
        }
    }

    async fn try_once(
        &self,
        tally: &Tally,
        ask: &Ask<'_>,
        bearer: &Secret,
    ) -> Result<Value, Error> {
        let call = match ask.body {
            None => Call::get(ask.url),
            Some(body) => Call::post(ask.url, "application/json", body.to_string().into_bytes()),
        };
        let header = Secret::new([b"Bearer ", bearer.expose()].concat());
        let call = call.header("accept", "application/json");
        let reply = self.send(tally, ask.call, call.secret_header("authorization", header)).await?;
        if let Some(wait) = told_to_wait(&reply) {
            self.pace.hold(ask.quota.0, wait);
        }
        read(ask.call, &reply)
    }

    async fn send(
        &self,
        tally: &Tally,
        name: &'static str,
        call: Call<'_>,
    ) -> Result<Reply, Error> {
        // Held until the answer is there; the semaphore is never closed.
        let _slot = self.slots.acquire().await;
        tally.calls.fetch_add(1, Ordering::Relaxed);
        let reply = self.outbound.send(call).await;
        reply.map_err(|source| Error::Unanswered { call: name, source })
    }

    /// A token that is good for a while.
    async fn bearer(&self, tally: &Tally) -> Result<Secret, Error> {
        // Others wait meanwhile, and find it there.
        let mut held = self.token.lock().await;
        let now = self.clock.now();
        let good = |token: &&Token| token.until.is_none_or(|until| now < until);
        if let Some(token) = held.as_ref().filter(good) {
            return Ok(token.bearer.clone());
        }
        let token = match self.login.way(now)? {
            Way::Held(bearer) => Token { bearer, until: None },
            Way::Ask { call, url, headers, form } => {
                let form = form.as_deref().map(written);
                self.granted(tally, (call, &url), &headers, form).await?
            }
        };
        let bearer = token.bearer.clone();
        *held = Some(token);
        Ok(bearer)
    }

    async fn granted(
        &self,
        tally: &Tally,
        (name, url): (&'static str, &str),
        headers: &[(&'static str, Secret)],
        form: Option<Secret>,
    ) -> Result<Token, Error> {
        let mut failed = 0;
        loop {
            let call = match &form {
                None => Call::new(Method::GET, url),
                Some(form) => {
                    Call::post(url, "application/x-www-form-urlencoded", form.expose().to_vec())
                }
            };
            let call = headers
                .iter()
                .fold(call, |call, (name, value)| call.secret_header(name, value.clone()));
            let granted = self.send(tally, name, call).await.and_then(|reply| grant(name, &reply));
            match granted {
                Ok((bearer, seconds)) => {
                    let life = SignedDuration::from_secs(seconds) - MARGIN;
                    let until = self.clock.now() + life.max(SignedDuration::from_secs(1));
                    return Ok(Token { bearer, until: Some(until) });
                }
                Err(error) => {
                    failed += 1;
                    if !error.passes() || failed >= self.limits.tries {
                        return Err(error);
                    }
                    tokio::time::sleep(back_off(self.limits.first_wait, failed, chance())).await;
                }
            }
        }
    }
}

/// A form as it is sent.
fn written(fields: &[(&'static str, Secret)]) -> Secret {
    let mut form = Vec::new();
    for (name, value) in fields {
        if !form.is_empty() {
            form.push(b'&');
        }
        form.extend_from_slice(name.as_bytes());
        form.push(b'=');
        form.extend(encoded(value.expose()).into_bytes());
    }
    Secret::new(form)
}

/// A text with everything percent-encoded but what needs it nowhere (RFC 3986, unreserved).
pub(crate) fn encoded(text: &[u8]) -> String {
    text.iter().fold(String::with_capacity(text.len()), |mut whole, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            whole.push(char::from(*byte));
        } else {
            whole.push_str(&format!("%{byte:02X}"));
        }
        whole
    })
}

/// The token of an answer, and for how many seconds it is good.
fn grant(call: &'static str, reply: &Reply) -> Result<(Secret, i64), Error> {
    let status = reply.status.as_u16();
    if !reply.status.is_success() {
        let code = fault(reply);
        // RFC 6749, section 5.2: what is wrong with a caller is told with 400.
        return Err(match status {
            400 | 403 => Error::Credentials { call, code },
            _ => Error::told(call, status, code),
        });
    }
    let fault = "it holds no token";
    let granted: Granted = reply.json().map_err(|_| Error::Unreadable { call, fault })?;
    let seconds = granted.expires_in.and_then(|value| match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    });
    // More than any of them has; what is added to a moment must not leave time.
    let seconds = seconds.unwrap_or(SHORT).clamp(0, 7 * 86_400);
    Ok((Secret::from(granted.access_token), seconds))
}

/// What an answer holds.
fn read(call: &'static str, reply: &Reply) -> Result<Value, Error> {
    if !reply.status.is_success() {
        return Err(Error::told(call, reply.status.as_u16(), fault(reply)));
    }
    let value: Value =
        reply.json().map_err(|_| Error::Unreadable { call, fault: "it is no whole JSON" })?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Error::Unreadable { call, fault: "it is no object" })
    }
}

/// What a cloud calls the fault of an answer: Azure and Google write `error` with a `code` (Google's
/// is the status) or a `status`, both write the text alone where they give tokens.
fn fault(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let error = &body["error"];
    let names = [error.as_str(), error["status"].as_str(), error["code"].as_str()];
    names.into_iter().flatten().next().map(error::code).unwrap_or_default()
}

/// How long not to ask again: `Retry-After` (RFC 9110), or the quota of Resource Graph when nothing
/// is left of it ("Guidance for throttled requests": `hh:mm:ss`).
fn told_to_wait(reply: &Reply) -> Option<Duration> {
    let text = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(seconds) = text("retry-after").and_then(|text| text.trim().parse::<u64>().ok()) {
        return Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
    }
    if text("x-ms-user-quota-remaining")?.trim() != "0" {
        return None;
    }
    let parts = text("x-ms-user-quota-resets-after")?.trim().split(':');
    let seconds = parts
        .map(|part| part.parse::<f64>().ok())
        .try_fold(0.0, |all, part| Some(all * 60.0 + part?))?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
