//! Who did what: the events of CloudTrail.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::{Aws, Tally};
use crate::error::Error;
use crate::table::Ask;
use crate::tree::{as_list, list_at, text_at};

/// Something that was done, by AWS's own record. Its texts are what callers sent, and may say
/// anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// CloudTrail's id of it.
    pub id: String,
    /// What: `AuthorizeSecurityGroupIngress`.
    pub name: String,
    /// Where: `ec2.amazonaws.com`.
    pub source: Option<String>,
    /// When, to the second.
    pub at: Timestamp,
    /// Who: the ARN of a user or of the session of a role, or the service that did it.
    pub actor: Option<String>,
    /// Who, as CloudTrail lists it.
    pub user: Option<String>,
    /// What kind of caller: `IAMUser`, `AssumedRole`, `AWSService`.
    pub actor_type: Option<String>,
    /// The role behind a session.
    pub role: Option<String>,
    /// What it was done with: a console, a command line, Terraform.
    pub user_agent: Option<String>,
    /// From where: an address, or the name of a service.
    pub source_ip: Option<String>,
    /// Whether it only read.
    pub read_only: bool,
    /// What AWS answered when it refused.
    pub error: Option<String>,
    /// What it was done to.
    pub resources: BTreeSet<String>,
}

impl Aws {
    /// What was done to resources of these names between two moments, the oldest first, each event
    /// once. CloudTrail has an event after about five minutes and keeps it for ninety days; it
    /// answers two calls a second, and takes one at least for each name.
    ///
    /// # Errors
    /// When it may not be read, or there is no answer: there is no half of a history.
    pub async fn events(
        &self,
        names: &BTreeSet<String>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Event>, Error> {
        let tally = Tally::default();
        let mut found = BTreeMap::new();
        for name in names {
            let input = json!({
                "LookupAttributes": [{ "AttributeKey": "ResourceName", "AttributeValue": name }],
                "StartTime": from.as_second(),
                "EndTime": to.as_second(),
            });
            let ask = Ask::new("cloudtrail", "LookupEvents", input).listing("Events");
            let events = self.whole(&tally, &ask, &Value::Null).await?;
            for one in as_list(Some(events)) {
                let fault = "an event has no id, name or time";
                let call = ask.title();
                let event = event(&one).ok_or(Error::Unreadable { call, fault })?;
                found.insert((event.at, event.id.clone()), event);
            }
        }
        Ok(found.into_values().collect())
    }
}

fn event(one: &Value) -> Option<Event> {
    let text = text_at(one, "CloudTrailEvent");
    let record: Value = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let actor = ["userIdentity.arn", "userIdentity.invokedBy", "userIdentity.principalId"];
    let read_only = text_at(one, "ReadOnly").or_else(|| text_at(&record, "readOnly"));
    let resources = list_at(one, "Resources").into_iter();
    Some(Event {
        id: text_at(one, "EventId")?,
        name: text_at(one, "EventName")?,
        source: text_at(one, "EventSource"),
        at: moment(one.get("EventTime")?)?,
        actor: actor.iter().find_map(|path| text_at(&record, path)),
        user: text_at(one, "Username"),
        actor_type: text_at(&record, "userIdentity.type"),
        role: text_at(&record, "userIdentity.sessionContext.sessionIssuer.arn"),
        user_agent: text_at(&record, "userAgent"),
        source_ip: text_at(&record, "sourceIPAddress"),
        read_only: read_only.is_some_and(|flag| flag == "true"),
        error: text_at(&record, "errorCode"),
        resources: resources.filter_map(|one| text_at(&one, "ResourceName")).collect(),
    })
}

/// A moment as services over JSON write it, seconds since 1970, or as text.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(seconds) => {
            let whole = seconds.as_i64().or_else(|| {
                // "1.7e9" and "1700000000.0" are the same moment.
                let text = format!("{:.0}", seconds.as_f64()?);
                text.parse().ok()
            })?;
            Timestamp::from_second(whole).ok()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
