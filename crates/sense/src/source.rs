//! Sources of alerts: who may send, in which form.

use model::Timestamp;
use model::audit::Who;
use model::id::{ActorId, AlertSourceId, CredentialId};

use crate::alert::generic::Mapping;

model::words! {
    /// The form in which a source sends.
    SourceKind {
        /// Alertmanager's webhook body, version 4.
        Alertmanager = "alertmanager",
        /// JSON of any shape, signed, with a mapping.
        Generic = "generic",
    }
}

/// A source, as it is configured. Its bearer key is an API key of its actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSource {
    /// Its id.
    pub id: AlertSourceId,
    /// Its name; triggers match on it.
    pub name: String,
    /// In which form it sends.
    pub kind: SourceKind,
    /// As whom it acts.
    pub actor_id: ActorId,
    /// Where the fields of its alerts are; only generic sources have one.
    pub mapping: Option<Mapping>,
    /// The secret it signs with.
    pub secret_id: Option<CredentialId>,
    /// The secret it signed with before.
    pub previous_secret_id: Option<CredentialId>,
    /// Whether it may send.
    pub is_active: bool,
    /// Since when it is known.
    pub created_at: Timestamp,
}

/// Whoever sends alerts.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The configured source; `None` for somebody who may send without being one.
    pub source_id: Option<AlertSourceId>,
    /// What triggers match on.
    pub name: String,
    /// As events name it.
    pub who: Who,
}
