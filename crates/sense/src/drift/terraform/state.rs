//! States: the file, and as `terraform show -json` prints it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::marked;
use crate::drift::compare::{Resource, State};
use crate::drift::path::{Path, Step};
use crate::drift::value::Value;

/// The file, version 4.
#[derive(Deserialize)]
struct StateFile<'a> {
    #[serde(borrow)]
    resources: Vec<Block<'a>>,
}

/// The instances of one declaration.
#[derive(Deserialize)]
pub(super) struct Block<'a> {
    #[serde(borrow, default)]
    module: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    instances: Vec<Instance<'a>>,
}

#[derive(Deserialize)]
struct Instance<'a> {
    #[serde(borrow, default)]
    index_key: Option<Value<'a>>,
    #[serde(borrow, default)]
    deposed: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    attributes: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sensitive_attributes: Option<&'a RawValue>,
}

impl<'a> Instance<'a> {
    /// Its attributes, when it is declared.
    fn declared(&self) -> Option<&'a RawValue> {
        // What was replaced and could not be deleted yet has no declaration any more.
        if self.deposed.is_none() { self.attributes } else { None }
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Resource<'_>>, serde_json::Error> {
    let file: StateFile<'_> = serde_json::from_str(text)?;
    resources(file.resources)
}

/// What these declare.
pub(super) fn resources(blocks: Vec<Block<'_>>) -> Result<Vec<Resource<'_>>, serde_json::Error> {
    let mut resources = Vec::new();
    for block in blocks {
        block.add_to(&mut resources)?;
    }
    Ok(resources)
}

impl<'a> Block<'a> {
    /// Its type.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// What no other block of a state is called: module, mode, type and name.
    pub(super) fn full_name(&self) -> String {
        [self.module.as_deref().unwrap_or_default(), &self.mode, &self.kind, &self.name].join(" ")
    }

    /// How many resources it declares.
    pub(super) fn declares(&self) -> usize {
        // What was only read is not declared.
        if self.mode != "managed" {
            return 0;
        }
        self.instances.iter().filter(|instance| instance.declared().is_some()).count()
    }

    /// Adds what it declares.
    fn add_to(self, resources: &mut Vec<Resource<'a>>) -> Result<(), serde_json::Error> {
        // What was only read is not declared.
        if self.mode != "managed" {
            return Ok(());
        }
        let name = match &self.module {
            Some(module) => format!("{module}.{}.{}", self.kind, self.name),
            None => format!("{}.{}", self.kind, self.name),
        };
        for instance in self.instances {
            let Some(attributes) = instance.declared() else { continue };
            let address = match &instance.index_key {
                None | Some(Value::Null) => name.clone(),
                Some(key) => format!("{name}[{}]", key.to_json()),
            };
            let secrets = match instance.sensitive_attributes {
                // Most have none.
                Some(raw) if raw.get() != "[]" => listed(&serde_json::from_str(raw.get())?),
                Some(_) | None => Vec::new(),
            };
            resources.push(Resource {
                address: Some(Cow::Owned(address)),
                kind: self.kind.clone(),
                id: None,
                state: State::Raw(attributes),
                secrets,
            });
        }
        Ok(())
    }
}

/// Marks as the file has them: lists of steps, `{"type": "get_attr", "value": "password"}`.
fn listed(marks: &Value<'_>) -> Vec<Path> {
    let Value::List(marks) = marks else { return Vec::new() };
    let step = |step: &Value<'_>| {
        let value = step.get("value")?;
        // The key of a list or a map names its type as well.
        match value.get("value").unwrap_or(value) {
            Value::Text(name) => Some(Step::Name(name.to_string())),
            Value::Number(place) => Some(Step::Index(usize::try_from(place.as_u64()?).ok()?)),
            _ => None,
        }
    };
    let path = |mark: &Value<'_>| match mark {
        // What a step cannot be read of is marked from there on.
        Value::List(steps) => Some(steps.iter().map_while(step).collect()),
        _ => None,
    };
    marks.iter().filter_map(path).collect()
}

/// What `terraform show -json` prints of a state.
#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(borrow, default)]
    values: Option<Values<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Values<'a> {
    #[serde(borrow, default)]
    root_module: Module<'a>,
}

#[derive(Deserialize, Default)]
struct Module<'a> {
    #[serde(borrow, default)]
    resources: Vec<ShownResource<'a>>,
    #[serde(borrow, default)]
    child_modules: Vec<Module<'a>>,
}

#[derive(Deserialize)]
struct ShownResource<'a> {
    #[serde(borrow)]
    address: Cow<'a, str>,
    #[serde(borrow)]
    mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    deposed_key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    values: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sensitive_values: Option<&'a RawValue>,
}

pub(super) fn read_shown(text: &str) -> Result<Vec<Resource<'_>>, serde_json::Error> {
    let shown: Shown<'_> = serde_json::from_str(text)?;
    shown.values.map_or_else(|| Ok(Vec::new()), Values::resources)
}

impl<'a> Values<'a> {
    pub(super) fn resources(self) -> Result<Vec<Resource<'a>>, serde_json::Error> {
        let mut resources = Vec::new();
        let mut modules = vec![self.root_module];
        while let Some(module) = modules.pop() {
            modules.extend(module.child_modules);
            let managed = module
                .resources
                .into_iter()
                .filter(|resource| resource.mode == "managed" && resource.deposed_key.is_none());
            for resource in managed {
                let Some(values) = resource.values else { continue };
                let secrets = match resource.sensitive_values {
                    Some(raw) if raw.get() != "{}" => marked(&serde_json::from_str(raw.get())?),
                    Some(_) | None => Vec::new(),
                };
                resources.push(Resource {
                    address: Some(resource.address),
                    kind: resource.kind,
                    id: None,
                    state: State::Raw(values),
                    secrets,
                });
            }
        }
        Ok(resources)
    }
}
