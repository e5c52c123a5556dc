//! SARIF 2.1.0 (OASIS), which code hosts show beside the code.

use model::level::Severity;
use serde_json::{Value, json};

use super::{Report, sentence};
use crate::cli::view;

impl Report {
    /// A run with a result each resource that drifted.
    pub(in crate::cli::drift) fn sarif(&self) -> Value {
        let results: Vec<Value> = self
            .worst_first()
            .into_iter()
            .map(|(drift, judged)| {
                let level = match judged.severity {
                    Severity::Critical | Severity::High => "error",
                    Severity::Medium => "warning",
                    Severity::Low => "note",
                };
                json!({
                    "ruleId": format!("drift/{}", drift.drift),
                    "level": level,
                    "message": {"text": view::clean(&sentence(drift))},
                    "locations": [{
                        "physicalLocation": {"artifactLocation": {"uri": self.source}},
                        "logicalLocations": [{
                            "fullyQualifiedName": drift.address, "kind": "resource",
                        }],
                    }],
                    "partialFingerprints": {"resource/v1": format!("{}/{}", drift.kind, drift.address)},
                    "properties": {
                        "severity": judged.severity, "security-severity": format!("{:.1}", judged.score * 10.0),
                    },
                })
            })
            .collect();
        let rules: Vec<Value> = [
            ("modified", "A resource has other properties than its declaration"),
            ("deleted", "A declared resource is not there"),
            ("added", "A resource is there that nothing declares"),
            ("moved", "A resource is there under another address"),
        ]
        .into_iter()
        .map(|(id, text)| json!({"id": format!("drift/{id}"), "shortDescription": {"text": text}}))
        .collect();
        json!({
            "version": "2.1.0",
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "runs": [{
                "tool": {"driver": {
                    "name": "countersign", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
                }},
                "results": results,
            }],
        })
    }
}
