use super::*;

fn sink(sensitive: bool, cap: usize) -> (Sink, Arc<Tape>) {
    let tape = Arc::new(Tape::default());
    let (run, attempt) = (StepRunId::generate(), AttemptId::generate());
    (Sink::new(run, attempt, sensitive, (cap, 1000), None, tape.clone()), tape)
}

#[test]
fn bytes_told_twice_are_kept_once() {
    let (sink, _tape) = sink(false, 100);
    sink.write(Stream::Stdout, 0, b"hello ");
    sink.write(Stream::Stdout, 2, b"llo world");
    sink.write(Stream::Stdout, 0, b"hello");
    assert_eq!(sink.finish().stdout, b"hello world");
}

#[test]
fn h5_whoever_follows_anew_shows_what_nobody_has_seen_and_keeps_all() {
    let (first, tape) = sink(false, 100);
    first.write(Stream::Stdout, 0, b"one two");
    let again = || Sink::new(first.run, first.attempt, false, (100, 1000), None, tape.clone());
    let second = again();
    second.write(Stream::Stdout, 0, b"one ");
    second.write(Stream::Stdout, 4, b"two three");
    assert_eq!(second.finish().stdout, b"one two three");
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
    let output = sink.finish();
    assert_eq!((output.stderr.as_slice(), output.truncated), (b"12345".as_slice(), true));
}

#[test]
fn nothing_of_a_sensitive_step_is_kept_or_shown() {
    let (sink, tape) = sink(true, 100);
    sink.write(Stream::Stdout, 0, b"secret");
    let output = sink.finish();
    assert!(output.stdout.is_empty() && output.seen);
    assert_eq!(output.preview(), None);
    let reel = tape.take();
    assert!(reel.pieces.is_empty());
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
    assert_eq!(sink.finish().stdout, bytes, "the whole is kept as it came");
}

#[test]
fn bytes_that_are_no_text_are_stored_without_loss() {
    let output = Output { stdout: vec![0xff, 0xfe], ..Output::default() };
    let document = output.document("t");
    assert_eq!(document.pointer("/stdout/base64").unwrap(), "//4=");
    assert_eq!(document.pointer("/stderr/text").unwrap(), "");
}
