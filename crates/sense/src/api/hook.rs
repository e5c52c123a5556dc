//! Where alerts come in: answered with 2xx only after they are committed.

use api::body::read_all;
use api::permission::SendAlerts;
use api::problem::Answer;
use api::strict::BadInput;
use api::{App, Caller, Can, Problem};
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use bytes::Bytes;
use db::TenantTx;
use model::audit::{Event, Who};
use model::id::{CredentialId, FindingId};
use model::secret::Secret;
use model::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer;
use super::credential::no_secret;
use super::intake::{Intake, not_here, sender};
use crate::alert::generic::Mapping;
use crate::alert::signature::{self, Proof, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER};
use crate::alert::{Batch, MAX_BODY_BYTES, alertmanager};

use crate::sealing;
use crate::source::AlertSource;
use crate::store::ingest::{Delivery, IngestReport, ingest};
use crate::store::{alert_source, credential};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(receive_alertmanager))
        .routes(routes!(receive_generic))
        .layer(Extension(Intake::default()))
}

/// What came of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReceiptOut {
    /// Problems that were not known before.
    new: u64,
    /// Known problems that were only counted.
    repeated: u64,
    /// Known problems that are now resolved.
    resolved: u64,
    /// Alerts that could not be read; see `/quarantined-alerts`.
    quarantined: u64,
    /// The findings of the delivery.
    #[schema(value_type = Vec<String>)]
    finding_ids: Vec<FindingId>,
}

impl From<IngestReport> for ReceiptOut {
    fn from(report: IngestReport) -> Self {
        Self {
            new: report.new,
            repeated: report.repeated,
            resolved: report.resolved,
            quarantined: report.quarantined,
            finding_ids: report.findings,
        }
    }
}

/// Take alerts from Alertmanager (webhook version 4).
///
/// Groups of up to 1,000 alerts. An alert that cannot be read is set aside and the others are
/// kept. Repeating a delivery is safe: an alert is known by its fingerprint and `startsAt`.
#[utoipa::path(post, path = "/hooks/alertmanager", tag = "hooks",
    request_body(content = serde_json::Value, description = "Alertmanager's webhook body"),
    responses((status = 200, body = ReceiptOut), (status = "4XX", body = Problem)))]
async fn receive_alertmanager(
    State(app): State<App>,
    Extension(intake): Extension<Intake>,
    caller: Can<SendAlerts>,
    request: Request,
) -> Answer<Json<ReceiptOut>> {
    let body = read_all(request.into_body(), MAX_BODY_BYTES).await?;
    let batch = alertmanager::parse(&body, app.clock.now())?;
    let delivery = Delivery { batch, origin: caller.origin.clone() };
    Ok(Json(intake.take(&app, &caller.actor, delivery).await?.into()))
}

/// Take alerts of any shape, signed by their source.
///
/// The header `X-Countersign-Signature: sha256=<hex>` holds the HMAC-SHA256 of the raw body under
/// the source's secret; the source's mapping says where in the body the alerts are.
#[utoipa::path(post, path = "/hooks/generic/{source}", tag = "hooks",
    params(
        ("source" = String, Path, description = "The name of the alert source"),
        ("X-Countersign-Signature" = String, Header, description = "`sha256=` and 64 hex digits"),
        ("X-Countersign-Timestamp" = Option<String>, Header, description = "Seconds since 1970")),
    request_body(content = serde_json::Value, description = "What the source sends"),
    responses((status = 200, body = ReceiptOut), (status = "4XX", body = Problem)))]
async fn receive_generic(
    State(app): State<App>,
    caller: Can<SendAlerts>,
    Path(name): Path<String>,
    request: Request,
) -> Answer<Json<ReceiptOut>> {
    let (parts, body) = request.into_parts();
    let body = read_all(body, MAX_BODY_BYTES).await?;
    let mut tx = app.db.tenant(caller.tenant()).await?;
    // A name no source can have is that of none.
    let known = !name.contains('\0') && name.len() <= 400;
    let source = if known {
        answer("alert source", alert_source::by_name(&mut tx, &name).await)?
    } else {
        return Err(Problem::not_found("alert source"));
    };
    let (Some(mapping), Some(current)) = (&source.mapping, source.secret_id) else {
        return Err(Problem::not_found("alert source"));
    };
    if !source.is_active || source.actor_id != caller.actor.id {
        return Err(not_here());
    }
    let current = open(&app, &mut tx, &caller, current).await?;
    let previous = match source.previous_secret_id {
        Some(id) => Some(open(&app, &mut tx, &caller, id).await?),
        None => None,
    };
    let secrets = Secrets { current, previous };
    let now = tx.now().await?;
    let batch = match read_signed(now, mapping, &secrets, &parts.headers, &body) {
        Ok(batch) => batch?,
        Err(error) => return Err(refuse(tx, &caller, &source, error).await?),
    };
    let delivery = Delivery { batch, origin: caller.origin.clone() };
    let mut reports = ingest(&mut tx, &sender(&caller.actor, Some(&source)), &[delivery]).await?;
    tx.commit().await?;
    Ok(Json(reports.pop().unwrap_or_default().into()))
}

/// Verifies, and only then parses. By the database's clock: which deliveries are too old does not
/// depend on the machine they reach.
fn read_signed(
    now: Timestamp,
    mapping: &Mapping,
    secrets: &Secrets,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Result<Batch, BadInput>, signature::SignatureError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let proof = Proof { signature: text(SIGNATURE_HEADER), timestamp: text(TIMESTAMP_HEADER) };
    signature::verify(body, proof, mapping.signed, secrets, now)?;
    Ok(mapping.parse(body, now))
}

/// A bad signature is an event: somebody has the key but not the secret.
async fn refuse(
    mut tx: TenantTx,
    caller: &Caller,
    source: &AlertSource,
    error: signature::SignatureError,
) -> Answer<Problem> {
    let event = Event::new(&caller.actor, "alerts.refused", "alert_source", &source.id)
        .failed(error.to_string())
        .from_origin(caller.origin.clone());
    tx.audit(&event).await?;
    tx.commit().await?;
    Ok(Problem::unauthenticated(error.to_string()))
}

async fn open(app: &App, tx: &mut TenantTx, caller: &Caller, id: CredentialId) -> Answer<Secret> {
    let stored = credential::get(tx, id).await?;
    let (tenant, who) = (tx.tenant(), Who::from(&caller.actor));
    sealing::open(&app.db, &app.vault, (tenant, &who), &stored).await.map_err(no_secret)
}
