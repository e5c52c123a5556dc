//! Looks for drift in the database: begun, counted, and ended by closing what was not seen again.

use db::TenantTx;
use db::jobs::NewJob;
use model::id::{EnvironmentId, FindingId, RepositoryId, ScanId};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::word;
use crate::drift::Drift;
use crate::drift::compare::NotChecked;
use crate::report::fold;
use crate::scan::{Against, Scan, Told};

mod ignored;

/// Drifts that are written together.
const AT_ONCE: usize = 1_000;

/// How much of a remark is kept, in characters.
const LONGEST_REMARK: usize = 1_000;

/// The subject of the job a finished scan queues.
pub const EXPLAIN: &str = "drift_scan.explain";

/// Begins a scan of a source. One that was running is given up: it would close what this one finds.
///
/// # Errors
/// [`db::Error::NotFound`] when there is no such source.
pub async fn begin(
    tx: &mut TenantTx,
    repository: RepositoryId,
    against: Against,
) -> Result<Scan, db::Error> {
    let tenant = tx.tenant().uuid();
    // Two that begin at once take turns.
    let environment: Option<Uuid> = sqlx::query_scalar(
        "SELECT environment_id FROM countersign.iac_repositories
         WHERE tenant_id = $1 AND id = $2
         FOR UPDATE",
    )
    .bind(tenant)
    .bind(repository.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let environment = EnvironmentId::from(environment.ok_or(db::Error::NotFound)?);
    sqlx::query(
        "UPDATE countersign.drift_scans
         SET state = 'abandoned', finished_at = clock_timestamp()
         WHERE tenant_id = $1 AND iac_repository_id = $2 AND state = 'running'",
    )
    .bind(tenant)
    .bind(repository.uuid())
    .execute(tx.conn())
    .await?;
    sqlx::query(
        "DELETE FROM countersign.drift_scans
         WHERE tenant_id = $1 AND iac_repository_id = $2
           AND started_at < clock_timestamp() - interval '90 days'",
    )
    .bind(tenant)
    .bind(repository.uuid())
    .execute(tx.conn())
    .await?;
    let id = ScanId::generate();
    sqlx::query(
        "INSERT INTO countersign.drift_scans (tenant_id, id, iac_repository_id, against)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(repository.uuid())
    .bind(against.word())
    .execute(tx.conn())
    .await?;
    Ok(Scan { id, repository, environment, against })
}

/// A running scan, which stays so until this transaction ends; `None` when it is over.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn hold(tx: &mut TenantTx, id: ScanId) -> Result<Option<Scan>, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Option<(Uuid, Uuid, String, String)> = sqlx::query_as(
        "SELECT s.iac_repository_id, r.environment_id, s.against, s.state
         FROM countersign.drift_scans s
         JOIN countersign.iac_repositories r
           ON r.tenant_id = s.tenant_id AND r.id = s.iac_repository_id
         WHERE s.tenant_id = $1 AND s.id = $2
         FOR NO KEY UPDATE OF s",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let (repository, environment, against, state) = row.ok_or(db::Error::NotFound)?;
    if state != "running" {
        return Ok(None);
    }
    Ok(Some(Scan {
        id,
        repository: repository.into(),
        environment: environment.into(),
        against: word(&against)?,
    }))
}

/// Counts what came in.
///
/// # Errors
/// When the database fails.
pub async fn count(
    tx: &mut TenantTx,
    id: ScanId,
    drifted: usize,
    opened: u64,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "UPDATE countersign.drift_scans
         SET drifted = drifted + $3, opened = opened + $4
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(i32::try_from(drifted).unwrap_or(i32::MAX))
    .bind(i32::try_from(opened).unwrap_or(i32::MAX))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a scan looked at.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    /// How many resources are as declared.
    pub in_sync: u32,
    /// What could not be looked at.
    pub not_checked: &'a [NotChecked],
    /// The types of which what nothing declares was looked for; `*` is all of them.
    pub undeclared: &'a [String],
    /// What else there is to say.
    pub remark: Option<&'a str>,
}

/// Ends a scan: what drifted in its source and was not seen again is gone, but for what could not be
/// looked at. Gives the findings that were closed.
///
/// # Errors
/// When the database fails.
pub async fn finish(
    tx: &mut TenantTx,
    scan: &Scan,
    looked: Looked<'_>,
) -> Result<Vec<FindingId>, db::Error> {
    let Looked { in_sync, not_checked, undeclared, remark } = looked;
    let tenant = tx.tenant().uuid();
    let whole = not_checked.iter().filter(|not| not.id.is_none()).map(|not| not.kind.clone());
    let single = not_checked.iter().filter_map(|not| not.id.clone());
    let gone: Vec<Uuid> = sqlx::query_scalar(include_str!("scan/gone.sql"))
        .bind(tenant)
        .bind(scan.repository.uuid())
        .bind(scan.id.uuid())
        .bind(whole.collect::<Vec<_>>())
        .bind(single.collect::<Vec<_>>())
        .bind(undeclared)
        .fetch_all(tx.conn())
        .await?;
    // By themselves: joined, and with nothing known of new tables, each finding is held against every
    // drift of the source.
    let closed: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE countersign.findings
         SET status = 'fixed', resolved_at = clock_timestamp(), last_seen = clock_timestamp()
         WHERE tenant_id = $1 AND id = ANY ($2) AND kind = 'drift'
           AND status IN ('open', 'suppressed', 'accepted', 'escalated')
         RETURNING id",
    )
    .bind(tenant)
    .bind(gone)
    .fetch_all(tx.conn())
    .await?;
    let told: Vec<Value> = not_checked
        .iter()
        .map(|not| json!({"type": not.kind, "id": not.id, "why": not.why, "failed": not.failed}))
        .collect();
    let drifted: i32 = sqlx::query_scalar(
        "UPDATE countersign.drift_scans
         SET state = 'finished', finished_at = clock_timestamp(), in_sync = $3, closed = $4,
             not_checked = $5, remark = $6
         WHERE tenant_id = $1 AND id = $2
         RETURNING drifted",
    )
    .bind(tenant)
    .bind(scan.id.uuid())
    .bind(i32::try_from(in_sync).unwrap_or(i32::MAX))
    .bind(i32::try_from(closed.len()).unwrap_or(i32::MAX))
    .bind(Json(told))
    .bind(remark.map(|remark| remark.chars().take(LONGEST_REMARK).collect::<String>()))
    .fetch_one(tx.conn())
    .await?;
    if drifted > 0 {
        let params = json!({"scan_id": scan.id});
        tx.enqueue(NewJob::new(EXPLAIN, params).once(scan.id.to_string())).await?;
    }
    sqlx::query(
        "UPDATE countersign.iac_repositories
         SET last_sync_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(scan.repository.uuid())
    .execute(tx.conn())
    .await?;
    ignored::mark(tx, scan.repository, &closed).await?;
    super::remediation::resolve(tx, scan.repository, &closed).await?;
    Ok(closed.into_iter().map(Into::into).collect())
}

/// A scan that was recorded whole.
#[derive(Debug)]
pub struct Recorded {
    /// The scan.
    pub scan: Scan,
    /// How many resources differ in what counts.
    pub drifted: usize,
    /// How many do not.
    pub in_sync: u32,
    /// How many findings were new.
    pub opened: u64,
    /// The findings that were closed.
    pub closed: Vec<FindingId>,
}

/// Records a scan from its beginning to its end. What does not count for the tenant is no drift.
///
/// # Errors
/// [`db::Error::NotFound`] when there is no such source.
pub async fn record(
    tx: &mut TenantTx,
    repository: RepositoryId,
    told: Told,
) -> Result<Recorded, db::Error> {
    let scan = begin(tx, repository, told.against).await?;
    let ignored = super::ignore::active(tx, repository).await?;
    let all = told.drifts.len();
    let left: Vec<Drift> =
        told.drifts.into_iter().filter_map(|drift| ignored.left(drift)).collect();
    let in_sync = told.in_sync.saturating_add(u32::try_from(all - left.len()).unwrap_or(u32::MAX));
    // Before its end, which has somebody look for what belongs to it.
    super::change_event::place(tx, &told.happened).await?;
    let mut opened = 0;
    for batch in left.chunks(AT_ONCE) {
        let findings = batch.iter().map(|drift| crate::scan::finding(&scan, drift)).collect();
        let placed = super::report::place(tx, &fold(findings)).await?;
        count(tx, scan.id, placed.ids.len(), placed.new).await?;
        opened += placed.new;
    }
    let looked = Looked {
        in_sync,
        not_checked: &told.not_checked,
        undeclared: &told.undeclared,
        remark: told.remark.as_deref(),
    };
    let closed = finish(tx, &scan, looked).await?;
    Ok(Recorded { scan, drifted: left.len(), in_sync, opened, closed })
}
