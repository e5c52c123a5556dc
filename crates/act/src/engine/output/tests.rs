use model::id::{ExecutionId, TenantId};
use model::secret::Secret;

use super::*;
use crate::store::printed::PIECE_BYTES;

fn sink(sensitive: bool, cap: usize) -> (Sink, Arc<Tape>) {
    let tape = Arc::new(Tape::default());
    let (run, attempt) = (StepRunId::generate(), AttemptId::generate());
    (Sink::new(run, attempt, sensitive, (cap, 1000), None, tape.clone()), tape)
}

fn finished(sink: &Sink) -> Output {
    sink.end();
    sink.finish()
}

fn shelf() -> Shelf {
    let (tenant, execution) = (TenantId::generate(), ExecutionId::generate());
    Shelf { tenant, execution, call: ToolCallId::generate() }
}

#[test]
fn bytes_told_twice_are_kept_once() {
    let (sink, _tape) = sink(false, 100);
    sink.write(Stream::Stdout, 0, b"hello ");
    sink.write(Stream::Stdout, 2, b"llo world");
    sink.write(Stream::Stdout, 0, b"hello");
    assert_eq!(finished(&sink).stdout.head, b"hello world");
}

#[test]
fn h5_whoever_follows_anew_shows_what_nobody_has_seen_and_keeps_all() {
    let (first, tape) = sink(false, 100);
    first.write(Stream::Stdout, 0, b"one two");
    let again = || Sink::new(first.run, first.attempt, false, (100, 1000), None, tape.clone());
    let second = again();
    second.write(Stream::Stdout, 0, b"one ");
    second.write(Stream::Stdout, 4, b"two three");
    assert_eq!(finished(&second).stdout.head, b"one two three");
    let pieces = tape.take().pieces;
    assert_eq!((pieces[0].text.as_str(), pieces[0].until), ("one two three", 13));
    let shown = Shown::from([((first.attempt, "stdout"), 7)]);
    let elsewhere = Arc::new(Tape::after(shown));
    let third = Sink::new(first.run, first.attempt, false, (100, 1000), None, elsewhere.clone());
    third.write(Stream::Stdout, 0, b"one two three");
    assert_eq!(elsewhere.take().pieces[0].text, " three");
}

#[test]
fn output_beyond_the_cap_is_dropped_and_said_to_be() {
    let (sink, _tape) = sink(false, 5);
    sink.write(Stream::Stderr, 0, b"123");
    sink.write(Stream::Stderr, 3, b"456789");
    let output = finished(&sink);
    assert_eq!((output.stderr.head.as_slice(), output.stderr.truncated), (&b"12345"[..], true));
    assert!(!output.stdout.truncated && output.preview().unwrap().truncated);
}

#[test]
fn what_the_target_dropped_is_said_of_the_stream_that_is_full() {
    let (sink, _tape) = sink(false, 5);
    sink.write(Stream::Stdout, 0, b"123");
    sink.write(Stream::Stderr, 0, b"12345");
    sink.cut();
    let output = finished(&sink);
    assert!(output.stderr.truncated && !output.stdout.truncated);
    assert!(output.document("t", &shelf()).truncated);
}

#[test]
fn nothing_of_a_sensitive_step_is_kept_or_shown() {
    let (sink, tape) = sink(true, 100);
    sink.write(Stream::Stdout, 0, b"secret");
    sink.tell(ToolCallId::generate());
    let output = finished(&sink);
    assert!(output.stdout.head.is_empty() && output.seen);
    assert_eq!(output.preview(), None);
    let reel = tape.take();
    assert!(reel.pieces.is_empty() && reel.marks.is_empty());
    assert_eq!(reel.started.len(), 1, "only that it has started is known");
}

#[test]
fn h5_live_pieces_never_cut_a_character_and_hold_no_nul() {
    let (sink, tape) = sink(false, 100);
    let bytes = "é\0x".as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        sink.write(Stream::Stdout, at as u64, &[*byte]);
    }
    let pieces = tape.take().pieces;
    let shown: String = pieces.into_iter().map(|piece| piece.text).collect();
    assert_eq!(shown, "é\u{2400}x");
    assert_eq!(finished(&sink).stdout.head, bytes, "the whole is kept as it came");
}

#[test]
fn bytes_that_are_no_text_are_stored_without_loss() {
    let (sink, _tape) = sink(false, 100);
    sink.write(Stream::Stdout, 0, &[0xff, 0xfe]);
    let document = serde_json::to_value(finished(&sink).document("t", &shelf())).unwrap();
    assert_eq!(document.pointer("/stdout/base64").unwrap(), "//4=");
    assert_eq!(document.pointer("/stderr/text").unwrap(), "");
}

#[test]
fn s5_a_secret_across_the_border_of_two_pieces_is_masked() {
    let secret = "hunter2-hunter2";
    let login = Login::Password(Secret::from(secret.to_owned()));
    let (run, attempt) = (StepRunId::generate(), AttemptId::generate());
    let caps = (4 * PIECE_BYTES, 1000);
    let sink = Sink::new(run, attempt, false, caps, Some(&login), Arc::default());
    let before = "x".repeat(PIECE_BYTES - 7);
    let text = format!("{before}{secret}{before}");
    let mut at = 0;
    for chunk in text.as_bytes().chunks(32_768) {
        sink.write(Stream::Stdout, at, chunk);
        at += chunk.len() as u64;
    }
    sink.end();
    let mut all = Vec::new();
    while let Some((n, bytes)) = sink.next("stdout", true) {
        assert_eq!(n, all.len() / PIECE_BYTES);
        sink.stored("stdout", bytes.len(), Some(Digest::of(&bytes)));
        all.extend(bytes);
    }
    assert_eq!(String::from_utf8(all).unwrap(), format!("{before}[masked]{before}"));
    let output = sink.finish();
    assert_eq!((output.stdout.pieces.len(), output.lost), (2, false));
}

#[tokio::test]
async fn whoever_reads_a_target_waits_while_much_is_not_stored() {
    let (sink, _tape) = sink(false, 8 * PIECE_BYTES);
    sink.write(Stream::Stdout, 0, &vec![b'x'; 2 * PIECE_BYTES]);
    let mut room = sink.room();
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    assert!(room.as_mut().poll(&mut context).is_pending());
    let (_, bytes) = sink.next("stdout", false).unwrap();
    sink.stored("stdout", bytes.len(), Some(Digest::of(&bytes)));
    room.await;
}
