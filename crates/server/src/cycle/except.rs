//! Except: a finding is to stand, or a provider's policy may be broken, for a while. Nothing runs for
//! that, and yet it passes the gate: what is approved is a plan without targets, and the approval
//! brings the exception about.

use std::collections::BTreeMap;

use act::runbook::store as runbooks;
use db::TenantTx;
use gate::store::approvals::{self, NewApproval, Source as Door};
use gate::store::exceptions::{self, About, NewException};
use gate::store::guards::Moment;
use gate::store::intents::{self, Recorded};
use model::Timestamp;
use model::actor::{Actor, ActorKind};
use model::audit::Who;
use model::id::{ApprovalId, ConnectionId, ExceptionId, ResourceId};
use model::intent::TriggerKind;
use model::level::EnvironmentClass;
use model::plan::{Plan, PlanStep, RunbookRef, Semantics, Stage, Target};
use model::verdict::Verdict;

use super::ask::{Ask, Settle, new_intent};
use super::{Error, Loop};

/// The procedure that says who has to approve an exception.
const GRANT: &str = "exception-grant";
/// What the gate's own names for these requests begin with.
pub(super) const OF_EXCEPTIONS: &str = "exception/";

/// An exception to be asked for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Who asks.
    pub(super) requester: &'a Actor,
    /// What may be otherwise than a rule says.
    pub(super) about: About,
    /// The same in words, as it is approved: `fnd_… (title) may stand`.
    pub(super) what: &'a str,
    /// The class of its environment.
    pub(super) class: EnvironmentClass,
    /// Why.
    pub(super) reason: &'a str,
    /// Until when.
    pub(super) until: Timestamp,
    /// When somebody must look whether it is still right.
    pub(super) recertify_at: Option<Timestamp>,
}

/// What came of asking.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) exception: ExceptionId,
    /// `None` when it was refused.
    pub(super) approval: Option<ApprovalId>,
    pub(super) verdict: Verdict,
}

/// Asks for an exception: it holds when it is approved, and not before.
pub(super) async fn ask(
    cycle: &Loop,
    tx: &mut TenantTx,
    wanted: Wanted<'_>,
) -> Result<Asked, Error> {
    let stored = runbooks::procedure(tx, GRANT).await?;
    let author = super::store::author(tx, stored.id, stored.version).await?;
    let id = ExceptionId::generate();
    let text = format!("{} until {}: {}", wanted.what, wanted.until, wanted.reason);
    let runbook =
        RunbookRef { id: stored.id, name: stored.runbook.name.clone(), version: stored.version };
    let plan = plan(runbook, &text, wanted.class);
    let variables = BTreeMap::new();
    let request = Ask {
        requester: wanted.requester,
        trigger: match wanted.requester.kind {
            ActorKind::User => TriggerKind::Manual,
            ActorKind::Service | ActorKind::Agent => TriggerKind::Webhook,
        },
        deterministic_id: format!("{OF_EXCEPTIONS}{id}"),
        runbook_id: stored.id,
        version: stored.version,
        author,
        runbook: &stored.runbook,
        alert: None,
        matched: None,
        targets: &[],
        variables: &variables,
        text: text.chars().take(2000).collect(),
        source: Door::Api,
    };
    let who = Who::from(wanted.requester);
    let intent = new_intent(&request, "security".to_owned());
    let (Recorded::New(intent) | Recorded::Known(intent)) =
        intents::insert(tx, &intent, who.clone()).await?;
    let (weighed, at) = cycle.weigh_ask(tx, &request, &plan, Moment::Asking).await?;
    let settle = Settle { ask: &request, intent, version: 1, plan: &plan, weighed: &weighed, at };
    let settled = cycle.settle(tx, settle).await?;
    let requirement = weighed.decision.approval.clone();
    let approval = requirement.filter(|_| weighed.decision.verdict != Verdict::Deny);
    let approval = match approval {
        Some(requirement) => {
            let new = NewApproval {
                id: ApprovalId::generate(),
                intent,
                plan: settled.plan,
                decision: settled.decision,
                requester: wanted.requester.id,
                author,
                requirement,
                bound_hash: weighed.bound_hash,
                source: Door::Api,
            };
            approvals::create(tx, &new, who.clone()).await?;
            Some(new.id)
        }
        None => {
            intents::settle(tx, intent, weighed.decision.intent_state()).await?;
            None
        }
    };
    let exception = NewException {
        id,
        about: wanted.about,
        reason: wanted.reason.to_owned(),
        until: wanted.until,
        recertify_at: wanted.recertify_at,
        by: wanted.requester.id,
        approval,
    };
    exceptions::insert(tx, &exception, who).await?;
    Ok(Asked { exception: id, approval, verdict: weighed.decision.verdict })
}

/// A plan that runs nowhere: its one step says what is approved, and its target is no host but the
/// word of this program about an environment of that class.
fn plan(runbook: RunbookRef, text: &str, class: EnvironmentClass) -> Plan {
    let target = Target {
        resource_id: ResourceId::fixed(0),
        connection_id: ConnectionId::fixed(0),
        name: "countersign".to_owned(),
        host: "countersign".to_owned(),
        port: 0,
        username: String::new(),
        transport: "none".to_owned(),
        credential_id: None,
        credential_version: None,
        host_keys: Vec::new(),
        guard_dir: None,
        environment: class,
    };
    Plan {
        runbook,
        steps: vec![PlanStep {
            order: 1,
            name: "Grant the exception".to_owned(),
            description: Some(text.to_owned()),
            stage: Stage::Act,
            action: "exception.grant".to_owned(),
            semantics: Semantics::Idempotent,
            scripts: BTreeMap::new(),
            undo: BTreeMap::new(),
            condition: None,
            expected_exit_codes: vec![0],
            timeout_s: 60,
            continue_on_failure: false,
            retry_count: 0,
            retry_delay_s: 0,
            capture_output: false,
            sensitive: false,
            evidence: Vec::new(),
        }],
        targets: vec![target],
        max_parallel: 1,
        timeout_s: 60,
        variables: BTreeMap::new(),
    }
}
