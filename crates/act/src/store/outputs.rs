//! How far the output of attempts came, and where it is to be read.

use db::TenantTx;
use model::execution::{AttemptState, ExecutionState, StepState};
use model::id::{ExecutionId, StepRunId};
use model::objects::Objects;
use uuid::Uuid;

use super::rows::word;
use super::write::Batch;
use crate::engine::Mark;
use crate::error::Error;
use crate::store::printed::{self, Range, Shelf, Stream};

/// Notes how far output came. Of an attempt that is followed anew the new pieces count once there
/// are as many bytes as before: what was shown is not taken back.
pub(super) async fn mark(tx: &mut TenantTx, batch: &Batch<'_>) -> Result<(), db::Error> {
    let marks = &batch.reel.marks;
    if marks.is_empty() {
        return Ok(());
    }
    let kept = |of: &dyn Fn(&Mark) -> usize| -> Vec<i64> {
        marks.values().map(|mark| i64::try_from(of(mark)).unwrap_or(i64::MAX)).collect()
    };
    let tails = |of: &dyn Fn(&Mark) -> &[u8]| -> Vec<Vec<u8>> {
        marks.values().map(|mark| of(mark).to_vec()).collect()
    };
    sqlx::query(
        "UPDATE countersign.attempts AS attempt
         SET output_call = one.call,
             stdout_kept = one.stdout_kept,
             stdout_tail = one.stdout_tail,
             stderr_kept = one.stderr_kept,
             stderr_tail = one.stderr_tail
         FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bytea[])
           AS one (id, call, stdout_kept, stdout_tail, stderr_kept, stderr_tail)
         WHERE attempt.tenant_id = $1 AND attempt.id = one.id AND attempt.state = 'intent'
           AND (attempt.output_call IS NULL OR attempt.output_call = one.call
             OR (one.stdout_kept + length(one.stdout_tail)
                 >= attempt.stdout_kept + COALESCE(length(attempt.stdout_tail), 0)
               AND one.stderr_kept + length(one.stderr_tail)
                 >= attempt.stderr_kept + COALESCE(length(attempt.stderr_tail), 0)))",
    )
    .bind(batch.after.tenant.uuid())
    .bind(marks.keys().map(|id| id.uuid()).collect::<Vec<Uuid>>())
    .bind(marks.values().map(|mark| mark.call.uuid()).collect::<Vec<Uuid>>())
    .bind(kept(&|mark| mark.stdout.kept))
    .bind(tails(&|mark| &mark.stdout.tail))
    .bind(kept(&|mark| mark.stderr.kept))
    .bind(tails(&|mark| &mark.stderr.tail))
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    run_state: String,
    execution_state: String,
    preview: Option<String>,
    truncated: bool,
    last: Option<i32>,
    attempt_no: Option<i32>,
    attempt_state: Option<String>,
    output_ref: Option<String>,
    output_sha256: Option<Vec<u8>>,
    output_call: Option<Uuid>,
    kept: Option<i64>,
    tail: Option<Vec<u8>>,
}

/// What one attempt of a step run printed on one stream.
#[derive(Debug)]
pub(crate) struct Found {
    /// The attempt's number; none while there was none.
    pub(crate) attempt: Option<i32>,
    /// Whether nothing more will come.
    pub(crate) ended: bool,
    /// Whether the rest was dropped, as far as the rows say.
    truncated: bool,
    lies: Lies,
}

/// Where it is.
#[derive(Debug)]
enum Lies {
    Here(Stream),
    Document { key: String, sha256: Vec<u8> },
}

/// A range of what was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) range: Range,
    pub(crate) size: usize,
    pub(crate) truncated: bool,
}

/// Finds what an attempt of a step run printed; the last attempt when none is named.
///
/// # Errors
/// [`Error::NotFound`] when this tenant has no such execution, step run or attempt.
pub(crate) async fn find(
    tx: &mut TenantTx,
    (execution, run): (ExecutionId, StepRunId),
    stream: &'static str,
    attempt: Option<i32>,
) -> Result<Found, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT s.state AS run_state, e.state AS execution_state,
           CASE WHEN $4 = 'stdout' THEN s.stdout ELSE s.stderr END AS preview, s.truncated,
           last.attempt_no AS last, a.attempt_no, a.state AS attempt_state, a.output_ref,
           a.output_sha256, a.output_call,
           CASE WHEN $4 = 'stdout' THEN a.stdout_kept ELSE a.stderr_kept END AS kept,
           CASE WHEN $4 = 'stdout' THEN a.stdout_tail ELSE a.stderr_tail END AS tail
         FROM countersign.step_runs s
         JOIN countersign.executions e ON e.tenant_id = s.tenant_id AND e.id = s.execution_id
         LEFT JOIN LATERAL (
           SELECT max(n.attempt_no) AS attempt_no FROM countersign.attempts n
           WHERE n.tenant_id = s.tenant_id AND n.step_run_id = s.id AND n.direction = 'do') last
           ON true
         LEFT JOIN countersign.attempts a ON a.tenant_id = s.tenant_id AND a.step_run_id = s.id
           AND a.direction = 'do' AND a.attempt_no = COALESCE($5, last.attempt_no)
         WHERE s.tenant_id = $1 AND s.execution_id = $2 AND s.id = $3",
    )
    .bind(tx.tenant().uuid())
    .bind(execution.uuid())
    .bind(run.uuid())
    .bind(stream)
    .bind(attempt)
    .fetch_optional(tx.conn())
    .await
    .map_err(|error| Error::db("reading output")(error.into()))?;
    let row = row.filter(|row| attempt.is_none() || row.attempt_no.is_some());
    let row = row.ok_or(Error::NotFound(execution))?;
    let tenant = tx.tenant();
    row.read(stream, |call| Shelf { tenant, execution, call })
}

impl Row {
    fn read(
        self,
        name: &'static str,
        shelf: impl FnOnce(model::id::ToolCallId) -> Shelf,
    ) -> Result<Found, Error> {
        let run: StepState = word("step state", &self.run_state)?;
        let execution: ExecutionState = word("execution state", &self.execution_state)?;
        let attempt: Option<AttemptState> =
            self.attempt_state.as_deref().map(|text| word("attempt state", text)).transpose()?;
        let closed = attempt.is_some_and(|state| state != AttemptState::Intent);
        let is_last = self.attempt_no == self.last;
        let over = execution.terminal() || !matches!(run, StepState::Pending | StepState::Running);
        let document = self.output_ref.zip(self.output_sha256);
        let lies = match (document, self.output_call) {
            (Some((key, sha256)), _) => Lies::Document { key, sha256 },
            (None, Some(call)) => Lies::Here(Stream::Coming {
                shelf: shelf(call.into()),
                name,
                kept: self.kept.and_then(|kept| usize::try_from(kept).ok()).unwrap_or_default(),
                tail: self.tail.unwrap_or_default(),
            }),
            // Its document could not be kept.
            (None, None) => {
                let preview = self.preview.filter(|_| closed && is_last);
                Lies::Here(Stream::Whole(preview.unwrap_or_default().into_bytes()))
            }
        };
        let ended = if is_last { over } else { closed };
        let truncated = closed && is_last && matches!(lies, Lies::Here(_)) && self.truncated;
        Ok(Found { attempt: self.attempt_no, ended, truncated, lies })
    }
}

impl Found {
    /// At most `most` bytes of it from `from` on.
    pub(crate) async fn range(
        self,
        objects: &dyn Objects,
        stream: &'static str,
        (from, most): (usize, usize),
    ) -> Result<Told, Error> {
        let (stream, truncated) = match self.lies {
            Lies::Here(here) => (here, self.truncated),
            Lies::Document { key, sha256 } => {
                let bytes = printed::checked(objects, &key, &sha256).await?;
                Stream::of(&bytes, stream)?
            }
        };
        let range = printed::range(objects, &stream, (from, most), self.ended).await?;
        Ok(Told { range, size: stream.size(), truncated })
    }
}
