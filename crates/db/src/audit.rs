//! The audit outbox: an event and its MAC, written in the transaction of the change it tells of.
//!
//! The MAC's key is not in the database, so a row put there by hand is found before it is
//! sequenced: `mac = HMAC-SHA-256(key, tenant || event id || canonical bytes)`.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::{hmac, rand};
use model::audit::{Event, MAX_EVENT_BYTES, Personal};
use model::id::{EventId, TenantId};
use model::time::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Error;
use crate::tx::TenantTx;

/// An HMAC-SHA-256 over one event.
pub type Mac = [u8; 32];

/// The key that MACs what goes into the outbox: 32 secret bytes kept outside the database.
#[derive(Clone)]
pub struct AuditKey(hmac::Key);

impl AuditKey {
    /// A key from its bytes.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Fresh key bytes.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate_bytes() -> Result<[u8; 32], Error> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
        Ok(bytes)
    }

    /// The MAC of an event's canonical bytes.
    #[must_use]
    pub fn mac(&self, tenant: TenantId, event: EventId, canon: &[u8]) -> Mac {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(tenant.uuid().as_bytes());
        context.update(event.uuid().as_bytes());
        context.update(canon);
        mac_of(context.sign().as_ref())
    }

    /// A MAC that says this deployment vouches for a value of a tenant, which is kept in the
    /// database: `what` says which kind of value it is. Under a key of its own, so that no event's
    /// MAC is one.
    #[must_use]
    pub fn vouch(&self, what: &str, tenant: TenantId, parts: &[Vec<u8>]) -> Mac {
        mac_of(hmac::sign(&self.vouching(), &vouched(what, tenant, parts)).as_ref())
    }

    /// Whether `mac` vouches for this value; takes the same time either way.
    #[must_use]
    pub fn vouched(&self, what: &str, tenant: TenantId, parts: &[Vec<u8>], mac: &[u8]) -> bool {
        hmac::verify(&self.vouching(), &vouched(what, tenant, parts), mac).is_ok()
    }

    /// By what the key is known, without being told.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let tag = hmac::sign(&self.0, b"countersign fingerprint");
        tag.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn vouching(&self) -> hmac::Key {
        let derived = hmac::sign(&self.0, b"countersign vouching");
        hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
    }

    /// Whether `mac` was made with this key for these bytes; takes the same time either way.
    #[must_use]
    pub fn verify(&self, tenant: TenantId, event: EventId, canon: &[u8], mac: &[u8]) -> bool {
        let message =
            [tenant.uuid().as_bytes().as_slice(), event.uuid().as_bytes(), canon].concat();
        hmac::verify(&self.0, &message, mac).is_ok()
    }
}

/// Length-prefixed, so that no two values give the same bytes.
fn vouched(what: &str, tenant: TenantId, parts: &[Vec<u8>]) -> Vec<u8> {
    let tenant = tenant.uuid();
    let first: [&[u8]; 2] = [what.as_bytes(), tenant.as_bytes()];
    let mut message = Vec::new();
    for part in first.into_iter().chain(parts.iter().map(Vec::as_slice)) {
        message.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        message.extend_from_slice(part);
    }
    message
}

fn mac_of(tag: &[u8]) -> Mac {
    let mut mac = [0; 32];
    mac.copy_from_slice(tag);
    mac
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(…)")
    }
}

/// One row of the outbox, to be.
pub(crate) struct Row {
    id: EventId,
    canon: Vec<u8>,
    mac: Mac,
    personal: Option<Personal>,
}

impl Row {
    pub(crate) const fn id(&self) -> EventId {
        self.id
    }
}

/// The id of an event of this time. Events get their place in the log in the order of their ids,
/// so an id carries the database's time and not this machine's, whose clock may be off; and ids of
/// one process rise whatever either clock does.
fn id_at(at: Timestamp) -> Result<EventId, Error> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = u64::try_from(at.as_microsecond()).unwrap_or(0);
    let next = |last: u64| Some(now.max(last.saturating_add(1)));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(now);
    let micros = now.max(last.saturating_add(1));
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| Error::internal("no randomness"))?;
    // RFC 9562: milliseconds, then twelve bits that here go on to microseconds, then randomness.
    let high = (u128::from(micros / 1000) << 80) | (u128::from(micros % 1000) << 64);
    let bits = high | u128::from(u64::from_be_bytes(random) >> 2);
    Ok(EventId::from(Uuid::from_u128(bits | (7 << 76) | (2 << 62))))
}

fn row(key: &AuditKey, tenant: TenantId, event: &Event, at: Timestamp) -> Result<Row, Error> {
    let id = id_at(at)?;
    let mut salt = [0; 32];
    rand::fill(&mut salt).map_err(|_| Error::internal("no randomness"))?;
    let (canon, personal) = match event.without_personal(salt).map_err(Error::Event)? {
        Some((logged, personal)) => (logged.canonical(tenant, id, at), Some(personal)),
        None => (event.canonical(tenant, id, at), None),
    };
    let canon = canon.map_err(Error::Event)?;
    if canon.len() > MAX_EVENT_BYTES {
        return Err(Error::EventTooLarge { size: canon.len(), most: MAX_EVENT_BYTES });
    }
    let mac = key.mac(tenant, id, &canon);
    Ok(Row { id, canon, mac, personal })
}

impl TenantTx {
    /// A MAC by which a value kept in this tenant's rows is known to come from this deployment,
    /// and not from somebody who can only write to the database.
    #[must_use]
    pub fn vouch(&self, what: &str, parts: &[Vec<u8>]) -> Mac {
        self.audit_key().vouch(what, self.tenant(), parts)
    }

    /// Whether `mac` is [`TenantTx::vouch`]'s for this value.
    #[must_use]
    pub fn vouched(&self, what: &str, parts: &[Vec<u8>], mac: &[u8]) -> bool {
        self.audit_key().vouched(what, self.tenant(), parts, mac)
    }

    /// Tells of a change: the event goes into the outbox with this transaction's commit, or not at
    /// all.
    ///
    /// # Errors
    /// When the event has no canonical form or is too large, or the clock cannot be asked.
    pub async fn audit(&mut self, event: &Event) -> Result<EventId, Error> {
        let ids = self.audit_many(std::slice::from_ref(event)).await?;
        ids.first().copied().ok_or_else(|| Error::internal("an event without an id"))
    }

    /// Tells of several changes, in order.
    ///
    /// # Errors
    /// As [`TenantTx::audit`]; then none of them is told.
    pub async fn audit_many(&mut self, events: &[Event]) -> Result<Vec<EventId>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let at = self.occurred_at().await?;
        let tenant = self.tenant();
        let key = self.audit_key();
        let rows: Vec<Row> =
            events.iter().map(|event| row(key, tenant, event, at)).collect::<Result<_, _>>()?;
        let ids = rows.iter().map(|row| row.id).collect();
        self.keep_events(rows);
        Ok(ids)
    }
}

/// Writes rows into the outbox, in order, and what is personal beside them, with one statement.
pub(crate) async fn write(
    conn: &mut PgConnection,
    tenant: TenantId,
    rows: Vec<Row>,
) -> Result<(), Error> {
    let mut ids = Vec::with_capacity(rows.len());
    let mut canons = Vec::with_capacity(rows.len());
    let mut macs = Vec::with_capacity(rows.len());
    let (mut named, mut people) = (Vec::new(), Vec::new());
    let (mut salts, mut bodies) = (Vec::new(), Vec::new());
    for row in rows {
        ids.push(row.id.uuid());
        canons.push(row.canon);
        macs.push(row.mac.to_vec());
        if let Some(Personal { of, salt, body }) = row.personal {
            named.push(row.id.uuid());
            people.push(of.uuid());
            salts.push(salt.to_vec());
            bodies.push(body);
        }
    }
    sqlx::query(
        "WITH beside AS (
           INSERT INTO countersign.audit_personal (tenant_id, event_id, actor_id, salt, body)
           SELECT $1, p.event_id, p.actor_id, p.salt, p.body
           FROM unnest($5::uuid[], $6::uuid[], $7::bytea[], $8::bytea[])
             AS p (event_id, actor_id, salt, body)
         )
         INSERT INTO countersign.audit_outbox (tenant_id, id, canon, mac)
         SELECT $1, entry.id, entry.canon, entry.mac
         FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS entry (id, canon, mac)",
    )
    .bind(tenant.uuid())
    .bind(ids)
    .bind(canons)
    .bind(macs)
    .bind(named)
    .bind(people)
    .bind(salts)
    .bind(bodies)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_holds_for_its_tenant_its_event_and_its_bytes_only() {
        let key = AuditKey::new(&[7; 32]);
        let (tenant, event) = (TenantId::generate(), EventId::generate());
        let mac = key.mac(tenant, event, b"canon");
        assert!(key.verify(tenant, event, b"canon", &mac));
        assert!(!key.verify(TenantId::generate(), event, b"canon", &mac));
        assert!(!key.verify(tenant, EventId::generate(), b"canon", &mac));
        assert!(!key.verify(tenant, event, b"canom", &mac));
        assert!(!key.verify(tenant, event, b"canon", &mac[..31]));
        assert!(!AuditKey::new(&[8; 32]).verify(tenant, event, b"canon", &mac));
    }

    #[test]
    fn what_is_vouched_for_is_so_for_its_tenant_its_kind_and_its_parts_only() {
        let key = AuditKey::new(&[7; 32]);
        let tenant = TenantId::generate();
        let parts = [b"ab".to_vec(), b"c".to_vec()];
        let mac = key.vouch("kind", tenant, &parts);
        assert!(key.vouched("kind", tenant, &parts, &mac));
        assert!(!key.vouched("other", tenant, &parts, &mac));
        assert!(!key.vouched("kind", TenantId::generate(), &parts, &mac));
        assert!(!key.vouched("kind", tenant, &[b"a".to_vec(), b"bc".to_vec()], &mac));
        assert!(!AuditKey::new(&[8; 32]).vouched("kind", tenant, &parts, &mac));
        assert_ne!(key.fingerprint(), AuditKey::new(&[8; 32]).fingerprint());
    }

    #[test]
    fn ids_of_events_carry_their_time_and_rise_though_it_goes_back() {
        let at: Timestamp = "2026-03-01T10:00:00.123456Z".parse().unwrap();
        let first = id_at(at).unwrap();
        let uuid = first.uuid();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
        let (seconds, nanos) = uuid.get_timestamp().unwrap().to_unix();
        let close = (seconds, nanos / 1_000_000);
        assert_eq!(close, (u64::try_from(at.as_second()).unwrap(), 123));
        let earlier = at - jiff::SignedDuration::from_secs(60);
        let mut last = first;
        for time in [at, earlier, at] {
            let next = id_at(time).unwrap();
            assert!(last < next, "{last} is followed by {next}");
            last = next;
        }
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", AuditKey::new(&[7; 32])), "AuditKey(…)");
    }
}
