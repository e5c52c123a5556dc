//! Leaving: rows go out of the database, once they are in the store or need no copy.

use model::audit::Event;
use model::id::TenantId;
use uuid::Uuid;

use crate::error::Error;
use crate::pack::Lines;
use crate::run::Archiver;
use crate::store::candidates;
use crate::store::catalogue::{self, Piece};
use crate::store::copies;
use crate::store::rows::{self, HOLD, Hand};
use crate::subject::{ALL, Reach, Subject, named};

/// Whether the rows of a piece left the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Yes,
    /// A hold keeps them, or something refers to them.
    Kept,
    /// They are not those that were packed.
    Changed,
}

impl Archiver {
    /// Takes the rows of a stored piece out of the database, if they are still those that were
    /// packed.
    pub(crate) async fn take_out(&self, tenant: TenantId, piece: &Piece) -> Result<Left, Error> {
        let Some(subject) = named(&piece.subject) else { return Ok(Left::Kept) };
        let id = piece.archive_id();
        let mut tx = self.db.tenant(tenant).await?;
        let gone = match rows::of(&mut tx, subject, &piece.roots, Hand::Remove).await {
            Ok(gone) => gone,
            // A hold, or something that came meanwhile and refers to it: it stays for now.
            Err(db::Error::Invalid { constraint, .. }) => {
                let why = constraint.unwrap_or_default();
                let held = why == HOLD;
                tracing::info!(%tenant, archive = %id, why, held, "archived rows stay for now");
                return Ok(Left::Kept);
            }
            Err(error) => return Err(error.into()),
        };
        let count = gone.len();
        // Nothing left: it went with its month.
        if count > 0 && Lines::of(gone).digest() != piece.content_sha256()? {
            tx.rollback().await?;
            let mut tx = self.db.tenant(tenant).await?;
            catalogue::again(&mut tx, id).await?;
            tx.commit().await?;
            tracing::info!(%tenant, archive = %id, "rows changed since they were archived");
            return Ok(Left::Changed);
        }
        if !catalogue::removed(&mut tx, id).await? {
            return Ok(Left::Kept);
        }
        let rows = piece.row_count.unwrap_or_default();
        tx.audit(&self.event("archive.removed", piece).with("rows", rows)).await?;
        tx.commit().await?;
        Ok(Left::Yes)
    }

    /// Removes everything of a tenant that can be retired, whatever its age, without a copy; says
    /// how many rows that were. For a tenant that is closed.
    ///
    /// # Errors
    /// When a hold keeps something, or the database fails: what was removed until then is gone.
    pub async fn erase(&self, tenant: TenantId) -> Result<u64, Error> {
        let mut gone = 0;
        for subject in ALL {
            loop {
                let mut tx = self.db.tenant(tenant).await?;
                let some = candidates::any(&mut tx, subject).await?;
                tx.rollback().await?;
                if some.is_empty() {
                    break;
                }
                let everything = [Uuid::nil(), Uuid::max()];
                let roots = match subject.reach {
                    Reach::Months { .. } => everything.as_slice(),
                    Reach::Roots => some.as_slice(),
                };
                let rows = self.delete(tenant, subject, roots).await?;
                gone += rows;
                if rows == 0 {
                    break;
                }
            }
        }
        let mut tx = self.db.tenant(tenant).await?;
        copies::forget_all(&mut tx).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Deletes things that leave no copy.
    pub(crate) async fn delete(
        &self,
        tenant: TenantId,
        subject: &Subject,
        roots: &[Uuid],
    ) -> Result<u64, Error> {
        let mut tx = self.db.tenant(tenant).await?;
        let gone = match rows::of(&mut tx, subject, roots, Hand::Remove).await {
            Ok(gone) => gone,
            // A hold that came meanwhile, or something that refers to it: it stays for now.
            Err(db::Error::Invalid { constraint, .. }) => {
                let why = constraint.unwrap_or_default();
                tracing::info!(%tenant, subject = subject.name, why, "old things stay for now");
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        };
        let rows = u64::try_from(gone.len()).unwrap_or(u64::MAX);
        if rows == 0 {
            return Ok(0);
        }
        let event = Event::new(self.who.clone(), "retention.deleted", "retention", &subject.name)
            .from_origin(self.origin.clone())
            .with("things", roots.len())
            .with("rows", rows);
        tx.audit(&event).await?;
        tx.commit().await?;
        Ok(rows)
    }
}
