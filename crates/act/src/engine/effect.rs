//! One attempt on its target: starting it, or finding out what became of it.

use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::Digest;
use model::connector::{ConnectError, Connector, Effect, Ended, Endpoint, Fence, Guard, Offsets};
use model::id::{AttemptId, ToolCallId};
use model::plan::{PlanStep, Semantics, Target};

use super::Engine;
use super::keeper::Keeper;
use super::output::{Output, Sink, Tape};
use super::points::{self, Place};
use crate::lease::Lease;
use crate::outcome::{Observed, semantics};
use crate::resume::{self, Approach, Next};
use crate::snapshot::Attempt;
use crate::store::printed::Shelf;
use crate::store::rows::object_key;
use crate::store::write::Artifact;

/// Everything needed to work on one attempt, owned so that many can be under way.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) attempt: Attempt,
    pub(super) step: PlanStep,
    pub(super) target: Target,
    pub(super) script: String,
    pub(super) timeout: Duration,
    /// The token of a forward attempt to be stopped before its undo starts.
    pub(super) stop_first: Option<String>,
    /// Set when it was left open: whether its time is up.
    pub(super) left_open: Option<bool>,
}

/// What is known of an attempt when its job is over.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) attempt: AttemptId,
    /// How it ended; `None` when the target gave no answer and is to be asked again.
    pub(super) observed: Option<Observed>,
    /// Whether the target was seen to have started it.
    pub(super) seen: bool,
    pub(super) output: Output,
    pub(super) artifact: Artifact,
}

/// What a connector call came to.
enum Came {
    To(Observed),
    /// No answer. Ask again.
    Silence(String),
}

impl Engine {
    /// Works on one attempt. Nothing is started unless the lease is fresh.
    pub(super) async fn work(&self, lease: &Lease, job: Job, tape: Arc<Tape>) -> Landing {
        let mut output = Output::default();
        let claimed = &lease.claimed;
        let (tenant, execution) = (claimed.tenant, claimed.execution);
        let shelf = Shelf { tenant, execution, call: ToolCallId::generate() };
        let came = match self.endpoint(lease, &job).await {
            Err(came) => came.resolved(&job),
            Ok((endpoint, connector)) => {
                let sink = Sink::new(
                    job.attempt.run,
                    job.attempt.id,
                    job.step.sensitive,
                    (self.settings.output_cap, self.settings.live_cap),
                    endpoint.login.as_ref(),
                    tape,
                );
                let (objects, pause) = (&*self.objects, self.settings.poll);
                let keeper = Keeper { objects, sink: &sink, shelf, pause };
                let acting = async {
                    let came = self.act(lease, &job, &endpoint, &*connector, &sink).await;
                    sink.end();
                    came
                };
                let (came, ()) = tokio::join!(acting, keeper.keep());
                output = sink.finish();
                came
            }
        };
        self.reach(points::step(job.attempt.direction, Place::AfterEffect)).await;
        let observed = match came {
            Came::To(observed) => Some(observed),
            Came::Silence(reason) => {
                let overdue = job.left_open == Some(true);
                tracing::info!(token = job.attempt.token(), reason, overdue, "no answer");
                overdue.then(|| resume::overdue(job.semantics(), &reason))
            }
        };
        let artifact = self.keep_output(&shelf, &job, observed.as_ref(), &output).await;
        Landing { attempt: job.attempt.id, observed, seen: output.seen, output, artifact }
    }

    async fn endpoint(
        &self,
        lease: &Lease,
        job: &Job,
    ) -> Result<(Endpoint, Arc<dyn Connector>), Came> {
        let transport = &job.target.transport;
        let connector = self.connectors.get(transport).ok_or_else(|| {
            let reason = format!("there is no connector for {transport}");
            Came::To(Observed::NotStarted { reason })
        })?;
        let claimed = &lease.claimed;
        let login = self.logins.login(claimed.tenant, claimed.execution, &job.target).await;
        let login = login.map_err(|error| {
            let reason = format!("the login cannot be opened: {error}");
            // A database that is away says nothing about the step: it is asked about again.
            if database_away(&*error) {
                Came::Silence(reason)
            } else {
                Came::To(Observed::NotStarted { reason })
            }
        })?;
        let target = job.target.clone();
        Ok((Endpoint { target, login }, Arc::clone(connector)))
    }

    async fn act(
        &self,
        lease: &Lease,
        job: &Job,
        endpoint: &Endpoint,
        connector: &dyn Connector,
        sink: &Sink,
    ) -> Came {
        let effect = Effect {
            token: job.attempt.token(),
            epoch: lease.claimed.epoch,
            script: job.script.clone(),
            timeout: job.timeout,
            output_cap: self.settings.output_cap as u64,
        };
        let limit = job.timeout.saturating_add(self.settings.grace);
        let wire = Wire { endpoint, connector, effect: &effect, sink, limit };
        lease.wait_fresh().await;
        match job.left_open {
            None => wire.start(job, lease).await,
            Some(_) => wire.resume(job, lease).await,
        }
    }

    /// Puts the document of the output into the object store. An output that cannot be kept does
    /// not undo what happened: the outcome is written without it, and evidence that needs it is
    /// missing.
    async fn keep_output(
        &self,
        shelf: &Shelf,
        job: &Job,
        observed: Option<&Observed>,
        output: &Output,
    ) -> Artifact {
        let tool_call = shelf.call;
        let mut artifact = Artifact {
            tool_call,
            tool: job.step.action.clone(),
            script: Digest::of(job.script.as_bytes()),
            output: None,
            recovered: job.left_open.is_some(),
        };
        let ran = matches!(observed, Some(Observed::Exited { .. } | Observed::TimedOut))
            || (observed.is_some() && output.seen);
        if !ran || output.sensitive || output.lost {
            return artifact;
        }
        let key = object_key(shelf.tenant, "tool-output", shelf.execution.uuid(), tool_call.uuid());
        let document = output.document(&job.attempt.token(), shelf);
        let bytes = match serde_json::to_vec(&document) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(%error, "the output of a step cannot be written down");
                return artifact;
            }
        };
        match self.objects.put(&key, bytes).await {
            Ok(sha256) => artifact.output = Some((key, sha256)),
            Err(error) => tracing::error!(%error, "the output of a step could not be kept"),
        }
        artifact
    }
}

/// Whether it went wrong because the database could not be asked.
fn database_away(error: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<db::Error>())
        .any(|error| error.kind() == db::Kind::Unavailable)
}

impl Job {
    fn semantics(&self) -> Semantics {
        semantics(&self.step, self.attempt.direction)
    }
}

impl Came {
    /// What was left open may have started, whatever keeps us from asking the target now.
    fn resolved(self, job: &Job) -> Self {
        match self {
            Self::To(Observed::NotStarted { reason }) if job.left_open.is_some() => {
                Self::Silence(reason)
            }
            other => other,
        }
    }
}

/// One effect with the way to its target.
struct Wire<'a> {
    endpoint: &'a Endpoint,
    connector: &'a dyn Connector,
    effect: &'a Effect,
    sink: &'a Sink,
    /// Longer than this no call is waited for.
    limit: Duration,
}

impl Wire<'_> {
    /// Starts a fresh attempt.
    async fn start(&self, job: &Job, lease: &Lease) -> Came {
        if let Some(token) = &job.stop_first
            && let Err(reason) = self.stop(token).await
        {
            let reason = format!("what it undoes may still be running: {reason}");
            return Came::To(Observed::NotStarted { reason });
        }
        lease.wait_fresh().await;
        match self.ended(self.connector.run(self.endpoint, self.effect, self.sink)).await {
            Ok(Ended::Lost(_)) => Came::Silence("the token was taken".to_owned()),
            Ok(ended) => Came::To(resume::after_follow(&ended, job.semantics())),
            Err(error) if error.nothing_started() => {
                Came::To(Observed::NotStarted { reason: error.to_string() })
            }
            // A read that was interrupted failed: it may be retried as often as the step says.
            Err(error) if job.semantics() == Semantics::Read => {
                Came::To(Observed::GaveUp { reason: error.to_string() })
            }
            Err(error) => Came::Silence(error.to_string()),
        }
    }

    /// Finds out what became of an attempt that was left open.
    async fn resume(&self, job: &Job, lease: &Lease) -> Came {
        let semantics = job.semantics();
        let next = match resume::approach(semantics) {
            Approach::NewAttempt => {
                let reason = "its worker went away".to_owned();
                return Came::To(Observed::Repeatable { reason });
            }
            Approach::SameToken => {
                lease.wait_fresh().await;
                let ran = self.connector.run(self.endpoint, self.effect, self.sink);
                match self.ended(ran).await {
                    Ok(Ended::Lost(guard)) => resume::after_lost(&guard, semantics),
                    Ok(ended) => Next::Close(resume::after_follow(&ended, semantics)),
                    Err(error) => return Came::Silence(error.to_string()),
                }
            }
            Approach::Fence => {
                let token = &self.effect.token;
                let fenced = self.connector.fence(self.endpoint, token, self.effect.epoch);
                match self.limited(fenced).await {
                    Ok(fence) => resume::after_fence(&fence, job.attempt.started == Some(true)),
                    Err(error) => return Came::Silence(error.to_string()),
                }
            }
        };
        match next {
            Next::Close(observed) => Came::To(observed),
            Next::Follow => self.follow(semantics).await,
        }
    }

    async fn follow(&self, semantics: Semantics) -> Came {
        let from = Offsets::default();
        let followed = self.connector.follow(self.endpoint, self.effect, from, self.sink);
        match self.ended(followed).await {
            Ok(ended) => Came::To(resume::after_follow(&ended, semantics)),
            Err(error) => Came::Silence(error.to_string()),
        }
    }

    /// Makes sure that the effect under `token` neither runs nor ever starts.
    async fn stop(&self, token: &str) -> Result<(), String> {
        let fenced = self.connector.fence(self.endpoint, token, self.effect.epoch);
        match self.limited(fenced).await {
            Ok(Fence::Lost(Guard::Started { alive: true, .. })) => {
                let killed = self.limited(self.connector.kill(self.endpoint, token)).await;
                match killed {
                    Ok(Guard::Started { alive: true, .. }) => Err("it does not stop".to_owned()),
                    Ok(_) => Ok(()),
                    Err(error) => Err(error.to_string()),
                }
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// How an effect ended, with a note of what its target dropped.
    async fn ended(
        &self,
        call: impl Future<Output = Result<Ended, ConnectError>>,
    ) -> Result<Ended, ConnectError> {
        let ended = self.limited(call).await;
        if let Ok(Ended::Exited { truncated: true, .. } | Ended::TimedOut { truncated: true }) =
            &ended
        {
            self.sink.cut();
        }
        ended
    }

    /// Does not wait for a connector that never comes back.
    async fn limited<T>(
        &self,
        call: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        tokio::time::timeout(self.limit, call).await.unwrap_or_else(|_| {
            Err(ConnectError::Interrupted {
                host: self.endpoint.target.host.clone(),
                reason: "no answer in time".to_owned(),
            })
        })
    }
}
