//! Audit events: what happened, who did it, in the one form that is signed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actor::{Actor, ActorKind};
use crate::canonical::{self, CanonicalError, Digest};
use crate::id::{ActorId, EventId, EvidenceId, TenantId};
use crate::time::{Timestamp, rfc3339_micros};
use crate::verdict::Verdict;

/// The largest canonical event, in bytes. Larger values are referred to by their SHA-256.
pub const MAX_EVENT_BYTES: usize = 32 * 1024;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The actor's id.
    pub id: ActorId,
    /// User, service or agent.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// What people called it then.
    pub display_name: String,
}

impl Who {
    /// What nobody in particular does.
    #[must_use]
    pub fn service() -> Self {
        Self {
            id: crate::actor::service(),
            kind: ActorKind::Service,
            display_name: "countersign".to_owned(),
        }
    }
}

impl From<&Actor> for Who {
    fn from(actor: &Actor) -> Self {
        Self { id: actor.id, kind: actor.kind, display_name: actor.display_name.clone() }
    }
}

/// What it was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// `intent`, `execution`, `runbook` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id, as shown.
    pub id: String,
}

/// From where a request came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The peer's address.
    pub ip: Option<String>,
    /// What the peer says it is.
    pub user_agent: Option<String>,
    /// The login session.
    pub session: Option<String>,
    /// The request id.
    pub trace_id: Option<String>,
}

/// An event before it gets its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Who.
    pub who: Who,
    /// Verb with its noun first: `intent.created`, `step.started`.
    pub action: String,
    /// To what.
    pub subject: Subject,
    /// A decision, when it was one.
    pub decision: Option<Verdict>,
    /// Whether it worked.
    pub success: bool,
    /// What went wrong, when it did not.
    pub error: Option<String>,
    /// Everything else: integers, strings, lists and objects; no floats.
    pub details: Map<String, Value>,
    /// Evidence it refers to.
    pub evidence: Vec<EvidenceId>,
    /// From where.
    pub origin: Origin,
    /// What stands in the place of what is personal and kept beside the log.
    pub personal: Option<Digest>,
}

/// What of an event says who a person is. It is kept beside the log, which holds the SHA-256 of
/// salt and body: when it is erased, nobody finds out from the log what it was, and no signed byte
/// changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// Whom it is about.
    pub of: ActorId,
    /// Fresh randomness: without it names and addresses could be guessed and tried.
    pub salt: [u8; 32],
    /// Canonical JSON: `display_name`, `ip_address`, `user_agent`.
    pub body: Vec<u8>,
}

impl Personal {
    /// What stands for it in the log.
    #[must_use]
    pub fn commitment(salt: &[u8], body: &[u8]) -> Digest {
        Digest::of(&[salt, body].concat())
    }
}

impl Event {
    /// An event that worked, with nothing more to say.
    #[must_use]
    pub fn new(who: impl Into<Who>, action: &str, kind: &str, id: &dyn ToString) -> Self {
        Self {
            who: who.into(),
            action: action.to_owned(),
            subject: Subject { kind: kind.to_owned(), id: id.to_string() },
            decision: None,
            success: true,
            error: None,
            details: Map::new(),
            evidence: Vec::new(),
            origin: Origin::default(),
            personal: None,
        }
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Marks it as failed.
    #[must_use]
    pub fn failed(mut self, error: impl Into<String>) -> Self {
        self.success = false;
        self.error = Some(error.into());
        self
    }

    /// Marks it as a decision.
    #[must_use]
    pub const fn decided(mut self, verdict: Verdict) -> Self {
        self.decision = Some(verdict);
        self
    }

    /// Adds where it came from.
    #[must_use]
    pub fn from_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The event as it is logged, and what of it is personal: what people do names them. Services
    /// and agents are nobody in person; none for them.
    ///
    /// # Errors
    /// Never in practice: texts have a canonical form.
    pub fn without_personal(
        &self,
        salt: [u8; 32],
    ) -> Result<Option<(Self, Personal)>, CanonicalError> {
        if self.who.kind != ActorKind::User {
            return Ok(None);
        }
        let mut said = Map::new();
        let texts = [
            ("display_name", Some(&self.who.display_name)),
            ("ip_address", self.origin.ip.as_ref()),
            ("user_agent", self.origin.user_agent.as_ref()),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                said.insert(key.to_owned(), text.clone().into());
            }
        }
        let body = canonical::to_bytes(&Value::Object(said))?;
        let mut event = self.clone();
        event.who.display_name.clear();
        event.origin.ip = None;
        event.origin.user_agent = None;
        event.personal = Some(Personal::commitment(&salt, &body));
        Ok(Some((event, Personal { of: self.who.id, salt, body })))
    }

    /// The canonical bytes: what is hashed into the log.
    ///
    /// # Errors
    /// When a detail holds a float or a wide integer.
    pub fn canonical(
        &self,
        tenant: TenantId,
        id: EventId,
        at: Timestamp,
    ) -> Result<Vec<u8>, CanonicalError> {
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| {
            if !value.is_null() {
                map.insert(key.to_owned(), value);
            }
        };
        let json =
            |value: Result<Value, serde_json::Error>| value.map_err(CanonicalError::Serialize);
        put("v", 1.into());
        put("tenant_id", tenant.to_string().into());
        put("event_id", id.to_string().into());
        put("occurred_at", rfc3339_micros(at).into());
        let mut actor = json(serde_json::to_value(&self.who))?;
        if let Some(actor) = actor.as_object_mut().filter(|_| self.personal.is_some()) {
            actor.remove("display_name");
        }
        put("actor", actor);
        put("personal", self.personal.map(|digest| digest.to_string().into()).unwrap_or_default());
        put("action", self.action.clone().into());
        put("target", json(serde_json::to_value(&self.subject))?);
        put("decision", self.decision.map(|verdict| verdict.word().into()).unwrap_or_default());
        put("success", self.success.into());
        put("error", self.error.clone().into());
        put("context", Value::Object(self.details.clone()));
        put("evidence_refs", json(serde_json::to_value(&self.evidence))?);
        put("ip_address", self.origin.ip.clone().into());
        put("user_agent", self.origin.user_agent.clone().into());
        put("session_id", self.origin.session.clone().into());
        put("trace_id", self.origin.trace_id.clone().into());
        canonical::to_bytes(&Value::Object(map))
    }
}
