//! How every kind of change went, by the classes of environments it was seen in.

use db::{Error, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::Timestamp;

use super::TrackRecord;

/// How one kind of change went in environments of one class, and when that was last learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The category it taught.
    pub category: String,
    /// The typed action.
    pub action: String,
    /// How it went.
    pub record: TrackRecord,
    /// When an outcome of it was last recorded.
    pub updated_at: Timestamp,
}

/// What [`track_record`](super::track_record) says of every kind of change there is an outcome of,
/// at most `most`, those that were seen last first.
///
/// # Errors
/// When the database is not available.
pub async fn every(
    tx: &mut TenantTx,
    category: Option<&str>,
    most: usize,
) -> Result<Vec<Recorded>, Error> {
    type Row = (String, String, String, i64, i64, SqlTimestamp);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT o.category, action, class, count(*) FILTER (WHERE o.success),
           count(*) FILTER (WHERE NOT o.success), max(o.recorded_at) AS updated_at
         FROM countersign.outcomes o,
           LATERAL (
             SELECT DISTINCT one FROM unnest(o.environment_classes) AS one) AS classes (class),
           LATERAL (SELECT DISTINCT one FROM unnest(o.actions) AS one) AS actions (action)
         WHERE o.tenant_id = $1 AND o.verified AND ($2::text IS NULL OR o.category = $2)
         GROUP BY o.category, action, class
         ORDER BY updated_at DESC, o.category, action, class
         LIMIT $3",
    )
    .bind(tx.tenant().uuid())
    .bind(category)
    .bind(i64::try_from(most).map_err(Error::internal)?)
    .fetch_all(tx.conn())
    .await?;
    let recorded = |(category, action, class, good, bad, updated_at): Row| {
        Ok(Recorded {
            category,
            action,
            record: TrackRecord {
                class: class.parse().map_err(Error::internal)?,
                successes: u64::try_from(good).unwrap_or_default(),
                failures: u64::try_from(bad).unwrap_or_default(),
            },
            updated_at: updated_at.to_jiff(),
        })
    };
    rows.into_iter().map(recorded).collect()
}
