//! The signed log's way to the archive. What leaves and when is the log's own rule; here its events
//! are packed, put into the store and recorded as everything else is.

use db::TenantTx;
use jiff::Timestamp;
use model::audit::Event;
use model::id::TenantId;

use crate::error::Error;
use crate::pack::Lines;
use crate::rule::Class;
use crate::run::Archiver;
use crate::store::catalogue::{self, Extent, Piece};
use crate::store::{holds, rows, rules};
use crate::subject::AUDIT;

/// Events in one piece at most, in whole bundles of 256.
pub const MOST: u64 = 40 * 256;

/// What is decided about a tenant's log by now.
#[derive(Debug)]
pub struct Terms {
    /// Events before this moment may go; none while a hold keeps them.
    pub cutoff: Option<Timestamp>,
    /// The pieces that are not finished, oldest first.
    pub pieces: Vec<Piece>,
}

/// What is decided about the tenant's log.
///
/// # Errors
/// When the database fails.
pub async fn terms(tx: &mut TenantTx) -> Result<Terms, Error> {
    let now = tx.now().await?;
    let held = holds::in_force(tx).await?.keep(Class::Audit);
    let cutoff = rules::read(tx).await?.cutoff(Class::Audit, now);
    let pieces = catalogue::unfinished(tx).await?;
    let pieces = pieces.into_iter().filter(|piece| piece.subject == AUDIT.name).collect();
    Ok(Terms { cutoff: (!held).then_some(cutoff), pieces })
}

impl Archiver {
    /// Begins a piece of these places of the log, the last excluded.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_log(&self, tenant: TenantId, from: u64, end: u64) -> Result<Piece, Error> {
        let place = |place: u64| i64::try_from(place).map_err(db::Error::internal);
        let id = self.begin(tenant, &AUDIT, Extent::Log(place(from)?, place(end)?)).await?;
        self.piece(tenant, id).await
    }

    /// Puts a piece of the log into the store; with the record of it goes the event that says that
    /// the log begins later from then on.
    ///
    /// # Errors
    /// As [`Archiver::put`].
    pub async fn put_log(
        &self,
        tenant: TenantId,
        piece: &Piece,
        said: Event,
    ) -> Result<u64, Error> {
        let said = said.from_origin(self.origin.clone());
        self.put(tenant, piece, &[said]).await
    }

    /// Records, within the transaction that takes them out, that the events of a piece left the
    /// database: only if they are those that were packed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn took_out_log(&self, tx: &mut TenantTx, piece: &Piece) -> Result<(), Error> {
        catalogue::removed(tx, piece.archive_id()).await?;
        let rows = piece.row_count.unwrap_or_default();
        tx.audit(&self.event("archive.removed", piece).with("rows", rows)).await?;
        Ok(())
    }
}

/// Whether the events of a stored piece are still those that were packed.
///
/// # Errors
/// When they cannot be read.
pub async fn unchanged(tx: &mut TenantTx, piece: &Piece) -> Result<bool, Error> {
    let (Some(first), Some(end)) = (piece.first_seq, piece.end_seq) else { return Ok(false) };
    let here = rows::of_log(tx, first, end).await?;
    Ok(Lines::of(here).digest() == piece.content_sha256()?)
}

/// The places of a piece of the log.
#[must_use]
pub fn places(piece: &Piece) -> Option<(u64, u64)> {
    let place = |seq: Option<i64>| seq.and_then(|seq| u64::try_from(seq).ok());
    place(piece.first_seq).zip(place(piece.end_seq))
}
