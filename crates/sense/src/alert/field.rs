//! The fields of one alert: their limits, and how free text becomes an instant or a map.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use model::Digest;
use serde_json::{Map, Value};

use api::strict::BadInput;

/// The most labels, and the most annotations, one alert may have.
pub const MAX_LABELS: usize = 100;

/// The longest name of a label, an annotation or an alert, in bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// The longest value of a label, in bytes.
pub(super) const MAX_LABEL_BYTES: usize = 4 << 10;

/// The longest text of an annotation, in bytes; they hold prose.
pub(super) const MAX_ANNOTATION_BYTES: usize = 16 << 10;

/// The longest fingerprint, in bytes; Alertmanager's have 16.
pub(super) const MAX_FINGERPRINT_BYTES: usize = 200;

/// Times before this are nonsense: 2000-01-01T00:00:00Z, in seconds.
const EARLIEST_SECOND: i64 = 946_684_800;

/// How far a sender's clock may run ahead.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// A text of at most `longest` bytes.
pub(super) fn text<'a>(path: &str, value: &'a Value, longest: usize) -> Result<&'a str, BadInput> {
    let Value::String(text) = value else {
        return Err(BadInput::shape(path, "must be a string"));
    };
    if text.len() > longest {
        return Err(BadInput::shape(path, format!("must have at most {longest} bytes")));
    }
    Ok(text)
}

/// A map of names to texts: labels or annotations; absent is empty.
pub(super) fn texts(
    path: &str,
    value: Option<&Value>,
    longest: usize,
) -> Result<BTreeMap<String, String>, BadInput> {
    let map = match value {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(BadInput::shape(path, "must be an object of strings")),
    };
    if map.len() > MAX_LABELS {
        return Err(BadInput::shape(path, format!("must have at most {MAX_LABELS} entries")));
    }
    map.iter().map(|(name, value)| entry(path, name, value, longest)).collect()
}

fn entry(
    path: &str,
    name: &str,
    value: &Value,
    longest: usize,
) -> Result<(String, String), BadInput> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        let message = format!("names must have 1 to {MAX_NAME_BYTES} bytes");
        return Err(BadInput::shape(path, message));
    }
    let escaped = name.replace('~', "~0").replace('/', "~1");
    let value = text(&format!("{path}/{escaped}"), value, longest)?;
    Ok((name.to_owned(), value.to_owned()))
}

/// When a problem began: from 2000 on, and not more than a day ahead of `now`.
///
/// PostgreSQL itself would take the year 44 BC and `infinity` for a time.
pub(super) fn beginning(path: &str, text: &str, now: Timestamp) -> Result<Timestamp, BadInput> {
    let at = instant(path, text)?;
    if !plausible(at, now) {
        let message = format!("{text:?} is before 2000 or more than a day ahead");
        return Err(BadInput::shape(path, message));
    }
    Ok(at)
}

/// When a problem ended; a time before 2000 (Go's zero time) or more than a day ahead says nothing.
pub(super) fn ending(
    path: &str,
    text: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, BadInput> {
    Ok(Some(instant(path, text)?).filter(|at| plausible(*at, now)))
}

fn plausible(at: Timestamp, now: Timestamp) -> bool {
    at.as_second() >= EARLIEST_SECOND && now.checked_add(MAX_AHEAD).is_ok_and(|latest| at <= latest)
}

/// An instant in whole microseconds: the database keeps no more, and two notices of one problem
/// must not differ by what it drops.
fn instant(path: &str, text: &str) -> Result<Timestamp, BadInput> {
    let at: Timestamp = text
        .parse()
        .map_err(|_| BadInput::shape(path, "must be a time like 2026-03-01T10:00:00Z"))?;
    Timestamp::from_microsecond(at.as_microsecond())
        .map_err(|_| BadInput::shape(path, "is outside the times that can be kept"))
}

/// The fingerprint of an alert that came without one: the first 32 hexadecimal digits of the
/// SHA-256 over its labels in the order of their names, each name and value preceded by its length
/// in bytes as eight bytes, big end first. (Alertmanager's own is a 64-bit FNV; this one cannot be
/// made to collide.)
pub(super) fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let mut bytes = Vec::new();
    for part in labels.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    let mut digits = Digest::of(&bytes).to_string();
    digits.truncate(32);
    digits
}

/// The object at `path`.
pub(super) fn object<'a>(path: &str, value: &'a Value) -> Result<&'a Map<String, Value>, BadInput> {
    value.as_object().ok_or_else(|| BadInput::shape(path, "must be an object"))
}

/// The part of `body` at `range`, as text.
pub(super) fn source(body: &[u8], range: &Range<usize>) -> String {
    String::from_utf8_lossy(body.get(range.clone()).unwrap_or_default()).into_owned()
}

/// The index of the element of the array at `items` that `path` lies in.
pub(super) fn index_in(items: &str, path: &str) -> Option<usize> {
    let rest = path.strip_prefix(items)?.strip_prefix('/')?;
    rest.split('/').next()?.parse().ok()
}
