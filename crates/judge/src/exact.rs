//! Floats in signed records: written as the shortest text that reads back to the same bits.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A float that serialises as a string, so that the canonical form takes it and loses no bit.
///
/// Reading also takes a plain number, for data files written by people.
#[derive(Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Exact(pub f64);

impl Exact {
    /// Whether it is a number at all: neither NaN nor infinite.
    #[must_use]
    pub fn usable(self) -> bool {
        self.0.is_finite()
    }
}

impl From<f64> for Exact {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

/// `{:?}` of a float is its shortest round-trip form, with an exponent where that is shorter.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Exact;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a number in a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Exact, E> {
                text.parse().map(Exact).map_err(E::custom)
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Exact, E> {
                Ok(Exact(value))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Exact, E> {
                u32::try_from(value).map(|small| Exact(f64::from(small))).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Exact, E> {
                i32::try_from(value).map(|small| Exact(f64::from(small))).map_err(E::custom)
            }
        }
        from.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_nan_survives_the_record_as_a_nan() {
        let text = serde_json::to_string(&Exact(f64::NAN)).unwrap();
        assert_eq!(text, "\"NaN\"");
        assert!(serde_json::from_str::<Exact>(&text).unwrap().0.is_nan());
    }

    proptest! {
        #[test]
        fn every_float_reads_back_to_the_same_bits(bits: u64) {
            let value = Exact(f64::from_bits(bits));
            let text = serde_json::to_string(&value).unwrap();
            let back: Exact = serde_json::from_str(&text).unwrap();
            if value.0.is_nan() {
                prop_assert!(back.0.is_nan());
            } else {
                prop_assert_eq!(back.0.to_bits(), bits);
            }
        }
    }
}
