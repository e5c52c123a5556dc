//! For auditors: a log or a single event, verifiable without the database and without us.

use base64::Engine as _;
use model::id::TenantId;
use uuid::Uuid;

use crate::checkpoint::Checkpoint;
use crate::directory::{Directory, FileError};
use crate::merkle::Hash;
use crate::merkle::leaf;
use crate::note::Note;
use crate::policy::{Policy, PolicyError};
use crate::projection::Projection;
use crate::prune;
use crate::publish::read;
use crate::tile::builder::{Builder, Resource};
use crate::tile::{Kind as TileKind, Place, WIDTH, parse_entries, parse_hashes};
use crate::verify::report::{FirstBad, Kind, Report};
use crate::verify::walk::{Known, Walker};

pub mod proof_file;

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

/// Copies a published log to a directory of its own: checkpoint, tiles, entries, and the keys as
/// we know them. Whoever verifies must have the keys from elsewhere.
///
/// # Errors
/// When something is missing or cannot be written.
pub fn export(log: &Directory, policy: &Policy, to: &Directory) -> Result<Checkpoint, BundleError> {
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
    to.write_once(CHECKPOINT, note.as_bytes())?;
    Ok(checkpoint)
}

/// Verifies an export with keys the auditor has from elsewhere.
///
/// # Errors
/// When the export is incomplete or its checkpoint is refused.
pub fn verify_bundle(bundle: &Directory, policy: &Policy) -> Result<Report, BundleError> {
    let note = bundle.read_text(CHECKPOINT)?.ok_or(BundleError::NoCheckpoint)?;
    let origin = claimed(&note)?.origin;
    let checkpoint = policy.open(&note, &origin)?;
    let tenant = tenant_of(&origin)?;
    let mirror = leaf_tiles(bundle, checkpoint.size)?;
    let roots = [(checkpoint.size, checkpoint.root)];
    let minimum = prune::minimum(bundle)?.min(checkpoint.size) / WIDTH * WIDTH;
    let mut builder = Builder::new();
    let mut built: Vec<Resource> = Vec::new();
    // Of what was pruned the leaf hashes remain, and the root vouches for them.
    for leaf in mirror.iter().take(usize::try_from(minimum).unwrap_or(usize::MAX)) {
        builder.push_hash(*leaf);
        built.append(&mut builder.take_finished());
    }
    let before = builder.range().clone();
    let known = Known { mirror: &mirror, roots: &roots, before: Some(&before), ..Known::default() };
    let mut walker = Walker::new(tenant, known);
    let mut foreign = None;
    let mut seq = minimum;
    let entries = |place: &Place| place.kind == TileKind::Entries && !pruned(place, minimum);
    'bundles: for place in places(checkpoint.size).filter(entries) {
        let missing = || BundleError::Missing { path: place.path() };
        let bytes = read(bundle, place).ok_or_else(missing)?;
        for entry in parse_entries(&bytes, place.width).ok_or_else(missing)? {
            if !walker.entry(seq, leaf(entry)) {
                break 'bundles;
            }
            foreign = foreign.or_else(|| foreign_entry(tenant, seq, entry));
            if let Some(event) = Projection::read(entry) {
                walker.notice(prune::Notice::read(&event.action, entry));
            }
            builder.push(entry).map_err(|_| missing())?;
            built.append(&mut builder.take_finished());
            seq += 1;
        }
    }
    let walked = walker.finish();
    built.append(&mut builder.finish());
    let first_bad = walked.first_bad.or(foreign).or_else(|| wrong_tile(bundle, &built));
    Ok(Report {
        ok: first_bad.is_none(),
        tenant,
        size: seq,
        minimum,
        gaps: Vec::new(),
        first_bad,
        bounded_by: walked.bounded_by,
        anchor: None,
        cannot_tell: None,
    })
}

/// The tenant whose log bears this name.
fn tenant_of(origin: &str) -> Result<TenantId, BundleError> {
    origin
        .rsplit_once('/')
        .and_then(|(_, tenant)| Uuid::try_parse(tenant).ok())
        .map(TenantId::from)
        .ok_or_else(|| BundleError::Origin { origin: origin.to_owned() })
}

fn claimed(note: &str) -> Result<Checkpoint, BundleError> {
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

fn leaf_tiles(bundle: &Directory, size: u64) -> Result<Vec<Hash>, BundleError> {
    let mut leaves = Vec::new();
    for place in places(size).filter(|place| place.kind == TileKind::Hashes(0)) {
        let hashes = read(bundle, place)
            .and_then(|bytes| parse_hashes(&bytes, place.width))
            .ok_or_else(|| BundleError::Missing { path: place.path() })?;
        leaves.extend(hashes);
    }
    Ok(leaves)
}

fn foreign_entry(tenant: TenantId, seq: u64, entry: &[u8]) -> Option<FirstBad> {
    let found = Projection::read(entry)
        .map_or_else(|| "other bytes".to_owned(), |event| TenantId::from(event.tenant).to_string());
    (found != tenant.to_string()).then(|| FirstBad {
        seq,
        kind: Kind::TenantMismatch,
        expected: tenant.to_string(),
        found,
    })
}

/// A tile that does not say what the entries say.
fn wrong_tile(bundle: &Directory, built: &[Resource]) -> Option<FirstBad> {
    let wrong = built.iter().find(|made| read(bundle, made.place).as_ref() != Some(&made.bytes))?;
    let level = match wrong.place.kind {
        TileKind::Hashes(level) => level,
        TileKind::Entries => 0,
    };
    let span = WIDTH.saturating_pow(level.saturating_add(1));
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    Some(FirstBad {
        seq: wrong.place.index.saturating_mul(span),
        kind: Kind::LeafMismatch,
        expected: format!("{} as the entries make it", wrong.place.path()),
        found: encode(&read(bundle, wrong.place).unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests;
