//! Walking a log from its first entry, comparing each with everything known about it.

use db::AuditKey;
use model::id::{EventId, TenantId};

use super::report::{FirstBad, Kind};
use crate::merkle::{Hash, Range, leaf};
use crate::projection::Projection;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// The place it claims.
    pub seq: u64,
    /// Its canonical bytes.
    pub canon: &'a [u8],
    /// The leaf hash stored beside it.
    pub leaf: &'a [u8],
    /// The MAC stored beside it.
    pub mac: &'a [u8],
    /// The columns that repeat parts of the bytes; the tenant is the row's.
    pub columns: Projection<'a>,
}

/// What a log is held against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Leaf hashes kept elsewhere, from place 0.
    pub mirror: &'a [Hash],
    /// Roots that were signed, smallest size first.
    pub roots: &'a [(u64, Hash)],
    /// The key of the row MACs, where they are to be checked.
    pub mac: Option<&'a AuditKey>,
}

/// What the walk found.
#[derive(Debug, PartialEq, Eq)]
pub struct Walked {
    /// The tree of the entries up to the first bad one.
    pub range: Range,
    /// How many rows there were.
    pub rows: u64,
    /// The first bad entry.
    pub first_bad: Option<FirstBad>,
    /// The first and last entry that can be the bad one, when it cannot be named.
    pub bounded_by: Option<[u64; 2]>,
}

/// An entry that is not the one that was signed at its place.
#[derive(Debug)]
struct Displaced {
    seq: u64,
    expected: Hash,
    found: Hash,
    expected_seen_later: bool,
}

/// The walk. Feed it every row in order, then [`Walker::finish`].
#[derive(Debug)]
pub struct Walker<'a> {
    tenant: TenantId,
    known: Known<'a>,
    range: Range,
    rows: u64,
    agreed: u64,
    first_bad: Option<FirstBad>,
    bounded_by: Option<[u64; 2]>,
    displaced: Option<Displaced>,
}

impl<'a> Walker<'a> {
    /// A walk along the log of `tenant`.
    #[must_use]
    pub fn new(tenant: TenantId, known: Known<'a>) -> Self {
        // A root of size 0 says nothing; the walk compares after each entry.
        let empty = known.roots.iter().take_while(|(size, _)| *size == 0).count();
        let roots = known.roots.get(empty..).unwrap_or_default();
        Self {
            tenant,
            known: Known { roots, ..known },
            range: Range::new(),
            rows: 0,
            agreed: 0,
            first_bad: None,
            bounded_by: None,
            displaced: None,
        }
    }

    /// Whether a bad entry has been found already.
    #[must_use]
    pub const fn failed(&self) -> bool {
        self.first_bad.is_some() || self.displaced.is_some()
    }

    /// The next row of the database.
    pub fn row(&mut self, row: &Row<'_>) {
        self.rows += 1;
        if self.failed() {
            self.look_for_displaced(row);
            return;
        }
        let hash = leaf(row.canon);
        let columns = Projection::read(row.canon);
        if let Some(bad) = self.misplaced(row, columns.as_ref()) {
            self.first_bad = Some(bad);
            return;
        }
        if hash.as_slice() != row.leaf {
            let expected =
                self.mirrored(row.seq).map_or_else(|| hex::encode(row.leaf), hex::encode);
            self.bad(row.seq, Kind::LeafMismatch, expected, hex::encode(hash));
            return;
        }
        if !self.entry(row.seq, hash) {
            return;
        }
        if let Some(key) = self.known.mac
            && !key.verify(self.tenant, EventId::from(row.columns.id), row.canon, row.mac)
        {
            self.bad(
                row.seq,
                Kind::MacMismatch,
                format!("a MAC for {} made by the application", self.tenant),
                hex::encode(row.mac),
            );
            return;
        }
        match columns.map(|columns| columns.difference(&row.columns)) {
            Some(None) => {}
            Some(Some((column, should, is))) => {
                let (should, is) = (format!("{column} = {should}"), format!("{column} = {is}"));
                self.bad(row.seq, Kind::ProjectionMismatch, should, is);
            }
            None => {
                let (should, is) = ("an audit event".to_owned(), "other bytes".to_owned());
                self.bad(row.seq, Kind::ProjectionMismatch, should, is);
            }
        }
    }

    /// The next entry of an export, by its hash. Says whether it agrees with what is known.
    pub fn entry(&mut self, seq: u64, hash: Hash) -> bool {
        if let Some(expected) = self.mirrored(seq)
            && expected != hash
        {
            self.displaced =
                Some(Displaced { seq, expected, found: hash, expected_seen_later: false });
            return false;
        }
        self.range.push(hash);
        while let Some(((size, root), rest)) = self.known.roots.split_first() {
            if *size != self.range.size() {
                break;
            }
            self.known.roots = rest;
            let found = self.range.root();
            if found != *root {
                self.bounded_by = Some([self.agreed, seq]);
                let agreed = self.agreed;
                self.bad(agreed, Kind::RootMismatch, hex::encode(root), hex::encode(found));
                return false;
            }
            self.agreed = *size;
        }
        true
    }

    /// Ends the walk.
    #[must_use]
    pub fn finish(mut self) -> Walked {
        if let Some(displaced) = self.displaced.take() {
            let found_elsewhere = self.known.mirror.contains(&displaced.found);
            let kind = match (found_elsewhere, displaced.expected_seen_later) {
                (true, true) => Kind::Reordered,
                (true, false) => Kind::Missing,
                (false, true) => Kind::Inserted,
                (false, false) => Kind::LeafMismatch,
            };
            let expected = hex::encode(displaced.expected);
            self.bad(displaced.seq, kind, expected, hex::encode(displaced.found));
        }
        Walked {
            range: self.range,
            rows: self.rows,
            first_bad: self.first_bad,
            bounded_by: self.bounded_by,
        }
    }

    /// A row of another tenant, or a gap before this one.
    fn misplaced(&self, row: &Row<'_>, columns: Option<&Projection<'_>>) -> Option<FirstBad> {
        if let Some(columns) = columns
            && columns.tenant != self.tenant.uuid()
        {
            return Some(FirstBad {
                seq: row.seq,
                kind: Kind::TenantMismatch,
                expected: self.tenant.to_string(),
                found: TenantId::from(columns.tenant).to_string(),
            });
        }
        let next = self.range.size();
        (row.seq != next).then(|| FirstBad {
            seq: next,
            kind: Kind::Missing,
            expected: format!("event {next}"),
            found: format!("event {}", row.seq),
        })
    }

    fn mirrored(&self, seq: u64) -> Option<Hash> {
        self.known.mirror.get(usize::try_from(seq).ok()?).copied()
    }

    fn look_for_displaced(&mut self, row: &Row<'_>) {
        if let Some(displaced) = &mut self.displaced
            && row.leaf == displaced.expected
        {
            displaced.expected_seen_later = true;
        }
    }

    fn bad(&mut self, seq: u64, kind: Kind, expected: String, found: String) {
        self.first_bad = Some(FirstBad { seq, kind, expected, found });
    }
}

#[cfg(test)]
mod tests;
