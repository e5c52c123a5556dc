//! Changes that cannot be made without an audit event.

use std::ops::{Deref, DerefMut};

use db::TenantTx;
use model::audit::Event;

use crate::caller::Caller;
use crate::problem::Answer;
use crate::state::App;

/// A transaction that changes something. The only way to commit it takes the event that says what.
#[must_use = "a change that is not committed is rolled back"]
pub struct Change<'a> {
    tx: TenantTx,
    caller: &'a Caller,
}

impl<'a> Change<'a> {
    /// Begins a change by `caller`, in the caller's tenant.
    ///
    /// # Errors
    /// When the database is not available.
    pub async fn begin(app: &App, caller: &'a Caller) -> Answer<Self> {
        Ok(Self { tx: app.db.tenant(caller.tenant()).await?, caller })
    }

    /// An event of this caller's about `kind` `id`, to be completed and given to [`Self::commit`].
    #[must_use]
    pub fn event(&self, action: &str, kind: &str, id: &dyn ToString) -> Event {
        Event::new(&self.caller.actor, action, kind, id).from_origin(self.caller.origin.clone())
    }

    /// Writes an event of what could not be done, in a transaction of its own: it stays, and this
    /// change need not.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub async fn note(&self, app: &App, event: &Event) -> Answer<()> {
        let mut tx = app.db.tenant(self.tx.tenant()).await?;
        tx.audit(event).await?;
        Ok(tx.commit().await?)
    }

    /// Writes the event and commits both.
    ///
    /// # Errors
    /// When the event cannot be written: then nothing is changed. When the connection breaks
    /// during the commit and nobody can say what came of it: then the problem says so.
    pub async fn commit(mut self, event: Event) -> Answer<()> {
        self.tx.audit(&event).await?;
        self.commit_audited(&[]).await
    }

    /// Commits a change whose store function wrote its events itself.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn commit_audited(mut self, _written: &[model::id::EventId]) -> Answer<()> {
        self.tx.write_out().await?;
        Ok(self.tx.commit().await?)
    }
}

impl Deref for Change<'_> {
    type Target = TenantTx;

    fn deref(&self) -> &TenantTx {
        &self.tx
    }
}

impl DerefMut for Change<'_> {
    fn deref_mut(&mut self) -> &mut TenantTx {
        &mut self.tx
    }
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change").field("tenant", &self.tx.tenant()).finish_non_exhaustive()
    }
}
