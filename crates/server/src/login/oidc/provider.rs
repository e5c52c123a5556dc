//! Identity providers: what an administrator says of them.

use std::collections::BTreeMap;

use api::check::{sized, texts};
use api::permission::ManageIdentity;
use api::problem::Answer;
use api::{Problem, object};
use model::Timestamp;
use model::actor::Role;
use model::id::{CredentialId, OidcProviderId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fetch::address;
use crate::router::PREFIX;

/// Groups a mapping may name.
const MOST_GROUPS: usize = 500;

/// What becomes of somebody the provider knows and this tenant does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum UnknownUsers {
    /// A user is made.
    Create,
    /// They become the user who has their verified address, or else a new one.
    Link,
    /// They do not get in.
    Refuse,
}

object! {
    /// An identity provider people log in through: OpenID Connect.
    OidcProvider (OidcProviderIn, OidcProviderOut) {
        word: "oidc_provider", plural: "identity providers", path: "/oidc-providers",
        table: "countersign.oidc_providers", tag: "identity", verbs: All,
        id: OidcProviderId, read: ManageIdentity, write: ManageIdentity,
        example: {
            "name": "corporate", "display_name": "Example Corporation",
            "issuer": "https://login.example.com/realms/staff", "client_id": "countersign",
            "redirect_uri":
                "https://countersign.example.com/api/v1/auth/oidc/corporate/callback",
            "scopes": ["openid", "email", "profile"], "group_claim": "groups",
            "role_mapping": {"sre": ["operator", "approver"], "staff": ["viewer"]},
            "unknown_users": "create", "is_active": true
        }
    }
    given {
        /// What people call it.
        #[schema(min_length = 1, max_length = 100)]
        display_name: String => Text.sort().search();
        /// Its issuer, to the letter.
        #[schema(max_length = 500)]
        issuer: String => Text.filter();
        /// What it calls this deployment.
        #[schema(min_length = 1, max_length = 255)]
        client_id: String => Text;
        /// The credential of kind `oidc` that holds the client's secret; none for a public client.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        credential_id: Option<CredentialId> => Id;
        /// Where it sends people back to: this deployment's address, and the path of the example
        /// with this provider's name.
        #[schema(max_length = 500)]
        redirect_uri: String => Text;
        /// What it is asked for; `openid` is among it.
        scopes: Vec<String> => Texts;
        /// The claim that names somebody's groups; with a slash in front, a JSON pointer.
        #[schema(min_length = 1, max_length = 200)]
        group_claim: String => Text;
        /// The roles each group stands for. Whoever is in none of them does not get in.
        #[schema(value_type = Object)]
        role_mapping: BTreeMap<String, Vec<String>> => Json;
        /// What becomes of somebody who is not known here yet: `create`, `link`, `refuse`.
        unknown_users: UnknownUsers => Text.filter();
        /// Whether people get in through it.
        is_active: bool => Boolean.filter();
    }
    once {
        /// Its name in addresses: lower case letters, digits and dashes.
        #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
        name: String => Text.filter().sort().search();
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/display_name", &wanted.display_name, 1..=100)?;
        sized("/client_id", &wanted.client_id, 1..=255)?;
        sized("/group_claim", &wanted.group_claim, 1..=200)?;
        for (path, url) in [("/issuer", &wanted.issuer), ("/redirect_uri", &wanted.redirect_uri)] {
            sized(path, url, 1..=500)?;
            address(url).map_err(|error| Problem::invalid(path, "address", error.to_string()))?;
        }
        let end = callback_path(&wanted.name);
        if !wanted.redirect_uri.ends_with(&end) {
            let message = format!("must end with {end}");
            return Err(Problem::invalid("/redirect_uri", "shape", message));
        }
        texts("/scopes", &wanted.scopes, 100)?;
        if !wanted.scopes.iter().any(|scope| scope == "openid") {
            return Err(Problem::invalid("/scopes", "missing", "must have `openid`"));
        }
        mapping(&wanted.role_mapping)
    }
}

/// The path people come back to.
pub(super) fn callback_path(name: &str) -> String {
    format!("{PREFIX}/auth/oidc/{name}/callback")
}

fn mapping(mapping: &BTreeMap<String, Vec<String>>) -> Answer<()> {
    if mapping.len() > MOST_GROUPS {
        let message = format!("may name at most {MOST_GROUPS} groups");
        return Err(Problem::invalid("/role_mapping", "length", message));
    }
    for (group, roles) in mapping {
        let path = format!("/role_mapping/{}", group.replace('~', "~0").replace('/', "~1"));
        sized(&path, group, 1..=255)?;
        for (at, role) in roles.iter().enumerate() {
            role.parse::<Role>().map_err(|_| {
                let message = "must be one of viewer, operator, approver, admin, auditor";
                Problem::invalid(&format!("{path}/{at}"), "unknown_role", message)
            })?;
        }
    }
    Ok(())
}
