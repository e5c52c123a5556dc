//! Columns from canonical bytes.

use db::AuditKey;
use model::id::TenantId;

use super::*;
use crate::synthetic;

#[test]
fn columns_are_read_from_the_bytes_and_differences_are_named() {
    let tenant = TenantId::from(Uuid::from_u128(7));
    let row = synthetic::event(tenant, &AuditKey::new(&[1; 32]), 3).unwrap();
    let read = Projection::read(&row.canon).unwrap();
    assert_eq!((read.tenant, read.id), (tenant.uuid(), row.id));
    assert_eq!(read.action, "intent.decided");
    assert_eq!(read.decision.as_deref(), Some("require_approval"));
    assert_eq!(read.difference(&read.clone()), None);
    let stored = Projection { action: "intent.allowed".into(), ..read.clone() };
    let difference = read.difference(&stored).unwrap();
    assert_eq!(difference, ("action", "intent.decided".to_owned(), "intent.allowed".to_owned()));
    let stored = Projection { decision: None, ..read.clone() };
    let difference = read.difference(&stored).unwrap();
    assert_eq!(difference, ("decision", "require_approval".to_owned(), "none".to_owned()));
    let stored = Projection { success: false, ..read.clone() };
    assert_eq!(read.difference(&stored).unwrap().0, "success");
}

#[test]
fn bytes_that_are_no_event_have_no_columns() {
    for bytes in [&b""[..], b"{}", b"[]", b"\xff", br#"{"action":1}"#] {
        assert_eq!(Projection::read(bytes), None);
    }
}

#[test]
fn escaped_text_is_read_as_meant() {
    let tenant = TenantId::from(Uuid::from_u128(7));
    let row = synthetic::event(tenant, &AuditKey::new(&[1; 32]), 3).unwrap();
    let text = String::from_utf8(row.canon).unwrap();
    let escaped = text.replace("intent.decided", "a \\\"b\\\" \\u0001");
    let read = Projection::read(escaped.as_bytes()).unwrap();
    assert_eq!(read.action, "a \"b\" \u{1}");
}
