//! PostgreSQL plumbing without business words: the private server, `TenantTx`, migrations, jobs,
//! the audit outbox, leadership, keyset pages, test databases.
//!
//! [`TenantTx`] is the only way to run a query as a tenant. What must look across tenants goes
//! through [`AcrossTx`], which by itself sees nothing: only the database's definer functions do.
#![warn(missing_docs)]

mod audit;
mod connect;
mod doubt;
mod error;
mod open;
mod role;
mod tx;

pub mod catalogue;
pub mod failpoint;
pub mod jobs;
pub mod lease;
pub mod migrate;
pub mod object;
pub mod page;
pub mod partitions;
pub mod pause;
pub mod private;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wake;

pub use audit::{AuditKey, Mac};
pub use connect::{Db, Options};
pub use error::{Error, Kind};
pub use lease::Leadership;
pub use page::{Cursor, Page, PageRequest};
pub use role::{Flaw, MINIMUM_SERVER_VERSION};
pub use tx::{AcrossTx, Mark, TenantTx};
