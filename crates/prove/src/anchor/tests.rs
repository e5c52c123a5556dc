//! The anchor by itself.

use super::*;
use crate::tile::builder::Builder;

fn log(at: &Directory, size: u64) -> Checkpoint {
    let mut builder = Builder::new();
    for n in 0..size {
        builder.push(&n.to_be_bytes()).unwrap();
    }
    let root = builder.range().root();
    for resource in builder.finish() {
        at.write_once(&resource.place.path(), &resource.bytes).unwrap();
    }
    Checkpoint { origin: "audit.test/x".to_owned(), size, root }
}

fn note(checkpoint: &Checkpoint) -> String {
    crate::testing::ring(&[1])
        .sign_note("audit.test/x", checkpoint.to_string())
        .unwrap()
        .to_string()
}

#[test]
fn an_anchor_grows_keeps_every_leaf_and_never_shrinks() {
    let files = tempfile::tempdir().unwrap();
    let anchor = Anchor::new(Directory::new(files.path().join("anchor")));
    for size in [1, 255, 256, 257, 600] {
        let at = Directory::new(files.path().join(size.to_string()));
        let checkpoint = log(&at, size);
        anchor.publish(&checkpoint, &note(&checkpoint), &at).unwrap();
        let leaves = anchor.leaves("audit.test/x", size).unwrap();
        let expected: Vec<Hash> =
            (0..size).map(|n| crate::merkle::leaf(&n.to_be_bytes())).collect();
        assert_eq!(leaves, expected);
        assert_eq!(anchor.latest("audit.test/x").unwrap().unwrap().checkpoint, checkpoint);
    }
    let sizes: Vec<u64> =
        anchor.checkpoints("audit.test/x").unwrap().into_iter().map(|(size, _)| size).collect();
    assert_eq!(sizes, [1, 255, 256, 257, 600]);
    let at = Directory::new(files.path().join("257"));
    let smaller = log(&at, 257);
    let refused = anchor.publish(&smaller, &note(&smaller), &at);
    assert!(matches!(refused, Err(AnchorError::Behind { anchored: 600, offered: 257, .. })));
    assert_eq!(anchor.latest("audit.test/x").unwrap().unwrap().checkpoint.size, 600);
}

#[test]
fn leaves_of_another_log_under_a_larger_size_do_not_give_its_root() {
    let files = tempfile::tempdir().unwrap();
    let anchor = Anchor::new(Directory::new(files.path().join("anchor")));
    let at = Directory::new(files.path().join("a"));
    let checkpoint = log(&at, 256);
    anchor.publish(&checkpoint, &note(&checkpoint), &at).unwrap();
    let other = Directory::new(files.path().join("b"));
    let mut builder = Builder::new();
    for n in 0..300_u64 {
        builder.push(&(n + 1).to_be_bytes()).unwrap();
    }
    for resource in builder.finish() {
        other.write_once(&resource.place.path(), &resource.bytes).unwrap();
    }
    let forked = Checkpoint { size: 300, ..checkpoint };
    // Tile 000 is full in the anchor already, so only the new tile is looked at here; the rest is
    // the verifier's to find: the leaves do not give the root.
    anchor.publish(&forked, &note(&forked), &other).unwrap();
    let mut range = crate::merkle::Range::new();
    for leaf in anchor.leaves("audit.test/x", 300).unwrap() {
        range.push(leaf);
    }
    assert_ne!(range.root(), forked.root);
}
