//! Sources: what they declare is read, and compared with what is there, when asked and by the clock.
//!
//! What a source, a cloud or a cluster does wrong is said at the source and waits for its next time;
//! only what this deployment itself lacks is tried again.

mod commits;
mod documents;
mod look;
mod secrets;
mod sync;

use std::time::Duration;

use api::App;
use connect::Outbound;
use db::jobs::Claimed;
use model::audit::Who;
use model::id::{RepositoryId, TenantId};
use sense::sealing;
use sense::store::declared::{self, SCAN, SYNC, Source};

use super::remedy::{self, OF_SCANS};
use super::{Loop, told};

/// The subjects of the jobs this takes.
pub const SUBJECTS: [&str; 2] = [SYNC, SCAN];

/// Why a job is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] db::Error),
    /// A credential cannot be opened now.
    #[error("a credential cannot be opened")]
    Sealing(#[from] sealing::Error),
    /// The job says nothing that could be done.
    #[error("the job names no source")]
    NoSource,
}

/// Why there was nothing to keep.
#[derive(Debug)]
enum Fault {
    /// It is tried again.
    Again(Error),
    /// It is said at the source.
    Said(String),
}

impl<E: Into<Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Again(error.into())
    }
}

/// Says an error with its causes.
fn said(error: &dyn std::error::Error) -> Fault {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Fault::Said(text)
}

/// Asks through the gate for a look where the tools of a source run; what they print becomes a scan
/// when they are done.
async fn elsewhere(cycle: &Loop, job: &Claimed, id: RepositoryId) -> Result<(), Fault> {
    let mut tx = cycle.app().db.tenant(job.tenant).await?;
    let service = api::identity::store::load_actor(&mut tx, model::actor::service()).await?;
    let service = service.ok_or_else(|| Fault::Said("this deployment has no actor".to_owned()))?;
    // A job that is repeated asks for the same.
    let asked = remedy::look(cycle, &mut tx, id, (&service, format!("{OF_SCANS}{}", job.id))).await;
    match asked {
        Ok(_) => Ok(tx.commit().await?),
        Err(super::Error::Db(error)) => Err(error.into()),
        Err(error) => Err(Fault::Said(told(&error))),
    }
}

/// What the work on a source shares.
struct Work<'a> {
    app: &'a App,
    /// The way out for this tenant.
    outbound: Outbound,
    tenant: TenantId,
    who: Who,
    source: Source,
}

/// Does a job, keeping it for `ttl` as long as it takes.
///
/// # Errors
/// When the database or the key store fails, or somebody else took it over.
pub async fn work(
    cycle: &Loop,
    outbound: &Outbound,
    job: &Claimed,
    ttl: Duration,
) -> Result<(), Error> {
    let done = Box::pin(once(cycle, outbound, job));
    tokio::pin!(done);
    loop {
        tokio::select! {
            done = &mut done => return done,
            () = tokio::time::sleep(ttl / 3) => job.renew(&cycle.app().db, ttl).await?,
        }
    }
}

async fn once(cycle: &Loop, outbound: &Outbound, job: &Claimed) -> Result<(), Error> {
    let app = cycle.app();
    let id: RepositoryId = job.params["iac_repository_id"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or(Error::NoSource)?;
    let mut tx = app.db.tenant(job.tenant).await?;
    let source = match declared::source(&mut tx, id).await {
        // It was removed meanwhile.
        Err(error) if error.kind() == db::Kind::NotFound => {
            job.complete(&mut tx).await?;
            return Ok(tx.commit().await?);
        }
        source => source?,
    };
    tx.rollback().await?;
    let outbound = outbound.of(job.tenant);
    let work = Work { app, outbound, tenant: job.tenant, who: Who::service(), source };
    let done = match job.subject.as_str() {
        SCAN if work.source.resource.is_some() => elsewhere(cycle, job, id).await,
        SCAN => look::look(&work).await,
        _ => sync::sync(&work).await,
    };
    let error = match done {
        Ok(()) => None,
        Err(Fault::Said(text)) => Some(text),
        Err(Fault::Again(error)) => return Err(error),
    };
    let mut tx = app.db.tenant(job.tenant).await?;
    declared::note(&mut tx, id, &job.subject, error.as_deref()).await?;
    job.complete(&mut tx).await?;
    Ok(tx.commit().await?)
}
