//! Circuit breakers, one row each. A runbook's exists from its first run, the others once
//! somebody sets one up.

use db::{Cursor, Page, PageRequest, TenantTx};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use model::Timestamp;
use model::audit::{Event as AuditEvent, Who};
use model::id::BreakerId;
use sqlx::FromRow;
use uuid::Uuid;

use super::{count, executions, guards, small};
use crate::breaker::{Breaker, BreakerScope, Event, Key, Settings, State};
use crate::error::Error;

/// Whether rows are kept from others until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Only read.
    Read,
    /// `FOR UPDATE`.
    Lock,
}

/// A breaker as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBreaker {
    /// Its id.
    pub id: BreakerId,
    /// Where it stands.
    pub breaker: Breaker,
    /// Failures it counted since the last success.
    pub failure_count: u32,
    /// Successes it counted on trial.
    pub success_count: u32,
    /// The last failure it was told of.
    pub last_failure_at: Option<Timestamp>,
    /// When it last opened.
    pub opened_at: Option<Timestamp>,
    /// When it was last put on trial.
    pub half_open_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    scope: String,
    scope_id: String,
    state: String,
    failure_count: i32,
    success_count: i32,
    last_failure_at: Option<SqlTimestamp>,
    opened_at: Option<SqlTimestamp>,
    half_open_at: Option<SqlTimestamp>,
    failure_threshold: i32,
    success_threshold: i32,
    reset_timeout_seconds: i32,
    current_timeout_seconds: i32,
    manual_reason: Option<String>,
    updated_at: SqlTimestamp,
}

impl TryFrom<Row> for StoredBreaker {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let scope: BreakerScope = row.scope.parse().map_err(Error::unreadable("breaker scope"))?;
        let since = |at: Option<SqlTimestamp>| {
            at.map(SqlTimestamp::to_jiff)
                .ok_or_else(|| Error::corrupt("breaker", &"it does not say since when"))
        };
        let timeout_s = count("breaker timeout", row.current_timeout_seconds)?;
        let state = match (row.state.as_str(), row.manual_reason) {
            ("closed", _) => State::Closed { failures: count("failures", row.failure_count)? },
            ("open", Some(reason)) => State::Held { since: since(row.opened_at)?, reason },
            ("open", None) => State::Open { since: since(row.opened_at)?, timeout_s },
            ("half_open", _) => State::HalfOpen {
                since: since(row.half_open_at)?,
                successes: count("successes", row.success_count)?,
                timeout_s,
            },
            (other, _) => return Err(Error::corrupt("breaker state", &other)),
        };
        let settings = Settings {
            failure_threshold: count("failure threshold", row.failure_threshold)?,
            success_threshold: count("success threshold", row.success_threshold)?,
            reset_timeout_s: count("reset timeout", row.reset_timeout_seconds)?,
        };
        Ok(Self {
            id: row.id.into(),
            breaker: Breaker { key: Key { scope, scope_id: row.scope_id }, settings, state },
            failure_count: count("failures", row.failure_count)?,
            success_count: count("successes", row.success_count)?,
            last_failure_at: row.last_failure_at.map(SqlTimestamp::to_jiff),
            opened_at: row.opened_at.map(SqlTimestamp::to_jiff),
            half_open_at: row.half_open_at.map(SqlTimestamp::to_jiff),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

/// The breakers with these keys that exist, in the order of their keys.
///
/// # Errors
/// When the database cannot be read.
pub async fn load(
    tx: &mut TenantTx,
    keys: &[Key],
    hold: Hold,
) -> Result<Vec<StoredBreaker>, Error> {
    let scopes: Vec<&str> = keys.iter().map(|key| key.scope.word()).collect();
    let ids: Vec<&str> = keys.iter().map(|key| key.scope_id.as_str()).collect();
    let query = match hold {
        Hold::Read => sqlx::query_as(
            "SELECT b.id, b.scope, b.scope_id, b.state, b.failure_count, b.success_count,
               b.last_failure_at, b.opened_at, b.half_open_at, b.failure_threshold,
               b.success_threshold, b.reset_timeout_seconds, b.current_timeout_seconds,
               b.manual_reason, b.updated_at
             FROM countersign.circuit_breakers b
             WHERE b.tenant_id = $1
               AND (b.scope, b.scope_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))
             ORDER BY b.scope, b.scope_id",
        ),
        Hold::Lock => sqlx::query_as(
            "SELECT b.id, b.scope, b.scope_id, b.state, b.failure_count, b.success_count,
               b.last_failure_at, b.opened_at, b.half_open_at, b.failure_threshold,
               b.success_threshold, b.reset_timeout_seconds, b.current_timeout_seconds,
               b.manual_reason, b.updated_at
             FROM countersign.circuit_breakers b
             WHERE b.tenant_id = $1
               AND (b.scope, b.scope_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))
             ORDER BY b.scope, b.scope_id
             FOR UPDATE OF b",
        ),
    };
    let rows: Vec<Row> =
        query.bind(tx.tenant().uuid()).bind(scopes).bind(ids).fetch_all(tx.conn()).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Breakers, newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(tx: &mut TenantTx, page: &PageRequest) -> Result<Page<StoredBreaker>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, scope, scope_id, state, failure_count, success_count, last_failure_at,
           opened_at, half_open_at, failure_threshold, success_threshold, reset_timeout_seconds,
           current_timeout_seconds, manual_reason, updated_at
         FROM countersign.circuit_breakers
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC
         LIMIT $3",
    )
    .bind(tx.tenant().uuid())
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    let breakers = rows.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, Error>>()?;
    Ok(page.page(breakers, |stored: &StoredBreaker| Cursor::Id(stored.id.uuid())))
}

/// Tells breakers that a run succeeded or failed, and gives those whose state changed.
///
/// The runbook's breaker is made if it is not there; the others are told if they exist.
///
/// # Errors
/// When the database does not take it.
pub async fn tell(
    tx: &mut TenantTx,
    keys: &[Key],
    event: &Event,
    who: &Who,
) -> Result<Vec<Breaker>, Error> {
    for key in keys.iter().filter(|key| key.scope == BreakerScope::Runbook) {
        ensure(tx, &Breaker::new(key.clone())).await?;
    }
    let stored = load(tx, keys, Hold::Lock).await?;
    let at = tx.now().await?;
    let mut changed = Vec::new();
    for before in stored {
        let word = before.breaker.state.word();
        let after = before.breaker.clone().on(event.clone(), at);
        if after == before.breaker && *event != Event::Failed {
            continue;
        }
        let failed_at = if *event == Event::Failed { Some(at) } else { before.last_failure_at };
        update(tx, before.id, &after, failed_at).await?;
        if after.state.word() != word {
            let action = format!("breaker.{}", after.state.word());
            let mut audit = AuditEvent::new(who.clone(), &action, "breaker", &before.id)
                .with("scope", after.key.scope.word())
                .with("scope_id", after.key.scope_id.clone())
                .with("from", word);
            if let State::Held { reason, .. } = &after.state {
                audit = audit.with("reason", reason.clone());
            }
            tx.audit(&audit).await?;
            changed.push(after);
        }
    }
    Ok(changed)
}

/// Opens or closes a breaker by hand, making it if it is not there.
///
/// # Errors
/// When the database does not take it.
pub async fn override_by_hand(
    tx: &mut TenantTx,
    key: &Key,
    event: &Event,
    who: &Who,
) -> Result<Vec<Breaker>, Error> {
    guards::change(tx).await?;
    ensure(tx, &Breaker::new(key.clone())).await?;
    executions::look_again(tx).await?;
    tell(tx, std::slice::from_ref(key), event, who).await
}

/// Sets when a breaker opens and closes, making it if it is not there.
///
/// # Errors
/// [`Error::Invalid`] when a number is 0 or too large.
pub async fn configure(tx: &mut TenantTx, key: &Key, settings: Settings) -> Result<(), Error> {
    for (path, number) in [
        ("/failure_threshold", settings.failure_threshold),
        ("/success_threshold", settings.success_threshold),
        ("/reset_timeout_seconds", settings.reset_timeout_s),
    ] {
        if number == 0 {
            return Err(Error::Invalid { path: path.into(), reason: "must be at least 1".into() });
        }
    }
    ensure(tx, &Breaker { settings, ..Breaker::new(key.clone()) }).await?;
    sqlx::query(
        "UPDATE countersign.circuit_breakers
         SET failure_threshold = $4,
             success_threshold = $5,
             reset_timeout_seconds = $6,
             updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND scope = $2 AND scope_id = $3",
    )
    .bind(tx.tenant().uuid())
    .bind(key.scope.word())
    .bind(&key.scope_id)
    .bind(small("/failure_threshold", settings.failure_threshold)?)
    .bind(small("/success_threshold", settings.success_threshold)?)
    .bind(small("/reset_timeout_seconds", settings.reset_timeout_s)?)
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn ensure(tx: &mut TenantTx, breaker: &Breaker) -> Result<(), Error> {
    let settings = breaker.settings;
    sqlx::query(
        "INSERT INTO countersign.circuit_breakers (tenant_id, id, scope, scope_id,
           failure_threshold, success_threshold, reset_timeout_seconds, current_timeout_seconds)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
         ON CONFLICT ON CONSTRAINT circuit_breakers_scope_key DO NOTHING",
    )
    .bind(tx.tenant().uuid())
    .bind(BreakerId::generate().uuid())
    .bind(breaker.key.scope.word())
    .bind(&breaker.key.scope_id)
    .bind(small("failure_threshold", settings.failure_threshold)?)
    .bind(small("success_threshold", settings.success_threshold)?)
    .bind(small("reset_timeout_seconds", settings.reset_timeout_s)?)
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn update(
    tx: &mut TenantTx,
    id: BreakerId,
    breaker: &Breaker,
    last_failure_at: Option<Timestamp>,
) -> Result<(), Error> {
    let (failures, successes) = match &breaker.state {
        State::Closed { failures } => (*failures, 0),
        State::HalfOpen { successes, .. } => (breaker.settings.failure_threshold, *successes),
        State::Open { .. } | State::Held { .. } => (breaker.settings.failure_threshold, 0),
    };
    let (opened_at, half_open_at, timeout_s, reason) = match &breaker.state {
        State::Closed { .. } => (None, None, breaker.settings.reset_timeout_s, None),
        State::Open { since, timeout_s } => (Some(*since), None, *timeout_s, None),
        State::Held { since, reason } => {
            (Some(*since), None, breaker.settings.reset_timeout_s, Some(reason.as_str()))
        }
        State::HalfOpen { since, timeout_s, .. } => (None, Some(*since), *timeout_s, None),
    };
    sqlx::query(
        "UPDATE countersign.circuit_breakers
         SET state = $3,
             failure_count = $4,
             success_count = $5,
             opened_at = COALESCE($6, opened_at),
             half_open_at = COALESCE($7, half_open_at),
             current_timeout_seconds = $8,
             manual_reason = $9,
             last_failure_at = $10,
             updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(breaker.state.word())
    .bind(small("failures", failures)?)
    .bind(small("successes", successes)?)
    .bind(opened_at.map(ToSqlx::to_sqlx))
    .bind(half_open_at.map(ToSqlx::to_sqlx))
    .bind(small("timeout", timeout_s)?)
    .bind(reason)
    .bind(last_failure_at.map(ToSqlx::to_sqlx))
    .execute(tx.conn())
    .await?;
    Ok(())
}
