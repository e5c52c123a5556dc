//! Outcomes and posteriors, as the database holds them.
//!
//! What is verified teaches what may run here. What an outside system only reports of its own change
//! is counted apart, and teaches the advice such systems get.

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Error, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::id::{ActorId, ExecutionId, IntentId, OutcomeId};
use model::level::EnvironmentClass;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

pub mod calibration;
pub mod drift_day;
pub mod labelled;
pub mod past;
pub mod performance;
pub mod registry;
pub mod track;

use crate::posterior::{Lesson, Posterior};

/// Who found out what came of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verifier {
    /// Verify steps.
    Machine,
    /// A person said so.
    Person,
    /// Nobody: it teaches nothing.
    Nobody,
    /// The outside system that acted, or whoever is behind it: its word, not verified.
    Reporter,
}

impl Verifier {
    /// The word for it, as stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Person => "person",
            Self::Nobody => "nobody",
            Self::Reporter => "reporter",
        }
    }

    /// Whether somebody else than whoever acted has looked.
    #[must_use]
    pub const fn verified(self) -> bool {
        matches!(self, Self::Machine | Self::Person)
    }
}

/// What came of an intent.
#[derive(Debug, Clone)]
pub struct NewOutcome {
    /// Of which.
    pub intent: IntentId,
    /// By which execution, if one ran.
    pub execution: Option<ExecutionId>,
    /// Whether it worked.
    pub success: bool,
    /// Who found out.
    pub verifier: Verifier,
    /// Who recorded it.
    pub recorded_by: ActorId,
    /// In words.
    pub notes: String,
    /// What it was seen by, where somebody says.
    pub evidence: Vec<Evidence>,
    /// The recorder's own name for it, unique in the tenant.
    pub idempotency_key: Option<String>,
    /// The risk category it teaches.
    pub category: String,
    /// The classes of the environments it ran in.
    pub environments: Vec<EnvironmentClass>,
    /// The typed actions of the plan that change something.
    pub actions: Vec<String>,
    /// What is believed of the category before anything was seen: alpha, beta.
    pub prior: (f64, f64),
    /// The constant set the prior comes from.
    pub constants: String,
}

/// Something an outcome was seen by, kept outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is: a run, a dashboard, a ticket.
    pub link: String,
    /// SHA-256 of what it said then, where somebody took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

/// What recording an outcome did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recorded {
    /// The outcome: the one there already, when it said the same.
    pub id: OutcomeId,
    /// Whether it was there already.
    pub repeated: bool,
    /// What is believed now; of what was only reported, with it.
    pub posterior: Posterior,
}

/// Why an outcome was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// Another outcome is recorded: one intent has one.
    #[error("another outcome of this intent is recorded already")]
    Contradicts,
    /// The name belongs to the outcome of another intent.
    #[error("the idempotency key belongs to another outcome")]
    KeyTaken,
    /// The database failed.
    #[error("the outcome could not be recorded")]
    Database(#[source] Error),
}

impl From<Error> for OutcomeError {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// Records an outcome and learns from it, in the caller's transaction.
///
/// The same outcome again changes nothing: the same success, seen by the same evidence.
///
/// # Errors
/// [`OutcomeError::Contradicts`] when another outcome is recorded, [`OutcomeError::KeyTaken`] when
/// its key belongs to another intent's.
pub async fn record(tx: &mut TenantTx, outcome: &NewOutcome) -> Result<Recorded, OutcomeError> {
    let id = OutcomeId::generate();
    let inserted = sqlx::query(
        "INSERT INTO countersign.outcomes
           (tenant_id, id, intent_id, execution_id, success, verified, verified_by, recorded_by,
            notes, category, environment_classes, actions, evidence, idempotency_key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(outcome.intent.uuid())
    .bind(outcome.execution.map(ExecutionId::uuid))
    .bind(outcome.success)
    .bind(outcome.verifier.verified())
    .bind(outcome.verifier.word())
    .bind(outcome.recorded_by.uuid())
    .bind(&outcome.notes)
    .bind(&outcome.category)
    .bind(outcome.environments.iter().map(|class| class.word()).collect::<Vec<_>>())
    .bind(&outcome.actions)
    .bind(Json(&outcome.evidence))
    .bind(&outcome.idempotency_key)
    .execute(tx.conn())
    .await
    .map_err(Error::from)?
    .rows_affected();
    let (alpha, beta) = outcome.prior;
    let prior = Posterior::prior(alpha, beta);
    if inserted == 0 {
        return repeated(tx, outcome, prior).await;
    }
    let lesson = match (outcome.verifier, outcome.success) {
        (Verifier::Nobody, _) => Lesson::Nothing,
        (_, true) => Lesson::Success,
        (_, false) => Lesson::Failure,
    };
    let posterior = learn(tx, outcome, prior, lesson).await?;
    Ok(Recorded { id, repeated: false, posterior })
}

async fn repeated(
    tx: &mut TenantTx,
    outcome: &NewOutcome,
    prior: Posterior,
) -> Result<Recorded, OutcomeError> {
    let known: Option<(Uuid, bool, Json<Vec<Evidence>>)> = sqlx::query_as(
        "SELECT id, success, evidence FROM countersign.outcomes
         WHERE tenant_id = $1 AND intent_id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(outcome.intent.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(Error::from)?;
    // Something was in the way, and no outcome of this intent: its key.
    let (id, success, evidence) = known.ok_or(OutcomeError::KeyTaken)?;
    if success != outcome.success || evidence.0 != outcome.evidence {
        return Err(OutcomeError::Contradicts);
    }
    let posterior = match outcome.verifier {
        Verifier::Reporter => advice_posterior(tx, &outcome.category).await?,
        Verifier::Machine | Verifier::Person | Verifier::Nobody => {
            posterior(tx, &outcome.category).await?
        }
    };
    let posterior = posterior.unwrap_or(prior);
    Ok(Recorded { id: id.into(), repeated: true, posterior })
}

/// Two outcomes at the same time both count: the row is locked by the upsert.
async fn learn(
    tx: &mut TenantTx,
    outcome: &NewOutcome,
    prior: Posterior,
    lesson: Lesson,
) -> Result<Posterior, Error> {
    if outcome.verifier == Verifier::Reporter {
        return learn_reported(tx, outcome, prior, lesson).await;
    }
    let first = prior.after(lesson);
    let (alpha, beta, n): (f64, f64, i64) = sqlx::query_as(
        "INSERT INTO countersign.beta_state
           (tenant_id, id, category, alpha, beta, n, model_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT ON CONSTRAINT beta_state_category_key DO UPDATE
         SET alpha = beta_state.alpha + $8,
             beta = beta_state.beta + $9,
             n = beta_state.n + $6,
             updated_at = clock_timestamp()
         RETURNING alpha, beta, n",
    )
    .bind(tx.tenant().uuid())
    .bind(Uuid::now_v7())
    .bind(&outcome.category)
    .bind(first.alpha)
    .bind(first.beta)
    .bind(i64::try_from(first.n).unwrap_or(i64::MAX))
    .bind(&outcome.constants)
    .bind(first.alpha - prior.alpha)
    .bind(first.beta - prior.beta)
    .fetch_one(tx.conn())
    .await?;
    Ok(Posterior { alpha, beta, n: u64::try_from(n).unwrap_or_default() })
}

/// The same for what nobody verified: beside what is, never in it.
async fn learn_reported(
    tx: &mut TenantTx,
    outcome: &NewOutcome,
    prior: Posterior,
    lesson: Lesson,
) -> Result<Posterior, Error> {
    let (failures, successes) = match lesson {
        Lesson::Failure => (1.0, 0.0),
        Lesson::Success => (0.0, 1.0),
        Lesson::Nothing => (0.0, 0.0),
    };
    let (alpha, beta, n): (f64, f64, i64) = sqlx::query_as(
        "INSERT INTO countersign.beta_state
           (tenant_id, id, category, alpha, beta, n, model_version, reported_failures,
            reported_successes, reported_n)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, 1)
         ON CONFLICT ON CONSTRAINT beta_state_category_key DO UPDATE
         SET reported_failures = beta_state.reported_failures + $7,
             reported_successes = beta_state.reported_successes + $8,
             reported_n = beta_state.reported_n + 1,
             updated_at = clock_timestamp()
         RETURNING alpha + reported_failures, beta + reported_successes, n + reported_n",
    )
    .bind(tx.tenant().uuid())
    .bind(Uuid::now_v7())
    .bind(&outcome.category)
    .bind(prior.alpha)
    .bind(prior.beta)
    .bind(&outcome.constants)
    .bind(failures)
    .bind(successes)
    .fetch_one(tx.conn())
    .await?;
    Ok(Posterior { alpha, beta, n: u64::try_from(n).unwrap_or_default() })
}

/// What is believed of a category when what was only reported counts too: for advice, never for
/// what runs here. `None` before the first outcome.
///
/// # Errors
/// When the database is not available.
pub async fn advice_posterior(
    tx: &mut TenantTx,
    category: &str,
) -> Result<Option<Posterior>, Error> {
    let row: Option<(f64, f64, i64)> = sqlx::query_as(
        "SELECT alpha + reported_failures, beta + reported_successes, n + reported_n
         FROM countersign.beta_state WHERE tenant_id = $1 AND category = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(category)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|(alpha, beta, n)| Posterior {
        alpha,
        beta,
        n: u64::try_from(n).unwrap_or_default(),
    }))
}

/// What is believed of a category; `None` before the first outcome. Only what was verified counts.
///
/// # Errors
/// When the database is not available.
pub async fn posterior(tx: &mut TenantTx, category: &str) -> Result<Option<Posterior>, Error> {
    let row: Option<(f64, f64, i64)> = sqlx::query_as(
        "SELECT alpha, beta, n FROM countersign.beta_state WHERE tenant_id = $1 AND category = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(category)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|(alpha, beta, n)| Posterior {
        alpha,
        beta,
        n: u64::try_from(n).unwrap_or_default(),
    }))
}

/// A category with what is believed of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Belief {
    /// The category.
    pub category: String,
    /// What is believed, from what was verified.
    pub posterior: Posterior,
    /// Failures that were only reported.
    pub reported_failures: u64,
    /// Successes that were only reported.
    pub reported_successes: u64,
    /// Since when.
    pub updated_at: Timestamp,
}

/// Everything believed in this tenant, by category.
///
/// # Errors
/// When the database is not available.
pub async fn beliefs(tx: &mut TenantTx) -> Result<Vec<Belief>, Error> {
    let rows: Vec<(String, f64, f64, i64, i64, i64, SqlTimestamp)> = sqlx::query_as(
        "SELECT category, alpha, beta, n, reported_failures::bigint, reported_successes::bigint,
           updated_at
         FROM countersign.beta_state WHERE tenant_id = $1 ORDER BY category",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(category, alpha, beta, n, failures, successes, updated_at)| Belief {
            category,
            posterior: Posterior { alpha, beta, n: u64::try_from(n).unwrap_or_default() },
            reported_failures: u64::try_from(failures).unwrap_or_default(),
            reported_successes: u64::try_from(successes).unwrap_or_default(),
            updated_at: updated_at.to_jiff(),
        })
        .collect())
}

/// How one kind of change went in environments of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackRecord {
    /// The class.
    pub class: EnvironmentClass,
    /// Verified successes.
    pub successes: u64,
    /// Verified failures.
    pub failures: u64,
}

/// Verified successes and failures of one kind of change, in each class of environments it was seen
/// in: what autonomy is earned by.
///
/// # Errors
/// When the database is not available.
pub async fn track_record(
    tx: &mut TenantTx,
    category: &str,
    action: &str,
) -> Result<Vec<TrackRecord>, Error> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT class, count(*) FILTER (WHERE o.success), count(*) FILTER (WHERE NOT o.success)
         FROM countersign.outcomes o, LATERAL (
           SELECT DISTINCT one FROM unnest(o.environment_classes) AS one) AS classes (class)
         WHERE o.tenant_id = $1 AND o.category = $2 AND o.verified AND o.actions @> ARRAY[$3]
         GROUP BY class
         ORDER BY class",
    )
    .bind(tx.tenant().uuid())
    .bind(category)
    .bind(action)
    .fetch_all(tx.conn())
    .await?;
    let record = |(class, good, bad): (String, i64, i64)| {
        Ok(TrackRecord {
            class: class.parse().map_err(Error::internal)?,
            successes: u64::try_from(good).unwrap_or_default(),
            failures: u64::try_from(bad).unwrap_or_default(),
        })
    };
    rows.into_iter().map(record).collect()
}

/// A recorded outcome.
#[derive(Debug, Clone, FromRow)]
pub struct OutcomeRow {
    /// Its id.
    pub id: Uuid,
    /// Of which intent.
    pub intent_id: Uuid,
    /// By which execution.
    pub execution_id: Option<Uuid>,
    /// Whether it worked.
    pub success: bool,
    /// Whether that is verified.
    pub verified: bool,
    /// By whom: machine, person, nobody; or the reporter's own word.
    pub verified_by: String,
    /// Who recorded it.
    pub recorded_by: Uuid,
    /// In words.
    pub notes: String,
    /// What it was seen by.
    pub evidence: Json<Vec<Evidence>>,
    /// The recorder's own name for it.
    pub idempotency_key: Option<String>,
    /// The category it taught.
    pub category: String,
    /// When it was recorded.
    pub recorded_at: SqlTimestamp,
}

/// By what outcomes are listed.
pub const LISTED: Kind = Kind {
    word: "outcome",
    table: "countersign.outcomes",
    columns: &[
        Column::new("intent_id", Holds::Id).filter(),
        Column::new("execution_id", Holds::Id).filter(),
        Column::new("success", Holds::Boolean).filter(),
        Column::new("verified", Holds::Boolean).filter(),
        Column::new("verified_by", Holds::Text).filter(),
        Column::new("recorded_by", Holds::Id).filter(),
        Column::new("category", Holds::Text).filter(),
        Column::new("notes", Holds::Text).search(),
        Column::new("recorded_at", Holds::Time).filter().age(),
    ],
    natural: &[],
};

/// A page of outcomes, newest first unless sorted.
///
/// # Errors
/// When the database is not available.
pub async fn list(tx: &mut TenantTx, wanted: &ListRequest) -> Result<db::Page<OutcomeRow>, Error> {
    let statement =
        "SELECT id, intent_id, execution_id, success, verified, verified_by, recorded_by,
           notes, evidence, idempotency_key, category, recorded_at
         FROM countersign.outcomes
         WHERE tenant_id = $1 AND id = ANY ($2)";
    object::read(tx, &LISTED, wanted, statement, |row: &OutcomeRow| row.id).await
}

/// The outcome of an intent, if one is recorded.
///
/// # Errors
/// When the database is not available.
pub async fn of_intent(tx: &mut TenantTx, intent: IntentId) -> Result<Option<OutcomeRow>, Error> {
    Ok(sqlx::query_as(
        "SELECT id, intent_id, execution_id, success, verified, verified_by, recorded_by, notes,
                evidence, idempotency_key, category, recorded_at
         FROM countersign.outcomes
         WHERE tenant_id = $1 AND intent_id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(intent.uuid())
    .fetch_optional(tx.conn())
    .await?)
}
