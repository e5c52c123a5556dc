//! Files of learned models, what they were compared with, and which of them decides.

use db::{Error, TenantTx};
use model::Digest;
use model::id::{FindingId, ModelId, PredictionId};
use serde_json::{Value, json};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

/// What the registry knows of a version that training is about.
#[derive(Debug, Clone, FromRow)]
pub struct Registered {
    /// The version.
    pub id: Uuid,
    /// What the model is called.
    pub name: String,
    /// What it looks at.
    pub features: Json<Vec<String>>,
    /// The classes it knows.
    pub target_classes: Option<Json<Vec<String>>>,
    /// Whether it decides.
    pub is_active: bool,
    /// SHA-256 of its file.
    pub artifact_sha256: Option<Vec<u8>>,
    /// The last comparison.
    pub comparison: Option<Json<Value>>,
}

impl Registered {
    /// SHA-256 of its file, if it has one.
    #[must_use]
    pub fn sha256(&self) -> Option<Digest> {
        Digest::try_from(self.artifact_sha256.as_deref()?).ok()
    }
}

/// A version, kept from others' changes for the rest of the transaction.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn lock(tx: &mut TenantTx, id: ModelId) -> Result<Registered, Error> {
    let row: Option<Registered> = sqlx::query_as(
        "SELECT id, name, features, target_classes, is_active, artifact_sha256, comparison
         FROM countersign.ml_models
         WHERE tenant_id = $1 AND id = $2
         FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.ok_or(Error::NotFound)
}

/// The version of a model that decides, kept from others' changes; `None` when none does.
///
/// # Errors
/// When the database is not available.
pub async fn lock_active(tx: &mut TenantTx, name: &str) -> Result<Option<Registered>, Error> {
    Ok(sqlx::query_as(
        "SELECT id, name, features, target_classes, is_active, artifact_sha256, comparison
         FROM countersign.ml_models
         WHERE tenant_id = $1 AND name = $2 AND is_active
         FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(name)
    .fetch_optional(tx.conn())
    .await?)
}

/// The version of a model that decides, with its file.
#[derive(Debug, Clone)]
pub struct Active {
    /// The version's row.
    pub id: ModelId,
    /// Its version.
    pub version: String,
    /// Its file.
    pub artifact: String,
    /// SHA-256 of it when it was kept.
    pub sha256: Vec<u8>,
}

/// The version of a model that decides at present; `None` when none does.
///
/// # Errors
/// When the database is not available.
pub async fn active(tx: &mut TenantTx, name: &str) -> Result<Option<Active>, Error> {
    let row: Option<(Uuid, String, String, Vec<u8>)> = sqlx::query_as(
        "SELECT id, version, artifact, artifact_sha256
         FROM countersign.ml_models
         WHERE tenant_id = $1 AND name = $2 AND is_active AND artifact IS NOT NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(name)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|(id, version, artifact, sha256)| Active {
        id: id.into(),
        version,
        artifact,
        sha256,
    }))
}

/// What a model said of a finding.
#[derive(Debug, Clone)]
pub struct Predicted {
    /// Of which.
    pub finding: FindingId,
    /// What: the class and how likely each is.
    pub result: Value,
    /// How it came to that.
    pub metadata: Value,
}

/// Keeps what a version said of findings.
///
/// # Errors
/// When the database is not available, or one of the findings is gone.
pub async fn keep_predictions(
    tx: &mut TenantTx,
    id: ModelId,
    all: &[Predicted],
) -> Result<(), Error> {
    if all.is_empty() {
        return Ok(());
    }
    let rows = all.iter().map(|one| {
        json!({
            "id": PredictionId::generate().uuid(), "finding_id": one.finding.uuid(),
            "result": one.result, "metadata": one.metadata,
        })
    });
    sqlx::query(
        "INSERT INTO countersign.ml_predictions (tenant_id, id, finding_id, ml_model_id,
           prediction_result, prediction_metadata)
         SELECT $1, t.id, t.finding_id, $2, t.result, t.metadata
         FROM jsonb_to_recordset($3) AS t (id uuid, finding_id uuid, result jsonb, metadata jsonb)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(Json(rows.collect::<Vec<_>>()))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The file of a version, and its SHA-256 when it was kept; `None` when it has none.
///
/// # Errors
/// When the database is not available.
pub async fn artifact(tx: &mut TenantTx, id: ModelId) -> Result<Option<(String, Vec<u8>)>, Error> {
    Ok(sqlx::query_as(
        "SELECT artifact, artifact_sha256 FROM countersign.ml_models
         WHERE tenant_id = $1 AND id = $2 AND artifact IS NOT NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?)
}

/// Keeps the file of a version and its figures. What it was compared with before was another file.
///
/// # Errors
/// When the database is not available.
pub async fn keep_artifact(
    tx: &mut TenantTx,
    id: ModelId,
    text: &str,
    metrics: &Value,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.ml_models
         SET artifact = $3, artifact_sha256 = $4, metrics = $5, comparison = NULL,
           updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(text)
    .bind(Digest::of(text.as_bytes()).as_bytes().as_slice())
    .bind(Json(metrics))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps what a version was compared with, and how that ended.
///
/// # Errors
/// When the database is not available.
pub async fn keep_comparison(
    tx: &mut TenantTx,
    id: ModelId,
    comparison: &Value,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.ml_models SET comparison = $3, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(Json(comparison))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets no version of a model decide, or one: from now on.
///
/// # Errors
/// When the database is not available, or refuses a version that was not compared.
pub async fn decide(tx: &mut TenantTx, name: &str, which: Option<ModelId>) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.ml_models SET is_active = false, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND name = $2 AND is_active",
    )
    .bind(tx.tenant().uuid())
    .bind(name)
    .execute(tx.conn())
    .await?;
    let Some(id) = which else { return Ok(()) };
    sqlx::query(
        "UPDATE countersign.ml_models
         SET is_active = true, deployed_at = clock_timestamp(), updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}
