//! What somebody with all rights on the database could do: change a row of the audit log.

use anyhow::{Context as _, Result, bail};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

/// The statement, as it is shown.
pub(super) const ALTERATION: &str = "UPDATE countersign.audit_events\n\
     SET canon = convert_to(replace(convert_from(canon, 'UTF8'), 'grace', 'ada'), 'UTF8')\n\
     WHERE id = $1";

/// Makes an event of the log say that somebody else did it.
///
/// # Errors
/// When the database refuses, or there is no such event.
pub(super) async fn alter_event(admin_url: &str, event: Uuid) -> Result<()> {
    let mut connection = PgConnection::connect(admin_url).await.context("as the superuser")?;
    let altered = sqlx::query(
        "UPDATE countersign.audit_events
         SET canon = convert_to(replace(convert_from(canon, 'UTF8'), 'grace', 'ada'), 'UTF8')
         WHERE id = $1",
    )
    .bind(event)
    .execute(&mut connection)
    .await
    .context("the audit row cannot be altered")?;
    connection.close().await.ok();
    if altered.rows_affected() != 1 {
        bail!("{} rows were altered, not 1", altered.rows_affected());
    }
    Ok(())
}
