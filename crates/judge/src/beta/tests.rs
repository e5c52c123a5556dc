use proptest::prelude::*;

use super::*;

/// Values of the incomplete beta function that have a closed form.
#[test]
fn the_incomplete_beta_function_agrees_with_its_closed_forms() {
    let close = |beta: Beta, x: f64, expected: f64| {
        assert!((beta.below(x) - expected).abs() < 1e-13, "{beta:?} {x}: {}", beta.below(x));
    };
    for x in [0.001, 0.05, 0.2, 0.5, 0.77, 0.999] {
        close(Beta::new(1.0, 1.0).unwrap(), x, x);
        close(Beta::new(1.0, 12.0).unwrap(), x, 1.0 - (1.0 - x).powi(12));
        close(Beta::new(7.0, 1.0).unwrap(), x, x.powi(7));
        close(Beta::new(2.0, 2.0).unwrap(), x, x * x * (3.0 - 2.0 * x));
        let arcsine = 2.0 / std::f64::consts::PI * x.sqrt().asin();
        close(Beta::new(0.5, 0.5).unwrap(), x, arcsine);
    }
}

/// Computed with 40 digits by another program (hypergeometric series and root finding).
#[test]
fn values_agree_with_high_precision_arithmetic() {
    for (alpha, beta, x, expected) in [
        (1.5, 8.0, 0.1, 0.371_184_936_317_919_6),
        (2.0, 10.0, 0.25, 0.802_902_698_516_845_7),
        (0.5, 3.0, 0.02, 0.261_650_722_242_458_18),
        (3.7, 41.25, 0.08, 0.538_203_160_479_566_3),
        (150.5, 9000.0, 0.017, 0.669_196_910_993_619_2),
    ] {
        let below = Beta::new(alpha, beta).unwrap().below(x);
        assert!((below - expected).abs() < 1e-12, "{alpha} {beta} {x}: {below}");
    }
    for (alpha, beta, low, high) in [
        (1.5, 8.0, 0.0015615229524962, 0.31685425371189),
        (1.2, 10.0, 1.773939061065e-6, 0.2302088121802),
        (2.0, 10.0, 0.011488255816388, 0.3160233629481),
        (3.7, 41.25, 0.019152276594987, 0.14282989361039),
    ] {
        let interval = Beta::new(alpha, beta).unwrap().highest_density(0.9);
        assert!((interval.low.0 - low).abs() < 1e-9, "{alpha} {beta}: {interval:?}");
        assert!((interval.high.0 - high).abs() < 1e-9, "{alpha} {beta}: {interval:?}");
    }
}

#[test]
fn parameters_that_make_no_distribution_are_refused() {
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, 1e-300] {
        assert!(Beta::new(bad, 1.0).is_none(), "{bad}");
        assert!(Beta::new(1.0, bad).is_none(), "{bad}");
    }
}

#[test]
fn a_flat_distribution_has_an_interval_with_equal_tails() {
    let interval = Beta::new(1.0, 1.0).unwrap().highest_density(0.9);
    assert!((interval.low.0 - 0.05).abs() < 1e-12 && (interval.high.0 - 0.95).abs() < 1e-12);
}

#[test]
fn a_large_distribution_still_covers_what_it_should() {
    for (alpha, beta) in [(1e5, 9e5), (3.0, 1e6), (1e6, 1e6), (1.0 + 1e-9, 40.0)] {
        let beta = Beta::new(alpha, beta).unwrap();
        let interval = beta.highest_density(0.9);
        let coverage = beta.below(interval.high.0) - beta.below(interval.low.0);
        assert!((coverage - 0.9).abs() < 1e-9, "{beta:?}: {coverage}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_interval_covers_nine_tenths_and_stays_inside(
        alpha in prop_oneof![0.2..5.0f64, 1.0..400.0f64],
        beta in prop_oneof![0.2..5.0f64, 1.0..400.0f64],
    ) {
        let beta = Beta::new(alpha, beta).unwrap();
        let interval = beta.highest_density(0.9);
        prop_assert!(0.0 <= interval.low.0 && interval.low.0 < interval.high.0 && interval.high.0 <= 1.0);
        let coverage = beta.below(interval.high.0) - beta.below(interval.low.0);
        prop_assert!((coverage - 0.9).abs() < 1e-9, "{}", coverage);
    }

    #[test]
    fn the_interval_is_no_wider_than_any_other_with_the_same_mass(
        alpha in 1.01..60.0f64, beta in 1.01..60.0f64, tail in 0.0..0.1f64,
    ) {
        let beta = Beta::new(alpha, beta).unwrap();
        let other = beta.quantile(tail + 0.9) - beta.quantile(tail);
        prop_assert!(beta.highest_density(0.9).width() <= other + 1e-9);
    }

    #[test]
    fn more_failures_move_everything_up(
        alpha in 0.2..100.0f64, beta in 0.2..100.0f64, more in 0.01..10.0f64, x in 0.01..0.99f64,
    ) {
        let (before, after) = (Beta::new(alpha, beta).unwrap(), Beta::new(alpha + more, beta).unwrap());
        prop_assert!(after.mean() > before.mean());
        prop_assert!(after.below(x) <= before.below(x) + 1e-12);
        prop_assert!(after.quantile(0.95) >= before.quantile(0.95) - 1e-12);
    }
}
