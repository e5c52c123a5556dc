//! Fakes of the two inventories on loopback: stateful, in memory, speaking their protocols. Not the
//! clouds: of Kusto's language they read the queries that are asked here and refuse others.

mod azure;
mod google;

use std::collections::{HashMap, VecDeque};

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

pub use azure::FakeAzure;
pub use google::FakeGoogle;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with a status and what the cloud calls the fault.
    Status {
        /// The status.
        status: u16,
        /// What the cloud calls it.
        code: String,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// It is answered with this as it is.
    Text(String),
}

impl Fault {
    /// A refusal without more.
    #[must_use]
    pub fn status(status: u16, code: &str) -> Self {
        Self::Status { status, code: code.to_owned(), retry_after: None }
    }
}

/// What is to go wrong, and what was asked, by the name of a call.
#[derive(Debug, Default)]
struct Book {
    next: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
    asked: Vec<String>,
}

impl Book {
    /// Notes a call, and says what goes wrong with it.
    fn note(&mut self, call: &str) -> Option<Fault> {
        self.asked.push(call.to_owned());
        let next = self.next.get_mut(call).and_then(VecDeque::pop_front);
        next.or_else(|| self.always.get(call).cloned())
    }

    fn asked(&self, call: &str) -> usize {
        self.asked.iter().filter(|asked| *asked == call).count()
    }
}

/// A form's fields.
fn form(body: &[u8]) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

/// A percent-encoded text.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| *byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn bears(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    shown.and_then(|shown| shown.strip_prefix("Bearer ")) == Some(token)
}

fn answered(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body.clone())).into_response()
}
