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
    // Looks in its tenant alone, by an index row-level security would not let it use.
    ("findings_like", "countersign_queue"),
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
    // Takes out what is archived, one tenant's rows at a time.
    ("retire", "countersign_retention"),
    ("month_archived", "countersign_retention"),
    ("drop_month", "countersign_owner"),
    ("audit_prune", "countersign_retention"),
    ("erase_person", "countersign_retention"),
    ("audit_bridge", "countersign_sequencer"),
    ("audit_witnessed", "countersign_sequencer"),
    ("audit_waiting_since", "countersign_sequencer"),
    ("audit_standing", "countersign_sequencer"),
    ("audit_uncosigned", "countersign_sequencer"),
];

/// The tables those roles may touch. Every other grant to them is a breach.
pub const ACROSS_TABLES: &[(&str, &str)] = &[
    ("tenants", "countersign_queue"),
    ("api_keys", "countersign_queue"),
    ("user_sessions", "countersign_queue"),
    ("executions", "countersign_queue"),
    ("jobs", "countersign_queue"),
    ("findings", "countersign_queue"),
    ("tenants", "countersign_sequencer"),
    ("audit_epoch", "countersign_sequencer"),
    ("audit_outbox", "countersign_sequencer"),
    ("audit_heads", "countersign_sequencer"),
    ("audit_events", "countersign_sequencer"),
    ("audit_quarantine", "countersign_sequencer"),
    ("audit_checkpoints", "countersign_sequencer"),
    ("alerts", "countersign_retention"),
    ("violations", "countersign_retention"),
    ("drift_changes", "countersign_retention"),
    ("drift_events", "countersign_retention"),
    ("cause_analyses", "countersign_retention"),
    ("correlations", "countersign_retention"),
    ("operational_context", "countersign_retention"),
    ("ml_predictions", "countersign_retention"),
    ("recommendations", "countersign_retention"),
    ("notifications", "countersign_retention"),
    ("findings", "countersign_retention"),
    ("quarantined_alerts", "countersign_retention"),
    ("context_snapshots", "countersign_retention"),
    ("tool_calls", "countersign_retention"),
    ("evidence", "countersign_retention"),
    ("attempts", "countersign_retention"),
    ("execution_events", "countersign_retention"),
    ("step_runs", "countersign_retention"),
    ("outcomes", "countersign_retention"),
    ("executions", "countersign_retention"),
    ("approval_votes", "countersign_retention"),
    ("approvals", "countersign_retention"),
    ("decisions", "countersign_retention"),
    ("risk_assessments", "countersign_retention"),
    ("plan_steps", "countersign_retention"),
    ("plans", "countersign_retention"),
    ("intents", "countersign_retention"),
    ("exceptions", "countersign_retention"),
    ("terminal_sessions", "countersign_retention"),
    ("cost_timeseries", "countersign_retention"),
    ("ml_performance_metrics", "countersign_retention"),
    ("ml_models", "countersign_retention"),
    ("chat_messages", "countersign_retention"),
    ("chat_sessions", "countersign_retention"),
    ("usage_logs", "countersign_retention"),
    ("legal_holds", "countersign_retention"),
    ("archives", "countersign_retention"),
    ("audit_events", "countersign_retention"),
    ("audit_heads", "countersign_retention"),
    ("audit_personal", "countersign_retention"),
    ("users", "countersign_retention"),
    ("audit_gaps", "countersign_sequencer"),
];

/// Columns that hold secrets, or what stands for one, and the role that may read each beside the
/// application; none where the name is empty.
pub const SECRETS: &[(&str, &str, &str)] = &[
    ("users", "password_hash", ""),
    ("user_sessions", "token_hash", "countersign_queue"),
    ("api_keys", "key_hash", "countersign_queue"),
    ("idempotency_keys", "response", ""),
    ("credentials", "ciphertext", ""),
    ("oidc_logins", "state_hash", ""),
    ("oidc_logins", "browser_hash", ""),
    ("second_factors", "ciphertext", ""),
    ("recovery_codes", "code_hash", ""),
    ("invitations", "token_hash", ""),
    ("tenant_keys", "wrapped", ""),
    ("one_time_secrets", "ciphertext", ""),
    ("audit_outbox", "canon", "countersign_sequencer"),
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
    let secret = |part: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        SECRETS.iter().map(part).collect::<Vec<_>>()
    };
    Ok(sqlx::query_as(include_str!("catalogue/tables.sql"))
        .bind(names)
        .bind(roles)
        .bind(secret(|one| one.0))
        .bind(secret(|one| one.1))
        .bind(secret(|one| one.2))
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
