//! For auditors: a log or a single event, verifiable without the database and without us.

use model::Timestamp;
use model::id::TenantId;
use uuid::Uuid;

use crate::checkpoint::Checkpoint;
use crate::cosignature::WitnessKey;
use crate::directory::{Directory, FileError};
use crate::note::Note;
use crate::policy::{Policy, PolicyError};
use crate::prune;
use crate::publish::{COSIGNED, read};
use crate::tile::{Kind as TileKind, Place, WIDTH, parse_entries};
use crate::verify::report::{Report, WitnessState};
use crate::verify::{uncosigned, witnessed};

pub mod proof_file;
mod walk;

/// Why a log cannot be exported or an export not be read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file cannot be read or written.
    #[error("the export is not accessible")]
    File(#[from] FileError),
    /// The log has no checkpoint yet, or its checkpoint cannot be read.
    #[error("there is no checkpoint, or it is damaged")]
    NoCheckpoint,
    /// A tile is missing.
    #[error("{path} is missing or damaged")]
    Missing {
        /// Which one.
        path: String,
    },
    /// The checkpoint is not believed.
    #[error("the checkpoint is refused")]
    Policy(#[from] PolicyError),
    /// The log is not named as logs of this product are.
    #[error("{origin:?} names no tenant's log")]
    Origin {
        /// The name.
        origin: String,
    },
}

const CHECKPOINT: &str = "checkpoint";
const POLICY: &str = "policy";

/// Copies a published log to a directory of its own: checkpoint, tiles, entries, the newest
/// cosignature, and the keys as we know them. Whoever verifies must have the keys from elsewhere.
///
/// # Errors
/// When something is missing or cannot be written.
pub fn export(log: &Directory, policy: &Policy, to: &Directory) -> Result<Checkpoint, BundleError> {
    // First what may be older: the log may grow meanwhile.
    let cosigned = log.read_text(COSIGNED)?;
    let note = log.read_text(CHECKPOINT)?.ok_or(BundleError::NoCheckpoint)?;
    let checkpoint = claimed(&note)?;
    let minimum = prune::minimum(log)?;
    for place in places(checkpoint.size).filter(|place| !pruned(place, minimum)) {
        let bytes = read(log, place)
            .or_else(|| narrowed(log, place))
            .ok_or_else(|| BundleError::Missing { path: place.path() })?;
        to.write_once(&place.path(), &bytes)?;
    }
    if minimum > 0 {
        prune::set_minimum(to, minimum)?;
    }
    to.write_once(POLICY, policy.to_string().as_bytes())?;
    if let Some(cosigned) = cosigned {
        to.write_once(COSIGNED, cosigned.as_bytes())?;
    }
    to.write_once(CHECKPOINT, note.as_bytes())?;
    Ok(checkpoint)
}

/// Verifies an export with keys the auditor has from elsewhere. With the key of a witness, its newest
/// cosignature must be there, be of this very log, and cover the whole of it.
///
/// # Errors
/// When the export is incomplete or its checkpoint is refused.
pub fn verify_bundle(
    bundle: &Directory,
    policy: &Policy,
    witness: Option<&WitnessKey>,
) -> Result<Report, BundleError> {
    verify_bundle_at(bundle, policy, witness, None)
}

/// The same; where the present is given, the newest events need no cosignature while the last one is
/// of this hour, as for a log in the database.
///
/// The export is read once, a tile and a bundle at a time, however long the log is.
///
/// # Errors
/// When the export is incomplete or its checkpoint is refused.
pub fn verify_bundle_at(
    bundle: &Directory,
    policy: &Policy,
    witness: Option<&WitnessKey>,
    now: Option<Timestamp>,
) -> Result<Report, BundleError> {
    let note = bundle.read_text(CHECKPOINT)?.ok_or(BundleError::NoCheckpoint)?;
    let origin = claimed(&note)?.origin;
    let checkpoint = policy.open(&note, &origin)?;
    let tenant = tenant_of(&origin)?;
    let mut roots = vec![(checkpoint.size, checkpoint.root)];
    let mut cannot_tell = None;
    let witnessed = match witness {
        Some(key) => {
            let found = cosignature(bundle, policy, key, &checkpoint)?;
            let newest = found.as_ref().map(|(cosigned, at)| (cosigned.size, *at));
            cannot_tell = uncosigned(key, newest, checkpoint.size, now);
            roots.extend(found.map(|(cosigned, _)| (cosigned.size, cosigned.root)));
            newest.map(WitnessState::from)
        }
        None => None,
    };
    roots.sort_unstable();
    roots.dedup();
    let minimum = prune::minimum(bundle)?.min(checkpoint.size) / WIDTH * WIDTH;
    let found = walk::walk(bundle, tenant, (minimum, checkpoint.size), &roots)?;
    Ok(Report {
        ok: found.first_bad.is_none() && cannot_tell.is_none(),
        tenant,
        size: found.size,
        minimum,
        gaps: Vec::new(),
        first_bad: found.first_bad,
        bounded_by: found.bounded_by,
        anchor: None,
        witness: witnessed,
        cannot_tell,
    })
}

/// The newest checkpoint in an export that a witness cosigned.
fn cosignature(
    bundle: &Directory,
    policy: &Policy,
    key: &WitnessKey,
    latest: &Checkpoint,
) -> Result<Option<(Checkpoint, Timestamp)>, BundleError> {
    let Some(text) = bundle.read_text(COSIGNED)? else { return Ok(None) };
    let checkpoint = policy.open(&text, &latest.origin)?;
    let Some(at) = witnessed(key, &text).map_err(PolicyError::from)? else { return Ok(None) };
    if checkpoint.size > latest.size {
        let path = format!("the log from {} to {}", latest.size, checkpoint.size);
        return Err(BundleError::Missing { path });
    }
    Ok(Some((checkpoint, at)))
}

/// The tenant whose log bears this name.
fn tenant_of(origin: &str) -> Result<TenantId, BundleError> {
    origin
        .rsplit_once('/')
        .and_then(|(_, tenant)| Uuid::try_parse(tenant).ok())
        .map(TenantId::from)
        .ok_or_else(|| BundleError::Origin { origin: origin.to_owned() })
}

pub(crate) fn claimed(note: &str) -> Result<Checkpoint, BundleError> {
    let note: Note = note.parse().map_err(|_| BundleError::NoCheckpoint)?;
    note.unverified_text().parse().map_err(|_| BundleError::NoCheckpoint)
}

/// Every tile and bundle of a log of this size.
fn places(size: u64) -> impl Iterator<Item = Place> {
    let level_places = |kind, items: u64| {
        (0..items.div_ceil(WIDTH))
            .filter_map(move |index| Place::holding(kind, index * WIDTH, items))
    };
    let levels = (0_u32..8).map(move |level| (level, size.checked_shr(level * 8).unwrap_or(0)));
    levels
        .flat_map(move |(level, items)| level_places(TileKind::Hashes(level), items))
        .chain(level_places(TileKind::Entries, size))
}

/// Whether a place is a bundle of entries that were pruned.
fn pruned(place: &Place, minimum: u64) -> bool {
    place.kind == TileKind::Entries && place.index.saturating_mul(WIDTH) < minimum
}

/// A partial tile or bundle cut out of the full one that superseded it.
fn narrowed(log: &Directory, place: Place) -> Option<Vec<u8>> {
    let full = read(log, place.full())?;
    let width = usize::try_from(place.width).ok()?;
    match place.kind {
        TileKind::Hashes(_) => full.get(..width * 32).map(<[u8]>::to_vec),
        TileKind::Entries => {
            let entries = parse_entries(&full, WIDTH)?;
            let bytes: usize = entries.iter().take(width).map(|entry| entry.len() + 2).sum();
            full.get(..bytes).map(<[u8]>::to_vec)
        }
    }
}

#[cfg(test)]
mod tests;
