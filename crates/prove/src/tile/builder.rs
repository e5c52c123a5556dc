//! Growing a log: which tiles and bundles new entries make.

use super::{Kind, Place, WIDTH, parse_entries, parse_hashes};
use crate::merkle::{Hash, Range, leaf, perfect_root};

/// Why a log cannot be grown.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The right edge of the log is missing or has the wrong length.
    #[error("the tile {path} at the right edge of the log is missing or damaged")]
    Edge {
        /// The tile.
        path: String,
    },
    /// An entry is longer than the layout can say.
    #[error("entry {seq} has {bytes} bytes, more than a bundle can hold")]
    TooLong {
        /// Its place in the log.
        seq: u64,
        /// Its length.
        bytes: usize,
    },
}

/// A tile or bundle to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Where it lies.
    pub place: Place,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A log under construction: its right edge, and what has been finished but not taken yet.
#[derive(Debug)]
pub struct Builder {
    range: Range,
    /// The unfinished tile of each level.
    levels: Vec<Vec<Hash>>,
    bundle: Vec<u8>,
    finished: Vec<Resource>,
    grown_from: u64,
    /// Whether entries of the unfinished bundle are known by their hashes alone.
    hole: bool,
}

impl Builder {
    /// A log without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            range: Range::new(),
            levels: Vec::new(),
            bundle: Vec::new(),
            finished: Vec::new(),
            grown_from: 0,
            hole: false,
        }
    }

    /// Goes on with a log of `size` entries whose right edge `read` can give.
    ///
    /// # Errors
    /// When a tile of the right edge is missing or has the wrong length.
    pub fn resume(
        size: u64,
        mut read: impl FnMut(Place) -> Option<Vec<u8>>,
    ) -> Result<Self, BuildError> {
        let mut builder = Self::resume_hashes(size, &mut read)?;
        if !size.is_multiple_of(WIDTH) {
            let place = Place { kind: Kind::Entries, index: size / WIDTH, width: size % WIDTH };
            builder.bundle = read(place)
                .filter(|bytes| parse_entries(bytes, place.width).is_some())
                .ok_or_else(|| BuildError::Edge { path: place.path() })?;
            builder.hole = false;
        }
        Ok(builder)
    }

    /// The same without the unfinished bundle, which is not made then: entries of it are lost.
    ///
    /// # Errors
    /// When a tile of the right edge is missing or has the wrong length.
    pub fn resume_hashes(
        size: u64,
        mut read: impl FnMut(Place) -> Option<Vec<u8>>,
    ) -> Result<Self, BuildError> {
        let mut builder = Self { grown_from: size, ..Self::new() };
        let mut peaks: Vec<Vec<Hash>> = Vec::new();
        let (mut level, mut total) = (0, size);
        while total > 0 {
            let width = total % WIDTH;
            let mut hashes = Vec::new();
            if width > 0 {
                let place = Place { kind: Kind::Hashes(level), index: total / WIDTH, width };
                hashes = read(place)
                    .and_then(|bytes| parse_hashes(&bytes, width))
                    .ok_or_else(|| BuildError::Edge { path: place.path() })?;
            }
            peaks.push(tile_peaks(&hashes));
            builder.levels.push(hashes);
            level += 1;
            total /= WIDTH;
        }
        builder.hole = !size.is_multiple_of(WIDTH);
        let peaks = peaks.into_iter().rev().flatten().collect();
        builder.range = Range::from_parts(size, peaks)
            .ok_or_else(|| BuildError::Edge { path: "tile/0".to_owned() })?;
        Ok(builder)
    }

    /// Appends an entry and says its hash.
    ///
    /// # Errors
    /// When the entry is longer than 65,535 bytes.
    pub fn push(&mut self, entry: &[u8]) -> Result<Hash, BuildError> {
        let seq = self.range.size();
        let length = u16::try_from(entry.len())
            .map_err(|_| BuildError::TooLong { seq, bytes: entry.len() })?;
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry);
        let hash = leaf(entry);
        self.range.push(hash);
        if self.range.size().is_multiple_of(WIDTH) {
            let place = Place { kind: Kind::Entries, index: seq / WIDTH, width: WIDTH };
            let bytes = std::mem::take(&mut self.bundle);
            if !std::mem::take(&mut self.hole) {
                self.finished.push(Resource { place, bytes });
            }
        }
        self.add(0, hash);
        Ok(hash)
    }

    /// Appends an entry that is known by its hash alone. Its bundle is not made.
    pub fn push_hash(&mut self, hash: Hash) {
        self.range.push(hash);
        self.hole = !self.range.size().is_multiple_of(WIDTH);
        if !self.hole {
            self.bundle.clear();
        }
        self.add(0, hash);
    }

    /// Puts a hash into a level; a tile that is full thereby puts its root into the next.
    fn add(&mut self, level: u32, hash: Hash) {
        let mut hash = hash;
        let mut items = self.range.size();
        for (level, tile) in (level..).zip(0..=self.levels.len()) {
            if tile == self.levels.len() {
                self.levels.push(Vec::with_capacity(256));
            }
            let Some(hashes) = self.levels.get_mut(tile) else { return };
            hashes.push(hash);
            if !items.is_multiple_of(WIDTH) {
                return;
            }
            let place = Place { kind: Kind::Hashes(level), index: items / WIDTH - 1, width: WIDTH };
            self.finished.push(Resource { place, bytes: hashes.concat() });
            let Some(root) = perfect_root(hashes) else { return };
            hashes.clear();
            hash = root;
            items /= WIDTH;
        }
    }

    /// The tree so far.
    #[must_use]
    pub const fn range(&self) -> &Range {
        &self.range
    }

    /// Takes what became full since the last call, so that a long build needs little memory.
    pub fn take_finished(&mut self) -> Vec<Resource> {
        std::mem::take(&mut self.finished)
    }

    /// Everything still to be written, the partial tiles of the right edge included.
    #[must_use]
    pub fn finish(mut self) -> Vec<Resource> {
        let mut resources = self.take_finished();
        let (size, mut items, mut before) = (self.range.size(), self.range.size(), self.grown_from);
        for (level, hashes) in (0..).zip(&self.levels) {
            let width = items % WIDTH;
            if width > 0 && items != before {
                let place = Place { kind: Kind::Hashes(level), index: items / WIDTH, width };
                resources.push(Resource { place, bytes: hashes.concat() });
            }
            items /= WIDTH;
            before /= WIDTH;
        }
        if size % WIDTH > 0 && size != self.grown_from && !self.hole {
            let place = Place { kind: Kind::Entries, index: size / WIDTH, width: size % WIDTH };
            resources.push(Resource { place, bytes: self.bundle });
        }
        resources
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// The roots of the perfect subtrees a partial tile is made of, the largest first.
fn tile_peaks(hashes: &[Hash]) -> Vec<Hash> {
    let mut range = Range::new();
    for hash in hashes {
        range.push(*hash);
    }
    range.peaks().to_vec()
}
