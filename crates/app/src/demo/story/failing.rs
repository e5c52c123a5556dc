//! The second story: a fix does not help, and everything it did is undone.

use anyhow::{Context as _, Result, bail};

use super::{Followed, Stage, expect};
use crate::cli::view::{at, raw};
use crate::demo::hosts::SERVICE;

const SERVER: &str = "web-3";
const ALERT: &str = "ErrorRatioHigh";
/// A release that fails every fourth request, and whose data the one before cannot read.
const RELEASE: &str = "1.5";
/// How many steps of the runbook change something.
const WRITES: usize = 3;

impl Stage<'_> {
    /// A release goes wrong, going back does not help, and going back is undone.
    ///
    /// # Errors
    /// When anything goes otherwise than it should.
    pub(in crate::demo) async fn failed_fix_is_rolled_back(&self) -> Result<()> {
        let host = self.host(SERVER)?;
        let said = host.control(&["deploy", SERVICE, RELEASE]).await?;
        self.timeline.bad(&format!("somebody deploys a bad release on {SERVER}: {said}"));
        let before_all = host.control(&["status", SERVICE]).await?;
        let case = self.told(ALERT, SERVER).await?;
        self.tell_decision(&case);
        expect("the decision", &case.decision, "/verdict", "require_approval")?;
        let before = self.belief(&case).await?;
        let approval = raw(&case.approval, "/id");
        let first = self.approved("grace", approval, "go back to the release before").await?;
        if case.approval["min_votes"] == 2 {
            expect("the first vote", &first, "/status", "pending")?;
            let second = self.approved("edith", approval, "agreed").await?;
            expect("the second vote", &second, "/status", "approved")?;
        } else {
            bail!("the shipped policy asks for {} votes, not 2", at(&case.approval, "/min_votes"));
        }
        let followed = self.followed(&case.execution).await?;
        let ended = &followed.execution;
        expect("the execution", ended, "/state", "rolled_back")?;
        self.timeline
            .bad(&format!("rolled back: {}", at(ended, "/rollback_reason").replace('_', " ")));
        self.undone_in_reverse(&followed)?;
        let after_all = host.control(&["status", SERVICE]).await?;
        if after_all != before_all {
            bail!("not as before on {SERVER}: {after_all}; before: {before_all}");
        }
        self.timeline.good(&format!("{SERVER} is as it was before: {after_all}"));
        let finding = self.reader()?.get(&["findings", raw(&case.alert, "/id")], &[]).await?;
        expect("the finding", &finding, "/status", "open")?;
        self.timeline.event("the finding stays open: it is a person's now");
        let after = self.belief(&case).await?;
        self.tell_belief(&case, before, after);
        if after.mean() <= before.mean() {
            bail!("a failure did not raise the expected rate of failures");
        }
        Ok(())
    }

    /// Every step that changed something must have been undone, the last one first.
    fn undone_in_reverse(&self, followed: &Followed) -> Result<()> {
        let steps = followed.execution["steps"].as_array().map_or(&[][..], Vec::as_slice);
        let mut orders = Vec::new();
        for run in &followed.undone {
            let step = steps.iter().find(|step| at(step, "/id") == *run);
            let step = step.with_context(|| format!("{run} was undone and is no step"))?;
            self.timeline.detail(&format!("{} {}: undone", at(step, "/order"), at(step, "/name")));
            orders.push(step["order"].as_u64().context("a step without a place")?);
        }
        if orders.len() != WRITES || !orders.is_sorted_by(|one, next| one > next) {
            bail!("undone were the steps {orders:?}: {WRITES} must be, the last one first");
        }
        Ok(())
    }
}
