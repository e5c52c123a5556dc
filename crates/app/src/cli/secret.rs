//! Secrets and the keys that seal them: list, replace, rotate. Nothing shows a secret.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};
use connect::vault::{FileKek, Kek as _};
use serde_json::json;
use server::hosts::{self, HostKey, KeyKind};

use super::view::Column;
use super::{Context, End, given, listing, view};
use crate::config::Place;
use crate::wiring;

const SECRETS: [Column; 5] = [
    ("name", "/name"),
    ("kind", "/kind"),
    ("version", "/version"),
    ("since", "/updated_at"),
    ("id", "/id"),
];

const KEYS: [Column; 6] = [
    ("purpose", "/purpose"),
    ("generation", "/generation"),
    ("wrapped by", "/kek_id"),
    ("made", "/created_at"),
    ("wrapped anew", "/rewrapped_at"),
    ("id", "/id"),
];

const ROTATIONS: [Column; 7] = [
    ("kind", "/kind"),
    ("state", "/state"),
    ("keys", "/keys_done"),
    ("secrets", "/secrets_done"),
    ("not opened", "/secrets_failed"),
    ("begun", "/created_at"),
    ("ended", "/ended_at"),
];

/// Secrets and the keys that seal them; nothing shows a secret.
#[derive(Debug, Subcommand)]
pub enum Secret {
    /// List secrets by name, kind and version
    List,
    /// Give a credential a new secret
    ///
    /// Approvals of plans made with the old one no longer count.
    Replace(Replace),
    /// List the tenant's keys
    Keys,
    /// Make keys or their wrapping anew, in the background; secrets keep their version
    Rotate(Rotate),
    /// List the latest rotations and how far they got
    Rotations,
    /// Make a new key-encryption key file and take it into use (offline)
    ///
    /// Workers wrap every tenant's keys by it. The one before stays beside it and goes on opening what it wrapped; remove it when `secret
    /// keys` shows that nothing is wrapped by it any more. With a Vault, rotate the key there and
    /// use `secret rotate kek`.
    NewKek(Box<NewKek>),
}

/// A new secret for a credential.
#[derive(Debug, Args)]
pub struct Replace {
    /// The credential's name or id
    #[arg(value_name = "CREDENTIAL")]
    credential: String,

    /// A file with the secret, `-` for standard input
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

/// What is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layer {
    /// The tenant's keys are wrapped by the newest key-encryption key
    Kek,
    /// The tenant gets new keys, which take over every data key
    TenantKey,
    /// Every secret is encrypted anew under a fresh data key
    DataKey,
}

/// Which layer.
#[derive(Debug, Args)]
pub struct Rotate {
    /// What is made anew
    #[arg(value_enum, value_name = "LAYER")]
    layer: Layer,
}

/// Which key, and where its file is.
#[derive(Debug, Args)]
pub struct NewKek {
    /// The key of what requests are answered with instead: second factors, secrets told once, what
    /// signatures are verified with
    #[arg(long)]
    requests: bool,

    /// Where the deployment keeps its state.
    #[command(flatten)]
    place: Place,
}

impl Secret {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List => listing::short(context, &["credentials"], &SECRETS).await,
            Self::Replace(replace) => replace.run(context).await,
            Self::Keys => listing::short(context, &["tenant-keys"], &KEYS).await,
            Self::Rotate(rotate) => rotate.run(context).await,
            Self::Rotations => listing::short(context, &["key-rotations"], &ROTATIONS).await,
            Self::NewKek(new) => new.run(context).await,
        }
    }
}

impl Replace {
    async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let given = self.credential.as_str();
        let id = given::id_of(&client, "credential", &["credentials"], "crd", given).await?;
        let body = json!({ "secret": given::text_of(&self.file)? });
        let now = client.put(&["credentials", &id, "secret"], &body).await?;
        context.show(&now, |now| view::facts(now, &SECRETS))
    }
}

impl Rotate {
    async fn run(self, context: &Context) -> Result<End> {
        let kind = match self.layer {
            Layer::Kek => "kek",
            Layer::TenantKey => "tenant_key",
            Layer::DataKey => "data_key",
        };
        let begun = context.client()?.post(&["key-rotations"], &json!({ "kind": kind })).await?;
        context.show(&begun, |begun| view::facts(begun, &ROTATIONS))
    }
}

impl NewKek {
    async fn run(self, context: &Context) -> Result<End> {
        let (path, kind) = if self.requests {
            (wiring::request_kek_file(&self.place), KeyKind::RequestKek)
        } else {
            (wiring::kek_file(&self.place), KeyKind::Kek)
        };
        anyhow::ensure!(path.exists(), "there is no key file {} yet", path.display());
        let db = wiring::reach(&self.place).await?;
        let kek = FileKek::open(&path)?;
        // Whoever lacks the deployment's key must not make the next one.
        let known = |fingerprints| HostKey { kind, fingerprints };
        hosts::join(&db, &[known(kek.fingerprints()?)]).await.context("this is not its host")?;
        let made = FileKek::renew(&path)?;
        hosts::join(&db, &[known(FileKek::open(&path)?.fingerprints()?)]).await?;
        let tenants = server::cycle::rewrap_everywhere(&db).await?;
        db.close().await;
        let told = json!({ "kek_id": made, "tenants": tenants });
        let hosts = match kind {
            KeyKind::RequestKek => "every other host",
            _ => "every host of a worker, and its public half to every other one",
        };
        context.show(&told, |told| {
            format!(
                "the key-encryption key is {}; workers wrap the keys of {} tenants anew\ncopy {} \
                 to {hosts}",
                view::at(told, "/kek_id"),
                view::at(told, "/tenants"),
                view::clean(&path.display().to_string())
            )
        })
    }
}
