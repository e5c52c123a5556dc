//! What sources declare, as the database keeps it: read from their documents, and written only
//! where it changed.

use std::collections::{BTreeMap, BTreeSet};

use db::TenantTx;
use db::jobs::NewJob;
use model::Digest;
use model::id::{CredentialId, DeclaredId, EnvironmentId, RepositoryId, ResourceId};
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

/// The subject of jobs that read what a source declares.
pub const SYNC: &str = "source.sync";
/// The subject of jobs that compare it with what is there.
pub const SCAN: &str = "source.scan";

/// How many sources of a tenant a sweep begins at a time.
const AT_ONCE: i64 = 100;
/// How much of an error is kept, in characters.
const LONGEST_ERROR: usize = 1_000;

/// Where a source is, and how it is read.
#[derive(Debug, Clone)]
pub struct Source {
    /// The source.
    pub id: RepositoryId,
    /// The environment it declares.
    pub environment: EnvironmentId,
    /// Its repository.
    pub repository_url: Option<String>,
    /// The branch of it.
    pub branch: String,
    /// What of it declares.
    pub path: Option<String>,
    /// Where the document is, when it is in no repository.
    pub state_url: Option<String>,
    /// What it is written in.
    pub tool: String,
    /// What it is read with.
    pub credential: Option<CredentialId>,
    /// What its repository is read with where the document is elsewhere.
    pub repository_credential: Option<CredentialId>,
    /// The newest commit that was told.
    pub head: Option<String>,
    /// What is there is read with.
    pub scan_credential: Option<CredentialId>,
    /// The stack of a template.
    pub stack: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// The resource its tools run on, where it is looked at there.
    pub resource: Option<ResourceId>,
}

#[derive(FromRow)]
struct Row {
    environment_id: Uuid,
    repository_url: Option<String>,
    branch: String,
    path: Option<String>,
    state_url: Option<String>,
    tool: String,
    credential_id: Option<Uuid>,
    repository_credential_id: Option<Uuid>,
    head: Option<String>,
    scan_credential_id: Option<Uuid>,
    stack: Option<String>,
    region: Option<String>,
    resource_id: Option<Uuid>,
}

/// One source.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn source(tx: &mut TenantTx, id: RepositoryId) -> Result<Source, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Row = sqlx::query_as(
        "SELECT environment_id, repository_url, branch, path, state_url, tool, credential_id,
                repository_credential_id, head, scan_credential_id, stack, region, resource_id
         FROM countersign.iac_repositories
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    Ok(Source {
        id,
        environment: row.environment_id.into(),
        repository_url: row.repository_url,
        branch: row.branch,
        path: row.path,
        state_url: row.state_url,
        tool: row.tool,
        credential: row.credential_id.map(Into::into),
        repository_credential: row.repository_credential_id.map(Into::into),
        head: row.head,
        scan_credential: row.scan_credential_id.map(Into::into),
        stack: row.stack,
        region: row.region,
        resource: row.resource_id.map(Into::into),
    })
}

/// Queues what is due by itself, reading and comparing, and sets when it is due again; gives the
/// number of jobs. Sweeps at the same time pass over what another one has.
///
/// # Errors
/// When the database fails.
pub async fn queue_due(tx: &mut TenantTx) -> Result<u64, db::Error> {
    let tenant = tx.tenant().uuid();
    let mut jobs = Vec::new();
    for (subject, statement) in [
        (SYNC, include_str!("declared/due_sync.sql")),
        (SCAN, include_str!("declared/due_scan.sql")),
    ] {
        let due: Vec<Uuid> =
            sqlx::query_scalar(statement).bind(tenant).bind(AT_ONCE).fetch_all(tx.conn()).await?;
        jobs.extend(
            due.into_iter().map(|id| {
                NewJob::new(subject, json!({"iac_repository_id": RepositoryId::from(id)}))
            }),
        );
    }
    tx.enqueue_all(&jobs).await
}

/// A resource as a source declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its type.
    pub kind: String,
    /// Where in the code.
    pub address: String,
    /// What it is declared to be, fit to be stored.
    pub state: Value,
    /// The file of the repository that declares it, where that is known.
    pub file: Option<String>,
}

/// What a sync came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Resources that are declared now and were not.
    pub new: u64,
    /// Those that are declared otherwise.
    pub changed: u64,
    /// Those that are no longer declared.
    pub gone: u64,
}

/// Keeps what a source declares: what is new is added, what changed replaced, what is gone removed;
/// of what is the same nothing is written. Of several at one address the first counts.
///
/// # Errors
/// [`db::Error::NotFound`] when there is no such source.
pub async fn keep(
    tx: &mut TenantTx,
    id: RepositoryId,
    found: &[Found],
    revision: &str,
) -> Result<Kept, db::Error> {
    let tenant = tx.tenant().uuid();
    // Two syncs of one source take turns. It is the source that was read, changed or not.
    sqlx::query_scalar::<_, Uuid>(
        "UPDATE countersign.iac_repositories
         SET last_sync_at = clock_timestamp(), revision = $3, last_error = NULL
         WHERE tenant_id = $1 AND id = $2
         RETURNING id",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(revision)
    .fetch_one(tx.conn())
    .await?;
    let known: Vec<(String, String, Vec<u8>, Option<String>)> = sqlx::query_as(
        "SELECT address, resource_type, state_hash, declared_in
         FROM countersign.iac_resources
         WHERE tenant_id = $1 AND iac_repository_id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_all(tx.conn())
    .await?;
    let known: BTreeMap<String, (String, Vec<u8>, Option<String>)> = known
        .into_iter()
        .map(|(address, kind, hash, file)| (address, (kind, hash, file)))
        .collect();
    let mut declared: BTreeMap<&str, (&Found, Digest)> = BTreeMap::new();
    for one in found {
        declared.entry(&one.address).or_insert_with(|| (one, crate::declared::hash(&one.state)));
    }
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (address, (one, hash)) in &declared {
        match known.get(*address) {
            None => new.push((*one, *hash)),
            Some((kind, known, file)) => {
                let same = known.as_slice() == hash.as_bytes();
                if *kind != one.kind || !same || *file != one.file {
                    changed.push((*one, *hash));
                }
            }
        }
    }
    let gone: Vec<&str> =
        known.keys().map(String::as_str).filter(|one| !declared.contains_key(one)).collect();
    write(tx, id, include_str!("declared/insert.sql"), &new).await?;
    write(tx, id, include_str!("declared/update.sql"), &changed).await?;
    if !gone.is_empty() {
        sqlx::query(
            "DELETE FROM countersign.iac_resources
             WHERE tenant_id = $1 AND iac_repository_id = $2 AND address = ANY ($3)",
        )
        .bind(tenant)
        .bind(id.uuid())
        .bind(&gone)
        .execute(tx.conn())
        .await?;
    }
    Ok(Kept { new: new.len() as u64, changed: changed.len() as u64, gone: gone.len() as u64 })
}

async fn write(
    tx: &mut TenantTx,
    id: RepositoryId,
    statement: &'static str,
    rows: &[(&Found, Digest)],
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    for rows in rows.chunks(1_000) {
        let ids: Vec<Uuid> = rows.iter().map(|_| DeclaredId::generate().uuid()).collect();
        let addresses: Vec<&str> = rows.iter().map(|(one, _)| one.address.as_str()).collect();
        let kinds: Vec<&str> = rows.iter().map(|(one, _)| one.kind.as_str()).collect();
        let states: Vec<&Value> = rows.iter().map(|(one, _)| &one.state).collect();
        let files: Vec<Option<&str>> = rows.iter().map(|(one, _)| one.file.as_deref()).collect();
        let hashes: Vec<Vec<u8>> = rows.iter().map(|(_, hash)| hash.as_bytes().to_vec()).collect();
        sqlx::query(statement)
            .bind(tenant)
            .bind(id.uuid())
            .bind(ids)
            .bind(addresses)
            .bind(kinds)
            .bind(states)
            .bind(hashes)
            .bind(files)
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}

/// What each file of a source's repository declares, as it was read last.
///
/// # Errors
/// When the database fails.
pub async fn declaring(
    tx: &mut TenantTx,
    id: RepositoryId,
) -> Result<BTreeMap<String, BTreeSet<String>>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT declared_in, address
         FROM countersign.iac_resources
         WHERE tenant_id = $1 AND iac_repository_id = $2 AND declared_in IS NOT NULL",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_all(tx.conn())
    .await?;
    let mut of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, address) in rows {
        of.entry(file).or_default().insert(address);
    }
    Ok(of)
}

/// Notes up to which commit was told who changed what.
///
/// # Errors
/// When the database fails.
pub async fn told_to(tx: &mut TenantTx, id: RepositoryId, head: &str) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "UPDATE countersign.iac_repositories
         SET head = $3
         WHERE tenant_id = $1 AND id = $2 AND head IS DISTINCT FROM $3",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(head)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes why a source could not be read (`SYNC`) or compared (`SCAN`), or that it could.
///
/// # Errors
/// When the database fails.
pub async fn note(
    tx: &mut TenantTx,
    id: RepositoryId,
    subject: &str,
    error: Option<&str>,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let error = error.map(|error| {
        error.chars().filter(|one| *one != '\0').take(LONGEST_ERROR).collect::<String>()
    });
    let scanning = subject == SCAN;
    sqlx::query(
        "UPDATE countersign.iac_repositories
         SET last_error = CASE WHEN $3 THEN last_error ELSE $4 END,
             last_scan_error = CASE WHEN $3 THEN $4 ELSE last_scan_error END
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(scanning)
    .bind(error)
    .execute(tx.conn())
    .await?;
    Ok(())
}
