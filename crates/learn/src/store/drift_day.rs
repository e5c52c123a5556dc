//! Drift day by day: counted from the findings, kept when they are gone, and summed up from there.

use db::{Error, TenantTx};
use jiff::civil::Date;
use jiff_sqlx::{Date as SqlDate, ToSqlx as _};
use model::id::EnvironmentId;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

/// Counts the days again that can still change.
///
/// Those are today, yesterday, and what was missed since it was counted last, a quarter of a year at
/// most. Days that come out the same are not written. Gives how many were.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &mut TenantTx) -> Result<u64, Error> {
    let tenant = tx.tenant().uuid();
    let counted =
        sqlx::query(include_str!("drift_day/count.sql")).bind(tenant).execute(tx.conn()).await?;
    Ok(counted.rows_affected())
}

/// Days summed up.
#[derive(Debug, Clone, FromRow)]
pub struct Summary {
    /// Found.
    pub total_drifts: i64,
    /// Put right.
    pub resolved_drifts: i64,
    /// How long that took on average, in seconds.
    pub avg_resolution_time: Option<f64>,
    /// How many of each cause.
    pub top_cause_categories: Value,
    /// How many of each severity.
    pub severity_distribution: Value,
    /// Share of recommendations that were followed, by what was found.
    pub recommendation_adoption_rate: Option<f64>,
    /// The same figures, day by day: `date`, `total_drifts`, `resolved_drifts`.
    pub days: Value,
}

/// Sums up the days from one to another, of one environment or of all.
///
/// # Errors
/// When the database fails.
pub async fn summary(
    tx: &mut TenantTx,
    environment: Option<EnvironmentId>,
    (from, to): (Date, Date),
) -> Result<Summary, Error> {
    let tenant = tx.tenant().uuid();
    let (from, to): (SqlDate, SqlDate) = (from.to_sqlx(), to.to_sqlx());
    let environment: Option<Uuid> = environment.map(EnvironmentId::uuid);
    Ok(sqlx::query_as(include_str!("drift_day/summary.sql"))
        .bind(tenant)
        .bind(environment)
        .bind(from)
        .bind(to)
        .fetch_one(tx.conn())
        .await?)
}
