//! Google Cloud: what is live in it by Cloud Asset Inventory.

mod assets;
mod credentials;

use std::sync::Arc;

use connect::Outbound;
use model::time::Clock;

pub use credentials::Credentials;

use crate::calls::{Calls, Limits};
use crate::error::Error;

/// Where Cloud Asset Inventory is.
const INVENTORY: &str = "https://cloudasset.googleapis.com";

/// Google Cloud, as some credentials see it.
#[derive(Debug)]
pub struct Google {
    calls: Calls,
    inventory: String,
}

impl Google {
    /// Google Cloud, called through `outbound`: its rules say how large an answer may be and how
    /// long it may take. With an `endpoint` the inventory is asked there.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the credentials are none that Google could give.
    pub fn new(
        outbound: Outbound,
        credentials: Credentials,
        endpoint: Option<&str>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let login = credentials.login()?;
        let inventory = endpoint.unwrap_or(INVENTORY).trim_end_matches('/').to_owned();
        Ok(Self { calls: Calls::new(outbound, login, clock, limits), inventory })
    }
}

/// The types that are read.
#[must_use]
pub fn types() -> Vec<&'static str> {
    crate::table::Table::google().types.iter().map(|kind| kind.kind.as_str()).collect()
}
