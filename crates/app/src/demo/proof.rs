//! The last story: the audit log proves itself, and names the row that was changed.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use model::id::EventId;
use serde_json::Value;
use tokio::process::Command;

use super::process::own_settings;
use super::programs::typed;
use super::server::{DEPLOYMENT, Server};
use super::store::{self, Alteration};
use super::timeline::Timeline;
use super::wait::until;
use crate::cli::End;
use crate::cli::view::{at, raw};
use crate::client::Client;

/// How long the sequencer may take to sign and anchor what happened.
const ANCHORED_WITHIN: Duration = Duration::from_secs(30);
/// The event that is altered: who approved.
const ACTION: &str = "approval.voted";
/// Who is said to have approved instead: an actor of the same length, whom nobody is.
const INSTEAD: &str = "act_00000000-0000-7000-8000-00000000dead";

/// Verifies, alters a row, verifies again.
///
/// # Errors
/// When the log does not hold before, or holds after.
pub(super) async fn audit(timeline: &Timeline, server: &Server, admin: &Client) -> Result<()> {
    let arguments = arguments(server);
    // The sequencer signs and anchors a moment after an event was committed.
    until("the audit log is signed and anchored", ANCHORED_WITHIN, async || {
        let (report, code) = report(&arguments).await?;
        if code == End::Tampered.code() {
            bail!("the log does not hold: {report}");
        }
        let whole = report.pointer("/anchor/size").is_some_and(|size| *size == report["size"]);
        Ok((code == End::Good.code() && whole).then_some(()))
    })
    .await?;
    timeline.command(&typed("countersign", &arguments));
    let (said, code) = run(&arguments).await?;
    timeline.detail(&said);
    if code != End::Good.code() {
        bail!("audit verify ended with {code}");
    }
    timeline.good(&format!("exit code {code}: every event is as it was signed"));

    let event = latest_vote(admin).await?;
    let seq = event["seq"].as_u64().context("an event without a place")?;
    let voter = raw(&event, "/event/actor/display_name");
    timeline
        .event(&format!("event {seq} of the log says: {} by {voter}", at(&event, "/event/action")));
    let id: EventId = raw(&event, "/id").parse()?;
    let actor = raw(&event, "/event/actor/id");
    let alteration = Alteration { event: id.uuid(), from: actor, to: INSTEAD };
    timeline.event("somebody with all rights on the database changes that row, in SQL:");
    timeline.detail(&alteration.shown());
    let (_, admin_url) = db::private::urls(&server.data_dir)?;
    store::alter(&admin_url, &alteration).await?;
    timeline.bad(&format!("altered: it says now that {INSTEAD}, did it"));
    timeline.command(&typed("countersign", &arguments));
    let (said, _) = run(&arguments).await?;
    timeline.detail(&said);
    let (report, code) = report(&arguments).await?;
    if code != End::Tampered.code() || report.pointer("/first_bad/seq") != Some(&Value::from(seq)) {
        bail!("the altered row is {seq}; audit verify ended with {code} and says: {report}");
    }
    timeline.good(&format!("exit code {code}: audit verify names event {seq}"));
    Ok(())
}

fn arguments(server: &Server) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["audit", "verify", "--data-dir"].map(Into::into).into();
    arguments.push(server.data_dir.clone().into());
    arguments.extend(["--deployment", DEPLOYMENT].map(OsString::from));
    arguments
}

async fn latest_vote(admin: &Client) -> Result<Value> {
    let query = [("action", ACTION.to_owned()), ("limit", "1".to_owned())];
    let page = admin.get(&["audit", "events"], &query).await?;
    let found = page.pointer("/items/0").cloned();
    found.with_context(|| format!("no {ACTION} is in the log"))
}

/// The answer as JSON, and the exit code.
async fn report(arguments: &[OsString]) -> Result<(Value, u8)> {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--output", "json"].map(OsString::from));
    let (said, code) = run(&arguments).await?;
    Ok((serde_json::from_str(&said).with_context(|| format!("audit verify says {said:?}"))?, code))
}

/// Runs this program; gives what it said and its exit code.
async fn run(arguments: &[OsString]) -> Result<(String, u8)> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    own_settings(&mut command);
    let command = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.context("cannot run audit verify")?;
    let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    let code = output.status.code().and_then(|code| u8::try_from(code).ok());
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((said, code.with_context(|| format!("audit verify was killed: {complained}"))?))
}
