//! When a call is made again, and how long after.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use connect::outbound::{HeaderMap, StatusCode};

#[cfg(test)]
mod tests;

/// How often and how patiently a call is made again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How often a call is made at most.
    pub(crate) tries: u32,
    /// The pause after the first failure is random between nothing and this; then twice, four times.
    pub(crate) first_pause: Duration,
    /// No pause is longer: whoever asks for more is not waited for.
    pub(crate) longest_pause: Duration,
}

/// How long to wait before the next try, when there is one. `tried` is how often the call was made,
/// `asked` what the server asked for, `chance` evenly between 0 and 1: waiting evenly spread keeps
/// those who failed together from coming back together.
pub(crate) fn pause(
    patience: Patience,
    tried: u32,
    asked: Option<Duration>,
    chance: f64,
) -> Option<Duration> {
    if tried >= patience.tries || asked.is_some_and(|asked| asked > patience.longest_pause) {
        return None;
    }
    let doubled = 2_u32.saturating_pow(tried.saturating_sub(1));
    let upto = patience.first_pause.saturating_mul(doubled).min(patience.longest_pause);
    Some(asked.unwrap_or_default() + upto.mul_f64(chance.clamp(0.0, 1.0)))
}

/// Whether a server that answers this may answer something else soon.
pub(crate) fn passes(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

/// What `Retry-After` asks for, in seconds; API servers give no dates.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A number between 0 and 1 that nobody needs to guess right: the standard library's hash keys.
pub(crate) fn chance() -> f64 {
    let drawn = RandomState::new().hash_one(0_u8);
    f64::from(u32::try_from(drawn >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
