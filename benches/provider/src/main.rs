//! A provider of Terraform's that has no cloud. `SIMULATED_TYPES` is a file of the resource types,
//! `SIMULATED_LIVE` one of what is no longer as the state says: a line of JSON each. Reading a
//! resource gives the state back with what that file says of it. Nothing can be made or changed.
//!
//! When Terraform ends it in order it leaves the CPU seconds it took in `SIMULATED_CPU`.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use serde::Deserialize;
use tf_provider::schema::{Attribute, AttributeConstraint, AttributeType, Block, Schema};
use tf_provider::value::{ValueAny, ValueEmpty};
use tf_provider::{
    AttributePath, Diagnostics, DynamicDataSource, DynamicResource, Provider, Resource, serve,
};

/// The provider's name, which its types begin with.
const NAME: &str = "aws";
/// Ticks of the CPU times in /proc, a constant of Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// An attribute as the file of types has it.
#[derive(Debug, Clone, Deserialize)]
struct Told {
    /// As Terraform writes types: `"string"`, `["list", "string"]`, `["object", {…}]`.
    r#type: serde_json::Value,
    #[serde(default)]
    sensitive: bool,
}

/// What is there of a resource, where that is not what the state says.
#[derive(Debug, Clone, Deserialize)]
struct Changed {
    id: String,
    /// It is not there any more.
    #[serde(default)]
    gone: bool,
    /// Attributes with another value.
    #[serde(default)]
    set: BTreeMap<String, ValueAny>,
}

type Live = HashMap<String, Changed>;

#[derive(Debug, Clone)]
struct Kind {
    attributes: HashMap<String, Attribute>,
    live: Arc<Live>,
}

fn attribute_type(told: &serde_json::Value) -> Result<AttributeType> {
    let words = told.as_array().map(Vec::as_slice);
    Ok(match (told.as_str(), words) {
        (Some("string"), _) => AttributeType::String,
        (Some("number"), _) => AttributeType::Number,
        (Some("bool"), _) => AttributeType::Bool,
        (_, Some([kind, inside])) => match kind.as_str() {
            Some("list") => AttributeType::List(Box::new(attribute_type(inside)?)),
            Some("set") => AttributeType::Set(Box::new(attribute_type(inside)?)),
            Some("map") => AttributeType::Map(Box::new(attribute_type(inside)?)),
            Some("object") => {
                let members = inside.as_object().context("an object without members")?;
                let members = members
                    .iter()
                    .map(|(name, inside)| Ok((name.clone(), attribute_type(inside)?)));
                AttributeType::Object(members.collect::<Result<_>>()?)
            }
            _ => anyhow::bail!("no type is {told}"),
        },
        _ => anyhow::bail!("no type is {told}"),
    })
}

#[async_trait]
impl Resource for Kind {
    type State<'a> = ValueAny;
    type PrivateState<'a> = ValueEmpty;
    type ProviderMetaState<'a> = ValueEmpty;

    fn schema(&self, _diags: &mut Diagnostics) -> Option<Schema> {
        let block = Block { version: 0, attributes: self.attributes.clone(), ..Block::default() };
        Some(Schema { version: 0, block })
    }

    async fn read<'a>(
        &self,
        _diags: &mut Diagnostics,
        mut state: ValueAny,
        private: ValueEmpty,
        _meta: ValueEmpty,
    ) -> Option<(ValueAny, ValueEmpty)> {
        if let ValueAny::Map(attributes) = &mut state
            && let Some(ValueAny::String(id)) = attributes.get("id")
            && let Some(changed) = self.live.get(id)
        {
            if changed.gone {
                return None;
            }
            attributes.extend(changed.set.clone());
        }
        Some((state, private))
    }

    async fn plan_create<'a>(
        &self,
        diags: &mut Diagnostics,
        _proposed: ValueAny,
        _config: ValueAny,
        _meta: ValueEmpty,
    ) -> Option<(ValueAny, ValueEmpty)> {
        refuse(diags)
    }

    async fn plan_update<'a>(
        &self,
        diags: &mut Diagnostics,
        _prior: ValueAny,
        _proposed: ValueAny,
        _config: ValueAny,
        _private: ValueEmpty,
        _meta: ValueEmpty,
    ) -> Option<(ValueAny, ValueEmpty, Vec<AttributePath>)> {
        refuse(diags)
    }

    async fn plan_destroy<'a>(
        &self,
        diags: &mut Diagnostics,
        _prior: ValueAny,
        _private: ValueEmpty,
        _meta: ValueEmpty,
    ) -> Option<ValueEmpty> {
        refuse(diags)
    }

    async fn create<'a>(
        &self,
        diags: &mut Diagnostics,
        _planned: ValueAny,
        _config: ValueAny,
        _private: ValueEmpty,
        _meta: ValueEmpty,
    ) -> Option<(ValueAny, ValueEmpty)> {
        refuse(diags)
    }

    async fn update<'a>(
        &self,
        diags: &mut Diagnostics,
        _prior: ValueAny,
        _planned: ValueAny,
        _config: ValueAny,
        _private: ValueEmpty,
        _meta: ValueEmpty,
    ) -> Option<(ValueAny, ValueEmpty)> {
        refuse(diags)
    }

    async fn destroy<'a>(
        &self,
        diags: &mut Diagnostics,
        _state: ValueAny,
        _private: ValueEmpty,
        _meta: ValueEmpty,
    ) -> Option<()> {
        refuse(diags)
    }
}

fn refuse<T>(diags: &mut Diagnostics) -> Option<T> {
    diags.root_error_short("a simulated provider only reads");
    None
}

#[derive(Debug)]
struct Simulated {
    kinds: HashMap<String, Kind>,
}

#[async_trait]
impl Provider for Simulated {
    type Config<'a> = ValueEmpty;
    type MetaState<'a> = ValueEmpty;

    fn schema(&self, _diags: &mut Diagnostics) -> Option<Schema> {
        Some(Schema { version: 0, block: Block { version: 0, ..Block::default() } })
    }

    async fn validate<'a>(&self, _diags: &mut Diagnostics, _config: ValueEmpty) -> Option<()> {
        Some(())
    }

    async fn configure<'a>(
        &self,
        _diags: &mut Diagnostics,
        _terraform_version: String,
        _config: ValueEmpty,
    ) -> Option<()> {
        Some(())
    }

    fn get_resources(
        &self,
        _diags: &mut Diagnostics,
    ) -> Option<HashMap<String, Box<dyn DynamicResource>>> {
        let kinds = self.kinds.iter().map(|(name, kind)| (name.clone(), kind.clone().into()));
        Some(kinds.collect())
    }

    fn get_data_sources(
        &self,
        _diags: &mut Diagnostics,
    ) -> Option<HashMap<String, Box<dyn DynamicDataSource>>> {
        Some(HashMap::new())
    }
}

fn file(variable: &str) -> Result<PathBuf> {
    Ok(std::env::var_os(variable).with_context(|| format!("{variable} is not set"))?.into())
}

fn simulated() -> Result<Simulated> {
    let live = std::fs::read_to_string(file("SIMULATED_LIVE")?)?;
    let live = live.lines().map(|line| {
        let changed: Changed = serde_json::from_str(line)?;
        Ok((changed.id.clone(), changed))
    });
    let live = Arc::new(live.collect::<Result<Live>>()?);
    let types = std::fs::read_to_string(file("SIMULATED_TYPES")?)?;
    let types: HashMap<String, HashMap<String, Told>> = serde_json::from_str(&types)?;
    let mut kinds = HashMap::new();
    for (name, told) in types {
        let attributes = told.into_iter().map(|(name, told)| {
            let attribute = Attribute {
                attr_type: attribute_type(&told.r#type)?,
                constraint: AttributeConstraint::OptionalComputed,
                sensitive: told.sensitive,
                ..Attribute::default()
            };
            Ok((name, attribute))
        });
        let kind = Kind { attributes: attributes.collect::<Result<_>>()?, live: live.clone() };
        let name = name.strip_prefix(NAME).and_then(|name| name.strip_prefix('_'));
        kinds.insert(name.context("a type of another provider")?.to_owned(), kind);
    }
    Ok(Simulated { kinds })
}

/// The CPU seconds of this process.
fn taken() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let ticks = |at: usize| rest.split(' ').nth(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

#[tokio::main]
async fn main() -> Result<()> {
    serve(NAME, simulated()?).await?;
    if let (Ok(path), Some(taken)) = (file("SIMULATED_CPU"), taken()) {
        std::fs::write(path, taken.to_string())?;
    }
    Ok(())
}
