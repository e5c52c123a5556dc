//! Remedy: drift is put right in executions that follow one another, each asked for through the gate;
//! and what a scan on another host printed becomes findings.

use std::collections::{BTreeMap, BTreeSet};

use act::ports::Finished;
use act::runbook::store as runbooks;
use act::store::read;
use db::TenantTx;
use db::jobs::{Claimed, NewJob};
use gate::store::approvals::Source as Door;
use model::Digest;
use model::actor::{Actor, ActorKind};
use model::audit::{Event, Who};
use model::execution::ExecutionState;
use model::id::{ExecutionId, FindingId, RemediationId, RepositoryId};
use model::intent::TriggerKind;
use sense::inventory::Selector;
use sense::remediation::{self, Means, Next, Progress, Remediation, Source, Stage};
use sense::store::remediation as store;
use sense::store::{scan, target};
use serde_json::{Value, json};

use super::ask::{Ask, Asked, ask};
use super::{Error, Loop, told};

/// The subject of the jobs this takes.
pub const SUBJECT: &str = "remedy";
/// What the gate's own names for these requests begin with.
pub(super) const OF_REMEDIATIONS: &str = "remediation/";
/// What the gate's own names for looks begin with.
pub(super) const OF_SCANS: &str = "scan/";
/// The procedure whose output is a scan.
const SCAN: &str = "drift-scan";

/// Drift to be put right.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Who asks.
    pub(super) requester: &'a Actor,
    /// By which means.
    pub(super) means: Means,
    /// Which findings; all of one source.
    pub(super) findings: &'a [FindingId],
    /// Why.
    pub(super) reason: String,
}

/// Begins a remediation: asks for the execution that works out the change.
pub(super) async fn begin(
    cycle: &Loop,
    tx: &mut TenantTx,
    wanted: Wanted<'_>,
) -> Result<(RemediationId, Asked), Error> {
    let drifted = store::drifted(tx, wanted.findings).await?;
    let not = |id: &FindingId, why: &'static str| Error::NotToRemedy { finding: *id, why };
    for id in wanted.findings {
        let one = drifted.iter().find(|one| one.id == *id);
        let one = one.ok_or_else(|| not(id, "is no drift"))?;
        if one.status == "fixed" {
            return Err(not(id, "is fixed already"));
        }
        if one.repository.is_none() {
            return Err(not(id, "was found by no scan of a source"));
        }
        if one.address.is_none() {
            return Err(not(id, "is about a resource that nothing declares"));
        }
    }
    let sources: BTreeSet<RepositoryId> = drifted.iter().filter_map(|one| one.repository).collect();
    let (Some(repository), 1) = (sources.first(), sources.len()) else {
        return Err(Error::ManySources);
    };
    let remediation = Remediation {
        id: RemediationId::generate(),
        means: wanted.means,
        source: store::source(tx, *repository).await?,
        addresses: drifted.into_iter().filter_map(|one| one.address).collect(),
        reason: wanted.reason,
        prepared: BTreeMap::new(),
    };
    store::insert(tx, &remediation, wanted.findings, wanted.requester.id).await?;
    let event = Event::new(wanted.requester, "remediation.begun", "remediation", &remediation.id)
        .with("means", remediation.means.word())
        .with("iac_repository_id", repository.to_string())
        .with("findings", json!(wanted.findings));
    tx.audit(&event).await?;
    let asked = stage(cycle, tx, &remediation, Stage::Prepare, wanted.requester).await?;
    Ok((remediation.id, asked))
}

/// Asks for one execution of a remediation.
async fn stage(
    cycle: &Loop,
    tx: &mut TenantTx,
    remediation: &Remediation,
    stage: Stage,
    requester: &Actor,
) -> Result<Asked, Error> {
    let run = Run {
        name: remediation.procedure(stage),
        deterministic_id: format!("{OF_REMEDIATIONS}{}/{stage}", remediation.id),
        text: remediation.text(),
        source: &remediation.source,
        variables: remediation.variables(),
    };
    let asked = procedure(cycle, tx, run, requester).await?;
    store::began(tx, remediation.id, stage, asked.execution_id).await?;
    Ok(asked)
}

/// Asks for a look for drift where the tools of a source run.
pub(super) async fn look(
    cycle: &Loop,
    tx: &mut TenantTx,
    repository: RepositoryId,
    (requester, deterministic_id): (&Actor, String),
) -> Result<Asked, Error> {
    let source = store::source(tx, repository).await?;
    let run = Run {
        name: SCAN,
        deterministic_id,
        text: format!("Look for drift in {}", source.name),
        source: &source,
        variables: source.variables(),
    };
    procedure(cycle, tx, run, requester).await
}

/// A procedure of ours about to be asked for.
struct Run<'a> {
    name: &'static str,
    deterministic_id: String,
    text: String,
    source: &'a Source,
    variables: BTreeMap<String, String>,
}

async fn procedure(
    cycle: &Loop,
    tx: &mut TenantTx,
    run: Run<'_>,
    requester: &Actor,
) -> Result<Asked, Error> {
    let stored = runbooks::procedure(tx, run.name).await?;
    let author = super::store::author(tx, stored.id, stored.version).await?;
    let ids = vec![run.source.resource];
    let targets = target::targets(tx, &Selector { ids, ..Selector::default() }).await?;
    let mut variables = run.variables;
    variables.retain(|name, _| stored.runbook.environment_vars.contains_key(name));
    let wanted = Ask {
        requester,
        trigger: match requester.kind {
            ActorKind::User => TriggerKind::Manual,
            ActorKind::Service | ActorKind::Agent => TriggerKind::Webhook,
        },
        deterministic_id: run.deterministic_id,
        runbook_id: stored.id,
        version: stored.version,
        author,
        runbook: &stored.runbook,
        alert: None,
        matched: None,
        targets: &targets,
        variables: &variables,
        text: run.text,
        source: Door::Auto,
    };
    ask(cycle, tx, &wanted).await
}

/// Queues what follows from an end, in the transaction that writes it.
pub(super) async fn ended(tx: &mut TenantTx, finished: &Finished) -> Result<(), Error> {
    let scanned = finished.plan.runbook.name == SCAN;
    if scanned || store::of(tx, finished.execution).await?.is_some() {
        queue(tx, finished.execution).await?;
    }
    Ok(())
}

/// Queues what follows from the ends that no worker brought about: denied, expired, refused.
pub(super) async fn overdue(tx: &mut TenantTx) -> Result<(), Error> {
    for execution in store::due(tx).await? {
        queue(tx, execution).await?;
    }
    Ok(())
}

async fn queue(tx: &mut TenantTx, execution: ExecutionId) -> Result<(), Error> {
    let params = json!({"execution_id": execution});
    tx.enqueue(NewJob::new(SUBJECT, params).once(execution.to_string())).await?;
    Ok(())
}

/// Takes the job of an ended execution to its end: its scan is recorded, its remediation goes on.
///
/// # Errors
/// When the database or the object store fails: the job is tried again.
pub async fn follow(cycle: &Loop, job: &Claimed) -> Result<(), Error> {
    let mut tx = cycle.app().db.tenant(job.tenant).await?;
    let named = job.params.get("execution_id").and_then(Value::as_str);
    let Some(execution) = named.and_then(|text| text.parse::<ExecutionId>().ok()) else {
        job.bury(&mut tx, "the job names no execution").await?;
        tx.commit().await?;
        return Ok(());
    };
    let remediation = store::of(&mut tx, execution).await?;
    let recorded = match scanned(&mut tx, execution).await? {
        Some(repository) => record(cycle, &mut tx, execution, repository).await?,
        None => Ok(()),
    };
    if let Some(id) = remediation {
        // Its scan may have ended it.
        if let Some(held) = store::hold(&mut tx, id).await? {
            go_on(cycle, &mut tx, held, recorded).await?;
        }
    }
    job.complete(&mut tx).await?;
    tx.signal(db::wake::Topic::Events);
    tx.commit().await?;
    Ok(())
}

/// The source an execution looked for drift in, where that is what it did, and did well.
async fn scanned(tx: &mut TenantTx, execution: ExecutionId) -> Result<Option<RepositoryId>, Error> {
    let Some(looked) = super::store::looked(tx, execution).await? else { return Ok(None) };
    if looked.runbook != SCAN || looked.state != ExecutionState::Completed {
        return Ok(None);
    }
    let named = looked.variables.get("SOURCE").and_then(Value::as_str);
    let Some(repository) = named.and_then(|text| text.parse().ok()) else { return Ok(None) };
    // Whoever runs the procedure elsewhere speaks for no source.
    let source = match store::source(tx, repository).await {
        Ok(source) => source,
        Err(store::Unreachable::Incomplete { .. }) => return Ok(None),
        Err(store::Unreachable::Database(error)) if error.kind() == db::Kind::NotFound => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    Ok(looked.resources.contains(&source.resource).then_some(repository))
}

/// Records what a scan printed; or says why it cannot be, which no other try would change.
async fn record(
    cycle: &Loop,
    tx: &mut TenantTx,
    execution: ExecutionId,
    repository: RepositoryId,
) -> Result<Result<(), String>, Error> {
    let found = match printed(cycle, tx, execution).await? {
        Ok(printed) => sense::api::scan::told(&printed).map_err(|problem| {
            let fault = problem.errors.first();
            let fault = fault.map(|fault| format!(": line {}: {}", fault.path, fault.message));
            format!("what the scan printed is no scan{}", fault.unwrap_or_default())
        }),
        Err(why) => Err(why),
    };
    let found = match found {
        Ok(found) => found,
        Err(why) => {
            let event =
                Event::new(Who::service(), "drift_scan.unreadable", "execution", &execution)
                    .failed(why.clone());
            tx.audit(&event).await?;
            return Ok(Err(why));
        }
    };
    let (against, not_checked) = (found.against, found.not_checked.len() as u64);
    let done = scan::record(tx, repository, found).await?;
    let closed: Vec<String> = done.closed.iter().take(100).map(ToString::to_string).collect();
    let event = Event::new(Who::service(), "drift_scan.finished", "drift_scan", &done.scan.id)
        .with("iac_repository_id", repository.to_string())
        .with("execution_id", execution.to_string())
        .with("against", against.word())
        .with("drifted", done.drifted as u64)
        .with("opened", done.opened)
        .with("in_sync", u64::from(done.in_sync))
        .with("not_checked", not_checked)
        .with("closed", done.closed.len() as u64)
        .with("closed_findings", json!(closed));
    tx.audit(&event).await?;
    Ok(Ok(()))
}

/// What the step that had to leave its output printed.
async fn printed(
    cycle: &Loop,
    tx: &mut TenantTx,
    execution: ExecutionId,
) -> Result<Result<String, String>, Error> {
    let evidence = read::evidence(tx, execution).await?;
    let Some(one) = evidence.into_iter().find(|one| one.query == "stdout") else {
        return Ok(Err("its output was not kept".to_owned()));
    };
    let bytes = cycle.app().objects.get(&one.result_ref).await?;
    if Digest::of(&bytes).as_bytes()[..] != one.sha256[..] {
        return Ok(Err("its output does not have the hash that was recorded".to_owned()));
    }
    let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = document.pointer("/stdout/text").and_then(Value::as_str);
    Ok(text.map(str::to_owned).ok_or_else(|| "its output is no text".to_owned()))
}

/// Takes a remediation whose execution has ended to where it goes next.
async fn go_on(
    cycle: &Loop,
    tx: &mut TenantTx,
    held: store::Held,
    recorded: Result<(), String>,
) -> Result<(), Error> {
    let store::Held { mut remediation, requester, current, error, .. } = held;
    let Some((execution, ended, state)) = current else { return Ok(()) };
    let next = match recorded {
        Err(why) => Next::Fail(why),
        Ok(()) => remediation::next(remediation.means, ended, state, error.as_deref()),
    };
    let next = match next {
        Next::Ask(Stage::Change) => match said(cycle, tx, execution).await? {
            Ok(said) => {
                store::prepared(tx, remediation.id, &said).await?;
                remediation.prepared = said;
                Next::Ask(Stage::Change)
            }
            Err(why) => Next::Fail(why),
        },
        other => other,
    };
    match next {
        Next::Ask(wanted) => {
            let Some(requester) = api::identity::store::load_actor(tx, requester).await? else {
                let why = "whoever asked for it is not active any more";
                return failed(tx, remediation.id, why).await;
            };
            let mark = tx.mark().await?;
            match stage(cycle, tx, &remediation, wanted, &requester).await {
                Ok(_) => Ok(()),
                Err(Error::Db(error)) if error.kind() == db::Kind::Unavailable => Err(error.into()),
                Err(error) => {
                    tx.back_to(mark).await?;
                    failed(tx, remediation.id, &told(&error)).await
                }
            }
        }
        Next::Wait(progress) => {
            store::reached(tx, remediation.id, progress, None).await?;
            let event = Event::new(
                Who::service(),
                &format!("remediation.{progress}"),
                "remediation",
                &remediation.id,
            );
            tx.audit(&event).await?;
            Ok(())
        }
        Next::Fail(why) => failed(tx, remediation.id, &why).await,
    }
}

/// What a preparation said.
async fn said(
    cycle: &Loop,
    tx: &mut TenantTx,
    execution: ExecutionId,
) -> Result<Result<BTreeMap<String, String>, String>, Error> {
    Ok(match printed(cycle, tx, execution).await? {
        Ok(text) => remediation::prepared(&text).map_err(|error| error.to_string()),
        Err(why) => Err(why),
    })
}

async fn failed(tx: &mut TenantTx, id: RemediationId, why: &str) -> Result<(), Error> {
    store::reached(tx, id, Progress::Failed, Some(why)).await?;
    let event =
        Event::new(Who::service(), "remediation.failed", "remediation", &id).failed(why.to_owned());
    tx.audit(&event).await?;
    Ok(())
}
