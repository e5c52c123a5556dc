//! Which addresses a name has.

use std::fmt::Debug;
use std::io;
use std::net::IpAddr;

use model::connector::Pending;

/// Looks names up. Asked once a call: what it answers is vetted and then connected to.
pub trait Lookup: Send + Sync + Debug {
    /// The addresses of `name`.
    fn lookup<'a>(&'a self, name: &'a str) -> Pending<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy)]
pub(super) struct System;

impl Lookup for System {
    fn lookup<'a>(&'a self, name: &'a str) -> Pending<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect())
        })
    }
}
