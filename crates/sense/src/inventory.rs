//! The estate: environments, servers, how to reach them, and which of them a selector means.

pub mod host_key;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::Timestamp;
use model::id::{ActorId, ConnectionId, CredentialId, EnvironmentId, ResourceId};
use model::plan::Target;
use model::vault::{Sealed, TenantKey};

use crate::alert::rule::Glob;

model::words! {
    /// What a server runs.
    OsType {
        /// Linux, and what behaves like it.
        Linux = "linux",
        /// Windows.
        Windows = "windows",
    }
}

model::words! {
    /// What a credential is.
    CredentialKind {
        /// An OpenSSH private key.
        SshKey = "ssh_key",
        /// A password.
        Password = "password",
        /// The secret a webhook is signed with.
        Hmac = "hmac",
        /// What an identity provider knows this deployment by.
        Oidc = "oidc",
    }
}

/// How to reach a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// The resource it leads to.
    pub resource_id: ResourceId,
    /// `ssh`.
    pub transport: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The login there.
    pub username: String,
    /// What proves who we are.
    pub credential_id: Option<CredentialId>,
    /// Guard directory there; `None` is `$HOME/.countersign/guard`.
    pub guard_dir: Option<String>,
    /// Whether it may be used.
    pub is_active: bool,
    /// What the last test of it said; `None` when it was not tested as it is.
    pub tested: Option<Tested>,
}

/// What a test of a connection said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// When.
    pub at: Timestamp,
    /// Whether a login was possible and the guard answered.
    pub reachable: bool,
    /// In words.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub took_ms: i32,
}

/// A host key a person vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// `ssh-ed25519 AAAA…`, without a comment.
    pub public_key: String,
    /// `SHA256:…`.
    pub fingerprint: String,
    /// Who pinned it.
    pub pinned_by: ActorId,
    /// When.
    pub pinned_at: Timestamp,
}

/// A credential without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Its name, unique.
    pub name: String,
    /// What it is.
    pub kind: CredentialKind,
    /// Its version, from 1; a new secret is a new version.
    pub version: u32,
    /// When this version was made.
    pub updated_at: Timestamp,
}

/// A credential with its sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCredential {
    /// What it is.
    pub credential: Credential,
    /// The secret, which only the vault opens.
    pub sealed: Sealed,
    /// The tenant's key it is sealed under; none in rows from before tenants had keys.
    pub key: Option<TenantKey>,
}

/// Everything planning, policy and guards ask about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// The target, as a plan holds it.
    pub target: Target,
    /// Its labels.
    pub tags: BTreeMap<String, String>,
    /// What it runs.
    pub os_type: OsType,
    /// Its name in the network; its connection's host when it has none.
    pub hostname: String,
    /// The environment it is in.
    pub environment_id: EnvironmentId,
    /// The environment's name for people.
    pub environment_name: String,
    /// The environment's name in selectors.
    pub environment_slug: String,
}

/// Which servers are meant. All conditions must hold; an absent one always does.
///
/// A selector without any condition means every server: whoever takes one from outside decides
/// whether that is allowed ([`Selector::is_everything`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// One of these.
    pub ids: Vec<ResourceId>,
    /// A name, hostname or connection host that one of these globs matches.
    pub names: Vec<String>,
    /// All of these labels.
    pub tags: BTreeMap<String, String>,
    /// In the environment of this slug.
    pub environment: Option<String>,
    /// Running this.
    pub os_type: Option<OsType>,
}

impl Selector {
    /// The server an alert's instance names: `web-1:9100`, `[::1]:9100`, `web-1`.
    #[must_use]
    pub fn of_instance(instance: &str) -> Self {
        Self { names: vec![literal(host_of(instance))], ..Self::default() }
    }

    /// Whether it has no condition.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it means this target.
    #[must_use]
    pub fn matches(&self, facts: &TargetFacts) -> bool {
        let globs: Vec<Glob> = self.names.iter().map(|name| Glob::new(name)).collect();
        self.matches_compiled(&globs, facts)
    }

    /// Those of `all` it means.
    #[must_use]
    pub fn choose(&self, all: Vec<TargetFacts>) -> Vec<TargetFacts> {
        let globs: Vec<Glob> = self.names.iter().map(|name| Glob::new(name)).collect();
        all.into_iter().filter(|facts| self.matches_compiled(&globs, facts)).collect()
    }

    fn matches_compiled(&self, globs: &[Glob], facts: &TargetFacts) -> bool {
        let called = [&facts.target.name, &facts.hostname, &facts.target.host];
        (self.ids.is_empty() || self.ids.contains(&facts.target.resource_id))
            && (globs.is_empty()
                || globs.iter().any(|glob| called.iter().any(|name| glob.matches(name))))
            && self.tags.iter().all(|(key, value)| facts.tags.get(key) == Some(value))
            && self.environment.as_ref().is_none_or(|slug| *slug == facts.environment_slug)
            && self.os_type.is_none_or(|os_type| os_type == facts.os_type)
    }
}

/// The host in an alert's instance, without its port.
#[must_use]
pub fn host_of(instance: &str) -> &str {
    if let Some((host, _)) = instance.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return host;
    }
    match instance.split_once(':') {
        // More than one colon: an address of IPv6 without a port.
        Some((host, port)) if !port.contains(':') => host,
        _ => instance,
    }
}

/// A glob that matches nothing but `text`, or nothing at all: an alert's label is not ours to
/// trust with a pattern, and no host name holds `*` or `?`.
fn literal(text: &str) -> String {
    text.chars().filter(|character| !matches!(character, '*' | '?')).collect()
}
