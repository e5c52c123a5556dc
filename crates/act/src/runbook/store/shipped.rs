//! The procedures that ship: runbooks of the tenant like any other, there as soon as one is needed.

use db::TenantTx;
use model::Digest;
use model::actor::service;
use model::audit::{Event, Who};

use super::{Error, Stored, at_version, get, import, write};
use crate::runbook::status::Status;

/// What an import of ours says of itself.
const SUMMARY: &str = "as it ships";

macro_rules! procedures {
    ($($name:literal,)+) => {
        /// The procedures by their names.
        const PROCEDURES: &[(&str, &str)] = &[$((
            $name,
            include_str!(concat!("../../../../../content/drift/runbooks/", $name, ".yaml")),
        ),)+];
    };
}

procedures! {
    "drift-scan",
    "drift-codify-plan",
    "drift-codify",
    "terraform-revert-plan",
    "terraform-revert",
    "terraform-revert-for-good",
    "cloudformation-revert-plan",
    "cloudformation-revert",
    "kubernetes-revert-plan",
    "kubernetes-revert",
    "exception-grant",
}

/// The procedure of a name, as the tenant has it.
///
/// That is what ships where there is none yet, or where the tenant's is an earlier one of ours. What
/// somebody else wrote under the name stays, and so does what was switched off.
///
/// # Errors
/// When nothing of this name ships, or the database fails.
pub async fn procedure(tx: &mut TenantTx, name: &str) -> Result<Stored, Error> {
    let shipped = PROCEDURES.iter().find(|(known, _)| *known == name);
    let (_, text) = shipped.ok_or(db::Error::NotFound)?;
    if let Some((id, version)) = write::locked(tx, name).await? {
        let stored = get(tx, id).await?;
        let (_, before) = at_version(tx, id, version).await?;
        let kept = before.created_by != service()
            || before.yaml == *text
            || stored.runbook.status == Status::Disabled;
        if kept {
            return Ok(stored);
        }
    }
    let made = import(tx, text, service(), SUMMARY).await?;
    let event = Event::new(Who::service(), "runbook.imported", "runbook", &made.id)
        .with("change", SUMMARY)
        .with("version", made.version)
        .with("yaml_sha256", Digest::of(text.as_bytes()).to_string());
    tx.audit(&event).await?;
    get(tx, made.id).await
}
