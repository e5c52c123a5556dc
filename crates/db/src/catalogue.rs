//! The catalogue gate: the wall between tenants, read from the database's own catalogue.
//!
//! It holds for every table there is, so a migration that forgets row-level security, or a hand
//! that widens a grant, is found without anybody having thought of that table.

use sqlx::PgConnection;

use crate::error::Error;

/// The functions that may look across tenants, each with the role that owns it.
pub const ACROSS_TENANTS: &[(&str, &str)] = &[
    ("find_api_key", "countersign_queue"),
    ("find_session", "countersign_queue"),
    ("find_tenant", "countersign_queue"),
    ("active_tenants", "countersign_queue"),
    ("claim_execution", "countersign_queue"),
    ("claim_job", "countersign_queue"),
    ("audit_lead", "countersign_sequencer"),
    ("audit_pending", "countersign_sequencer"),
    ("audit_unsigned", "countersign_sequencer"),
    ("audit_take", "countersign_sequencer"),
    ("audit_lock_head", "countersign_sequencer"),
    ("audit_append", "countersign_sequencer"),
    ("audit_reject", "countersign_sequencer"),
    ("audit_record_checkpoint", "countersign_sequencer"),
    // Makes the coming months' partitions: the application may create nothing itself.
    ("add_partitions", "countersign_owner"),
];

/// The tables those roles may touch. Every other grant to them is a breach.
pub const ACROSS_TABLES: &[(&str, &str)] = &[
    ("tenants", "countersign_queue"),
    ("api_keys", "countersign_queue"),
    ("user_sessions", "countersign_queue"),
    ("executions", "countersign_queue"),
    ("jobs", "countersign_queue"),
    ("tenants", "countersign_sequencer"),
    ("audit_epoch", "countersign_sequencer"),
    ("audit_outbox", "countersign_sequencer"),
    ("audit_heads", "countersign_sequencer"),
    ("audit_events", "countersign_sequencer"),
    ("audit_quarantine", "countersign_sequencer"),
    ("audit_checkpoints", "countersign_sequencer"),
];

/// A hole in the wall.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Breach {
    /// The table, view, function or role.
    pub object: String,
    /// What is wrong with it.
    pub fault: String,
}

/// Every hole, in order of object; none is what a migrated database must give.
///
/// # Errors
/// When the catalogue cannot be read.
pub async fn breaches(connection: &mut PgConnection) -> Result<Vec<Breach>, Error> {
    let mut found = tables(connection).await?;
    found.extend(code_and_roles(connection).await?);
    found.sort();
    Ok(found)
}

async fn tables(connection: &mut PgConnection) -> Result<Vec<Breach>, Error> {
    let (names, roles) = columns(ACROSS_TABLES);
    Ok(sqlx::query_as(include_str!("catalogue/tables.sql"))
        .bind(names)
        .bind(roles)
        .fetch_all(connection)
        .await?)
}

async fn code_and_roles(connection: &mut PgConnection) -> Result<Vec<Breach>, Error> {
    let (names, roles) = columns(ACROSS_TENANTS);
    Ok(sqlx::query_as(include_str!("catalogue/code.sql"))
        .bind(names)
        .bind(roles)
        .fetch_all(connection)
        .await?)
}

fn columns(pairs: &'static [(&str, &str)]) -> (Vec<&'static str>, Vec<&'static str>) {
    pairs.iter().copied().unzip()
}
