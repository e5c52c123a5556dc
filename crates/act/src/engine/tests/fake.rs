//! A target in memory: it keeps its guards, and what it started goes on without anybody watching.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use model::connector::{
    ConnectError, Connector, Effect, Ended, Endpoint, Fence, Guard, Offsets, OutputSink, Pending,
    Stream,
};
use tokio::sync::watch;

/// How scripts behave on a target.
#[derive(Debug, Clone, Default)]
pub(super) struct Knobs {
    /// Scripts that exit with 1, as `script on host`.
    pub(super) fail: BTreeSet<String>,
    /// Scripts whose start is followed by a broken line.
    pub(super) interrupt: BTreeSet<String>,
    /// Scripts whose process vanishes with the target's boot.
    pub(super) vanish: BTreeSet<String>,
    /// Hosts that do not answer at all.
    pub(super) gone: BTreeSet<String>,
    /// Whether what was started waits for [`FakeTarget::let_end`].
    pub(super) hold: bool,
    /// What every script prints.
    pub(super) prints: String,
}

#[derive(Debug, Default)]
struct World {
    guards: BTreeMap<String, Guard>,
    /// Every start, as `script on host`, in order.
    effects: Vec<String>,
}

/// Many targets, told apart by their host.
#[derive(Debug)]
pub(super) struct FakeTarget {
    world: Arc<Mutex<World>>,
    knobs: Mutex<Knobs>,
    changed: watch::Sender<u64>,
    released: watch::Sender<bool>,
}

impl Default for FakeTarget {
    fn default() -> Self {
        Self {
            world: Arc::default(),
            knobs: Mutex::default(),
            changed: watch::Sender::new(0),
            released: watch::Sender::new(false),
        }
    }
}

impl FakeTarget {
    pub(super) fn set(&self, change: impl FnOnce(&mut Knobs)) {
        change(&mut self.knobs.lock().unwrap());
    }

    pub(super) fn effects(&self) -> Vec<String> {
        self.world.lock().unwrap().effects.clone()
    }

    pub(super) fn forget(&self) {
        self.world.lock().unwrap().effects.clear();
    }

    /// Wipes the guards, as restoring a target from a snapshot does.
    pub(super) fn restore(&self) {
        self.world.lock().unwrap().guards.clear();
    }

    pub(super) fn guard(&self, token: &str) -> Option<Guard> {
        self.world.lock().unwrap().guards.get(token).cloned()
    }

    /// Lets everything end that was held.
    pub(super) fn let_end(&self) {
        self.released.send_replace(true);
    }

    /// Waits until this many effects were started.
    pub(super) async fn started(&self, count: usize) {
        let mut changed = self.changed.subscribe();
        while self.effects().len() < count {
            changed.changed().await.unwrap();
        }
    }

    /// Starts it unless the token is taken. The process goes on by itself from here.
    fn start(&self, host: &str, effect: &Effect) -> Result<(), Guard> {
        let knobs = self.knobs.lock().unwrap().clone();
        let named = format!("{} on {host}", effect.script);
        {
            let mut world = self.world.lock().unwrap();
            if let Some(guard) = world.guards.get(&effect.token) {
                return Err(guard.clone());
            }
            let alive = !knobs.vanish.contains(&named);
            let started = Guard::Started { epoch: effect.epoch, alive };
            world.guards.insert(effect.token.clone(), started);
            world.effects.push(named.clone());
        }
        self.changed.send_modify(|count| *count += 1);
        if knobs.vanish.contains(&named) {
            return Ok(());
        }
        let (world, changed) = (Arc::clone(&self.world), self.changed.clone());
        let (mut released, token) = (self.released.subscribe(), effect.token.clone());
        let code = i32::from(knobs.fail.contains(&named));
        tokio::spawn(async move {
            if knobs.hold {
                released.wait_for(|released| *released).await.unwrap();
            }
            world.lock().unwrap().guards.insert(token, Guard::Exited { code });
            changed.send_modify(|count| *count += 1);
        });
        Ok(())
    }

    async fn end(&self, effect: &Effect, output: &dyn OutputSink) -> Ended {
        let prints = self.knobs.lock().unwrap().prints.clone();
        output.write(Stream::Stdout, 0, prints.as_bytes());
        let mut changed = self.changed.subscribe();
        loop {
            match self.guard(&effect.token) {
                Some(Guard::Exited { code }) => return Ended::Exited { code, truncated: false },
                Some(Guard::Started { alive: true, .. }) => {}
                other => return Ended::Lost(other.unwrap_or(Guard::Absent)),
            }
            changed.changed().await.unwrap();
        }
    }

    fn reachable(&self, endpoint: &Endpoint) -> Result<(), ConnectError> {
        let host = endpoint.target.host.clone();
        if self.knobs.lock().unwrap().gone.contains(&host) {
            return Err(ConnectError::Unreachable { host, reason: "no route".to_owned() });
        }
        Ok(())
    }
}

impl Connector for FakeTarget {
    fn run<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        effect: &'a Effect,
        output: &'a dyn OutputSink,
    ) -> Pending<'a, Result<Ended, ConnectError>> {
        Box::pin(async move {
            self.reachable(endpoint)?;
            let host = &endpoint.target.host;
            if let Err(guard) = self.start(host, effect) {
                return Ok(Ended::Lost(guard));
            }
            let named = format!("{} on {host}", effect.script);
            if self.knobs.lock().unwrap().interrupt.contains(&named) {
                let reason = "broken pipe".to_owned();
                return Err(ConnectError::Interrupted { host: host.clone(), reason });
            }
            Ok(self.end(effect, output).await)
        })
    }

    fn probe<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: &'a str,
    ) -> Pending<'a, Result<Guard, ConnectError>> {
        Box::pin(async move {
            self.reachable(endpoint)?;
            Ok(self.guard(token).unwrap_or(Guard::Absent))
        })
    }

    fn fence<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: &'a str,
        epoch: i64,
    ) -> Pending<'a, Result<Fence, ConnectError>> {
        Box::pin(async move {
            self.reachable(endpoint)?;
            let mut world = self.world.lock().unwrap();
            if let Some(guard) = world.guards.get(token) {
                return Ok(Fence::Lost(guard.clone()));
            }
            world.guards.insert(token.to_owned(), Guard::Fenced { epoch });
            Ok(Fence::Won)
        })
    }

    fn follow<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        effect: &'a Effect,
        _: Offsets,
        output: &'a dyn OutputSink,
    ) -> Pending<'a, Result<Ended, ConnectError>> {
        Box::pin(async move {
            self.reachable(endpoint)?;
            Ok(self.end(effect, output).await)
        })
    }

    fn kill<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: &'a str,
    ) -> Pending<'a, Result<Guard, ConnectError>> {
        Box::pin(async move {
            self.reachable(endpoint)?;
            let mut world = self.world.lock().unwrap();
            world.guards.insert(token.to_owned(), Guard::Exited { code: 137 });
            Ok(Guard::Exited { code: 137 })
        })
    }
}
