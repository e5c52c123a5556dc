//! Scalars that are written in more than one way.

use std::net::IpAddr;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};

use crate::drift::value::Value;

/// The text of a scalar, whatever its type.
pub(in crate::drift) fn loose(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.as_ref().to_owned()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => {
            let text = number.to_string();
            Some(text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned))
        }
        Value::Null | Value::List(_) | Value::Map(_) | Value::Sealed(_) | Value::Unknown => None,
    }
}

/// Whether two scalars are the same but for their types. Two texts are what they are: `1.0` is
/// another version than `1`.
pub(in crate::drift) fn loosely_same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => one == other,
        (Value::Number(number), Value::Text(text)) | (Value::Text(text), Value::Number(number)) => {
            text.parse::<f64>().is_ok_and(|parsed| number.as_f64() == Some(parsed))
        }
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (one, other) => loose(one).is_some_and(|text| loose(other) == Some(text)),
    }
}

/// A length of time in nanoseconds.
pub(super) fn duration(value: &Value<'_>) -> Option<String> {
    let text = loose(value)?;
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let length = SignedDuration::try_from_secs_f64(seconds).ok()?;
        return Some(length.as_nanos().to_string());
    }
    // Days and weeks are of the clock here: providers mean 24 hours.
    let span: jiff::Span = text.parse().ok()?;
    let length = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Some(length.as_nanos().to_string())
}

/// The units an amount may have, the longer before those they end in: a name, and the amount in
/// thousandths of a millionth.
const UNITS: [(&str, i128); 31] = {
    const BASE: i128 = 1_000_000_000;
    const K: i128 = 1_000;
    const KI: i128 = 1_024;
    [
        ("KiB", BASE * KI),
        ("MiB", BASE * KI * KI),
        ("GiB", BASE * KI * KI * KI),
        ("TiB", BASE * KI * KI * KI * KI),
        ("PiB", BASE * KI * KI * KI * KI * KI),
        ("Ki", BASE * KI),
        ("Mi", BASE * KI * KI),
        ("Gi", BASE * KI * KI * KI),
        ("Ti", BASE * KI * KI * KI * KI),
        ("Pi", BASE * KI * KI * KI * KI * KI),
        ("Ei", BASE * KI * KI * KI * KI * KI * KI),
        ("kB", BASE * K),
        ("KB", BASE * K),
        ("MB", BASE * K * K),
        ("GB", BASE * K * K * K),
        ("TB", BASE * K * K * K * K),
        ("PB", BASE * K * K * K * K * K),
        ("n", 1),
        ("u", K),
        ("m", K * K),
        ("k", BASE * K),
        ("K", BASE * K),
        ("M", BASE * K * K),
        ("G", BASE * K * K * K),
        ("T", BASE * K * K * K * K),
        ("P", BASE * K * K * K * K * K),
        ("E", BASE * K * K * K * K * K * K),
        ("B", BASE),
        ("bytes", BASE),
        ("byte", BASE),
        ("", BASE),
    ]
};

/// An amount, in thousandths of a millionth. Units: Kubernetes' API conventions, "Quantity".
pub(super) fn quantity(value: &Value<'_>) -> Option<String> {
    let text = loose(value)?;
    let text = text.trim();
    let (number, unit) = UNITS.iter().find_map(|(unit, amount)| {
        let number = text.strip_suffix(unit)?.trim_end();
        number.ends_with(|c: char| c.is_ascii_digit() || c == '.').then_some((number, *amount))
    })?;
    let (number, exponent) = match number.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}");
    let mut amount = digits.parse::<i128>().ok()?.checked_mul(unit)?;
    let shift = exponent.checked_sub(i32::try_from(part.len()).ok()?)?;
    for _ in 0..shift.unsigned_abs().min(64) {
        amount = if shift > 0 {
            amount.checked_mul(10)?
        } else if amount % 10 == 0 {
            amount / 10
        } else {
            return None;
        };
    }
    Some(amount.to_string())
}

/// A network without the bits of a host in it.
pub(super) fn cidr(text: &str) -> Option<String> {
    let text = text.trim();
    let network: IpNet = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    Some(network.trunc().to_string())
}

/// A moment, in UTC.
pub(super) fn time(text: &str) -> Option<String> {
    text.trim().parse::<Timestamp>().ok().map(|moment| moment.to_string())
}

/// A name of the DNS. `\052` is how Route 53 gives back an asterisk.
pub(super) fn dns(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase().replace("\\052", "*");
    text.strip_suffix('.').map_or_else(|| text.clone(), str::to_owned)
}

/// A text without what is blank at the ends of its lines.
pub(super) fn lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Whether `full` is the full name of what `other` names, or says the same.
pub(super) fn arn(full: &Value<'_>, other: &Value<'_>) -> bool {
    let (Some(full), Some(other)) = (full.as_text(), other.as_text()) else { return false };
    // Log groups are named with all their streams or without.
    let full = full.strip_suffix(":*").unwrap_or(full);
    if full == other {
        return true;
    }
    let mut parts = full.splitn(6, ':');
    if parts.next() != Some("arn") {
        return false;
    }
    let Some(resource) = parts.nth(4) else { return false };
    !other.is_empty()
        && !other.starts_with("arn:")
        && (resource == other
            || resource.strip_suffix(other).is_some_and(|before| before.ends_with(['/', ':'])))
}

/// Whether two texts name the same resource of Google's: by its address in one version of the API or
/// another, by the path of that, or by the end of the path.
pub(super) fn link(one: &Value<'_>, other: &Value<'_>) -> bool {
    let (Some(one), Some(other)) = (one.as_text(), other.as_text()) else { return false };
    let path = |text: &str| {
        let begin =
            if text.contains("//") { text.find("/projects/").map(|at| at + 1) } else { None };
        text.get(begin.unwrap_or_default()..).unwrap_or_default().to_owned()
    };
    let (one, other) = (path(one), path(other));
    let ends = |long: &str, short: &str| {
        !short.is_empty() && long.strip_suffix(short).is_some_and(|before| before.ends_with('/'))
    };
    one == other || ends(&one, &other) || ends(&other, &one)
}

/// Whether `other` is `clear` in Base64, or the SHA-1 of it.
pub(super) fn encoded(clear: &Value<'_>, other: &Value<'_>) -> bool {
    let (Some(clear), Some(other)) = (clear.as_text(), other.as_text()) else { return false };
    let decoded = STANDARD.decode(other.trim());
    if decoded.is_ok_and(|bytes| !bytes.is_empty() && bytes == clear.as_bytes()) {
        return true;
    }
    let sha1 = |bytes: &[u8]| {
        hex::encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes)) == other
    };
    sha1(clear.as_bytes()) || STANDARD.decode(clear.trim()).is_ok_and(|bytes| sha1(&bytes))
}
