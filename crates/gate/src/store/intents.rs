//! Intents: what was asked for. The same deterministic id means the same request, or a conflict.

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Page, TenantTx};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use model::audit::{Event, Who};
use model::id::{ActorId, DecisionId, EnvironmentId, FindingId, IntentId, RunbookId, TriggerId};
use model::intent::{IntentState, Purpose, TriggerKind};
use model::level::EnvironmentClass;
use model::{Digest, Timestamp, canonical};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::digest;
use crate::error::Error;

/// A request to change a running system, about to be written.
#[derive(Debug, Clone)]
pub struct NewIntent {
    /// Its id.
    pub id: IntentId,
    /// The requester's own name for it, unique in the tenant.
    pub deterministic_id: String,
    /// Whether it is to be carried out here.
    pub purpose: Purpose,
    /// What kind of change: `runbook.run`.
    pub intent_type: String,
    /// What is asked for; integers, words, lists and objects.
    pub payload: Value,
    /// The environment, when it is one.
    pub environment: Option<EnvironmentId>,
    /// Its class.
    pub class: EnvironmentClass,
    /// The risk category.
    pub category: String,
    /// Who asks.
    pub requester: ActorId,
    /// What set it off.
    pub trigger: TriggerKind,
    /// The finding it answers.
    pub finding: Option<FindingId>,
    /// The runbook trigger that matched.
    pub trigger_id: Option<TriggerId>,
    /// The runbook.
    pub runbook: Option<RunbookId>,
    /// One line for people.
    pub summary: String,
    /// In the requester's words.
    pub text: String,
    /// Requested constraints.
    pub constraints: Option<Value>,
    /// Where it came from.
    pub provenance: Value,
}

/// What the requester asked for, as compared when the deterministic id comes again.
#[derive(Serialize)]
struct Body<'a> {
    intent_type: &'a str,
    /// Absent for a change, as it was before there was advice.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<Purpose>,
    payload: &'a Value,
    environment_id: Option<EnvironmentId>,
    environment_class: EnvironmentClass,
    runbook_id: Option<RunbookId>,
    intent: &'a str,
    constraints: Option<&'a Value>,
}

impl NewIntent {
    /// The hash of what is asked for: neither who asks nor when is part of it.
    ///
    /// # Errors
    /// When the payload or the constraints hold a float or a wide integer.
    pub fn body_hash(&self) -> Result<Digest, Error> {
        Ok(Digest::of_canonical(&Body {
            intent_type: &self.intent_type,
            purpose: Some(self.purpose).filter(|purpose| *purpose == Purpose::Advice),
            payload: &self.payload,
            environment_id: self.environment,
            environment_class: self.class,
            runbook_id: self.runbook,
            intent: &self.text,
            constraints: self.constraints.as_ref(),
        })?)
    }
}

/// What became of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is new.
    New(IntentId),
    /// The same was asked before, under this id.
    Known(IntentId),
}

impl Recorded {
    /// The intent, new or known.
    #[must_use]
    pub const fn id(self) -> IntentId {
        match self {
            Self::New(id) | Self::Known(id) => id,
        }
    }
}

/// An intent as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id.
    pub id: IntentId,
    /// The requester's own name for it.
    pub deterministic_id: String,
    /// Whether it is to be carried out here.
    pub purpose: Purpose,
    /// What kind of change.
    pub intent_type: String,
    /// What is asked for.
    pub payload: Value,
    /// Hash of what is asked for.
    pub body_hash: Digest,
    /// The environment, when it is one.
    pub environment: Option<EnvironmentId>,
    /// Its class.
    pub class: EnvironmentClass,
    /// The risk category.
    pub category: String,
    /// Who asked.
    pub requester: ActorId,
    /// What set it off.
    pub trigger: TriggerKind,
    /// The finding it answers.
    pub finding: Option<FindingId>,
    /// The runbook trigger that matched.
    pub trigger_id: Option<TriggerId>,
    /// The runbook.
    pub runbook: Option<RunbookId>,
    /// One line for people.
    pub summary: String,
    /// In the requester's words.
    pub text: String,
    /// Requested constraints.
    pub constraints: Option<Value>,
    /// Where it stands.
    pub state: IntentState,
    /// When it was asked.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    deterministic_id: String,
    purpose: String,
    intent_type: String,
    payload: Value,
    body_hash: Vec<u8>,
    environment_id: Option<Uuid>,
    environment_class: String,
    category: String,
    requester_actor_id: Uuid,
    trigger: String,
    finding_id: Option<Uuid>,
    trigger_id: Option<Uuid>,
    runbook_id: Option<Uuid>,
    summary: String,
    intent: String,
    constraints: Option<Value>,
    status: String,
    created_at: SqlTimestamp,
}

impl TryFrom<Row> for Intent {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.into(),
            deterministic_id: row.deterministic_id,
            purpose: row.purpose.parse().map_err(Error::unreadable("intent purpose"))?,
            intent_type: row.intent_type,
            payload: row.payload,
            body_hash: digest("body hash", &row.body_hash)?,
            environment: row.environment_id.map(Into::into),
            class: row.environment_class.parse().map_err(Error::unreadable("environment class"))?,
            category: row.category,
            requester: row.requester_actor_id.into(),
            trigger: row.trigger.parse().map_err(Error::unreadable("trigger"))?,
            finding: row.finding_id.map(Into::into),
            trigger_id: row.trigger_id.map(Into::into),
            runbook: row.runbook_id.map(Into::into),
            summary: row.summary,
            text: row.intent,
            constraints: row.constraints,
            state: row.status.parse().map_err(Error::unreadable("intent state"))?,
            created_at: row.created_at.to_jiff(),
        })
    }
}

/// Writes an intent and its audit event, or finds the one asked before.
///
/// # Errors
/// [`Error::OtherBody`] when the deterministic id was used for something else.
pub async fn insert(tx: &mut TenantTx, new: &NewIntent, who: Who) -> Result<Recorded, Error> {
    let body_hash = new.body_hash()?;
    let fresh: Option<Uuid> = sqlx::query_scalar(
        "INSERT INTO countersign.intents (tenant_id, id, deterministic_id, intent_type, payload,
           canonical_payload, body_hash, environment_id, environment_class, category,
           requester_actor_id, trigger, finding_id, trigger_id, runbook_id, summary, intent,
           constraints, provenance, purpose)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20)
         ON CONFLICT ON CONSTRAINT intents_deterministic_id_key DO NOTHING
         RETURNING id",
    )
    .bind(tx.tenant().uuid())
    .bind(new.id.uuid())
    .bind(&new.deterministic_id)
    .bind(&new.intent_type)
    .bind(&new.payload)
    .bind(canonical::to_bytes(&new.payload)?)
    .bind(body_hash.as_bytes().as_slice())
    .bind(new.environment.map(EnvironmentId::uuid))
    .bind(new.class.word())
    .bind(&new.category)
    .bind(new.requester.uuid())
    .bind(new.trigger.word())
    .bind(new.finding.map(FindingId::uuid))
    .bind(new.trigger_id.map(TriggerId::uuid))
    .bind(new.runbook.map(RunbookId::uuid))
    .bind(&new.summary)
    .bind(&new.text)
    .bind(&new.constraints)
    .bind(&new.provenance)
    .bind(new.purpose.word())
    .fetch_optional(tx.conn())
    .await?;
    if fresh.is_some() {
        let event = Event::new(who, "intent.created", "intent", &new.id)
            .with("intent_type", new.intent_type.clone())
            .with("purpose", new.purpose.word())
            .with("trigger", new.trigger.word())
            .with("body_hash", body_hash.to_string())
            .with("summary", new.summary.clone());
        tx.audit(&event).await?;
        return Ok(Recorded::New(new.id));
    }
    let known = find(tx, &new.deterministic_id)
        .await?
        .ok_or_else(|| Error::NotFound { what: "intent", id: new.deterministic_id.clone() })?;
    if known.body_hash != body_hash {
        return Err(Error::OtherBody { deterministic_id: new.deterministic_id.clone() });
    }
    Ok(Recorded::Known(known.id))
}

/// The intent with this deterministic id.
///
/// # Errors
/// When the database cannot be read.
pub async fn find(tx: &mut TenantTx, deterministic_id: &str) -> Result<Option<Intent>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, deterministic_id, purpose, intent_type, payload, body_hash, environment_id,
           environment_class, category, requester_actor_id, trigger, finding_id, trigger_id,
           runbook_id, summary, intent, constraints, status, created_at
         FROM countersign.intents
         WHERE tenant_id = $1 AND deterministic_id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(deterministic_id)
    .fetch_optional(tx.conn())
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// An intent.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut TenantTx, id: IntentId) -> Result<Intent, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, deterministic_id, purpose, intent_type, payload, body_hash, environment_id,
           environment_class, category, requester_actor_id, trigger, finding_id, trigger_id,
           runbook_id, summary, intent, constraints, status, created_at
         FROM countersign.intents
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.ok_or_else(|| Error::NotFound { what: "intent", id: id.to_string() })?.try_into()
}

/// By what intents are listed.
pub const LISTED: Kind = Kind {
    word: "intent",
    table: "(SELECT i.*, i.intent_type AS type, i.requester_actor_id AS requester_id
             FROM countersign.intents i)",
    columns: &[
        Column::new("status", Holds::Text).filter(),
        Column::new("purpose", Holds::Text).filter(),
        Column::new("type", Holds::Text).filter(),
        Column::new("environment_class", Holds::Text).filter(),
        Column::new("category", Holds::Text).filter(),
        Column::new("trigger", Holds::Text).filter(),
        Column::new("deterministic_id", Holds::Text).filter().search(),
        Column::new("requester_id", Holds::Id).filter(),
        Column::new("finding_id", Holds::Id).filter(),
        Column::new("runbook_id", Holds::Id).filter(),
        Column::new("created_at", Holds::Time).filter().age(),
        Column::new("summary", Holds::Text).search(),
        Column::new("intent", Holds::Text).search(),
    ],
    natural: &[],
};

/// A page of intents, newest first unless sorted.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(tx: &mut TenantTx, wanted: &ListRequest) -> Result<Page<Intent>, Error> {
    let statement =
        "SELECT id, deterministic_id, purpose, intent_type, payload, body_hash, environment_id,
           environment_class, category, requester_actor_id, trigger, finding_id, trigger_id,
           runbook_id, summary, intent, constraints, status, created_at
         FROM countersign.intents
         WHERE tenant_id = $1 AND id = ANY ($2)";
    let page = object::read(tx, &LISTED, wanted, statement, |row: &Row| row.id).await?;
    let items = page.items.into_iter().map(TryInto::try_into).collect::<Result<_, Error>>()?;
    Ok(Page { items, next_cursor: page.next_cursor, has_next: page.has_next })
}

/// Moves an open intent to where it ends up.
///
/// # Errors
/// [`Error::Conflict`] when it is open no longer.
pub async fn settle(tx: &mut TenantTx, id: IntentId, to: IntentState) -> Result<(), Error> {
    if settle_if_open(tx, id, to).await? {
        return Ok(());
    }
    let found = get(tx, id).await?.state.to_string();
    Err(Error::Conflict { what: "the intent", found, wanted: "settling it" })
}

/// The same where somebody else may have settled it before; says whether it was open.
///
/// # Errors
/// When the database does not take it.
pub async fn settle_if_open(
    tx: &mut TenantTx,
    id: IntentId,
    to: IntentState,
) -> Result<bool, Error> {
    let moved = sqlx::query(
        "UPDATE countersign.intents
         SET status = $3, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(to.word())
    .execute(tx.conn())
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// The latest decision on an intent, if there is one.
///
/// # Errors
/// When the database cannot be read.
pub async fn decision(tx: &mut TenantTx, id: IntentId) -> Result<Option<DecisionId>, Error> {
    let decision: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM countersign.decisions
         WHERE tenant_id = $1 AND intent_id = $2
         ORDER BY id DESC
         LIMIT 1",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(decision.map(Into::into))
}

/// Whether two accounts have a person in common: themselves, or whoever made their keys.
///
/// # Errors
/// When the database cannot be read.
pub async fn same_people(tx: &mut TenantTx, one: ActorId, other: ActorId) -> Result<bool, Error> {
    Ok(sqlx::query_scalar("SELECT countersign.people_of($1, $2) && countersign.people_of($1, $3)")
        .bind(tx.tenant().uuid())
        .bind(one.uuid())
        .bind(other.uuid())
        .fetch_one(tx.conn())
        .await?)
}

/// Notes when an intent was judged.
///
/// # Errors
/// When the database does not take it.
pub async fn evaluated(tx: &mut TenantTx, id: IntentId, at: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.intents SET evaluated_at = $3 WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(at.to_sqlx())
    .execute(tx.conn())
    .await?;
    Ok(())
}
