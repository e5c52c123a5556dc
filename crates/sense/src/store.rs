//! What the database keeps of findings, alerts, rules, sources and the estate.

pub mod alert_source;
pub mod around;
pub mod change_event;
pub mod connection;
pub mod credential;
pub mod declared;
pub mod detail;
pub mod finding;
pub mod ignore;
pub mod ingest;
pub mod once;
pub mod quarantine;
pub mod remediation;
pub mod report;
pub mod resource;
pub mod rotation;
pub mod rule;
pub mod scan;
pub mod sealed;
pub mod target;
pub mod tenant_key;
#[cfg(test)]
mod tests;

/// A word the database keeps, as the type it stands for.
fn word<T>(text: &str) -> Result<T, db::Error>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(db::Error::internal)
}

/// An instant the database may hold none of.
fn instant(at: Option<jiff_sqlx::Timestamp>) -> Option<model::Timestamp> {
    at.map(jiff_sqlx::Timestamp::to_jiff)
}
