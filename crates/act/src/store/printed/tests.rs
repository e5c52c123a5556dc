use std::collections::BTreeMap;
use std::sync::Mutex;

use model::connector::Pending;
use model::objects::ObjectError;
use proptest::prelude::*;

use super::*;

/// Objects in memory.
#[derive(Debug, Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Objects for Memory {
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> Pending<'a, Result<Digest, ObjectError>> {
        let digest = Digest::of(&bytes);
        self.0.lock().unwrap().insert(key.to_owned(), bytes);
        Box::pin(std::future::ready(Ok(digest)))
    }

    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Vec<u8>, ObjectError>> {
        let found = self.0.lock().unwrap().get(key).cloned();
        let missing = || ObjectError::NotFound { key: key.to_owned() };
        Box::pin(std::future::ready(found.ok_or_else(missing)))
    }
}

async fn pieces(objects: &Memory, bytes: &[u8]) -> Stream {
    let mut pieces = Vec::new();
    for (n, chunk) in bytes.chunks(PIECE_BYTES).enumerate() {
        let key = format!("t/{n}");
        let sha256 = objects.put(&key, chunk.to_vec()).await.unwrap();
        pieces.push(Piece { key, sha256 });
    }
    Stream::Pieces { pieces, bytes: bytes.len() }
}

/// Reads a stream range by range to its end.
async fn all(objects: &Memory, stream: &Stream, most: usize) -> String {
    let (mut text, mut from) = (String::new(), 0);
    while from < stream.size() {
        let read = range(objects, stream, (from, most), true).await.unwrap();
        assert_eq!(read.from, from);
        assert!(read.next > from, "it goes on");
        text.push_str(&read.text);
        from = read.next;
    }
    text
}

/// Longer than two pieces, with a character of two, three or four bytes across each border.
fn long() -> String {
    let mut text = String::with_capacity(3 * PIECE_BYTES);
    for (border, wide) in [(PIECE_BYTES, "é"), (2 * PIECE_BYTES, "😀")] {
        while text.len() + wide.len() <= border {
            text.push_str(if border - text.len() > 8 { "…line\n" } else { "x" });
        }
        text.push_str(wide);
    }
    text
}

#[tokio::test]
async fn ranges_of_pieces_are_the_whole_whatever_their_size() {
    let objects = Memory::default();
    let text = long();
    let stream = pieces(&objects, text.as_bytes()).await;
    for most in [PIECE_BYTES, 700_001, 65_537] {
        assert!(all(&objects, &stream, most).await == text, "{most}");
    }
    let border = PIECE_BYTES - 20;
    let small = range(&objects, &stream, (border, 1), true).await.unwrap();
    assert!(small.next > border, "a character is not cut, however little is wanted");
}

#[tokio::test]
async fn the_middle_of_a_character_breaks_nothing_and_the_end_of_one_is_waited_for() {
    let objects = Memory::default();
    let stream = Stream::Whole("aé".as_bytes().to_vec());
    let inside = range(&objects, &stream, (2, 10), true).await.unwrap();
    assert_eq!((inside.text.as_str(), inside.next), ("\u{fffd}", 3));
    let begun = Stream::Whole(vec![b'a', 0xc3]);
    let coming = range(&objects, &begun, (0, 10), false).await.unwrap();
    assert_eq!((coming.text.as_str(), coming.next), ("a", 1));
    let over = range(&objects, &begun, (0, 10), true).await.unwrap();
    assert_eq!((over.text.as_str(), over.next), ("a\u{fffd}", 2));
    let beyond = range(&objects, &begun, (50, 10), true).await.unwrap();
    assert_eq!((beyond.text.as_str(), beyond.from, beyond.next), ("", 2, 2));
}

#[tokio::test]
async fn what_still_comes_is_read_from_its_pieces_and_its_tail() {
    let objects = Memory::default();
    let (tenant, execution) = (TenantId::generate(), ExecutionId::generate());
    let shelf = Shelf { tenant, execution, call: ToolCallId::generate() };
    let text = long();
    let bytes = text.as_bytes();
    let kept = PIECE_BYTES + 5;
    objects.put(&shelf.piece("stdout", 0), bytes[..PIECE_BYTES].to_vec()).await.unwrap();
    // The piece under way may be longer by now than the rows say.
    let more = bytes[PIECE_BYTES..kept + 100].to_vec();
    objects.put(&shelf.piece("stdout", 1), more).await.unwrap();
    let tail = bytes[kept..kept + 50].to_vec();
    let stream = Stream::Coming { shelf, name: "stdout", kept, tail };
    let read = range(&objects, &stream, (PIECE_BYTES - 10, 1000), false).await.unwrap();
    let expected = String::from_utf8_lossy(&bytes[PIECE_BYTES - 10..read.next]).into_owned();
    assert_eq!(read.text, expected);
    assert!((kept + 46..=kept + 50).contains(&read.next));
}

#[tokio::test]
async fn an_altered_piece_is_not_shown() {
    let objects = Memory::default();
    let stream = pieces(&objects, b"all is well").await;
    objects.put("t/0", b"all is lost".to_vec()).await.unwrap();
    let read = range(&objects, &stream, (0, 100), true).await;
    assert!(matches!(read, Err(Error::Altered)));
    let none = Memory::default();
    let read = range(&none, &stream, (0, 100), true).await;
    assert!(matches!(read, Err(Error::Objects(ObjectError::NotFound { .. }))));
}

#[test]
fn documents_of_before_there_were_pieces_are_read() {
    let document =
        br#"{"stderr":{"base64":"//4="},"stdout":{"text":"up"},"token":"t","truncated":true}"#;
    let (stdout, truncated) = Stream::of(document, "stdout").unwrap();
    assert_eq!((stdout, truncated), (Stream::Whole(b"up".to_vec()), true));
    let (stderr, _) = Stream::of(document, "stderr").unwrap();
    assert_eq!(stderr, Stream::Whole(vec![0xff, 0xfe]));
}

proptest! {
    #[test]
    fn a_range_never_ends_within_a_character(text in "\\PC{0,40}", at in 0..200_usize) {
        let bytes = text.as_bytes();
        let cut = bytes.get(..at).unwrap_or(bytes);
        let whole = &cut[..cut.len() - begun(cut)];
        prop_assert!(std::str::from_utf8(whole).is_ok());
        prop_assert!(cut.len() - whole.len() < CHARACTER_BYTES);
    }
}
