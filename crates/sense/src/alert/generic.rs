//! Webhooks of any shape: a mapping says where in the body the fields of an alert are.
//!
//! The body is signed ([`super::signature`]) and read only after its signature is verified. A key
//! given twice anywhere refuses the whole body: what is signed must mean one thing.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::Digest;
use model::finding::SourceStatus;
use model::level::Severity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field;
use super::signature::Signed;
use super::{Batch, LIMITS, MAX_ALERTS, Notice, Quarantined};
use api::strict::{self, BadInput, Code};

/// Where the fields of an alert are: JSON pointers, relative to the alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the sender signs.
    #[serde(default)]
    pub signed: Signed,
    /// The array of alerts, from the top of the body; absent when the body is one alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// Its name.
    pub name: String,
    /// When the problem began: RFC 3339, or seconds or milliseconds since 1970.
    pub starts_at: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// What tells one problem from another; computed from name and labels when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// How bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Whether the problem is still there; absent means it always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The words of `status` that mean resolved; every other word means firing.
    #[serde(default = "resolved_words")]
    pub resolved: BTreeSet<String>,
    /// What it is about; also the label `instance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// An object whose scalar members become labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Further labels, each from its own place.
    #[serde(default)]
    pub label: BTreeMap<String, String>,
    /// Annotations, each from its own place.
    #[serde(default)]
    pub annotation: BTreeMap<String, String>,
}

fn resolved_words() -> BTreeSet<String> {
    ["resolved", "ok", "closed", "recovered"].map(str::to_owned).into()
}

impl Mapping {
    /// Reads a mapping as it is configured.
    ///
    /// # Errors
    /// When a field is unknown or missing, or a pointer is none.
    pub fn from_value(value: &Value) -> Result<Self, BadInput> {
        let mapping = Self::deserialize(value)
            .map_err(|error| BadInput::shape("/mapping", error.to_string()))?;
        let named = [
            ("name", Some(&mapping.name)),
            ("starts_at", Some(&mapping.starts_at)),
            ("items", mapping.items.as_ref()),
            ("ends_at", mapping.ends_at.as_ref()),
            ("fingerprint", mapping.fingerprint.as_ref()),
            ("severity", mapping.severity.as_ref()),
            ("status", mapping.status.as_ref()),
            ("instance", mapping.instance.as_ref()),
            ("labels", mapping.labels.as_ref()),
        ];
        let named = named.into_iter().filter_map(|(name, pointer)| Some((name, pointer?)));
        let maps = mapping.label.iter().chain(&mapping.annotation);
        for (name, pointer) in named.chain(maps.map(|(name, pointer)| (name.as_str(), pointer))) {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                let message = format!("{name}: {pointer:?} is no JSON pointer: start it with /");
                return Err(BadInput::shape("/mapping", message));
            }
        }
        Ok(mapping)
    }

    /// Reads a body that came in at `now`.
    ///
    /// # Errors
    /// When the body is no JSON or too large, a key is given twice, the array of alerts is not
    /// there, or the one alert the body is has a fault.
    pub fn parse(&self, body: &[u8], now: Timestamp) -> Result<Batch, BadInput> {
        let document = strict::read_reporting(body, &LIMITS, self.items.as_deref())?;
        let mut faults = document.faults;
        if let Some(at) = faults.iter().position(|fault| fault.code == Code::DuplicateKey) {
            return Err(faults.swap_remove(at));
        }
        let mut batch = Batch {
            notices: Vec::new(),
            quarantined: Vec::new(),
            truncated: 0,
            digest: Digest::of(body),
        };
        let Some(items) = self.items.as_deref() else {
            if let Some(fault) = faults.into_iter().next() {
                return Err(fault);
            }
            let raw = field::source(body, &(0..body.len()));
            batch.notices.push(Notice { raw, ..self.notice("", &document.value, now)? });
            return Ok(batch);
        };
        let Some(Value::Array(alerts)) = document.value.pointer(items) else {
            return Err(BadInput::shape(items, "must be an array"));
        };
        if alerts.len() > MAX_ALERTS {
            let message = format!("must have at most {MAX_ALERTS} elements, has {}", alerts.len());
            return Err(BadInput::new(items, Code::TooLarge, message));
        }
        let mut inside = BTreeMap::new();
        for fault in faults {
            match field::index_in(items, &fault.path) {
                Some(index) => inside.entry(index).or_insert(fault),
                None => return Err(fault),
            };
        }
        for (index, (alert, range)) in alerts.iter().zip(&document.items).enumerate() {
            let raw = field::source(body, range);
            let read = match inside.remove(&index) {
                Some(fault) => Err(fault),
                None => self.notice(&format!("{items}/{index}"), alert, now),
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

    fn notice(&self, path: &str, alert: &Value, now: Timestamp) -> Result<Notice, BadInput> {
        let name = required(path, alert, &self.name, field::MAX_NAME_BYTES)?;
        let beginning = required(path, alert, &self.starts_at, field::MAX_LABEL_BYTES)?;
        let starts_at =
            field::beginning(&format!("{path}{}", self.starts_at), &in_rfc3339(beginning), now)?;
        let find = |pointer: &Option<String>, longest| match pointer {
            Some(pointer) => scalar(path, alert, pointer, longest),
            None => Ok(None),
        };
        let ends_at = match (&self.ends_at, find(&self.ends_at, field::MAX_LABEL_BYTES)?) {
            (Some(pointer), Some(text)) => {
                field::ending(&format!("{path}{pointer}"), &in_rfc3339(text), now)?
            }
            _ => None,
        };
        let severity_raw = find(&self.severity, field::MAX_LABEL_BYTES)?.unwrap_or_default();
        let instance = find(&self.instance, field::MAX_LABEL_BYTES)?.unwrap_or_default();
        let status = match find(&self.status, field::MAX_LABEL_BYTES)? {
            Some(word) if self.resolved.contains(&word.to_lowercase()) => SourceStatus::Resolved,
            _ => SourceStatus::Firing,
        };
        let mut labels = self.all_labels(path, alert)?;
        labels.insert("alertname".to_owned(), name.clone());
        for (label, value) in [("severity", &severity_raw), ("instance", &instance)] {
            if !value.is_empty() {
                labels.insert(label.to_owned(), value.clone());
            }
        }
        let annotations = each(path, alert, &self.annotation, field::MAX_ANNOTATION_BYTES)?;
        let fingerprint = find(&self.fingerprint, field::MAX_FINGERPRINT_BYTES)?
            .filter(|given| !given.is_empty())
            .unwrap_or_else(|| field::fingerprint(&labels));
        Ok(Notice {
            fingerprint,
            severity: Severity::from_label(&severity_raw),
            job: labels.get("job").cloned().unwrap_or_default(),
            name,
            severity_raw,
            instance,
            status,
            starts_at,
            ends_at,
            labels,
            annotations,
            raw: String::new(),
        })
    }

    fn all_labels(&self, path: &str, alert: &Value) -> Result<BTreeMap<String, String>, BadInput> {
        let mut labels = BTreeMap::new();
        if let Some(pointer) = &self.labels {
            let at = format!("{path}{pointer}");
            let scalars = match alert.pointer(pointer) {
                None | Some(Value::Null) => None,
                Some(value) => Some(Value::Object(
                    field::object(&at, value)?
                        .iter()
                        .filter_map(|(name, value)| Some((name.clone(), word(value)?.into())))
                        .collect(),
                )),
            };
            labels = field::texts(&at, scalars.as_ref(), field::MAX_LABEL_BYTES)?;
        }
        labels.extend(each(path, alert, &self.label, field::MAX_LABEL_BYTES)?);
        Ok(labels)
    }
}

fn each(
    path: &str,
    alert: &Value,
    places: &BTreeMap<String, String>,
    longest: usize,
) -> Result<BTreeMap<String, String>, BadInput> {
    let mut texts = BTreeMap::new();
    for (name, pointer) in places {
        if let Some(text) = scalar(path, alert, pointer, longest)? {
            texts.insert(name.clone(), text);
        }
    }
    Ok(texts)
}

/// A scalar as text; `None` for what is no scalar.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn scalar(
    path: &str,
    alert: &Value,
    pointer: &str,
    longest: usize,
) -> Result<Option<String>, BadInput> {
    let Some(value) = alert.pointer(pointer).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let at = format!("{path}{pointer}");
    let text = word(value).ok_or_else(|| BadInput::shape(&at, "must be a single value"))?;
    if text.len() > longest {
        return Err(BadInput::shape(at, format!("must have at most {longest} bytes")));
    }
    Ok(Some(text))
}

fn required(path: &str, alert: &Value, pointer: &str, longest: usize) -> Result<String, BadInput> {
    scalar(path, alert, pointer, longest)?
        .ok_or_else(|| BadInput::shape(format!("{path}{pointer}"), "is missing"))
}

/// Seconds or milliseconds since 1970 as RFC 3339; any other text as it is. A count of more than
/// eleven digits is of milliseconds: as seconds it would be after the year 5138.
fn in_rfc3339(text: String) -> String {
    let Ok(count) = text.parse::<i64>() else { return text };
    let at = if text.len() > 11 {
        Timestamp::from_millisecond(count)
    } else {
        Timestamp::from_second(count)
    };
    at.map_or(text, |at| at.to_string())
}
