//! One drift as it is told: what differs, how bad it is, why, what happened around it, what to do.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::view::{self, Column};
use crate::cli::{Context, End};
use crate::client::Client;

/// What is listed of a finding at most: one drift has 20 correlations.
const MOST: &str = "100";

const DRIFT: [Column; 7] = [
    ("what", "/finding/title"),
    ("severity", "/finding/severity"),
    ("score", "/finding/severity_score"),
    ("status", "/finding/status"),
    ("noticed", "/finding/first_seen"),
    ("gone", "/finding/resolved_at"),
    ("id", "/finding/id"),
];

const CHANGES: [Column; 5] = [
    ("property", "/property_path"),
    ("differs", "/change_type"),
    ("declared", "/declared_value"),
    ("there", "/actual_value"),
    ("security", "/is_security_critical"),
];

const REASONS: [Column; 6] = [
    ("property", "/path"),
    ("why", "/why"),
    ("security", "/security"),
    ("performance", "/performance"),
    ("cost", "/cost"),
    ("compliance", "/compliance"),
];

const CAUSE: [Column; 8] = [
    ("cause", "/cause_category"),
    ("sure", "/confidence_score"),
    ("said by", "/decided_by/by"),
    ("model", "/decided_by/version"),
    ("person", "/labelled_by"),
    ("comment", "/label_comment"),
    ("who", "/user_attribution/actor"),
    ("with", "/user_attribution/tool"),
];

const FACTORS: [Column; 4] = [
    ("because", "/words"),
    ("speaks for", "/cause"),
    ("weight", "/weight"),
    ("seen in", "/evidence"),
];

const AROUND: [Column; 6] = [
    ("what", "/correlation_type"),
    ("system", "/external_system"),
    ("id", "/external_id"),
    ("seconds", "/temporal_offset"),
    ("sure", "/correlation_score"),
    ("in words", "/event_data/summary"),
];

const ADVICE: [Column; 6] = [
    ("do", "/recommendation_type"),
    ("priority", "/priority"),
    ("sure", "/confidence"),
    ("takes", "/estimated_effort"),
    ("until", "/expires_at"),
    ("status", "/status"),
];

/// Reads everything the server knows of a drift, and shows it.
pub(super) async fn show(context: &Context, id: &str) -> Result<End> {
    let client = context.client()?;
    let finding = client.get(&["findings", id], &[]).await?;
    let detail = client.get(&["findings", id, "detail"], &[]).await?;
    let mut known = json!({"finding": finding, "drift": detail["drift"]});
    for (name, list) in [
        ("causes", "cause-analyses"),
        ("correlations", "correlations"),
        ("context", "operational-contexts"),
        ("recommendations", "recommendations"),
        ("predictions", "predictions"),
    ] {
        known[name] = of(&client, list, id).await?;
    }
    context.show(&known, told)
}

async fn of(client: &Client, list: &str, id: &str) -> Result<Value> {
    let query = [("finding_id", id.to_owned()), ("limit", MOST.to_owned())];
    let mut page = client.get(&[list], &query).await?;
    Ok(page["items"].take())
}

fn told(known: &Value) -> String {
    let mut parts = vec![view::facts(known, &DRIFT)];
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            parts.push(format!("{title}\n{}", view::indent(&body, "  ")));
        }
    };
    let table = |items: &Value, columns: &[Column]| {
        let items = view::items(items);
        if items.is_empty() { String::new() } else { view::table(items, columns) }
    };
    section("What differs", table(&known["drift"]["changes"], &CHANGES));
    section("How bad", table(&known["drift"]["risk_assessment"]["reasons"], &REASONS));
    match view::items(&known["causes"]).first() {
        Some(cause) => {
            section("Why", view::facts(cause, &CAUSE));
            section("In words", view::line(view::raw(cause, "/analysis")));
            section("Factors", table(&cause["contributing_factors"], &FACTORS));
        }
        None => section("Why", "nobody has said yet".to_owned()),
    }
    section("What happened around it", table(&known["correlations"], &AROUND));
    for advice in view::items(&known["recommendations"]) {
        let steps = view::items(&advice["implementation_steps"]).iter();
        let steps = steps.map(|step| {
            format!("{}. {}", view::at(step, "/order"), view::line(view::raw(step, "/description")))
        });
        let lines = [view::facts(advice, &ADVICE), view::line(view::raw(advice, "/rationale"))];
        let lines: Vec<String> = lines.into_iter().chain(steps).collect();
        section("What to do", lines.join("\n"));
    }
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_told_in_the_order_in_which_it_is_asked_about() {
        let known = json!({
            "finding": {"title": "aws_security_group.web: ingress differs", "severity": "critical",
                "severity_score": 0.95, "status": "open", "id": "fnd_1"},
            "drift": {
                "changes": [{"property_path": "ingress", "change_type": "added",
                    "actual_value": ["0.0.0.0/0"], "is_security_critical": true}],
                "risk_assessment": {"reasons": [{"path": "ingress", "why": "open to everybody",
                    "security": 0.95, "performance": 0.0, "cost": 0.0, "compliance": 0.7}]},
            },
            "causes": [{"cause_category": "emergency_fix", "confidence_score": 0.8,
                "decided_by": {"by": "rules", "version": 1}, "analysis": "Most likely a fix.",
                "contributing_factors": [{"words": "incident INC-42 was open", "weight": 1.5,
                    "cause": "emergency_fix", "evidence": "INC-42"}]}],
            "correlations": [{"correlation_type": "incident", "external_system": "pagerduty",
                "external_id": "INC-42", "temporal_offset": -720.0, "correlation_score": 0.8,
                "event_data": {"summary": "the shop is down"}}],
            "recommendations": [{"recommendation_type": "codify_iac", "priority": "high",
                "confidence": 0.85, "estimated_effort": "hours", "status": "open",
                "rationale": "It was needed.", "implementation_steps": [
                    {"order": 1, "action": "edit", "description": "declare what is there"}]}],
        });
        let told = told(&known);
        let order =
            ["What differs", "How bad", "Why", "Factors", "around it", "What to do", "1. declare"];
        let places: Vec<usize> = order.iter().map(|part| told.find(part).expect(part)).collect();
        assert!(places.is_sorted(), "{told}");
        assert!(told.contains("INC-42") && told.contains("-720"), "{told}");
    }

    #[test]
    fn a_drift_nobody_explained_says_so() {
        let known = json!({"finding": {"title": "x"}, "drift": {"changes": []}, "causes": []});
        assert!(told(&known).contains("nobody has said yet"));
    }
}
