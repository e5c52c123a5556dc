//! Walking a log from its first entry, comparing each with everything known about it.

use db::AuditKey;
use model::id::{EventId, TenantId};

use super::report::{FirstBad, Kind};
use crate::merkle::{Hash, Range, leaf};
use crate::projection::Projection;
use crate::prune::Notice;

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

/// Places known by their hashes alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The first of them.
    pub first: u64,
    /// Their hashes.
    pub leaves: Vec<Hash>,
}

impl Gap {
    fn end(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.leaves.len()).unwrap_or(u64::MAX))
    }
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
    /// What the database says was before its first row.
    pub before: Option<&'a Range>,
    /// What the database says it does not have, by place.
    pub gaps: &'a [Gap],
}

/// What the walk found.
#[derive(Debug, PartialEq, Eq)]
pub struct Walked {
    /// The tree of the entries up to the first bad one.
    pub range: Range,
    /// How many places the log has: rows, what was pruned before them, and gaps.
    pub rows: u64,
    /// The places of gaps, from and to, the last excluded.
    pub gaps: Vec<[u64; 2]>,
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
    /// What signed events say about what is not here.
    /// With the place of the event that says so.
    notices: Vec<(u64, Notice)>,
    /// Whether roots were signed at all.
    signed: bool,
    passed: Vec<[u64; 2]>,
}

impl<'a> Walker<'a> {
    /// A walk along the log of `tenant`.
    #[must_use]
    pub fn new(tenant: TenantId, known: Known<'a>) -> Self {
        let range = known.before.cloned().unwrap_or_default();
        // Of what was before the first row only the mirror can tell; a root of size 0 says nothing.
        let earlier = known.roots.iter().take_while(|(size, _)| *size < range.size().max(1));
        let roots = known.roots.get(earlier.count()..).unwrap_or_default();
        let signed = !known.roots.is_empty();
        let mut walker = Self {
            tenant,
            known: Known { roots, ..known },
            rows: range.size(),
            agreed: 0,
            first_bad: None,
            bounded_by: None,
            displaced: None,
            notices: Vec::new(),
            signed,
            passed: Vec::new(),
            range,
        };
        walker.look_before();
        walker.pass_gaps();
        walker
    }

    /// What the database says was before its first row, held against mirror and roots.
    fn look_before(&mut self) {
        let size = self.range.size();
        let Some(last) = size.checked_sub(1) else { return };
        let seen = usize::try_from(size).ok().and_then(|size| self.known.mirror.get(..size));
        let mut expected = Range::new();
        for leaf in seen.unwrap_or_default() {
            expected.push(*leaf);
        }
        if seen.is_some() && expected != self.range {
            let (should, is) = (hex::encode(expected.root()), hex::encode(self.range.root()));
            self.bounded_by = Some([0, last]);
            self.bad(0, Kind::AnchorMismatch, should, is);
            return;
        }
        self.compare_roots(last);
    }

    /// Goes over a gap that begins where the walk is, or over what pruning left of one.
    fn pass_gaps(&mut self) {
        let known: &[Gap] = self.known.gaps;
        let begins = |gap: &&Gap, at: u64, pruned: bool| {
            gap.first == at || (pruned && gap.first < at && at < gap.end())
        };
        loop {
            let at = self.range.size();
            let pruned = at == self.known.before.map_or(0, Range::size);
            let Some(gap) = known.iter().find(|gap| begins(gap, at, pruned)) else { return };
            if gap.leaves.is_empty() || self.failed() {
                return;
            }
            let gone = usize::try_from(at - gap.first).unwrap_or(usize::MAX);
            for (place, leaf) in (at..).zip(gap.leaves.iter().skip(gone)) {
                if !self.entry(place, *leaf) {
                    return;
                }
                self.rows += 1;
            }
            self.passed.push([gap.first, gap.end()]);
        }
    }

    /// Whether a bad entry has been found already.
    #[must_use]
    pub const fn failed(&self) -> bool {
        self.first_bad.is_some() || self.displaced.is_some()
    }

    /// The next row of the database.
    pub fn row(&mut self, row: &Row<'_>) {
        self.look_at(row);
        self.pass_gaps();
    }

    fn look_at(&mut self, row: &Row<'_>) {
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
        if let Some(columns) = &columns {
            let said = Notice::read(&columns.action, row.canon);
            self.notices.extend(said.map(|notice| (row.seq, notice)));
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
        self.compare_roots(seq)
    }

    /// Compares the tree up to place `seq` with the roots that were signed at this size.
    fn compare_roots(&mut self, seq: u64) -> bool {
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

    /// An event of an export that says something about what is not there.
    pub fn notice(&mut self, notice: Option<Notice>) {
        let seq = self.range.size().saturating_sub(1);
        self.notices.extend(notice.map(|notice| (seq, notice)));
    }

    /// What is not here although no signed event says so.
    fn unannounced(&self) -> Option<FirstBad> {
        let minimum = self.known.before.map_or(0, Range::size);
        // Whoever can write to the database can write such an event, too: it counts when its MAC was
        // verified, or when what was signed covers it.
        let counts = |seq: u64| self.known.mac.is_some() || !self.signed || seq < self.agreed;
        let pruned = |(seq, notice): &(u64, Notice)| {
            counts(*seq) && matches!(notice, Notice::Pruned(to) if *to >= minimum)
        };
        if minimum > 0 && !self.notices.iter().any(pruned) {
            return Some(FirstBad {
                seq: 0,
                kind: Kind::Missing,
                expected: "event 0, or a signed event that says it was pruned".to_owned(),
                found: format!("event {minimum}"),
            });
        }
        let told = |[from, to]: &[u64; 2]| {
            let recovered = Notice::Recovered(*from, *to);
            self.notices.iter().any(|(seq, notice)| counts(*seq) && *notice == recovered)
        };
        let [from, to] = *self.passed.iter().find(|gap| !told(gap))?;
        Some(FirstBad {
            seq: from,
            kind: Kind::Missing,
            expected: format!("event {from}, or a signed event that says it is lost"),
            found: format!("a gap up to event {to}"),
        })
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
        if self.first_bad.is_none() {
            self.first_bad = self.unannounced();
        }
        // Of a gap that pruning cut, what is left is shown; the event that told of it names all.
        let minimum = self.known.before.map_or(0, Range::size);
        let gaps = self.passed.iter().map(|[from, to]| [minimum.max(*from), *to]).collect();
        Walked {
            range: self.range,
            rows: self.rows,
            gaps,
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
