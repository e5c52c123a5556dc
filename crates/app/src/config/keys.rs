//! Where the key-encryption keys are, and where calls may go.

use std::path::PathBuf;

use clap::Args;
use connect::outbound::Allowance;

/// Where the key-encryption keys are: files in the data directory, or keys of a Vault.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Keys")]
pub struct Keys {
    /// A Vault whose transit engine keeps the key-encryption keys, by its `https` address
    #[arg(
        long,
        env = "COUNTERSIGN_VAULT_ADDRESS",
        value_name = "URL",
        requires = "vault_token_file"
    )]
    pub vault_address: Option<String>,

    /// The file with the token for Vault; read at every call, so that an agent may renew it
    #[arg(long, env = "COUNTERSIGN_VAULT_TOKEN_FILE", value_name = "FILE")]
    pub vault_token_file: Option<PathBuf>,

    /// Where the transit engine is mounted
    #[arg(long, env = "COUNTERSIGN_VAULT_MOUNT", value_name = "PATH", default_value = "transit")]
    pub vault_mount: String,

    /// The key in it that workers open with; `<NAME>-request` is the one of what requests need
    #[arg(long, env = "COUNTERSIGN_VAULT_KEY", value_name = "NAME", default_value = "countersign")]
    pub vault_key: String,
}

/// Where calls to others may go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Calls to others")]
pub struct Calls {
    /// A network calls may go to although it is not the public Internet: `10.20.0.0/16`,
    /// `10.20.0.7:8200`, `127.0.0.0/8:*`; `<TENANT>=` in front allows it to one tenant alone
    #[arg(long, env = "COUNTERSIGN_OUTBOUND_ALLOW", value_name = "NETWORK", value_delimiter = ',')]
    pub outbound_allow: Vec<Allowance>,

    /// Certificates that are trusted besides the system's, in PEM form; for Vault, too
    #[arg(long, env = "COUNTERSIGN_OUTBOUND_CA", value_name = "FILE")]
    pub outbound_ca: Option<PathBuf>,
}
