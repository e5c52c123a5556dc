//! Expected losses of approving, denying and escalating; the smallest is the risk verdict.

use model::verdict::{Judge, Reason, Verdict};
use serde::{Deserialize, Serialize};

use super::RiskInput;
use crate::beta::Interval;
use crate::exact::Exact;

/// What each answer is expected to cost, in points.
///
/// With `r` the score, `b` the business impact, `f` the forecast, `v` the opportunity:
/// approve `10 r + 5 b + 2 f + 5 Var`, deny `8 (1 - r) + 3 v`, escalate `2 + 4 psi`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExpectedLosses {
    /// Letting it run.
    pub approve: Exact,
    /// Refusing it.
    pub deny: Exact,
    /// Asking a person.
    pub escalate: Exact,
}

impl ExpectedLosses {
    pub(super) fn of(input: &RiskInput, score: f64, variance: f64) -> Self {
        let weight = &input.constants.losses;
        let approve = weight.false_approval.0 * score
            + weight.impact.0 * input.impact.0
            + weight.predictive.0 * input.predictive.0
            + weight.variance.0 * variance;
        let deny =
            weight.false_denial.0 * (1.0 - score) + weight.opportunity.0 * input.opportunity.0;
        let escalate = weight.review.0 + weight.uncertainty.0 * input.constants.psi.0;
        Self { approve: Exact(approve), deny: Exact(deny), escalate: Exact(escalate) }
    }

    /// The answer with the smallest loss; among equals the more restrictive.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.deny <= self.approve && self.deny <= self.escalate {
            Verdict::Deny
        } else if self.escalate <= self.approve {
            Verdict::RequireApproval
        } else {
            Verdict::Allow
        }
    }

    pub(super) fn reason(&self) -> Option<Reason> {
        let costs = format!(
            "expected losses: approve {:.2}, deny {:.2}, escalate {:.2}",
            self.approve.0, self.deny.0, self.escalate.0
        );
        match self.verdict() {
            Verdict::Allow => None,
            Verdict::RequireApproval => {
                Some(reason("losses_prefer_review", Verdict::RequireApproval, costs))
            }
            Verdict::Deny => Some(reason("losses_prefer_denial", Verdict::Deny, costs)),
        }
    }
}

pub(super) fn width_reason(input: &RiskInput, interval: Interval) -> Option<Reason> {
    let limit = input.constants.interval_width_limit.0;
    (interval.width() > limit).then(|| {
        let message = format!(
            "too little is known: the failure probability lies between {:.3} and {:.3}, \
             wider than {limit}",
            interval.low.0, interval.high.0
        );
        reason("interval_too_wide", Verdict::RequireApproval, message)
    })
}

pub(super) fn reason(code: &str, verdict: Verdict, message: String) -> Reason {
    Reason { judge: Judge::Risk, code: code.to_owned(), verdict, message }
}
