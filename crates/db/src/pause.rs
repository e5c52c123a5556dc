//! Pauses that differ: what many processes do again after the same event, they do not do at the
//! same moment.

use std::time::Duration;

use aws_lc_rs::rand;

/// A pause of half to one and a half times `about`.
#[must_use]
pub fn spread(about: Duration) -> Duration {
    let mut random = [0];
    // Without randomness the pause is the shortest one: what it is for still comes about.
    if rand::fill(&mut random).is_err() {
        return about / 2;
    }
    let [share] = random;
    about / 2 + about * u32::from(share) / u32::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_and_are_about_as_long_as_asked() {
        let about = Duration::from_secs(2);
        let pauses: Vec<_> = (0..100).map(|_| spread(about)).collect();
        let fit = |pause: &Duration| (about / 2..=about * 3 / 2).contains(pause);
        assert!(pauses.iter().all(fit), "{pauses:?}");
        let first = pauses.first().expect("there are some");
        assert!(pauses.iter().any(|pause| pause != first), "{pauses:?}");
    }
}
