//! Reading nodes of the tree out of tiles.

use std::collections::BTreeMap;

use super::{HEIGHT, Kind, Place, parse_hashes};
use crate::merkle::proof::{Nodes, Subtree, perfect_parts};
use crate::merkle::{Hash, Range, perfect_root};

/// Why a node cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// A tile is missing or has the wrong length.
    #[error("the tile {path} is missing or damaged")]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// The tree has no such node.
    #[error("a tree of {size} entries has no node {index} at level {level}")]
    Outside {
        /// The size of the tree.
        size: u64,
        /// The level asked for.
        level: u32,
        /// The node asked for.
        index: u64,
    },
}

/// A tree of a known size whose tiles `read` can give, each read at most once.
#[derive(Debug)]
pub struct Reader<R> {
    size: u64,
    edge: BTreeMap<(u32, u64), Hash>,
    tiles: BTreeMap<Place, Vec<Hash>>,
    read: R,
}

impl<R: FnMut(Place) -> Option<Vec<u8>>> Reader<R> {
    /// A reader of a tree of `size` entries.
    pub const fn new(size: u64, read: R) -> Self {
        Self { size, edge: BTreeMap::new(), tiles: BTreeMap::new(), read }
    }

    /// A reader that knows the right edge of its tree, which saves two tiles a proof.
    pub fn with_edge(range: &Range, read: R) -> Self {
        let parts = perfect_parts(Subtree { start: 0, end: range.size() });
        let edge = parts.into_iter().zip(range.peaks().iter().copied()).collect();
        Self { size: range.size(), edge, tiles: BTreeMap::new(), read }
    }

    /// How many tiles have been read.
    pub fn tiles_read(&self) -> usize {
        self.tiles.len()
    }

    fn tile(&mut self, place: Place) -> Result<&[Hash], TileError> {
        if !self.tiles.contains_key(&place) {
            // A partial tile may be gone once the full one exists.
            let hashes = (self.read)(place)
                .and_then(|bytes| parse_hashes(&bytes, place.width))
                .or_else(|| {
                    let full = place.full();
                    let mut hashes =
                        (self.read)(full).and_then(|bytes| parse_hashes(&bytes, full.width))?;
                    hashes.truncate(usize::try_from(place.width).ok()?);
                    Some(hashes)
                })
                .ok_or_else(|| TileError::Missing { path: place.path() })?;
            self.tiles.insert(place, hashes);
        }
        Ok(self.tiles.get(&place).map_or(&[], Vec::as_slice))
    }
}

impl<R: FnMut(Place) -> Option<Vec<u8>>> Nodes for Reader<R> {
    type Error = TileError;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, TileError> {
        if let Some(hash) = self.edge.get(&(level, index)) {
            return Ok(*hash);
        }
        let outside = TileError::Outside { size: self.size, level, index };
        let (tile_level, inner) = (level / HEIGHT, level % HEIGHT);
        let row = self.size.checked_shr(tile_level * HEIGHT).unwrap_or(0);
        let first = index << inner;
        let Some(place) = Place::holding(Kind::Hashes(tile_level), first, row) else {
            return Err(outside);
        };
        let count = 1_usize << inner;
        let hashes = self.tile(place)?;
        let from = usize::try_from(first % super::WIDTH).unwrap_or(usize::MAX);
        let Some(part) = hashes.get(from..from.saturating_add(count)) else { return Err(outside) };
        perfect_root(&mut part.to_vec()).ok_or(outside)
    }
}
