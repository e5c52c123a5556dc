//! Who changed what drifted, by AWS's own record, told to a server before the scan is: there it says
//! why.

use std::collections::BTreeSet;

use anyhow::Result;
use connect_aws::{Aws, Event};
use jiff::SignedDuration;
use model::Timestamp;
use sense::change_event::{ChangeKind, Happened};
use sense::drift::Drift;
use serde_json::{Value, json};

use crate::cli::Context;
use crate::client::Client;

/// How far back a call may have made what a scan finds.
const BACK: SignedDuration = SignedDuration::from_hours(24);
/// Resources that are asked about: CloudTrail answers two questions a second.
const MOST_ASKED: usize = 100;
/// Characters that are told of a name; the server takes no more.
const LONGEST: usize = 255;

/// Tells the server who called what about the resources that drifted. What cannot be read is said,
/// and keeps no scan from being recorded.
pub(super) async fn record(
    context: &Context,
    client: &Client,
    aws: &Aws,
    drifts: &[Drift],
    now: Timestamp,
) -> Result<()> {
    let names: BTreeSet<String> = drifts.iter().filter_map(|drift| drift.id.clone()).collect();
    let asked: BTreeSet<String> = names.iter().take(MOST_ASKED).cloned().collect();
    if asked.is_empty() {
        return Ok(());
    }
    if asked.len() < names.len() {
        let (asked, all) = (asked.len(), names.len());
        context.remark(&format!("CloudTrail is asked about {asked} of {all} resources"));
    }
    match aws.events(&asked, now - BACK, now).await {
        Ok(events) => {
            let calls: Vec<Happened> =
                events.iter().filter(|event| !event.read_only).map(happened).collect();
            tell(client, &calls).await
        }
        Err(error) => {
            context.remark(&format!("CloudTrail cannot be read, so nobody knows who: {error}"));
            Ok(())
        }
    }
}

/// Tells the server what happened.
pub(super) async fn tell(client: &Client, all: &[Happened]) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = all.iter().map(|one| line(one).to_string()).collect();
    client.lines(&["change-events"], lines.join("\n")).await?;
    Ok(())
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

fn happened(event: &Event) -> Happened {
    Happened {
        kind: ChangeKind::AuditEvent,
        occurred_at: event.at,
        ended_at: None,
        external_system: "cloudtrail".to_owned(),
        external_id: cut(&event.id),
        actor: event.actor.as_deref().or(event.user.as_deref()).map(cut),
        summary: cut(&event.name),
        service: None,
        severity: None,
        environment_id: None,
        paths: Vec::new(),
        addresses: Vec::new(),
        resources: event
            .resources
            .iter()
            .filter(|name| !name.is_empty())
            .map(|one| cut(one))
            .collect(),
        shared_ids: Vec::new(),
        data: json!({
            "event_source": event.source, "user": event.user, "actor_type": event.actor_type,
            "role": event.role, "user_agent": event.user_agent.as_deref().map(cut),
            "source_ip": event.source_ip, "read_only": event.read_only, "error": event.error,
        }),
    }
}

fn line(one: &Happened) -> Value {
    json!({
        "kind": one.kind, "occurred_at": one.occurred_at, "ended_at": one.ended_at,
        "external_system": one.external_system, "external_id": one.external_id,
        "actor": one.actor, "summary": one.summary, "service": one.service,
        "severity": one.severity, "environment_id": one.environment_id, "paths": one.paths,
        "addresses": one.addresses, "resources": one.resources, "shared_ids": one.shared_ids,
        "data": one.data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_with_who_made_it_and_with_what() {
        let event = Event {
            id: "8f1c".to_owned(),
            name: "AuthorizeSecurityGroupIngress".to_owned(),
            source: Some("ec2.amazonaws.com".to_owned()),
            at: "2026-03-02T12:00:00Z".parse().expect("a time"),
            actor: None,
            user: Some("ada".to_owned()),
            actor_type: Some("IAMUser".to_owned()),
            role: None,
            user_agent: Some("console.amazonaws.com".to_owned()),
            source_ip: None,
            read_only: false,
            error: None,
            resources: BTreeSet::from(["sg-1".to_owned(), String::new()]),
        };
        let told = line(&happened(&event));
        assert_eq!((&told["kind"], &told["actor"]), (&json!("audit_event"), &json!("ada")));
        assert_eq!(told["resources"], json!(["sg-1"]));
        assert_eq!(told["data"]["user_agent"], "console.amazonaws.com");
        assert_eq!(told["occurred_at"], "2026-03-02T12:00:00Z");
    }
}
