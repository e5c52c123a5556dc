//! An estate as files: states, a configuration, a plan, and what the simulated provider is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::estate::{Estate, Fate, Resource};

/// What drifted: address, how, and the property by which it is told.
pub(crate) type Truth = BTreeSet<(String, String, String)>;

/// Which side of an estate a state is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// As it was applied.
    Declared,
    /// As it is.
    Live,
}

/// How a state is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The file, version 4, as Terraform writes it.
    File,
    /// As `terraform show -json` prints it.
    Shown,
}

/// What drifted in an estate.
pub(crate) fn truth(estate: Estate) -> Truth {
    let told = |resource: Resource| match &resource.fate {
        Fate::Kept | Fate::Rewritten(_) => None,
        Fate::Gone => Some((resource.address(), "deleted".to_owned(), String::new())),
        Fate::Changed(property, _) => {
            Some((resource.address(), "modified".to_owned(), (*property).to_owned()))
        }
    };
    estate.resources().filter_map(told).collect()
}

/// The addresses of what is written differently and says the same.
pub(crate) fn rewritten(estate: Estate) -> BTreeSet<String> {
    let same = estate.resources().filter(|one| matches!(one.fate, Fate::Rewritten(_)));
    same.map(|resource| resource.address()).collect()
}

fn writer(path: &Path) -> Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(1 << 20, File::create(path)?))
}

fn attributes(resource: &Resource, side: Side) -> Option<Map<String, Value>> {
    match side {
        Side::Declared => Some(resource.declared.clone()),
        Side::Live => resource.live(),
    }
}

fn marks(resource: &Resource) -> Value {
    resource.secrets().iter().map(|name| ((*name).to_owned(), Value::Bool(true))).collect()
}

/// Writes a state; gives its size in bytes.
pub(crate) fn state(path: &Path, estate: Estate, side: Side, shape: Shape) -> Result<u64> {
    let mut out = writer(path)?;
    let (head, tail) = match shape {
        Shape::File => (HEAD_OF_FILE, "\n  ],\n  \"check_results\": null\n}\n"),
        Shape::Shown => (HEAD_OF_SHOWN, "]}}}\n"),
    };
    out.write_all(head.as_bytes())?;
    let mut before = false;
    for resource in estate.resources() {
        let Some(attributes) = attributes(&resource, side) else { continue };
        if before {
            out.write_all(b",")?;
        }
        before = true;
        match shape {
            Shape::File => block(&mut out, &resource, &attributes)?,
            Shape::Shown => serde_json::to_writer(&mut out, &shown(&resource, &attributes))?,
        }
    }
    out.write_all(tail.as_bytes())?;
    out.flush()?;
    Ok(out.get_ref().metadata()?.len())
}

const HEAD_OF_FILE: &str = r#"{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": 7,
  "lineage": "b1c0a3f2-6f6e-4b5f-9d53-3d1f0a3c2e11",
  "outputs": {},
  "resources": ["#;

const HEAD_OF_SHOWN: &str = r#"{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{"resources":["#;

fn block(
    out: &mut BufWriter<File>,
    resource: &Resource,
    attributes: &Map<String, Value>,
) -> Result<()> {
    let secrets = resource.secrets();
    let secrets: Vec<_> =
        secrets.iter().map(|name| json!([{"type": "get_attr", "value": name}])).collect();
    let block = json!({
        "mode": "managed", "type": resource.kind, "name": resource.name,
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
        "instances": [{
            "schema_version": 0, "attributes": attributes, "sensitive_attributes": secrets,
            // An empty map of `MessagePack`: what the simulated provider has to remember.
            "private": "gA==",
            "dependencies": ["aws_subnet.private", "aws_vpc.main", "data.aws_ami.base"]
        }]
    });
    for line in serde_json::to_string_pretty(&block)?.lines() {
        write!(out, "\n    {line}")?;
    }
    Ok(())
}

fn shown(resource: &Resource, attributes: &Map<String, Value>) -> Value {
    json!({
        "address": resource.address(), "mode": "managed", "type": resource.kind,
        "name": resource.name, "provider_name": "registry.terraform.io/hashicorp/aws",
        "schema_version": 0, "values": attributes, "sensitive_values": marks(resource)
    })
}

/// Writes what Terraform needs for an estate: configuration, state, and for the simulated provider
/// the types and what changed.
pub(crate) fn workspace(dir: &Path, estate: Estate) -> Result<()> {
    let mut config = writer(&dir.join("main.tf"))?;
    config.write_all(
        b"terraform {\n  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n    }\n  }\n}\n",
    )?;
    let mut live = writer(&dir.join("live.jsonl"))?;
    let mut types: BTreeMap<&str, Value> = BTreeMap::new();
    for resource in estate.resources() {
        writeln!(config, "\nresource \"{}\" \"{}\" {{", resource.kind, resource.name)?;
        for name in resource.configured() {
            // JSON is an expression of HCL, but for templates, of which there are none here.
            let value = resource.declared.get(*name).unwrap_or(&Value::Null);
            writeln!(config, "  {name} = {value}")?;
        }
        writeln!(config, "}}")?;
        let id = resource.declared.get("id");
        let changed = match &resource.fate {
            Fate::Kept => None,
            Fate::Gone => Some(json!({"id": id, "gone": true})),
            Fate::Rewritten(changes) | Fate::Changed(_, changes) => {
                let set: Map<_, _> = changes
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect();
                Some(json!({"id": id, "set": set}))
            }
        };
        if let Some(changed) = changed {
            writeln!(live, "{changed}")?;
        }
        let of_kind = types.entry(resource.kind).or_insert_with(|| json!({}));
        for (name, value) in &resource.declared {
            // What is nothing here may be something elsewhere.
            if of_kind.get(name).is_none() && !value.is_null() || name == "tags" {
                let sensitive = resource.secrets().contains(&name.as_str());
                of_kind[name] = json!({"type": type_of(name, value), "sensitive": sensitive});
            }
        }
    }
    config.flush()?;
    live.flush()?;
    for (kind, of_kind) in &mut types {
        let all = estate.resources().find(|resource| resource.kind == *kind);
        for name in all.iter().flat_map(|resource| resource.declared.keys()) {
            if of_kind.get(name).is_none() {
                of_kind[name] = json!({"type": "string", "sensitive": false});
            }
        }
    }
    std::fs::write(dir.join("types.json"), serde_json::to_vec(&types)?)?;
    state(&dir.join("terraform.tfstate"), estate, Side::Declared, Shape::File)?;
    Ok(())
}

/// The type of a value in Terraform's words.
fn type_of(name: &str, value: &Value) -> Value {
    match value {
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::Null if name != "tags" => json!("string"),
        Value::String(_) => json!("string"),
        Value::Array(items) => {
            json!(["list", items.first().map_or_else(|| json!("string"), |item| type_of("", item))])
        }
        Value::Object(members) if !name.starts_with("tags") => {
            let members: Map<_, _> =
                members.iter().map(|(name, value)| (name.clone(), type_of(name, value))).collect();
            json!(["object", members])
        }
        Value::Object(_) | Value::Null => json!(["map", "string"]),
    }
}

/// Writes a plan of an estate as `terraform plan` and `terraform show -json` print it: what drifted
/// stands in `resource_drift`, and in `resource_changes` that it would be put back.
pub(crate) fn plan(path: &Path, estate: Estate) -> Result<()> {
    let (mut drift, mut changes, mut prior, mut planned) = (vec![], vec![], vec![], vec![]);
    for resource in estate.resources() {
        let (declared, live) = (Value::Object(resource.declared.clone()), resource.live());
        planned.push(shown(&resource, &resource.declared));
        prior.extend(live.as_ref().map(|live| shown(&resource, live)));
        let live = live.map_or(Value::Null, Value::Object);
        let (there, back) = match &resource.fate {
            Fate::Kept => (None, "no-op"),
            Fate::Gone => (Some("delete"), "create"),
            Fate::Rewritten(_) | Fate::Changed(..) => (Some("update"), "update"),
        };
        let entry = |action: &str, before: &Value, after: &Value| {
            json!({
                "address": resource.address(), "mode": "managed", "type": resource.kind,
                "name": resource.name, "provider_name": "registry.terraform.io/hashicorp/aws",
                "change": {
                    "actions": [action], "before": before, "after": after, "after_unknown": {},
                    "before_sensitive": marks(&resource), "after_sensitive": marks(&resource)
                }
            })
        };
        drift.extend(there.map(|action| entry(action, &declared, &live)));
        changes.push(entry(back, &live, &declared));
    }
    let mut out = writer(path)?;
    let module = |resources: Vec<Value>| json!({"root_module": {"resources": resources}});
    serde_json::to_writer(
        &mut out,
        &json!({
            "format_version": "1.2", "terraform_version": "1.11.4",
            "planned_values": module(planned), "resource_drift": drift,
            "resource_changes": changes,
            "prior_state": {
                "format_version": "1.0", "terraform_version": "1.11.4", "values": module(prior)
            },
            "applyable": true, "complete": true, "errored": false
        }),
    )?;
    out.flush()?;
    Ok(())
}

/// Writes what `terraform plan -json` tells on its way: a line for each resource that was read, and
/// one for each that is not as the state says.
pub(crate) fn stream(path: &Path, estate: Estate) -> Result<()> {
    let mut out = writer(path)?;
    let told = |resource: &Resource| {
        json!({
            "addr": resource.address(), "module": "", "resource": resource.address(),
            "implied_provider": "aws", "resource_type": resource.kind,
            "resource_name": resource.name, "resource_key": null
        })
    };
    let line = |kind: &str, name: &str, inside: Value| {
        let mut line = json!({
            "@level": "info", "@message": "", "@module": "terraform.ui",
            "@timestamp": "2026-01-02T03:04:05.000000Z", "type": kind
        });
        line[name] = inside;
        line
    };
    for resource in estate.resources() {
        let hook = json!({
            "resource": told(&resource), "id_key": "id",
            "id_value": resource.declared.get("id")
        });
        writeln!(out, "{}", line("refresh_start", "hook", hook.clone()))?;
        writeln!(out, "{}", line("refresh_complete", "hook", hook))?;
    }
    for resource in estate.resources() {
        let action = match &resource.fate {
            Fate::Kept => continue,
            Fate::Gone => "delete",
            Fate::Rewritten(_) | Fate::Changed(..) => "update",
        };
        let change = json!({"resource": told(&resource), "action": action});
        writeln!(out, "{}", line("resource_drift", "change", change))?;
    }
    out.flush()?;
    Ok(())
}
