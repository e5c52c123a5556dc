//! What an intent would come to if it were asked today: everything it refers to, read anew.

use std::collections::BTreeMap;

use act::runbook::select;
use act::runbook::store::{self as runbooks, Stored};
use db::TenantTx;
use gate::store::approvals::Source;
use gate::store::intents::{self, Intent};
use gate::store::plans::StoredPlan;
use model::actor::Actor;
use model::finding::{Alert, SourceStatus};
use model::id::{ActorId, TriggerId};
use model::intent::TriggerKind;
use sense::inventory::{Selector, TargetFacts};
use sense::store::{finding, target};

use super::ask::Ask;
use super::store::{self, Waiting};
use super::weigh::candidate;
use super::{Error, Loop};

/// Everything an intent to run a runbook refers to, as it is now.
#[derive(Debug)]
pub(super) struct Today {
    intent: Intent,
    requester: Actor,
    runbook: Stored,
    author: ActorId,
    alert: Option<Alert>,
    targets: Vec<TargetFacts>,
    variables: BTreeMap<String, String>,
    matched: Option<(TriggerId, u32)>,
}

impl Today {
    /// Reads it, or says why the intent can no longer be carried out.
    pub(super) async fn load(
        tx: &mut TenantTx,
        waiting: &Waiting,
        before: &StoredPlan,
    ) -> Result<Result<Self, String>, Error> {
        let intent = intents::get(tx, waiting.intent).await?;
        let Some(runbook_id) = intent.runbook else {
            return Ok(Err("the intent names no runbook".to_owned()));
        };
        let requester = api::identity::store::load_actor(tx, waiting.initiated_by).await?;
        let Some(requester) = requester else {
            return Ok(Err("whoever asked for it is not active any more".to_owned()));
        };
        let held: Vec<_> = before.plan.targets.iter().map(|one| one.resource_id.uuid()).collect();
        store::hold_sources(tx, runbook_id, &held).await?;
        let runbook = runbooks::get(tx, runbook_id).await?;
        let author = store::author(tx, runbook_id, runbook.version).await?;
        let alert = match intent.finding {
            Some(id) => Some(finding::alert(tx, id).await?),
            None => None,
        };
        let gone = alert.as_ref().is_some_and(|alert| alert.status == SourceStatus::Resolved);
        if gone && intent.trigger == TriggerKind::Alert {
            return Ok(Err("the alert resolved before anything was done".to_owned()));
        }
        let ids = before.plan.targets.iter().map(|target| target.resource_id).collect();
        let targets = target::targets(tx, &Selector { ids, ..Selector::default() }).await?;
        let refused =
            targets.iter().find(|facts| !select::allowed(&runbook.runbook, &candidate(facts)));
        if let Some(facts) = refused {
            return Ok(Err(format!("the runbook may not touch {} any more", facts.target.name)));
        }
        let variables = intent
            .payload
            .get("variables")
            .and_then(|given| serde_json::from_value(given.clone()).ok())
            .unwrap_or_default();
        let matched = match intent.trigger_id {
            Some(trigger) => Some((trigger, store::cooldown_s(tx, trigger).await?)),
            None => None,
        };
        Ok(Ok(Self { intent, requester, runbook, author, alert, targets, variables, matched }))
    }

    /// The same request, asked today.
    pub(super) fn ask(&self) -> Ask<'_> {
        Ask {
            requester: &self.requester,
            trigger: self.intent.trigger,
            deterministic_id: self.intent.deterministic_id.clone(),
            runbook_id: self.runbook.id,
            version: self.runbook.version,
            author: self.author,
            runbook: &self.runbook.runbook,
            alert: self.alert.as_ref(),
            matched: self.matched,
            targets: &self.targets,
            variables: &self.variables,
            text: self.intent.text.clone(),
            source: Source::Auto,
        }
    }
}

impl Loop {
    /// Weighs a request with its plan at this moment.
    pub(super) async fn weigh_ask(
        &self,
        tx: &mut TenantTx,
        ask: &Ask<'_>,
        plan: &model::plan::Plan,
        moment: gate::store::guards::Moment,
    ) -> Result<(super::weigh::Weighed, model::Timestamp), Error> {
        let planned_at = tx.now().await?;
        let matter = super::weigh::Matter {
            requester: ask.requester,
            trigger: ask.trigger,
            runbook: ask.runbook,
            plan,
            targets: ask.targets,
            matched: ask.matched,
            planned_at,
            moment,
        };
        Ok((self.weigh(tx, &matter).await?, planned_at))
    }
}
