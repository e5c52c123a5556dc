//! Deliveries that come at the same time are written together.
//!
//! A commit waits for the disk, whether it carries one alert or a thousand: a storm of small
//! requests of one sender costs little more than one large one.

use api::App;
use api::problem::{Answer, Problem};
use api::together::{Together, Work};
use axum::http::StatusCode;
use model::actor::Actor;
use model::audit::Who;
use model::id::{ActorId, TenantId};

use crate::source::{AlertSource, Sender, SourceKind};
use crate::store::alert_source;
use crate::store::ingest::{Delivery, IngestReport, ingest};

/// Alerts after which a transaction takes no further delivery: one full group.
const MOST_ALERTS: usize = 1000;

/// The deliveries that wait, by sender.
#[derive(Debug, Clone, Default)]
pub(super) struct Intake(Together<(TenantId, ActorId), Delivery, Answer<IngestReport>>);

impl Intake {
    /// Has a delivery written for the sender's Alertmanager source, or for a sender that is no
    /// source; answers once it is committed.
    ///
    /// # Errors
    /// 403 when the sender is another kind of source, or is switched off; what the database says.
    pub(super) async fn take(
        &self,
        app: &App,
        sender: &Actor,
        delivery: Delivery,
    ) -> Answer<IngestReport> {
        let write = Write { app: app.clone(), sender: sender.clone() };
        let written = self.0.ask((sender.tenant_id, sender.id), delivery, write).await;
        let gone = || Problem::unavailable("the delivery was not written; send it again");
        written.unwrap_or_else(|| Err(gone()))
    }
}

/// Writing the deliveries of one sender.
struct Write {
    app: App,
    sender: Actor,
}

impl Work<Delivery, Answer<IngestReport>> for Write {
    fn take(&self, waiting: &mut dyn Iterator<Item = &Delivery>) -> usize {
        let mut alerts = 0;
        let fit = |delivery: &&Delivery| {
            alerts += delivery.batch.notices.len();
            alerts <= MOST_ALERTS
        };
        waiting.take_while(fit).count()
    }

    async fn round(&self, deliveries: Vec<Delivery>) -> Vec<Answer<IngestReport>> {
        let problem = match self.commit(&deliveries).await {
            Ok(reports) => return reports.into_iter().map(Ok).collect(),
            Err(problem) => problem,
        };
        if deliveries.len() == 1 || problem.status == StatusCode::SERVICE_UNAVAILABLE {
            return vec![Err(problem); deliveries.len()];
        }
        // One that the database does not take must not stand in the others' way.
        let mut answers = Vec::with_capacity(deliveries.len());
        for delivery in &deliveries {
            let alone = self.commit(std::slice::from_ref(delivery)).await;
            answers.push(alone.map(|mut reports| reports.pop().unwrap_or_default()));
        }
        answers
    }
}

impl Write {
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

/// A sender as alerts and events name it.
pub(super) fn sender(actor: &Actor, source: Option<&AlertSource>) -> Sender {
    Sender {
        source_id: source.map(|source| source.id),
        name: source.map_or_else(|| actor.display_name.clone(), |s| s.name.clone()),
        who: Who::from(actor),
    }
}

/// The answer to a key that belongs elsewhere.
pub(super) fn not_here() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "not_this_source",
        "This caller may not do this",
        "this key belongs to another alert source, or to one that is switched off",
    )
}
