//! Sequencing: which rows of the outbox get a place in the log, and in which order.

use db::AuditKey;
use model::id::{EventId, TenantId};
use uuid::Uuid;

use crate::merkle::{Hash, leaf};
use crate::projection::Projection;

pub mod task;

/// The most events sequenced in one transaction.
pub const MAX_BATCH: usize = 1024;

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The id of the event.
    pub id: Uuid,
    /// Its canonical bytes.
    pub canon: Vec<u8>,
    /// The MAC the application made for it.
    pub mac: Vec<u8>,
}

/// Why a row is not sequenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The MAC was not made by the application for this tenant, event and bytes.
    Mac,
    /// The bytes are no audit event.
    Malformed,
    /// The bytes are an event of another tenant or with another id.
    Misplaced,
}

impl Fault {
    /// The word it is recorded with.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mac => "bad_mac",
            Self::Malformed => "malformed",
            Self::Misplaced => "misplaced",
        }
    }
}

/// A batch, sorted into what is appended and what is set aside.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch<'a> {
    /// To be appended in this order: row, leaf hash, columns.
    pub good: Vec<(&'a Waiting, Hash, Projection<'a>)>,
    /// To be quarantined.
    pub bad: Vec<(&'a Waiting, Fault)>,
}

/// Sorts a tenant's batch, keeping its order.
#[must_use]
pub fn judge<'a>(tenant: TenantId, key: &AuditKey, waiting: &'a [Waiting]) -> Batch<'a> {
    let mut batch = Batch::default();
    for row in waiting {
        match admit(tenant, key, row) {
            Ok(columns) => batch.good.push((row, leaf(&row.canon), columns)),
            Err(fault) => batch.bad.push((row, fault)),
        }
    }
    batch
}

fn admit<'a>(tenant: TenantId, key: &AuditKey, row: &'a Waiting) -> Result<Projection<'a>, Fault> {
    if !key.verify(tenant, EventId::from(row.id), &row.canon, &row.mac) {
        return Err(Fault::Mac);
    }
    let columns = Projection::read(&row.canon).ok_or(Fault::Malformed)?;
    let in_place = columns.tenant == tenant.uuid() && columns.id == row.id;
    if in_place { Ok(columns) } else { Err(Fault::Misplaced) }
}

#[cfg(test)]
mod tests;
