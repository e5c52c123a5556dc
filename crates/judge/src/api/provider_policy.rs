//! The catalogue of the providers' policies: what a violation breaks.

use ::api::check::{object as an_object, sized};
use ::api::object;
use ::api::permission::{ReadPolicy, WritePolicy};
use model::Timestamp;
use model::id::ProviderPolicyId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Whose policy it is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provider {
    /// Microsoft Azure.
    Azure,
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Gcp,
    /// IBM Cloud.
    Ibm,
    /// Kubernetes.
    Kubernetes,
    /// Anybody else.
    Other,
}

object! {
    /// A policy of a provider's, as its catalogue has it.
    ProviderPolicy (ProviderPolicyIn, ProviderPolicyOut) {
        word: "provider_policy", plural: "provider policies", path: "/provider-policies",
        table: "countersign.policies", tag: "policy", verbs: All,
        id: ProviderPolicyId, read: ReadPolicy, write: WritePolicy,
        known_by: [provider, external_id],
        example: {
            "external_id": "/providers/Microsoft.Authorization/policyDefinitions/tls12",
            "name": "TLS 1.2 or newer", "provider": "azure", "type": "BuiltIn",
            "effect": "Deny", "scope": "/subscriptions/shop", "status": "active",
            "metadata": {"category": "Network"}
        }
    }
    given {
        /// The provider's id.
        #[schema(min_length = 1, max_length = 500)]
        external_id: String => Text.filter().sort().search();
        /// What people call it.
        #[schema(min_length = 1, max_length = 500)]
        name: String => Text.filter().sort().search();
        /// Whose it is.
        provider: Provider => Text.filter().sort();
        /// The provider's type of policy.
        #[schema(min_length = 1, max_length = 100)]
        r#type: String => Text.filter();
        /// What it does to what breaks it.
        #[schema(max_length = 100)]
        effect: Option<String> => Text.filter();
        /// Where it holds.
        #[schema(max_length = 500)]
        scope: Option<String> => Text.filter();
        /// Whether it is in force, in the provider's words.
        #[schema(min_length = 1, max_length = 50)]
        status: String => Text.filter().sort();
        /// Whatever else is known.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        metadata: Value => Json;
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/external_id", &wanted.external_id, 1..=500)?;
        sized("/name", &wanted.name, 1..=500)?;
        sized("/type", &wanted.r#type, 1..=100)?;
        sized("/status", &wanted.status, 1..=50)?;
        for (path, text, longest) in
            [("/effect", &wanted.effect, 100), ("/scope", &wanted.scope, 500)]
        {
            text.as_deref().map_or(Ok(()), |text| sized(path, text, 0..=longest))?;
        }
        an_object("/metadata", &wanted.metadata)
    }
}

fn nothing() -> Value {
    json!({})
}
