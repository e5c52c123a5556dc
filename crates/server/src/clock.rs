//! Whether this machine's clock agrees with the database's.
//!
//! Leases, expiries and everything else two processes must agree on go by the database's clock, so
//! a machine whose own is off works all the same. What it does by itself is off: whether a
//! certificate counts, the time in its logs and in the ids it makes. So it says so.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use api::App;
use db::Db;
use jiff::SignedDuration;
use model::{Clock, Timestamp};
use tokio_util::sync::CancellationToken;

/// How far the clocks may be apart without a word.
pub const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// How often it is said of a clock that stays as wrong as it was.
const REPEAT: Duration = Duration::from_secs(600);

/// By how much at least `clock` is ahead of the database's: below zero when it is behind, zero when
/// nothing speaks against their agreeing.
///
/// # Errors
/// When the database cannot be asked.
pub async fn ahead(db: &Db, clock: &dyn Clock) -> Result<SignedDuration, db::Error> {
    let (before, asked) = (clock.now(), Instant::now());
    let there = db.now().await?;
    Ok(at_least(before, asked.elapsed(), there))
}

/// The database said `there` at some moment between `before` and `took` later.
fn at_least(before: Timestamp, took: Duration, there: Timestamp) -> SignedDuration {
    let least = before.duration_since(there);
    let most = least.saturating_add(SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX));
    SignedDuration::ZERO.clamp(least, most)
}

/// What has been said of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    ahead: SignedDuration,
    at: Instant,
}

/// What to say of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// It is off, by something else than was said, or again after a while.
    Off,
    /// It agrees, which it did not before.
    Agrees,
    Nothing,
}

fn word(said: Option<Said>, ahead: SignedDuration, now: Instant) -> Word {
    let off = ahead.abs() > TOLERANCE;
    match said {
        None if off => Word::Off,
        None => Word::Nothing,
        Some(_) if !off => Word::Agrees,
        Some(said) => {
            let moved = (ahead - said.ahead).abs() > TOLERANCE;
            let long_ago = now.duration_since(said.at) >= REPEAT;
            if moved || long_ago { Word::Off } else { Word::Nothing }
        }
    }
}

/// Watches until told to stop: at once, and then this often.
pub(crate) async fn watch(app: App, every: Duration, stop: CancellationToken) {
    let mut said: Option<Said> = None;
    loop {
        match ahead(&app.db, &*app.clock).await {
            Ok(ahead) => {
                let at = Instant::now();
                match word(said, ahead, at) {
                    Word::Off => {
                        tell(ahead);
                        said = Some(Said { ahead, at });
                    }
                    Word::Agrees => {
                        tracing::info!("this machine's clock agrees with the database's again");
                        said = None;
                    }
                    Word::Nothing => {}
                }
            }
            Err(error) => tracing::debug!(%error, "the database's clock could not be read"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

fn tell(ahead: SignedDuration) {
    let skew_s = ahead.as_secs();
    tracing::warn!(
        skew_s,
        "this machine's clock is {} the database's: leases and expiries go by the database's, but \
         whether certificates count, and the times in logs, do not; put it right",
        described(ahead)
    );
}

/// How far a clock is off, in words: `601 s ahead of`.
#[must_use]
pub fn described(ahead: SignedDuration) -> String {
    let way = if ahead.is_negative() { "behind" } else { "ahead of" };
    format!("{} s {way}", ahead.abs().as_secs())
}
