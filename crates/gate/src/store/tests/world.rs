//! A tenant with people, a runbook, and executions that wait for approval.

use std::collections::{BTreeMap, BTreeSet};

use db::TenantTx;
use db::testing::{TestDb, database};
use model::Digest;
use model::actor::{Actor, ActorKind, Role};
use model::audit::{Origin, Who};
use model::id::{
    ActorId, ApiKeyId, ApprovalId, ConnectionId, DecisionId, ExecutionId, IntentId, PlanId,
    ResourceId, RiskId, RunbookId, TenantId, UserId,
};
use model::intent::TriggerKind;
use model::level::{EnvironmentClass, Tier};
use model::plan::{
    BlastRadius, BlastScope, Plan, PlanStep, RunbookRef, Script, Semantics, Stage, Target,
};
use model::verdict::{ApprovalRequirement, Reason, Verdict};
use serde_json::{Map, json};

use crate::approval::Choice;
use crate::bound::bound_hash;
use crate::decide::Decision;
use crate::proposal::{Freshness, Place, Proposal};
use crate::store::approvals::{self, Authority, Ballot, Cast, NewApproval, Source};
use crate::store::decisions::{self, NewDecision};
use crate::store::intents::{self, NewIntent};
use crate::store::plans::{self, NewPlan};

pub(crate) struct World {
    pub(crate) test: TestDb,
    pub(crate) tenant: TenantId,
    pub(crate) requester: Actor,
    pub(crate) author: Actor,
    pub(crate) runbook: RunbookId,
    pub(crate) resource: ResourceId,
}

/// An execution that waits, with everything it hangs on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) intent: IntentId,
    pub(crate) plan: PlanId,
    pub(crate) decision: DecisionId,
    pub(crate) approval: ApprovalId,
    pub(crate) execution: ExecutionId,
    pub(crate) plan_hash: Digest,
    pub(crate) bound_hash: Digest,
}

impl World {
    pub(crate) async fn new() -> Self {
        let test = database().await;
        let tenant = test.tenant;
        let requester = test.another_actor(tenant, "Rita", &[Role::Operator, Role::Approver]).await;
        let author = test.another_actor(tenant, "Arno", &[Role::Operator, Role::Approver]).await;
        let runbook = RunbookId::generate();
        let mut tx = test.db.tenant(tenant).await.unwrap();
        sqlx::query(
            "INSERT INTO countersign.runbooks (tenant_id, id, name, created_by)
             VALUES ($1, $2, 'restart-nginx', $3)",
        )
        .bind(tenant.uuid())
        .bind(runbook.uuid())
        .bind(author.id.uuid())
        .execute(tx.conn())
        .await
        .unwrap();
        tx.commit().await.unwrap();
        Self { test, tenant, requester, author, runbook, resource: ResourceId::generate() }
    }

    pub(crate) async fn tx(&self) -> TenantTx {
        self.test.db.tenant(self.tenant).await.unwrap()
    }

    pub(crate) async fn approver(&self, name: &str) -> Actor {
        self.test.another_actor(self.tenant, name, &[Role::Approver]).await
    }

    /// A person who administers the tenant.
    pub(crate) async fn admin(&self) -> Actor {
        self.test.another_actor(self.tenant, "Ada", &[Role::Admin]).await
    }

    /// An actor that is no person.
    pub(crate) async fn service(&self) -> Actor {
        let id = ActorId::generate();
        let mut tx = self.tx().await;
        sqlx::query(
            "INSERT INTO countersign.actors (tenant_id, id, type, display_name, roles)
             VALUES ($1, $2, 'service', 'bot', '{approver,admin}')",
        )
        .bind(self.tenant.uuid())
        .bind(id.uuid())
        .execute(tx.conn())
        .await
        .unwrap();
        tx.commit().await.unwrap();
        Actor {
            id,
            tenant_id: self.tenant,
            kind: ActorKind::Service,
            display_name: "bot".into(),
            roles: BTreeSet::from([Role::Approver, Role::Admin]),
        }
    }

    /// Gives an account a login with this subject of the identity provider.
    pub(crate) async fn link(&self, actor: &Actor, username: &str, subject: &str) {
        let mut tx = self.tx().await;
        sqlx::query(
            "INSERT INTO countersign.users (tenant_id, id, actor_id, username, upn)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(self.tenant.uuid())
        .bind(UserId::generate().uuid())
        .bind(actor.id.uuid())
        .bind(username)
        .bind(subject)
        .execute(tx.conn())
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Gives an account a key, made by somebody or by nobody in particular.
    pub(crate) async fn key(&self, actor: &Actor, made_by: Option<&Actor>) {
        let id = ApiKeyId::generate();
        let mut tx = self.tx().await;
        sqlx::query(
            "INSERT INTO countersign.api_keys (tenant_id, id, actor_id, name, key_prefix, key_hash,
               created_by)
             VALUES ($1, $2, $3, 'test', $4, $5, $6)",
        )
        .bind(self.tenant.uuid())
        .bind(id.uuid())
        .bind(actor.id.uuid())
        .bind(id.to_string())
        .bind(&Digest::of(id.to_string().as_bytes()).as_bytes()[..])
        .bind(made_by.map(|maker| maker.id.uuid()))
        .execute(tx.conn())
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) fn plan(&self, command: &str, credential_version: u32) -> Plan {
        Plan {
            runbook: RunbookRef { id: self.runbook, name: "restart-nginx".into(), version: 1 },
            steps: vec![PlanStep {
                order: 1,
                name: "restart".into(),
                description: None,
                stage: Stage::Act,
                action: "host.service.restart".into(),
                semantics: Semantics::Idempotent,
                scripts: BTreeMap::from([(self.resource, Script::text(command))]),
                undo: BTreeMap::new(),
                condition: None,
                expected_exit_codes: vec![0],
                timeout_s: 60,
                continue_on_failure: false,
                retry_count: 0,
                retry_delay_s: 5,
                capture_output: true,
                sensitive: false,
                evidence: Vec::new(),
            }],
            targets: vec![Target {
                resource_id: self.resource,
                connection_id: ConnectionId::from(self.resource.uuid()),
                name: "web-01".into(),
                host: "127.0.0.1".into(),
                port: 22,
                username: "root".into(),
                transport: "ssh".into(),
                credential_id: None,
                credential_version: Some(credential_version),
                host_keys: Vec::new(),
                guard_dir: None,
                environment: EnvironmentClass::Prod,
            }],
            max_parallel: 1,
            timeout_s: 300,
            variables: BTreeMap::new(),
        }
    }

    pub(crate) fn intent(&self, deterministic_id: &str) -> NewIntent {
        NewIntent {
            id: IntentId::generate(),
            deterministic_id: deterministic_id.into(),
            purpose: model::intent::Purpose::Change,
            intent_type: "runbook.run".into(),
            payload: json!({"runbook": "restart-nginx", "targets": ["web-01"]}),
            environment: None,
            class: EnvironmentClass::Prod,
            category: "default".into(),
            requester: self.requester.id,
            trigger: TriggerKind::Manual,
            finding: None,
            trigger_id: None,
            runbook: None,
            summary: "restart nginx on web-01".into(),
            text: "please".into(),
            constraints: None,
            provenance: json!({}),
        }
    }

    /// An execution waiting for `min_votes` approvers at `tier`, in the caller's transaction.
    pub(crate) async fn wait(&self, tx: &mut TenantTx, tier: Tier, min_votes: u32) -> Waiting {
        let who = || Who::from(&self.requester);
        let new = self.intent(&IntentId::generate().to_string());
        intents::insert(tx, &new, who()).await.unwrap();
        let blast = blast();
        let plan = PlanId::generate();
        let plan_hash = plans::insert(
            tx,
            &NewPlan {
                id: plan,
                intent: new.id,
                version: 1,
                plan: &self.plan("systemctl restart nginx", 1),
                blast_radius: &blast,
                summary: "restart nginx",
                author: self.author.id,
            },
            who(),
        )
        .await
        .unwrap();
        let bound = bound_hash(plan_hash, Digest::of(b"bundle"), tier, &blast).unwrap();
        let requirement =
            ApprovalRequirement { tier, roles: vec![Role::Approver], min_votes, ttl_s: 3600 };
        let decision = self.decide(tx, new.id, plan, bound, &requirement).await;
        let approval = NewApproval {
            id: ApprovalId::generate(),
            intent: new.id,
            plan,
            decision,
            requester: self.requester.id,
            author: self.author.id,
            requirement,
            bound_hash: bound,
            source: Source::Api,
        };
        approvals::create(tx, &approval, who()).await.unwrap();
        let execution = ExecutionId::generate();
        sqlx::query(
            "INSERT INTO countersign.executions (tenant_id, id, intent_id, plan_id, decision_id,
               approval_id, mode, state, plan_hash, bound_hash, initiated_by)
             VALUES ($1, $2, $3, $4, $5, $6, 'auto', 'awaiting_approval', $7, $8, $9)",
        )
        .bind(self.tenant.uuid())
        .bind(execution.uuid())
        .bind(new.id.uuid())
        .bind(plan.uuid())
        .bind(decision.uuid())
        .bind(approval.id.uuid())
        .bind(plan_hash.as_bytes().as_slice())
        .bind(bound.as_bytes().as_slice())
        .bind(self.requester.id.uuid())
        .execute(tx.conn())
        .await
        .unwrap();
        Waiting {
            intent: new.id,
            plan,
            decision,
            approval: approval.id,
            execution,
            plan_hash,
            bound_hash: bound,
        }
    }

    pub(crate) async fn decide(
        &self,
        tx: &mut TenantTx,
        intent: IntentId,
        plan: PlanId,
        bound: Digest,
        requirement: &ApprovalRequirement,
    ) -> DecisionId {
        let reasons = Vec::new();
        let id = DecisionId::generate();
        self.decide_because(tx, (id, intent, plan), bound, requirement, reasons).await.unwrap();
        id
    }

    /// A decision with these reasons.
    pub(crate) async fn decide_because(
        &self,
        tx: &mut TenantTx,
        (id, intent, plan): (DecisionId, IntentId, PlanId),
        bound: Digest,
        requirement: &ApprovalRequirement,
        reasons: Vec<Reason>,
    ) -> Result<(), crate::Error> {
        let risk = RiskId::generate();
        sqlx::query(
            "INSERT INTO countersign.risk_assessments (tenant_id, id, intent_id, plan_id, tier,
               score, verdict, category, reasons, components, alpha, beta, interval_low,
               interval_high, loss_approve, loss_deny, loss_escalate, psi, constants, inputs)
             VALUES ($1, $2, $3, $4, 'medium', 0.2, 'allow', 'default', '[]', '{}', 1, 4, 0, 1,
               0, 0, 0, 0, 'arf-1', '{}')",
        )
        .bind(self.tenant.uuid())
        .bind(risk.uuid())
        .bind(intent.uuid())
        .bind(plan.uuid())
        .execute(tx.conn())
        .await
        .unwrap();
        let decision = Decision {
            verdict: Verdict::RequireApproval,
            reasons,
            guards: Vec::new(),
            constraints: Map::new(),
            approval: Some(requirement.clone()),
            ttl_s: Some(3600),
        };
        let new = NewDecision {
            id,
            intent,
            plan: Some(plan),
            risk,
            decision: &decision,
            bundle: None,
            bundle_hash: Digest::of(b"bundle"),
            bound_hash: Some(bound),
            canon: b"{}".to_vec(),
            signature: "signature".into(),
            key_fingerprint: "key".into(),
            trace: None,
        };
        decisions::insert(tx, &new, Who::from(&self.requester)).await
    }

    /// As many waiting executions as wanted, committed.
    pub(crate) async fn waiting(&self, many: usize, tier: Tier, min_votes: u32) -> Vec<Waiting> {
        let mut tx = self.tx().await;
        let mut all = Vec::new();
        for _ in 0..many {
            all.push(self.wait(&mut tx, tier, min_votes).await);
        }
        tx.commit().await.unwrap();
        all
    }

    /// One vote in a transaction of its own, committed whatever it brought.
    pub(crate) async fn vote(&self, approval: ApprovalId, actor: &Actor, choice: Choice) -> Ballot {
        let mut tx = self.tx().await;
        let origin = Origin::default();
        let (source, authority) = (Source::Api, Authority::Own);
        let cast = Cast {
            approval,
            actor,
            choice,
            note: "",
            source,
            origin: &origin,
            session: None,
            authority,
        };
        let ballot = approvals::vote(&mut tx, &cast).await.unwrap();
        tx.commit().await.unwrap();
        ballot
    }

    /// The states of an approval and of the execution that waits for it.
    pub(crate) async fn states(&self, waiting: &Waiting) -> (String, String) {
        sqlx::query_as(
            "SELECT a.status, e.state FROM countersign.approvals a, countersign.executions e
             WHERE a.id = $1 AND e.id = $2",
        )
        .bind(waiting.approval.uuid())
        .bind(waiting.execution.uuid())
        .fetch_one(self.test.admin())
        .await
        .unwrap()
    }

    /// How many audit events with this action are on their way into the log.
    pub(crate) async fn events(&self, action: &str) -> i64 {
        sqlx::query_scalar(
            "SELECT count(*) FROM countersign.audit_outbox
             WHERE tenant_id = $1 AND convert_from(canon, 'UTF8')::jsonb ->> 'action' = $2",
        )
        .bind(self.tenant.uuid())
        .bind(action)
        .fetch_one(self.test.admin())
        .await
        .unwrap()
    }

    pub(crate) fn proposal(&self) -> Proposal {
        Proposal {
            runbook: self.runbook,
            runbook_name: "restart-nginx".into(),
            category: "web".into(),
            places: vec![Place {
                resource: self.resource,
                name: "web-01".into(),
                environment: "production".into(),
                class: EnvironmentClass::Prod,
                tags: BTreeSet::new(),
            }],
            actions: BTreeSet::from(["host.service.restart".to_owned()]),
            trigger: None,
            trigger_cooldown_s: 0,
            runbook_cooldown_s: 0,
            quota: None,
            context: Freshness {
                taken_at: Some(model::Timestamp::UNIX_EPOCH),
                max_age_s: u32::MAX,
            },
        }
    }
}

pub(crate) fn blast() -> BlastRadius {
    BlastRadius {
        targets: 1,
        scope: BlastScope::Namespace,
        irreversible: false,
        environments: vec![EnvironmentClass::Prod],
    }
}
