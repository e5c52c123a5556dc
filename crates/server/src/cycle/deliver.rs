//! Deliver: a message that tries a channel out for a person, by whoever may open its secret.
//!
//! As with connections, handlers cannot open secrets: a trial is a job, short, tried once, and of no
//! use to anybody once whoever asked has gone.

use std::time::Duration;

use api::App;
use api::identity::store::load_actor;
use connect::Outbound;
use connect::outbound::{Call, login};
use db::jobs::{Claimed, NewJob};
use db::wake::Topic;
use model::Timestamp;
use model::audit::{Event, Who};
use model::id::{ActorId, ChannelId};
use model::secret::Secret;
use sense::alert::signature::{SIGNATURE_HEADER, sign};
use sense::inventory::{CredentialKind, SealedCredential};
use sense::sealing;
use sense::store::credential;
use serde_json::json;
use tell::channel::{self, Channel};
use tell::message::{self, Note, Post, Proof, Used};
use tokio::time::Instant;

/// The subject of the jobs this takes.
pub const SUBJECT: &str = "test_channel";

/// How long each request of a trial gets; there are two at most.
const LIMIT: Duration = Duration::from_secs(6);
/// The largest answer that is read, in bytes.
const MOST_BYTES: usize = 64 << 10;

/// Why a trial was not made; what a trial says is no error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] db::Error),
    /// The job says nothing that could be done.
    #[error("the job names no channel")]
    NoChannel,
}

/// A trial to be made for somebody who waits until then.
pub(super) fn job(id: ChannelId, by: ActorId, until: Timestamp) -> NewJob {
    let params = json!({
        "channel_id": id.to_string(), "actor_id": by.to_string(), "until": until.to_string(),
    });
    NewJob { max_attempts: 1, ..NewJob::new(SUBJECT, params) }
}

/// What a channel is tried with.
struct Trial {
    id: ChannelId,
    channel: Channel,
    sealed: Option<SealedCredential>,
    who: Who,
}

/// Sends a message through a channel, and keeps what came of it.
///
/// # Errors
/// When the database fails.
pub async fn deliver(app: &App, outbound: &Outbound, job: &Claimed) -> Result<(), Error> {
    let text = |key: &str| job.params.get(key).and_then(|value| value.as_str());
    let id: Option<ChannelId> = text("channel_id").and_then(|text| text.parse().ok());
    let id = id.ok_or(Error::NoChannel)?;
    let by: Option<ActorId> = text("actor_id").and_then(|text| text.parse().ok());
    let until: Option<Timestamp> = text("until").and_then(|text| text.parse().ok());
    let mut tx = app.db.tenant(job.tenant).await?;
    let now = tx.now().await?;
    let waited_for = until.is_some_and(|until| now < until);
    let trial = if waited_for { trial(&mut tx, id, by).await? } else { None };
    let Some(trial) = trial else {
        // Nobody waits for it any more, or there is nothing to be tried.
        job.complete(&mut tx).await?;
        return Ok(tx.commit().await?);
    };
    tx.rollback().await?;
    let began = Instant::now();
    let sent = Box::pin(sent(app, &outbound.of(job.tenant), job, &trial)).await;
    let took_ms = i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX);
    let detail = match &sent {
        Ok(()) => "the channel took the message".to_owned(),
        Err(why) => why.clone(),
    };
    let mut tx = app.db.tenant(job.tenant).await?;
    match channel::mark_tested(&mut tx, id, sent.is_ok(), (&detail, took_ms)).await {
        // Taken away meanwhile.
        Ok(()) | Err(db::Error::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    let event = Event::new(trial.who, "channel.tested", "channel", &id)
        .with("channel_type", trial.channel.kind)
        .with("delivered", sent.is_ok())
        .with("took_ms", took_ms);
    let event = if sent.is_ok() { event } else { event.failed(detail) };
    tx.audit(&event).await?;
    job.complete(&mut tx).await?;
    tx.signal(Topic::Events);
    Ok(tx.commit().await?)
}

async fn trial(
    tx: &mut db::TenantTx,
    id: ChannelId,
    by: Option<ActorId>,
) -> Result<Option<Trial>, db::Error> {
    let channel = match channel::get(tx, id).await {
        Ok(channel) => channel,
        Err(db::Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let sealed = match channel.credential {
        Some(id) => Some(credential::get(tx, id).await?),
        None => None,
    };
    let actor = match by {
        Some(by) => load_actor(tx, by).await?,
        None => None,
    };
    // Whoever was switched off since is waiting for nothing.
    let Some(actor) = actor else { return Ok(None) };
    Ok(Some(Trial { id, channel, sealed, who: Who::from(&actor) }))
}

/// Opens the secret and sends; why not, in words that hold nothing of it.
async fn sent(app: &App, outbound: &Outbound, job: &Claimed, trial: &Trial) -> Result<(), String> {
    let opened = match &trial.sealed {
        Some(sealed) => Some((sealed.credential.kind, opened(app, job, trial, sealed).await?)),
        None => None,
    };
    let used = match &opened {
        None => Used::Nothing,
        Some((CredentialKind::Password, secret)) => Used::Word(secret),
        Some((CredentialKind::Hmac, _)) => Used::Signing,
        Some((CredentialKind::SshKey | CredentialKind::Oidc, _)) => {
            return Err("the credential is of no kind a channel is used with".to_owned());
        }
    };
    let name = format!("countersign-test-{}", job.id);
    let text = format!(
        "{} sent this to see whether the channel “{}” works. Nothing has to be done.",
        trial.who.display_name, trial.channel.name
    );
    let note = Note { subject: "A test of Countersign's", text: &text, name: &name };
    let Channel { kind, configuration, .. } = &trial.channel;
    let outbound = outbound.limited(LIMIT, MOST_BYTES);
    for post in message::trial(kind, configuration, used, note)? {
        let secret = opened.as_ref().map(|(_, secret)| secret);
        let reply = outbound.send(call(&post, secret)).await.map_err(|error| error.to_string())?;
        message::arrived(kind, reply.status.as_u16(), &reply.body)?;
    }
    Ok(())
}

fn call<'a>(post: &'a Post, secret: Option<&Secret>) -> Call<'a> {
    let call = Call::post(&post.url, "application/json", post.body.clone());
    match (post.proof, secret) {
        (Proof::Login, Some(secret)) => call.secret_header("authorization", login(secret)),
        (Proof::Signature, Some(secret)) => call.header(SIGNATURE_HEADER, sign(&post.body, secret)),
        (Proof::None, _) | (_, None) => call,
    }
}

/// Opens the secret for this one trial, and says so in the log.
async fn opened(
    app: &App,
    job: &Claimed,
    trial: &Trial,
    sealed: &SealedCredential,
) -> Result<Secret, String> {
    let place = (job.tenant, &trial.who);
    let secret = sealing::open(&app.db, &app.vault, place, sealed)
        .await
        .map_err(|error| format!("the secret cannot be opened: {error}"))?;
    let id = sealed.credential.id;
    let event = Event::new(trial.who.clone(), "credential.opened", "credential", &id)
        .with("version", sealed.credential.version)
        .with("channel_id", trial.id.to_string());
    let told = async {
        let mut tx = app.db.tenant(job.tenant).await?;
        tx.audit(&event).await?;
        tx.commit().await
    };
    told.await.map_err(|error: db::Error| format!("the secret was not used: {error}"))?;
    Ok(secret)
}
