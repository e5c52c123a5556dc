//! Takes what an attempt prints into the object store while it comes.

use std::time::Duration;

use model::Digest;
use model::objects::Objects;
use tokio::time::MissedTickBehavior;

use super::output::Sink;
use crate::store::printed::{SHORT_BYTES, Shelf};

/// How soon what was printed can be read, about.
const SEEN_WITHIN: Duration = Duration::from_millis(750);

/// How often a piece is put until the store counts as not taking it.
const PUTS: usize = 3;

const STREAMS: [&str; 2] = ["stdout", "stderr"];

/// One attempt's keeper. It is never dropped in the middle of a piece, since a store may write it
/// nonetheless, and later than the one that follows.
pub(super) struct Keeper<'a> {
    pub(super) objects: &'a dyn Objects,
    pub(super) sink: &'a Sink,
    pub(super) shelf: Shelf,
    /// How long to wait before a piece is put again.
    pub(super) pause: Duration,
}

impl Keeper<'_> {
    /// Keeps what comes until it is over and all is kept.
    pub(super) async fn keep(&self) {
        let mut moments = tokio::time::interval(SEEN_WITHIN);
        moments.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first comes at once.
        moments.tick().await;
        while !self.sink.over() {
            let moment = tokio::select! {
                () = self.sink.ripe() => false,
                _at = moments.tick() => true,
            };
            self.store(false).await;
            if moment {
                // So that what waits beside the pieces stays small.
                self.store(true).await;
                self.sink.tell(self.shelf.call);
            }
        }
        self.store(false).await;
        self.rest().await;
        self.sink.tell(self.shelf.call);
    }

    /// Stores whole pieces and, of streams with much beside them, the rest.
    async fn store(&self, rest: bool) {
        for stream in STREAMS {
            while let Some((n, bytes)) = self.sink.next(stream, false) {
                self.put(stream, n, bytes).await;
            }
            let (waiting, _) = self.sink.waiting(stream);
            if rest
                && waiting > SHORT_BYTES
                && let Some((n, bytes)) = self.sink.next(stream, true)
            {
                self.put(stream, n, bytes).await;
            }
        }
    }

    /// Stores all there is of long streams: what is short lies in the document.
    async fn rest(&self) {
        for stream in STREAMS {
            while let (1.., true) = self.sink.waiting(stream)
                && let Some((n, bytes)) = self.sink.next(stream, true)
            {
                self.put(stream, n, bytes).await;
            }
        }
    }

    async fn put(&self, stream: &'static str, n: usize, bytes: Vec<u8>) {
        let length = bytes.len();
        let digest = self.tried(&self.shelf.piece(stream, n), bytes).await;
        self.sink.stored(stream, length, digest);
    }

    /// A store that is away for a moment costs nothing: the target keeps its output meanwhile.
    async fn tried(&self, key: &str, bytes: Vec<u8>) -> Option<Digest> {
        for put in 1..=PUTS {
            match self.objects.put(key, bytes.clone()).await {
                Ok(digest) => return Some(digest),
                Err(error) => tracing::warn!(%error, put, "a piece of output could not be kept"),
            }
            if put < PUTS {
                tokio::time::sleep(self.pause).await;
            }
        }
        None
    }
}
