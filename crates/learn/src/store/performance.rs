//! How models do day by day, in the database.

use db::{Error, TenantTx};
use jiff::civil::Date;
use jiff_sqlx::{Date as SqlDate, ToSqlx as _};
use model::id::{ModelId, PerformanceId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::training::metrics::Metrics;

/// Rows of features that are compared, of each side at most.
const MOST_ROWS: i64 = 5_000;

/// Whether a day of a version is told already.
///
/// # Errors
/// When the database fails.
pub async fn told(tx: &mut TenantTx, id: ModelId, day: Date) -> Result<bool, Error> {
    let day: SqlDate = day.to_sqlx();
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (
           SELECT 1 FROM countersign.ml_performance_metrics
           WHERE tenant_id = $1 AND ml_model_id = $2 AND evaluation_date = $3)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(day)
    .fetch_one(tx.conn())
    .await?)
}

/// What people labelled on a day of what a version had spoken about.
///
/// How likely it found each cause, by the last it said, and the label.
///
/// # Errors
/// When the database fails.
pub async fn labelled(
    tx: &mut TenantTx,
    id: ModelId,
    day: Date,
) -> Result<Vec<(Value, String)>, Error> {
    let day: SqlDate = day.to_sqlx();
    Ok(sqlx::query_as(
        "SELECT coalesce(p.prediction_result -> 'posteriors', '{}'), c.cause_category
         FROM countersign.cause_analyses c
         JOIN LATERAL (
           SELECT x.prediction_result
           FROM countersign.ml_predictions x
           WHERE x.tenant_id = $1 AND x.finding_id = c.finding_id AND x.ml_model_id = $2
           ORDER BY x.predicted_at DESC
           LIMIT 1) p ON true
         WHERE c.tenant_id = $1 AND c.decided_by ->> 'by' = 'person'
           AND c.labelled_at >= $3::date::timestamp AT TIME ZONE 'UTC'
           AND c.labelled_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'
         ORDER BY c.finding_id",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(day)
    .fetch_all(tx.conn())
    .await?)
}

/// The numbers a version looked at in its first week, and on a day.
///
/// Of this version of the list of features.
///
/// # Errors
/// When the database fails.
pub async fn seen(
    tx: &mut TenantTx,
    id: ModelId,
    day: Date,
    features: u32,
) -> Result<(Vec<Vec<f64>>, Vec<Vec<f64>>), Error> {
    let day: SqlDate = day.to_sqlx();
    let rows: Vec<(bool, Vec<f64>)> = sqlx::query_as(include_str!("performance/seen.sql"))
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .bind(day)
        .bind(i32::try_from(features).unwrap_or(i32::MAX))
        .bind(MOST_ROWS)
        .fetch_all(tx.conn())
        .await?;
    let (mut before, mut now) = (Vec::new(), Vec::new());
    for (first_week, row) in rows {
        if first_week { before.push(row) } else { now.push(row) }
    }
    Ok((before, now))
}

/// A day of a version.
#[derive(Debug, Clone)]
pub struct Day {
    /// How it did on what people labelled; nothing where they labelled nothing.
    pub metrics: Option<Metrics>,
    /// Whether accuracy fell too far.
    pub degraded: Option<bool>,
    /// The features that changed; nothing where there is too little to compare.
    pub shifted: Option<Value>,
}

/// Keeps a day of a version; what was told of it before is replaced.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &mut TenantTx, id: ModelId, date: Date, day: &Day) -> Result<(), Error> {
    let date: SqlDate = date.to_sqlx();
    let metrics = day.metrics.as_ref();
    sqlx::query(
        "INSERT INTO countersign.ml_performance_metrics (tenant_id, id, ml_model_id,
           evaluation_date, accuracy, precision_macro, recall_macro, f1_score_macro,
           confusion_matrix, labels, degraded, shifted_features)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT ON CONSTRAINT ml_performance_metrics_day_key DO UPDATE
         SET accuracy = excluded.accuracy, precision_macro = excluded.precision_macro,
           recall_macro = excluded.recall_macro, f1_score_macro = excluded.f1_score_macro,
           confusion_matrix = excluded.confusion_matrix, labels = excluded.labels,
           degraded = excluded.degraded, shifted_features = excluded.shifted_features",
    )
    .bind(tx.tenant().uuid())
    .bind(PerformanceId::generate().uuid())
    .bind(id.uuid())
    .bind(date)
    .bind(metrics.map(|one| one.accuracy))
    .bind(metrics.map(|one| one.precision_macro))
    .bind(metrics.map(|one| one.recall_macro))
    .bind(metrics.map(|one| one.f1_macro))
    .bind(metrics.map(|one| Json(&one.confusion_matrix)))
    .bind(metrics.map_or(0, |one| i32::try_from(one.n).unwrap_or(i32::MAX)))
    .bind(day.degraded)
    .bind(&day.shifted)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The accuracy a version was registered with.
///
/// # Errors
/// When the database fails.
pub async fn registered_accuracy(tx: &mut TenantTx, id: ModelId) -> Result<Option<f64>, Error> {
    let metrics: Option<Value> = sqlx::query_scalar(
        "SELECT metrics FROM countersign.ml_models WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(metrics.and_then(|metrics| metrics.get("accuracy")?.as_f64()))
}

/// Lets go of the files of all versions of a model but the last `kept` and the one that decides.
///
/// What is known of them stays. Gives the versions.
///
/// # Errors
/// When the database fails.
pub async fn drop_files(tx: &mut TenantTx, name: &str, kept: i64) -> Result<Vec<ModelId>, Error> {
    let gone: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE countersign.ml_models
         SET artifact = NULL, artifact_sha256 = NULL, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND NOT is_active AND artifact IS NOT NULL AND id IN (
           SELECT m.id FROM countersign.ml_models m
           WHERE m.tenant_id = $1 AND m.name = $2
           ORDER BY m.created_at DESC, m.id DESC
           OFFSET $3)
         RETURNING id",
    )
    .bind(tx.tenant().uuid())
    .bind(name)
    .bind(kept)
    .fetch_all(tx.conn())
    .await?;
    Ok(gone.into_iter().map(Into::into).collect())
}
