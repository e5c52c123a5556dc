//! The answer's framing, cut in every way a network may cut it.

use std::sync::Mutex;

use model::connector::{Offsets, OutputSink, Stream};
use proptest::prelude::*;

use super::{Answer, ENDING, Ending, Fault, NOISE_MAX};
use crate::guard::Nonce;

#[derive(Default)]
struct Kept(Mutex<Vec<(Stream, u64, Vec<u8>)>>);

impl OutputSink for Kept {
    fn write(&self, stream: Stream, offset: u64, bytes: &[u8]) {
        self.0.lock().unwrap().push((stream, offset, bytes.to_vec()));
    }
}

impl Kept {
    fn bytes(&self, stream: Stream, from: u64) -> Vec<u8> {
        let mut whole = Vec::new();
        for (of, offset, bytes) in self.0.lock().unwrap().iter() {
            if *of == stream {
                assert_eq!(*offset, from + whole.len() as u64);
                whole.extend_from_slice(bytes);
            }
        }
        whole
    }
}

fn ending(nonce: &Nonce, words: &str) -> Vec<u8> {
    format!("{:<ENDING$}", format!("{} {words}", nonce.as_str())).into_bytes()
}

fn answer(nonce: &Nonce, noise: &[u8], output: &[u8], words: &str) -> Vec<u8> {
    [noise, nonce.as_str().as_bytes(), b":", output, &ending(nonce, words)].concat()
}

proptest! {
    #[test]
    fn any_output_arrives_whole_however_it_is_cut(
        noise in prop::collection::vec(any::<u8>(), 0..100),
        mut output in prop::collection::vec(any::<u8>(), 0..2000),
        forged in any::<bool>(),
        cut in 1_usize..700,
    ) {
        let nonce = Nonce::fresh();
        if forged {
            output.extend(ending(&nonce, "end rc:0"));
            output.extend(&nonce.as_str().as_bytes()[..7]);
        }
        let kept = Kept::default();
        let mut heard = Answer::new(&nonce, 1 << 20, Offsets::default(), Some(&kept));
        for piece in answer(&nonce, &noise, &output, "end rc:3").chunks(cut) {
            heard.hear(Stream::Stdout, piece).unwrap();
        }
        prop_assert_eq!(kept.bytes(Stream::Stdout, 0), output);
        prop_assert_eq!(heard.ending(), Ok(Ending::End { result: "rc:3".to_owned() }));
    }
}

#[test]
fn output_is_passed_on_before_the_end_is_there() {
    let (nonce, kept) = (Nonce::fresh(), Kept::default());
    let mut heard = Answer::new(&nonce, 1 << 20, Offsets::default(), Some(&kept));
    heard.hear(Stream::Stdout, format!("{}:begun\n", nonce.as_str()).as_bytes()).unwrap();
    assert_eq!(kept.bytes(Stream::Stdout, 0), b"begun\n");
    assert_eq!(heard.ending(), Err(Fault::Incomplete));
}

#[test]
fn output_beyond_the_cap_is_dropped_and_noted() {
    let (nonce, kept) = (Nonce::fresh(), Kept::default());
    let from = Offsets { stdout: 7, stderr: 0 };
    let mut heard = Answer::new(&nonce, 10, from, Some(&kept));
    heard.hear(Stream::Stdout, &answer(&nonce, b"", b"abc", "gone")).unwrap();
    assert!(!heard.truncated());
    let mut heard = Answer::new(&nonce, 10, from, Some(&kept));
    heard.hear(Stream::Stdout, &answer(&nonce, b"", b"", "gone")).unwrap();
    heard.hear(Stream::Stderr, &[nonce.as_str().as_bytes(), b":0123456789x"].concat()).unwrap();
    assert_eq!(kept.bytes(Stream::Stdout, 7), b"abc");
    assert_eq!(kept.bytes(Stream::Stderr, 0), b"0123456789");
    assert!(heard.truncated());
}

#[test]
fn h4_endless_noise_and_endless_output_are_faults() {
    let nonce = Nonce::fresh();
    let mut heard = Answer::new(&nonce, 1024, Offsets::default(), None);
    let flood = vec![b'x'; NOISE_MAX / 2];
    heard.hear(Stream::Stdout, &flood).unwrap();
    heard.hear(Stream::Stdout, &flood).unwrap();
    assert_eq!(heard.hear(Stream::Stdout, b"x"), Err(Fault::Noise));

    let mut heard = Answer::new(&nonce, 1024, Offsets::default(), None);
    heard.hear(Stream::Stderr, &[nonce.as_str().as_bytes(), b":"].concat()).unwrap();
    let limit = (1024 * 2 + 64 * 1024) / flood.len();
    for _ in 0..limit {
        heard.hear(Stream::Stderr, &flood).unwrap();
    }
    heard.hear(Stream::Stderr, &flood).unwrap_err();
}

#[test]
fn an_answer_without_its_end_is_never_taken_for_one() {
    let nonce = Nonce::fresh();
    let whole = answer(&nonce, b"", b"output", "end rc:0");
    for length in 0..whole.len() {
        let mut heard = Answer::new(&nonce, 1 << 20, Offsets::default(), None);
        heard.hear(Stream::Stdout, &whole[..length]).unwrap();
        heard.ending().unwrap_err();
    }
    // Nor one that goes on after it, nor another call's.
    let mut heard = Answer::new(&nonce, 1 << 20, Offsets::default(), None);
    heard.hear(Stream::Stdout, &[whole.as_slice(), b" "].concat()).unwrap();
    heard.ending().unwrap_err();
    let mut heard = Answer::new(&Nonce::fresh(), 1 << 20, Offsets::default(), None);
    heard.hear(Stream::Stdout, &whole).unwrap();
    assert!(matches!(heard.ending(), Err(Fault::Silent(_))));
}
