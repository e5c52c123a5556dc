//! Answers that come in lines.

use std::time::Duration;

use super::*;
use crate::outbound::Lines;

/// Longer than anything here takes, on a machine that does much else.
const LONG: Duration = Duration::from_secs(120);

async fn listen(path: &str, within: Duration) -> (Result<Lines, Error>, Vec<String>) {
    let site = FakeSite::on("127.0.0.1").await;
    let mut heard = Vec::new();
    let (outbound, url) = (outbound(&["127.0.0.1:*"]), site.url(path));
    let ended = outbound.lines(Call::get(&url), within, |line| {
        heard.push(String::from_utf8_lossy(line).into_owned());
        ControlFlow::Continue(())
    });
    (ended.await, heard)
}

#[tokio::test]
async fn lines_are_handed_out_whole_wherever_they_were_cut_on_the_way() {
    let (ended, heard) = listen("/lines", LONG).await;
    assert!(matches!(ended, Ok(Lines::Ended)), "{ended:?}");
    assert_eq!(heard, ["one", "two", "", "three"]);
}

#[tokio::test]
async fn an_answer_in_lines_that_does_not_end_is_left_when_the_time_is_over() {
    let (ended, _) = listen("/open", Duration::from_millis(200)).await;
    assert!(matches!(ended, Ok(Lines::TimeOver)), "{ended:?}");
}

#[tokio::test]
async fn whoever_reads_lines_may_break_off() {
    let site = FakeSite::on("127.0.0.1").await;
    let (outbound, url) = (outbound(&["127.0.0.1:*"]), site.url("/open"));
    let mut heard = 0;
    let ended = outbound.lines(Call::get(&url), LONG, |_| {
        heard += 1;
        ControlFlow::Break(())
    });
    assert!(matches!(ended.await, Ok(Lines::Ended)));
    assert_eq!(heard, 1);
}

#[tokio::test]
async fn a_line_without_its_end_is_a_connection_that_was_cut() {
    let (ended, heard) = listen("/cut", LONG).await;
    assert!(matches!(ended, Err(Error::Malformed)), "{ended:?}");
    assert_eq!(heard, ["one"]);
}

#[tokio::test]
async fn a_line_without_end_and_a_packed_answer_are_refused() {
    let (ended, heard) = listen("/endless", LONG).await;
    assert!(matches!(ended, Err(Error::TooLarge { .. })), "{ended:?}");
    assert!(heard.is_empty());
    assert!(matches!(listen("/packed", LONG).await.0, Err(Error::Malformed)));
}

#[tokio::test]
async fn an_answer_that_is_no_success_comes_back_whole_and_not_in_lines() {
    let (ended, heard) = listen("/gone", LONG).await;
    let Ok(Lines::Refused(reply)) = ended else { panic!("{ended:?}") };
    assert_eq!((reply.status, reply.body.as_slice()), (StatusCode::GONE, b"late".as_slice()));
    assert!(heard.is_empty());
}

#[tokio::test]
async fn n1_lines_come_from_nowhere_a_call_may_not_go() {
    let site = FakeSite::on("127.0.0.1").await;
    let (outbound, url) = (outbound(&[]), site.url("/lines"));
    let refused = outbound.lines(Call::get(&url), LONG, |_| panic!("a line"));
    assert_eq!(refused.await.unwrap_err(), Error::Unreachable);
    assert!(site.heads().is_empty());
}
