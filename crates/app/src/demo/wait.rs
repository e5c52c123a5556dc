//! Waiting for a condition, with an end.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Looks until there is an answer.
///
/// # Errors
/// When looking fails, or when there is none within `at_most`.
pub(super) async fn until<T>(
    what: &str,
    at_most: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + at_most;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() >= end {
            bail!("{what}: not within {} s", at_most.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}
