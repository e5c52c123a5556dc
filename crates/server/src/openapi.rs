//! The head of the `OpenAPI` document; the rest comes from the handlers themselves.

use std::sync::Arc;

use api::App;
use axum::{Extension, Json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Described, RefOr};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The document's head.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign",
        description = "One control plane for everything that wants to change a running system. \
                       Automation proposes; Countersign decides, acts and proves.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Bearer),
    security(("bearer" = [])),
    components(schemas(api::Problem)),
    tags(
        (name = "identity", description = "Logging in, users, API keys"),
        (name = "alerts", description = "Alerts, where they come from, and what to do with them"),
        (name = "findings", description = "What is known about findings, and what could be done"),
        (name = "estate", description = "Environments, resources, and how to reach them"),
        (name = "runbooks", description = "Runbooks and their versions"),
        (name = "gate", description = "Intents, plans, decisions, approvals, guards"),
        (name = "policy", description = "Policy bundles, and the catalogue of the providers' policies"),
        (name = "executions", description = "Running plans, their output and evidence"),
        (name = "learning", description = "Outcomes, what was learned from them, learned models"),
        (name = "audit", description = "The signed log"),
        (name = "overview", description = "Search across kinds, and figures"),
        (name = "notifications", description = "Where people are told, and what they were told"),
        (name = "chats", description = "Conversations of one's own"),
        (name = "settings", description = "What is set for a tenant, language models included"),
        (name = "retention", description = "How long what is kept, and the archive it goes to"),
        (name = "events", description = "What happens, as it happens"),
        (name = "health", description = "This process, and this description")
    )
)]
pub(crate) struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key (`cs_…`) or the token of a login session (`css_…`)"))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Gives problems the media type they are sent with: descriptions of handlers name the type of a
/// body alone.
pub(crate) fn with_problems(mut document: Described) -> Described {
    let operations = document.paths.paths.values_mut().flat_map(|path| {
        [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch]
    });
    for operation in operations.flatten() {
        let responses = operation.responses.responses.iter_mut();
        let faults = responses.filter(|(status, _)| !status.starts_with('2'));
        for (_, response) in faults {
            let RefOr::T(response) = response else { continue };
            if let Some(problem) = response.content.swap_remove("application/json") {
                response.content.insert("application/problem+json".to_owned(), problem);
            }
        }
    }
    document
}

/// The document's own route; it answers with the [`Described`] laid over the whole router.
pub(crate) fn document_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_document))
}

/// Show this document.
#[utoipa::path(get, path = "/openapi.json", tag = "health", security(()),
    responses((status = 200, body = Object)))]
async fn show_document(Extension(document): Extension<Arc<Described>>) -> Json<Described> {
    Json(document.as_ref().clone())
}
