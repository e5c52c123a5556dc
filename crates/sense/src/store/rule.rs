//! Alert rules in the database.

use db::TenantTx;
use model::id::AlertRuleId;
use sqlx::FromRow;
use uuid::Uuid;

use super::word;
use crate::alert::rule::Rule;

#[derive(FromRow)]
struct RuleRow {
    id: Uuid,
    name: String,
    priority: i32,
    alert_name_pattern: String,
    severity_pattern: String,
    action: String,
    enabled: bool,
}

impl RuleRow {
    fn rule(self) -> Result<Rule, db::Error> {
        Ok(Rule {
            id: self.id.into(),
            name: self.name,
            priority: self.priority,
            alert_name_pattern: self.alert_name_pattern,
            severity_pattern: self.severity_pattern,
            action: word(&self.action)?,
            enabled: self.enabled,
        })
    }
}

/// All rules, in the order they are asked.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<Rule>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<RuleRow> = sqlx::query_as(
        "SELECT id, name, priority, alert_name_pattern, severity_pattern, action, enabled
         FROM countersign.alert_rules
         WHERE tenant_id = $1
         ORDER BY priority, id",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(RuleRow::rule).collect()
}

/// One rule.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: AlertRuleId) -> Result<Rule, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: RuleRow = sqlx::query_as(
        "SELECT id, name, priority, alert_name_pattern, severity_pattern, action, enabled
         FROM countersign.alert_rules
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    row.rule()
}

/// Adds a rule.
///
/// # Errors
/// A conflict with `alert_rules_name_key` when the name is taken.
pub async fn insert(tx: &mut TenantTx, rule: &Rule) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.alert_rules
           (tenant_id, id, name, priority, alert_name_pattern, severity_pattern, action, enabled)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant)
    .bind(rule.id.uuid())
    .bind(&rule.name)
    .bind(rule.priority)
    .bind(&rule.alert_name_pattern)
    .bind(&rule.severity_pattern)
    .bind(rule.action.word())
    .bind(rule.enabled)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Replaces a rule.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id; a conflict when the name is taken.
pub async fn update(tx: &mut TenantTx, rule: &Rule) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let done = sqlx::query(
        "UPDATE countersign.alert_rules
         SET name = $3, priority = $4, alert_name_pattern = $5, severity_pattern = $6,
             action = $7, enabled = $8, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(rule.id.uuid())
    .bind(&rule.name)
    .bind(rule.priority)
    .bind(&rule.alert_name_pattern)
    .bind(&rule.severity_pattern)
    .bind(rule.action.word())
    .bind(rule.enabled)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}

/// Removes a rule; alerts it ruled on keep its id.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn delete(tx: &mut TenantTx, id: AlertRuleId) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let done = sqlx::query(
        "DELETE FROM countersign.alert_rules
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}
