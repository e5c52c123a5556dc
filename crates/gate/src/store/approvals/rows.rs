//! Reading approvals, with votes and people as they are now.

use std::collections::BTreeSet;

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Page, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::Timestamp;
use model::actor::{Actor, Role};
use model::id::{ActorId, ApprovalId, DecisionId, IntentId, PlanId, TenantId};
use model::verdict::ApprovalRequirement;
use sqlx::FromRow;
use uuid::Uuid;

use super::Source;
use crate::approval::{Party, Request, Vote, Voter};
use crate::error::Error;
use crate::store::breakers::Hold;
use crate::store::{count, digest};

/// An approval as stored, with its votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredApproval {
    /// Its id.
    pub id: ApprovalId,
    /// The intent.
    pub intent: IntentId,
    /// The plan.
    pub plan: PlanId,
    /// The decision that demands it.
    pub decision: DecisionId,
    /// What is judged: state, requirement, parties, votes.
    pub request: Request,
    /// Through which door it came.
    pub source: Source,
    /// Why it was voided or denied.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// What people call those it names.
    pub names: Names,
    /// What came with each vote of the request, in the same order.
    pub said: Vec<Said>,
}

/// What people call those an approval names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Whoever asked for the change.
    pub requester: String,
    /// Whoever wrote the plan.
    pub author: String,
    /// Whoever gave it alone.
    pub alone: Option<String>,
}

/// What came with a vote, beside who cast it and what it says: nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Why, in the voter's words; empty where they said nothing.
    pub note: String,
    /// Through which door it came.
    pub source: Source,
    /// When it was cast.
    pub at: Timestamp,
}

/// The tenant's approvals of the ids `$2`.
const APPROVALS: &str = "SELECT a.id, a.intent_id, a.plan_id, a.decision_id, a.requester_actor_id,
       a.author_actor_id,
       countersign.people_of(a.tenant_id, a.requester_actor_id) AS requester_people,
       countersign.people_of(a.tenant_id, a.author_actor_id) AS author_people,
       a.status, a.tier, a.roles, a.min_votes, a.bound_hash, a.source, a.reason, a.expires_at,
       extract(epoch FROM a.expires_at - a.created_at)::integer AS ttl_s, a.created_at,
       a.decided_at, g.actor_id AS alone, r.display_name AS requester_name,
       w.display_name AS author_name, l.display_name AS alone_name
     FROM countersign.approvals a
     JOIN countersign.actors r ON r.tenant_id = a.tenant_id AND r.id = a.requester_actor_id
     JOIN countersign.actors w ON w.tenant_id = a.tenant_id AND w.id = a.author_actor_id
     LEFT JOIN countersign.break_glass g
       ON g.tenant_id = a.tenant_id AND g.id = a.break_glass_id
     LEFT JOIN countersign.actors l ON l.tenant_id = g.tenant_id AND l.id = g.actor_id
     WHERE a.tenant_id = $1 AND a.id = ANY ($2)";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    intent_id: Uuid,
    plan_id: Uuid,
    decision_id: Uuid,
    requester_actor_id: Uuid,
    author_actor_id: Uuid,
    requester_people: Vec<String>,
    author_people: Vec<String>,
    status: String,
    tier: String,
    roles: Vec<String>,
    min_votes: i32,
    bound_hash: Vec<u8>,
    source: String,
    reason: Option<String>,
    expires_at: SqlTimestamp,
    alone: Option<Uuid>,
    ttl_s: i32,
    created_at: SqlTimestamp,
    decided_at: Option<SqlTimestamp>,
    requester_name: String,
    author_name: String,
    alone_name: Option<String>,
}

#[derive(FromRow)]
struct VoteRow {
    approval_id: Uuid,
    decision: String,
    note: String,
    source: String,
    created_at: SqlTimestamp,
    #[sqlx(flatten)]
    voter: VoterRow,
}

#[derive(FromRow)]
struct VoterRow {
    actor_id: Uuid,
    r#type: String,
    display_name: String,
    roles: Vec<String>,
    person: String,
    active: bool,
}

impl Row {
    fn read(self, votes: Vec<(Vote, Said)>) -> Result<StoredApproval, Error> {
        let (votes, said) = votes.into_iter().unzip();
        let requirement = ApprovalRequirement {
            tier: self.tier.parse().map_err(Error::unreadable("tier"))?,
            roles: roles(&self.roles)?,
            min_votes: count("quorum", self.min_votes)?,
            ttl_s: count("ttl", self.ttl_s)?,
        };
        Ok(StoredApproval {
            id: self.id.into(),
            intent: self.intent_id.into(),
            plan: self.plan_id.into(),
            decision: self.decision_id.into(),
            request: Request {
                state: self.status.parse().map_err(Error::unreadable("approval state"))?,
                requirement,
                requester: Party {
                    actor: self.requester_actor_id.into(),
                    people: self.requester_people.into_iter().collect(),
                },
                author: Party {
                    actor: self.author_actor_id.into(),
                    people: self.author_people.into_iter().collect(),
                },
                bound_hash: digest("bound hash", &self.bound_hash)?,
                expires_at: self.expires_at.to_jiff(),
                alone: self.alone.map(ActorId::from),
                votes,
            },
            source: self.source.parse().map_err(Error::unreadable("approval source"))?,
            reason: self.reason,
            created_at: self.created_at.to_jiff(),
            decided_at: self.decided_at.map(SqlTimestamp::to_jiff),
            names: Names {
                requester: self.requester_name,
                author: self.author_name,
                alone: self.alone_name,
            },
            said,
        })
    }
}

impl VoterRow {
    fn read(self, tenant: TenantId) -> Result<Voter, Error> {
        Ok(Voter {
            actor: Actor {
                id: self.actor_id.into(),
                tenant_id: tenant,
                kind: self.r#type.parse().map_err(Error::unreadable("actor type"))?,
                display_name: self.display_name,
                roles: roles(&self.roles)?.into_iter().collect::<BTreeSet<_>>(),
            },
            person: self.person,
            active: self.active,
        })
    }
}

fn roles(words: &[String]) -> Result<Vec<Role>, Error> {
    words.iter().map(|word| word.parse().map_err(Error::unreadable("role"))).collect()
}

/// An approval with its votes, every voter's roles as they are now.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut TenantTx, id: ApprovalId) -> Result<StoredApproval, Error> {
    fetch(tx, id, Hold::Read).await
}

/// The latest approval asked for a plan.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn of_plan(tx: &mut TenantTx, plan: PlanId) -> Result<ApprovalId, Error> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM countersign.approvals
         WHERE tenant_id = $1 AND plan_id = $2
         ORDER BY id DESC
         LIMIT 1",
    )
    .bind(tx.tenant().uuid())
    .bind(plan.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let missing = || Error::NotFound { what: "approval of the plan", id: plan.to_string() };
    id.map(Into::into).ok_or_else(missing)
}

/// What a start is judged by: the approval as [`crate::clear::clear`] takes it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn request(tx: &mut TenantTx, id: ApprovalId) -> Result<Request, Error> {
    Ok(get(tx, id).await?.request)
}

pub(super) async fn fetch(
    tx: &mut TenantTx,
    id: ApprovalId,
    hold: Hold,
) -> Result<StoredApproval, Error> {
    if hold == Hold::Lock {
        // First and by itself: what follows is read after whoever held it before is done.
        sqlx::query(
            "SELECT a.id FROM countersign.approvals a
             WHERE a.tenant_id = $1 AND a.id = $2
             FOR UPDATE",
        )
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .execute(tx.conn())
        .await?;
    }
    let row: Option<Row> = sqlx::query_as(APPROVALS)
        .bind(tx.tenant().uuid())
        .bind([id.uuid()])
        .fetch_optional(tx.conn())
        .await?;
    let row = row.ok_or_else(|| Error::NotFound { what: "approval", id: id.to_string() })?;
    let votes = votes(tx, &[row.id]).await?.into_iter().map(|(_, vote)| vote).collect();
    row.read(votes)
}

/// By what approvals are listed.
pub const LISTED: Kind = Kind {
    word: "approval",
    table: "(SELECT a.*, a.requester_actor_id AS requester_id, p.summary
             FROM countersign.approvals a
             JOIN countersign.plans p ON p.tenant_id = a.tenant_id AND p.id = a.plan_id)",
    columns: &[
        Column::new("status", Holds::Text).filter(),
        Column::new("tier", Holds::Text).filter(),
        Column::new("intent_id", Holds::Id).filter(),
        Column::new("plan_id", Holds::Id).filter(),
        Column::new("decision_id", Holds::Id).filter(),
        Column::new("requester_id", Holds::Id).filter(),
        Column::new("created_at", Holds::Time).filter().age(),
        Column::new("expires_at", Holds::Time).filter(),
        Column::new("summary", Holds::Text).search(),
    ],
    natural: &[],
};

/// A page of approvals, newest first unless sorted.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(tx: &mut TenantTx, wanted: &ListRequest) -> Result<Page<StoredApproval>, Error> {
    let page = object::ids(tx, &LISTED, wanted).await?;
    let rows: Vec<Row> = sqlx::query_as(APPROVALS)
        .bind(tx.tenant().uuid())
        .bind(&page.items)
        .fetch_all(tx.conn())
        .await?;
    let votes = votes(tx, &page.items).await?;
    let with_votes = |row: Row| {
        let mine = votes.iter().filter(|(approval, _)| *approval == row.id);
        let mine = mine.map(|(_, vote)| vote.clone()).collect();
        row.read(mine)
    };
    let approvals = rows.into_iter().map(with_votes).collect::<Result<Vec<_>, _>>()?;
    Ok(object::in_order(page, approvals, |approval| approval.id.uuid()))
}

async fn votes(tx: &mut TenantTx, approvals: &[Uuid]) -> Result<Vec<(Uuid, (Vote, Said))>, Error> {
    let rows: Vec<VoteRow> = sqlx::query_as(
        "SELECT v.approval_id, v.decision, v.note, v.source, v.created_at, v.actor_id, a.type,
           a.display_name, a.roles,
           countersign.person_of(a.tenant_id, a.id) AS person,
           a.is_active AND COALESCE(u.is_active, true) AS active
         FROM countersign.approval_votes v
         JOIN countersign.actors a ON a.tenant_id = v.tenant_id AND a.id = v.actor_id
         LEFT JOIN countersign.users u ON u.tenant_id = a.tenant_id AND u.actor_id = a.id
         WHERE v.tenant_id = $1 AND v.approval_id = ANY($2)
         ORDER BY v.id",
    )
    .bind(tx.tenant().uuid())
    .bind(approvals)
    .fetch_all(tx.conn())
    .await?;
    let tenant = tx.tenant();
    let read = |row: VoteRow| {
        let choice = row.decision.parse().map_err(Error::unreadable("vote"))?;
        let source = row.source.parse().map_err(Error::unreadable("vote's source"))?;
        let said = Said { note: row.note, source, at: row.created_at.to_jiff() };
        Ok((row.approval_id, (Vote { voter: row.voter.read(tenant)?, choice }, said)))
    };
    rows.into_iter().map(read).collect()
}

/// Somebody who wants to vote, as they stand now.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn voter(tx: &mut TenantTx, actor: ActorId) -> Result<Voter, Error> {
    let row: Option<VoterRow> = sqlx::query_as(
        "SELECT a.id AS actor_id, a.type, a.display_name, a.roles,
           countersign.person_of(a.tenant_id, a.id) AS person,
           a.is_active AND COALESCE(u.is_active, true) AS active
         FROM countersign.actors a
         LEFT JOIN countersign.users u ON u.tenant_id = a.tenant_id AND u.actor_id = a.id
         WHERE a.tenant_id = $1 AND a.id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(actor.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let tenant = tx.tenant();
    row.ok_or_else(|| Error::NotFound { what: "actor", id: actor.to_string() })?.read(tenant)
}
