//! Bringing a copy of archived rows back for reading: never into the tables they came from.

use jiff::Timestamp;
use model::id::{ArchiveId, TenantId};

use crate::error::Error;
use crate::pack::{self, Damage};
use crate::run::Archiver;
use crate::store::copies;

/// A copy that is here for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// How many rows it has.
    pub rows: u64,
    /// Until when it stays.
    pub until: Timestamp,
}

impl Archiver {
    /// Brings a copy of a piece back, in place of an earlier copy. Its checksums are those that
    /// were recorded when it was stored, or nothing comes back.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the object that is not what was put there; [`Error::NotStored`]
    /// when nothing was put there yet; else when the database or the store fails.
    pub async fn restore(&self, tenant: TenantId, id: ArchiveId) -> Result<Restored, Error> {
        let piece = self.piece(tenant, id).await?;
        let expected = piece.row_count.and_then(|rows| u64::try_from(rows).ok());
        let (Some(expected), false) = (expected, piece.state == "planned") else {
            return Err(Error::NotStored { archive: id });
        };
        let key = piece.object_key.as_str();
        let (sha256, content) = (piece.sha256()?, piece.content_sha256()?);
        let lines = self.read_back(id, key, sha256, content).await?;
        let damaged = |damage| Error::Damaged { archive: id, key: key.to_owned(), damage };
        let rows = pack::rows(&lines).map_err(damaged)?;
        let found = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if found != expected {
            return Err(damaged(Damage::Count { expected, found }));
        }
        let mut tx = self.db.tenant(tenant).await?;
        let until = copies::write(&mut tx, id, &rows).await?;
        tx.audit(&self.event("archive.restored", &piece).with("rows", found)).await?;
        tx.commit().await?;
        Ok(Restored { rows: found, until })
    }

    /// Removes a copy.
    ///
    /// # Errors
    /// When there is no such piece, or the database fails.
    pub async fn forget(&self, tenant: TenantId, id: ArchiveId) -> Result<(), Error> {
        let piece = self.piece(tenant, id).await?;
        let mut tx = self.db.tenant(tenant).await?;
        if copies::forget(&mut tx, id).await? {
            tx.audit(&self.event("archive.copy_removed", &piece)).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
