//! Server-side apply: what a manifest makes of what is there, done or only asked.

use connect::outbound::Method;
use serde_json::Value;

use crate::cluster::{Ask, Cluster, Error};
use crate::object::Key;

/// Whether a change comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It does.
    Real,
    /// The API server says what would be, after defaults and admission, and keeps nothing.
    Dry,
}

/// What becomes of fields that somebody else applied with another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// The change is refused whole.
    Refuse,
    /// They are taken over.
    Take,
}

impl Cluster {
    /// What an object would be if its manifest were applied by `manager`, whoever owns its fields:
    /// defaults of the API server and of its admission plugins among it. Compared with the live
    /// object, nothing but what applying would change is different.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub async fn dry_run(&self, manifest: &Value, manager: &str) -> Result<Value, Error> {
        self.apply(manifest, manager, Effect::Dry, Conflicts::Take).await
    }

    /// Applies a manifest: `manager` owns what it says, and no longer what it said before. Gives the
    /// object as it is then.
    ///
    /// # Errors
    /// [`Error::Conflict`] when others own some of it, [`Error::Refused`] when the API server
    /// refuses the manifest.
    pub async fn apply(
        &self,
        manifest: &Value,
        manager: &str,
        effect: Effect,
        conflicts: Conflicts,
    ) -> Result<Value, Error> {
        let key = Key::of(manifest).ok_or(Error::NoObject)?;
        let mut manifest = manifest.clone();
        // The API server refuses a manifest that carries who owns what.
        if let Some(metadata) = manifest["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        let body = serde_json::to_vec(&manifest).map_err(|_| Error::NoObject)?;
        let force = if conflicts == Conflicts::Take { "true" } else { "false" };
        let mut ask =
            Ask::get(&self.path_of(&key).await?).with("fieldManager", manager).with("force", force);
        ask.method = Method::PATCH;
        // JSON is YAML.
        ask.body = Some(("application/apply-patch+yaml", body));
        self.json(&dry(ask, effect), None).await
    }

    /// Deletes an object, and what it owns in its own time.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not there.
    pub async fn delete(&self, key: &Key, effect: Effect) -> Result<(), Error> {
        let mut ask = Ask::get(&self.path_of(key).await?).with("propagationPolicy", "Background");
        ask.method = Method::DELETE;
        self.json(&dry(ask, effect), Some(&key.name)).await.map(drop)
    }
}

fn dry(ask: Ask, effect: Effect) -> Ask {
    match effect {
        Effect::Real => ask,
        Effect::Dry => ask.with("dryRun", "All"),
    }
}
