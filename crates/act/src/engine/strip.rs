//! One stream on its way into the object store, piece by piece.

use model::Digest;

use crate::store::printed::{PIECE_BYTES, SHORT_BYTES};

/// A stream as far as it came. What is stored is forgotten here.
#[derive(Debug, Default)]
pub(super) struct Strip {
    /// The hashes of the pieces that are whole.
    whole: Vec<Digest>,
    /// The piece under way, and what comes after it when more comes than is stored.
    buffer: Vec<u8>,
    /// How much of the piece under way is stored, and its hash.
    part: Option<(usize, Digest)>,
    /// The store does not take it: what is not stored is gone.
    lost: bool,
}

/// How far a stream came, for those who watch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tip {
    /// The bytes in the object store.
    pub(crate) kept: usize,
    /// What comes after them.
    pub(crate) tail: Vec<u8>,
}

impl Tip {
    /// How long the stream is.
    pub(crate) fn size(&self) -> usize {
        self.kept + self.tail.len()
    }
}

impl Strip {
    /// Takes what comes next.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if !self.lost {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// How long it is.
    pub(super) fn size(&self) -> usize {
        self.whole.len() * PIECE_BYTES + self.buffer.len()
    }

    /// Whether it is too long for a document.
    pub(super) fn long(&self) -> bool {
        self.size() > SHORT_BYTES
    }

    fn part(&self) -> usize {
        self.part.map_or(0, |(bytes, _)| bytes)
    }

    /// How much waits to be stored.
    pub(super) fn waiting(&self) -> usize {
        self.buffer.len().saturating_sub(self.part())
    }

    /// Whether whoever prints must wait.
    pub(super) fn full(&self) -> bool {
        self.buffer.len() >= 2 * PIECE_BYTES
    }

    /// Whether there is a whole piece to store.
    pub(super) fn ripe(&self) -> bool {
        self.buffer.len() >= PIECE_BYTES
    }

    /// The number and the bytes of the next piece to store: a whole one or, when the `rest` is
    /// wanted, what there is of it.
    pub(super) fn next(&self, rest: bool) -> Option<(usize, Vec<u8>)> {
        if self.lost {
            return None;
        }
        let bytes = match self.buffer.get(..PIECE_BYTES) {
            Some(whole) => whole,
            None if rest && self.waiting() > 0 => &self.buffer,
            None => return None,
        };
        Some((self.whole.len(), bytes.to_vec()))
    }

    /// That many bytes of the next piece are stored.
    pub(super) fn stored(&mut self, bytes: usize, digest: Digest) {
        if bytes == PIECE_BYTES {
            self.buffer.drain(..PIECE_BYTES.min(self.buffer.len()));
            self.whole.push(digest);
            self.part = None;
        } else {
            self.part = Some((bytes, digest));
        }
    }

    /// It cannot be stored: it ends where it was stored to.
    pub(super) fn lose(&mut self) {
        self.lost = true;
        self.buffer.truncate(self.part());
        self.buffer.shrink_to_fit();
    }

    /// Whether something of it is gone because the store did not take it.
    pub(super) const fn lost(&self) -> bool {
        self.lost
    }

    /// How far it came. What waits longer than a moment is stored, so that the tail is short.
    pub(super) fn tip(&self) -> Tip {
        let waits = self.buffer.get(self.part()..).unwrap_or_default();
        let tail = waits.get(..SHORT_BYTES).unwrap_or(waits).to_vec();
        Tip { kept: self.whole.len() * PIECE_BYTES + self.part(), tail }
    }

    /// The hashes of all pieces, once all is stored.
    pub(super) fn pieces(self) -> Vec<Digest> {
        let last = self.part.map(|(_, digest)| digest);
        self.whole.into_iter().chain(last).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(strip: &mut Strip, rest: bool) -> Option<(usize, usize)> {
        let (n, bytes) = strip.next(rest)?;
        strip.stored(bytes.len(), Digest::of(&bytes));
        Some((n, bytes.len()))
    }

    #[test]
    fn pieces_have_one_size_and_the_last_one_grows_until_it_is_whole() {
        let mut strip = Strip::default();
        strip.add(&[1; SHORT_BYTES]);
        assert!(!strip.long() && !strip.ripe());
        assert_eq!(store(&mut strip, false), None, "no piece is whole");
        strip.add(&[2; 10]);
        assert!(strip.long());
        assert_eq!(store(&mut strip, true), Some((0, SHORT_BYTES + 10)));
        assert_eq!(store(&mut strip, true), None, "all is stored");
        strip.add(&vec![3; 2 * PIECE_BYTES]);
        assert!(strip.full());
        assert_eq!(store(&mut strip, true), Some((0, PIECE_BYTES)), "the same piece, whole");
        assert_eq!(store(&mut strip, true), Some((1, PIECE_BYTES)));
        assert_eq!(store(&mut strip, true), Some((2, SHORT_BYTES + 10)));
        assert_eq!(strip.size(), 2 * PIECE_BYTES + SHORT_BYTES + 10);
        assert_eq!(strip.pieces().len(), 3);
    }

    #[test]
    fn what_is_not_stored_yet_is_its_tail() {
        let mut strip = Strip::default();
        strip.add(b"abc");
        assert_eq!(strip.tip(), Tip { kept: 0, tail: b"abc".to_vec() });
        store(&mut strip, true);
        strip.add(b"de");
        assert_eq!(strip.tip(), Tip { kept: 3, tail: b"de".to_vec() });
        strip.add(&[0; SHORT_BYTES]);
        assert_eq!(strip.tip().size(), 3 + SHORT_BYTES, "no longer than that");
    }

    #[test]
    fn a_stream_the_store_does_not_take_ends_where_it_was_stored_to() {
        let mut strip = Strip::default();
        strip.add(b"abc");
        store(&mut strip, true);
        strip.add(b"de");
        strip.lose();
        strip.add(b"fg");
        assert_eq!((strip.size(), strip.tip().size(), strip.waiting()), (3, 3, 0));
        assert!(strip.lost() && strip.next(true).is_none());
    }
}
