//! How often a service is asked: a bucket of calls that fills up again, and how long to wait after
//! a call that failed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// No wait after a failure is longer.
pub const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What may be asked of one service: `burst` calls at once, `rate` more each second.
#[derive(Debug, Clone)]
struct Bucket {
    rate: f64,
    burst: f64,
    /// Calls to be had at `at`; below nought, calls promised to those who wait.
    left: f64,
    at: Instant,
}

impl Bucket {
    fn new(rate: f64, burst: f64, now: Instant) -> Self {
        Self { rate: rate.max(0.01), burst: burst.max(1.0), left: burst.max(1.0), at: now }
    }

    /// Takes a call, and says how long to wait for it.
    fn take(&mut self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + since * self.rate).min(self.burst) - 1.0;
        self.at = self.at.max(now);
        Duration::try_from_secs_f64((-self.left).max(0.0) / self.rate).unwrap_or(LONGEST_WAIT)
    }

    /// The service said that it is asked too often, whatever we counted: nothing is left.
    fn drain(&mut self) {
        self.left = self.left.min(0.0);
    }

    /// The service said when it may be asked again: the next call waits as long.
    fn hold(&mut self, wait: Duration) {
        self.left = self.left.min(1.0 - wait.as_secs_f64() * self.rate);
    }
}

/// The buckets of all services.
#[derive(Debug, Default)]
pub struct Pace {
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl Pace {
    /// Waits for a call to a service of this rate and burst.
    pub async fn wait(&self, service: &str, rate: f64, burst: f64) {
        let wait = {
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let bucket = buckets.entry(service.to_owned());
            bucket.or_insert_with(|| Bucket::new(rate, burst, now)).take(now)
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// A service said that it is asked too often.
    pub fn drain(&self, service: &str) {
        self.of(service, Bucket::drain);
    }

    /// A service said that it is not to be asked for this long; twenty seconds count at most.
    pub fn hold(&self, service: &str, wait: Duration) {
        self.of(service, |bucket| bucket.hold(wait.min(LONGEST_WAIT)));
    }

    fn of(&self, service: &str, with: impl FnOnce(&mut Bucket)) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(service) {
            with(bucket);
        }
    }
}

/// How long to wait before the try after the `failed`th one, from 1.
///
/// Any time up to a bound that is `first` and doubles (full jitter, AWS Architecture Blog,
/// "Exponential backoff and jitter"). `chance` is any number, each as likely.
#[must_use]
pub fn back_off(first: Duration, failed: u32, chance: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failed.saturating_sub(1));
    let bound = first.saturating_mul(doubled).min(LONGEST_WAIT);
    bound.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// Any number, each as likely; the greatest where the system has no randomness to give.
#[must_use]
pub fn chance() -> u32 {
    let mut bytes = [0; 4];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => u32::from_be_bytes(bytes),
        Err(_) => u32::MAX,
    }
}

#[cfg(test)]
mod tests;
