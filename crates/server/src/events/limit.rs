//! How many streams an actor may have open at a time, in this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::problem::Answer;
use api::{Caller, Problem};
use model::id::{ActorId, TenantId};

/// Streams of one actor open at a time.
pub(super) const MOST: usize = 20;
/// When to try again, in seconds: nobody knows when a stream will end.
const RETRY_AFTER_S: u64 = 5;

type Counts = BTreeMap<(TenantId, ActorId), usize>;

/// The open streams of a process.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams(Arc<Mutex<Counts>>);

/// One open stream; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Open {
    streams: Streams,
    whose: (TenantId, ActorId),
}

impl Streams {
    /// Opens one more for this caller.
    pub(super) fn open(&self, caller: &Caller) -> Answer<Open> {
        let whose = (caller.tenant(), caller.actor.id);
        let mut counts = self.counts();
        let count = counts.entry(whose).or_default();
        if *count >= MOST {
            return Err(Problem::too_many(
                "too_many_streams",
                format!("{MOST} event streams are open already: close one first"),
                RETRY_AFTER_S,
            ));
        }
        *count += 1;
        drop(counts);
        Ok(Open { streams: self.clone(), whose })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut counts = self.streams.counts();
        if let Some(count) = counts.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.whose);
            }
        }
    }
}
