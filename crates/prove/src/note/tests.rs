//! Signed notes: the format's own example, and everything that must be refused.

use super::*;
use crate::checkpoint::Checkpoint;
use crate::keys::{Keyring, SigningKey};

const NAME: &str = "audit.test/018f0000-0000-7000-8000-000000000001";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn ring(seeds: &[u8]) -> Keyring {
    Keyring::of(seeds.iter().map(|seed| key(*seed)).collect()).unwrap()
}

fn text(size: u64) -> String {
    let root = crate::merkle::leaf(&size.to_be_bytes());
    Checkpoint { origin: NAME.to_owned(), size, root }.to_string()
}

fn accepts(note: &str, keys: &[VerifierKey]) -> bool {
    note.parse::<Note>().is_ok_and(|note| note.open(&keys).is_ok())
}

#[test]
fn a_verifier_key_round_trips_and_damaged_ones_are_refused() {
    let verifier = key(1).verifier(NAME).unwrap();
    let line = verifier.to_string();
    assert_eq!(line.parse(), Ok(verifier));
    assert!(line.starts_with(&format!("{NAME}+")));
    for at in 0..line.len() {
        let mut damaged = line.clone().into_bytes();
        damaged[at] ^= 1;
        let damaged = String::from_utf8_lossy(&damaged).into_owned();
        assert!(damaged.parse::<VerifierKey>().is_err(), "{damaged}");
    }
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
        assert!(VerifierKey::new(name, key(1).public()).is_err(), "{name:?}");
    }
}

/// The key and note published with Go's checksum database, made by somebody else's code.
#[test]
fn a_verifier_key_made_elsewhere_is_read() {
    let known = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    assert_eq!(known.parse::<VerifierKey>().unwrap().to_string(), known);
}

#[test]
fn a_note_is_opened_by_its_keys_only() {
    let ring = ring(&[1]);
    let note = ring.sign_note(NAME, text(5)).unwrap().to_string();
    let parsed: Note = note.parse().unwrap();
    assert_eq!(parsed.to_string(), note);
    let known = ring.verifiers(NAME).unwrap();
    let (opened, signers) = parsed.open(&&known).unwrap();
    assert_eq!(opened, text(5));
    assert_eq!(signers, known.iter().collect::<Vec<_>>());
    let other_name = key(1).verifier("somebody.else").unwrap();
    let other_key = key(2).verifier(NAME).unwrap();
    assert_eq!(parsed.open(&&[other_name, other_key]), Err(NoteError::NoKnownKey));
    assert_eq!(parsed.open(&&[]), Err(NoteError::NoKnownKey));
}

#[test]
fn l8_two_lines_are_accepted_and_one_bad_line_of_a_known_key_spoils_the_note() {
    let both = ring(&[1, 2]);
    let known = both.verifiers(NAME).unwrap();
    let note: Note = both.sign_note(NAME, text(5)).unwrap();
    assert_eq!(note.open(&&known).unwrap().1.len(), 2);
    for bad in 0..2 {
        let mut lines = note.signatures().to_vec();
        lines[bad].bytes[0] ^= 1;
        let spoiled = Note::new(text(5), lines);
        assert!(matches!(spoiled.open(&&known), Err(NoteError::BadSignature { .. })));
        // Whoever knows only the other key is not disturbed: the line is unknown to them.
        assert!(spoiled.open(&&known[1 - bad..2 - bad]).is_ok());
    }
}

#[test]
fn l8_an_attackers_key_is_not_a_known_key_even_under_our_name_and_id() {
    let known = ring(&[1]).verifiers(NAME).unwrap();
    let forged = ring(&[66]).sign_note(NAME, text(5)).unwrap();
    assert_eq!(forged.open(&&known), Err(NoteError::NoKnownKey));
    let mut lines = forged.signatures().to_vec();
    lines[0].id = known[0].id();
    let posing = Note::new(text(5), lines);
    assert!(matches!(posing.open(&&known), Err(NoteError::BadSignature { .. })));
}

#[test]
fn sixteen_lines_are_accepted_seventeen_are_not() {
    let seeds: Vec<u8> = (1..=17).collect();
    for (count, accepted) in [(16, true), (17, false)] {
        let ring = ring(&seeds[..count]);
        let note = ring.sign_note(NAME, text(5)).unwrap().to_string();
        assert_eq!(accepts(&note, &ring.verifiers(NAME).unwrap()), accepted, "{count}");
    }
}

#[test]
fn a_line_of_another_algorithm_and_any_length_is_ignored() {
    let ring = ring(&[1]);
    let mut lines = ring.sign_note(NAME, text(5)).unwrap().signatures().to_vec();
    lines.push(Signature { name: "witness.example".to_owned(), id: [9; 4], bytes: vec![7; 2420] });
    let note = Note::new(text(5), lines).to_string();
    assert!(accepts(&note, &ring.verifiers(NAME).unwrap()));
}

#[test]
fn malformed_notes_are_refused() {
    let ring = ring(&[1]);
    let known = ring.verifiers(NAME).unwrap();
    let good = ring.sign_note(NAME, text(5)).unwrap().to_string();
    assert!(accepts(&good, &known));
    let bad = [
        String::new(),
        text(5),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{good}x\n"),
        good.replace("\n\n", "\n"),
        good.replace('\u{2014}', "-"),
        good.replacen("audit", "aud\u{7}it", 1),
        good.replace('\n', "\r\n"),
        "x".repeat(MAX_NOTE_BYTES + 1),
    ];
    for note in bad {
        assert!(!accepts(&note, &known), "{note:?}");
    }
}

#[test]
fn l9_every_flipped_bit_of_60_signed_checkpoints_is_refused() {
    for round in 0..60_u8 {
        let ring = ring(&[round + 1]);
        let known = ring.verifiers(NAME).unwrap();
        let size = [0_u64, 1, 255, 256, 257, 65_535, 65_536, 65_537][usize::from(round % 8)];
        let note = ring.sign_note(NAME, text(size + u64::from(round / 8))).unwrap().to_string();
        assert!(accepts(&note, &known));
        for bit in 0..note.len() * 8 {
            let mut bytes = note.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(bytes) else { continue };
            assert!(!accepts(&flipped, &known), "bit {bit}: {flipped:?}");
        }
    }
}
