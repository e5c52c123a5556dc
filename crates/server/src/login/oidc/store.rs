//! Providers, logins under way and identities, as the database holds them.

use std::collections::BTreeMap;

use db::{Error, TenantTx};
use model::Digest;
use model::actor::Role;
use model::id::{ActorId, CredentialId, OidcProviderId, UserId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

/// Logins of one tenant that may be under way at a time; the oldest go first.
const MOST_UNDER_WAY: i64 = 10_000;
/// How long a login may take, in minutes.
pub(super) const LOGIN_MINUTES: i32 = 10;

/// A provider, as a login needs it.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    pub(super) id: OidcProviderId,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) credential: Option<CredentialId>,
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) group_claim: String,
    pub(super) role_mapping: BTreeMap<String, Vec<String>>,
    pub(super) unknown_users: String,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    display_name: String,
    issuer: String,
    client_id: String,
    credential_id: Option<Uuid>,
    redirect_uri: String,
    scopes: Vec<String>,
    group_claim: String,
    role_mapping: Json<BTreeMap<String, Vec<String>>>,
    unknown_users: String,
}

impl From<Row> for Provider {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            display_name: row.display_name,
            issuer: row.issuer,
            client_id: row.client_id,
            credential: row.credential_id.map(CredentialId::from),
            redirect_uri: row.redirect_uri,
            scopes: row.scopes,
            group_claim: row.group_claim,
            role_mapping: row.role_mapping.0,
            unknown_users: row.unknown_users,
        }
    }
}

/// The providers people get in through, by name.
pub(super) async fn active(tx: &mut TenantTx) -> Result<Vec<Provider>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, display_name, issuer, client_id, credential_id, redirect_uri, scopes,
                group_claim, role_mapping, unknown_users
         FROM countersign.oidc_providers
         WHERE tenant_id = $1 AND is_active
         ORDER BY name
         LIMIT 100",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Provider::from).collect())
}

/// A provider people get in through.
pub(super) async fn by_name(tx: &mut TenantTx, name: &str) -> Result<Option<Provider>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, name, display_name, issuer, client_id, credential_id, redirect_uri, scopes,
                group_claim, role_mapping, unknown_users
         FROM countersign.oidc_providers
         WHERE tenant_id = $1 AND name = $2 AND is_active",
    )
    .bind(tx.tenant().uuid())
    .bind(name)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Provider::from))
}

/// Notes that a login began, and drops those that ended by time.
pub(super) async fn begin(
    tx: &mut TenantTx,
    provider: OidcProviderId,
    state: &Digest,
    browser: &Digest,
) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM countersign.oidc_logins
         WHERE tenant_id = $1
           AND (expires_at <= clock_timestamp()
                OR id IN (SELECT id FROM countersign.oidc_logins
                          WHERE tenant_id = $1 ORDER BY id DESC OFFSET $2))",
    )
    .bind(tx.tenant().uuid())
    .bind(MOST_UNDER_WAY)
    .execute(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO countersign.oidc_logins
           (tenant_id, id, provider_id, state_hash, browser_hash, expires_at)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(mins => $6))",
    )
    .bind(tx.tenant().uuid())
    .bind(Uuid::now_v7())
    .bind(provider.uuid())
    .bind(&state.as_bytes()[..])
    .bind(&browser.as_bytes()[..])
    .bind(LOGIN_MINUTES)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a login that this browser began away, so that it ends once: the name of its provider.
pub(super) async fn take(
    tx: &mut TenantTx,
    state: &Digest,
    browser: &Digest,
) -> Result<Option<String>, Error> {
    Ok(sqlx::query_scalar(
        "DELETE FROM countersign.oidc_logins l
         USING countersign.oidc_providers p, countersign.tenants t
         WHERE l.tenant_id = $1 AND l.state_hash = $2 AND l.browser_hash = $3
           AND l.expires_at > clock_timestamp()
           AND p.tenant_id = l.tenant_id AND p.id = l.provider_id
           AND t.id = l.tenant_id AND t.is_active
         RETURNING p.name",
    )
    .bind(tx.tenant().uuid())
    .bind(&state.as_bytes()[..])
    .bind(&browser.as_bytes()[..])
    .fetch_optional(tx.conn())
    .await?)
}

/// A user, as a login through a provider needs it.
#[derive(Debug, FromRow)]
pub(super) struct Account {
    pub(super) id: Uuid,
    pub(super) actor_id: Uuid,
    pub(super) username: String,
    pub(super) roles: Vec<String>,
    pub(super) is_active: bool,
    pub(super) must_change_password: bool,
}

/// Whoever has this subject at the provider; held until the transaction ends.
pub(super) async fn known(
    tx: &mut TenantTx,
    provider: OidcProviderId,
    subject: &str,
) -> Result<Option<Account>, Error> {
    Ok(sqlx::query_as(
        "UPDATE countersign.user_identities i
         SET last_login = clock_timestamp()
         FROM countersign.users u
         JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id
         WHERE i.tenant_id = $1 AND i.provider_id = $2 AND i.subject = $3
           AND u.tenant_id = i.tenant_id AND u.id = i.user_id
         RETURNING u.id, u.actor_id, u.username, a.roles,
                   u.is_active AND a.is_active AS is_active, u.must_change_password",
    )
    .bind(tx.tenant().uuid())
    .bind(provider.uuid())
    .bind(subject)
    .fetch_optional(tx.conn())
    .await?)
}

/// Whoever has this address.
pub(super) async fn by_email(tx: &mut TenantTx, email: &str) -> Result<Option<Account>, Error> {
    Ok(sqlx::query_as(
        "SELECT u.id, u.actor_id, u.username, a.roles, u.is_active AND a.is_active AS is_active,
                u.must_change_password
         FROM countersign.users u
         JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id
         WHERE u.tenant_id = $1 AND lower(u.email) = lower($2)
         ORDER BY u.id
         LIMIT 1",
    )
    .bind(tx.tenant().uuid())
    .bind(email)
    .fetch_optional(tx.conn())
    .await?)
}

/// Whether somebody has this login name.
pub(super) async fn name_taken(tx: &mut TenantTx, username: &str) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM countersign.users WHERE tenant_id = $1 AND username = $2)",
    )
    .bind(tx.tenant().uuid())
    .bind(username)
    .fetch_one(tx.conn())
    .await?)
}

/// Notes that a subject at a provider is a user.
pub(super) async fn identify(
    tx: &mut TenantTx,
    provider: OidcProviderId,
    subject: &str,
    user: UserId,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO countersign.user_identities (tenant_id, id, provider_id, subject, user_id)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(tx.tenant().uuid())
    .bind(Uuid::now_v7())
    .bind(provider.uuid())
    .bind(subject)
    .bind(user.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Sets what an actor may do.
pub(super) async fn set_roles(
    tx: &mut TenantTx,
    actor: ActorId,
    roles: &[Role],
) -> Result<(), Error> {
    let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    sqlx::query(
        "UPDATE countersign.actors SET roles = $3, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(actor.uuid())
    .bind(words)
    .execute(tx.conn())
    .await?;
    Ok(())
}
