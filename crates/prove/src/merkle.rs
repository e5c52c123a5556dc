//! Merkle tree hashing after RFC 6962, section 2.1: leaves, nodes, and the compact range.

use sha2::{Digest as _, Sha256};

pub mod proof;

/// A node of the tree: a SHA-256.
pub type Hash = [u8; 32];

/// The hash of one entry: `SHA-256(0x00 || entry)`.
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(entry);
    hash.finalize().into()
}

/// The hash of two neighbours: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// The root of the tree without entries: the SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// Everything needed to append to a tree and to know its root.
///
/// Holds the roots of the perfect subtrees the tree is made of, the largest first: one for each
/// bit set in its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    size: u64,
    peaks: Vec<Hash>,
}

impl Range {
    /// The tree without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// Puts a range together again; none when the number of peaks does not belong to the size.
    #[must_use]
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        let wanted = usize::try_from(size.count_ones()).ok()?;
        (peaks.len() == wanted).then_some(Self { size, peaks })
    }

    /// How many entries the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its perfect subtrees, the largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends the hash of an entry.
    pub fn push(&mut self, leaf: Hash) {
        let mut right = leaf;
        for _ in 0..self.size.trailing_ones() {
            // There is a peak for every bit set in the size, so there is one to merge with here.
            if let Some(left) = self.peaks.pop() {
                right = node(&left, &right);
            }
        }
        self.peaks.push(right);
        self.size += 1;
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.peaks).unwrap_or_else(empty_root)
    }
}

/// Joins neighbouring subtrees from the right; none when there are none.
pub(crate) fn fold(peaks: &[Hash]) -> Option<Hash> {
    peaks.iter().rev().copied().reduce(|right, left| node(&left, &right))
}

/// The root of a perfect subtree with the given nodes as its lowest row.
///
/// `row` is used up: it holds the upper rows while they are computed. None when its length is no
/// power of two.
pub(crate) fn perfect_root(row: &mut Vec<Hash>) -> Option<Hash> {
    if !row.len().is_power_of_two() {
        return None;
    }
    while row.len() > 1 {
        let upper: Vec<Hash> = row
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [left, right] => Some(node(left, right)),
                _ => None,
            })
            .collect();
        *row = upper;
    }
    row.first().copied()
}

#[cfg(test)]
mod tests;
