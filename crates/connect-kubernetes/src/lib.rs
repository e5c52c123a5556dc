//! What is live in a Kubernetes cluster, and what a manifest would make of it.
//!
//! Everything is read over the API server's own HTTP API through [`connect::Outbound`]. What cannot
//! be read is *not checked* and never taken for absent: absent is only what the API server says it
//! does not have, by name or in a list read to its end.
#![warn(missing_docs)]

mod apply;
mod cluster;
mod discovery;
mod kubeconfig;
mod list;
mod object;
mod read;
mod retry;
#[cfg(feature = "testing")]
pub mod testing;
mod watch;

pub use apply::{Conflicts, Effect};
pub use cluster::{Cluster, Error, Limits};
pub use discovery::{Resource, Served, Unserved};
pub use kubeconfig::{BadKubeconfig, Config, Kubeconfig, Login};
pub use list::Listed;
pub use object::{Key, Kind};
pub use read::{Live, NotChecked, Reading, Wanted};
pub use watch::{Event, Since};
