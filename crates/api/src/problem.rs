//! Errors as people and programs read them: RFC 9457 problems with field paths.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldFault {
    /// Where, as a JSON pointer into the body, or `query.limit`, `path.id`, `header.name`.
    #[schema(example = "/alerts/3/labels/severity")]
    pub path: String,
    /// A stable word for it.
    #[schema(example = "nul_character")]
    pub code: String,
    /// In words, with what to do.
    #[schema(example = "holds a NUL character, which no text may: remove it")]
    pub message: String,
}

/// An error answer: `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem; `docs/errors.md` has one entry each.
    #[serde(rename = "type")]
    #[schema(example = "urn:countersign:problem:invalid")]
    pub kind: String,
    /// The kind in words.
    #[schema(example = "The request is not valid")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 400)]
    pub status: u16,
    /// A stable word for programs.
    #[schema(example = "invalid")]
    pub code: String,
    /// What happened this time, and what to do.
    pub detail: String,
    /// The fields at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldFault>,
    /// The request, as the server's log names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// After how many seconds to try again: the header `Retry-After`.
    #[serde(skip)]
    #[schema(ignore)]
    pub retry_after_s: Option<u64>,
}

/// The code of [`Problem::outcome_unknown`].
const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// Marks a response after which nobody knows whether the request was carried out. Its
/// idempotency key stays taken.
#[derive(Debug, Clone, Copy)]
pub struct OutcomeUnknown;

/// The result of a handler.
pub type Answer<T> = Result<T, Problem>;

impl Problem {
    /// A problem of the given status, code, title and detail.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:countersign:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            errors: Vec::new(),
            request_id: None,
            retry_after_s: None,
        }
    }

    /// 400: the request cannot be used as it is.
    #[must_use]
    pub fn invalid(path: &str, code: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut problem = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid",
            "The request is not valid",
            format!("{path}: {message}"),
        );
        problem.errors.push(FieldFault { path: path.to_owned(), code: code.to_owned(), message });
        problem
    }

    /// 400 with several fields at fault.
    #[must_use]
    pub fn invalid_fields(detail: impl Into<String>, errors: Vec<FieldFault>) -> Self {
        let mut problem =
            Self::new(StatusCode::BAD_REQUEST, "invalid", "The request is not valid", detail);
        problem.errors = errors;
        problem
    }

    /// 401: nobody knows who is asking.
    #[must_use]
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Who is asking is not known", detail)
    }

    /// 403: this caller may not.
    #[must_use]
    pub fn forbidden(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, "This caller may not do this", detail)
    }

    /// 404: there is no such thing here.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is no such thing here",
            format!("no {what} with this id is visible to this caller"),
        )
    }

    /// 409: true once, but something changed or was decided already.
    #[must_use]
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, "The present state does not allow this", detail)
    }

    /// 503: try again.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available just now", detail)
    }

    /// 429: too much of it. `after_s` is how many seconds to wait.
    #[must_use]
    pub fn too_many(code: &str, detail: impl Into<String>, after_s: u64) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code, "Too many", detail);
        problem.retry_after_s = Some(after_s);
        problem
    }

    /// 503: it may have been carried out, or not. Unlike [`Self::unavailable`] it is not to be
    /// repeated blindly.
    #[must_use]
    pub fn outcome_unknown(what: &str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            OUTCOME_UNKNOWN,
            "It is not known whether this was carried out",
            format!(
                "{what}; the request may have been carried out: look at what it was to make or \
                 change before repeating it. With the Idempotency-Key it came with, a repetition \
                 is never carried out twice"
            ),
        )
    }

    /// 500: a fault of ours. The cause goes to the log, once, and not to the caller.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push_str(": ");
            chain.push_str(&cause.to_string());
            source = cause.source();
        }
        tracing::error!(error = chain, "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The server made a mistake",
            "the request may have been carried out in spite of it: look at what it was to make \
             or change before repeating it; the server's log has the cause under this request id",
        )
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        if let db::Error::InDoubt(_) = error {
            tracing::warn!(error = %error, "nobody knows what came of a request");
            return Self::outcome_unknown("the connection to the database broke during the commit");
        }
        match error.kind() {
            db::Kind::NotFound => Self::not_found("object"),
            db::Kind::Invalid => Self::invalid("", "invalid", error.to_string()),
            db::Kind::Conflict => Self::conflict("conflict", error.to_string()),
            db::Kind::Refused => Self::forbidden("refused", error.to_string()),
            db::Kind::Unavailable => {
                tracing::warn!(error = %error, "database not available");
                Self::unavailable("the database is not available; try again")
            }
            db::Kind::Internal => Self::internal(&error),
        }
    }
}

/// What an answer repeats of a text at most, in characters: a word of a megabyte that is refused is
/// not sent back.
const LONGEST_TOLD: usize = 2000;

fn cut(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(LONGEST_TOLD) {
        text.truncate(at);
        text.push('…');
    }
}

impl Problem {
    /// The same with long texts cut, as it is told.
    #[must_use]
    pub(crate) fn brief(mut self) -> Self {
        cut(&mut self.detail);
        for fault in &mut self.errors {
            cut(&mut fault.path);
            cut(&mut fault.message);
        }
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let this = self.brief();
        let status = StatusCode::from_u16(this.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry_after, unknown) = (this.retry_after_s, this.code == OUTCOME_UNKNOWN);
        let mut response = (status, Json(this)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if unknown {
            response.extensions_mut().insert(OutcomeUnknown);
        }
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
