//! `countersign demo`: the product shown to a newcomer.

use anyhow::{Result, bail};

/// What the demo is asked to do.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Leave everything running at the end
    #[arg(long)]
    pub keep: bool,
}

/// Shows the loop end to end.
///
/// # Errors
/// When a stage does not end as it should.
#[expect(clippy::unused_async, clippy::needless_pass_by_value, reason = "the demo's signature")]
pub async fn run(_args: Args) -> Result<()> {
    bail!("the demo is not part of this build")
}
