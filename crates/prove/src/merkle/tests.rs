//! The tree against the vectors of RFC 6962's reference implementation and against its definition.

use std::convert::Infallible;

use super::proof::{
    Nodes, ProofError, Subtree, consistency, inclusion, subtree_hash, verify_consistency,
    verify_inclusion,
};
use super::*;

/// The definition in RFC 6962, 2.1, word by word.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let k = many.len().next_power_of_two() / 2;
            node(&defined(&many[..k]), &defined(&many[k..]))
        }
    }
}

fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|i| leaf(&i.to_be_bytes())).collect()
}

struct Held<'a>(&'a [Hash]);

impl Nodes for Held<'_> {
    type Error = Infallible;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let width = 1_usize << level;
        let start = usize::try_from(index).unwrap() * width;
        Ok(defined(&self.0[start..start + width]))
    }
}

fn hashes(subtrees: Vec<Subtree>, leaves: &[Hash]) -> Vec<Hash> {
    subtrees.into_iter().map(|s| subtree_hash(s, &mut Held(leaves)).unwrap()).collect()
}

fn root(leaves: &[Hash]) -> Hash {
    let mut range = Range::new();
    for leaf in leaves {
        range.push(*leaf);
    }
    range.root()
}

/// A generator of numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

const VECTOR_ENTRIES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

const VECTOR_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_the_rfc_6962_vectors() {
    let mut range = Range::new();
    assert_eq!(hex::encode(range.root()), VECTOR_ROOTS[0]);
    for (entry, expected) in VECTOR_ENTRIES.iter().zip(&VECTOR_ROOTS[1..]) {
        range.push(leaf(&hex::decode(entry).unwrap()));
        assert_eq!(hex::encode(range.root()), *expected);
    }
}

#[test]
fn an_inclusion_proof_is_that_of_the_rfc_6962_vectors() {
    let leaves: Vec<Hash> =
        VECTOR_ENTRIES.iter().map(|entry| leaf(&hex::decode(entry).unwrap())).collect();
    let proof = hashes(inclusion(0, 8).unwrap(), &leaves);
    let expected = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    assert_eq!(proof.iter().map(hex::encode).collect::<Vec<_>>(), expected);
}

#[test]
fn a_range_has_the_root_of_the_definition_at_every_size() {
    let leaves = leaves(300);
    let mut range = Range::new();
    for (n, leaf) in leaves.iter().enumerate() {
        assert_eq!(range.root(), defined(&leaves[..n]), "{n}");
        let parts = Range::from_parts(range.size(), range.peaks().to_vec());
        assert_eq!(parts.as_ref(), Some(&range));
        range.push(*leaf);
    }
    assert_eq!(Range::from_parts(3, vec![[0; 32]]), None);
}

#[test]
fn every_proof_of_every_small_tree_holds_and_its_neighbours_do_not() {
    let leaves = leaves(33);
    for size in 1..=33_usize {
        let tree = &leaves[..size];
        let (n, top) = (u64::try_from(size).unwrap(), root(tree));
        for index in 0..n {
            let at = usize::try_from(index).unwrap();
            let proof = hashes(inclusion(index, n).unwrap(), tree);
            assert_eq!(verify_inclusion(&tree[at], index, n, &proof, &top), Ok(()));
            assert!(verify_inclusion(&leaves[(at + 1) % 33], index, n, &proof, &top).is_err());
            let other = (index + 1) % n;
            assert!(n == 1 || verify_inclusion(&tree[at], other, n, &proof, &top).is_err());
        }
        for old in 0..=n {
            let before = root(&tree[..usize::try_from(old).unwrap()]);
            let proof = hashes(consistency(old, n).unwrap(), tree);
            assert_eq!(verify_consistency((old, &before), (n, &top), &proof), Ok(()));
            assert!(verify_consistency((old, &[7; 32]), (n, &top), &proof).is_err());
            if old > 0 {
                assert!(verify_consistency((old, &before), (n, &[7; 32]), &proof).is_err());
            }
        }
    }
}

#[test]
fn l9_the_empty_tree_and_impossible_sizes_are_refused() {
    let one = leaf(b"x");
    assert_eq!(inclusion(0, 0), Err(ProofError::Outside { index: 0, size: 0 }));
    assert!(verify_inclusion(&one, 0, 0, &[], &empty_root()).is_err());
    assert!(verify_inclusion(&one, 1, 1, &[], &one).is_err());
    assert_eq!(verify_inclusion(&one, 0, 1, &[], &one), Ok(()));
    assert_eq!(verify_inclusion(&one, 0, 1, &[one], &one), Err(ProofError::Length));
    assert!(verify_consistency((1, &one), (0, &empty_root()), &[]).is_err());
    assert!(verify_consistency((0, &one), (1, &one), &[]).is_err());
    assert_eq!(verify_consistency((0, &empty_root()), (1, &one), &[]), Ok(()));
    assert!(verify_consistency((0, &empty_root()), (1, &one), &[one]).is_err());
    assert!(verify_inclusion(&one, 0, u64::MAX, &[], &one).is_err());
}

/// Flips every bit, drops, repeats and swaps hashes, shifts the sizes: all must be refused.
fn mutate(proof: &[Hash], accepts: impl Fn(&[Hash]) -> bool) {
    assert!(accepts(proof));
    for at in 0..proof.len() {
        for bit in 0..256 {
            let mut changed = proof.to_vec();
            changed[at][bit / 8] ^= 1 << (bit % 8);
            assert!(!accepts(&changed), "bit {bit} of hash {at}");
        }
        let mut dropped = proof.to_vec();
        dropped.remove(at);
        assert!(!accepts(&dropped), "without hash {at}");
        let mut repeated = proof.to_vec();
        repeated.insert(at, proof[at]);
        assert!(!accepts(&repeated), "hash {at} twice");
        for other in at + 1..proof.len() {
            let mut swapped = proof.to_vec();
            swapped.swap(at, other);
            assert!(!accepts(&swapped), "hashes {at} and {other} swapped");
        }
    }
    let mut longer = proof.to_vec();
    longer.push([0; 32]);
    assert!(!accepts(&longer));
}

#[test]
fn l9_every_mutation_of_200_random_proofs_is_refused() {
    const SIZES: [u64; 8] = [1, 2, 255, 256, 257, 65_535, 65_536, 65_537];
    let all = leaves(65_537);
    // Trees as tiles hold them, so that a proof of a large tree does not hash all of it again.
    let trees: Vec<(u64, Hash, Vec<Vec<Hash>>)> = SIZES
        .iter()
        .map(|&size| {
            let tree = &all[..usize::try_from(size).unwrap()];
            (size, root(tree), rows(tree))
        })
        .collect();
    let mut numbers = Numbers(9);
    for round in 0..200_usize {
        let (size, top, rows) = &trees[round % trees.len()];
        let index = numbers.below(*size);
        let leaf = rows[0][usize::try_from(index).unwrap()];
        let made = |subtrees: Vec<Subtree>| -> Vec<Hash> {
            subtrees.into_iter().map(|s| subtree_hash(s, &mut Rows(rows)).unwrap()).collect()
        };
        if round % 2 == 0 {
            let proof = made(inclusion(index, *size).unwrap());
            mutate(&proof, |p| verify_inclusion(&leaf, index, *size, p, top).is_ok());
            for (i, n) in [(index + 1, *size), (index.wrapping_sub(1), *size)] {
                assert!(verify_inclusion(&leaf, i, n, &proof, top).is_err(), "index {i} of {n}");
            }
            for n in [*size + 1, *size - 1, *size * 2] {
                assert_refused_or_same_path(&leaf, index, (*size, n), &proof, top);
            }
        } else {
            let old = 1 + index;
            let before = prefix_root(old, rows);
            let proof = made(consistency(old, *size).unwrap());
            if old < *size {
                mutate(&proof, |p| verify_consistency((old, &before), (*size, top), p).is_ok());
            }
            // One more old entry under the same root is never the same tree.
            assert!(
                old == *size
                    || verify_consistency((old + 1, &before), (*size, top), &proof).is_err()
            );
        }
    }
}

/// A proof says nothing about how many entries lie right of its path: the size is bound by the
/// signature over size and root, not by the hashes. Where another size has another path it must be
/// refused, and where it has the same the root that was signed for it differs.
fn assert_refused_or_same_path(
    leaf: &Hash,
    index: u64,
    (size, other): (u64, u64),
    proof: &[Hash],
    top: &Hash,
) {
    let shape = |n| {
        inclusion(index, n).map(|path| path.iter().map(|s| s.start < index).collect::<Vec<_>>())
    };
    let same = shape(size) == shape(other);
    let accepted = verify_inclusion(leaf, index, other, proof, top).is_ok();
    assert_eq!(accepted, same, "index {index}, size {size} read as {other}");
}

/// The rows of perfect nodes of a tree.
fn rows(leaves: &[Hash]) -> Vec<Vec<Hash>> {
    let mut rows = vec![leaves.to_vec()];
    while rows[rows.len() - 1].len() > 1 {
        let upper = rows[rows.len() - 1].chunks_exact(2).map(|p| node(&p[0], &p[1])).collect();
        rows.push(upper);
    }
    rows
}

fn prefix_root(size: u64, rows: &[Vec<Hash>]) -> Hash {
    subtree_hash(Subtree { start: 0, end: size }, &mut Rows(rows)).unwrap()
}

struct Rows<'a>(&'a [Vec<Hash>]);

impl Nodes for Rows<'_> {
    type Error = Infallible;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.0[usize::try_from(level).unwrap()][usize::try_from(index).unwrap()])
    }
}
