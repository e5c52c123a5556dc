//! Rows as they are stored, and what they are read back as.

use std::str::FromStr;
use std::sync::Arc;

use model::id::TenantId;
use model::plan::EvidenceRequirement;
use uuid::Uuid;

use crate::error::Error;
use crate::snapshot::{Attempt, Captured, Collected, Resolution, StepRun};

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct StepRunRow {
    id: Uuid,
    step_order: i32,
    resource_id: Uuid,
    state: String,
    completed_seq: Option<i64>,
    next_at: Option<jiff_sqlx::Timestamp>,
    exit_code: Option<i32>,
    stdout: Option<String>,
    stderr: Option<String>,
    truncated: bool,
    error: Option<String>,
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct AttemptRow {
    id: Uuid,
    step_run_id: Uuid,
    direction: String,
    attempt_no: i32,
    epoch: i64,
    state: String,
    started: Option<bool>,
    deadline: jiff_sqlx::Timestamp,
    resolution: Option<String>,
    end_seen: bool,
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct EvidenceRow {
    id: Uuid,
    step_run_id: Uuid,
    r#type: String,
    query: String,
}

/// A stored word as the value it stands for.
pub(crate) fn word<T>(what: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr,
    T::Err: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    text.parse().map_err(Error::unreadable(what))
}

fn number<T: TryFrom<i64>>(what: &'static str, value: i64) -> Result<T, Error> {
    T::try_from(value).map_err(|_| Error::unreadable(what)(format!("{value} is out of range")))
}

impl StepRunRow {
    pub(crate) fn read(self) -> Result<StepRun, Error> {
        let captured = match (self.stdout, self.stderr) {
            (Some(stdout), Some(stderr)) => {
                Some(Arc::new(Captured { stdout, stderr, truncated: self.truncated }))
            }
            (Some(_) | None, Some(_) | None) => None,
        };
        Ok(StepRun {
            id: self.id.into(),
            order: number("step order", self.step_order.into())?,
            resource: self.resource_id.into(),
            state: word("step state", &self.state)?,
            ended: self.completed_seq.map(|seq| number("completion", seq)).transpose()?,
            next_at: self.next_at.map(jiff_sqlx::Timestamp::to_jiff),
            exit_code: self.exit_code,
            captured,
            error: self.error,
        })
    }
}

impl AttemptRow {
    pub(crate) fn read(self) -> Result<Attempt, Error> {
        let resolution = self.resolution.as_deref().map(|word| {
            Resolution::from_word(word)
                .ok_or_else(|| Error::unreadable("resolution")(format!("{word:?} is none")))
        });
        Ok(Attempt {
            id: self.id.into(),
            run: self.step_run_id.into(),
            direction: word("direction", &self.direction)?,
            no: number("attempt number", self.attempt_no.into())?,
            epoch: self.epoch,
            state: word("attempt state", &self.state)?,
            started: self.started,
            deadline: self.deadline.to_jiff(),
            resolution: resolution.transpose()?,
            end_seen: self.end_seen,
        })
    }
}

impl EvidenceRow {
    pub(crate) fn read(self) -> Result<Collected, Error> {
        let kind = word("evidence type", &self.r#type)?;
        Ok(Collected {
            id: self.id.into(),
            run: self.step_run_id.into(),
            requirement: EvidenceRequirement { kind, query: self.query },
        })
    }
}

/// The key of an object: tenant first, then as the source documents have it.
pub(crate) fn object_key(tenant: TenantId, kind: &str, execution: Uuid, id: Uuid) -> String {
    format!("{}/{kind}/{execution}/{id}.json", tenant.uuid())
}
