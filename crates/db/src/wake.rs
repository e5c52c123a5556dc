//! Wake-ups: whoever waits for work learns of a commit at once, in this process and in others.
//!
//! A `NOTIFY` inside a transaction makes every commit of the database wait for one lock. So the
//! commit comes first, then waiters of this process are told directly, and one task tells the
//! other processes, many commits with one `NOTIFY`. A wake-up may get lost when a process dies in
//! between: [`Waker::wait`] therefore always has a limit, after which the caller looks by itself.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::error::Error;
use crate::pause;

/// The one channel all processes listen on.
const CHANNEL: &str = "countersign";

/// Commits within this time share one `NOTIFY`.
const GATHER: Duration = Duration::from_millis(10);

/// How long to wait before listening again after the connection broke.
const RELISTEN: Duration = Duration::from_millis(500);

/// What somebody may be waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A job was queued.
    Jobs,
    /// An audit event waits to be sequenced.
    Audit,
    /// An execution may be claimed.
    Executions,
    /// Something happened that a person may be watching.
    Events,
}

impl Topic {
    const ALL: [Self; 4] = [Self::Jobs, Self::Audit, Self::Executions, Self::Events];

    const fn word(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Audit => "audit",
            Self::Executions => "executions",
            Self::Events => "events",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.word() == word)
    }
}

/// A counter a topic: each wake-up moves it on, so none is missed between two waits.
struct Board {
    counters: [watch::Sender<u64>; 4],
    /// Topics other processes have not been told of yet.
    untold: Mutex<BTreeSet<Topic>>,
    tell: Notify,
    /// Marks our own notifications, which need no second wake-up.
    me: Uuid,
}

impl Board {
    fn counter(&self, topic: Topic) -> &watch::Sender<u64> {
        let [jobs, audit, executions, events] = &self.counters;
        match topic {
            Topic::Jobs => jobs,
            Topic::Audit => audit,
            Topic::Executions => executions,
            Topic::Events => events,
        }
    }

    fn wake(&self, topic: Topic) {
        self.counter(topic).send_modify(|count| *count = count.wrapping_add(1));
    }

    fn wake_all(&self) {
        for topic in Topic::ALL {
            self.wake(topic);
        }
    }

    fn take_untold(&self) -> BTreeSet<Topic> {
        std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The wake-ups of one database handle.
pub(crate) struct Wakes {
    board: Arc<Board>,
    tasks: Vec<JoinHandle<()>>,
}

impl Wakes {
    /// Starts telling and listening over `pool`.
    pub(crate) fn start(pool: PgPool) -> Self {
        let board = Arc::new(Board {
            counters: std::array::from_fn(|_| watch::channel(0).0),
            untold: Mutex::new(BTreeSet::new()),
            tell: Notify::new(),
            me: Uuid::now_v7(),
        });
        let tasks = vec![
            tokio::spawn(tell(board.clone(), pool.clone())),
            tokio::spawn(listen(board.clone(), pool)),
        ];
        Self { board, tasks }
    }

    /// Wakes the waiters of these topics, here now and elsewhere soon.
    pub(crate) fn send(&self, topics: &BTreeSet<Topic>) {
        if topics.is_empty() {
            return;
        }
        for topic in topics {
            self.board.wake(*topic);
        }
        self.board.untold.lock().unwrap_or_else(PoisonError::into_inner).extend(topics);
        self.board.tell.notify_one();
    }

    pub(crate) fn waker(&self, topic: Topic) -> Waker {
        Waker { counter: self.board.counter(topic).subscribe() }
    }

    pub(crate) fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits for the wake-ups of one topic.
#[derive(Clone)]
pub struct Waker {
    counter: watch::Receiver<u64>,
}

impl Waker {
    /// Returns at the next wake-up, at once if one came since the last call, and in any case
    /// after `at_most`.
    pub async fn wait(&mut self, at_most: Duration) {
        // Ended by the limit, by a wake-up, or by the database handle being gone: in each case
        // the caller looks by itself.
        drop(tokio::time::timeout(at_most, self.counter.changed()).await);
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waker").finish_non_exhaustive()
    }
}

async fn tell(board: Arc<Board>, pool: PgPool) {
    loop {
        board.tell.notified().await;
        tokio::time::sleep(GATHER).await;
        for topic in board.take_untold() {
            let payload = format!("{} {}", topic.word(), board.me);
            let told = sqlx::query("SELECT pg_notify($1, $2)")
                .bind(CHANNEL)
                .bind(payload)
                .execute(&pool)
                .await;
            if let Err(error) = told {
                // Others find the work when their own limit is over.
                tracing::debug!(%error, "other processes could not be woken");
            }
        }
    }
}

async fn listen(board: Arc<Board>, pool: PgPool) {
    loop {
        if let Err(error) = listen_once(&board, &pool).await {
            tracing::debug!(%error, "listening for wake-ups was interrupted");
        }
        tokio::time::sleep(pause::spread(RELISTEN)).await;
    }
}

async fn listen_once(board: &Board, pool: &PgPool) -> Result<(), Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // Whatever was said before now was not heard.
    board.wake_all();
    while let Some(notification) = listener.try_recv().await? {
        let (word, sender) = notification.payload().split_once(' ').unwrap_or_default();
        if sender == board.me.to_string() {
            continue;
        }
        if let Some(topic) = Topic::parse(word) {
            board.wake(topic);
        }
    }
    Ok(())
}
