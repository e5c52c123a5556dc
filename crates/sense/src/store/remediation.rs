//! Remediations in the database: what was asked for, its executions, and how far it got.

use std::collections::BTreeMap;

use db::TenantTx;
use model::execution::ExecutionState;
use model::id::{ActorId, ExecutionId, FindingId, RemediationId, RepositoryId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::word;
use crate::remediation::{Progress, Remediation, Source, Stage};

/// How many a sweep takes up at a time.
const SWEEP: i64 = 100;

/// Why a source cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// The database failed, or there is no such source.
    #[error("the source cannot be read")]
    Database(#[from] db::Error),
    /// It does not say where its tools run.
    #[error(
        "the source {name} does not say {field}: where its tools run, and where its code lies there"
    )]
    Incomplete {
        /// The source.
        name: String,
        /// What it lacks.
        field: &'static str,
    },
}

#[derive(FromRow)]
struct SourceRow {
    id: Uuid,
    name: String,
    tool: String,
    branch: String,
    resource_id: Option<Uuid>,
    directory: Option<String>,
    path: Option<String>,
    stack: Option<String>,
}

impl SourceRow {
    fn source(self) -> Result<Source, Unreachable> {
        let lacks = |field| Unreachable::Incomplete { name: self.name.clone(), field };
        Ok(Source {
            id: self.id.into(),
            tool: word(&self.tool)?,
            resource: self.resource_id.ok_or_else(|| lacks("resource_id"))?.into(),
            directory: self.directory.clone().ok_or_else(|| lacks("directory"))?,
            name: self.name,
            branch: self.branch,
            path: self.path,
            stack: self.stack,
        })
    }
}

/// A source, as the host its tools run on sees it.
///
/// # Errors
/// [`Unreachable`].
pub async fn source(tx: &mut TenantTx, id: RepositoryId) -> Result<Source, Unreachable> {
    let row: Option<SourceRow> = sqlx::query_as(
        "SELECT id, name, tool, branch, resource_id, directory, path, stack
         FROM countersign.iac_repositories
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(db::Error::from)?;
    row.ok_or(db::Error::NotFound)?.source()
}

/// A drift that a scan found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifted {
    /// Its finding.
    pub id: FindingId,
    /// Where the finding stands.
    pub status: String,
    /// The source that declares.
    pub repository: Option<RepositoryId>,
    /// What that calls the resource; absent where nothing declares it.
    pub address: Option<String>,
}

/// The drifts among these findings.
///
/// # Errors
/// When the database fails.
pub async fn drifted(tx: &mut TenantTx, ids: &[FindingId]) -> Result<Vec<Drifted>, db::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, String, Option<Uuid>, Option<String>)> = sqlx::query_as(
        "SELECT f.id, f.status, d.iac_repository_id,
                CASE d.drift_type WHEN 'added' THEN NULL ELSE d.metadata ->> 'address' END
         FROM countersign.findings f
         JOIN countersign.drift_events d ON d.tenant_id = f.tenant_id AND d.finding_id = f.id
         WHERE f.tenant_id = $1 AND f.id = ANY ($2)",
    )
    .bind(tx.tenant().uuid())
    .bind(ids)
    .fetch_all(tx.conn())
    .await?;
    let drifted = |(id, status, repository, address): (Uuid, _, Option<Uuid>, _)| Drifted {
        id: id.into(),
        status,
        repository: repository.map(Into::into),
        address,
    };
    Ok(rows.into_iter().map(drifted).collect())
}

/// Writes one that begins.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    tx: &mut TenantTx,
    new: &Remediation,
    findings: &[FindingId],
    requester: ActorId,
) -> Result<(), db::Error> {
    sqlx::query(
        "INSERT INTO countersign.remediations
           (tenant_id, id, iac_repository_id, kind, finding_ids, reason, requested_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.tenant().uuid())
    .bind(new.id.uuid())
    .bind(new.source.id.uuid())
    .bind(new.means.word())
    .bind(findings.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(&new.reason)
    .bind(requester.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One under way, held until the transaction ends.
#[derive(Debug)]
pub struct Held {
    /// It.
    pub remediation: Remediation,
    /// How far it got.
    pub progress: Progress,
    /// Who asked for it.
    pub requester: ActorId,
    /// The execution it waits for, which of its stages that is, and where it stands.
    pub current: Option<(ExecutionId, Stage, ExecutionState)>,
    /// Why that execution ended as it did.
    pub error: Option<String>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    iac_repository_id: Uuid,
    kind: String,
    reason: String,
    state: String,
    requested_by: Uuid,
    prepared: Option<Json<BTreeMap<String, String>>>,
    addresses: Vec<String>,
    execution_id: Option<Uuid>,
    execution_state: Option<String>,
    execution_error: Option<String>,
}

/// Holds a remediation; `None` when it is over.
///
/// # Errors
/// [`Unreachable`].
pub async fn hold(tx: &mut TenantTx, id: RemediationId) -> Result<Option<Held>, Unreachable> {
    let row: Option<Row> = sqlx::query_as(include_str!("remediation/hold.sql"))
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .fetch_optional(tx.conn())
        .await
        .map_err(db::Error::from)?;
    let Some(row) = row else { return Ok(None) };
    let progress: Progress = word(&row.state)?;
    let stage = match progress {
        Progress::Preparing => Some(Stage::Prepare),
        Progress::Asked => Some(Stage::Change),
        Progress::Checking => Some(Stage::Check),
        Progress::Published | Progress::Resolved | Progress::Failed => None,
    };
    let state = row.execution_state.as_deref().map(word::<ExecutionState>).transpose()?;
    let current = match (row.execution_id, stage, state) {
        (Some(id), Some(stage), Some(state)) => Some((id.into(), stage, state)),
        _ => None,
    };
    Ok(Some(Held {
        remediation: Remediation {
            id: row.id.into(),
            means: word(&row.kind)?,
            source: source(tx, row.iac_repository_id.into()).await?,
            addresses: row.addresses,
            reason: row.reason,
            prepared: row.prepared.map(|prepared| prepared.0).unwrap_or_default(),
        },
        progress,
        requester: row.requested_by.into(),
        current,
        error: row.execution_error,
    }))
}

/// Notes the execution that a stage is.
///
/// # Errors
/// When the database fails.
pub async fn began(
    tx: &mut TenantTx,
    id: RemediationId,
    stage: Stage,
    execution: ExecutionId,
) -> Result<(), db::Error> {
    let (statement, state) = match stage {
        Stage::Prepare => (include_str!("remediation/prepare.sql"), Progress::Preparing),
        Stage::Change => (include_str!("remediation/change.sql"), Progress::Asked),
        Stage::Check => (include_str!("remediation/check.sql"), Progress::Checking),
    };
    sqlx::query(statement)
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .bind(execution.uuid())
        .bind(state.word())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Keeps what its preparation said.
///
/// # Errors
/// When the database fails.
pub async fn prepared(
    tx: &mut TenantTx,
    id: RemediationId,
    said: &BTreeMap<String, String>,
) -> Result<(), db::Error> {
    sqlx::query(
        "UPDATE countersign.remediations SET prepared = $3, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(Json(said))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes how far it got; an end says why.
///
/// # Errors
/// When the database fails.
pub async fn reached(
    tx: &mut TenantTx,
    id: RemediationId,
    progress: Progress,
    error: Option<&str>,
) -> Result<(), db::Error> {
    sqlx::query(
        "UPDATE countersign.remediations
         SET state = $3, error = $4, updated_at = clock_timestamp(),
             ended_at = CASE WHEN $3 IN ('resolved', 'failed') THEN clock_timestamp() END
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(progress.word())
    .bind(error)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The executions of remediations that have ended, and nobody took notice yet.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &mut TenantTx) -> Result<Vec<ExecutionId>, db::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT e.id
         FROM countersign.remediations r
         JOIN countersign.executions e
           ON e.tenant_id = r.tenant_id
          AND e.id = CASE r.state WHEN 'preparing' THEN r.preparation_id
                                  WHEN 'asked' THEN r.execution_id ELSE r.check_id END
         WHERE r.tenant_id = $1 AND r.ended_at IS NULL AND r.state <> 'published'
           AND e.completed_at IS NOT NULL
         ORDER BY r.id
         LIMIT $2",
    )
    .bind(tx.tenant().uuid())
    .bind(SWEEP)
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// The remediation that an execution belongs to, if it is under way.
///
/// # Errors
/// When the database fails.
pub async fn of(
    tx: &mut TenantTx,
    execution: ExecutionId,
) -> Result<Option<RemediationId>, db::Error> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT r.id FROM countersign.remediations r
         WHERE r.tenant_id = $1 AND r.ended_at IS NULL
           AND $2 IN (r.preparation_id, r.execution_id, r.check_id)",
    )
    .bind(tx.tenant().uuid())
    .bind(execution.uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(Into::into))
}

/// After a scan closed findings: says by what they were put right, and ends what put them right. Gives
/// the remediations that are over.
///
/// # Errors
/// When the database fails.
pub async fn resolve(
    tx: &mut TenantTx,
    repository: RepositoryId,
    closed: &[Uuid],
) -> Result<Vec<RemediationId>, db::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(include_str!("remediation/resolve.sql"))
        .bind(tx.tenant().uuid())
        .bind(repository.uuid())
        .bind(closed)
        .fetch_all(tx.conn())
        .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}
