use super::{Event, Parser};

fn event(id: i64, name: &str, data: &str) -> Event {
    Event { id: Some(id), name: name.to_owned(), data: data.to_owned() }
}

#[test]
fn events_are_the_same_wherever_the_network_cuts_them() {
    let text = "id: 1\nevent: step\ndata: {\"a\":1}\n\n: alive\n\nid: 2\r\nevent: output\r\n\
                data: first\r\ndata: second\r\n\r\n";
    let expected = vec![event(1, "step", "{\"a\":1}"), event(2, "output", "first\nsecond")];
    for size in 1..text.len() {
        let mut parser = Parser::default();
        let found: Vec<Event> =
            text.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk)).collect();
        assert_eq!(found, expected, "cut every {size} bytes");
    }
}

#[test]
fn a_comment_is_no_event() {
    assert_eq!(Parser::default().push(b": keep-alive\n\n\n\n"), []);
}

#[test]
fn an_event_that_is_not_finished_is_kept_back() {
    let mut parser = Parser::default();
    assert_eq!(parser.push(b"id: 7\ndata: x\n"), []);
    assert_eq!(parser.push(b"\n"), [event(7, "", "x")]);
}
