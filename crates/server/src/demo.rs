//! What is told of the hosts that were brought up beside this server to try it on.
//!
//! Nothing is made known behind anybody's back: whoever may change the estate is told what to send,
//! and sends it with their own session.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use api::permission::WriteEstate;
use api::problem::Answer;
use api::{App, Can, Problem};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::{Array, Ref};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_demo_estate))
}

/// The hosts brought up beside this process, where there are some; an extension of the routes.
#[derive(Debug, Clone, Default)]
pub struct DemoEstate(Option<Arc<DemoEstateOut>>);

impl DemoEstate {
    /// These.
    #[must_use]
    pub fn of(estate: DemoEstateOut) -> Self {
        Self(Some(Arc::new(estate)))
    }
}

/// Hosts to try the product on, and the bodies of the requests that make them known.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DemoEstateOut {
    /// For `POST /api/v1/environments`.
    #[schema(schema_with = environment)]
    pub environment: Value,
    /// The hosts.
    pub hosts: Vec<DemoHostOut>,
    /// Runbooks that suit them.
    pub runbooks: Vec<DemoRunbookOut>,
    /// Where alerts come from.
    pub source: DemoSourceOut,
    /// Each for `POST /api/v1/alert-rules`.
    #[schema(schema_with = alert_rules)]
    pub alert_rules: Vec<Value>,
    /// For `POST /api/v1/hooks/alertmanager`, with the source's key: what Alertmanager would send
    /// now of the first host. A runbook's trigger matches it.
    #[schema(value_type = Object)]
    pub alert: Value,
}

fn environment() -> Ref {
    Ref::from_schema_name("EnvironmentIn")
}

fn alert_rules() -> Array {
    Array::new(Ref::from_schema_name("RuleIn"))
}

/// A host: a real sshd on this machine's loopback interface, with a service.
#[derive(Clone, Serialize, ToSchema)]
pub struct DemoHostOut {
    /// What people call it.
    #[schema(example = "web-1")]
    pub name: String,
    /// For `POST /api/v1/resources`, with an `environment_id` added.
    pub resource: DemoResourceOut,
    /// Where its sshd listens.
    #[schema(example = "127.0.0.1")]
    pub host: String,
    /// On which port.
    pub port: u16,
    /// Who may log in.
    pub username: String,
    /// Its host key, as it is pinned.
    #[schema(example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA")]
    pub host_key: String,
    /// The private key that may log in: of this host alone, and made for it.
    pub login_key: String,
    /// Where the product keeps what it does there.
    pub guard_dir: String,
    /// The service it runs.
    #[schema(example = "shop")]
    pub service: String,
}

/// What is to be known of a host, but for the environment it is in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DemoResourceOut {
    /// What people call it; alerts find it by this.
    #[schema(example = "web-1")]
    pub name: String,
    /// `linux`.
    #[schema(example = "linux")]
    pub os_type: String,
    /// The team that owns it.
    #[schema(example = "shop")]
    pub owner_team: String,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
}

impl fmt::Debug for DemoHostOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoHostOut").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A runbook for `POST /api/v1/runbooks`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DemoRunbookOut {
    /// Its name.
    #[schema(example = "restart-supervised-service")]
    pub name: String,
    /// The whole of it.
    pub yaml: String,
}

/// A source of alerts: a key of this name and these roles, and a source that belongs to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DemoSourceOut {
    /// What it is called.
    #[schema(example = "alertmanager")]
    pub name: String,
    /// The roles of its key.
    #[schema(example = json!(["operator"]))]
    pub roles: Vec<String>,
}

/// Show the hosts that were brought up to try the product on.
///
/// There are some only where the server was started with `--demo-estate`. Nothing of them is known
/// here until somebody sends what stands in the answer.
#[utoipa::path(get, path = "/demo-estate", tag = "estate",
    responses((status = 200, body = DemoEstateOut), (status = "4XX", body = Problem)))]
async fn show_demo_estate(
    State(app): State<App>,
    _caller: Can<WriteEstate>,
    Extension(DemoEstate(estate)): Extension<DemoEstate>,
) -> Answer<([(HeaderName, &'static str); 1], Json<DemoEstateOut>)> {
    let mut estate = estate.map(Arc::unwrap_or_clone).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is no such thing here",
            "this server was started without --demo-estate",
        )
    })?;
    begins(&mut estate.alert, app.clock.now());
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(estate)))
}

/// Lets the alerts of a group begin now: another one each time it is asked for.
fn begins(group: &mut Value, now: model::Timestamp) {
    let alerts = group.get_mut("alerts").and_then(Value::as_array_mut);
    for alert in alerts.into_iter().flatten() {
        if let Some(alert) = alert.as_object_mut() {
            alert.insert("startsAt".to_owned(), Value::from(now.to_string()));
        }
    }
}
