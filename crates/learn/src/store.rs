//! Outcomes and posteriors, as the database holds them.

use db::{Error, PageRequest, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::Timestamp;
use model::id::{ActorId, ExecutionId, IntentId, OutcomeId};
use model::level::EnvironmentClass;
use sqlx::FromRow;
use uuid::Uuid;

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
}

impl Verifier {
    const fn word(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Person => "person",
            Self::Nobody => "nobody",
        }
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

/// What recording an outcome did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recorded {
    /// The outcome: the one there already, when it said the same.
    pub id: OutcomeId,
    /// Whether it was there already.
    pub repeated: bool,
    /// What is believed now.
    pub posterior: Posterior,
}

/// Why an outcome was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// Another outcome is recorded: one intent has one.
    #[error("another outcome of this intent is recorded already")]
    Contradicts,
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
/// The same outcome again changes nothing.
///
/// # Errors
/// [`OutcomeError::Contradicts`] when another outcome is recorded.
pub async fn record(tx: &mut TenantTx, outcome: &NewOutcome) -> Result<Recorded, OutcomeError> {
    let id = OutcomeId::generate();
    let verified = outcome.verifier != Verifier::Nobody;
    let inserted = sqlx::query(
        "INSERT INTO countersign.outcomes
           (tenant_id, id, intent_id, execution_id, success, verified, verified_by, recorded_by,
            notes, category, environment_classes, actions)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT ON CONSTRAINT outcomes_intent_key DO NOTHING",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(outcome.intent.uuid())
    .bind(outcome.execution.map(ExecutionId::uuid))
    .bind(outcome.success)
    .bind(verified)
    .bind(outcome.verifier.word())
    .bind(outcome.recorded_by.uuid())
    .bind(&outcome.notes)
    .bind(&outcome.category)
    .bind(outcome.environments.iter().map(|class| class.word()).collect::<Vec<_>>())
    .bind(&outcome.actions)
    .execute(tx.conn())
    .await
    .map_err(Error::from)?
    .rows_affected();
    let (alpha, beta) = outcome.prior;
    let prior = Posterior::prior(alpha, beta);
    if inserted == 0 {
        return repeated(tx, outcome, prior).await;
    }
    let lesson = match (verified, outcome.success) {
        (false, _) => Lesson::Nothing,
        (true, true) => Lesson::Success,
        (true, false) => Lesson::Failure,
    };
    let posterior = learn(tx, outcome, prior, lesson).await?;
    Ok(Recorded { id, repeated: false, posterior })
}

async fn repeated(
    tx: &mut TenantTx,
    outcome: &NewOutcome,
    prior: Posterior,
) -> Result<Recorded, OutcomeError> {
    let (id, success): (Uuid, bool) = sqlx::query_as(
        "SELECT id, success FROM countersign.outcomes WHERE tenant_id = $1 AND intent_id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(outcome.intent.uuid())
    .fetch_one(tx.conn())
    .await
    .map_err(Error::from)?;
    if success != outcome.success {
        return Err(OutcomeError::Contradicts);
    }
    let posterior = posterior(tx, &outcome.category).await?.unwrap_or(prior);
    Ok(Recorded { id: id.into(), repeated: true, posterior })
}

/// Two outcomes at the same time both count: the row is locked by the upsert.
async fn learn(
    tx: &mut TenantTx,
    outcome: &NewOutcome,
    prior: Posterior,
    lesson: Lesson,
) -> Result<Posterior, Error> {
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

/// What is believed of a category; `None` before the first verified outcome.
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
    /// What is believed.
    pub posterior: Posterior,
    /// Since when.
    pub updated_at: Timestamp,
}

/// Everything believed in this tenant, by category.
///
/// # Errors
/// When the database is not available.
pub async fn beliefs(tx: &mut TenantTx) -> Result<Vec<Belief>, Error> {
    let rows: Vec<(String, f64, f64, i64, SqlTimestamp)> = sqlx::query_as(
        "SELECT category, alpha, beta, n, updated_at
         FROM countersign.beta_state WHERE tenant_id = $1 ORDER BY category",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(category, alpha, beta, n, updated_at)| Belief {
            category,
            posterior: Posterior { alpha, beta, n: u64::try_from(n).unwrap_or_default() },
            updated_at: updated_at.to_jiff(),
        })
        .collect())
}

/// Verified successes and failures of one kind of change: what autonomy is earned by.
///
/// # Errors
/// When the database is not available.
pub async fn track_record(
    tx: &mut TenantTx,
    category: &str,
    environment: EnvironmentClass,
    action: &str,
) -> Result<(u64, u64), Error> {
    let (good, bad): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE success), count(*) FILTER (WHERE NOT success)
         FROM countersign.outcomes
         WHERE tenant_id = $1 AND category = $2 AND verified
           AND environment_classes @> ARRAY[$3] AND actions @> ARRAY[$4]",
    )
    .bind(tx.tenant().uuid())
    .bind(category)
    .bind(environment.word())
    .bind(action)
    .fetch_one(tx.conn())
    .await?;
    Ok((u64::try_from(good).unwrap_or_default(), u64::try_from(bad).unwrap_or_default()))
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
    /// By whom: machine, person, nobody.
    pub verified_by: String,
    /// In words.
    pub notes: String,
    /// The category it taught.
    pub category: String,
    /// When it was recorded.
    pub recorded_at: SqlTimestamp,
}

/// A page of outcomes, newest first.
///
/// # Errors
/// When the database is not available.
pub async fn list(tx: &mut TenantTx, page: &PageRequest) -> Result<db::Page<OutcomeRow>, Error> {
    let rows: Vec<OutcomeRow> = sqlx::query_as(
        "SELECT id, intent_id, execution_id, success, verified, verified_by, notes, category,
                recorded_at
         FROM countersign.outcomes
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC
         LIMIT $3",
    )
    .bind(tx.tenant().uuid())
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    Ok(page.page(rows, |row| db::Cursor::Id(row.id)))
}
