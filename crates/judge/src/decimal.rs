//! Exact decimal numbers: what the parts of a score are added and multiplied in.
//!
//! Doubles round after every operation, so parts that are shown as decimals would not give the
//! whole that is shown. Here nothing rounds: an operation gives the exact result or none at all.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// More digits after the point than this do not fit beside others into 128 bits.
const MOST_PLACES: u32 = 37;

/// A decimal number: `units / 10^places`, without zeros at its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: i128,
    places: u32,
}

/// A text that is no decimal number, or one with too many digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no decimal number of at most {MOST_PLACES} digits")]
pub struct DecimalError;

impl Decimal {
    /// 0.
    pub const ZERO: Self = Self { units: 0, places: 0 };
    /// 1.
    pub const ONE: Self = Self { units: 1, places: 0 };

    fn new(mut units: i128, mut places: u32) -> Self {
        while places > 0 && units % 10 == 0 {
            units /= 10;
            places -= 1;
        }
        Self { units, places }
    }

    /// The number a double is written as: the shortest decimal that reads back to it. `None` when
    /// it is none, or needs too many digits.
    #[must_use]
    pub fn of(number: f64) -> Option<Self> {
        number.is_finite().then(|| format!("{number:?}").parse().ok()).flatten()
    }

    /// A double rounded to so many places, halves to the even neighbour; `None` when it is none or
    /// too large.
    #[must_use]
    pub fn rounded(number: f64, places: u32) -> Option<Self> {
        let scaled = number * 10_f64.powi(i32::try_from(places).ok()?);
        // Up to here every whole number is a double.
        (scaled.abs() <= 9e15).then(|| {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
            let units = scaled.round_ties_even() as i128;
            Self::new(units, places)
        })
    }

    /// The nearest double.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The exact sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let (left, right, places) = self.aligned(other)?;
        Some(Self::new(left.checked_add(right)?, places))
    }

    /// The exact difference.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { units: other.units.checked_neg()?, ..other })
    }

    /// The exact product.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let places = self.places + other.places;
        (places <= MOST_PLACES).then_some(())?;
        Some(Self::new(self.units.checked_mul(other.units)?, places))
    }

    /// Both in units of the same size.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let places = self.places.max(other.places);
        let in_units = |one: Self| one.units.checked_mul(10_i128.checked_pow(places - one.places)?);
        Some((in_units(self)?, in_units(other)?, places))
    }

    /// Compares two numbers; `None` when they are too far apart in size.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        let (left, right, _) = self.aligned(other)?;
        Some(left.cmp(&right))
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// `-12.5`, `3e-7`.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse().map_err(|_| DecimalError)?),
            None => (text, 0_i32),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if unsigned.is_empty() || !digits(unsigned) || !digits(part) {
            return Err(DecimalError);
        }
        let units: i128 = format!("{whole}{part}").parse().map_err(|_| DecimalError)?;
        let places = i32::try_from(part.len()).map_err(|_| DecimalError)? - exponent;
        if units == 0 {
            return Ok(Self::ZERO);
        }
        match u32::try_from(places) {
            Ok(places) if places <= MOST_PLACES => Ok(Self::new(units, places)),
            Ok(_) => Err(DecimalError),
            Err(_) => {
                let larger = 10_i128.checked_pow(places.unsigned_abs());
                let units = larger.and_then(|larger| units.checked_mul(larger));
                Ok(Self { units: units.ok_or(DecimalError)?, places: 0 })
            }
        }
    }
}

/// Without an exponent: what people add by hand.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let digits = self.units.unsigned_abs().to_string();
        if self.places == 0 {
            return write!(f, "{sign}{digits}");
        }
        let places = usize::try_from(self.places).unwrap_or_default();
        let digits = format!("{digits:0>width$}", width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        write!(f, "{sign}{whole}.{part}")
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_are_read_and_written_without_an_exponent() {
        for (text, shown) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("1.50", "1.5"),
            ("-12.5", "-12.5"),
            ("3e-7", "0.0000003"),
            ("1.5e3", "1500"),
            ("100", "100"),
            ("0.05", "0.05"),
        ] {
            assert_eq!(decimal(text).to_string(), shown);
        }
        for bad in ["", "-", ".5", "1.2.3", "x", "1e", "+1", "1e-40", "NaN"] {
            assert_eq!(bad.parse::<Decimal>(), Err(DecimalError), "{bad}");
        }
        assert_eq!(Decimal::of(f64::NAN), None);
        assert_eq!(Decimal::of(0.1), Some(decimal("0.1")));
    }

    #[test]
    fn arithmetic_is_that_of_pen_and_paper() {
        let (a, b) = (decimal("0.1"), decimal("0.2"));
        assert_eq!(a.plus(b), Some(decimal("0.3")));
        assert_eq!(a.minus(b), Some(decimal("-0.1")));
        assert_eq!(a.times(b), Some(decimal("0.02")));
        assert_eq!(Decimal::rounded(2.0 / 3.0, 4), Some(decimal("0.6667")));
        assert_eq!(Decimal::rounded(0.5, 0), Some(Decimal::ZERO));
        assert_eq!(Decimal::rounded(f64::INFINITY, 2), None);
        assert_eq!(decimal("1e30").times(decimal("1e30")), None);
    }

    proptest! {
        #[test]
        fn fifteen_digits_survive_the_way_through_a_double(units in 0..1_000_000_000_000_000_i64, places in 0..16_u32) {
            let number = Decimal::new(i128::from(units), places);
            prop_assert_eq!(Decimal::of(number.to_f64()), Some(number));
            prop_assert_eq!(number.to_string().parse::<Decimal>(), Ok(number));
        }
    }
}
