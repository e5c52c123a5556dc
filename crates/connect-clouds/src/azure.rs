//! Azure: what is live in it by Resource Graph.
//!
//! Resource Graph leaves out what the caller may not read, and runs behind. So whatever it does not
//! give is asked for by itself before it counts as deleted.

mod credentials;
mod graph;
mod id;

use std::sync::Arc;

use connect::Outbound;
use model::time::Clock;

pub use credentials::Credentials;

use crate::calls::{Calls, Limits};
use crate::error::Error;

/// Where Azure is: its public cloud, or another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Who gives tokens, without a slash at the end.
    pub authority: String,
    /// Who is asked, without a slash at the end.
    pub manager: String,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            authority: "https://login.microsoftonline.com".to_owned(),
            manager: "https://management.azure.com".to_owned(),
        }
    }
}

/// Azure, as some credentials see it.
#[derive(Debug)]
pub struct Azure {
    calls: Calls,
    manager: String,
}

impl Azure {
    /// Azure, called through `outbound`: its rules say how large an answer may be and how long it
    /// may take.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the credentials are none that Azure could give.
    pub fn new(
        outbound: Outbound,
        credentials: Credentials,
        place: &Place,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let login = credentials.login(place)?;
        let manager = place.manager.trim_end_matches('/').to_owned();
        Ok(Self { calls: Calls::new(outbound, Box::new(login), clock, limits), manager })
    }
}

/// The blocks of a type that may be resources of their own.
#[must_use]
pub fn separate(kind: &str) -> &'static [crate::Separate] {
    crate::table::Table::azure().kind(kind).map_or(&[], |kind| &kind.separate)
}

/// The types that are read.
#[must_use]
pub fn types() -> Vec<&'static str> {
    crate::table::Table::azure().types.iter().map(|kind| kind.kind.as_str()).collect()
}
