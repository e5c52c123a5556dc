//! Partitions by month: made ahead, so that no row waits for one.

use crate::connect::Db;
use crate::error::Error;

/// Months made ahead of the present one.
const AHEAD: i32 = 3;

/// Makes what is missing; gives how many were made. Safe to repeat, also by several at once.
///
/// # Errors
/// When the database fails.
pub async fn make_ahead(db: &Db) -> Result<i32, Error> {
    let mut tx = db.across().await?;
    let made = sqlx::query_scalar("SELECT countersign.add_partitions($1)")
        .bind(AHEAD)
        .fetch_one(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(made)
}
