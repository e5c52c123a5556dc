use super::*;

const PATIENCE: Patience = Patience {
    tries: 4,
    first_pause: Duration::from_millis(100),
    longest_pause: Duration::from_secs(10),
};

fn ms(pause: Option<Duration>) -> Option<u128> {
    pause.map(|pause| pause.as_millis())
}

#[test]
fn pauses_are_spread_between_nothing_and_a_bound_that_doubles() {
    for (tried, bound) in [(1, 100), (2, 200), (3, 400)] {
        assert_eq!(ms(pause(PATIENCE, tried, None, 0.0)), Some(0));
        assert_eq!(ms(pause(PATIENCE, tried, None, 0.5)), Some(bound / 2));
        assert_eq!(ms(pause(PATIENCE, tried, None, 1.0)), Some(bound));
    }
    assert_eq!(pause(PATIENCE, 4, None, 0.5), None, "the fourth try was the last");
    let forever = Patience { tries: u32::MAX, ..PATIENCE };
    assert_eq!(ms(pause(forever, 4_000_000, None, 1.0)), Some(10_000));
}

#[test]
fn what_the_server_asks_for_is_waited_for_and_no_less_but_not_without_end() {
    let seconds = |n| Some(Duration::from_secs(n));
    assert_eq!(ms(pause(PATIENCE, 1, seconds(3), 0.0)), Some(3_000));
    assert_eq!(ms(pause(PATIENCE, 1, seconds(3), 1.0)), Some(3_100));
    assert_eq!(pause(PATIENCE, 1, seconds(11), 0.0), None);
    let mut headers = HeaderMap::new();
    assert_eq!(asked(&headers), None);
    for (text, found) in [("7", seconds(7)), (" 0 ", seconds(0)), ("-1", None), ("later", None)] {
        headers.insert("retry-after", text.parse().unwrap());
        assert_eq!(asked(&headers), found, "{text}");
    }
}

#[test]
fn chance_is_a_share_and_not_always_the_same() {
    let drawn: Vec<f64> = (0..20).map(|_| chance()).collect();
    assert!(drawn.iter().all(|drawn| (0.0..=1.0).contains(drawn)), "{drawn:?}");
    assert!(drawn.windows(2).any(|pair| pair[0].to_bits() != pair[1].to_bits()), "{drawn:?}");
}
