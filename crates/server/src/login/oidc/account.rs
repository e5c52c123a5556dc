//! Who somebody is here whom a provider vouches for, and what they may do.

use std::collections::{BTreeMap, BTreeSet};

use model::Digest;
use model::actor::Role;
use model::id::UserId;
use serde_json::Value;

use super::store::{self, Account, Provider};
use crate::login::store::{NewUser, end_sessions, last_admin, new_user};

/// The longest login name.
const LONGEST_NAME: usize = 50;

/// What a provider says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) subject: String,
    pub(super) groups: Vec<String>,
    /// Only when the provider says that it is theirs.
    pub(super) email: Option<String>,
    /// Their address as claimed, whether or not the provider says that it is theirs.
    claimed: Option<String>,
    pub(super) full_name: String,
    /// What they would be called.
    pub(super) name: String,
}

/// The groups somebody is in; `None` when the provider does not say.
pub(super) fn groups(claims: &Value, claim: &str) -> Option<Vec<String>> {
    let found = if claim.starts_with('/') { claims.pointer(claim) } else { claims.get(claim) };
    match found? {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(all) => {
            Some(all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect())
        }
        _ => None,
    }
}

impl Person {
    /// Reads the claims of somebody whose subject was checked.
    pub(super) fn read(subject: &str, claims: &Value, group_claim: &str) -> Self {
        let text = |name: &str| {
            claims[name]
                .as_str()
                .map(str::trim)
                .filter(|text| !text.is_empty() && !text.contains(char::is_control))
        };
        let verified = claims["email_verified"] == true || claims["email_verified"] == "true";
        let claimed = text("email").filter(|email| email.chars().count() <= 255);
        let email = claimed.filter(|_| verified);
        let name = text("preferred_username").or_else(|| text("email")).unwrap_or(subject);
        Self {
            subject: subject.to_owned(),
            groups: groups(claims, group_claim).unwrap_or_default(),
            email: email.map(str::to_owned),
            claimed: claimed.map(str::to_owned),
            full_name: text("name").unwrap_or(name).chars().take(100).collect(),
            name: name.to_owned(),
        }
    }

    /// A login name of this person's: the one the provider has, in the characters of login names,
    /// or when somebody else has it, with a part of the subject's hash.
    fn username(&self, taken: bool) -> String {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@+-".contains(c);
        let plain: String = self
            .name
            .to_lowercase()
            .chars()
            .map(|c| if fits(c) { c } else { '-' })
            .skip_while(|c| !c.is_ascii_alphanumeric())
            .collect();
        let plain = if plain.is_empty() { "user".to_owned() } else { plain };
        let hash: String = Digest::of(self.subject.as_bytes()).to_string();
        let tail: String = hash.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        let tail = if taken { format!("-{tail}") } else { String::new() };
        let head: String = plain.chars().take(LONGEST_NAME - tail.len()).collect();
        head + &tail
    }
}

/// The roles somebody's groups stand for.
pub(super) fn roles(mapping: &BTreeMap<String, Vec<String>>, groups: &[String]) -> Vec<Role> {
    let words = groups.iter().filter_map(|group| mapping.get(group)).flatten();
    let roles: BTreeSet<Role> = words.filter_map(|word| word.parse().ok()).collect();
    roles.into_iter().collect()
}

/// Why somebody a provider vouches for does not get in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// None of their groups stands for a role. Whom that took roles from just now.
    #[error("none of their groups stands for a role here")]
    NoRole(Option<Box<Account>>),
    /// Their groups would take the last administrator away.
    #[error("their groups would leave nobody who is an administrator")]
    LastAdmin,
    /// Nobody here has this subject, and nobody is to be made.
    #[error("nobody here is known by this subject")]
    Unknown,
    /// Somebody else has their address.
    #[error("another user has their address")]
    AddressTaken,
    /// The user was switched off.
    #[error("the user is not active")]
    Inactive,
    /// It could not be found out.
    #[error("the database refused")]
    Database(#[source] db::Error),
}

impl From<db::Error> for Refused {
    fn from(error: db::Error) -> Self {
        match error.constraint() {
            Some("users_email_key") => Self::AddressTaken,
            _ => Self::Database(error),
        }
    }
}

/// What a login changed about a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// It was made.
    Made,
    /// It was found by its address.
    Linked,
    /// It has other roles.
    Roles,
}

/// The user a person is, with the roles of today's groups. Whoever has none loses what they had.
///
/// # Errors
/// Says why they do not get in; the caller commits all the same when it is for want of a role.
pub(super) async fn admit(
    tx: &mut db::TenantTx,
    provider: &Provider,
    person: &Person,
) -> Result<(Account, Change), Refused> {
    let roles = roles(&provider.role_mapping, &person.groups);
    let known = store::known(tx, provider.id, &person.subject).await?;
    let (account, change) = match known {
        Some(account) => (account, Change::None),
        None if roles.is_empty() => return Err(Refused::NoRole(None)),
        None => unknown(tx, provider, person, &roles).await?,
    };
    if !account.is_active {
        return Err(Refused::Inactive);
    }
    let before: BTreeSet<&str> = account.roles.iter().map(String::as_str).collect();
    let after: BTreeSet<&str> = roles.iter().map(|role| role.word()).collect();
    let mut change = change;
    if before != after {
        let admin = Role::Admin.word();
        if before.contains(admin)
            && !after.contains(admin)
            && last_admin(tx, account.id.into()).await?
        {
            return Err(Refused::LastAdmin);
        }
        store::set_roles(tx, account.actor_id.into(), &roles).await?;
        end_sessions(tx, account.id.into()).await?;
        if change == Change::None {
            change = Change::Roles;
        }
    }
    if roles.is_empty() {
        let taken = change == Change::Roles;
        return Err(Refused::NoRole(taken.then(|| Box::new(account))));
    }
    Ok((account, change))
}

async fn unknown(
    tx: &mut db::TenantTx,
    provider: &Provider,
    person: &Person,
    roles: &[Role],
) -> Result<(Account, Change), Refused> {
    let may = provider.unknown_users.as_str();
    if may == "refuse" {
        return Err(Refused::Unknown);
    }
    if let Some(claimed) = &person.claimed
        && let Some(account) = store::by_email(tx, claimed).await?
    {
        // Two accounts of one person could approve each other's requests: there is one or none. An
        // address that is only claimed leads to nobody's account, and to no second one either.
        if may != "link" || person.email.is_none() {
            return Err(Refused::AddressTaken);
        }
        store::identify(tx, provider.id, &person.subject, account.id.into()).await?;
        return Ok((account, Change::Linked));
    }
    let taken = store::name_taken(tx, &person.username(false)).await?;
    let username = person.username(taken);
    let new = NewUser {
        username: &username,
        full_name: &person.full_name,
        email: person.email.as_deref(),
        password_hash: None,
        must_change_password: false,
        roles,
    };
    let (id, actor) = new_user(tx, &new).await?;
    store::identify(tx, provider.id, &person.subject, id).await?;
    let account = Account {
        id: UserId::uuid(id),
        actor_id: actor.uuid(),
        username,
        roles: roles.iter().map(|role| role.word().to_owned()).collect(),
        is_active: true,
        must_change_password: false,
    };
    Ok((account, Change::Made))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_are_those_of_all_groups_and_of_no_other() {
        let mapping = BTreeMap::from([
            ("sre".to_owned(), vec!["operator".to_owned(), "approver".to_owned()]),
            ("staff".to_owned(), vec!["viewer".to_owned(), "operator".to_owned()]),
        ]);
        let of = |groups: &[&str]| {
            roles(&mapping, &groups.iter().map(|group| (*group).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["sre", "staff"]).len(), 3);
        assert_eq!(of(&["staff", "admin", "SRE"]), [Role::Viewer, Role::Operator]);
        assert_eq!(of(&["operator", "admin"]), []);
    }

    #[test]
    fn groups_are_read_wherever_the_provider_has_them() {
        let claims =
            json!({"groups": ["a", 7, "b"], "one": "a", "realm": {"roles": ["c"]}, "n": 1});
        assert_eq!(groups(&claims, "groups"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(groups(&claims, "one"), Some(vec!["a".to_owned()]));
        assert_eq!(groups(&claims, "/realm/roles"), Some(vec!["c".to_owned()]));
        assert_eq!(groups(&claims, "n"), None);
        assert_eq!(groups(&claims, "missing"), None);
    }

    #[test]
    fn an_address_counts_only_when_the_provider_says_it_is_theirs() {
        let mut claims = json!({"email": "ada@example.com", "email_verified": false});
        assert_eq!(Person::read("s", &claims, "groups").email, None);
        claims["email_verified"] = json!(true);
        assert_eq!(Person::read("s", &claims, "groups").email.as_deref(), Some("ada@example.com"));
        claims.as_object_mut().unwrap().remove("email_verified");
        assert_eq!(Person::read("s", &claims, "groups").email, None);
    }

    #[test]
    fn a_login_name_is_made_of_whatever_the_provider_says() {
        let person = |name: &str| Person::read("s", &json!({"preferred_username": name}), "g");
        for (name, expected) in [
            ("Ada.Lovelace", "ada.lovelace"),
            ("ada@Example.com", "ada@example.com"),
            ("Ада", "user"),
            ("-ada lovelace", "ada-lovelace"),
            ("../../etc", "etc"),
        ] {
            assert_eq!(person(name).username(false), expected);
        }
        let long = person(&"a".repeat(80));
        assert_eq!(long.username(false).len(), 50);
        assert_eq!(long.username(true).len(), 50);
        assert_ne!(long.username(true), long.username(false));
    }
}
