//! Providers of language models, and which of them is asked when nobody says.

use ::api::check::{object as an_object, sized};
use ::api::permission::{ReadSettings, WriteSettings};
use ::api::problem::Answer;
use ::api::{App, Can, Change, Problem, object};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use model::id::{CredentialId, LlmProviderId};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_secret;
use crate::store;

object! {
    /// A provider of a language model.
    LlmProvider (LlmProviderIn, LlmProviderOut) {
        word: "llm_provider", plural: "llm providers", path: "/llm-providers",
        table: "countersign.llm_providers", tag: "settings", verbs: All,
        id: LlmProviderId, read: ReadSettings, write: WriteSettings,
        example: {
            "name": "in house", "provider_type": "openai", "model_id": "gpt-4",
            "config": {"base_url": "https://llm.example.com/v1", "temperature": 0.2}
        }
    }
    given {
        /// What people call it.
        #[schema(min_length = 1, max_length = 100)]
        name: String => Text.filter().sort().search();
        /// Whose protocol it speaks: `openai`, `anthropic` …
        #[schema(min_length = 1, max_length = 50)]
        provider_type: String => Text.filter().sort();
        /// Which model.
        #[schema(min_length = 1, max_length = 100)]
        model_id: String => Text.filter().sort();
        /// The sealed secret it is asked with.
        #[schema(value_type = Option<String>)]
        credential_id: Option<CredentialId> => Id.filter();
        /// Its address and parameters; nothing secret.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        config: Value => Json;
    }
    kept {
        /// Whether it is asked when nobody says which; of all at most one.
        is_default: bool => Boolean.filter();
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/name", &wanted.name, 1..=100)?;
        sized("/provider_type", &wanted.provider_type, 1..=50)?;
        sized("/model_id", &wanted.model_id, 1..=100)?;
        an_object("/config", &wanted.config)?;
        no_secret("/config", &wanted.config)
    }
}

fn nothing() -> Value {
    json!({})
}

/// The routes besides the uniform ones.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(choose_llm_provider))
}

/// Ask this provider when nobody says which.
#[utoipa::path(post, path = "/llm-providers/{id}/default", tag = "settings",
    params(("id" = String, Path, description = "The provider")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn choose_llm_provider(
    State(app): State<App>,
    caller: Can<WriteSettings>,
    Path(id): Path<LlmProviderId>,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    let before = store::default_llm_provider(&mut change).await?;
    if !store::choose_llm_provider(&mut change, id).await? {
        return Err(Problem::not_found("llm_provider"));
    }
    let event = change
        .event("llm_provider.chosen", "llm_provider", &id)
        .with("instead_of", before.map(|id| id.to_string()));
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}
