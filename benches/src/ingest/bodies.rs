//! Alerts as each system takes them: the same labels, annotations and times for all.

use bytes::Bytes;
use serde_json::{Value, json};

/// How many problems are known before repetitions are measured.
pub(super) const KNOWN: u64 = 4096;

/// Whether alerts were seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    Unique,
    Repeated,
}

impl Novelty {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::Repeated => "repeated",
        }
    }
}

/// Which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Alertmanager's webhook body, version 4.
    Webhook,
    /// The list Alertmanager's own API takes.
    List,
}

/// `count` alerts from the `first` on.
pub(super) fn body(kind: Kind, tag: &str, novelty: Novelty, first: u64, count: u64) -> Bytes {
    let number = |n: u64| match novelty {
        Novelty::Unique => n,
        Novelty::Repeated => n % KNOWN,
    };
    let alerts: Vec<Value> =
        (first..first.saturating_add(count)).map(|n| alert(kind, tag, number(n))).collect();
    let whole = match kind {
        Kind::List => Value::Array(alerts),
        Kind::Webhook => json!({
            "version": "4",
            "groupKey": "{}:{alertname=\"HostFilesystemAlmostFull\"}",
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "countersign",
            "groupLabels": {"alertname": "HostFilesystemAlmostFull"},
            "commonLabels": {"alertname": "HostFilesystemAlmostFull", "environment": "Production"},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.com:9093",
            "alerts": alerts,
        }),
    };
    Bytes::from(whole.to_string())
}

fn alert(kind: Kind, tag: &str, n: u64) -> Value {
    let instance = format!("{tag}-{n}.example.com:9100");
    let mut alert = json!({
        "labels": {
            "alertname": "HostFilesystemAlmostFull",
            "environment": "Production",
            "instance": instance,
            "job": "node",
            "mountpoint": "/var",
            "service": "storage",
            "severity": "warning",
        },
        "annotations": {
            "summary": "The file system is almost full",
            "description": "Less than 10 % of /var is free; at this rate it is full in four hours.",
            "runbook_url": "https://runbooks.example.com/filesystem-almost-full",
        },
        "startsAt": "2026-01-01T00:00:00.000Z",
        "generatorURL": "http://prometheus.example.com:9090/graph?g0.expr=node_filesystem_avail_bytes",
    });
    if let (Kind::Webhook, Some(fields)) = (kind, alert.as_object_mut()) {
        fields.insert("status".to_owned(), "firing".into());
        fields.insert("endsAt".to_owned(), "0001-01-01T00:00:00Z".into());
        fields.insert("fingerprint".to_owned(), format!("{:016x}", fingerprint(&instance)).into());
    }
    alert
}

/// FNV-1a, 64 bits, as Alertmanager makes fingerprints of label sets.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
