//! The one table of permissions: which role may do what. Everything else asks it.

use model::actor::{Actor, Role};

use crate::caller::{Caller, Proof};

use Role::{Admin, Approver, Auditor, Operator, Viewer};

/// A permission, as a type: handlers ask for it in their signature with `Can<P>`.
pub trait Permission: Send + Sync + 'static {
    /// What it is called: `<noun>.<verb>`.
    const NAME: &'static str;
    /// Who has it.
    const ROLES: &'static [Role];
}

/// One row of the table, for people.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What it is called.
    pub name: &'static str,
    /// Who has it.
    pub roles: &'static [Role],
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal: $($role:ident)+;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl Permission for $name {
                const NAME: &'static str = $word;
                const ROLES: &'static [Role] = &[$($role),+];
            }
        )+

        /// The whole table.
        pub const TABLE: &[Row] = &[$(Row { name: $word, roles: &[$($role),+] }),+];
    };
}

permissions! {
    /// Send alerts.
    SendAlerts = "alerts.send": Operator Admin;
    /// See findings and alerts.
    ReadFindings = "findings.read": Viewer Operator Approver Admin Auditor;
    /// Say what is known about findings: causes, correlations, recommendations, costs.
    WriteFindings = "findings.write": Operator Admin;
    /// See alert rules and sources.
    ReadRules = "alert_rules.read": Viewer Operator Approver Admin Auditor;
    /// Change alert rules and sources.
    WriteRules = "alert_rules.write": Admin;
    /// See environments, resources and connections.
    ReadEstate = "estate.read": Viewer Operator Approver Admin Auditor;
    /// Change environments, resources and connections, pin host keys.
    WriteEstate = "estate.write": Admin;
    /// Store credentials. Nobody reads them.
    WriteCredentials = "credentials.write": Admin;
    /// See what keys there are and how they were rotated, never what they open.
    ReadKeys = "keys.read": Admin Auditor;
    /// Rotate the tenant's keys.
    RotateKeys = "keys.rotate": Admin;
    /// Wrap a secret that whoever has its token is told once.
    ShareSecrets = "secrets.share": Operator Approver Admin;
    /// See runbooks.
    ReadRunbooks = "runbooks.read": Viewer Operator Approver Admin Auditor;
    /// Import and change runbooks.
    WriteRunbooks = "runbooks.write": Operator Admin;
    /// Ask for a change: evaluate an intent, run a runbook.
    Propose = "intents.propose": Operator Admin;
    /// See intents, plans, decisions and executions.
    ReadPlans = "plans.read": Viewer Operator Approver Admin Auditor;
    /// See what was used of the decision API.
    ReadUsage = "usage.read": Viewer Operator Approver Admin Auditor;
    /// Vote on approvals.
    Vote = "approvals.vote": Approver Admin;
    /// Take emergency authority: approve alone, for a while, to be reviewed.
    BreakTheGlass = "break_glass.use": Approver Admin;
    /// Close the review of somebody else's emergency authority.
    ReviewBreakGlass = "break_glass.review": Approver Admin;
    /// Start, cancel and settle executions.
    Run = "executions.run": Operator Admin;
    /// See policies, guards and breakers.
    ReadPolicy = "policy.read": Viewer Operator Approver Admin Auditor;
    /// Change policies, blackout windows, limits and breakers.
    WritePolicy = "policy.write": Admin;
    /// End an exception before its time: nothing is let through by that.
    RevokeExceptions = "exceptions.revoke": Operator Approver Admin;
    /// See learned models, what they said and how they do.
    ReadModels = "models.read": Viewer Operator Approver Admin Auditor;
    /// Register and replace learned models and their figures.
    WriteModels = "models.write": Admin;
    /// See what people were told, and where they are.
    ReadNotifications = "notifications.read": Viewer Operator Approver Admin Auditor;
    /// Tell people something.
    WriteNotifications = "notifications.write": Operator Admin;
    /// See settings, channels and providers of language models.
    ReadSettings = "settings.read": Viewer Operator Approver Admin Auditor;
    /// Change them.
    WriteSettings = "settings.write": Admin;
    /// Hold conversations of one's own.
    OwnChats = "chats.own": Viewer Operator Approver Admin Auditor;
    /// Read the audit log and its proofs.
    ReadAudit = "audit.read": Auditor Admin;
    /// See how long what is kept, legal holds, the archive and copies of it.
    ReadRetention = "retention.read": Auditor Admin;
    /// Set how long what is kept, set and lift legal holds, archive and bring copies back.
    WriteRetention = "retention.write": Admin;
    /// Watch the event stream.
    Watch = "events.watch": Viewer Operator Approver Admin Auditor;
    /// Manage users and keys.
    ManageIdentity = "identity.manage": Admin;
    /// See oneself, change one's own password, end one's own sessions.
    OwnAccount = "account.own": Viewer Operator Approver Admin Auditor;
}

/// Whether a caller may do what holders of `roles` may: with today's roles and, with a key, within
/// what the key is for.
#[must_use]
pub fn allows(caller: &Caller, name: &str, roles: &[Role]) -> bool {
    let scoped = match &caller.proof {
        Proof::Key { scopes, .. } => {
            // Whoever holds a key may always see who they are.
            scopes.is_empty() || name == OwnAccount::NAME || scopes.iter().any(|one| one == name)
        }
        Proof::Session { .. } => true,
    };
    scoped && caller.actor.has_any(roles)
}

/// The names of all permissions a caller has.
#[must_use]
pub fn of(caller: &Caller) -> Vec<&'static str> {
    let had = TABLE.iter().filter(|row| allows(caller, row.name, row.roles));
    had.map(|row| row.name).collect()
}

/// The permissions `granted` would give that `caller` does not have.
#[must_use]
pub fn beyond(caller: &Caller, granted: &[Role]) -> Vec<&'static str> {
    let given = TABLE.iter().filter(|row| row.roles.iter().any(|role| granted.contains(role)));
    given.filter(|row| !allows(caller, row.name, row.roles)).map(|row| row.name).collect()
}

/// The permissions `granted` would give that `actor`, as it stands, does not have.
#[must_use]
pub fn beyond_roles(actor: &Actor, granted: &[Role]) -> Vec<&'static str> {
    let given = TABLE.iter().filter(|row| row.roles.iter().any(|role| granted.contains(role)));
    given.filter(|row| !actor.has_any(row.roles)).map(|row| row.name).collect()
}

#[cfg(test)]
mod tests {
    use model::audit::Origin;
    use model::id::{ActorId, ApiKeyId, TenantId};

    use super::*;

    fn key(roles: &[Role], scopes: &[&str]) -> Caller {
        Caller {
            actor: Actor {
                id: ActorId::generate(),
                tenant_id: TenantId::generate(),
                kind: model::actor::ActorKind::Service,
                display_name: "ci".to_owned(),
                roles: roles.iter().copied().collect(),
            },
            proof: Proof::Key {
                id: ApiKeyId::generate(),
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            },
            origin: Origin::default(),
        }
    }

    #[test]
    fn a_key_may_what_both_its_scopes_and_its_holders_roles_say() {
        for row in TABLE {
            let both = key(row.roles, &[row.name]);
            assert!(allows(&both, row.name, row.roles), "{}", row.name);
            let unlimited = key(row.roles, &[]);
            assert!(allows(&unlimited, row.name, row.roles), "{}", row.name);
            let no_role = key(&[], &[row.name]);
            assert!(!allows(&no_role, row.name, row.roles), "{}", row.name);
            let other = key(row.roles, &["nothing.at_all"]);
            assert_eq!(allows(&other, row.name, row.roles), row.name == OwnAccount::NAME);
        }
    }

    #[test]
    fn all_permissions_are_those_that_are_allowed() {
        let every: Vec<_> = TABLE.iter().map(|row| row.name).collect();
        assert_eq!(of(&key(Role::ALL, &[])), every);
        assert_eq!(of(&key(&[], &["findings.read"])), Vec::<&str>::new());
        let scoped = key(&[Role::Viewer], &["policy.write", "findings.read"]);
        assert_eq!(of(&scoped), ["findings.read", "account.own"]);
    }

    #[test]
    fn nobody_gives_away_what_they_do_not_have() {
        assert_eq!(beyond(&key(&[Role::Admin], &[]), Role::ALL), Vec::<&str>::new());
        assert!(!beyond(&key(&[Role::Operator], &[]), &[Role::Admin]).is_empty());
        assert_eq!(beyond(&key(&[Role::Operator], &[]), &[Role::Viewer]), Vec::<&str>::new());
        // An administrator's key for one thing gives nothing else away.
        let scoped = key(&[Role::Admin], &["identity.manage"]);
        assert!(beyond(&scoped, &[Role::Viewer]).contains(&"findings.read"));
        let operator = key(&[Role::Operator], &[]).actor;
        assert_eq!(
            beyond_roles(&operator, &[Role::Approver]),
            ["approvals.vote", "break_glass.use", "break_glass.review"]
        );
    }

    #[test]
    fn an_auditor_changes_nothing() {
        let writes = TABLE.iter().filter(|row| {
            !(row.name.ends_with(".read")
                || row.name.ends_with(".watch")
                || row.name.ends_with(".own"))
        });
        for row in writes {
            assert!(!row.roles.contains(&Auditor), "{}", row.name);
            assert!(!row.roles.contains(&Viewer), "{}", row.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
    }
}
