//! The way to the witness of the audit log.

use std::time::Duration;

use anyhow::{Context as _, Result};
use connect::outbound::Outbound;
use futures::future::BoxFuture;
use prove::witness::client::{Carrier, Client, Reply};

use super::keys::trusted;
use crate::config::Serve;

/// How long a witness may take to answer.
const WITHIN: Duration = Duration::from_secs(10);

/// The most of an answer that is read: some signature lines.
const MOST_BYTES: usize = 64 * 1024;

/// The witness of this deployment; none when there is none.
///
/// # Errors
/// When its address is no URL, or a certificate cannot be used.
pub(super) fn client(serve: &Serve) -> Result<Option<Client>> {
    let (Some(url), Some(key)) = (&serve.audit.witness_url, &serve.audit.witness_key) else {
        return Ok(None);
    };
    let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    Outbound::check(&url).with_context(|| format!("--witness-url: {url}"))?;
    // The operator named it: it may be in a network of theirs.
    let rules = trusted(&serve.calls)?.anywhere().within(WITHIN).at_most(MOST_BYTES);
    let outbound = Outbound::new(rules).context("the client for the witness")?;
    Ok(Some(Client { key: key.clone(), carrier: Box::new(Way { outbound, url }) }))
}

#[derive(Debug)]
struct Way {
    outbound: Outbound,
    url: String,
}

impl Carrier for Way {
    fn post(&self, body: String) -> BoxFuture<'_, Result<Reply, String>> {
        Box::pin(async move {
            let sent = self.outbound.post(&self.url, "text/plain; charset=utf-8", body.into());
            let reply = sent.await.map_err(|error| error.to_string())?;
            Ok(Reply { status: reply.status.as_u16(), body: reply.body })
        })
    }
}
