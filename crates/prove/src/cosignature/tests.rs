//! Cosignatures: the format's own example, and everything that must be refused.

use super::*;

/// The example of the format's text, its checkpoint and both its signature lines.
const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/\
    Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX\
    3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn witness(seed: u8) -> WitnessKey {
    WitnessKey::new("witness.example/w1", key(seed).public()).unwrap()
}

fn cosigned(seed: u8, second: i64) -> Note {
    let text = "log.example\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let line = cosign(&key(seed), "witness.example/w1", text, at(second)).unwrap();
    Note::new(text.to_owned(), vec![line])
}

#[test]
fn l10_the_formats_own_example_has_the_parts_ours_have() {
    let note: Note = EXAMPLE.parse().unwrap();
    let line = &note.signatures()[1];
    assert_eq!(line.bytes.len(), 8 + 64, "a time and a signature");
    assert_eq!(line.bytes[..8], 1_679_315_147_u64.to_be_bytes(), "the time its text shows");
    assert_eq!(
        message(note.unverified_text(), 1_679_315_147),
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
         CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    );
    let ours = cosigned(1, 1_679_315_147);
    assert_eq!(ours.signatures()[0].bytes.len(), line.bytes.len());
    // The id is of the name, the type byte 4 and the key: another type gives another id.
    let plain = key(1).verifier("witness.example/w1").unwrap();
    assert_ne!(plain.id(), ours.signatures()[0].id);
}

#[test]
fn l10_a_cosignature_says_when_and_a_changed_bit_spoils_it() {
    let note = cosigned(1, 1_700_000_000);
    assert_eq!(witness(1).cosigned(&note), Ok(Some(at(1_700_000_000))));
    assert_eq!(witness(2).cosigned(&note), Ok(None), "another key of the name is unknown");
    let line = note.signatures()[0].clone();
    for bit in 0..line.bytes.len() * 8 {
        let mut bad = line.clone();
        bad.bytes[bit / 8] ^= 1 << (bit % 8);
        let bad = Note::new(note.unverified_text().to_owned(), vec![bad]);
        assert!(witness(1).cosigned(&bad).is_err(), "bit {bit}");
    }
    let other = Note::new(note.unverified_text().replace('7', "8"), vec![line]);
    assert!(witness(1).cosigned(&other).is_err(), "another checkpoint");
}

#[test]
fn l10_the_latest_of_two_cosignatures_counts() {
    let note = cosigned(1, 50).and(cosigned(1, 70).signatures().to_vec());
    assert_eq!(witness(1).cosigned(&note), Ok(Some(at(70))));
    let again = note.clone().and(note.signatures().to_vec());
    assert_eq!(again.signatures().len(), 2, "no line twice");
}

#[test]
fn l10_a_witness_key_round_trips_and_one_of_another_type_is_refused() {
    let line = witness(1).to_string();
    assert_eq!(line.parse(), Ok(witness(1)));
    for at in 0..line.len() {
        let mut damaged = line.clone().into_bytes();
        damaged[at] ^= 1;
        let damaged = String::from_utf8_lossy(&damaged).into_owned();
        assert_eq!(damaged.parse::<WitnessKey>(), Err(WitnessKeyError), "{damaged}");
    }
    let plain = key(1).verifier("witness.example/w1").unwrap().to_string();
    assert_eq!(plain.parse::<WitnessKey>(), Err(WitnessKeyError));
}
