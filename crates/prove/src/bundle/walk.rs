//! Walking an export from its first entry: a bundle, its level-0 tile, and whatever tile becomes full
//! thereby, and then the next.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::id::TenantId;

use crate::directory::Directory;
use crate::merkle::{Hash, leaf};
use crate::projection::Projection;
use crate::prune::Notice;
use crate::publish::read;
use crate::tile::builder::{Builder, Resource};
use crate::tile::{Kind as TileKind, Place, WIDTH, parse_entries, parse_hashes};
use crate::verify::report::{FirstBad, Kind};
use crate::verify::walk::{Known, Walker};

use super::{BundleError, places, pruned};

/// What the walk found.
pub(super) struct Found {
    /// How many places the log has up to the first bad one.
    pub(super) size: u64,
    /// The first bad entry or tile.
    pub(super) first_bad: Option<FirstBad>,
    /// Where the bad entry lies, when it cannot be named.
    pub(super) bounded_by: Option<[u64; 2]>,
}

/// Walks an export of a log that begins at `minimum` and has `size` places.
pub(super) fn walk(
    bundle: &Directory,
    tenant: TenantId,
    (minimum, size): (u64, u64),
    roots: &[(u64, Hash)],
) -> Result<Found, BundleError> {
    let mut tree = Tree { bundle, builder: Builder::new(), wrong: None };
    // Of what was pruned the leaf hashes remain, and the root vouches for them.
    let leaf_tiles = |place: &Place| place.kind == TileKind::Hashes(0);
    for place in places(size).filter(|place| leaf_tiles(place) && place.index * WIDTH < minimum) {
        for leaf in leaves(bundle, place)? {
            tree.builder.push_hash(leaf);
        }
        tree.compare();
    }
    let before = tree.builder.range().clone();
    let mut walker =
        Walker::new(tenant, Known { roots, before: Some(&before), ..Known::default() });
    let (mut seq, mut changed, mut foreign) = (minimum, None, None);
    let entries = |place: &Place| place.kind == TileKind::Entries && !pruned(place, minimum);
    'bundles: for place in places(size).filter(entries) {
        let missing = || BundleError::Missing { path: place.path() };
        let hashes = leaves(bundle, Place { kind: TileKind::Hashes(0), ..place })?;
        let bytes = read(bundle, place).ok_or_else(missing)?;
        let entries = parse_entries(&bytes, place.width).ok_or_else(missing)?;
        for (entry, expected) in entries.into_iter().zip(hashes) {
            let hash = leaf(entry);
            if hash != expected {
                changed = Some(displaced(bundle, (seq, size), expected, hash)?);
                break 'bundles;
            }
            if !walker.entry(seq, hash) {
                break 'bundles;
            }
            foreign = foreign.or_else(|| foreign_entry(tenant, seq, entry));
            if let Some(event) = Projection::read(entry) {
                walker.notice(Notice::read(&event.action, entry));
            }
            tree.builder.push(entry).map_err(|_| missing())?;
            seq += 1;
        }
        tree.compare();
    }
    let walked = walker.finish();
    let wrong = tree.finish();
    let first_bad = changed.or(walked.first_bad).or(foreign).or(wrong);
    Ok(Found { size: seq, first_bad, bounded_by: walked.bounded_by })
}

/// The tree the entries make, held against the tiles of the export as it grows.
struct Tree<'a> {
    bundle: &'a Directory,
    builder: Builder,
    wrong: Option<FirstBad>,
}

impl Tree<'_> {
    fn compare(&mut self) {
        let made = self.builder.take_finished();
        self.wrong = self.wrong.take().or_else(|| wrong_tile(self.bundle, &made));
    }

    fn finish(mut self) -> Option<FirstBad> {
        self.compare();
        let made = self.builder.finish();
        self.wrong.or_else(|| wrong_tile(self.bundle, &made))
    }
}

fn leaves(bundle: &Directory, place: Place) -> Result<Vec<Hash>, BundleError> {
    read(bundle, place)
        .and_then(|bytes| parse_hashes(&bytes, place.width))
        .ok_or_else(|| BundleError::Missing { path: place.path() })
}

/// An entry that is not the one the tile has: another of the log's, or none of it.
fn displaced(
    bundle: &Directory,
    (seq, size): (u64, u64),
    expected: Hash,
    found: Hash,
) -> Result<FirstBad, BundleError> {
    let mut kind = Kind::LeafMismatch;
    for place in places(size).filter(|place| place.kind == TileKind::Hashes(0)) {
        if leaves(bundle, place)?.contains(&found) {
            kind = Kind::Missing;
            break;
        }
    }
    Ok(FirstBad { seq, kind, expected: hex::encode(expected), found: hex::encode(found) })
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
    Some(FirstBad {
        seq: wrong.place.index.saturating_mul(span),
        kind: Kind::LeafMismatch,
        expected: format!("{} as the entries make it", wrong.place.path()),
        found: STANDARD.encode(read(bundle, wrong.place).unwrap_or_default()),
    })
}
