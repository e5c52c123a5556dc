//! Entity tags: whoever replaces something says which state of it they saw (RFC 9110, 8.8.3 and 13.1.1).

use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use model::Digest;
use serde::Serialize;

use crate::problem::{Answer, Problem};

/// Hexadecimal digits of the digest that are shown: 128 bits.
const DIGITS: usize = 32;

fn tag<T: Serialize>(shown: &T) -> Answer<String> {
    let bytes = serde_json::to_vec(shown).map_err(db::Error::internal)?;
    let digest = Digest::of(&bytes).to_string();
    Ok(format!("\"{}\"", digest.get(..DIGITS).unwrap_or(&digest)))
}

/// The header that names the state shown.
///
/// # Errors
/// 500 when it cannot be written as JSON.
pub fn of<T: Serialize>(shown: &T) -> Answer<(HeaderName, String)> {
    Ok((ETAG, tag(shown)?))
}

/// Refuses a change of another state than `If-Match` names. Without it the last change stands.
///
/// # Errors
/// 412 when the state is another one.
pub fn matches<T: Serialize>(headers: &HeaderMap, now: &T) -> Answer<()> {
    let mut given = headers.get_all(IF_MATCH).iter().peekable();
    if given.peek().is_none() {
        return Ok(());
    }
    let now = tag(now)?;
    let names_it = given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim() == "*" || one.trim() == now);
    if names_it {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "changed_meanwhile",
        "It is not what it was",
        format!("somebody changed it meanwhile: read it again; its ETag is now {now}"),
    ))
}
