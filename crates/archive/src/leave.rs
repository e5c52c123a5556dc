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

/// What became of rows that were to go.
enum Removed {
    /// So many went.
    Rows(u64),
    /// This constraint keeps them.
    Kept(String),
}

/// Things of a tenant that is closed that go in one transaction: a thing may have many rows.
const AT_ONCE: i64 = 100;

impl Archiver {
    /// Takes the rows of a stored piece out of the database, if they are still those that were
    /// packed.
    pub(crate) async fn take_out(&self, tenant: TenantId, piece: &Piece) -> Result<Left, Error> {
        let Some(subject) = named(&piece.subject) else { return Ok(Left::Kept) };
        let id = piece.archive_id();
        let mut tx = self.db.tenant(tenant).await?;
        let gone = match rows::of(&mut tx, subject, &piece.roots, Hand::Remove).await {
            Ok(gone) => gone,
            // A hold, or something that came meanwhile and refers to it: it stays until the next run.
            Err(db::Error::Invalid { constraint, .. }) => {
                let why = constraint.unwrap_or_default();
                let held = why == HOLD;
                tracing::info!(%tenant, archive = %id, why, held, "archived rows stay until the next run");
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
    /// how many rows that were. For a tenant that is closed. A part at a time, each for itself: a
    /// large tenant takes long, and what is done stays done.
    ///
    /// # Errors
    /// When something keeps a part ([`Error::Kept`]), or the database fails: what was removed until
    /// then is gone.
    pub async fn erase(&self, tenant: TenantId) -> Result<u64, Error> {
        let mut gone = 0;
        loop {
            let mut kept = None;
            let before = gone;
            for subject in ALL {
                gone += self.erase_all_of(tenant, subject, &mut kept).await?;
            }
            match kept {
                None => break,
                Some(kept) if gone == before => return Err(kept),
                // What went now may have been what kept the rest.
                Some(_) => {}
            }
        }
        let mut tx = self.db.tenant(tenant).await?;
        copies::forget_all(&mut tx).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Goes through all things of a kind once; says in `kept` what stays.
    async fn erase_all_of(
        &self,
        tenant: TenantId,
        subject: &'static Subject,
        kept: &mut Option<Error>,
    ) -> Result<u64, Error> {
        // Up to `alone` each goes for itself: one of them keeps the others.
        let (mut gone, mut after, mut alone) = (0, Uuid::nil(), Uuid::nil());
        loop {
            let most = if after < alone { 1 } else { AT_ONCE };
            let mut tx = self.db.tenant(tenant).await?;
            let some = candidates::any(&mut tx, subject, after, most).await?;
            tx.rollback().await?;
            let (Some(first), Some(last)) = (some.first(), some.last()) else { return Ok(gone) };
            let range = [*first, Uuid::from_u128(last.as_u128().saturating_add(1))];
            let roots = match subject.reach {
                Reach::Months { .. } => range.as_slice(),
                Reach::Roots => some.as_slice(),
            };
            match self.try_delete(tenant, subject, roots).await? {
                Removed::Rows(rows) => {
                    gone += rows;
                    after = *last;
                }
                Removed::Kept(_) if some.len() > 1 => alone = *last,
                Removed::Kept(why) => {
                    *kept = Some(Error::Kept { subject: subject.name, why });
                    after = *last;
                }
            }
        }
    }

    /// Deletes things that leave no copy; what something keeps stays until the next run.
    pub(crate) async fn delete(
        &self,
        tenant: TenantId,
        subject: &Subject,
        roots: &[Uuid],
    ) -> Result<u64, Error> {
        match self.try_delete(tenant, subject, roots).await? {
            Removed::Rows(rows) => Ok(rows),
            Removed::Kept(why) => {
                tracing::info!(%tenant, subject = subject.name, why, "old things stay until the next run");
                Ok(0)
            }
        }
    }

    async fn try_delete(
        &self,
        tenant: TenantId,
        subject: &Subject,
        roots: &[Uuid],
    ) -> Result<Removed, Error> {
        let mut tx = self.db.tenant(tenant).await?;
        let gone = match rows::of(&mut tx, subject, roots, Hand::Remove).await {
            Ok(gone) => gone,
            // A hold that came meanwhile, or something that refers to it.
            Err(db::Error::Invalid { constraint, .. }) => {
                return Ok(Removed::Kept(constraint.unwrap_or_default()));
            }
            Err(error) => return Err(error.into()),
        };
        let rows = u64::try_from(gone.len()).unwrap_or(u64::MAX);
        if rows == 0 {
            return Ok(Removed::Rows(0));
        }
        let event = Event::new(self.who.clone(), "retention.deleted", "retention", &subject.name)
            .from_origin(self.origin.clone())
            .with("things", roots.len())
            .with("rows", rows);
        tx.audit(&event).await?;
        tx.commit().await?;
        Ok(Removed::Rows(rows))
    }
}
