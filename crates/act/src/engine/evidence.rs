//! Evidence: what a step printed, set apart, hashed and kept.

use model::id::{EvidenceId, StepRunId};
use model::plan::EvidenceRequirement;
use serde_json::{Value, json};

use super::Engine;
use crate::error::Error;
use crate::lease::Lease;
use crate::snapshot::{Collected, Snapshot};
use crate::store;
use crate::store::rows::object_key;
use crate::store::write::Stored;

/// Evidence that cannot be had now.
#[derive(Debug, thiserror::Error)]
#[error("the output it is to be made of was not kept")]
struct NoOutput;

impl Engine {
    /// Makes evidence of type `log` from the output of a step run and stores it.
    pub(super) async fn collect(
        &self,
        lease: &Lease,
        snapshot: &Snapshot,
        run: StepRunId,
        requirement: &EvidenceRequirement,
    ) -> Result<(Collected, Stored), Error> {
        let claimed = &lease.claimed;
        let id = EvidenceId::generate();
        let document = self.evidence(lease, snapshot, run, requirement).await?;
        let key = object_key(claimed.tenant, "evidence", claimed.execution.uuid(), id.uuid());
        let bytes = document.to_string().into_bytes();
        let sha256 = self.objects.put(&key, bytes).await.map_err(Error::Objects)?;
        let collected = Collected { id, run, requirement: requirement.clone() };
        Ok((collected, Stored { key, sha256 }))
    }

    async fn evidence(
        &self,
        lease: &Lease,
        snapshot: &Snapshot,
        id: StepRunId,
        requirement: &EvidenceRequirement,
    ) -> Result<Value, Error> {
        let run = snapshot.run(id);
        let step = run.and_then(|run| snapshot.step(run));
        let target = run.and_then(|run| snapshot.plan.target(run.resource));
        let mut document = json!({
            "type": requirement.kind.word(),
            "query": requirement.query,
            "step_run": id.to_string(),
            "step": step.map(|step| step.name.clone()),
            "target": target.map(|target| target.name.clone()),
            "exit_code": run.and_then(|run| run.exit_code),
        });
        // A sensitive step's output is nowhere: that it ran and how it ended is the evidence.
        if step.is_some_and(|step| step.sensitive) {
            document["masked"] = json!(true);
            return Ok(document);
        }
        let mut tx =
            self.db.tenant(lease.claimed.tenant).await.map_err(Error::db("collecting evidence"))?;
        let call = store::load::output_of(&mut tx, id).await?;
        tx.rollback().await.map_err(Error::db("collecting evidence"))?;
        let missing = || Error::unreadable("output")(NoOutput);
        let (call, key) = call.ok_or_else(missing)?;
        let bytes = self.objects.get(&key.ok_or_else(missing)?).await.map_err(Error::Objects)?;
        let output: Value = serde_json::from_slice(&bytes).map_err(Error::unreadable("output"))?;
        document["tool_call"] = json!(call.to_string());
        for stream in ["stdout", "stderr"] {
            if requirement.query != "stdout" && requirement.query != "stderr"
                || requirement.query == stream
            {
                document[stream] = output.get(stream).cloned().unwrap_or_default();
            }
        }
        Ok(document)
    }
}
