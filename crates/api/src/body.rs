//! JSON bodies, read strictly, with the path of whatever is wrong.

use axum::body::{Body as RawBody, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::problem::{Answer, Problem};
use crate::state::App;
use crate::strict::{self, BadInput, Code, Limits};

/// A JSON body. Refused with 4xx and a path when it is no JSON, ambiguous, too large or of the
/// wrong shape.
#[derive(Debug, Clone, Copy)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                let kind = value.split(';').next().unwrap_or_default().trim();
                kind.eq_ignore_ascii_case("application/json")
            });
        if !is_json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body is of another kind",
                "send the body as `Content-Type: application/json`",
            ));
        }
        let bytes = read_all(request.into_body(), app.body_limit).await?;
        parse(&bytes, app.body_limit).map(Self)
    }
}

/// A request extension: how many bytes the body of this path may have, where that is not
/// [`App::body_limit`].
#[derive(Debug, Clone, Copy)]
pub struct OwnLimit(pub usize);

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// 413 as soon as it is longer, 400 when the sender breaks off.
pub async fn read_all(body: RawBody, limit: usize) -> Answer<bytes::Bytes> {
    to_bytes(body, limit).await.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(|source| source.to_string().contains("length limit"));
        if too_large {
            too_large_body(limit)
        } else {
            Problem::invalid("", "body", "the body broke off")
        }
    })
}

fn too_large_body(limit: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        "The body is too large",
        format!("a body may have {limit} bytes; send it in parts"),
    )
}

/// Parses strict JSON into `T`.
///
/// # Errors
/// 400 with the path of what is wrong; 413 for a body over the limits.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Answer<T> {
    let limits = Limits { bytes: limit, ..Limits::REQUEST };
    let value = strict::read(bytes, &limits)?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = pointer(error.path());
        Problem::invalid(&path, "shape", error.into_inner().to_string())
    })
}

/// Reads `T` out of a part of a body that stands at `at`.
///
/// # Errors
/// 400 with the whole path of what is wrong.
pub fn read_at<T: DeserializeOwned>(at: &str, value: serde_json::Value) -> Answer<T> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = format!("{at}{}", pointer(error.path()));
        Problem::invalid(&path, "shape", error.into_inner().to_string())
    })
}

/// A JSON pointer of where deserialisation stopped.
fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |mut pointer, segment| {
        use serde_path_to_error::Segment;
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => return pointer,
        };
        pointer.push('/');
        pointer.push_str(&part);
        pointer
    })
}

impl From<BadInput> for Problem {
    fn from(bad: BadInput) -> Self {
        if bad.code == Code::TooLarge {
            let mut problem = Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The body is too large",
                bad.message.clone(),
            );
            problem.errors.push(crate::problem::FieldFault {
                path: bad.path,
                code: bad.code.word().to_owned(),
                message: bad.message,
            });
            return problem;
        }
        Self::invalid(&bad.path, bad.code.word(), bad.message)
    }
}
