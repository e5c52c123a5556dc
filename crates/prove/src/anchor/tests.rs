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

#[test]
fn l10_a_cosignature_of_another_root_is_refused_and_one_of_an_older_size_leaves_the_newest() {
    let files = tempfile::tempdir().unwrap();
    let anchor = Anchor::new(Directory::new(files.path().join("anchor")));
    let at = Directory::new(files.path().join("log"));
    let older = log(&at, 3);
    anchor.publish(&older, &note(&older), &at).unwrap();
    let newest = log(&at, 5);
    anchor.publish(&newest, &note(&newest), &at).unwrap();
    let notes = anchor.checkpoints("audit.test/x").unwrap();
    for known in [&older, &newest] {
        let forked = Checkpoint { root: [7; 32], ..known.clone() };
        let refused = anchor.cosigned(&forked, &note(&forked));
        assert!(matches!(refused, Err(AnchorError::Forked { .. })), "{refused:?}");
    }
    assert_eq!(anchor.checkpoints("audit.test/x").unwrap(), notes);
    // A size that was never added: nobody has compared its root.
    let skipped = Checkpoint { size: 4, root: [7; 32], ..older.clone() };
    anchor.cosigned(&skipped, &note(&skipped)).unwrap();
    assert_eq!(anchor.checkpoints("audit.test/x").unwrap(), notes);
    anchor.cosigned(&older, &format!("{}\u{2014} w AAAAAAAA\n", note(&older))).unwrap();
    assert_ne!(anchor.checkpoints("audit.test/x").unwrap(), notes, "its line is there");
    assert_eq!(anchor.latest("audit.test/x").unwrap().unwrap().checkpoint, newest);
}

#[test]
fn l10_an_anchor_never_goes_back_while_cosignatures_arrive() {
    let files = tempfile::tempdir().unwrap();
    let anchor = Anchor::new(Directory::new(files.path().join("anchor")));
    let at = Directory::new(files.path().join("log"));
    std::thread::scope(|scope| {
        // A clone, as the task of the cosignatures has.
        let (publishing, at) = (anchor.clone(), &at);
        let publishing = scope.spawn(move || {
            let mut back = Vec::new();
            for size in 1..=150 {
                let checkpoint = log(at, size);
                publishing.publish(&checkpoint, &note(&checkpoint), at).unwrap();
                for _ in 0..5 {
                    let seen = publishing.latest("audit.test/x").unwrap().unwrap().checkpoint.size;
                    back.extend((seen != size).then_some((size, seen)));
                }
            }
            back
        });
        while !publishing.is_finished() {
            if let Some(last) = anchor.latest("audit.test/x").unwrap() {
                anchor.cosigned(&last.checkpoint, &last.note).unwrap();
            }
        }
        assert_eq!(publishing.join().unwrap(), []);
    });
}

#[test]
fn l10_a_file_written_by_many_at_once_is_whole_and_none_of_them_fails() {
    let files = tempfile::tempdir().unwrap();
    let at = Directory::new(files.path());
    std::thread::scope(|scope| {
        for byte in 0..8_u8 {
            let at = &at;
            scope.spawn(move || {
                for _ in 0..25 {
                    at.write("one", &[byte; 4096], Readable::ByAll).unwrap();
                }
            });
        }
    });
    let bytes = at.read("one").unwrap().unwrap();
    assert!(bytes.len() == 4096 && bytes.iter().all(|byte| Some(byte) == bytes.first()));
    assert_eq!(at.list("").unwrap(), ["one"]);
}
