//! Intents of outside systems: what somebody else is about to do, typed, and what it counts as.
//!
//! The decision API judges these and starts nothing: whoever asked acts, or does not. The class of
//! such a change comes from the action table, by its type and never by its words (document 003 has
//! the types; the table has a row for each).

use std::collections::BTreeSet;

use model::level::EnvironmentClass;
use model::plan::{BlastRadius, BlastScope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::action::{Category, Classified, Table};
use crate::blast;
use crate::constants::ConstantSet;
use crate::decimal::Decimal;
use crate::exact::Exact;
use crate::risk::{Belief, RiskInput, Similar};

mod cost;
pub mod recall;

/// The most targets one intent may name.
const MOST_TARGETS: usize = 1_000;
/// The longest name, size or scope, in characters.
const LONGEST_NAME: usize = 256;
/// The longest justification, in characters.
const LONGEST_TEXT: usize = 2_000;

model::words! {
    /// What kind of intent it is.
    IntentType {
        /// Make a resource.
        ProvisionResource = "provision_resource",
        /// Change the configuration of a service.
        DeployConfig = "deploy_config",
        /// Give somebody access.
        GrantAccess = "grant_access",
        /// Anything else, by its typed action.
        Generic = "generic",
    }
}

model::words! {
    /// What can be provisioned.
    ResourceType {
        /// A virtual machine.
        Vm = "vm",
        /// Storage.
        StorageAccount = "storage_account",
        /// A database.
        Database = "database",
        /// A cluster.
        KubernetesCluster = "kubernetes_cluster",
        /// Functions.
        FunctionApp = "function_app",
        /// A network.
        VirtualNetwork = "virtual_network",
    }
}

model::words! {
    /// The regions document 003 provisions in.
    Region {
        /// US east.
        EastUs = "eastus",
        /// US east, second.
        EastUs2 = "eastus2",
        /// US west.
        WestUs = "westus",
        /// Europe west.
        WestEurope = "westeurope",
        /// Europe north.
        NorthEurope = "northeurope",
        /// Asia south-east.
        SoutheastAsia = "southeastasia",
        /// Asia east.
        EastAsia = "eastasia",
        /// Japan east.
        JapanEast = "japaneast",
        /// Brazil south.
        BrazilSouth = "brazilsouth",
    }
}

model::words! {
    /// How much of a service a deployment changes.
    ChangeScope {
        /// One instance.
        SingleInstance = "single_instance",
        /// A small share.
        Canary = "canary",
        /// All of it.
        Global = "global",
    }
}

model::words! {
    /// What access is given.
    PermissionLevel {
        /// Look.
        Read = "read",
        /// Change.
        Write = "write",
        /// Everything.
        Admin = "admin",
    }
}

/// Make a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionResource {
    /// `vm`, `storage_account`, `database`, `kubernetes_cluster`, `function_app`,
    /// `virtual_network`.
    #[schema(value_type = String, example = "vm")]
    pub resource_type: ResourceType,
    /// One of nine regions: `eastus`, `eastus2`, `westus`, `westeurope`, `northeurope`,
    /// `southeastasia`, `eastasia`, `japaneast`, `brazilsouth`.
    #[schema(value_type = String, example = "westeurope")]
    pub region: Region,
    /// Its size, in the provider's words.
    #[schema(example = "Standard_D2s_v3", min_length = 1, max_length = 256)]
    pub size: String,
    /// `dev`, `test`, `staging`, `prod`.
    #[schema(value_type = String, example = "staging")]
    pub environment: EnvironmentClass,
    /// Settings.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub configuration: Map<String, Value>,
}

/// Change the configuration of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployConfig {
    /// Which.
    #[schema(example = "checkout", min_length = 3, max_length = 256)]
    pub service_name: String,
    /// `single_instance`, `canary`, `global`.
    #[schema(value_type = String, example = "canary")]
    pub change_scope: ChangeScope,
    /// The environment: `dev`, `test`, `staging`, `prod`.
    #[schema(value_type = String, example = "prod")]
    pub deployment_target: EnvironmentClass,
    /// How risky whoever asks thinks it is, 0 to 1. It can only tighten.
    #[serde(default)]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1, example = 0.2)]
    pub risk_level_hint: Option<Exact>,
    /// What is set.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub configuration: Map<String, Value>,
}

/// Give somebody access. It has no environment and counts as production.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantAccess {
    /// To whom.
    #[schema(example = "ci@example.com", min_length = 1, max_length = 256)]
    pub principal: String,
    /// `read`, `write`, `admin`.
    #[schema(value_type = String, example = "read")]
    pub permission_level: PermissionLevel,
    /// To what: a path.
    #[schema(example = "/subscriptions/s1/resourceGroups/web", min_length = 1, max_length = 256)]
    pub resource_scope: String,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub justification: Option<String>,
}

/// Anything else, by its typed action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Generic {
    /// A key of the action table (`GET /actions`); what it does not know is a write of tier high.
    #[schema(example = "kubectl.scale", min_length = 1, max_length = 256)]
    pub action: String,
    /// `dev`, `test`, `staging`, `prod`.
    #[schema(value_type = String, example = "staging")]
    pub environment: EnvironmentClass,
    /// What is touched, by name; at least one.
    #[schema(example = json!(["checkout"]), min_items = 1, max_items = 1000)]
    pub targets: Vec<String>,
    /// Whether there is no way back. It can only tighten.
    #[serde(default)]
    pub irreversible: bool,
    /// Settings.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub configuration: Map<String, Value>,
}

/// An intent of an outside system's.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outside {
    /// Make a resource.
    ProvisionResource(ProvisionResource),
    /// Change the configuration of a service.
    DeployConfig(DeployConfig),
    /// Give somebody access.
    GrantAccess(GrantAccess),
    /// Anything else.
    Generic(Generic),
}

/// What is wrong with an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a JSON pointer into the payload.
    pub path: String,
    /// A stable word.
    pub code: &'static str,
    /// In words.
    pub message: String,
}

/// What a policy is told about an intent beyond its action, its place and its risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntentFacts {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IntentType,
    /// What is asked for; numbers that are no integers are strings.
    pub payload: Value,
    /// What it is expected to cost a month, in US dollars: the higher of what the price table and
    /// whoever asks say. Unknown is `null`, not nothing.
    pub monthly_cost: Option<Decimal>,
    /// Policies whoever asks says it breaks.
    pub reported_violations: Vec<String>,
}

impl Outside {
    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> IntentType {
        match self {
            Self::ProvisionResource(_) => IntentType::ProvisionResource,
            Self::DeployConfig(_) => IntentType::DeployConfig,
            Self::GrantAccess(_) => IntentType::GrantAccess,
            Self::Generic(_) => IntentType::Generic,
        }
    }

    /// What its types alone let pass.
    ///
    /// # Errors
    /// The first fault, with its path.
    pub fn check(&self) -> Result<(), Fault> {
        match self {
            Self::ProvisionResource(one) => sized("/size", &one.size, 1, LONGEST_NAME),
            Self::DeployConfig(one) => {
                sized("/service_name", &one.service_name, 3, LONGEST_NAME)?;
                match one.risk_level_hint {
                    Some(hint) if !(0.0..=1.0).contains(&hint.0) => {
                        fault("/risk_level_hint", "out_of_range", "must be from 0 to 1")
                    }
                    _ => Ok(()),
                }
            }
            Self::GrantAccess(one) => {
                sized("/principal", &one.principal, 1, LONGEST_NAME)?;
                sized("/resource_scope", &one.resource_scope, 1, LONGEST_NAME)?;
                if !one.resource_scope.starts_with('/') {
                    return fault("/resource_scope", "shape", "must start with /");
                }
                let why = one.justification.as_deref().unwrap_or_default();
                sized("/justification", why, 0, LONGEST_TEXT)
            }
            Self::Generic(one) => {
                sized("/action", &one.action, 1, LONGEST_NAME)?;
                if one.targets.is_empty() || one.targets.len() > MOST_TARGETS {
                    return fault("/targets", "length", "must name 1 to 1000 targets");
                }
                for (at, target) in one.targets.iter().enumerate() {
                    sized(&format!("/targets/{at}"), target, 1, LONGEST_NAME)?;
                }
                Ok(())
            }
        }
    }

    /// The canonical form: keys that were left out with their defaults, numbers that are no
    /// integers as the shortest text that reads back to them.
    #[must_use]
    pub fn payload(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        without_floats(&mut value);
        value
    }

    /// The typed action it counts as.
    #[must_use]
    pub fn action(&self) -> String {
        match self {
            Self::ProvisionResource(one) => format!("provision.{}", one.resource_type),
            Self::DeployConfig(one) => format!("deploy.config.{}", one.change_scope),
            Self::GrantAccess(one) => format!("access.grant.{}", one.permission_level),
            Self::Generic(one) => one.action.clone(),
        }
    }

    /// What the action table says of it. A deployment to what is called a database teaches, and is
    /// taught by, databases.
    #[must_use]
    pub fn classify(&self, table: &Table) -> Classified {
        let classified = table.classify(&self.action());
        match self {
            Self::DeployConfig(one)
                if one.service_name.to_ascii_lowercase().contains("database") =>
            {
                Classified { category: Category::Database, ..classified }
            }
            _ => classified,
        }
    }

    /// Where. What names no environment counts as production.
    #[must_use]
    pub const fn environment(&self) -> EnvironmentClass {
        match self {
            Self::ProvisionResource(one) => one.environment,
            Self::DeployConfig(one) => one.deployment_target,
            Self::GrantAccess(_) => EnvironmentClass::Prod,
            Self::Generic(one) => one.environment,
        }
    }

    /// What is touched, by name.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        match self {
            Self::ProvisionResource(one) => {
                vec![format!("new {} in {}", one.resource_type, one.region)]
            }
            Self::DeployConfig(one) => vec![one.service_name.clone()],
            Self::GrantAccess(one) => vec![one.resource_scope.clone()],
            Self::Generic(one) => one.targets.clone(),
        }
    }

    /// How far it reaches.
    #[must_use]
    pub fn blast(&self, classified: &Classified) -> BlastRadius {
        let targets = match self {
            Self::Generic(one) => one.targets.iter().collect::<BTreeSet<_>>().len(),
            _ => 1,
        };
        let targets = u32::try_from(targets).unwrap_or(u32::MAX);
        let scope = match self {
            Self::DeployConfig(one) if one.change_scope == ChangeScope::Global => {
                BlastScope::Account
            }
            Self::GrantAccess(one) => scope_of(&one.resource_scope),
            _ => blast::scope(targets),
        };
        let said = matches!(self, Self::Generic(one) if one.irreversible);
        BlastRadius {
            targets,
            scope,
            irreversible: said || classified.irreversible,
            environments: vec![self.environment()],
        }
    }

    /// In one line.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::ProvisionResource(one) => {
                format!("provision {} {} in {}", one.resource_type, one.size, one.region)
            }
            Self::DeployConfig(one) => {
                format!("deploy configuration of {}, {}", one.service_name, one.change_scope)
            }
            Self::GrantAccess(one) => {
                let (level, scope) = (one.permission_level, &one.resource_scope);
                format!("grant {} {level} on {scope}", one.principal)
            }
            Self::Generic(one) => match one.targets.as_slice() {
                [target] => format!("{} on {target}", one.action),
                targets => format!("{} on {} targets", one.action, targets.len()),
            },
        }
    }

    /// What a policy is told of it.
    #[must_use]
    pub fn facts(&self, estimated: Option<Decimal>, violations: &[String]) -> IntentFacts {
        IntentFacts {
            kind: self.kind(),
            payload: self.payload(),
            monthly_cost: cost::higher(cost::monthly(self), estimated),
            reported_violations: violations.to_vec(),
        }
    }

    /// What its risk depends on.
    #[must_use]
    pub fn risk(
        &self,
        table: &Table,
        belief: Option<Belief>,
        similar: Vec<Similar>,
        constants: &ConstantSet,
    ) -> RiskInput {
        let classified = self.classify(table);
        let hint = match self {
            Self::DeployConfig(one) => one.risk_level_hint,
            _ => None,
        };
        RiskInput {
            category: classified.category,
            blast: self.blast(&classified),
            actions: vec![classified],
            table_version: table.version,
            belief,
            impact: Exact(0.0),
            opportunity: Exact(0.0),
            predictive: hint.unwrap_or(Exact(0.0)),
            similar,
            constants: constants.clone(),
        }
    }
}

/// The categories outcomes of an action are asked about by: the table's, and databases for what
/// deploys configuration, as [`Outside::classify`] has it.
#[must_use]
pub fn categories(action: &str, table: &Table) -> Vec<Category> {
    let own = table.classify(action).category;
    let databases = action.starts_with("deploy.config.") && own != Category::Database;
    std::iter::once(own).chain(databases.then_some(Category::Database)).collect()
}

/// How much a grant opens: a whole subscription, a group of resources, or a part of one.
fn scope_of(path: &str) -> BlastScope {
    match path.split('/').filter(|part| !part.is_empty()).count() {
        0..=2 => BlastScope::Account,
        3..=4 => BlastScope::Cluster,
        _ => BlastScope::Namespace,
    }
}

/// Writes every number that is no integer of 53 bits as a string: the shortest text that reads back
/// to it. What is signed has no others.
pub fn without_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let safe = model::canonical::MAX_SAFE_INTEGER;
            let whole = number.as_u64().is_some_and(|number| number <= safe)
                || number.as_i64().is_some_and(|number| number.unsigned_abs() <= safe);
            if !whole {
                *value = Value::String(number.to_string());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_floats),
        Value::Object(fields) => fields.values_mut().for_each(without_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn fault(path: &str, code: &'static str, message: &str) -> Result<(), Fault> {
    Err(Fault { path: path.to_owned(), code, message: message.to_owned() })
}

fn sized(path: &str, text: &str, least: usize, most: usize) -> Result<(), Fault> {
    if (least..=most).contains(&text.chars().count()) {
        return Ok(());
    }
    fault(path, "length", &format!("must have {least} to {most} characters"))
}

#[cfg(test)]
mod tests;
