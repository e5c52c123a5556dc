//! Alertmanager's webhook body, version 4.
//!
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>. Fields
//! nobody reads are tolerated. A fault of the body refuses it; a fault inside one alert sets that
//! alert aside and keeps the others, because Alertmanager repeats a failed delivery and drops a
//! refused one: either way one bad alert would cost all of them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::finding::SourceStatus;
use model::level::Severity;
use model::{Digest, Timestamp};
use serde_json::{Map, Value};

use super::field;
use super::{Batch, LIMITS, MAX_ALERTS, Notice, Quarantined};
use api::strict::{self, BadInput, Code};

const ALERTS: &str = "/alerts";

/// Parts of the body that only repeat what is inside the alerts, and that nobody here reads.
const COPIES: [&str; 3] = ["/groupLabels", "/commonLabels", "/commonAnnotations"];

/// Reads a webhook body that came in at `now`.
///
/// # Errors
/// When the body is no JSON, too large, not an object of version 4, or has more than
/// [`MAX_ALERTS`] alerts.
pub fn parse(body: &[u8], now: Timestamp) -> Result<Batch, BadInput> {
    let document = strict::read_reporting(body, &LIMITS, Some(ALERTS))?;
    let top = field::object("", &document.value)?;
    let alerts = envelope(top)?;
    let faults = assign(document.faults)?;

    let mut batch = Batch {
        notices: Vec::with_capacity(alerts.len()),
        quarantined: Vec::new(),
        truncated: top.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or(0),
        digest: Digest::of(body),
    };
    for (index, (alert, range)) in alerts.iter().zip(&document.items).enumerate() {
        let raw = field::source(body, range);
        let read = match faults.get(&index) {
            Some(fault) => Err(fault.clone()),
            None => notice(&format!("{ALERTS}/{index}"), alert, now),
        };
        match read {
            Ok(notice) => batch.notices.push(Notice { raw, ..notice }),
            Err(BadInput { path, message, .. }) => {
                batch.quarantined.push(Quarantined { index, path, reason: message, raw });
            }
        }
    }
    Ok(batch)
}

/// Checks what surrounds the alerts and gives them.
fn envelope(top: &Map<String, Value>) -> Result<&Vec<Value>, BadInput> {
    match top.get("version") {
        Some(Value::String(version)) if version == "4" => {}
        Some(_) => return Err(BadInput::shape("/version", "must be \"4\"")),
        None => return Err(BadInput::shape("/version", "is missing: must be \"4\"")),
    }
    for name in ["groupKey", "status", "receiver", "externalURL"] {
        if top.get(name).is_some_and(|value| !value.is_string() && !value.is_null()) {
            return Err(BadInput::shape(format!("/{name}"), "must be a string"));
        }
    }
    if top.get("truncatedAlerts").is_some_and(|value| !value.is_u64() && !value.is_null()) {
        return Err(BadInput::shape("/truncatedAlerts", "must be a count"));
    }
    let alerts = match top.get("alerts") {
        Some(Value::Array(alerts)) => alerts,
        Some(_) => return Err(BadInput::shape(ALERTS, "must be an array")),
        None => return Err(BadInput::shape(ALERTS, "is missing")),
    };
    if alerts.len() > MAX_ALERTS {
        let message = format!("must have at most {MAX_ALERTS} elements, has {}", alerts.len());
        return Err(BadInput::new(ALERTS, Code::TooLarge, message));
    }
    Ok(alerts)
}

/// The first fault of each alert.
///
/// A bad label of a group's only alert is also among the common labels: there it is a copy, and
/// refusing the body for it would lose the alert instead of setting it aside.
fn assign(faults: Vec<BadInput>) -> Result<BTreeMap<usize, BadInput>, BadInput> {
    let mut inside = BTreeMap::new();
    let mut outside = Vec::new();
    for fault in faults {
        match field::index_in(ALERTS, &fault.path) {
            Some(index) => {
                inside.entry(index).or_insert(fault);
            }
            None => outside.push(fault),
        }
    }
    let is_copy = |fault: &BadInput| {
        COPIES.iter().any(|part| {
            fault
                .path
                .strip_prefix(part)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let fatal = outside.into_iter().find(|fault| inside.is_empty() || !is_copy(fault));
    fatal.map_or(Ok(inside), Err)
}

/// Reads one alert; its `raw` is left empty.
fn notice(path: &str, alert: &Value, now: Timestamp) -> Result<Notice, BadInput> {
    let alert = field::object(path, alert)?;
    let at = |name: &str| format!("{path}/{name}");
    let required = |name: &str| {
        let value = alert.get(name).ok_or_else(|| BadInput::shape(at(name), "is missing"))?;
        field::text(&at(name), value, field::MAX_LABEL_BYTES)
    };

    let status: SourceStatus = required("status")?
        .parse()
        .map_err(|_| BadInput::shape(at("status"), "must be firing or resolved"))?;
    let labels = field::texts(&at("labels"), alert.get("labels"), field::MAX_LABEL_BYTES)?;
    if labels.is_empty() {
        return Err(BadInput::shape(at("labels"), "must have at least one label"));
    }
    let annotations =
        field::texts(&at("annotations"), alert.get("annotations"), field::MAX_ANNOTATION_BYTES)?;
    let starts_at = field::beginning(&at("startsAt"), required("startsAt")?, now)?;
    let ends_at = match alert.get("endsAt") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let text = field::text(&at("endsAt"), value, field::MAX_LABEL_BYTES)?;
            field::ending(&at("endsAt"), text, now)?
        }
    };
    let fingerprint = match alert.get("fingerprint") {
        None | Some(Value::Null) => String::new(),
        Some(value) => {
            field::text(&at("fingerprint"), value, field::MAX_FINGERPRINT_BYTES)?.to_owned()
        }
    };
    let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
    let name = label("alertname");
    if name.len() > field::MAX_NAME_BYTES {
        let message = format!("must have at most {} bytes", field::MAX_NAME_BYTES);
        return Err(BadInput::shape(at("labels/alertname"), message));
    }
    let severity_raw = label("severity");
    Ok(Notice {
        fingerprint: if fingerprint.is_empty() { field::fingerprint(&labels) } else { fingerprint },
        name,
        severity: Severity::from_label(&severity_raw),
        severity_raw,
        instance: label("instance"),
        job: label("job"),
        status,
        starts_at,
        ends_at,
        labels,
        annotations,
        raw: String::new(),
    })
}
