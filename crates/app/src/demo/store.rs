//! What somebody with all rights on the database could do: change a row of the audit log.

use anyhow::{Context as _, Result, bail};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

/// A lie: an event of the log is to say that somebody else did it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alteration<'a> {
    /// The event.
    pub(super) event: Uuid,
    /// Who did it.
    pub(super) from: &'a str,
    /// Who is to have done it.
    pub(super) to: &'a str,
}

impl Alteration<'_> {
    /// The statement, as somebody would type it.
    pub(super) fn shown(&self) -> String {
        let Self { event, from, to } = self;
        format!(
            "UPDATE countersign.audit_events\n\
             SET canon = convert_to(replace(convert_from(canon, 'UTF8'), '{from}', '{to}'), 'UTF8')\n\
             WHERE id = '{event}';"
        )
    }
}

/// Alters the event.
///
/// # Errors
/// When the database refuses, or there is nothing to alter.
pub(super) async fn alter(admin_url: &str, alteration: &Alteration<'_>) -> Result<()> {
    let mut connection = PgConnection::connect(admin_url).await.context("as the superuser")?;
    let altered = sqlx::query(
        "UPDATE countersign.audit_events
         SET canon = convert_to(replace(convert_from(canon, 'UTF8'), $2, $3), 'UTF8')
         WHERE id = $1 AND position($2 IN convert_from(canon, 'UTF8')) > 0",
    )
    .bind(alteration.event)
    .bind(alteration.from)
    .bind(alteration.to)
    .execute(&mut connection)
    .await
    .context("the audit row cannot be altered")?;
    connection.close().await.ok();
    if altered.rows_affected() != 1 {
        bail!("{} rows were altered, not 1", altered.rows_affected());
    }
    Ok(())
}
