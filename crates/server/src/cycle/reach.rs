//! Reach: a connection is tried out for a person, by whoever may open its login.
//!
//! Handlers cannot open logins, and in a deployment of several processes must not be able to. So a
//! test is a job: short, tried once, and of no use to anybody once whoever asked has gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::App;
use api::identity::store::load_actor;
use db::jobs::{Claimed, NewJob};
use db::wake::Topic;
use model::Timestamp;
use model::audit::{Event, Who};
use model::connector::{Connector, Endpoint, Login};
use model::id::{ActorId, ConnectionId};
use model::level::EnvironmentClass;
use model::plan::Target;
use sense::inventory::{Connection, CredentialKind, SealedCredential};
use sense::sealing;
use sense::store::{connection, credential};
use serde_json::json;
use tokio::time::Instant;

/// The subject of the jobs this takes.
pub const SUBJECT: &str = "test_connection";

/// How long a server gets for everything.
const LIMIT: Duration = Duration::from_secs(10);

/// Longer details are cut.
const DETAIL_CHARS: usize = 500;

/// Why a test was not made; what a test says is no error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] db::Error),
    /// The job says nothing that could be done.
    #[error("the job names no connection")]
    NoConnection,
}

/// A test to be made for somebody who waits until then.
pub(super) fn job(id: ConnectionId, by: ActorId, until: Timestamp) -> NewJob {
    let params = json!({
        "connection_id": id.to_string(), "actor_id": by.to_string(), "until": until.to_string(),
    });
    NewJob { max_attempts: 1, ..NewJob::new(SUBJECT, params) }
}

/// What a connection is tried with.
struct Trial {
    connection: Connection,
    host_keys: Vec<String>,
    sealed: Option<SealedCredential>,
    who: Who,
}

/// Tries a connection and keeps what came of it.
///
/// # Errors
/// When the database fails.
pub async fn reach(
    app: &App,
    connectors: &BTreeMap<String, Arc<dyn Connector>>,
    job: &Claimed,
) -> Result<(), Error> {
    let text = |key: &str| job.params.get(key).and_then(|value| value.as_str());
    let id: Option<ConnectionId> = text("connection_id").and_then(|text| text.parse().ok());
    let id = id.ok_or(Error::NoConnection)?;
    let by: Option<ActorId> = text("actor_id").and_then(|text| text.parse().ok());
    let until: Option<Timestamp> = text("until").and_then(|text| text.parse().ok());
    let mut tx = app.db.tenant(job.tenant).await?;
    let now = tx.now().await?;
    let trial =
        if until.is_some_and(|until| now < until) { trial(&mut tx, id, by).await? } else { None };
    let Some(trial) = trial else {
        // Nobody waits for it any more, or there is nothing to be tested.
        job.complete(&mut tx).await?;
        return Ok(tx.commit().await?);
    };
    tx.rollback().await?;
    let began = Instant::now();
    let tried = tokio::time::timeout(LIMIT, Box::pin(tried(app, connectors, job, &trial)));
    let late = |_| Err(format!("no answer within {} seconds", LIMIT.as_secs()));
    let found = tried.await.unwrap_or_else(late);
    let took_ms = i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX);
    let detail = match &found {
        Ok(()) => format!("logged in as {}; the guard answers", trial.connection.username),
        Err(why) => clean(why),
    };
    let mut tx = app.db.tenant(job.tenant).await?;
    match connection::mark_tested(&mut tx, id, found.is_ok(), (&detail, took_ms)).await {
        // Taken away meanwhile.
        Ok(()) | Err(db::Error::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    let event = Event::new(trial.who, "connection.tested", "connection", &id)
        .with("host", trial.connection.host)
        .with("port", trial.connection.port)
        .with("reachable", found.is_ok())
        .with("took_ms", took_ms);
    let event = if found.is_ok() { event } else { event.failed(detail) };
    tx.audit(&event).await?;
    job.complete(&mut tx).await?;
    tx.signal(Topic::Events);
    Ok(tx.commit().await?)
}

async fn trial(
    tx: &mut db::TenantTx,
    id: ConnectionId,
    by: Option<ActorId>,
) -> Result<Option<Trial>, db::Error> {
    let connection = match connection::get(tx, id).await {
        Ok(connection) => connection,
        Err(db::Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let host_keys = connection::host_keys(tx, id).await?;
    let sealed = match connection.credential_id {
        Some(id) => Some(credential::get(tx, id).await?),
        None => None,
    };
    let actor = match by {
        Some(by) => load_actor(tx, by).await?,
        None => None,
    };
    // Whoever was switched off since is waiting for nothing.
    let Some(actor) = actor else { return Ok(None) };
    Ok(Some(Trial {
        connection,
        host_keys: host_keys.into_iter().map(|key| key.public_key).collect(),
        sealed,
        who: Who::from(&actor),
    }))
}

/// Opens the login and knocks; why not, in words.
async fn tried(
    app: &App,
    connectors: &BTreeMap<String, Arc<dyn Connector>>,
    job: &Claimed,
    trial: &Trial,
) -> Result<(), String> {
    let connection = &trial.connection;
    let connector = connectors
        .get(&connection.transport)
        .ok_or_else(|| format!("there is no connector for {}", connection.transport))?;
    if trial.host_keys.is_empty() {
        return Err("no host key is pinned: nothing connects before one is".to_owned());
    }
    let login = match &trial.sealed {
        Some(sealed) => Some(opened(app, job, trial, sealed).await?),
        None => None,
    };
    let target = Target {
        resource_id: connection.resource_id,
        connection_id: connection.id,
        name: connection.host.clone(),
        host: connection.host.clone(),
        port: connection.port,
        username: connection.username.clone(),
        transport: connection.transport.clone(),
        credential_id: connection.credential_id,
        credential_version: trial.sealed.as_ref().map(|sealed| sealed.credential.version),
        host_keys: trial.host_keys.clone(),
        guard_dir: connection.guard_dir.clone(),
        // Nothing is decided by it here.
        environment: EnvironmentClass::Prod,
    };
    let endpoint = Endpoint { target, login };
    connector.check(&endpoint).await.map_err(|error| error.to_string())
}

/// Opens the login for this one test, and says so in the log.
async fn opened(
    app: &App,
    job: &Claimed,
    trial: &Trial,
    sealed: &SealedCredential,
) -> Result<Login, String> {
    let place = (job.tenant, &trial.who);
    let secret = sealing::open(&app.db, &app.vault, place, sealed)
        .await
        .map_err(|error| format!("the login cannot be opened: {error}"))?;
    let id = sealed.credential.id;
    let event = Event::new(trial.who.clone(), "credential.opened", "credential", &id)
        .with("version", sealed.credential.version)
        .with("connection_id", trial.connection.id.to_string());
    let told = async {
        let mut tx = app.db.tenant(job.tenant).await?;
        tx.audit(&event).await?;
        tx.commit().await
    };
    told.await.map_err(|error| format!("the login was not used: {error}"))?;
    match sealed.credential.kind {
        CredentialKind::SshKey => Ok(Login::Key(secret)),
        CredentialKind::Password => Ok(Login::Password(secret)),
        CredentialKind::Hmac | CredentialKind::Oidc => {
            Err("the credential is no login to a server".to_owned())
        }
    }
}

/// What a server said, as it is kept: bounded, in one line.
fn clean(text: &str) -> String {
    let kept = text.chars().take(DETAIL_CHARS);
    kept.map(|one| if one.is_control() { '\u{2423}' } else { one }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_one_bounded_line() {
        assert_eq!(clean("no\nsuch\0host"), "no\u{2423}such\u{2423}host");
        assert_eq!(clean(&"x".repeat(10_000)).len(), DETAIL_CHARS);
    }
}
