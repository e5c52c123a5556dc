//! Proofs out of a published log, checked by what checks those of others.

use std::path::Path;

use db::AuditKey;
use serde_json::{Value, json};

use super::*;
use crate::directory::Readable;
use crate::merkle::empty_root;
use crate::merkle::proof::verify_consistency;
use crate::publish::{Publisher, Unsigned, write};
use crate::signer::Signer;
use crate::testing::ring;
use crate::tile::builder::Builder;

const ORIGIN: &str = "audit.test/018f0000-0000-7000-8000-000000000001";

/// A log of `size` entries, signed and published after each of `stops` and at its end, and its roots
/// from size 0 on.
fn log(stops: &[u64], size: u64) -> (tempfile::TempDir, Directory, Vec<Hash>) {
    let files = tempfile::tempdir().unwrap();
    let at = |name: &str| Directory::new(files.path().join(name));
    let publisher = Publisher {
        deployment: "test".to_owned(),
        logs: at("tlog"),
        signer: Signer::new(ring(&[1]), at("signer")),
        anchor: None,
        audit_key: AuditKey::new(&[1; 32]),
        witness: None,
        unsigned: Unsigned::Sequence,
    };
    let log = publisher.logs.below(ORIGIN);
    let (mut signed, mut roots) = (0, vec![empty_root()]);
    for stop in stops.iter().copied().chain([size]) {
        let mut builder = Builder::resume(signed, |place| read(&log, place)).unwrap();
        for at in signed..stop {
            builder.push(&at.to_be_bytes()).unwrap();
            roots.push(builder.range().root());
        }
        let range = builder.range().clone();
        write(&log, &builder.finish()).unwrap();
        publisher.seal(ORIGIN.to_owned(), signed, &range).unwrap();
        signed = stop;
    }
    (files, log, roots)
}

fn root(roots: &[Hash], size: u64) -> &Hash {
    &roots[usize::try_from(size).unwrap()]
}

#[test]
fn every_size_a_log_has_had_is_shown_to_be_continued() {
    let (_files, log, roots) = log(&[1, 7, 100, 256, 300], 523);
    for to in [0, 1, 2, 7, 8, 99, 100, 255, 256, 257, 300, 511, 512, 522, 523] {
        for from in (0..=to).step_by(5).chain([to]) {
            let proof = between(&log, from, to).unwrap();
            let (before, after) = (root(&roots, from), root(&roots, to));
            let shown = verify_consistency((from, before), (to, after), &proof);
            assert_eq!(shown, Ok(()), "{from} to {to}");
        }
    }
}

#[test]
fn an_edge_that_is_of_another_checkpoint_is_not_used() {
    let (_files, log, roots) = log(&[100], 300);
    log.write("edge", &[0; 8], Readable::ByAll).unwrap();
    let proof = between(&log, 100, 300).unwrap();
    let sizes = ((100, root(&roots, 100)), (300, root(&roots, 300)));
    assert_eq!(verify_consistency(sizes.0, sizes.1, &proof), Ok(()));
}

#[test]
fn sizes_that_are_not_there_have_no_proof() {
    let (files, log, _) = log(&[], 9);
    let asked = |from, to| between(&log, from, to).unwrap_err();
    assert!(matches!(asked(1, 10), ContinuationError::NotYet { size: 9, asked: 10 }));
    assert!(matches!(asked(1, u64::MAX), ContinuationError::NotYet { .. }));
    assert!(matches!(
        asked(8, 7),
        ContinuationError::Shrunk(ProofError::Shrunk { old: 8, new: 7 })
    ));
    std::fs::remove_dir_all(log.path().join("tile")).unwrap();
    assert!(matches!(asked(3, 9), ContinuationError::Tile(_)));
    let none = Directory::new(files.path().join("none"));
    let error = between(&none, 0, 0).unwrap_err();
    assert!(matches!(error, ContinuationError::Log(BundleError::NoCheckpoint)));
}

/// What the console's own check of such proofs is tested with; `UPDATE_DOCS=1` writes it anew.
#[test]
fn the_vectors_of_the_console_are_made_here() {
    let (_files, log, roots) = log(&[300], 523);
    let root = |size| root(&roots, size);
    let sizes = (1..9).flat_map(|to| (1..=to).map(move |from| (from, to)));
    let larger = [(1, 523), (100, 300), (255, 257), (256, 512), (300, 523), (511, 512), (522, 523)];
    let vectors: Vec<Value> = sizes
        .chain(larger)
        .map(|(from, to)| {
            let line = |hash: &Hash| STANDARD.encode(hash);
            let proof = lines(&between(&log, from, to).unwrap());
            let (before, after) = (line(root(from)), line(root(to)));
            json!({"from": from, "to": to, "before": before, "after": after, "proof": proof})
        })
        .collect();
    let made = serde_json::to_string_pretty(&vectors).unwrap() + "\n";
    let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let path = Path::new(&root).join("../..").join("web/src/logic/consistencyVectors.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == made, "{}: UPDATE_DOCS=1 writes it anew", path.display());
}
