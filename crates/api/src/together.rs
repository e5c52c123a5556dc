//! Work of the same kind that is asked for at the same time is done together.
//!
//! While one round for a key is under way, what else is asked for under that key lines up, and the
//! next round takes all of it. A lone request waits no longer than it would by itself; a crowd
//! costs a few rounds. A round never answers what was asked for after it had begun, so whoever
//! asks sees everything that was true before.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// What waits, with whom to answer.
type Line<T, A> = Vec<(T, oneshot::Sender<A>)>;

/// The lines, by key. A key is there while somebody works for it.
#[derive(Debug)]
pub struct Together<K, T, A>(Arc<Mutex<HashMap<K, Line<T, A>>>>);

/// One kind of work.
pub trait Work<T, A>: Send + Sync + 'static {
    /// How many of those that wait the next round takes; it takes at least one.
    fn take(&self, waiting: &mut dyn Iterator<Item = &T>) -> usize;

    /// Does a round; gives one answer for each item, in their order.
    fn round(&self, items: Vec<T>) -> impl Future<Output = Vec<A>> + Send;
}

impl<K, T, A> Default for Together<K, T, A> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, T, A> Clone for Together<K, T, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, T, A> Together<K, T, A>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Send + 'static,
    A: Send + 'static,
{
    /// Has `item` worked on with whatever else waits under `key`. The work given by whoever finds
    /// nobody working is the one that is used until nothing waits. `None` when it panicked.
    pub async fn ask(&self, key: K, item: T, work: impl Work<T, A>) -> Option<A> {
        let (answer, came) = oneshot::channel();
        match self.lines().entry(key) {
            Entry::Occupied(line) => line.into_mut().push((item, answer)),
            Entry::Vacant(line) => {
                let key = line.key().clone();
                line.insert(vec![(item, answer)]);
                let turn = Turn { lines: self.clone(), key, closed: false };
                // On its own: who waits may go away, and what others wait for is still done.
                tokio::spawn(turn.work(work));
            }
        }
        came.await.ok()
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<K, Line<T, A>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who works for a key until nothing waits.
struct Turn<K, T, A>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Send + 'static,
    A: Send + 'static,
{
    lines: Together<K, T, A>,
    key: K,
    /// Whether the line was closed: from then on it may be somebody else's.
    closed: bool,
}

impl<K, T, A> Turn<K, T, A>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Send + 'static,
    A: Send + 'static,
{
    async fn work(mut self, work: impl Work<T, A>) {
        loop {
            let next = self.next(&work);
            if next.is_empty() {
                self.closed = true;
                return;
            }
            let (items, answers): (Vec<T>, Vec<_>) = next.into_iter().unzip();
            for (answer, came) in answers.into_iter().zip(work.round(items).await) {
                // Who does not wait any more needs no answer.
                drop(answer.send(came));
            }
        }
    }

    /// What the next round takes; nothing, and the line is closed, when nothing waits.
    fn next(&self, work: &impl Work<T, A>) -> Line<T, A> {
        let mut lines = self.lines.lines();
        let Entry::Occupied(mut line) = lines.entry(self.key.clone()) else { return Vec::new() };
        if line.get().is_empty() {
            line.remove();
            return Vec::new();
        }
        let count = work.take(&mut line.get().iter().map(|(item, _)| item));
        let count = count.clamp(1, line.get().len());
        line.get_mut().drain(..count).collect()
    }
}

impl<K, T, A> Drop for Turn<K, T, A>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Send + 'static,
    A: Send + 'static,
{
    fn drop(&mut self) {
        // After a panic: those who wait learn of it by their channel's end.
        if !self.closed {
            self.lines.lines().remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    /// Doubles numbers, at most three a round; panics at 13.
    #[derive(Clone, Default)]
    struct Double(Arc<AtomicUsize>);

    impl Work<u32, u32> for Double {
        fn take(&self, waiting: &mut dyn Iterator<Item = &u32>) -> usize {
            waiting.take(3).count()
        }

        async fn round(&self, items: Vec<u32>) -> Vec<u32> {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            assert!(!items.contains(&13));
            items.into_iter().map(|item| item * 2).collect()
        }
    }

    #[tokio::test]
    async fn what_is_asked_at_once_is_done_in_few_rounds_and_answered_one_by_one() {
        let (lines, work) = (Together::default(), Double::default());
        let asked = (0..10).map(|number| lines.ask("key", number, work.clone()));
        let answers: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
        assert_eq!(answers, (0..10).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(work.0.load(Ordering::Relaxed), 4);
        assert!(lines.lines().is_empty());
    }

    #[tokio::test]
    async fn a_round_that_panics_leaves_nobody_waiting() {
        let (lines, work) = (Together::default(), Double::default());
        let asked = [1, 13, 2, 3].map(|number| lines.ask("key", number, work.clone()));
        assert_eq!(join_all(asked).await, [None; 4]);
        assert_eq!(lines.ask("key", 4, work).await, Some(8));
    }

    #[tokio::test]
    async fn keys_do_not_wait_for_each_other() {
        struct Never;
        impl Work<u32, u32> for Never {
            fn take(&self, _: &mut dyn Iterator<Item = &u32>) -> usize {
                1
            }

            async fn round(&self, _: Vec<u32>) -> Vec<u32> {
                std::future::pending().await
            }
        }
        let lines = Together::default();
        let stuck = lines.ask("stuck", 1, Never);
        let free = lines.ask("free", 1, Double::default());
        tokio::select! {
            biased;
            _ = stuck => panic!("it never ends"),
            answer = free => assert_eq!(answer, Some(2)),
        }
    }
}
