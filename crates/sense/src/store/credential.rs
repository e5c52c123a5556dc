//! Credentials in the database: sealed before they come here, opened only by the vault.

use db::TenantTx;
use model::id::{ActorId, CredentialId, TenantId};
use model::vault::{Place, Sealed};
use sqlx::FromRow;
use uuid::Uuid;

use super::word;
use crate::inventory::{Credential, CredentialKind, SealedCredential};

/// What the seal of a credential's version is bound to.
#[must_use]
pub fn place(tenant: TenantId, id: CredentialId, version: u32) -> Place<'static> {
    Place { tenant, table: "credentials", row: id.uuid(), field: "secret", version }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    kind: String,
    version: i32,
    updated_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn credential(self) -> Result<Credential, db::Error> {
        Ok(Credential {
            id: self.id.into(),
            name: self.name,
            kind: word::<CredentialKind>(&self.kind)?,
            version: u32::try_from(self.version).map_err(db::Error::internal)?,
            updated_at: self.updated_at.to_jiff(),
        })
    }
}

#[derive(FromRow)]
struct SealedRow {
    #[sqlx(flatten)]
    row: Row,
    alg: String,
    kek_id: String,
    wrapped_dek: Vec<u8>,
    nonce: Vec<u8>,
    ciphertext: Vec<u8>,
    aad_version: i16,
}

/// All credentials, by name, without their secrets.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<Credential>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, kind, version, updated_at
         FROM countersign.credentials
         WHERE tenant_id = $1
         ORDER BY name
         LIMIT 1000",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Row::credential).collect()
}

/// One credential with its sealed secret.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: CredentialId) -> Result<SealedCredential, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: SealedRow = sqlx::query_as(
        "SELECT id, name, kind, version, updated_at, alg, kek_id, wrapped_dek, nonce, ciphertext,
                aad_version
         FROM countersign.credentials
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    Ok(SealedCredential {
        credential: row.row.credential()?,
        sealed: Sealed {
            alg: row.alg,
            kek_id: row.kek_id,
            wrapped_dek: row.wrapped_dek,
            nonce: row.nonce,
            ciphertext: row.ciphertext,
            aad_version: row.aad_version,
        },
    })
}

/// Adds a credential, version 1, sealed for its [`place`].
///
/// # Errors
/// A conflict with `credentials_name_key` when the name is taken.
pub async fn insert(
    tx: &mut TenantTx,
    id: CredentialId,
    name: &str,
    kind: CredentialKind,
    sealed: &Sealed,
    by: ActorId,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.credentials
           (tenant_id, id, name, kind, version, alg, kek_id, wrapped_dek, nonce, ciphertext,
            aad_version, created_by)
         VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(name)
    .bind(kind.word())
    .bind(&sealed.alg)
    .bind(&sealed.kek_id)
    .bind(&sealed.wrapped_dek)
    .bind(&sealed.nonce)
    .bind(&sealed.ciphertext)
    .bind(sealed.aad_version)
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Replaces the secret by one sealed for version `version`, which must follow the present one.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id, or somebody else replaced it meanwhile.
pub async fn replace(
    tx: &mut TenantTx,
    id: CredentialId,
    version: u32,
    sealed: &Sealed,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let version = i32::try_from(version).map_err(db::Error::internal)?;
    let done = sqlx::query(
        "UPDATE countersign.credentials
         SET version = $3, alg = $4, kek_id = $5, wrapped_dek = $6, nonce = $7, ciphertext = $8,
             aad_version = $9, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2 AND version = $3 - 1",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(version)
    .bind(&sealed.alg)
    .bind(&sealed.kek_id)
    .bind(&sealed.wrapped_dek)
    .bind(&sealed.nonce)
    .bind(&sealed.ciphertext)
    .bind(sealed.aad_version)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}
