use super::*;

#[test]
fn an_amount_is_an_exact_decimal() {
    for good in ["0", "12", "-3.50", "999999999999999.999999"] {
        assert!(decimal("/amount", good).is_ok(), "{good}");
    }
    for bad in
        ["", "-", ".5", "1.", "1e3", "NaN", "+1", "1,5", "1.0000000", "--1", "1000000000000000"]
    {
        assert!(decimal("/amount", bad).is_err(), "{bad}");
    }
}

#[test]
fn a_share_is_from_none_to_all_and_no_nan() {
    for good in [None, Some(0.0), Some(0.5), Some(1.0)] {
        assert!(share("/x", good).is_ok(), "{good:?}");
    }
    for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(share("/x", Some(bad)).is_err(), "{bad}");
    }
}
