//! Turning a bearer token into a caller.
//!
//! A token is `cs_<public id>_<secret>` (API key) or `css_<secret>` (login session). Only SHA-256
//! hashes of secrets are stored; they are compared in constant time.

mod known;
pub mod store;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Digest;
use model::audit::Origin;

use crate::caller::{Caller, Proof};
use crate::problem::{Answer, Problem};
use crate::state::App;
use crate::together::{Together, Work};

/// The console's session cookie.
pub const COOKIE: &str = "__Host-countersign";

/// Prefix of API keys.
const KEY_PREFIX: &str = "cs_";
/// Prefix of session tokens.
const SESSION_PREFIX: &str = "css_";

/// A fresh token: shown once, stored as its hash.
#[derive(Clone)]
pub struct Token {
    /// What the holder sends.
    pub text: String,
    /// What is looked up, for API keys.
    pub public_id: String,
    /// What is stored.
    pub hash: Digest,
}

model::lacks!(Token: std::fmt::Display, serde::Serialize);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("public_id", &self.public_id).finish_non_exhaustive()
    }
}

/// `count` bytes nobody can guess, as URL-safe text.
///
/// # Errors
/// When the system has no randomness to give.
pub fn random_text(count: usize) -> Answer<String> {
    let mut bytes = vec![0; count];
    rand::fill(&mut bytes)
        .map_err(|_| Problem::unavailable("the system has no randomness to give; try again"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A fresh API key.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_key() -> Answer<Token> {
    // The public id has no underscore or dash, so that the token splits in one way only.
    let public_id: String =
        random_text(18)?.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let secret = random_text(32)?;
    let text = format!("{KEY_PREFIX}{public_id}_{secret}");
    Ok(Token { hash: Digest::of(text.as_bytes()), public_id, text })
}

/// A fresh session token.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_session() -> Answer<Token> {
    let text = format!("{SESSION_PREFIX}{}", random_text(32)?);
    Ok(Token { hash: Digest::of(text.as_bytes()), public_id: String::new(), text })
}

/// The caller a token stands for.
///
/// # Errors
/// 401 without saying which part was wrong; 503 when the database is not available.
pub async fn resolve(app: &App, token: &str, origin: Origin) -> Answer<Caller> {
    let unknown =
        || Problem::unauthenticated("this API key or session is not, or no longer, valid");
    let hash = Digest::of(token.as_bytes());
    let public_id = if token.starts_with(SESSION_PREFIX) {
        None
    } else {
        let parts = token.strip_prefix(KEY_PREFIX).and_then(|rest| rest.split_once('_'));
        let (public_id, _) = parts.ok_or_else(unknown)?;
        Some(public_id.to_owned())
    };
    let look = Look { app: app.clone(), hash, public_id };
    let gone = || Problem::unavailable("who is asking could not be found out; try again");
    let found = LOOKS.ask(hash, (), look).await.unwrap_or_else(|| Err(gone()))?;
    let caller = found.ok_or_else(unknown)?;
    // What was looked up for several is each one's own, but for where it came from.
    let session = caller.origin.session.clone();
    Ok(Caller { origin: Origin { session, ..origin }, ..caller })
}

/// Requests with one token that come at the same time are looked up together, each of them after
/// it came.
static LOOKS: LazyLock<Together<Digest, (), Found>> = LazyLock::new(Together::default);

type Found = Answer<Option<Caller>>;

/// Looking up one token.
struct Look {
    app: App,
    hash: Digest,
    /// Of an API key; `None` for a session.
    public_id: Option<String>,
}

impl Work<(), Found> for Look {
    fn take(&self, waiting: &mut dyn Iterator<Item = &()>) -> usize {
        waiting.count()
    }

    async fn round(&self, items: Vec<()>) -> Vec<Found> {
        let found = match &self.public_id {
            Some(public_id) => key(&self.app, public_id, &self.hash, Origin::default()).await,
            None => session(&self.app, &self.hash, Origin::default()).await,
        };
        vec![found; items.len()]
    }
}

async fn session(app: &App, hash: &Digest, origin: Origin) -> Answer<Option<Caller>> {
    if let Some(place) = known::place(hash) {
        let found = store::FoundSession { tenant: place.tenant, id: place.id.into() };
        if let Some(caller) = store::session_caller(app, found, Some(hash), origin.clone()).await? {
            return Ok(Some(caller));
        }
        known::forget(hash);
    }
    let Some(found) = store::find_session(app, hash).await? else { return Ok(None) };
    let caller = store::session_caller(app, found, Some(hash), origin).await?;
    if caller.is_some() {
        known::remember(*hash, known::Place { tenant: found.tenant, id: found.id.uuid() });
    }
    Ok(caller)
}

/// Whether a stored hash is that of what was sent, in a time that says nothing about either.
fn is(stored: &[u8], sent: &Digest) -> bool {
    verify_slices_are_equal(stored, sent.as_bytes()).is_ok()
}

async fn key(app: &App, public_id: &str, hash: &Digest, origin: Origin) -> Answer<Option<Caller>> {
    if let Some(place) = known::place(hash) {
        let (tenant, id) = (place.tenant, place.id.into());
        let found = store::FoundKey { tenant, id, hash: hash.as_bytes().to_vec() };
        if let Some(caller) = store::key_caller(app, &found, Some(hash), origin.clone()).await? {
            return Ok(Some(caller));
        }
        known::forget(hash);
    }
    for candidate in store::find_keys(app, public_id).await? {
        if is(&candidate.hash, hash) {
            let caller = store::key_caller(app, &candidate, Some(hash), origin).await?;
            if caller.is_some() {
                let place = known::Place { tenant: candidate.tenant, id: candidate.id.uuid() };
                known::remember(*hash, place);
            }
            return Ok(caller);
        }
    }
    Ok(None)
}

/// Whether a caller is there by a session that may act as a person.
#[must_use]
pub const fn is_person(caller: &Caller) -> bool {
    matches!(caller.proof, Proof::Session { .. })
}
