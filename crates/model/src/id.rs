//! Typed identifiers: a `UUIDv7` each, shown with a prefix that names what it identifies.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Why a text is no identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text after the prefix is no UUID.
    #[error("not a UUID: write it as {expected}_xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")]
    NotUuid {
        /// The prefix ids of this kind carry.
        expected: &'static str,
    },
    /// The prefix belongs to another kind of object.
    #[error("this is the id of another kind of object: expected the prefix {expected}_")]
    WrongKind {
        /// The prefix ids of this kind carry.
        expected: &'static str,
    },
}

/// Parses `prefix_uuid` or a bare UUID; the second form is what the database and the lenses show.
fn parse(text: &str, prefix: &'static str) -> Result<Uuid, IdError> {
    let bare = match text.split_once('_') {
        Some((given, rest)) if given == prefix => rest,
        Some(_) => return Err(IdError::WrongKind { expected: prefix }),
        None => text,
    };
    Uuid::try_parse(bare).map_err(|_| IdError::NotUuid { expected: prefix })
}

/// What all identifiers have in common.
pub trait Id: Copy + fmt::Display + FromStr<Err = IdError> + Into<Uuid> + From<Uuid> {
    /// A fresh id: time-ordered, unique.
    #[must_use]
    fn fresh() -> Self;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix shown before the UUID.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh id: time-ordered, unique.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// An id that is the same everywhere.
            #[must_use]
            pub const fn fixed(bits: u128) -> Self {
                Self(Uuid::from_u128(bits))
            }

            /// The bare UUID, as the database holds it.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl Id for $name {
            fn fresh() -> Self {
                Self::generate()
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text, $prefix).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A customer organisation; the wall between customers.
    TenantId = "ten";
    /// A person with a local login.
    UserId = "usr";
    /// Whoever acts: a user, a service or an agent.
    ActorId = "act";
    /// A bearer key of a service or agent.
    ApiKeyId = "key";
    /// A login session.
    SessionId = "ses";
    /// A deployment environment of the customer's.
    EnvironmentId = "env";
    /// One real thing in the estate.
    ResourceId = "res";
    /// How to reach a resource.
    ConnectionId = "con";
    /// A sealed secret.
    CredentialId = "crd";
    /// A key of a tenant, which wraps the data keys of its secrets.
    TenantKeyId = "tky";
    /// A run of re-wrapping keys.
    KeyRotationId = "kro";
    /// A key that all hosts of a deployment share, by its fingerprint.
    DeploymentKeyId = "dky";
    /// A secret to be told once, to whoever has its link.
    OnceId = "once";
    /// A sender of alerts.
    AlertSourceId = "src";
    /// Something sensed: an alert, later drift, violations, cost, exposure.
    FindingId = "fnd";
    /// A rule that says what to do with an alert.
    AlertRuleId = "alr";
    /// An alert that could not be read, kept with the reason.
    QuarantineId = "qua";
    /// A runbook.
    RunbookId = "rbk";
    /// A step of a runbook.
    RunbookStepId = "rst";
    /// A trigger of a runbook.
    TriggerId = "trg";
    /// A request to change a running system.
    IntentId = "int";
    /// What would be done for an intent.
    PlanId = "pln";
    /// One step of a plan.
    PlanStepId = "pst";
    /// A risk assessment of a plan.
    RiskId = "rsk";
    /// What the gate decided.
    DecisionId = "dec";
    /// A request for approval.
    ApprovalId = "apr";
    /// One vote on an approval.
    VoteId = "vot";
    /// One run of a plan.
    ExecutionId = "exe";
    /// One step on one target in one execution.
    StepRunId = "srn";
    /// One try of a step run.
    AttemptId = "att";
    /// One call of a tool.
    ToolCallId = "tcl";
    /// A piece of evidence.
    EvidenceId = "evd";
    /// What came of an intent.
    OutcomeId = "out";
    /// A circuit breaker.
    BreakerId = "brk";
    /// A blackout window.
    BlackoutId = "blk";
    /// A rate limit.
    RateLimitId = "rat";
    /// A policy bundle.
    BundleId = "pol";
    /// A queued job.
    JobId = "job";
    /// An audit event.
    EventId = "evt";
    /// How two resources hang together.
    EdgeId = "edg";
    /// A service of the catalogue.
    ServiceId = "svc";
    /// A source of declared infrastructure.
    RepositoryId = "rep";
    /// A policy of a provider's.
    ProviderPolicyId = "ppl";
    /// What something cost on a day.
    CostId = "cst";
    /// What else happened around a finding.
    CorrelationId = "cor";
    /// What happened outside.
    ChangeEventId = "chg";
    /// An incident, a deployment or a window around a finding.
    ContextId = "ctx";
    /// Why a finding came about.
    CauseId = "cau";
    /// What could be done.
    RecommendationId = "rec";
    /// A version of a learned model.
    ModelId = "mdl";
    /// What a model said.
    PredictionId = "prd";
    /// How a model did on a day.
    PerformanceId = "prf";
    /// Drift of an environment on a day.
    DriftDayId = "ddy";
    /// A look for drift.
    ScanId = "scn";
    /// Putting drift right, once.
    RemediationId = "rem";
    /// A difference that does not count.
    IgnoreRuleId = "ign";
    /// What code declares, one address of it.
    DeclaredId = "dcl";
    /// A leave to break a policy for a while.
    ExceptionId = "exc";
    /// A runbook by the clock.
    ScheduleId = "sch";
    /// A provider of language models.
    LlmProviderId = "llm";
    /// A conversation.
    ChatSessionId = "cht";
    /// What was said in one.
    ChatMessageId = "msg";
    /// A session on a host.
    TerminalSessionId = "ter";
    /// Where people are told.
    ChannelId = "chn";
    /// What they were told.
    NotificationId = "ntf";
    /// What must be kept, and why.
    HoldId = "hld";
    /// A piece of the archive.
    ArchiveId = "arc";
    /// An identity provider people log in through.
    OidcProviderId = "idp";
    /// Emergency authority somebody took.
    BreakGlassId = "bgl";
    /// An invitation to become a user.
    InvitationId = "inv";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_round_trips_with_and_without_its_prefix() {
        let id = IntentId::generate();
        assert_eq!(id.to_string().parse::<IntentId>(), Ok(id));
        assert_eq!(id.uuid().to_string().parse::<IntentId>(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = PlanId::generate().to_string();
        assert_eq!(id.parse::<IntentId>(), Err(IdError::WrongKind { expected: "int" }));
        assert_eq!("int_x".parse::<IntentId>(), Err(IdError::NotUuid { expected: "int" }));
    }
}
