//! What the signer refuses.

use super::*;
use crate::keys::SigningKey;
use crate::merkle::{Range, leaf};

const ORIGIN: &str = "audit.test/018f0000-0000-7000-8000-000000000001";

fn signer(seeds: &[u8], path: &std::path::Path) -> Signer {
    let keys = seeds.iter().map(|s| SigningKey::from_seed(&[*s; 32]).unwrap()).collect();
    Signer::new(Keyring::of(keys).unwrap(), Directory::new(path))
}

fn log(size: u64) -> Range {
    let mut range = Range::new();
    for n in 0..size {
        range.push(leaf(&n.to_be_bytes()));
    }
    range
}

fn request(range: &Range, proof: Vec<Hash>) -> Request {
    let checkpoint =
        Checkpoint { origin: ORIGIN.to_owned(), size: range.size(), root: range.root() };
    Request { checkpoint, proof }
}

#[test]
fn the_signer_remembers_and_refuses_a_shorter_or_another_log() {
    let temporary = tempfile::tempdir().unwrap();
    let one = signer(&[1], temporary.path());
    assert_eq!(one.last(ORIGIN).unwrap(), None);
    one.sign(&request(&log(4), vec![])).unwrap();
    // A new process, the same state.
    let one = signer(&[1], temporary.path());
    assert_eq!(one.last(ORIGIN).unwrap().unwrap().size, 4);
    let shorter = one.sign(&request(&log(3), vec![]));
    assert!(matches!(shorter, Err(SignError::Smaller { asked: 3, signed: 4, .. })));
    let unproven = one.sign(&request(&log(8), vec![]));
    assert!(matches!(unproven, Err(SignError::Inconsistent { .. })));
    let same_size = Checkpoint { root: [9; 32], ..request(&log(4), vec![]).checkpoint };
    let fork = one.sign(&Request { checkpoint: same_size, proof: vec![] });
    assert!(matches!(fork, Err(SignError::Inconsistent { .. })));
    let mut right = Range::new();
    (4_u64..8).for_each(|n| right.push(leaf(&n.to_be_bytes())));
    one.sign(&request(&log(8), vec![right.root()])).unwrap();
    assert_eq!(one.last(ORIGIN).unwrap().unwrap().size, 8);
}

#[test]
fn l8_a_rotation_overlaps_and_the_policy_follows_it() {
    let temporary = tempfile::tempdir().unwrap();
    let old = signer(&[1], temporary.path()).sign(&request(&log(1), vec![])).unwrap();
    let second = leaf(&1_u64.to_be_bytes());
    let both = signer(&[1, 2], temporary.path()).sign(&request(&log(2), vec![second])).unwrap();
    let third = leaf(&2_u64.to_be_bytes());
    let new = signer(&[2], temporary.path());
    let newest = new.sign(&request(&log(3), vec![third])).unwrap();
    let policy = new.policy(ORIGIN).unwrap();
    for note in [&old, &both, &newest] {
        assert!(policy.open(note, ORIGIN).is_ok(), "{note}");
    }
    let stale = Keyring::of(vec![SigningKey::from_seed(&[1; 32]).unwrap()])
        .unwrap()
        .sign_note(ORIGIN, request(&log(4), vec![]).checkpoint.to_string())
        .unwrap()
        .to_string();
    assert!(matches!(policy.open(&stale, ORIGIN), Err(PolicyError::Range { size: 4 })));
    assert_eq!(policy.trusted.len(), 2);
}

#[test]
fn a_state_somebody_else_wrote_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let one = signer(&[1], temporary.path());
    one.sign(&request(&log(4), vec![])).unwrap();
    let other = tempfile::tempdir().unwrap();
    let forged = signer(&[66], other.path()).sign(&request(&log(1), vec![])).unwrap();
    Directory::new(temporary.path())
        .below(ORIGIN)
        .write(STATE, forged.as_bytes(), Readable::ByAll)
        .unwrap();
    assert!(matches!(one.last(ORIGIN), Err(SignError::ForeignState { .. })));
    assert!(one.sign(&request(&log(8), vec![])).is_err());
}
