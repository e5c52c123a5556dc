//! What is there, read from AWS.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use connect_aws::Aws;
use sense::drift::cloudformation::Stack;
use sense::drift::compare::{Live, NotChecked, Resource, State, Whole};
use sense::drift::unmanaged;
use sense::drift::value::Value;

/// The stack a template belongs to, with what its functions need.
///
/// # Errors
/// When there is none, or it may not be read.
pub async fn stack(aws: &Aws, name: &str) -> Result<Stack, connect_aws::Error> {
    let stack = aws.stack(name).await?;
    // `arn:aws:cloudformation:<region>:<account>:stack/<name>/<id>`
    let account = stack.id.split(':').nth(4).map(str::to_owned);
    Ok(Stack {
        parameters: stack
            .parameters
            .into_iter()
            .map(|(name, value)| (name, Value::text(value)))
            .collect(),
        physical: stack
            .resources
            .into_iter()
            .filter_map(|(logical, resource)| Some((logical, resource.id?)))
            .collect(),
        name: Some(stack.name),
        region: Some(aws.region().to_owned()),
        account,
    })
}

/// What is there of a stack's resources. What belongs to no stack is somebody else's.
pub async fn of_stack(aws: &Aws, declared: &mut [Resource<'static>]) -> Live<'static> {
    for resource in declared.iter_mut() {
        if let State::Read(value) = &mut resource.state {
            let kind = resource.kind.to_string();
            unread(value, &kind, &mut Vec::new());
        }
    }
    let kinds: BTreeSet<String> =
        declared.iter().map(|resource| resource.kind.to_string()).collect();
    let mut reading = aws.read(&kinds).await;
    let ids: BTreeMap<String, String> = declared
        .iter()
        .filter_map(|resource| resource.id().map(Cow::into_owned))
        .map(|id| (without_host(&id).to_owned(), id))
        .collect();
    let mut resources = Vec::new();
    for live in reading.resources {
        let mut names = std::iter::once(&live.id).chain(&live.also);
        let Some(id) = names.find_map(|id| ids.get(without_host(id)).cloned()) else { continue };
        resources.push(Resource {
            address: None,
            kind: live.kind.into(),
            id: Some(id.into()),
            state: State::Read(Value::from_json(&live.properties).into_owned()),
            secrets: Vec::new(),
        });
    }
    // Without its physical id a resource cannot be told from one that is not there.
    for resource in declared.iter().filter(|resource| resource.id().is_none()) {
        reading.not_checked.push(connect_aws::NotChecked {
            kind: resource.kind.to_string(),
            id: Some(resource.name()),
            why: "the stack does not say its physical id".to_owned(),
            failed: false,
        });
    }
    let not_checked = reading.not_checked.into_iter().map(|not| NotChecked {
        kind: not.kind,
        id: not.id,
        why: not.why,
        failed: not.failed,
    });
    Live { resources, whole: Whole::Kinds(reading.whole), not_checked: not_checked.collect() }
}

/// What a queue is called: its URL names an endpoint as well, of which a region has several.
fn without_host(id: &str) -> &str {
    let Some((_, rest)) = id.split_once("://") else { return id };
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or(id)
}

/// What is there that no state names.
#[derive(Debug)]
pub struct Unmanaged {
    /// The resources.
    pub resources: Vec<Resource<'static>>,
    /// What could not be read.
    pub not_checked: Vec<NotChecked>,
    /// The types, in Terraform's words, of which everything was read.
    pub kinds: Vec<String>,
}

/// Resources of the types a state has that the state does not name.
pub async fn unmanaged(aws: &Aws, known: &[Resource<'_>]) -> Unmanaged {
    let types: BTreeMap<&'static str, &str> = known
        .iter()
        .filter_map(|resource| Some((unmanaged::cloud_type(&resource.kind)?, &*resource.kind)))
        .collect();
    let kinds: BTreeSet<String> = types.keys().map(|kind| (*kind).to_owned()).collect();
    let ids: BTreeSet<String> = known
        .iter()
        .filter_map(|resource| Some(without_host(&resource.id()?).to_owned()))
        .collect();
    let reading = aws.read(&kinds).await;
    let mut resources = Vec::new();
    for live in reading.resources {
        let Some(kind) = types.get(live.kind.as_str()) else { continue };
        let state = Value::from_json(&live.properties);
        let mut names = std::iter::once(&live.id).chain(&live.also);
        if names.any(|id| ids.contains(without_host(id)))
            || unmanaged::of_the_provider(kind, &state)
        {
            continue;
        }
        resources.push(Resource {
            address: None,
            kind: (*kind).to_owned().into(),
            id: Some(live.id.into()),
            state: State::Read(state.into_owned()),
            secrets: Vec::new(),
        });
    }
    let not_checked = reading.not_checked.into_iter().map(|not| NotChecked {
        kind: types
            .get(not.kind.as_str())
            .map_or_else(|| not.kind.clone(), |kind| (*kind).to_owned()),
        id: not.id,
        why: not.why,
        failed: not.failed,
    });
    let whole = reading.whole.iter().filter_map(|kind| types.get(kind.as_str()));
    Unmanaged {
        resources,
        not_checked: not_checked.collect(),
        kinds: whole.map(|kind| (*kind).to_owned()).collect(),
    }
}

/// Properties that nobody reads are not compared.
fn unread(value: &mut Value<'static>, kind: &str, path: &mut Vec<String>) {
    if !path.is_empty() {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        if !connect_aws::reads(kind, &names) {
            *value = Value::Unknown;
            return;
        }
    }
    match value {
        Value::Map(members) => {
            for (name, value) in members {
                path.push(name.to_string());
                unread(value, kind, path);
                path.pop();
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| unread(item, kind, path)),
        _ => (),
    }
}
