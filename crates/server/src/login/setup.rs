//! The first start: a tenant, an administrator with a one-time password, and the system tenant.

use std::{fmt, io};

use api::Problem;
use api::identity::random_text;
use api::problem::Answer;
use db::Db;
use model::actor::Role;
use model::audit::{Event, Who};
use model::id::TenantId;

use super::{password, store};

/// The slug of the first tenant.
pub const DEFAULT_TENANT: &str = "default";
/// The slug of the tenant that logs deployment events.
pub const SYSTEM_TENANT: &str = "system";
/// The first user.
pub const ADMIN: &str = "admin";

/// What the first start made.
pub struct FirstStart {
    /// The tenant.
    pub tenant: TenantId,
    /// The administrator's one-time password; `None` when there was one already.
    pub one_time_password: Option<String>,
}

impl fmt::Debug for FirstStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstStart").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// Makes what a fresh database lacks. Safe to repeat, and when two processes start together.
///
/// `keep` gets the administrator's one-time password, and keeps it, before there is an
/// administrator: a process that dies in between leaves a password nobody has, and the next start
/// makes another, but never an administrator nobody knows the password of.
///
/// # Errors
/// When the database is not available, or `keep` fails: then no administrator was made.
pub async fn first_start(db: &Db, keep: impl FnOnce(&str) -> io::Result<()>) -> Answer<FirstStart> {
    ensure_tenant(db, SYSTEM_TENANT, "Deployment", true).await?;
    let tenant = ensure_tenant(db, DEFAULT_TENANT, "Default", false).await?;
    let mut tx = db.tenant(tenant).await?;
    if store::user_by_name(&mut tx, ADMIN).await?.is_some() {
        return Ok(FirstStart { tenant, one_time_password: None });
    }
    let one_time_password = random_text(18)?;
    let hash = password::hash(one_time_password.clone()).await?;
    let new = store::NewUser {
        username: ADMIN,
        full_name: "Administrator",
        email: None,
        password_hash: Some(&hash),
        must_change_password: true,
        roles: &[Role::Admin],
    };
    match store::new_user(&mut tx, &new).await {
        Ok((user, _)) => {
            let event = Event::new(Who::service(), "user.created", "user", &user)
                .with("username", ADMIN)
                .with("roles", vec![Role::Admin.word()]);
            tx.audit(&event).await?;
            keep(&one_time_password).map_err(|error| {
                Problem::unavailable(format!("the one-time password cannot be kept: {error}"))
            })?;
            tx.commit().await?;
            Ok(FirstStart { tenant, one_time_password: Some(one_time_password) })
        }
        // The other process was quicker.
        Err(error) if error.constraint() == Some("users_username_key") => {
            Ok(FirstStart { tenant, one_time_password: None })
        }
        Err(error) => Err(error.into()),
    }
}

async fn ensure_tenant(db: &Db, slug: &str, name: &str, is_system: bool) -> Answer<TenantId> {
    if let Some(tenant) = store::tenant_by_slug(db, slug).await? {
        return Ok(tenant);
    }
    let tenant = TenantId::generate();
    let mut tx = db.tenant(tenant).await?;
    match store::new_tenant(&mut tx, slug, name, is_system).await {
        Ok(()) => {}
        Err(error) if error.constraint() == Some("tenants_slug_key") => {
            drop(tx);
            return store::tenant_by_slug(db, slug)
                .await?
                .ok_or_else(|| Problem::unavailable("the tenant is being made; try again"));
        }
        Err(error) => return Err(error.into()),
    }
    let event = Event::new(Who::service(), "tenant.created", "tenant", &tenant).with("slug", slug);
    tx.audit(&event).await?;
    tx.commit().await?;
    Ok(tenant)
}
