//! The Beta posterior of the probability that a change of a category fails.
//!
//! The conjugate update of a Bernoulli likelihood: Gelman et al., Bayesian Data Analysis, 3rd ed.,
//! section 2.4. An observation of 1 is a **failure**, so alpha counts failures.

/// What is believed of a category of changes, in one tenant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posterior {
    /// Failures seen, plus the prior's.
    pub alpha: f64,
    /// Successes seen, plus the prior's.
    pub beta: f64,
    /// Verified outcomes it has learned from.
    pub n: u64,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// Verified: it worked.
    Success,
    /// Verified: it did not.
    Failure,
    /// Nobody knows, or nothing was done: it teaches nothing.
    Nothing,
}

impl Posterior {
    /// What is believed before anything was seen.
    #[must_use]
    pub const fn prior(alpha: f64, beta: f64) -> Self {
        Self { alpha, beta, n: 0 }
    }

    /// What is believed afterwards.
    #[must_use]
    pub fn after(self, lesson: Lesson) -> Self {
        match lesson {
            Lesson::Success => Self { beta: self.beta + 1.0, n: self.n + 1, ..self },
            Lesson::Failure => Self { alpha: self.alpha + 1.0, n: self.n + 1, ..self },
            Lesson::Nothing => self,
        }
    }

    /// The mean probability of failure.
    #[must_use]
    pub fn mean(self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn behaviour_9_a_hundred_successes_lower_the_mean_and_one_failure_raises_it() {
        let prior = Posterior::prior(1.0, 12.0);
        let good = (0..100).fold(prior, |belief, _| belief.after(Lesson::Success));
        assert!(good.mean() < prior.mean());
        assert!(good.after(Lesson::Failure).mean() > good.mean());
        assert_eq!((good.alpha, good.beta, good.n), (1.0, 112.0, 100));
    }

    #[test]
    fn what_nobody_knows_teaches_nothing() {
        let prior = Posterior::prior(2.0, 10.0);
        assert_eq!(prior.after(Lesson::Nothing), prior);
    }

    proptest! {
        #[test]
        fn the_order_of_lessons_does_not_matter(lessons in prop::collection::vec(any::<bool>(), 0..60)) {
            let learn = |belief: Posterior, success: &bool| {
                belief.after(if *success { Lesson::Success } else { Lesson::Failure })
            };
            let forwards = lessons.iter().fold(Posterior::prior(1.5, 8.0), learn);
            let backwards = lessons.iter().rev().fold(Posterior::prior(1.5, 8.0), learn);
            prop_assert_eq!(forwards, backwards);
            prop_assert!(forwards.mean() > 0.0 && forwards.mean() < 1.0);
        }
    }
}
