//! Rows for tests of the engine: resources, plans, approved executions.

use db::testing::TestDb;
use model::actor::Actor;
use model::canonical;
use model::id::{
    ActorId, ApiKeyId, ApprovalId, DecisionId, ExecutionId, PlanId, ResourceId, RiskId, TenantId,
};
use model::level::Tier;
use model::plan::Plan;
use uuid::Uuid;

/// Puts the resources of a plan into a tenant, once.
pub(crate) async fn resources(test: &TestDb, plan: &Plan) {
    let mut admin = test.admin.acquire().await.unwrap();
    replica(&mut admin).await;
    for target in &plan.targets {
        sqlx::query(
            "INSERT INTO countersign.resources (tenant_id, id, environment_id, external_id, name)
             VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING",
        )
        .bind(test.tenant.uuid())
        .bind(target.resource_id.uuid())
        .bind(Uuid::now_v7())
        .bind(&target.name)
        .execute(&mut *admin)
        .await
        .unwrap();
    }
}

/// An approved execution of `plan`, as the gate leaves it: what it refers to is left out.
pub(crate) async fn approved(test: &TestDb, plan: &Plan) -> ExecutionId {
    approved_in(test, test.tenant, plan).await
}

/// The same in any tenant.
pub(crate) async fn approved_in(test: &TestDb, tenant: TenantId, plan: &Plan) -> ExecutionId {
    let document = canonical::to_bytes(plan).unwrap();
    let hash = plan.hash().unwrap();
    let (plan_id, id) = (PlanId::generate(), ExecutionId::generate());
    let actor = test.system_actor(tenant).await;
    let mut admin = test.admin.acquire().await.unwrap();
    replica(&mut admin).await;
    sqlx::query(
        "INSERT INTO countersign.plans (tenant_id, id, intent_id, plan_hash, document, summary,
           blast_radius, author_actor_id)
         VALUES ($1, $2, $3, $4, $5, 'a test', '{}', $6)",
    )
    .bind(tenant.uuid())
    .bind(plan_id.uuid())
    .bind(Uuid::now_v7())
    .bind(hash.as_bytes().as_slice())
    .bind(document)
    .bind(actor.id.uuid())
    .execute(&mut *admin)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO countersign.executions (tenant_id, id, intent_id, plan_id, decision_id, mode,
           state, plan_hash, bound_hash, initiated_by)
         VALUES ($1, $2, $3, $4, $5, 'auto', 'approved', $6, $6, $7)",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .bind(Uuid::now_v7())
    .bind(plan_id.uuid())
    .bind(Uuid::now_v7())
    .bind(hash.as_bytes().as_slice())
    .bind(actor.id.uuid())
    .execute(&mut *admin)
    .await
    .unwrap();
    id
}

/// Foreign keys are not looked at on this connection, which is closed afterwards.
async fn replica(admin: &mut sqlx::pool::PoolConnection<sqlx::Postgres>) {
    admin.close_on_drop();
    sqlx::query("SET session_replication_role = replica").execute(&mut **admin).await.unwrap();
}

/// Gives an approved execution the intent it serves and the approval it was given.
pub(crate) async fn approval(test: &TestDb, id: ExecutionId) -> ApprovalId {
    let approval = ApprovalId::generate();
    let mut admin = test.admin.acquire().await.unwrap();
    replica(&mut admin).await;
    sqlx::query(
        "INSERT INTO countersign.intents (tenant_id, id, deterministic_id, intent_type, payload,
           canonical_payload, body_hash, environment_class, requester_actor_id, trigger, summary)
         SELECT tenant_id, intent_id, id, 'runbook.run', '{}', '', plan_hash, 'dev', initiated_by,
           'manual', 'a test'
         FROM countersign.executions WHERE id = $1",
    )
    .bind(id.uuid())
    .execute(&mut *admin)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO countersign.approvals (tenant_id, id, intent_id, plan_id, decision_id,
           requester_actor_id, author_actor_id, status, tier, roles, min_votes, bound_hash,
           expires_at)
         SELECT tenant_id, $2, intent_id, plan_id, decision_id, initiated_by, initiated_by,
           'approved', 'medium', '{approver}', 1, bound_hash, clock_timestamp() + interval '1 h'
         FROM countersign.executions WHERE id = $1",
    )
    .bind(id.uuid())
    .bind(approval.uuid())
    .execute(&mut *admin)
    .await
    .unwrap();
    sqlx::query("UPDATE countersign.executions SET approval_id = $2 WHERE id = $1")
        .bind(id.uuid())
        .bind(approval.uuid())
        .execute(&mut *admin)
        .await
        .unwrap();
    approval
}

/// The states of an execution's approval and intent.
pub(crate) async fn gate_states(test: &TestDb, id: ExecutionId) -> (String, String) {
    sqlx::query_as(
        "SELECT a.status, i.status
         FROM countersign.executions e
         JOIN countersign.approvals a ON a.id = e.approval_id
         JOIN countersign.intents i ON i.id = e.intent_id
         WHERE e.id = $1",
    )
    .bind(id.uuid())
    .fetch_one(&test.admin)
    .await
    .unwrap()
}

/// Gives an execution a decision that found this tier.
pub(crate) async fn assessed(test: &TestDb, id: ExecutionId, tier: Tier) {
    let (decision, risk) = (DecisionId::generate(), RiskId::generate());
    let mut admin = test.admin.acquire().await.unwrap();
    replica(&mut admin).await;
    sqlx::query(
        "INSERT INTO countersign.risk_assessments (tenant_id, id, intent_id, tier, score, verdict,
           category, reasons, components, alpha, beta, interval_low, interval_high, loss_approve,
           loss_deny, loss_escalate, psi, constants, inputs)
         SELECT tenant_id, $2, intent_id, $3, 0.1, 'allow', 'default', '[]', '{}', 1, 4, 0, 1, 0, 0,
           0, 0, 'arf-1', '{}'
         FROM countersign.executions WHERE id = $1",
    )
    .bind(id.uuid())
    .bind(risk.uuid())
    .bind(tier.word())
    .execute(&mut *admin)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO countersign.decisions (tenant_id, id, intent_id, risk_id, verdict, reasons,
           guard_results, policy_hash, canon, signature, key_fingerprint)
         SELECT tenant_id, $2, intent_id, $3, 'allow', '[]', '[]', plan_hash, '', '', ''
         FROM countersign.executions WHERE id = $1",
    )
    .bind(id.uuid())
    .bind(decision.uuid())
    .bind(risk.uuid())
    .execute(&mut *admin)
    .await
    .unwrap();
    sqlx::query("UPDATE countersign.executions SET decision_id = $2 WHERE id = $1")
        .bind(id.uuid())
        .bind(decision.uuid())
        .execute(&mut *admin)
        .await
        .unwrap();
}

/// Makes it look as if a service had asked for an execution, with a key this actor made.
pub(crate) async fn asked_by_key_of(test: &TestDb, id: ExecutionId, maker: &Actor) {
    let service = ActorId::generate();
    sqlx::query(
        "INSERT INTO countersign.actors (tenant_id, id, type, display_name, roles)
         VALUES ($1, $2, 'service', 'bot', '{operator}')",
    )
    .bind(test.tenant.uuid())
    .bind(service.uuid())
    .execute(&test.admin)
    .await
    .unwrap();
    let key = ApiKeyId::generate();
    sqlx::query(
        "INSERT INTO countersign.api_keys (tenant_id, id, actor_id, name, key_prefix, key_hash,
           created_by)
         VALUES ($1, $2, $3, 'bot', $4, sha256('bot'), $5)",
    )
    .bind(test.tenant.uuid())
    .bind(key.uuid())
    .bind(service.uuid())
    .bind(key.to_string())
    .bind(maker.id.uuid())
    .execute(&test.admin)
    .await
    .unwrap();
    asked_by(test, id, service).await;
}

/// Makes it look as if this actor had asked for an execution.
pub(crate) async fn asked_by(test: &TestDb, id: ExecutionId, requester: ActorId) {
    sqlx::query("UPDATE countersign.executions SET initiated_by = $2 WHERE id = $1")
        .bind(id.uuid())
        .bind(requester.uuid())
        .execute(&test.admin)
        .await
        .unwrap();
}

/// Until some transaction on this database waits for another.
pub(crate) async fn somebody_waits(test: &TestDb) {
    let waiting = || {
        sqlx::query_scalar::<_, i64>(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0",
        )
        .fetch_one(&test.admin)
    };
    while waiting().await.unwrap() == 0 {}
}

/// Lets a lease run out, as a worker that died does.
pub(crate) async fn expire(test: &TestDb, id: ExecutionId) {
    sqlx::query(
        "UPDATE countersign.executions
         SET lease_until = clock_timestamp() - interval '1 s' WHERE id = $1",
    )
    .bind(id.uuid())
    .execute(&test.admin)
    .await
    .unwrap();
}

/// State, epoch.
pub(crate) async fn state(test: &TestDb, id: ExecutionId) -> (String, i64) {
    sqlx::query_as("SELECT state, lease_epoch FROM countersign.executions WHERE id = $1")
        .bind(id.uuid())
        .fetch_one(&test.admin)
        .await
        .unwrap()
}

/// Token, state, epoch, whether another worker closed it: in the order of opening.
pub(crate) async fn attempts(test: &TestDb, id: ExecutionId) -> Vec<(String, String, i64, bool)> {
    sqlx::query_as(
        "SELECT token, state, epoch, recovered FROM countersign.attempts
         WHERE execution_id = $1 ORDER BY opened_at, id",
    )
    .bind(id.uuid())
    .fetch_all(&test.admin)
    .await
    .unwrap()
}

/// Step order, target, state, in the plan's order.
pub(crate) async fn runs(test: &TestDb, id: ExecutionId) -> Vec<(i32, ResourceId, String)> {
    let rows: Vec<(i32, Uuid, String)> = sqlx::query_as(
        "SELECT step_order, resource_id, state FROM countersign.step_runs
         WHERE execution_id = $1 ORDER BY step_order, target_name",
    )
    .bind(id.uuid())
    .fetch_all(&test.admin)
    .await
    .unwrap();
    rows.into_iter().map(|(order, resource, state)| (order, resource.into(), state)).collect()
}

/// The actions of the audit events about an execution, with their canonical text, in order.
pub(crate) async fn audit(test: &TestDb, id: ExecutionId) -> Vec<(String, String)> {
    let canons: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT canon FROM countersign.audit_outbox ORDER BY id")
            .fetch_all(&test.admin)
            .await
            .unwrap();
    let texts = canons.into_iter().map(|canon| String::from_utf8(canon).unwrap());
    texts
        .filter(|text| text.contains(&id.to_string()))
        .map(|text| {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            (value["action"].as_str().unwrap().to_owned(), text)
        })
        .collect()
}

/// How many rows of a kind an execution has: `tool_calls`, `evidence`, `execution_events`.
pub(crate) async fn count(test: &TestDb, table: &str, id: ExecutionId) -> i64 {
    let query = match table {
        "tool_calls" => "SELECT count(*) FROM countersign.tool_calls WHERE execution_id = $1",
        "evidence" => "SELECT count(*) FROM countersign.evidence WHERE execution_id = $1",
        _events => "SELECT count(*) FROM countersign.execution_events WHERE execution_id = $1",
    };
    sqlx::query_scalar(query).bind(id.uuid()).fetch_one(&test.admin).await.unwrap()
}

/// Changes a stored plan behind the product's back.
pub(crate) async fn tamper(test: &TestDb, id: ExecutionId) {
    sqlx::query(
        "UPDATE countersign.plans SET document = document || ' '::bytea
         WHERE id = (SELECT plan_id FROM countersign.executions WHERE id = $1)",
    )
    .bind(id.uuid())
    .execute(&test.admin)
    .await
    .unwrap();
}

/// How many executions are over.
pub(crate) async fn ended(test: &TestDb) -> usize {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM countersign.executions WHERE completed_at IS NOT NULL",
    )
    .fetch_one(&test.admin)
    .await
    .unwrap();
    usize::try_from(count).unwrap()
}
