//! Legal holds.

use db::{Cursor, Error, Page, PageRequest, TenantTx};
use model::id::{ActorId, HoldId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::rule::{Class, Holds};

/// A hold, in force or lifted.
#[derive(Debug, Clone, FromRow)]
pub struct Hold {
    /// Its id.
    pub id: Uuid,
    /// What it keeps; everything when none.
    pub class: Option<String>,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub set_by: Uuid,
    /// When.
    pub set_at: jiff_sqlx::Timestamp,
    /// Who lifted it.
    pub lifted_by: Option<Uuid>,
    /// When.
    pub lifted_at: Option<jiff_sqlx::Timestamp>,
    /// Why.
    pub lift_reason: Option<String>,
}

/// The holds in force.
///
/// # Errors
/// When they cannot be read.
pub async fn in_force(tx: &mut TenantTx) -> Result<Holds, Error> {
    let tenant = tx.tenant().uuid();
    let classes: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT class FROM countersign.legal_holds WHERE tenant_id = $1 AND lifted_at IS NULL",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    let classes = classes
        .into_iter()
        .map(|class| class.map(|class| class.parse::<Class>()).transpose())
        .collect::<Result<_, _>>()
        .map_err(Error::internal)?;
    Ok(Holds::of(classes))
}

/// Sets a hold. It is in force with the commit: whatever was being removed is gone by then, and
/// nothing is removed afterwards.
///
/// # Errors
/// When it cannot be written, or a removal does not end in time.
pub async fn set(
    tx: &mut TenantTx,
    class: Option<Class>,
    reason: &str,
    by: ActorId,
) -> Result<HoldId, Error> {
    let tenant = tx.tenant().uuid();
    let id = HoldId::generate();
    sqlx::query("SELECT pg_advisory_xact_lock(countersign.hold_lock($1))")
        .bind(tenant)
        .execute(tx.conn())
        .await?;
    sqlx::query(
        "INSERT INTO countersign.legal_holds (tenant_id, id, class, reason, set_by)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(class.map(Class::word))
    .bind(reason)
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// Lifts a hold. Says whether it was in force.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn lift(tx: &mut TenantTx, id: HoldId, reason: &str, by: ActorId) -> Result<bool, Error> {
    let tenant = tx.tenant().uuid();
    let lifted = sqlx::query(
        "UPDATE countersign.legal_holds
         SET lifted_by = $3, lifted_at = clock_timestamp(), lift_reason = $4
         WHERE tenant_id = $1 AND id = $2 AND lifted_at IS NULL",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(by.uuid())
    .bind(reason)
    .execute(tx.conn())
    .await?;
    if lifted.rows_affected() == 0 {
        one(tx, id).await?;
        return Ok(false);
    }
    Ok(true)
}

/// A hold.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn one(tx: &mut TenantTx, id: HoldId) -> Result<Hold, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_as(
        "SELECT id, class, reason, set_by, set_at, lifted_by, lifted_at, lift_reason
         FROM countersign.legal_holds
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?)
}

/// A page of holds, newest first.
///
/// # Errors
/// When they cannot be read.
pub async fn list(tx: &mut TenantTx, page: &PageRequest) -> Result<Page<Hold>, Error> {
    let tenant = tx.tenant().uuid();
    let rows = sqlx::query_as(
        "SELECT id, class, reason, set_by, set_at, lifted_by, lifted_at, lift_reason
         FROM countersign.legal_holds
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC
         LIMIT $3",
    )
    .bind(tenant)
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    Ok(page.page(rows, |last: &Hold| Cursor::Id(last.id)))
}
