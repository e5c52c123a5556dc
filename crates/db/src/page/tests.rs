//! Cursors and pages.

use super::*;

#[test]
fn a_cursor_round_trips() {
    let id = Uuid::now_v7();
    let at = "2026-03-01T10:00:00.123456Z".parse().unwrap();
    for cursor in [Cursor::Id(id), Cursor::At(at, id), Cursor::At(Timestamp::UNIX_EPOCH, id)] {
        assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
    }
}

#[test]
fn a_cursor_made_by_others_is_refused() {
    for text in ["", "x", "%%%", "AAAA", "////////////////////////", &"A".repeat(200)] {
        assert_eq!(Cursor::decode(text), Err(PageError::Cursor), "{text}");
    }
}

#[test]
fn the_limit_defaults_to_20_and_stops_at_1000() {
    assert_eq!(PageRequest::parse(None, None).unwrap().fetch(), 21);
    assert_eq!(PageRequest::parse(Some(1000), None).unwrap().fetch(), 1001);
    for given in [0, -1, 1001, i64::MAX] {
        assert_eq!(PageRequest::parse(Some(given), None), Err(PageError::Limit { given }));
    }
}

#[test]
fn the_row_beyond_the_page_only_says_that_there_is_more() {
    let ids: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
    let request = PageRequest::parse(Some(2), None).unwrap();
    let page = request.page(ids.clone(), |id| Cursor::Id(*id));
    assert_eq!(page.items, ids[..2]);
    assert!(page.has_next);
    assert_eq!(page.next_cursor, Some(Cursor::Id(ids[1]).encode()));
    let last = request.page(ids[..2].to_vec(), |id| Cursor::Id(*id));
    assert_eq!((last.has_next, last.next_cursor), (false, None));
}
