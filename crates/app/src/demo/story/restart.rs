//! The first story: a service dies, and is restarted with the consent of a second person.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{Case, Stage, TOLD_WITHIN, expect};
use crate::cli::view::{at, raw};
use crate::demo::hosts::SERVICE;
use crate::demo::wait::until;

const SERVER: &str = "web-2";
const ALERT: &str = "ServiceDown";

impl Stage<'_> {
    /// A service dies and is restarted.
    ///
    /// # Errors
    /// When anything goes otherwise than it should.
    pub(in crate::demo) async fn service_is_restarted(&self) -> Result<()> {
        let host = self.host(SERVER)?;
        let pid = host.break_service().await?;
        self.timeline.bad(&format!("{SERVICE} on {SERVER} dies (kill -9 {pid})"));
        let case = self.told(ALERT, SERVER).await?;
        expect("the alert", &case.alert, "/status", "open")?;
        self.tell_decision(&case);
        expect("the decision", &case.decision, "/verdict", "require_approval")?;
        let before = self.belief(&case).await?;
        self.nobody_approves_their_own(&case).await?;
        let approval = raw(&case.approval, "/id");
        let ballot = self.approved("grace", approval, "the service is down, restart it").await?;
        expect("the vote", &ballot, "/status", "approved")?;
        let ended = self.followed(&case.execution).await?.execution;
        expect("the execution", &ended, "/state", "completed")?;
        let evidence = ended["evidence"].as_array().map_or(0, Vec::len);
        self.timeline.good(&format!(
            "completed and verified in {} ms, with {evidence} piece(s) of evidence",
            at(&ended, "/duration_ms")
        ));
        self.timeline
            .detail(&format!("on {SERVER}: {}", host.control(&["status", SERVICE]).await?));
        self.finding_is_fixed(&case).await?;
        let after = self.belief(&case).await?;
        self.tell_belief(&case, before, after);
        if after.mean() >= before.mean() {
            bail!("a verified success did not lower the expected rate of failures");
        }
        Ok(())
    }

    /// The source that asked, the author of the runbook, and a person who asked: none may approve.
    async fn nobody_approves_their_own(&self, case: &Case) -> Result<()> {
        let ada = &self.person("ada")?.client();
        let approval = raw(&case.approval, "/id");
        self.refused("alertmanager, whose alert asked for it", self.source, approval).await?;
        self.refused("ada, who wrote the runbook", ada, approval).await?;
        let runbook = at(&case.plan, "/document/runbook/id");
        let wanted = json!({ "finding_id": case.alert["id"], "intent": "restart it now" });
        self.timeline.command(&format!(
            "countersign runbook run {} --alert {}    # ada",
            at(&case.plan, "/document/runbook/name"),
            at(&case.alert, "/id")
        ));
        let asked =
            ada.post(&["runbooks", &runbook, "run"], &wanted).await.context("ada asks herself")?;
        let own = asked["approval_id"].as_str().context("no approval was asked for")?;
        self.refused("ada, who asked for this one", ada, own).await?;
        let execution = raw(&asked, "/execution_id");
        let cancelled = ada.post(&["executions", execution, "cancel"], &Value::Null).await?;
        expect("the cancelled request", &cancelled, "/state", "cancelled")?;
        self.timeline.event("ada cancels her own request; the first one still waits");
        Ok(())
    }

    async fn finding_is_fixed(&self, case: &Case) -> Result<()> {
        let (reader, id) = (self.reader()?, raw(&case.alert, "/id"));
        let finding = reader.get(&["findings", id], &[]).await?;
        expect("the finding", &finding, "/status", "fixed")?;
        self.timeline.good("the finding is fixed");
        until("Alertmanager says it is over", TOLD_WITHIN, async || {
            let alert = reader.get(&["alerts", id], &[]).await?;
            Ok((alert["source_status"] == "resolved").then_some(()))
        })
        .await?;
        self.timeline.good("Prometheus sees the service again, and Alertmanager says: resolved");
        Ok(())
    }
}
