//! What callers use of the decision API, month by month.
//!
//! A limit is a row that one statement counts up and holds against it, so a crowd at the last
//! evaluation gets exactly one. The month is the database's, in UTC.

use db::TenantTx;
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::Timestamp;
use model::id::{ActorId, ApiKeyId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::error::Error;
use crate::quota::{ServiceTier, Standing, Used};

/// Who uses something.
#[derive(Debug, Clone, Copy)]
pub struct User {
    /// The actor.
    pub actor: ActorId,
    /// The key it came with; a person's session has none.
    pub key: Option<ApiKeyId>,
}

/// The month a use counts in.
#[derive(FromRow)]
struct Month {
    first_day: String,
    resets_at: SqlTimestamp,
    now: SqlTimestamp,
}

/// A limit that applies.
struct Limit {
    scope: &'static str,
    id: Uuid,
    /// None where the tier has no limit.
    most: Option<u32>,
}

/// What became of an attempt to take one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It counts.
    One(Standing),
    /// Nothing is left this month.
    Exhausted(Standing),
}

async fn month(tx: &mut TenantTx) -> Result<Month, Error> {
    Ok(sqlx::query_as(
        "SELECT countersign.usage_period(at)::text AS first_day,
           countersign.usage_resets_at(countersign.usage_period(at)) AS resets_at, at AS now
         FROM clock_timestamp() AS at",
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The tier of this tenant.
///
/// # Errors
/// When the database cannot be read.
pub async fn tenant_tier(tx: &mut TenantTx) -> Result<ServiceTier, Error> {
    let tier: String = sqlx::query_scalar("SELECT tier FROM countersign.tenants WHERE id = $1")
        .bind(tx.tenant().uuid())
        .fetch_one(tx.conn())
        .await?;
    tier.parse().map_err(Error::unreadable("tier"))
}

/// What is counted for a caller, limited or not: the tenant's, for all its keys together, and the
/// key's own. A tier may change within the month, so nothing goes uncounted.
/// The tenant's comes first, so that all who count lock in the same order.
async fn limits(tx: &mut TenantTx, user: User) -> Result<Vec<Limit>, Error> {
    let tenant = tx.tenant().uuid();
    let most = tenant_tier(tx).await?.evaluations_a_month();
    let mut limits = vec![Limit { scope: "tenant", id: tenant, most }];
    if let Some(key) = user.key {
        let tier: String = sqlx::query_scalar(
            "SELECT tier FROM countersign.api_keys WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant)
        .bind(key.uuid())
        .fetch_one(tx.conn())
        .await?;
        let tier: ServiceTier = tier.parse().map_err(Error::unreadable("tier"))?;
        limits.push(Limit { scope: "key", id: key.uuid(), most: tier.evaluations_a_month() });
    }
    Ok(limits)
}

/// Where a caller stands, taking nothing.
///
/// # Errors
/// When the database cannot be read.
pub async fn standing(tx: &mut TenantTx, user: User) -> Result<Standing, Error> {
    let month = month(tx).await?;
    let mut used = Vec::new();
    for limit in limits(tx, user).await? {
        let so_far: Option<i64> = sqlx::query_scalar(
            "SELECT used FROM countersign.usage_counters
             WHERE tenant_id = $1 AND scope = $2 AND scope_id = $3 AND period = $4::text::date",
        )
        .bind(tx.tenant().uuid())
        .bind(limit.scope)
        .bind(limit.id)
        .bind(&month.first_day)
        .fetch_optional(tx.conn())
        .await?;
        let so_far = match so_far {
            Some(so_far) => so_far,
            None => logged(tx, &limit, &month).await?,
        };
        if let Some(limit) = limit.most {
            used.push(Used { limit, used: u64::try_from(so_far).unwrap_or_default() });
        }
    }
    Ok(Standing::of(used, month.resets_at.to_jiff(), month.now.to_jiff()))
}

/// Takes one evaluation and writes it to the log, in the caller's transaction: what is rolled back
/// was not used. To be done last, for it holds the limit until the transaction ends.
///
/// # Errors
/// When the database does not take it.
pub async fn take(tx: &mut TenantTx, user: User, endpoint: &str) -> Result<Taken, Error> {
    let month = month(tx).await?;
    let mut used = Vec::new();
    for limit in limits(tx, user).await? {
        let counted = match count(tx, &limit, &month).await? {
            None => {
                begin(tx, &limit, &month).await?;
                count(tx, &limit, &month).await?
            }
            counted => counted,
        };
        match (counted, limit.most) {
            (Some(counted), Some(limit)) => {
                used.push(Used { limit, used: u64::try_from(counted).unwrap_or_default() });
            }
            (Some(_), None) => {}
            (None, most) => {
                let most = most.unwrap_or_default();
                let full = Used { limit: most, used: u64::from(most) };
                return Ok(Taken::Exhausted(standing_of(vec![full], &month)));
            }
        }
    }
    sqlx::query(
        "INSERT INTO countersign.usage_logs
           (tenant_id, id, api_key_id, actor_id, endpoint, units, period, at)
         VALUES ($1, $2, $3, $4, $5, 1, $6::text::date, $7)",
    )
    .bind(tx.tenant().uuid())
    .bind(Uuid::now_v7())
    .bind(user.key.map(ApiKeyId::uuid))
    .bind(user.actor.uuid())
    .bind(endpoint)
    .bind(&month.first_day)
    .bind(month.now)
    .execute(tx.conn())
    .await?;
    Ok(Taken::One(standing_of(used, &month)))
}

fn standing_of(used: Vec<Used>, month: &Month) -> Standing {
    Standing::of(used, month.resets_at.to_jiff(), month.now.to_jiff())
}

/// Counts one up if there is one left: how many are used then. Whoever comes second waits for the
/// first to commit or roll back, and counts from there.
async fn count(tx: &mut TenantTx, limit: &Limit, month: &Month) -> Result<Option<i64>, Error> {
    Ok(sqlx::query_scalar(
        "UPDATE countersign.usage_counters
         SET used = used + 1, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND scope = $2 AND scope_id = $3 AND period = $4::text::date
           AND ($5::bigint IS NULL OR used < $5)
         RETURNING used",
    )
    .bind(tx.tenant().uuid())
    .bind(limit.scope)
    .bind(limit.id)
    .bind(&month.first_day)
    .bind(limit.most.map(i64::from))
    .fetch_optional(tx.conn())
    .await?)
}

/// Makes the month's row of a limit: it begins with what was logged while nothing limited it.
async fn begin(tx: &mut TenantTx, limit: &Limit, month: &Month) -> Result<(), Error> {
    let so_far = logged(tx, limit, month).await?;
    sqlx::query(
        "INSERT INTO countersign.usage_counters (tenant_id, scope, scope_id, period, used)
         VALUES ($1, $2, $3, $4::text::date, $5)
         ON CONFLICT ON CONSTRAINT usage_counters_pk DO NOTHING",
    )
    .bind(tx.tenant().uuid())
    .bind(limit.scope)
    .bind(limit.id)
    .bind(&month.first_day)
    .bind(so_far)
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn logged(tx: &mut TenantTx, limit: &Limit, month: &Month) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(
        "SELECT coalesce(sum(units), 0)::bigint FROM countersign.usage_logs
         WHERE tenant_id = $1 AND period = $2::text::date AND ($3 = 'tenant' OR api_key_id = $4)",
    )
    .bind(tx.tenant().uuid())
    .bind(&month.first_day)
    .bind(limit.scope)
    .bind(limit.id)
    .fetch_one(tx.conn())
    .await?)
}

/// What one key, or everybody without a key, used of one endpoint in a month.
#[derive(Debug, Clone, FromRow)]
pub struct Line {
    /// The key; `None` for sessions.
    pub api_key_id: Option<Uuid>,
    /// What people call it.
    pub name: Option<String>,
    /// Its tier.
    pub tier: Option<String>,
    /// What was used.
    pub endpoint: String,
    /// How often.
    pub units: i64,
    /// The last time.
    pub last_at: SqlTimestamp,
}

/// A month's use.
#[derive(Debug, Clone)]
pub struct Report {
    /// The month, as its first day.
    pub period: String,
    /// When it is over.
    pub resets_at: Timestamp,
    /// The tenant's tier now.
    pub tier: ServiceTier,
    /// By key and endpoint.
    pub lines: Vec<Line>,
}

/// The use of a month, given as `2026-11`; the present one when absent.
///
/// # Errors
/// [`Error::Invalid`] when it is no month.
pub async fn report(tx: &mut TenantTx, period: Option<&str>) -> Result<Report, Error> {
    let (period, resets_at): (String, SqlTimestamp) = match period {
        None => {
            let month = month(tx).await?;
            (month.first_day, month.resets_at)
        }
        Some(given) => {
            let first = format!("{given}-01");
            let resets_at =
                sqlx::query_scalar("SELECT countersign.usage_resets_at($1::text::date)")
                    .bind(&first)
                    .fetch_one(tx.conn())
                    .await?;
            (first, resets_at)
        }
    };
    let tier = tenant_tier(tx).await?;
    let lines: Vec<Line> = sqlx::query_as(
        "SELECT l.api_key_id, k.name, k.tier, l.endpoint, sum(l.units)::bigint AS units,
           max(l.at) AS last_at
         FROM countersign.usage_logs l
         LEFT JOIN countersign.api_keys k ON k.tenant_id = l.tenant_id AND k.id = l.api_key_id
         WHERE l.tenant_id = $1 AND l.period = $2::text::date
         GROUP BY l.api_key_id, k.name, k.tier, l.endpoint
         ORDER BY units DESC, l.api_key_id NULLS LAST, l.endpoint",
    )
    .bind(tx.tenant().uuid())
    .bind(&period)
    .fetch_all(tx.conn())
    .await?;
    Ok(Report { period, resets_at: resets_at.to_jiff(), tier, lines })
}

/// Gives a key another tier; says whether there is such a key, and which tier it had.
///
/// # Errors
/// When the database does not take it.
pub async fn set_tier(
    tx: &mut TenantTx,
    key: ApiKeyId,
    tier: ServiceTier,
) -> Result<Option<String>, Error> {
    Ok(sqlx::query_scalar(
        "UPDATE countersign.api_keys k SET tier = $3
         FROM countersign.api_keys before
         WHERE k.tenant_id = $1 AND k.id = $2
           AND before.tenant_id = k.tenant_id AND before.id = k.id
         RETURNING before.tier",
    )
    .bind(tx.tenant().uuid())
    .bind(key.uuid())
    .bind(tier.word())
    .fetch_optional(tx.conn())
    .await?)
}
