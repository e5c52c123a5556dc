//! Tiles: paths, growth, and reading nodes back.

use std::collections::BTreeMap;

use super::builder::{BuildError, Builder};
use super::reader::Reader;
use super::*;
use crate::merkle::proof::{Nodes as _, inclusion, subtree_hash, verify_inclusion};
use crate::merkle::{Range, leaf};

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

/// Grows a log in one go.
fn built(size: u64) -> (Range, BTreeMap<Place, Vec<u8>>) {
    let mut builder = Builder::new();
    for n in 0..size {
        builder.push(&entry(n)).unwrap();
    }
    let range = builder.range().clone();
    (range, builder.finish().into_iter().map(|r| (r.place, r.bytes)).collect())
}

#[test]
fn paths_are_those_of_the_layout() {
    let place = |kind, index, width| Place { kind, index, width }.path();
    assert_eq!(place(Kind::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(place(Kind::Hashes(1), 0, 256), "tile/1/000");
    assert_eq!(place(Kind::Hashes(0), 273, 112), "tile/0/273.p/112");
    assert_eq!(place(Kind::Entries, 1000, 5), "tile/entries/x001/000.p/5");
}

#[test]
fn a_tree_of_70000_has_the_tiles_the_layout_names() {
    let (_, files) = built(70_000);
    let count = |kind, full: bool| {
        files.keys().filter(|p| p.kind == kind && (p.width == WIDTH) == full).count()
    };
    assert_eq!((count(Kind::Hashes(0), true), count(Kind::Hashes(0), false)), (273, 1));
    assert_eq!((count(Kind::Hashes(1), true), count(Kind::Hashes(1), false)), (1, 1));
    assert_eq!((count(Kind::Hashes(2), true), count(Kind::Hashes(2), false)), (0, 1));
    assert!(files.contains_key(&Place { kind: Kind::Hashes(0), index: 273, width: 112 }));
    assert!(files.contains_key(&Place { kind: Kind::Hashes(1), index: 1, width: 17 }));
    assert!(files.contains_key(&Place { kind: Kind::Hashes(2), index: 0, width: 1 }));
    assert_eq!((count(Kind::Entries, true), count(Kind::Entries, false)), (273, 1));
}

#[test]
fn a_log_grown_in_steps_is_the_log_grown_at_once() {
    let steps = [0, 1, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 65_537, 65_800];
    let mut files: BTreeMap<Place, Vec<u8>> = BTreeMap::new();
    for pair in steps.windows(2) {
        let mut builder = Builder::resume(pair[0], |place| files.get(&place).cloned()).unwrap();
        for n in pair[0]..pair[1] {
            assert_eq!(builder.push(&entry(n)).unwrap(), leaf(&entry(n)));
        }
        let range = builder.range().clone();
        files.extend(builder.finish().into_iter().map(|r| (r.place, r.bytes)));
        let (at_once, expected) = built(pair[1]);
        assert_eq!(range, at_once, "{}", pair[1]);
        for (place, bytes) in &expected {
            assert_eq!(files.get(place), Some(bytes), "{} at {}", place.path(), pair[1]);
        }
    }
}

#[test]
fn a_missing_or_damaged_edge_is_refused() {
    let (_, files) = built(300);
    for gone in files.keys().filter(|place| place.width < WIDTH) {
        let missing = Builder::resume(300, |p| files.get(&p).filter(|_| p != *gone).cloned());
        assert!(matches!(missing, Err(BuildError::Edge { .. })), "{}", gone.path());
        let short = Builder::resume(300, |place| {
            let mut bytes = files.get(&place)?.clone();
            if place == *gone {
                bytes.pop();
            }
            Some(bytes)
        });
        assert!(matches!(short, Err(BuildError::Edge { .. })), "{}", gone.path());
    }
}

#[test]
fn an_entry_too_long_for_a_bundle_is_refused() {
    let mut builder = Builder::new();
    assert!(builder.push(&vec![0; 65_535]).is_ok());
    let refused = builder.push(&vec![0; 65_536]);
    assert!(matches!(refused, Err(BuildError::TooLong { seq: 1, bytes: 65_536 })));
    assert_eq!(builder.range().size(), 1);
}

#[test]
fn bundles_round_trip_and_damaged_ones_are_refused() {
    let (_, files) = built(3);
    let bytes = &files[&Place { kind: Kind::Entries, index: 0, width: 3 }];
    let expected = [entry(0), entry(1), entry(2)];
    assert_eq!(parse_entries(bytes, 3).unwrap(), expected);
    assert_eq!(parse_entries(bytes, 2), None);
    assert_eq!(parse_entries(&bytes[..bytes.len() - 1], 3), None);
    assert_eq!(parse_hashes(&[0; 64], 2), Some(vec![[0; 32]; 2]));
    assert_eq!(parse_hashes(&[0; 63], 2), None);
}

#[test]
fn proofs_come_out_of_tiles_also_when_partial_ones_are_gone() {
    for size in [1, 2, 255, 256, 257, 700, 65_537] {
        let (range, files) = built(size);
        // As if the log had grown on: only the full versions are left.
        let (_, grown) = built(size.next_multiple_of(WIDTH));
        for edge in [false, true] {
            let read = |place: Place| {
                let superseded = place.width < WIDTH && !edge && place.kind == Kind::Hashes(0);
                if superseded {
                    None
                } else {
                    files.get(&place).or_else(|| grown.get(&place)).cloned()
                }
            };
            let mut reader =
                if edge { Reader::with_edge(&range, read) } else { Reader::new(size, read) };
            for index in [0, size / 2, size - 1] {
                let proof: Vec<Hash> = inclusion(index, size)
                    .unwrap()
                    .into_iter()
                    .map(|subtree| subtree_hash(subtree, &mut reader).unwrap())
                    .collect();
                let hash = leaf(&entry(index));
                verify_inclusion(&hash, index, size, &proof, &range.root()).unwrap();
            }
            assert!(reader.node(0, size).is_err(), "there is no leaf {size}");
        }
    }
}
