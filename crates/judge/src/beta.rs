//! The Beta distribution of a failure probability, computed the same way on every machine.
//!
//! Transcendental functions come from `libm`, everything is done in a fixed number of steps: the
//! bits of a result depend on the inputs alone.

use serde::{Deserialize, Serialize};

use crate::exact::Exact;

/// Halvings of an interval in [0, 1] for a quantile: enough for the last bit of a double.
const HALVINGS: u32 = 60;
/// Halvings for an end of an interval of equal densities: 1e-14 of the peak's place.
const DENSITY_HALVINGS: u32 = 46;
/// Steps of the continued fraction; it converges in O(sqrt(max(alpha, beta))) of them.
const FRACTION_STEPS: u32 = 2_000;
/// Largest parameter: beyond it the logarithm of the Beta function has lost nine digits.
const PARAMETER_LIMIT: f64 = 1e6;

/// A Beta distribution; `alpha` counts failures, `beta` successes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    alpha: f64,
    beta: f64,
    /// ln of the Beta function of the two.
    ln_norm: f64,
}

/// A credible interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: Exact,
    /// Upper end.
    pub high: Exact,
}

impl Interval {
    /// The interval that knows nothing.
    pub const WHOLE: Self = Self { low: Exact(0.0), high: Exact(1.0) };

    /// Its width.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.high.0 - self.low.0
    }
}

impl Beta {
    /// A distribution, if the parameters make one: positive, finite and at most a million.
    #[must_use]
    pub fn new(alpha: f64, beta: f64) -> Option<Self> {
        let fits = |value: f64| (1e-6..=PARAMETER_LIMIT).contains(&value);
        (fits(alpha) && fits(beta)).then(|| {
            let ln_norm = libm::lgamma(alpha) + libm::lgamma(beta) - libm::lgamma(alpha + beta);
            Self { alpha, beta, ln_norm }
        })
    }

    /// Pseudo-count of failures.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Pseudo-count of successes.
    #[must_use]
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// The expected failure probability.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    /// The variance of the failure probability.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let sum = self.alpha + self.beta;
        self.alpha * self.beta / (sum * sum * (sum + 1.0))
    }

    /// The probability that the failure probability is at most `x`: the regularised incomplete
    /// beta function, by Lentz's method on its continued fraction (DLMF 8.17.22).
    #[must_use]
    pub fn below(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        if x >= 1.0 {
            return 1.0;
        }
        let front =
            libm::exp(self.alpha * libm::log(x) + self.beta * libm::log1p(-x) - self.ln_norm);
        // The fraction converges fast on this side of the mean, the symmetry covers the other.
        let value = if x < (self.alpha + 1.0) / (self.alpha + self.beta + 2.0) {
            front * continued_fraction(self.alpha, self.beta, x) / self.alpha
        } else {
            1.0 - front * continued_fraction(self.beta, self.alpha, 1.0 - x) / self.beta
        };
        value.clamp(0.0, 1.0)
    }

    /// The value that the failure probability stays below with probability `mass`.
    #[must_use]
    pub fn quantile(&self, mass: f64) -> f64 {
        bisect(HALVINGS, 0.0, 1.0, |x| self.below(x) < mass)
    }

    /// The interval that leaves the same mass on both sides; never shorter than the shortest.
    #[must_use]
    pub fn equal_tails(&self, mass: f64) -> Interval {
        let low = self.quantile((1.0 - mass) / 2.0);
        Interval { low: Exact(low), high: Exact(self.quantile((1.0 + mass) / 2.0)) }
    }

    /// The shortest interval that holds `mass`; one-sided where the density only falls or rises.
    #[must_use]
    pub fn highest_density(&self, mass: f64) -> Interval {
        let (low, high) = match (self.alpha > 1.0, self.beta > 1.0) {
            (false, true) => (0.0, self.quantile(mass)),
            (true, false) => (self.quantile(1.0 - mass), 1.0),
            // Flat or rising to both ends: there is no single shortest interval.
            (false, false) => return self.equal_tails(mass),
            (true, true) => self.between_equal_densities(mass),
        };
        Interval { low: Exact(low), high: Exact(high) }
    }

    /// For a density with one peak: both ends have the same density and `mass` lies between them.
    fn between_equal_densities(&self, mass: f64) -> (f64, f64) {
        let peak = (self.alpha - 1.0) / (self.alpha + self.beta - 2.0);
        let opposite = |low: f64| {
            let level = self.ln_density(low);
            bisect(DENSITY_HALVINGS, peak, 1.0, |x| self.ln_density(x) > level)
        };
        let low = bisect(DENSITY_HALVINGS, 0.0, peak, |low| {
            self.below(opposite(low)) - self.below(low) > mass
        });
        // The upper end follows from the mass, not from the density: the coverage is then exact
        // even where the density is so flat that its ends cannot be told apart.
        let before = self.below(low);
        let high = bisect(HALVINGS, low, 1.0, |x| self.below(x) - before < mass);
        (low, high)
    }

    /// Up to a constant.
    fn ln_density(&self, x: f64) -> f64 {
        (self.alpha - 1.0) * libm::log(x) + (self.beta - 1.0) * libm::log1p(-x)
    }
}

/// The point in `low..high` where `left` turns from true to false.
fn bisect(halvings: u32, mut low: f64, mut high: f64, left: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..halvings {
        let middle = low + (high - low) / 2.0;
        if left(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + (high - low) / 2.0
}

/// Lentz's method as modified by Thompson and Barnett (J. Comput. Phys. 64, 1986).
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let kept = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for step in 1..=FRACTION_STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / kept(1.0 + even * d);
        c = kept(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / kept(1.0 + odd * d);
        c = kept(1.0 + odd / c);
        let change = d * c;
        h *= change;
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    h
}

#[cfg(test)]
mod tests;
