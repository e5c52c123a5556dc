//! Credentials in the database: sealed before they come here, opened only by the vault.

use db::TenantTx;
use model::id::{ActorId, CredentialId, TenantId, TenantKeyId};
use model::vault::{Place, Purpose, Sealed, TenantKey};
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
    key_id: Option<Uuid>,
    key_purpose: Option<String>,
    key_public: Option<Vec<u8>>,
    key_kek_id: Option<String>,
    key_wrapped: Option<Vec<u8>>,
}

impl SealedRow {
    fn sealed(self, tenant: TenantId) -> Result<SealedCredential, db::Error> {
        let key = match (self.key_id, self.key_purpose, self.key_public) {
            (Some(id), Some(purpose), Some(public)) => Some(TenantKey {
                id: id.into(),
                tenant,
                purpose: word::<Purpose>(&purpose)?,
                public,
                kek_id: self.key_kek_id.unwrap_or_default(),
                wrapped: self.key_wrapped.unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(SealedCredential {
            credential: self.row.credential()?,
            sealed: Sealed {
                alg: self.alg,
                kek_id: self.kek_id,
                wrapped_dek: self.wrapped_dek,
                nonce: self.nonce,
                ciphertext: self.ciphertext,
                aad_version: self.aad_version,
            },
            key,
        })
    }
}

/// The tenant's key a secret is sealed under; none from before tenants had keys.
fn key_id(sealed: &Sealed) -> Option<Uuid> {
    sealed.kek_id.parse::<TenantKeyId>().ok().map(TenantKeyId::uuid)
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

/// The credential of this name, when there is one.
///
/// # Errors
/// When the database fails.
pub async fn named(tx: &mut TenantTx, name: &str) -> Result<Option<CredentialId>, db::Error> {
    let tenant = tx.tenant().uuid();
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM countersign.credentials WHERE tenant_id = $1 AND name = $2",
    )
    .bind(tenant)
    .bind(name)
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(Into::into))
}

/// One credential with its sealed secret.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: CredentialId) -> Result<SealedCredential, db::Error> {
    let tenant = tx.tenant();
    let row: SealedRow = sqlx::query_as(
        "SELECT c.id, c.name, c.kind, c.version, c.updated_at, c.alg, c.kek_id, c.wrapped_dek,
                c.nonce, c.ciphertext, c.aad_version, k.id AS key_id, k.purpose AS key_purpose,
                k.public_key AS key_public, k.kek_id AS key_kek_id, k.wrapped AS key_wrapped
         FROM countersign.credentials c
         LEFT JOIN countersign.tenant_keys k
           ON k.tenant_id = c.tenant_id AND k.id = c.tenant_key_id
         WHERE c.tenant_id = $1 AND c.id = $2",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    row.sealed(tenant)
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
            aad_version, created_by, tenant_key_id)
         VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11, $12)",
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
    .bind(key_id(sealed))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What uses a credential, in words people know it by; a few of them when it is many.
///
/// # Errors
/// When the database fails.
pub async fn users(tx: &mut TenantTx, id: CredentialId) -> Result<Vec<String>, db::Error> {
    Ok(sqlx::query_scalar(include_str!("credential/users.sql"))
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .fetch_all(tx.conn())
        .await?)
}

/// Destroys a credential with its sealed secret.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id; invalid with a foreign key's name when
/// something uses it.
pub async fn destroy(tx: &mut TenantTx, id: CredentialId) -> Result<(), db::Error> {
    let done = sqlx::query("DELETE FROM countersign.credentials WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .execute(tx.conn())
        .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
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
             aad_version = $9, tenant_key_id = $10, updated_at = clock_timestamp()
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
    .bind(key_id(sealed))
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}
