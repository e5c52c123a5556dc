//! Whoever acts, and what they may do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{ActorId, TenantId};
use crate::words::words;

words! {
    /// What kind of actor it is.
    ActorKind {
        /// A person.
        User = "user",
        /// A program of the customer's or ours: an alert source, a schedule, the worker.
        Service = "service",
        /// An AI agent.
        Agent = "agent",
    }
}

words! {
    /// A role within one tenant.
    Role {
        /// Reads everything but the audit log.
        Viewer = "viewer",
        /// Proposes and runs changes.
        Operator = "operator",
        /// Votes on approvals.
        Approver = "approver",
        /// Manages the tenant.
        Admin = "admin",
        /// Reads the audit log.
        Auditor = "auditor",
    }
}

impl Role {
    /// The role a word of one of the source systems stands for.
    ///
    /// `user` reads, `engineer` operates and approves, `editor` operates.
    #[must_use]
    pub fn from_alias(word: &str) -> Option<&'static [Self]> {
        Some(match word {
            "viewer" | "user" => &[Self::Viewer],
            "operator" | "editor" => &[Self::Operator],
            "engineer" => &[Self::Operator, Self::Approver],
            "approver" => &[Self::Approver],
            "admin" => &[Self::Admin],
            "auditor" => &[Self::Auditor],
            _ => return None,
        })
    }
}

/// The actor of what nobody in particular does, the same in every tenant: workers, sweepers.
#[must_use]
pub const fn service() -> ActorId {
    ActorId::fixed(0x0000_0000_0000_7000_8000_0000_0000_00c5)
}

/// An actor, as every event names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Its id.
    pub id: ActorId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// User, service or agent.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// What people call it.
    pub display_name: String,
    /// Its roles.
    pub roles: BTreeSet<Role>,
}

impl Actor {
    /// Whether it holds any of `roles`.
    #[must_use]
    pub fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}
