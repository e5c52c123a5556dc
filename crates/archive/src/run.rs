//! Taking things to the archive: begun in the catalogue, put into the store, read back, recorded,
//! and only then taken out of the database.
//!
//! Each step is one transaction or one object, and says in the catalogue that it is done. Whoever
//! is killed in between leaves a piece that the next run finds and finishes: a planned piece is
//! packed anew under the same key, of a stored one the rows leave if they are still those that were
//! packed.

use std::collections::BTreeSet;
use std::sync::Arc;

use db::{Db, TenantTx};
use jiff::Timestamp;
use model::audit::{Event, Origin, Who};
use model::id::{ArchiveId, TenantId};
use model::objects::Objects;
use uuid::Uuid;

use crate::error::Error;
use crate::leave::Left;
use crate::plan::{Plan, end_of_month, end_of_months};
use crate::rule::{Holds, Rules};
use crate::store::candidates::{self, Among, PAGE};
use crate::store::catalogue::{self, Extent, Piece};
use crate::store::{copies, holds, rules};
use crate::subject::{ALL, AUDIT, BY_MONTH, Disposal, Reach, Subject, named};

/// The name under which one process archives at a time.
pub const LEADER: &str = "archive";

/// How much goes into one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Things, with all that belongs to each.
    pub roots: usize,
    /// Rows of a month.
    pub rows: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { roots: 200, rows: 20_000 }
    }
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Pieces put into the store.
    pub stored: u64,
    /// Rows in them.
    pub rows: u64,
    /// Pieces whose rows left the database.
    pub removed: u64,
    /// Rows that were deleted without a copy.
    pub deleted: u64,
    /// Months of tables that were dropped as one.
    pub months: u64,
}

impl Done {
    /// Adds what another part did.
    pub const fn add(&mut self, other: Self) {
        self.stored += other.stored;
        self.rows += other.rows;
        self.removed += other.removed;
        self.deleted += other.deleted;
        self.months += other.months;
    }
}

/// Who archives, and where to.
#[derive(Debug, Clone)]
pub struct Archiver {
    /// The database.
    pub db: Db,
    /// The store.
    pub objects: Arc<dyn Objects>,
    /// In whose name events are written.
    pub who: Who,
    /// Where the request came from.
    pub origin: Origin,
    /// How much goes into one piece.
    pub limits: Limits,
}

/// What is decided for a tenant by now.
struct Terms {
    rules: Rules,
    holds: Holds,
    now: Timestamp,
}

impl Terms {
    async fn read(tx: &mut TenantTx) -> Result<Self, Error> {
        let now = tx.now().await?;
        Ok(Self { rules: rules::read(tx).await?, holds: holds::in_force(tx).await?, now })
    }

    /// What may go of these.
    async fn look(
        &self,
        tx: &mut TenantTx,
        subject: &Subject,
        among: Among<'_>,
    ) -> Result<(Plan, Option<Uuid>), Error> {
        let began_before = self.rules.cutoff(subject.class, self.now);
        let found = candidates::page(tx, subject, began_before, among).await?;
        let full = i64::try_from(found.len()).is_ok_and(|found| found >= PAGE);
        let next = found.last().filter(|_| full).map(|last| last.id);
        Ok((Plan::of(subject, &self.rules, &self.holds, self.now, &found), next))
    }
}

/// What would go of each kind, and why the rest stays. Months are decided as a whole.
///
/// # Errors
/// When the database fails.
pub async fn preview(tx: &mut TenantTx) -> Result<Vec<(&'static Subject, Plan)>, Error> {
    let terms = Terms::read(tx).await?;
    let mut plans = Vec::new();
    for subject in ALL.iter().filter(|subject| subject.reach == Reach::Roots) {
        let (mut plan, mut after) = (Plan::default(), Some(Uuid::nil()));
        while let Some(from) = after {
            let (part, next) = terms.look(tx, subject, Among::After(from)).await?;
            plan.add(part);
            after = next;
        }
        plans.push((subject, plan));
    }
    Ok(plans)
}

impl Archiver {
    /// One as nobody in particular, with the usual limits.
    #[must_use]
    pub fn new(db: Db, objects: Arc<dyn Objects>) -> Self {
        let (who, origin, limits) = (Who::service(), Origin::default(), Limits::default());
        Self { db, objects, who, origin, limits }
    }

    /// Everything of one tenant whose time is over.
    ///
    /// # Errors
    /// When the database or the store fails: what was done until then is done.
    pub async fn tenant(&self, tenant: TenantId) -> Result<Done, Error> {
        let mut done = self.store(tenant).await?;
        done.add(self.remove(tenant).await?);
        Ok(done)
    }

    /// Everything of all these tenants: their months are archived first, so that a month that is
    /// archived by all of them is dropped as one. One tenant's trouble does not keep the others.
    ///
    /// # Errors
    /// When no month can be looked at.
    pub async fn everyone(&self, tenants: &[TenantId]) -> Result<Done, Error> {
        let mut done = Done::default();
        for tenant in tenants {
            match self.store(*tenant).await {
                Ok(more) => done.add(more),
                Err(error) => tell(*tenant, &error),
            }
        }
        done.months += self.drop_months().await?;
        for tenant in tenants {
            match self.remove(*tenant).await {
                Ok(more) => done.add(more),
                Err(error) => tell(*tenant, &error),
            }
        }
        // What left row by row may have left a month empty.
        done.months += self.drop_months().await?;
        Ok(done)
    }

    /// Puts into the store what may go. Things leave the database at once; months wait, as they may
    /// go as one.
    ///
    /// # Errors
    /// As [`Archiver::tenant`].
    pub async fn store(&self, tenant: TenantId) -> Result<Done, Error> {
        let mut done = Done::default();
        self.finish(tenant, &mut done).await?;
        for subject in ALL {
            match (subject.reach, subject.disposal) {
                (Reach::Months { table }, _) => {
                    self.store_months(tenant, subject, table, &mut done).await?;
                }
                (Reach::Roots, Disposal::Archive) => {
                    self.each_chunk(tenant, subject, &mut done, Chunk::Archive).await?;
                }
                (Reach::Roots, Disposal::Delete) => {
                    self.each_chunk(tenant, subject, &mut done, Chunk::Delete).await?;
                }
            }
        }
        Ok(done)
    }

    /// Takes out what is stored and still here, and copies whose time is over.
    ///
    /// # Errors
    /// As [`Archiver::tenant`].
    pub async fn remove(&self, tenant: TenantId) -> Result<Done, Error> {
        let mut done = Done::default();
        for piece in self.unfinished(tenant).await? {
            if let Some(subject) = named(&piece.subject).filter(|_| piece.state == "stored") {
                self.see_through(tenant, subject, piece, &mut done).await?;
            }
        }
        let mut tx = self.db.tenant(tenant).await?;
        copies::forget_old(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Drops the months that are archived by everybody, or empty.
    async fn drop_months(&self) -> Result<u64, Error> {
        let mut tx = self.db.across().await?;
        let months = candidates::months(&mut tx).await?;
        tx.commit().await?;
        let mut dropped = 0;
        for (table, first_day) in months {
            if !BY_MONTH.contains(&table.as_str()) {
                continue;
            }
            let mut tx = self.db.across().await?;
            // A table in use is left for the next time.
            match candidates::drop_month(&mut tx, &table, &first_day).await {
                Ok(true) => {
                    tx.commit().await?;
                    tracing::info!(table, month = first_day, "a month of a table was dropped");
                    dropped += 1;
                }
                Ok(false) => tx.commit().await?,
                Err(error) => {
                    tracing::warn!(table, month = first_day, %error, "a month was not dropped");
                }
            }
        }
        Ok(dropped)
    }

    async fn unfinished(&self, tenant: TenantId) -> Result<Vec<Piece>, Error> {
        let mut tx = self.db.tenant(tenant).await?;
        let pieces = catalogue::unfinished(&mut tx).await?;
        tx.rollback().await?;
        // The log has rules of its own.
        Ok(pieces.into_iter().filter(|piece| piece.subject != AUDIT.name).collect())
    }

    /// Finishes what an earlier run was killed over.
    async fn finish(&self, tenant: TenantId, done: &mut Done) -> Result<(), Error> {
        for piece in self.unfinished(tenant).await? {
            let Some(subject) = named(&piece.subject) else { continue };
            match subject.reach {
                Reach::Roots => self.see_through(tenant, subject, piece, done).await?,
                Reach::Months { .. } if piece.state == "planned" => {
                    let mut piece = piece;
                    if self.still_due(tenant, subject, &mut piece).await? {
                        done.rows += self.put(tenant, &piece, &[]).await?;
                        done.stored += 1;
                    }
                }
                Reach::Months { .. } => {}
            }
        }
        Ok(())
    }

    /// Takes a piece from where it is to its end. What changed between packing and removing is
    /// looked at and packed once more.
    async fn see_through(
        &self,
        tenant: TenantId,
        subject: &Subject,
        mut piece: Piece,
        done: &mut Done,
    ) -> Result<(), Error> {
        for _ in 0..2 {
            if piece.state == "planned" {
                if !self.still_due(tenant, subject, &mut piece).await? {
                    return Ok(());
                }
                done.rows += self.put(tenant, &piece, &[]).await?;
                done.stored += 1;
                piece = self.piece(tenant, piece.archive_id()).await?;
            }
            match self.take_out(tenant, &piece).await? {
                Left::Yes => {
                    done.removed += 1;
                    return Ok(());
                }
                Left::Kept => return Ok(()),
                Left::Changed => piece = self.piece(tenant, piece.archive_id()).await?,
            }
        }
        Ok(())
    }

    /// Whether a planned piece still has something to hold: rules, holds and things may have
    /// changed since. It then holds what may still go.
    async fn still_due(
        &self,
        tenant: TenantId,
        subject: &Subject,
        piece: &mut Piece,
    ) -> Result<bool, Error> {
        let mut tx = self.db.tenant(tenant).await?;
        let terms = Terms::read(&mut tx).await?;
        let due = match subject.reach {
            Reach::Roots => {
                let (plan, _) = terms.look(&mut tx, subject, Among::These(&piece.roots)).await?;
                plan.go
            }
            Reach::Months { .. } => {
                let end = end_of_months(subject, &terms.rules, terms.now);
                let over = piece.roots.last().is_some_and(|last| made_at(*last) <= end);
                if over && !terms.holds.keep(subject.class) {
                    piece.roots.clone()
                } else {
                    Vec::new()
                }
            }
        };
        if due.is_empty() {
            catalogue::abandon(&mut tx, piece.archive_id()).await?;
        } else if due != piece.roots {
            catalogue::narrow(&mut tx, piece.archive_id(), &due).await?;
        }
        tx.commit().await?;
        piece.roots = due;
        Ok(!piece.roots.is_empty())
    }

    async fn store_months(
        &self,
        tenant: TenantId,
        subject: &Subject,
        table: &'static str,
        done: &mut Done,
    ) -> Result<(), Error> {
        let pieces = self.unfinished(tenant).await?;
        let waiting = pieces.iter().filter(|piece| piece.subject == subject.name);
        let mut from = waiting.filter_map(|piece| piece.roots.last().copied()).max();
        loop {
            let mut tx = self.db.tenant(tenant).await?;
            let terms = Terms::read(&mut tx).await?;
            if terms.holds.keep(subject.class) {
                return Ok(());
            }
            let end = end_of_months(subject, &terms.rules, terms.now);
            let start = from.unwrap_or_default();
            let Some(first) = candidates::oldest(&mut tx, table, start, end).await? else {
                return Ok(());
            };
            let end = end_of_month(made_at(first)).min(end);
            let stop =
                candidates::end_of_piece(&mut tx, table, first, end, self.limits.rows).await?;
            let id = catalogue::begin(&mut tx, subject, Extent::Roots(&[first, stop])).await?;
            tx.commit().await?;
            let piece = self.piece(tenant, id).await?;
            done.rows += self.put(tenant, &piece, &[]).await?;
            done.stored += 1;
            from = Some(stop);
        }
    }

    /// Goes through the things of a kind and archives or deletes those that may go.
    async fn each_chunk(
        &self,
        tenant: TenantId,
        subject: &Subject,
        done: &mut Done,
        what: Chunk,
    ) -> Result<(), Error> {
        // What is stored and cannot leave yet is not stored a second time.
        let waiting: BTreeSet<Uuid> =
            self.unfinished(tenant).await?.into_iter().flat_map(|piece| piece.roots).collect();
        let mut after = Some(Uuid::nil());
        while let Some(from) = after {
            let mut tx = self.db.tenant(tenant).await?;
            let terms = Terms::read(&mut tx).await?;
            let (mut plan, next) = terms.look(&mut tx, subject, Among::After(from)).await?;
            tx.rollback().await?;
            after = next;
            plan.go.retain(|id| !waiting.contains(id));
            for roots in plan.go.chunks(self.limits.roots) {
                match what {
                    Chunk::Archive => self.archive(tenant, subject, roots, done).await?,
                    Chunk::Delete => done.deleted += self.delete(tenant, subject, roots).await?,
                }
            }
        }
        Ok(())
    }

    async fn archive(
        &self,
        tenant: TenantId,
        subject: &Subject,
        roots: &[Uuid],
        done: &mut Done,
    ) -> Result<(), Error> {
        let id = self.begin(tenant, subject, Extent::Roots(roots)).await?;
        let piece = self.piece(tenant, id).await?;
        self.see_through(tenant, subject, piece, done).await
    }

    /// Begins a piece.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(
        &self,
        tenant: TenantId,
        subject: &Subject,
        extent: Extent<'_>,
    ) -> Result<ArchiveId, Error> {
        let mut tx = self.db.tenant(tenant).await?;
        let id = catalogue::begin(&mut tx, subject, extent).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// A piece as it is recorded.
    ///
    /// # Errors
    /// When there is none.
    pub async fn piece(&self, tenant: TenantId, id: ArchiveId) -> Result<Piece, Error> {
        let mut tx = self.db.tenant(tenant).await?;
        let piece = catalogue::one(&mut tx, id).await?;
        tx.rollback().await?;
        Ok(piece)
    }

    /// An event of this archiver's about a piece.
    #[must_use]
    pub fn event(&self, action: &str, piece: &Piece) -> Event {
        Event::new(self.who.clone(), action, "archive", &piece.archive_id())
            .from_origin(self.origin.clone())
            .with("subject", piece.subject.clone())
            .with("class", piece.class.clone())
    }
}

/// What becomes of a chunk of things.
#[derive(Debug, Clone, Copy)]
enum Chunk {
    Archive,
    Delete,
}

fn tell(tenant: TenantId, error: &Error) {
    let mut chain = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        chain = format!("{chain}: {cause}");
        source = cause.source();
    }
    tracing::warn!(%tenant, error = chain, "archiving a tenant failed; it is tried again");
}

/// When the row of this id was made: a `UUIDv7` begins with its milliseconds.
fn made_at(id: Uuid) -> Timestamp {
    let millis = i64::try_from(id.as_u128() >> 80).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
