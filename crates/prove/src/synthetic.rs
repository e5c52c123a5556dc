//! Made-up events, for benchmarks and tests: plausible, deterministic, in any number.

use db::AuditKey;
use model::Timestamp;
use model::actor::ActorKind;
use model::audit::{Event, Origin, Subject, Who};
use model::canonical::CanonicalError;
use model::id::{ActorId, EventId, TenantId};
use model::verdict::Verdict;
use uuid::Uuid;

use crate::merkle::leaf;
use crate::projection::Projection;
use crate::sequence::Waiting;
use crate::verify::walk::{Known, Row, Walked, Walker};

/// 2026-01-01T00:00:00Z, in microseconds.
const BEGIN_MICROS: i64 = 1_767_225_600_000_000;

/// The `n`-th made-up event of a tenant, with its id, canonical bytes (about 470) and MAC.
///
/// # Errors
/// Never in practice: the event has a canonical form.
pub fn event(tenant: TenantId, key: &AuditKey, n: u64) -> Result<Waiting, CanonicalError> {
    let id = EventId::from(id(n));
    let offset = i64::try_from(n).unwrap_or(0).saturating_mul(1_000);
    let at = Timestamp::from_microsecond(BEGIN_MICROS.saturating_add(offset)).unwrap_or_default();
    let event = Event {
        who: Who {
            id: ActorId::from(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001)),
            kind: ActorKind::Service,
            display_name: "alertmanager of the main site".to_owned(),
        },
        action: "intent.decided".to_owned(),
        subject: Subject { kind: "intent".to_owned(), id: format!("int_{}", id.uuid()) },
        decision: Some(Verdict::RequireApproval),
        success: true,
        error: None,
        details: [("attempt".to_owned(), n.into()), ("reason".to_owned(), "prod".into())]
            .into_iter()
            .collect(),
        evidence: Vec::new(),
        origin: Origin { ip: Some("192.0.2.17".to_owned()), ..Origin::default() },
        personal: None,
    };
    let canon = event.canonical(tenant, id, at)?;
    let mac = key.mac(tenant, id, &canon).to_vec();
    Ok(Waiting { id: id.uuid(), canon, mac })
}

/// A `UUIDv7` that grows with `n`.
fn id(n: u64) -> Uuid {
    let millis = u128::from(n) + u128::from(BEGIN_MICROS.unsigned_abs() / 1000);
    Uuid::from_u128((millis << 80) | (7 << 76) | (0b10 << 62) | u128::from(n))
}

/// Hands `each` made-up events as they would lie in the database.
///
/// # Errors
/// Never in practice: the events have a canonical form.
pub fn with_rows<T>(
    tenant: TenantId,
    key: &AuditKey,
    events: u64,
    each: impl FnOnce(&[Row<'_>]) -> T,
) -> Result<T, CanonicalError> {
    let waiting = (0..events).map(|n| event(tenant, key, n)).collect::<Result<Vec<_>, _>>()?;
    let leaves: Vec<_> = waiting.iter().map(|row| leaf(&row.canon)).collect();
    let rows: Vec<Row<'_>> = (0..)
        .zip(&waiting)
        .zip(&leaves)
        .filter_map(|((seq, row), leaf)| {
            let columns = Projection::read(&row.canon)?;
            Some(Row { seq, canon: &row.canon, leaf, mac: &row.mac, columns })
        })
        .collect();
    Ok(each(&rows))
}

/// Walks events held in memory as `audit verify` walks those of a database: what the pure part of
/// verification costs.
#[must_use]
pub fn walk(tenant: TenantId, rows: &[Row<'_>]) -> Walked {
    let mut walker = Walker::new(tenant, Known::default());
    for row in rows {
        walker.row(row);
    }
    walker.finish()
}
