//! `audit verify`: holds a tenant's log in the database against everything that was signed.

use db::{AuditKey, Db};
use jiff::SignedDuration;
use model::Timestamp;
use model::id::TenantId;

use crate::anchor::{Anchor, AnchorError, Anchored};
use crate::cosignature::WitnessKey;
use crate::merkle::{Hash, Range};
use crate::note::{Note, NoteError};
use crate::policy::Policy;
use crate::publish::chain as source_of;
use crate::store::{checkpoints, events, stream};
use crate::witness::client::REFRESH_S;

pub mod report;
pub mod walk;

use report::{AnchorState, FirstBad, Kind, Report, WitnessState};
use walk::{Gap, Known, Walker};

/// What a log is held against.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The name of the log.
    pub origin: &'a str,
    /// The keys that are trusted; without them only the rows are compared with themselves.
    pub policy: Option<&'a Policy>,
    /// The anchor; needs a policy.
    pub anchor: Option<&'a Anchor>,
    /// The witness that must have cosigned; needs a policy.
    pub witness: Option<&'a WitnessKey>,
    /// The key of the row MACs, where it is at hand.
    pub mac: Option<&'a AuditKey>,
    /// The present.
    pub now: Timestamp,
    /// How old the newest checkpoint in the anchor may be.
    pub max_anchor_age: Option<SignedDuration>,
}

/// Everything signed that was found, or what is wrong with it.
#[derive(Debug, Default)]
struct Evidence {
    roots: Vec<(u64, Hash)>,
    mirror: Vec<Hash>,
    anchor: Option<AnchorState>,
    witness: Option<(u64, Timestamp)>,
    bad: Option<FirstBad>,
    cannot_tell: Option<String>,
}

impl Evidence {
    fn add(&mut self, bad: FirstBad) {
        if self.bad.as_ref().is_none_or(|known| bad.seq < known.seq) {
            self.bad = Some(bad);
        }
    }

    fn open(&mut self, options: &Options<'_>, size: u64, note: &str) {
        let Some(policy) = options.policy else { return };
        match policy.open(note, options.origin) {
            Ok(checkpoint) if checkpoint.size == size => {
                self.roots.push((size, checkpoint.root));
                self.look_for_cosignature(options, size, note);
            }
            Ok(checkpoint) => self.add(FirstBad {
                seq: size,
                kind: Kind::BadSignature,
                expected: format!("a checkpoint of size {size}"),
                found: format!("one of size {}", checkpoint.size),
            }),
            Err(error) => self.add(FirstBad {
                seq: size,
                kind: Kind::BadSignature,
                expected: "a checkpoint signed as the policy demands".to_owned(),
                found: source_of(&error),
            }),
        }
    }
}

impl Evidence {
    /// Notes what the witness says of a checkpoint that the policy accepts.
    fn look_for_cosignature(&mut self, options: &Options<'_>, size: u64, note: &str) {
        let Some(key) = options.witness else { return };
        match witnessed(key, note) {
            Ok(Some(at)) => self.witness = self.witness.max(Some((size, at))),
            Ok(None) => {}
            Err(error) => self.add(FirstBad {
                seq: size,
                kind: Kind::BadSignature,
                expected: format!("a cosignature by {}", key.name()),
                found: source_of(&error),
            }),
        }
    }
}

/// How old the events beyond the newest cosignature may be, in seconds: an idle log is cosigned again
/// within an hour, and what is appended to it then is cosigned within seconds. What came after a
/// cosignature that is older may be anything.
const MAX_UNCOSIGNED_S: i64 = REFRESH_S + 300;

/// Why the cosignatures of a witness do not speak for a log of `size` entries: there is none, or
/// the newest covers a part only and the rest need not be new. Nothing but the time in the
/// cosignature says how old that may be, as whoever makes another history makes its times as well;
/// without a present (`now`) the rest counts as old.
pub(crate) fn uncosigned(
    key: &WitnessKey,
    newest: Option<(u64, Timestamp)>,
    size: u64,
    now: Option<Timestamp>,
) -> Option<String> {
    let name = key.name();
    match newest {
        _ if size == 0 => None,
        None => Some(format!("no checkpoint is cosigned by the witness {name}")),
        Some((covered, at)) => {
            let age = now.map(|now| now.duration_since(at).as_secs());
            let new = age.is_some_and(|age| age <= MAX_UNCOSIGNED_S);
            (covered < size && !new).then(|| {
                format!(
                    "the witness {name} cosigned {covered} of {size} events, last at {at}; \
                     it does not speak for the rest"
                )
            })
        }
    }
}

/// When a witness cosigned a note.
pub(crate) fn witnessed(key: &WitnessKey, note: &str) -> Result<Option<Timestamp>, NoteError> {
    key.cosigned(&note.parse::<Note>()?)
}

/// Verifies the log of a tenant.
///
/// # Errors
/// When the database does not answer: then nothing can be told.
pub async fn verify(db: &Db, tenant: TenantId, options: &Options<'_>) -> Result<Report, db::Error> {
    // The anchor first, then the checkpoints, then the rows: each may only have grown meanwhile.
    let mut evidence = Evidence::default();
    if let Some(anchor) = options.anchor {
        read_anchor(anchor, options, &mut evidence);
    }
    let mut tx = db.tenant(tenant).await?;
    let head = events::head(&mut tx).await?;
    let head_before = head.size;
    if options.policy.is_some_and(|policy| policy.trusted.is_empty()) {
        evidence.cannot_tell = Some("the policy trusts no key".to_owned());
    } else if options.policy.is_some() {
        let notes = checkpoints::all(&mut tx).await?;
        if notes.is_empty() && head_before > 0 {
            evidence
                .cannot_tell
                .get_or_insert_with(|| "the database holds no checkpoint".to_owned());
        }
        for (size, note) in notes {
            evidence.open(options, size, &note);
        }
    }
    evidence.roots.sort_unstable();
    evidence.roots.dedup();
    let gaps = read_gaps(&mut tx).await?;
    let before = Range::from_parts(head.minimum, hashes(&head.edge));
    if before.is_none() {
        evidence.add(FirstBad {
            seq: 0,
            kind: Kind::Missing,
            expected: format!("the hashes of the {} events before the first", head.minimum),
            found: format!("{} bytes of hashes", head.edge.len()),
        });
    }
    let walked = {
        let known = Known {
            mirror: &evidence.mirror,
            roots: &evidence.roots,
            mac: options.mac,
            before: before.as_ref(),
            gaps: &gaps,
        };
        let mut walker = Walker::new(tenant, known);
        stream::read_all(&mut tx, |row| walker.row(row)).await?;
        walker.finish()
    };
    let head_after = events::log_size(&mut tx).await?;
    tx.rollback().await?;
    let rows = walked.rows;
    if let Some(key) = options.witness {
        let size = rows.max(head_before);
        let why = uncosigned(key, evidence.witness, size, Some(options.now));
        evidence.cannot_tell = evidence.cannot_tell.or(why);
    }
    if let Some(bad) = walked.first_bad {
        evidence.add(bad);
    } else if let Some(bad) = wrong_length(rows, (head_before, head_after), &evidence) {
        evidence.add(bad);
    }
    Ok(Report {
        ok: evidence.bad.is_none() && evidence.cannot_tell.is_none(),
        tenant,
        size: rows,
        minimum: head.minimum,
        gaps: walked.gaps,
        first_bad: evidence.bad,
        bounded_by: walked.bounded_by,
        anchor: evidence.anchor,
        witness: evidence.witness.map(WitnessState::from),
        cannot_tell: evidence.cannot_tell,
    })
}

async fn read_gaps(tx: &mut db::TenantTx) -> Result<Vec<Gap>, db::Error> {
    let gaps = events::gaps(tx).await?;
    Ok(gaps.into_iter().map(|(first, leaves)| Gap { first, leaves: hashes(&leaves) }).collect())
}

/// Hashes that lie one behind the other; an incomplete last one is left out.
fn hashes(bytes: &[u8]) -> Vec<Hash> {
    bytes.as_chunks::<32>().0.to_vec()
}

/// A log whose entries all agree, but which is shorter or longer than it should be.
fn wrong_length(rows: u64, head: (u64, u64), evidence: &Evidence) -> Option<FirstBad> {
    let committed = |size: u64| format!("{size} events");
    let found = format!("{rows} events");
    if let Some(anchor) = evidence.anchor.as_ref().filter(|anchor| anchor.size > rows) {
        return Some(FirstBad {
            seq: rows,
            kind: Kind::BehindAnchor,
            expected: committed(anchor.size),
            found,
        });
    }
    let signed = evidence.roots.last().map_or(0, |(size, _)| *size);
    let least = signed.max(head.0);
    if rows < least {
        return Some(FirstBad {
            seq: rows,
            kind: Kind::Missing,
            expected: committed(least),
            found,
        });
    }
    (rows > head.1).then(|| FirstBad {
        seq: head.1,
        kind: Kind::Inserted,
        expected: committed(head.1),
        found,
    })
}

fn read_anchor(anchor: &Anchor, options: &Options<'_>, evidence: &mut Evidence) {
    let latest = match anchor.latest(options.origin) {
        Ok(Some(latest)) => latest,
        Ok(None) => {
            evidence.cannot_tell = Some("the anchor does not know this log".to_owned());
            return;
        }
        Err(error) => {
            evidence.cannot_tell = Some(source_of(&error));
            return;
        }
    };
    if options.policy.is_none_or(|policy| policy.trusted.is_empty()) {
        evidence.cannot_tell = Some("without trusted keys the anchor proves nothing".to_owned());
        return;
    }
    let Anchored { note, checkpoint, at } = latest;
    let age = options.now.duration_since(at);
    evidence.anchor = Some(AnchorState { size: checkpoint.size, age: age.as_secs() });
    if options.max_anchor_age.is_some_and(|most| age > most) {
        let text = format!("the newest checkpoint in the anchor is {} s old", age.as_secs());
        evidence.cannot_tell = Some(text);
    }
    evidence.open(options, checkpoint.size, &note);
    if let Err(error) = read_anchored_log(anchor, options, checkpoint.size, evidence) {
        evidence.cannot_tell = Some(source_of(&error));
    }
    let mut range = Range::new();
    for leaf in &evidence.mirror {
        range.push(*leaf);
    }
    if range.root() != checkpoint.root {
        evidence.mirror.clear();
        evidence.cannot_tell =
            Some("the leaf hashes in the anchor do not belong to its checkpoint".to_owned());
    }
}

fn read_anchored_log(
    anchor: &Anchor,
    options: &Options<'_>,
    size: u64,
    evidence: &mut Evidence,
) -> Result<(), AnchorError> {
    for (size, note) in anchor.checkpoints(options.origin)? {
        evidence.open(options, size, &note);
    }
    evidence.mirror = anchor.leaves(options.origin, size)?;
    Ok(())
}

#[cfg(test)]
mod tests;
