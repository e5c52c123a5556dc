//! The C2SP tlog-tiles layout: where tiles and entry bundles lie, and what is in them.

use crate::merkle::Hash;

pub mod builder;
pub mod reader;

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;

/// Levels of the tree one tile spans.
pub const HEIGHT: u32 = 8;

/// The kind of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Hashes of the given tile level.
    Hashes(u32),
    /// Entries.
    Entries,
}

/// Where a tile or bundle lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Hashes or entries.
    pub kind: Kind,
    /// Its number within the level.
    pub index: u64,
    /// How many hashes or entries it has, 1 to 256.
    pub width: u64,
}

impl Place {
    /// The tile that holds item `at` of its level, in a level of `total` items.
    ///
    /// None when the level has no such item.
    #[must_use]
    pub fn holding(kind: Kind, at: u64, total: u64) -> Option<Self> {
        let index = at / WIDTH;
        let width = total.checked_sub(index * WIDTH)?.min(WIDTH);
        (at < total).then_some(Self { kind, index, width })
    }

    /// The same tile once it is full.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { width: WIDTH, ..self }
    }

    /// The path below the log's prefix: `tile/0/x001/234.p/5`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = match self.kind {
            Kind::Hashes(level) => format!("tile/{level}"),
            Kind::Entries => "tile/entries".to_owned(),
        };
        path.push('/');
        path.push_str(&number(self.index));
        if self.width < WIDTH {
            path.push_str(&format!(".p/{}", self.width));
        }
        path
    }

    /// The directory its narrower, superseded versions lie in.
    #[must_use]
    pub fn partial_directory(&self) -> String {
        format!("{}.p", self.full().path())
    }
}

/// A tile number as path elements of three digits, all but the last marked with an `x`.
fn number(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// The hashes in a tile; none when its length is not that of `width` hashes.
#[must_use]
pub fn parse_hashes(bytes: &[u8], width: u64) -> Option<Vec<Hash>> {
    let width = usize::try_from(width).ok()?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() == width).then(|| hashes.to_vec())
}

/// The entries in a bundle; none when a length does not fit or there are not `width` of them.
#[must_use]
pub fn parse_entries(bytes: &[u8], width: u64) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        rest = after;
    }
    let whole = rest.is_empty() && u64::try_from(entries.len()).ok()? == width;
    whole.then_some(entries)
}

#[cfg(test)]
mod tests;
