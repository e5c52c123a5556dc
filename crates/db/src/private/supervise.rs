//! Watching over the postmaster: started again whenever it dies, until it is told to stop.

use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tokio::sync::watch;

use super::Error;
use super::cluster::{Cluster, signal_process};
use super::layout::file;
use super::lock::DataLock;

/// How often a state that sends no signal is looked at: a pid file, processes of others.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Looks after which processes of an earlier run are told to stop at once, then killed, then
/// given up on: 4 s, 8 s, 20 s.
const QUIT_AFTER: u32 = 160;
const KILL_AFTER: u32 = 320;
const GIVE_UP_AFTER: u32 = 800;

/// The pause before a restart: doubles while the postmaster keeps dying before [`OLD`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A postmaster that lived this long did not die of how it was started.
const OLD: Duration = Duration::from_secs(60);

/// How long a fast shutdown may take before it becomes an immediate one.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// What the supervisor's thread says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Starting,
    Running { pid: u32, starts: u64 },
    Ended { why: String },
}

struct Shared {
    cluster: Cluster,
    order: Mutex<Order>,
    ordered: Condvar,
    state: watch::Sender<State>,
}

#[derive(Default)]
struct Order {
    stop: bool,
    /// The postmaster, as long as it is not reaped: only then is the number surely its own.
    child: Option<u32>,
    starts: u64,
}

/// The thread that owns the postmaster.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    state: watch::Receiver<State>,
}

impl Supervisor {
    /// Starts the thread. It keeps the data directory's lock until the postmaster is gone.
    pub(super) fn start(cluster: Cluster, lock: DataLock) -> Result<Self, Error> {
        let (sender, state) = watch::channel(State::Starting);
        let path = cluster.path();
        let shared = Arc::new(Shared {
            cluster,
            order: Mutex::new(Order::default()),
            ordered: Condvar::new(),
            state: sender,
        });
        let for_thread = shared.clone();
        // A thread of its own, which lives as long as the postmaster: the death signal comes when
        // the *thread* that started it ends, and a runtime's threads come and go.
        std::thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                let why = match for_thread.run() {
                    Ok(()) => "was stopped".to_owned(),
                    Err(error) => {
                        tracing::error!(%error, "the private server is given up");
                        format!("ended: {error}")
                    }
                };
                drop(lock);
                for_thread.state.send_replace(State::Ended { why });
            })
            .map_err(file("start a thread for", &path))?;
        Ok(Self { shared, state })
    }

    pub(super) fn postmaster(&self) -> Option<u32> {
        self.shared.order().child
    }

    pub(super) fn starts(&self) -> u64 {
        self.shared.order().starts
    }

    /// Waits until the postmaster takes connections; fails with what happened when it dies before
    /// or is not there any more.
    pub(super) async fn ready(&self) -> Result<(), String> {
        let mut state = self.state.clone();
        let mut first = None;
        loop {
            match state.borrow_and_update().clone() {
                State::Starting => {}
                State::Running { pid, starts } => {
                    if self.shared.cluster.takes_connections(pid) {
                        return Ok(());
                    }
                    if *first.get_or_insert(starts) != starts {
                        return Err("ended before it was ready".to_owned());
                    }
                }
                State::Ended { why } => return Err(why),
            }
            // The postmaster does not say when it is ready: its file does.
            drop(tokio::time::timeout(LOOK_EVERY, state.changed()).await);
        }
    }

    /// Tells the postmaster to stop, and the thread not to start it again.
    pub(super) fn request_stop(&self) {
        let mut order = self.shared.order();
        order.stop = true;
        if let Some(pid) = order.child {
            signal_process(pid, Signal::INT);
        }
        drop(order);
        self.shared.ordered.notify_all();
    }

    /// Stops and waits until the postmaster is gone and the data directory is free.
    pub(super) async fn stop(self) {
        self.request_stop();
        let mut state = self.state.clone();
        let ended = |state: &State| matches!(state, State::Ended { .. });
        if tokio::time::timeout(STOP_WITHIN, state.wait_for(ended)).await.is_err() {
            tracing::warn!("PostgreSQL does not stop; it is told to stop immediately");
            if let Some(pid) = self.postmaster() {
                signal_process(pid, Signal::QUIT);
            }
            drop(tokio::time::timeout(STOP_WITHIN, state.wait_for(ended)).await);
        }
    }
}

impl Drop for Supervisor {
    /// Does not wait: the postmaster ends by itself, and the lock is held until it has.
    fn drop(&mut self) {
        self.request_stop();
    }
}

impl Shared {
    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for an order to stop, for this long at most; says whether there is one.
    fn stop_within(&self, at_most: Duration) -> bool {
        let waited = self.ordered.wait_timeout_while(self.order(), at_most, |order| !order.stop);
        waited.unwrap_or_else(PoisonError::into_inner).0.stop
    }

    fn run(&self) -> Result<(), Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            if !self.clear_the_way()? {
                return Ok(());
            }
            let began = Instant::now();
            let mut child = self.cluster.spawn()?;
            let pid = child.id();
            let starts = {
                let mut order = self.order();
                order.child = Some(pid);
                order.starts += 1;
                if order.stop {
                    signal_process(pid, Signal::INT);
                }
                order.starts
            };
            self.state.send_replace(State::Running { pid, starts });
            let status = self.reap(&mut child)?;
            if self.stop_within(Duration::ZERO) {
                // What is left, if anything, is for the next start to look at: backends may
                // outlive a postmaster that did not end well.
                return Ok(());
            }
            tracing::error!(%status, pid, "PostgreSQL died; it is started again");
            if self.stop_within(pause) {
                return Ok(());
            }
            pause = next_pause(pause, began.elapsed());
        }
    }

    /// Waits for the child to end, forgets its number, and only then lets the system reuse it.
    fn reap(&self, child: &mut Child) -> Result<std::process::ExitStatus, Error> {
        let path = self.cluster.path();
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(error) = waitid(WaitId::Pid(pid), options) {
                if error != rustix::io::Errno::INTR {
                    return Err(file("wait for the server of", &path)(error.into()));
                }
            }
        }
        self.order().child = None;
        child.wait().map_err(file("wait for the server of", &path))
    }

    /// Waits until nobody works in the cluster: a postmaster whose supervisor was killed is
    /// shutting down, backends whose postmaster was killed are about to notice. Two postmasters
    /// on one cluster would destroy it. False when told to stop meanwhile.
    fn clear_the_way(&self) -> Result<bool, Error> {
        for look in 0.. {
            let users = self.cluster.users();
            if users.is_empty() {
                break;
            }
            match look {
                0 => {
                    tracing::info!(?users, "waiting for the server of an earlier run to end");
                    self.cluster.signal_users(Signal::INT);
                }
                QUIT_AFTER => self.cluster.signal_users(Signal::QUIT),
                KILL_AFTER => self.cluster.signal_users(Signal::KILL),
                GIVE_UP_AFTER => {
                    return Err(Error::Occupied { path: self.cluster.path(), pids: users });
                }
                _ => {}
            }
            if self.stop_within(LOOK_EVERY) {
                return Ok(false);
            }
        }
        self.cluster.clear()?;
        Ok(true)
    }
}

fn next_pause(pause: Duration, lived: Duration) -> Duration {
    if lived >= OLD { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) }
}
