//! Keyset pages: lists go on after a key, never after a count.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::time::Timestamp;
use serde::Serialize;
use uuid::Uuid;

/// Rows on a page when nobody says.
pub const DEFAULT_LIMIT: u16 = 20;

/// Rows on a page at most.
pub const MAX_LIMIT: u16 = 1000;

/// Where a list goes on: after this key. Opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// After a row in order of id.
    Id(Uuid),
    /// After a row in order of time, then id.
    At(Timestamp, Uuid),
}

/// A request for a page that cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The cursor was not given out by us.
    #[error("the cursor is none of ours: take next_cursor of the page before")]
    Cursor,
    /// The limit is out of range.
    #[error("the limit is {given}: it must be 1 to {MAX_LIMIT}")]
    Limit {
        /// What was asked for.
        given: i64,
    },
}

impl Cursor {
    /// The text clients hand back.
    #[must_use]
    pub fn encode(self) -> String {
        let mut bytes = Vec::with_capacity(24);
        let id = match self {
            Self::Id(id) => id,
            Self::At(at, id) => {
                bytes.extend_from_slice(&at.as_microsecond().to_be_bytes());
                id
            }
        };
        bytes.extend_from_slice(id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`Cursor::encode`] wrote.
    ///
    /// # Errors
    /// When it was not written by it.
    pub fn decode(text: &str) -> Result<Self, PageError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| PageError::Cursor)?;
        if let Ok(id) = <[u8; 16]>::try_from(bytes.as_slice()) {
            return Ok(Self::Id(Uuid::from_bytes(id)));
        }
        let (at, id) = bytes.split_first_chunk::<8>().ok_or(PageError::Cursor)?;
        let id = <[u8; 16]>::try_from(id).map_err(|_| PageError::Cursor)?;
        let at =
            Timestamp::from_microsecond(i64::from_be_bytes(*at)).map_err(|_| PageError::Cursor)?;
        Ok(Self::At(at, Uuid::from_bytes(id)))
    }

    /// The id it stands after.
    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::Id(id) | Self::At(_, id) => id,
        }
    }

    /// The time it stands after, in lists that are in order of time.
    #[must_use]
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::Id(_) => None,
            Self::At(at, _) => Some(at),
        }
    }
}

/// A page as asked for: from where, how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    limit: u16,
    after: Option<Cursor>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, after: None }
    }
}

impl PageRequest {
    /// Checks what a client sent.
    ///
    /// # Errors
    /// When the limit is out of range or the cursor none of ours.
    pub fn parse(limit: Option<i64>, cursor: Option<&str>) -> Result<Self, PageError> {
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(given) => u16::try_from(given)
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or(PageError::Limit { given })?,
        };
        Ok(Self { limit, after: cursor.map(Cursor::decode).transpose()? })
    }

    /// The SQL `LIMIT`: one row more than the page holds, which tells whether another follows.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// After which key.
    #[must_use]
    pub const fn after(&self) -> Option<Cursor> {
        self.after
    }

    /// After which id, for `WHERE ($1::uuid IS NULL OR id > $1)`.
    #[must_use]
    pub fn after_id(&self) -> Option<Uuid> {
        self.after.map(Cursor::id)
    }

    /// After which time, for lists in order of time.
    #[must_use]
    pub fn after_time(&self) -> Option<Timestamp> {
        self.after.and_then(Cursor::at)
    }

    /// The page made of the rows a query with [`PageRequest::fetch`] gave.
    pub fn page<T>(&self, mut rows: Vec<T>, cursor_of: impl Fn(&T) -> Cursor) -> Page<T> {
        let limit = usize::from(self.limit);
        let has_next = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_next).map(|last| cursor_of(last).encode());
        Page { items: rows, next_cursor, has_next }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Hand it back to get the next page.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_next: bool,
}

impl<T> Page<T> {
    /// The same page of other things.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next_cursor: self.next_cursor,
            has_next: self.has_next,
        }
    }
}

#[cfg(test)]
mod tests;
