//! Which rows get a place.

use super::*;
use crate::synthetic;

#[test]
fn l7_a_row_without_a_valid_mac_is_never_given_a_place() {
    let tenant = TenantId::from(Uuid::from_u128(7));
    let key = AuditKey::new(&[1; 32]);
    let mut rows: Vec<Waiting> =
        (0..6).map(|n| synthetic::event(tenant, &key, n).unwrap()).collect();
    rows[1].mac = vec![0; 32];
    rows[2].canon[10] ^= 1;
    rows[3] = synthetic::event(TenantId::from(Uuid::from_u128(8)), &key, 3).unwrap();
    let malformed = b"{}".to_vec();
    rows[4].mac = key.mac(tenant, EventId::from(rows[4].id), &malformed).to_vec();
    rows[4].canon = malformed;
    let batch = judge(tenant, &key, &rows);
    let good: Vec<Uuid> = batch.good.iter().map(|(row, ..)| row.id).collect();
    assert_eq!(good, [rows[0].id, rows[5].id]);
    let faults: Vec<Fault> = batch.bad.iter().map(|(_, fault)| *fault).collect();
    assert_eq!(faults, [Fault::Mac, Fault::Mac, Fault::Mac, Fault::Malformed]);
}

#[test]
fn an_event_under_another_id_is_set_aside_even_with_a_mac() {
    let tenant = TenantId::from(Uuid::from_u128(7));
    let key = AuditKey::new(&[1; 32]);
    let mut row = synthetic::event(tenant, &key, 1).unwrap();
    row.id = Uuid::from_u128(99);
    row.mac = key.mac(tenant, EventId::from(row.id), &row.canon).to_vec();
    let rows = [row];
    assert_eq!(judge(tenant, &key, &rows).bad, [(&rows[0], Fault::Misplaced)]);
}
