//! Deliveries that come at the same time are written together.
//!
//! A commit waits for the disk, whether it carries one alert or a thousand. So while one
//! transaction of a sender is being written, its further deliveries line up, and the next
//! transaction takes all of them: a single alert waits no longer than it would alone, and a storm
//! of small requests costs little more than one large one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::App;
use api::problem::{Answer, Problem};
use axum::http::StatusCode;
use model::actor::Actor;
use model::audit::Who;
use model::id::{ActorId, TenantId};
use tokio::sync::oneshot;

use crate::source::{AlertSource, Sender, SourceKind};
use crate::store::alert_source;
use crate::store::ingest::{Delivery, IngestReport, ingest};

/// Alerts after which a transaction takes no further delivery: one full group.
const MOST_ALERTS: usize = 1000;

type Lines = HashMap<(TenantId, ActorId), Vec<Waiting>>;

/// The deliveries that wait, by sender. A sender is in the map while somebody writes for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intake(Arc<Mutex<Lines>>);

/// A delivery and whoever waits for what comes of it.
#[derive(Debug)]
struct Waiting {
    delivery: Delivery,
    answer: oneshot::Sender<Answer<IngestReport>>,
}

impl Intake {
    /// Has a delivery written by the sender's Alertmanager source, or by a sender that is no
    /// source; answers once it is committed.
    ///
    /// # Errors
    /// 403 when the sender is another kind of source, or is switched off; what the database says.
    pub(crate) async fn take(
        &self,
        app: &App,
        sender: &Actor,
        delivery: Delivery,
    ) -> Answer<IngestReport> {
        let (answer, came) = oneshot::channel();
        let waiting = Waiting { delivery, answer };
        match self.lines().entry((sender.tenant_id, sender.id)) {
            Entry::Occupied(line) => line.into_mut().push(waiting),
            Entry::Vacant(line) => {
                line.insert(vec![waiting]);
                let (intake, app, sender) = (self.clone(), app.clone(), sender.clone());
                let turn = Turn { intake, app, sender, closed: false };
                // On its own: who waits may go away, and what others wait for is still written.
                tokio::spawn(turn.write_all());
            }
        }
        let gone = || Problem::unavailable("the delivery was not written; send it again");
        came.await.unwrap_or_else(|_| Err(gone()))
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who writes for a sender until nothing waits.
struct Turn {
    intake: Intake,
    app: App,
    sender: Actor,
    /// Whether the line was closed: from then on it may be somebody else's.
    closed: bool,
}

impl Turn {
    async fn write_all(mut self) {
        loop {
            let together = self.next();
            if together.is_empty() {
                self.closed = true;
                return;
            }
            self.write(together).await;
        }
    }

    /// What is written next; nothing, and the line is closed, when nothing waits.
    fn next(&self) -> Vec<Waiting> {
        let mut lines = self.intake.lines();
        let Entry::Occupied(mut line) = lines.entry(self.key()) else { return Vec::new() };
        let mut alerts = 0;
        let fit = |waiting: &&Waiting| {
            alerts += waiting.delivery.batch.notices.len();
            alerts <= MOST_ALERTS
        };
        let count = line.get().iter().take_while(fit).count().max(1);
        if line.get().is_empty() {
            line.remove();
            return Vec::new();
        }
        line.get_mut().drain(..count).collect()
    }

    const fn key(&self) -> (TenantId, ActorId) {
        (self.sender.tenant_id, self.sender.id)
    }

    async fn write(&self, together: Vec<Waiting>) {
        let (deliveries, answers): (Vec<_>, Vec<_>) =
            together.into_iter().map(|waiting| (waiting.delivery, waiting.answer)).unzip();
        let several = deliveries.len() > 1;
        let written = match self.commit(&deliveries).await {
            // One that the database does not take must not stand in the others' way.
            Err(problem) if several && problem.status != StatusCode::SERVICE_UNAVAILABLE => {
                for (delivery, answer) in deliveries.into_iter().zip(answers) {
                    let alone = self.commit(&[delivery]).await;
                    let report = alone.map(|mut reports| reports.pop().unwrap_or_default());
                    // Who does not wait any more needs no answer.
                    drop(answer.send(report));
                }
                return;
            }
            other => other,
        };
        match written {
            Ok(reports) => {
                for (report, answer) in reports.into_iter().zip(answers) {
                    drop(answer.send(Ok(report)));
                }
            }
            Err(problem) => {
                for answer in answers {
                    drop(answer.send(Err(problem.clone())));
                }
            }
        }
    }

    async fn commit(&self, deliveries: &[Delivery]) -> Answer<Vec<IngestReport>> {
        let mut tx = self.app.db.tenant(self.sender.tenant_id).await?;
        let source = alert_source::of_actor(&mut tx, self.sender.id).await?;
        if source.as_ref().is_some_and(|s| !s.is_active || s.kind != SourceKind::Alertmanager) {
            return Err(not_here());
        }
        let reports = ingest(&mut tx, &sender(&self.sender, source.as_ref()), deliveries).await?;
        tx.commit().await?;
        Ok(reports)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // After a panic: whoever waits is told to send again.
        if !self.closed {
            self.intake.lines().remove(&self.key());
        }
    }
}

/// A sender as alerts and events name it.
pub(crate) fn sender(actor: &Actor, source: Option<&AlertSource>) -> Sender {
    Sender {
        source_id: source.map(|source| source.id),
        name: source.map_or_else(|| actor.display_name.clone(), |s| s.name.clone()),
        who: Who::from(actor),
    }
}

/// The answer to a key that belongs elsewhere.
pub(crate) fn not_here() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "not_this_source",
        "This caller may not do this",
        "this key belongs to another alert source, or to one that is switched off",
    )
}
