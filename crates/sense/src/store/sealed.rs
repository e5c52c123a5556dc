//! Whatever is sealed under a tenant's key, in order of id: what a rotation of keys goes over.
//!
//! Every table that holds such secrets has the same columns for them, and names itself and the
//! field `secret` in the place a seal is bound to.

use db::TenantTx;
use model::id::{TenantId, TenantKeyId};
use model::vault::{Place, Purpose, Sealed, TenantKey};
use sqlx::FromRow;
use uuid::Uuid;

use super::{tenant_key, word};
use crate::inventory::CredentialKind;

model::words! {
    /// A table that holds secrets, in the order a rotation goes over them.
    Holder {
        /// What logs in elsewhere, and what requests are verified with.
        Credentials = "credentials",
        /// One-time password generators of people.
        SecondFactors = "second_factors",
        /// Secrets told once, until they are.
        OneTimeSecrets = "one_time_secrets",
    }
}

impl Holder {
    /// The one that comes after this one.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Credentials => Some(Self::SecondFactors),
            Self::SecondFactors => Some(Self::OneTimeSecrets),
            Self::OneTimeSecrets => None,
        }
    }
}

/// A secret as it lies in the database.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its row.
    pub id: Uuid,
    /// What an event about it names: the row, or whose second factor it is.
    pub about: Uuid,
    /// What its seal is bound to.
    pub place: Place<'static>,
    /// Who has to open it.
    pub purpose: Purpose,
    /// The tenant's key it is sealed under; none from before tenants had keys.
    pub key: Option<TenantKey>,
    /// The seal.
    pub sealed: Sealed,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    about: Uuid,
    kind: Option<String>,
    version: i32,
    alg: String,
    kek_id: String,
    wrapped_dek: Vec<u8>,
    nonce: Vec<u8>,
    ciphertext: Vec<u8>,
    aad_version: i16,
}

/// The next rows of a table; those without a ciphertext hold nothing any more.
macro_rules! next_of {
    ($table:literal, $columns:literal) => {
        concat!(
            "SELECT id, ",
            $columns,
            ", alg, kek_id, wrapped_dek, nonce, ciphertext, aad_version
             FROM countersign.",
            $table,
            " WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) AND ciphertext <> ''
             ORDER BY id
             LIMIT $3"
        )
    };
}

/// How rows of a table are sealed from now on; the first names what else tells a key.
macro_rules! reseal_of {
    ($table:literal, $columns:literal) => {
        concat!(
            "UPDATE countersign.",
            $table,
            " held SET ",
            $columns,
            "kek_id = new.kek_id, wrapped_dek = new.wrapped_dek, nonce = new.nonce,
                 ciphertext = new.ciphertext
             FROM unnest($2::uuid[], $3::bytea[], $4::uuid[], $5::text[], $6::bytea[],
                         $7::bytea[], $8::bytea[])
               AS new (id, before, key_id, kek_id, wrapped_dek, nonce, ciphertext)
             WHERE held.tenant_id = $1 AND held.id = new.id AND held.wrapped_dek = new.before
               AND held.ciphertext <> ''"
        )
    };
}

impl Holder {
    const fn next_rows(self) -> &'static str {
        match self {
            Self::Credentials => next_of!("credentials", "id AS about, kind, version"),
            Self::SecondFactors => {
                next_of!("second_factors", "user_id AS about, NULL AS kind, 1 AS version")
            }
            Self::OneTimeSecrets => {
                next_of!("one_time_secrets", "id AS about, NULL AS kind, 1 AS version")
            }
        }
    }

    const fn reseal(self) -> &'static str {
        match self {
            Self::Credentials => reseal_of!("credentials", "tenant_key_id = new.key_id, "),
            Self::SecondFactors => reseal_of!("second_factors", ""),
            Self::OneTimeSecrets => reseal_of!("one_time_secrets", "tenant_key_id = new.key_id, "),
        }
    }

    fn held(self, row: Row, tenant: TenantId, keys: &[TenantKey]) -> Result<Held, db::Error> {
        let purpose = match row.kind {
            Some(kind) => word::<CredentialKind>(&kind)?.purpose(),
            // What only requests are answered with.
            None => Purpose::Request,
        };
        let version = u32::try_from(row.version).map_err(db::Error::internal)?;
        let place = Place { tenant, table: self.word(), row: row.id, field: "secret", version };
        let key = row.kek_id.parse::<TenantKeyId>().ok();
        let key = key.and_then(|id| keys.iter().find(|key| key.id == id)).cloned();
        let sealed = Sealed {
            alg: row.alg,
            kek_id: row.kek_id,
            wrapped_dek: row.wrapped_dek,
            nonce: row.nonce,
            ciphertext: row.ciphertext,
            aad_version: row.aad_version,
        };
        Ok(Held { id: row.id, about: row.about, place, purpose, key, sealed })
    }
}

/// The next secrets a table holds, in order of id.
///
/// # Errors
/// When the database fails.
pub async fn after(
    tx: &mut TenantTx,
    holder: Holder,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<Held>, db::Error> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = sqlx::query_as(holder.next_rows())
        .bind(tenant.uuid())
        .bind(after)
        .bind(most)
        .fetch_all(tx.conn())
        .await?;
    let keys = tenant_key::all(tx).await?;
    let keys: Vec<TenantKey> = keys.into_iter().map(|kept| kept.key).collect();
    rows.into_iter().map(|row| holder.held(row, tenant, &keys)).collect()
}

/// Replaces how the same secrets are sealed, where nobody replaced or took one meanwhile. Gives
/// their number.
///
/// # Errors
/// When the database fails.
pub async fn reseal(
    tx: &mut TenantTx,
    holder: Holder,
    resealed: &[(Held, Sealed)],
) -> Result<u64, db::Error> {
    if resealed.is_empty() {
        return Ok(0);
    }
    let column = |of: fn(&Sealed) -> &Vec<u8>| -> Vec<&Vec<u8>> {
        resealed.iter().map(|(_, after)| of(after)).collect()
    };
    let ids: Vec<Uuid> = resealed.iter().map(|(before, _)| before.id).collect();
    let before: Vec<_> = resealed.iter().map(|(before, _)| &before.sealed.wrapped_dek).collect();
    let keks: Vec<_> = resealed.iter().map(|(_, after)| &after.kek_id).collect();
    let keys: Vec<Option<Uuid>> =
        keks.iter().map(|kek| kek.parse::<TenantKeyId>().ok().map(TenantKeyId::uuid)).collect();
    let done = sqlx::query(holder.reseal())
        .bind(tx.tenant().uuid())
        .bind(ids)
        .bind(before)
        .bind(keys)
        .bind(keks)
        .bind(column(|after| &after.wrapped_dek))
        .bind(column(|after| &after.nonce))
        .bind(column(|after| &after.ciphertext))
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected())
}
