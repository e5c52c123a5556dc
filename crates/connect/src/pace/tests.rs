use super::*;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn a_burst_goes_at_once_and_then_the_rate_holds() {
    let start = Instant::now();
    let mut bucket = Bucket::new(10.0, 3.0, start);
    let at_once: Vec<_> = (0..5).map(|_| bucket.take(start)).collect();
    assert_eq!(at_once, [ms(0), ms(0), ms(0), ms(100), ms(200)]);
    // Those two were promised; the next has its turn behind them.
    assert_eq!(bucket.take(start + ms(100)), ms(200));
    // However long nothing is asked, no more than a burst is saved up.
    let later = start + Duration::from_secs(3_600);
    let at_once: Vec<_> = (0..4).map(|_| bucket.take(later)).collect();
    assert_eq!(at_once, [ms(0), ms(0), ms(0), ms(100)]);
}

#[test]
fn a_service_that_asks_for_less_gets_no_burst() {
    let start = Instant::now();
    let mut bucket = Bucket::new(10.0, 50.0, start);
    assert_eq!(bucket.take(start), ms(0));
    bucket.drain();
    assert_eq!([bucket.take(start), bucket.take(start)], [ms(100), ms(200)]);
    // What is promised already is not forgotten.
    bucket.drain();
    assert_eq!(bucket.take(start), ms(300));
}

#[test]
fn time_that_goes_back_gives_nothing() {
    let start = Instant::now() + Duration::from_secs(10);
    let mut bucket = Bucket::new(1.0, 1.0, start);
    assert_eq!(bucket.take(start), ms(0));
    let earlier = start.checked_sub(Duration::from_secs(5)).unwrap();
    assert_eq!([bucket.take(earlier), bucket.take(start)], [ms(1_000), ms(2_000)]);
}

#[test]
fn waits_are_anywhere_up_to_a_bound_that_doubles_and_ends() {
    let first = ms(200);
    let most: Vec<_> = (1..=9).map(|failed| back_off(first, failed, u32::MAX)).collect();
    let expected = [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000].map(ms);
    assert_eq!(most, expected);
    assert_eq!(back_off(first, 4, 0), ms(0));
    let middle = back_off(first, 4, u32::MAX / 2);
    assert!(ms(799) < middle && middle < ms(801), "{middle:?}");
    assert_eq!(back_off(first, u32::MAX, u32::MAX), LONGEST_WAIT);
}

#[tokio::test]
async fn services_do_not_wait_for_each_other() {
    let pace = Pace::default();
    pace.wait("slow", 0.01, 1.0).await;
    let slow = pace.wait("slow", 0.01, 1.0);
    let fast = pace.wait("fast", 0.01, 1.0);
    tokio::select! {
        biased;
        () = slow => panic!("a hundred seconds are not over"),
        () = fast => {}
    }
}

#[test]
fn a_service_that_says_when_is_asked_then() {
    let start = Instant::now();
    let mut bucket = Bucket::new(10.0, 50.0, start);
    assert_eq!(bucket.take(start), ms(0));
    bucket.hold(Duration::from_secs(3));
    assert_eq!([bucket.take(start), bucket.take(start)], [ms(3_000), ms(3_100)]);
    assert_eq!(bucket.take(start + Duration::from_secs(60)), ms(0));
}
