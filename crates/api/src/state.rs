//! What handlers share: the database, the clock, the object store, the vault.

use std::sync::Arc;

use db::Db;
use model::Clock;
use model::objects::Objects;
use model::vault::Vault;

use crate::peer::Proxies;

/// The application's state. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database, logged in as the application.
    pub db: Db,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Evidence and tool output.
    pub objects: Arc<dyn Objects>,
    /// Seals credentials.
    pub vault: Arc<dyn Vault>,
    /// How large a request body may be, in bytes.
    pub body_limit: usize,
    /// Whose word about the addresses of others is taken.
    pub proxies: Proxies,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("body_limit", &self.body_limit).finish_non_exhaustive()
    }
}
