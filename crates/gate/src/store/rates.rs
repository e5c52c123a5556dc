//! Rate limits, and the starts that count against them and against cooldowns.
//!
//! Counting and starting are one step: whoever starts holds a lock on everything that counts it
//! until the transaction ends, so two starters never share the last slot.

use std::collections::HashMap;

use db::{Cursor, Page, PageRequest, TenantTx};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use model::Timestamp;
use model::id::{ExecutionId, RateLimitId};
use sqlx::FromRow;
use uuid::Uuid;

use super::{count, executions, guards, small};
use crate::cooldown::Cooldown;
use crate::error::Error;
use crate::proposal::Proposal;
use crate::rate::{Quota, RateScope, Usage};

/// A limit as stored. The scope id `*` means each runbook or resource by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLimit {
    /// Its id.
    pub id: RateLimitId,
    /// What it counts, and how many.
    pub quota: Quota,
    /// Whether it counts.
    pub enabled: bool,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    scope: String,
    scope_id: String,
    count: i32,
    window_seconds: i32,
    enabled: bool,
}

impl TryFrom<Row> for StoredLimit {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.into(),
            quota: Quota {
                scope: row.scope.parse().map_err(Error::unreadable("rate scope"))?,
                scope_id: row.scope_id,
                count: count("rate limit", row.count)?,
                window_s: count("rate window", row.window_seconds)?,
            },
            enabled: row.enabled,
        })
    }
}

/// The limits that have a say in what is proposed, the runbook's own among them.
///
/// # Errors
/// When the database cannot be read.
pub async fn quotas(tx: &mut TenantTx, proposal: &Proposal) -> Result<Vec<Quota>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, scope, scope_id, count, window_seconds, enabled
         FROM countersign.rate_limits
         WHERE tenant_id = $1 AND enabled
         ORDER BY scope, scope_id",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    let mut quotas: Vec<Quota> = proposal.quota.iter().cloned().collect();
    for row in rows {
        let quota = StoredLimit::try_from(row)?.quota;
        let counted = counted_by(quota.scope, proposal);
        let applies = |scope_id: &&String| quota.scope_id == "*" || quota.scope_id == **scope_id;
        let of = |scope_id: &String| Quota { scope_id: scope_id.clone(), ..quota.clone() };
        quotas.extend(counted.iter().filter(applies).map(of));
    }
    Ok(quotas)
}

/// How full limits are. A start of `but` itself, taken up again, does not count.
///
/// # Errors
/// When the database cannot be read.
pub async fn usage(
    tx: &mut TenantTx,
    quotas: Vec<Quota>,
    but: Option<ExecutionId>,
) -> Result<Vec<Usage>, Error> {
    let scopes: Vec<&str> = quotas.iter().map(|quota| quota.scope.word()).collect();
    let ids: Vec<&str> = quotas.iter().map(|quota| quota.scope_id.as_str()).collect();
    let skipped: Vec<i64> =
        quotas.iter().map(|quota| i64::from(quota.count).saturating_sub(1).max(0)).collect();
    let filled: Vec<Option<SqlTimestamp>> = sqlx::query_scalar(
        "SELECT nth.taken_at
         FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY
           AS wanted (scope, scope_id, skipped, place)
         LEFT JOIN LATERAL (
           SELECT s.taken_at FROM countersign.rate_slots s
           WHERE s.tenant_id = $1 AND s.scope = wanted.scope AND s.scope_id = wanted.scope_id
             AND s.execution_id IS DISTINCT FROM $5
           ORDER BY s.taken_at DESC
           OFFSET wanted.skipped
           LIMIT 1
         ) AS nth ON true
         ORDER BY wanted.place",
    )
    .bind(tx.tenant().uuid())
    .bind(scopes)
    .bind(ids)
    .bind(skipped)
    .bind(but.map(ExecutionId::uuid))
    .fetch_all(tx.conn())
    .await?;
    let usage = |(quota, filled): (Quota, Option<SqlTimestamp>)| Usage {
        quota,
        filled_at: filled.map(SqlTimestamp::to_jiff),
    };
    Ok(quotas.into_iter().zip(filled).map(usage).collect())
}

/// When each cooldown's last run was. A run of `but` itself does not count.
///
/// # Errors
/// When the database cannot be read.
pub async fn last_runs(
    tx: &mut TenantTx,
    cooldowns: Vec<Cooldown>,
    but: Option<ExecutionId>,
) -> Result<Vec<(Cooldown, Option<Timestamp>)>, Error> {
    let scopes: Vec<&str> = cooldowns.iter().map(|one| one.scope.word()).collect();
    let ids: Vec<&str> = cooldowns.iter().map(|one| one.scope_id.as_str()).collect();
    let rows: Vec<(String, String, SqlTimestamp)> = sqlx::query_as(
        "SELECT s.scope, s.scope_id, max(s.taken_at)
         FROM countersign.rate_slots s
         WHERE s.tenant_id = $1
           AND (s.scope, s.scope_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))
           AND s.execution_id IS DISTINCT FROM $4
         GROUP BY s.scope, s.scope_id",
    )
    .bind(tx.tenant().uuid())
    .bind(scopes)
    .bind(ids)
    .bind(but.map(ExecutionId::uuid))
    .fetch_all(tx.conn())
    .await?;
    let last: HashMap<(String, String), Timestamp> =
        rows.into_iter().map(|(scope, id, at)| ((scope, id), at.to_jiff())).collect();
    let of = |one: Cooldown| {
        let at = last.get(&(one.scope.word().to_owned(), one.scope_id.clone())).copied();
        (one, at)
    };
    Ok(cooldowns.into_iter().map(of).collect())
}

/// Keeps everybody else whose starts count against the same limits and cooldowns out until this
/// transaction ends.
///
/// # Errors
/// When the database cannot be asked.
pub(super) async fn lock(
    tx: &mut TenantTx,
    quotas: &[Quota],
    cooldowns: &[Cooldown],
) -> Result<(), Error> {
    let tenant = tx.tenant();
    let limited = quotas.iter().map(|quota| (quota.scope.word(), &quota.scope_id));
    let cooling = cooldowns
        .iter()
        .filter(|cooldown| cooldown.seconds > 0)
        .map(|cooldown| (cooldown.scope.word(), &cooldown.scope_id));
    let names: Vec<String> =
        limited.chain(cooling).map(|(scope, id)| format!("{tenant} {scope} {id}")).collect();
    // In the order of the locks' own numbers, so that no two wait for each other.
    sqlx::query(
        "SELECT pg_catalog.pg_advisory_xact_lock(ordered.key)
         FROM (
           SELECT DISTINCT pg_catalog.hashtextextended(name, 0) AS key
           FROM unnest($1::text[]) AS name
           ORDER BY key
         ) AS ordered",
    )
    .bind(names)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Counts a start. The caller holds [`lock`] and has seen every guard allow, in this transaction.
///
/// # Errors
/// When the database does not take it.
pub(super) async fn take_slot(
    tx: &mut TenantTx,
    proposal: &Proposal,
    execution: ExecutionId,
    at: Timestamp,
) -> Result<(), Error> {
    let (scopes, scope_ids): (Vec<&str>, Vec<String>) = counters(proposal).into_iter().unzip();
    let ids: Vec<Uuid> = scopes.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query(
        "INSERT INTO countersign.rate_slots (tenant_id, id, scope, scope_id, execution_id, taken_at)
         SELECT $1, counter.id, counter.scope, counter.scope_id, $5, $6
         FROM unnest($2::uuid[], $3::text[], $4::text[]) AS counter (id, scope, scope_id)
         ON CONFLICT ON CONSTRAINT rate_slots_once_key DO NOTHING",
    )
    .bind(tx.tenant().uuid())
    .bind(ids)
    .bind(scopes)
    .bind(scope_ids)
    .bind(execution.uuid())
    .bind(at.to_sqlx())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets an execution's cooldowns run from its end instead of its start.
///
/// # Errors
/// When the database does not take it.
pub async fn finish(tx: &mut TenantTx, execution: ExecutionId, at: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.rate_slots
         SET taken_at = greatest(taken_at, $3)
         WHERE tenant_id = $1 AND execution_id = $2
           AND scope IN ('trigger_target', 'runbook_target')",
    )
    .bind(tx.tenant().uuid())
    .bind(execution.uuid())
    .bind(at.to_sqlx())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets starts before `before`, at most 10,000 at a time, and says how many.
///
/// # Errors
/// When the database does not take it.
pub async fn forget(tx: &mut TenantTx, before: Timestamp) -> Result<u64, Error> {
    let forgotten = sqlx::query(
        "DELETE FROM countersign.rate_slots
         WHERE tenant_id = $1 AND id IN (
           SELECT s.id FROM countersign.rate_slots s
           WHERE s.tenant_id = $1 AND s.taken_at < $2
           LIMIT 10000
         )",
    )
    .bind(tx.tenant().uuid())
    .bind(before.to_sqlx())
    .execute(tx.conn())
    .await?;
    Ok(forgotten.rows_affected())
}

/// Limits, newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(tx: &mut TenantTx, page: &PageRequest) -> Result<Page<StoredLimit>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, scope, scope_id, count, window_seconds, enabled
         FROM countersign.rate_limits
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC
         LIMIT $3",
    )
    .bind(tx.tenant().uuid())
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    let limits = rows.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, Error>>()?;
    Ok(page.page(limits, |limit: &StoredLimit| Cursor::Id(limit.id.uuid())))
}

/// Writes a limit, new or changed: there is one a scope. Gives its id.
///
/// # Errors
/// [`Error::Invalid`] when the count or the window is 0, or the scope id does not fit the scope.
pub async fn save(
    tx: &mut TenantTx,
    quota: &Quota,
    enabled: Enabled,
) -> Result<RateLimitId, Error> {
    let bad =
        |path: &str, reason: &str| Error::Invalid { path: path.into(), reason: reason.into() };
    if quota.count == 0 {
        return Err(bad("/count", "must be at least 1; to stop everything, open a breaker"));
    }
    if quota.window_s == 0 {
        return Err(bad("/window_seconds", "must be at least 1"));
    }
    let fits = match quota.scope {
        RateScope::Tenant | RateScope::Global => quota.scope_id == quota.scope.word(),
        RateScope::Runbook => fits::<model::id::RunbookId>(&quota.scope_id),
        RateScope::Resource => fits::<model::id::ResourceId>(&quota.scope_id),
    };
    if !fits {
        return Err(bad("/scope_id", "must be an id of that scope, `*`, or the scope's own name"));
    }
    guards::change(tx).await?;
    let id: Uuid = sqlx::query_scalar(
        "INSERT INTO countersign.rate_limits AS l (tenant_id, id, scope, scope_id, count,
           window_seconds, enabled)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT ON CONSTRAINT rate_limits_scope_key DO UPDATE
         SET count = excluded.count,
             window_seconds = excluded.window_seconds,
             enabled = excluded.enabled,
             updated_at = clock_timestamp()
         RETURNING l.id",
    )
    .bind(tx.tenant().uuid())
    .bind(RateLimitId::generate().uuid())
    .bind(quota.scope.word())
    .bind(&quota.scope_id)
    .bind(small("/count", quota.count)?)
    .bind(small("/window_seconds", quota.window_s)?)
    .bind(enabled == Enabled::Yes)
    .fetch_one(tx.conn())
    .await?;
    executions::look_again(tx).await?;
    Ok(id.into())
}

/// Whether a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enabled {
    /// It does.
    Yes,
    /// It is kept for later.
    No,
}

/// Removes a limit.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(tx: &mut TenantTx, id: RateLimitId) -> Result<(), Error> {
    guards::change(tx).await?;
    let removed =
        sqlx::query("DELETE FROM countersign.rate_limits WHERE tenant_id = $1 AND id = $2")
            .bind(tx.tenant().uuid())
            .bind(id.uuid())
            .execute(tx.conn())
            .await?;
    if removed.rows_affected() == 0 {
        return Err(Error::NotFound { what: "rate limit", id: id.to_string() });
    }
    executions::look_again(tx).await
}

/// Ids are written one way, or the limit would never be found again.
fn fits<Id: std::str::FromStr + ToString>(scope_id: &str) -> bool {
    scope_id == "*" || scope_id.parse::<Id>().is_ok_and(|id| id.to_string() == scope_id)
}

/// What a start counts as, in one scope.
fn counted_by(scope: RateScope, proposal: &Proposal) -> Vec<String> {
    match scope {
        RateScope::Runbook => vec![proposal.runbook.to_string()],
        RateScope::Resource => {
            proposal.places.iter().map(|place| place.resource.to_string()).collect()
        }
        RateScope::Tenant | RateScope::Global => vec![scope.word().to_owned()],
    }
}

/// Everything a start counts as. It is counted whether or not there is a limit yet.
fn counters(proposal: &Proposal) -> Vec<(&'static str, String)> {
    let rates = RateScope::ALL.iter().flat_map(|scope| {
        counted_by(*scope, proposal).into_iter().map(|scope_id| (scope.word(), scope_id))
    });
    let cooldowns = Cooldown::all(proposal).into_iter().map(|one| (one.scope.word(), one.scope_id));
    let mut counters: Vec<_> = rates.chain(cooldowns).collect();
    counters.sort();
    counters.dedup();
    counters
}
