//! What happened: read back from the target, the database and the log, to be judged as a whole.

use std::collections::BTreeMap;

use db::AuditKey;
use model::Timestamp;
use model::id::ExecutionId;
use prove::anchor::Anchor;
use prove::checkpoint::origin;
use prove::directory::Directory;
use prove::keys::Keyring;
use prove::signer::Signer;
use prove::verify::{Options, verify};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::deployment::Deployment;
use super::{LEASE, until};

/// A line a step left on the target.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Effect {
    pub(super) execution: Uuid,
    pub(super) step: String,
    pub(super) direction: String,
}

/// An execution as it stands, with what allowed it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub(super) struct Execution {
    pub(super) id: Uuid,
    pub(super) state: String,
    /// To be worked on, and for two leases nobody did.
    pub(super) in_limbo: bool,
    /// Its plan hashes to what it was asked for with.
    pub(super) plan_matches: bool,
    pub(super) verdict: String,
    pub(super) has_approval: bool,
    /// The approval was given for these hashes by enough people, before the start and in time.
    pub(super) approval_holds: bool,
}

/// An attempt.
#[derive(Debug, Clone, Serialize, FromRow)]
pub(super) struct Attempt {
    pub(super) execution: Uuid,
    pub(super) step: String,
    pub(super) semantics: String,
    pub(super) direction: String,
    pub(super) token: String,
    pub(super) state: String,
    /// The order in which its step ended.
    pub(super) completed: Option<i64>,
}

/// A claim, as the database saw it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub(super) struct Claim {
    pub(super) execution: Uuid,
    pub(super) before: i64,
    pub(super) epoch: i64,
    pub(super) owner: String,
}

/// An attempt being opened under an epoch, while the execution was held under another or the same.
#[derive(Debug, Clone, Serialize, FromRow)]
pub(super) struct Opening {
    pub(super) execution: Uuid,
    pub(super) epoch: i64,
    pub(super) held: i64,
}

/// What the log says about one attempt.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Logged {
    pub(super) started: Vec<i64>,
    pub(super) ended: Vec<i64>,
}

/// Everything that happened in a deployment.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct History {
    pub(super) effects: Vec<Effect>,
    pub(super) executions: Vec<Execution>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) claims: Vec<Claim>,
    pub(super) openings: Vec<Opening>,
    /// By token.
    pub(super) logged: BTreeMap<String, Logged>,
    /// The epochs of an execution's events, in the order of the log.
    pub(super) epochs_logged: BTreeMap<String, Vec<i64>>,
    /// What `audit verify` says is wrong.
    pub(super) log_fault: Option<String>,
}

impl History {
    /// Reads it, once everything that was logged is sequenced and signed.
    pub(super) async fn of(deployment: &Deployment) -> Self {
        signed(deployment).await;
        let mut history = Self {
            effects: effects(deployment),
            executions: rows(deployment, EXECUTIONS).await,
            attempts: rows(deployment, ATTEMPTS).await,
            claims: rows(
                deployment,
                "SELECT execution, before, epoch, owner FROM public.claims ORDER BY at",
            )
            .await,
            openings: rows(
                deployment,
                "SELECT execution, epoch, held FROM public.openings ORDER BY at",
            )
            .await,
            log_fault: verified(deployment).await,
            ..Self::default()
        };
        history.read_log(deployment).await;
        history
    }

    async fn read_log(&mut self, deployment: &Deployment) {
        let events: Vec<(i64, String, Vec<u8>)> = sqlx::query_as(
            "SELECT seq, action, canon FROM countersign.audit_events
             WHERE tenant_id = $1 AND target_type = 'execution' ORDER BY seq",
        )
        .bind(deployment.tenant().uuid())
        .fetch_all(deployment.test.admin())
        .await
        .expect("the log is read");
        for (seq, action, canon) in events {
            let event: Value = serde_json::from_slice(&canon).expect("events are JSON");
            let details = &event["context"];
            if let Some(epoch) = details["epoch"].as_i64() {
                let execution = event["target"]["id"].as_str().unwrap_or_default().to_owned();
                self.epochs_logged.entry(execution).or_default().push(epoch);
            }
            for attempt in details["attempts"].as_array().into_iter().flatten() {
                let token = attempt["token"].as_str().unwrap_or_default().to_owned();
                let logged = self.logged.entry(token).or_default();
                match action.as_str() {
                    "step.started" => logged.started.push(seq),
                    "step.ended" => logged.ended.push(seq),
                    _other => {}
                }
            }
        }
    }
}

const EXECUTIONS: &str = "
    SELECT e.id, e.state, d.verdict, a.id IS NOT NULL AS has_approval,
           e.state IN ('approved', 'in_progress', 'verifying', 'rolling_back')
             AND greatest(coalesce(e.lease_until, e.next_run_at), e.next_run_at)
                 < clock_timestamp() - make_interval(secs => $2) AS in_limbo,
           sha256(p.document) = p.plan_hash AND p.plan_hash = e.plan_hash AS plan_matches,
           coalesce(
             a.status = 'approved' AND a.bound_hash = e.bound_hash AND a.plan_id = e.plan_id
             AND a.decided_at <= e.started_at AND e.started_at < a.expires_at
             AND a.min_votes <= (
               SELECT count(DISTINCT v.person) FROM countersign.approval_votes v
               WHERE v.tenant_id = a.tenant_id AND v.approval_id = a.id
                 AND v.decision = 'approve' AND v.created_at <= e.started_at
                 AND v.actor_id <> a.requester_actor_id),
             false) AS approval_holds
    FROM countersign.executions e
    JOIN countersign.plans p ON p.tenant_id = e.tenant_id AND p.id = e.plan_id
    JOIN countersign.decisions d ON d.tenant_id = e.tenant_id AND d.id = e.decision_id
    LEFT JOIN countersign.approvals a ON a.tenant_id = e.tenant_id AND a.id = e.approval_id
    WHERE e.tenant_id = $1
    ORDER BY e.id";

const ATTEMPTS: &str = "
    SELECT t.execution_id AS execution, r.step_name AS step, s.semantics, t.direction, t.token,
           t.state, r.completed_seq AS completed
    FROM countersign.attempts t
    JOIN countersign.step_runs r ON r.tenant_id = t.tenant_id AND r.id = t.step_run_id
    JOIN countersign.executions e ON e.tenant_id = t.tenant_id AND e.id = t.execution_id
    JOIN countersign.plan_steps s ON s.tenant_id = e.tenant_id AND s.plan_id = e.plan_id
      AND s.step_order = r.step_order
    WHERE t.tenant_id = $1 AND $2 > 0
    ORDER BY t.opened_at, t.id";

async fn rows<T>(deployment: &Deployment, sql: &'static str) -> Vec<T>
where
    T: for<'r> FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
{
    let mut query = sqlx::query_as(sql);
    if sql.contains("$2") {
        query = query.bind(deployment.tenant().uuid()).bind(2.0 * LEASE.as_secs_f64());
    }
    query.fetch_all(deployment.test.admin()).await.expect("the rows are read")
}

fn effects(deployment: &Deployment) -> Vec<Effect> {
    let effect = |line: Vec<String>| match line.as_slice() {
        [execution, step, direction] => Effect {
            execution: execution.parse::<ExecutionId>().expect("an execution's id").uuid(),
            step: step.clone(),
            direction: direction.clone(),
        },
        _other => panic!("a line no step wrote: {line:?}"),
    };
    deployment.lines().into_iter().map(effect).collect()
}

/// Waits until all that was logged is sequenced and signed.
async fn signed(deployment: &Deployment) {
    until("a signed log", async || {
        let done: bool = sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT 1 FROM countersign.audit_outbox WHERE tenant_id = $1)
                AND (SELECT count(*) FROM countersign.audit_events WHERE tenant_id = $1)
                  = coalesce((SELECT max(size) FROM countersign.audit_checkpoints
                              WHERE tenant_id = $1), 0)",
        )
        .bind(deployment.tenant().uuid())
        .fetch_one(deployment.test.admin())
        .await
        .expect("the database answers");
        done.then_some(())
    })
    .await;
}

/// What is wrong with the log, held against its checkpoints, its anchor and its MACs.
async fn verified(deployment: &Deployment) -> Option<String> {
    let below = |name: &str| Directory::new(deployment.dir.path().join(name));
    let keys = Keyring::open_or_create(&below("keys/log")).expect("the log's keys");
    let origin = origin("local", deployment.tenant());
    let policy = Signer::new(keys, below("signer")).policy(&origin).expect("the signer's policy");
    let anchor = Anchor::new(below("anchor"));
    let mac = std::fs::read(deployment.dir.path().join("keys/audit-mac")).expect("the MAC key");
    let mac = AuditKey::new(&mac.try_into().expect("32 bytes"));
    let now: i64 = sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::bigint")
        .fetch_one(deployment.test.admin())
        .await
        .expect("the database's clock");
    let options = Options {
        origin: &origin,
        witness: None,
        policy: Some(&policy),
        anchor: Some(&anchor),
        mac: Some(&mac),
        now: Timestamp::from_second(now).expect("a present"),
        max_anchor_age: None,
    };
    let report = verify(&deployment.test.db, deployment.tenant(), &options).await;
    let report = report.expect("the database answers");
    (!report.ok).then(|| serde_json::to_string(&report).expect("a report is JSON"))
}
