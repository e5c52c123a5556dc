//! What is there, read from the inventory of Azure or of Google Cloud, beside what a state of
//! Terraform's says.

mod align;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use connect_clouds::azure::{self, Azure};
use connect_clouds::google::{self, Google};
use connect_clouds::{Reading, Separate, Wanted};
use sense::drift::compare::{
    BadState, Comparison, Elsewhere, Engine, Live, NotChecked, Resource, State, Whole,
};
use sense::drift::diff::Scope;
use sense::drift::value::Value;

use crate::By;
use crate::aws::Unmanaged;

/// A cloud with an inventory.
#[derive(Debug)]
pub enum Cloud {
    /// Azure: Resource Graph.
    Azure(Azure),
    /// Google Cloud: Cloud Asset Inventory.
    Google(Google),
}

impl Cloud {
    async fn read(&self, wanted: &[Wanted]) -> Reading {
        match self {
            Self::Azure(azure) => azure.read(wanted).await,
            Self::Google(google) => google.read(wanted).await,
        }
    }

    fn types(&self) -> BTreeSet<&'static str> {
        let types = match self {
            Self::Azure(_) => azure::types(),
            Self::Google(_) => google::types(),
        };
        types.into_iter().collect()
    }

    fn separate(&self, kind: &str) -> &'static [Separate] {
        match self {
            Self::Azure(_) => azure::separate(kind),
            Self::Google(_) => &[],
        }
    }
}

/// A state against what is there of it, and what is there beyond.
///
/// What the inventory does not give is not compared, nor what the state has no name for.
///
/// # Errors
/// When a state cannot be read. A resource that cannot be is not checked.
pub async fn state(
    cloud: &Cloud,
    mut declared: Vec<Resource<'_>>,
    by: By<'_>,
) -> Result<Comparison, BadState> {
    let types = cloud.types();
    let reading = cloud.read(&wanted(&declared, &types)).await;
    let mut not_checked: Vec<NotChecked> = reading.not_checked.into_iter().map(told).collect();
    let known: BTreeSet<String> =
        declared.iter().filter_map(|resource| Some(resource.id()?.to_lowercase())).collect();
    let there: HashMap<(String, String), serde_json::Value> = reading
        .resources
        .into_iter()
        .map(|live| ((live.kind, live.id), serde_json::Value::Object(live.attributes)))
        .collect();
    let mut resources = Vec::new();
    for resource in &mut declared {
        let Some(id) = resource.id().map(Cow::into_owned) else {
            // Without its id it cannot be told from one that is not there.
            let id = resource.name();
            not_checked.push(NotChecked {
                kind: resource.kind.to_string(),
                id: Some(id.clone()),
                why: "the state does not say its id".to_owned(),
                failed: false,
            });
            resource.id = Some(Cow::Owned(id));
            continue;
        };
        let Some(found) = there.get(&(resource.kind.to_string(), id.clone())) else { continue };
        let (mut says, mut live) = (read(resource)?, owned(found));
        for separate in cloud.separate(&resource.kind) {
            align::apart(&mut says, &mut live, separate, (&id, &known));
        }
        align::align(&mut says, &mut live);
        resource.state = State::Read(says);
        resources.push(Resource {
            address: resource.address.as_ref().map(|address| Cow::Owned(address.to_string())),
            kind: Cow::Owned(resource.kind.to_string()),
            id: Some(Cow::Owned(id)),
            state: State::Read(live),
            secrets: resource.secrets.clone(),
        });
    }
    let kinds = declared.iter().map(|resource| resource.kind.to_string());
    let whole = Whole::Kinds(kinds.filter(|kind| types.contains(kind.as_str())).collect());
    let live = Live { resources, whole, not_checked };
    let engine = Engine { rules: by.rules, scope: Scope::Whole, sealer: by.sealer };
    let mut done = engine.compare(&declared, &live)?;
    let beyond = beyond(reading.undeclared, reading.unlisted, reading.listed);
    for resource in &beyond.resources {
        done.drifts.extend(engine.compare_one(None, Some(resource), &Elsewhere::of(&[]))?);
    }
    done.not_checked.extend(beyond.not_checked);
    done.undeclared = beyond.kinds;
    Ok(done)
}

/// Resources of the types a state has that the state does not name.
pub async fn unmanaged(cloud: &Cloud, known: &[Resource<'_>]) -> Unmanaged {
    let reading = cloud.read(&wanted(known, &cloud.types())).await;
    beyond(reading.undeclared, reading.unlisted, reading.listed)
}

fn beyond(
    resources: Vec<connect_clouds::Live>,
    unlisted: Vec<connect_clouds::NotChecked>,
    listed: BTreeSet<String>,
) -> Unmanaged {
    let resources = resources.into_iter().map(|live| Resource {
        address: None,
        kind: Cow::Owned(live.kind),
        id: Some(Cow::Owned(live.id)),
        state: State::Read(owned(&serde_json::Value::Object(live.attributes))),
        secrets: Vec::new(),
    });
    Unmanaged {
        resources: resources.collect(),
        not_checked: unlisted.into_iter().map(told).collect(),
        kinds: listed.into_iter().collect(),
    }
}

/// What to ask for: everything with an id, so that what is known is not told as unknown.
fn wanted(declared: &[Resource<'_>], types: &BTreeSet<&str>) -> Vec<Wanted> {
    let wanted = declared.iter().filter_map(|resource| {
        let read = types.contains(&*resource.kind);
        let project = if read { text_of(resource, "project") } else { None };
        Some(Wanted { kind: resource.kind.to_string(), id: resource.id()?.into_owned(), project })
    });
    wanted.collect()
}

/// An attribute that is a text.
fn text_of(resource: &Resource<'_>, name: &str) -> Option<String> {
    let value = read(resource).ok()?;
    value.get(name)?.as_text().map(str::to_owned)
}

fn read(resource: &Resource<'_>) -> Result<Value<'static>, BadState> {
    match &resource.state {
        State::Raw(raw) => {
            let read: Result<Value<'_>, _> = serde_json::from_str(raw.get());
            let bad = |source| BadState { address: resource.name(), source };
            read.map(Value::into_owned).map_err(bad)
        }
        State::Read(value) => Ok(value.clone().into_owned()),
    }
}

/// As a document would have it: a tag by the name that stands for something unknown is a tag.
fn owned(json: &serde_json::Value) -> Value<'static> {
    Value::parse(&json.to_string()).map_or(Value::Null, Value::into_owned)
}

fn told(not: connect_clouds::NotChecked) -> NotChecked {
    NotChecked { kind: not.kind, id: not.id, why: not.why, failed: not.failed }
}

#[cfg(test)]
mod tests;
