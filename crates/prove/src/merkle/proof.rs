//! Inclusion and consistency proofs: making them (RFC 6962, 2.1.1 and 2.1.2) and checking them.
//!
//! A proof is first planned as a list of subtrees, which needs no hashes; whoever holds the nodes
//! then turns each subtree into its hash. The checks follow RFC 9162, 2.1.3.2 and 2.1.4.2.

use super::{Hash, empty_root, fold, node};

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The entry lies outside the tree.
    #[error("entry {index} lies outside a tree of {size} entries")]
    Outside {
        /// The entry asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The older tree is larger than the newer.
    #[error("a tree of {new} entries cannot continue one of {old}")]
    Shrunk {
        /// The size of the older tree.
        old: u64,
        /// The size of the newer tree.
        new: u64,
    },
    /// The proof has too few or too many hashes.
    #[error("the proof does not have the length these sizes ask for")]
    Length,
    /// The hashes do not lead to the root.
    #[error("the hashes of the proof do not lead to the root")]
    Root,
}

/// The entries `start..end`, a subtree of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtree {
    /// The first entry.
    pub start: u64,
    /// One past the last entry.
    pub end: u64,
}

/// A source of the roots of perfect subtrees.
pub trait Nodes {
    /// Why a node could not be had.
    type Error;

    /// The root of the `index`-th perfect subtree of `2^level` entries.
    ///
    /// # Errors
    /// When the node cannot be had.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Splits a subtree into perfect ones, as (level, index), the largest first.
#[must_use]
pub fn perfect_parts(subtree: Subtree) -> Vec<(u32, u64)> {
    let mut parts = Vec::new();
    let mut start = subtree.start;
    while start < subtree.end {
        let fits = 63 - (subtree.end - start).leading_zeros();
        let aligned = if start == 0 { 63 } else { start.trailing_zeros() };
        let level = fits.min(aligned);
        parts.push((level, start >> level));
        start += 1 << level;
    }
    parts
}

/// The hash of a subtree that starts at a multiple of a power of two not below its length, as all
/// subtrees in proofs do.
///
/// # Errors
/// When a node cannot be had.
pub fn subtree_hash<N: Nodes>(subtree: Subtree, nodes: &mut N) -> Result<Hash, N::Error> {
    let parts = perfect_parts(subtree)
        .into_iter()
        .map(|(level, index)| nodes.node(level, index))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(fold(&parts).unwrap_or_else(empty_root))
}

/// The largest power of two below `n`, for `n` of two and more.
const fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// The subtrees whose hashes prove that entry `index` is in a tree of `size` entries.
///
/// # Errors
/// When the entry lies outside the tree.
pub fn inclusion(index: u64, size: u64) -> Result<Vec<Subtree>, ProofError> {
    if index >= size {
        return Err(ProofError::Outside { index, size });
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(Subtree { start: middle, end });
            end = middle;
        } else {
            path.push(Subtree { start, end: middle });
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The subtrees whose hashes prove that a tree of `new` entries continues one of `old`.
///
/// # Errors
/// When the newer tree is smaller.
pub fn consistency(old: u64, new: u64) -> Result<Vec<Subtree>, ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(path);
    }
    let (mut start, mut end) = (0, new);
    while end > old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(Subtree { start: middle, end });
            end = middle;
        } else {
            path.push(Subtree { start, end: middle });
            start = middle;
        }
    }
    // The old tree itself needs no hash: whoever checks knows its root.
    if start > 0 {
        path.push(Subtree { start, end });
    }
    path.reverse();
    Ok(path)
}

/// Checks that `leaf` is entry `index` of the tree with this size and root.
///
/// # Errors
/// When the proof does not show that.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Outside { index, size });
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree of `new` entries starts with the entries of the tree of `old`.
///
/// # Errors
/// When the proof does not show that.
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == new || old == 0 {
        if !proof.is_empty() {
            return Err(ProofError::Length);
        }
        let same = if old == 0 { *old_root == empty_root() } else { old_root == new_root };
        return if same { Ok(()) } else { Err(ProofError::Root) };
    }
    let mut rest = proof.iter();
    // A tree that is a power of two is itself the first node of the path.
    let first =
        if old.is_power_of_two() { *old_root } else { *rest.next().ok_or(ProofError::Length)? };
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            old_hash = node(sibling, &old_hash);
            new_hash = node(sibling, &new_hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node(&new_hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(ProofError::Root) }
}
