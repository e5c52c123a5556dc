//! The walk by itself, without a database.

use super::*;
use crate::synthetic;
use uuid::Uuid;

#[test]
fn the_walk_in_memory_agrees_with_the_tree() {
    let tenant = TenantId::from(Uuid::from_u128(7));
    let key = AuditKey::new(&[1; 32]);
    let walked =
        synthetic::with_rows(tenant, &key, 100, |rows| synthetic::walk(tenant, rows)).unwrap();
    assert_eq!((walked.rows, walked.first_bad, walked.bounded_by), (100, None, None));
    let mut range = Range::new();
    for n in 0..100 {
        range.push(leaf(&synthetic::event(tenant, &key, n).unwrap().canon));
    }
    assert_eq!(walked.range, range);
}

#[test]
fn an_entry_put_in_between_is_named_as_inserted() {
    let mirror: Vec<Hash> = (0..5_u8).map(|n| leaf(&[n])).collect();
    let known = Known { mirror: &mirror, ..Known::default() };
    let mut walker = Walker::new(TenantId::from(Uuid::from_u128(7)), known);
    assert!(walker.entry(0, leaf(&[0])));
    assert!(!walker.entry(1, leaf(b"fake")));
    let row_leaf = leaf(&[1]);
    let tenant = TenantId::from(Uuid::from_u128(7));
    let event = synthetic::event(tenant, &AuditKey::new(&[1; 32]), 0).unwrap();
    let columns = Projection::read(&event.canon).unwrap();
    walker.row(&Row { seq: 2, canon: &event.canon, leaf: &row_leaf, mac: &event.mac, columns });
    let bad = walker.finish().first_bad.unwrap();
    assert_eq!((bad.seq, bad.kind), (1, Kind::Inserted));
}
