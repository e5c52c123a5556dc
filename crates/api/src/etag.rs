//! Entity tags: whoever replaces something says which state of it they saw (RFC 9110, 8.8.3 and 13.1.1).

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use model::Digest;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

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

/// What is shown, with the header that names its state.
#[derive(Debug)]
pub struct Tagged<T>(pub T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        match of(&self.0) {
            Ok(tag) => ([tag], Json(self.0)).into_response(),
            Err(problem) => problem.into_response(),
        }
    }
}

/// Which state of something the caller saw: the header `If-Match`.
#[derive(Debug)]
pub struct Seen(HeaderMap);

impl Seen {
    /// Refuses a change of another state than the caller saw. Whoever does not say what they saw
    /// changes whatever is there.
    ///
    /// # Errors
    /// 412 when the state is another one.
    pub fn is<T: Serialize>(&self, now: &T) -> Answer<()> {
        matches(&self.0, now)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Seen {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.clone()))
    }
}

impl IntoParams for Seen {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            ParameterBuilder::new()
                .name("If-Match")
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some("The ETag of the state that was seen"))
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .build(),
        ]
    }
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
