//! Evidence: what a step printed, set apart, hashed and kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Digest;
use model::id::{EvidenceId, StepRunId};
use model::objects::Objects;
use model::plan::EvidenceRequirement;
use serde_json::{Value, json};

use super::Engine;
use crate::error::Error;
use crate::lease::Lease;
use crate::snapshot::{Collected, Snapshot};
use crate::store;
use crate::store::printed::{Document, Piece, Stored as Stream, begun, checked, fetch};
use crate::store::rows::object_key;
use crate::store::write::Stored;

/// Evidence that cannot be had now.
#[derive(Debug, thiserror::Error)]
#[error("the output it is to be made of was not kept")]
struct NoOutput;

/// A piece of evidence before it is written.
#[derive(Debug)]
struct Made {
    /// All but the output.
    document: Value,
    streams: Vec<(&'static str, Stream)>,
}

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
        let made = self.evidence(lease, snapshot, run, requirement).await?;
        let key = object_key(claimed.tenant, "evidence", claimed.execution.uuid(), id.uuid());
        let sha256 = store_evidence(&*self.objects, &key, made).await?;
        let collected = Collected { id, run, requirement: requirement.clone() };
        Ok((collected, Stored { key, sha256 }))
    }

    async fn evidence(
        &self,
        lease: &Lease,
        snapshot: &Snapshot,
        id: StepRunId,
        requirement: &EvidenceRequirement,
    ) -> Result<Made, Error> {
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
            return Ok(Made { document, streams: Vec::new() });
        }
        let mut tx =
            self.db.tenant(lease.claimed.tenant).await.map_err(Error::db("collecting evidence"))?;
        let call = store::load::output_of(&mut tx, id).await?;
        tx.rollback().await.map_err(Error::db("collecting evidence"))?;
        let missing = || Error::unreadable("output")(NoOutput);
        let (call, kept) = call.ok_or_else(missing)?;
        let (key, sha256) = kept.ok_or_else(missing)?;
        let bytes = checked(&*self.objects, &key, &sha256).await?;
        let output: Document =
            serde_json::from_slice(&bytes).map_err(Error::unreadable("output"))?;
        document["tool_call"] = json!(call.to_string());
        let asked = requirement.query.as_str();
        let both = asked != "stdout" && asked != "stderr";
        let streams = [("stderr", output.stderr), ("stdout", output.stdout)];
        let wanted = streams.into_iter().filter(|(name, _)| both || *name == asked);
        Ok(Made { document, streams: wanted.collect() })
    }
}

/// Writes evidence as one JSON object with all of its output in it, however long that is, and holds
/// no more than a few pieces of it.
async fn store_evidence(objects: &dyn Objects, key: &str, made: Made) -> Result<Digest, Error> {
    let mut upload = objects.upload(key).await.map_err(Error::Objects)?;
    let mut text = made.document.to_string();
    // The closing brace: the streams are members of the same object.
    text.pop();
    for (name, stream) in made.streams {
        text.push_str(&format!(",\"{name}\":"));
        if stream.pieces.is_empty() {
            text.push_str(&json!(stream).to_string());
            continue;
        }
        let words = all_text(objects, &stream.pieces).await?;
        text.push_str(if words { "{\"text\":\"" } else { "{\"base64\":\"" });
        let mut held = Vec::new();
        for piece in &stream.pieces {
            held.extend(fetch(objects, piece).await?);
            let rest = held.split_off(whole(&held, words));
            text.push_str(&member(&held, words));
            held = rest;
            let bytes = std::mem::take(&mut text).into_bytes();
            upload.write(bytes).await.map_err(Error::Objects)?;
        }
        text.push_str(&member(&held, words));
        text.push_str(if stream.truncated { "\",\"truncated\":true}" } else { "\"}" });
    }
    text.push('}');
    upload.write(text.into_bytes()).await.map_err(Error::Objects)?;
    upload.finish().await.map_err(Error::Objects)
}

/// How many of these bytes can be written before the next ones are known.
fn whole(bytes: &[u8], words: bool) -> usize {
    if words { bytes.len() - begun(bytes) } else { bytes.len() / 3 * 3 }
}

/// Bytes as the inside of a JSON string.
fn member(bytes: &[u8], words: bool) -> String {
    if !words {
        return STANDARD.encode(bytes);
    }
    let quoted = Value::from(String::from_utf8_lossy(bytes)).to_string();
    let inside = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or_default().to_owned()
}

/// Whether a stream is text from its beginning to its end.
async fn all_text(objects: &dyn Objects, pieces: &[Piece]) -> Result<bool, Error> {
    let mut held = Vec::new();
    for piece in pieces {
        held.extend(fetch(objects, piece).await?);
        let rest = held.split_off(whole(&held, true));
        if std::str::from_utf8(&held).is_err() {
            return Ok(false);
        }
        held = rest;
    }
    Ok(held.is_empty())
}
