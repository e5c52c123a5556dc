//! Documents that are elsewhere: in a repository of git, or one object of a store.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use connect::objects::Remote;
use connect::outbound::{Outbound, Rules as Ways};
use connect_git::{Git, Limits};
use connect_terraform::Terraform;
use model::secret::Secret;
use serde_json::json;
use survey::place::Place;

use super::input::Input;
use crate::cli::given;

/// How long fetching may take.
const WITHIN: Duration = Duration::from_secs(300);

/// Where a path leads, when it is none on the disk.
pub(super) fn place(path: &Path) -> Result<Option<Place>> {
    match path.to_str() {
        Some(text) => Ok(Place::parse(text)?),
        None => Ok(None),
    }
}

/// Fetches and reads it.
pub(super) async fn read(
    name: &str,
    place: Place,
    login: Option<&Path>,
    (terraform, largest_mib): (&Terraform, u64),
) -> Result<Input> {
    // Whoever runs this chose the place.
    let outbound = Outbound::new(Ways::default().anywhere())?;
    let login = login.map(given::text_of).transpose()?.map(Secret::from);
    let unread = || format!("{name} cannot be read");
    match place {
        Place::Object(remote) => {
            let login = login.or_else(|| keys(&remote));
            let most = largest_mib.saturating_mul(1 << 20);
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let bytes = remote.read(&outbound, login.as_ref(), (WITHIN, most)).await;
            Input::fetched(name, bytes.with_context(unread)?)
        }
        Place::Git { source, path } => {
            let source = match login {
                Some(login) => source.opened_by(login),
                None => source,
            };
            let git = Git::new(&outbound, Limits { within: WITHIN, ..Limits::default() });
            let copy = git.fetch(&source, NonZeroU32::MIN).await.with_context(unread)?;
            let room = tempfile::tempdir().context("there is no room for a copy")?;
            let into = room.path().to_owned();
            let unpacked = tokio::task::spawn_blocking(move || copy.unpack(&into)).await?;
            unpacked.with_context(unread)?;
            // It begins without a slash, and its steps are names: an absolute path would leave.
            let within = path.split('/').filter(|step| !matches!(*step, "" | "." | ".."));
            let within = within.fold(room.path().to_owned(), |at, step| at.join(step));
            let read = Input::read(&within, terraform, largest_mib).await.with_context(unread)?;
            Ok(read.called(name))
        }
    }
}

/// The keys of the environment, for a store that takes them.
fn keys(remote: &Remote) -> Option<Secret> {
    let given = |name: &str| {
        let value = std::env::var_os(name).and_then(|value| value.into_string().ok());
        value.filter(|value| !value.is_empty())
    };
    if !matches!(remote, Remote::S3 { .. }) {
        return None;
    }
    let keys = json!({
        "access_key_id": given("AWS_ACCESS_KEY_ID")?,
        "secret_access_key": given("AWS_SECRET_ACCESS_KEY")?,
        "session_token": given("AWS_SESSION_TOKEN"),
    });
    Some(Secret::from(keys.to_string()))
}
