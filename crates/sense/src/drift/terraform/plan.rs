//! Plans as `terraform show -json` prints them: what changed outside of Terraform since the state
//! was written stands in `resource_drift`, and what Terraform would do in `resource_changes`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::marked;
use super::state::Values;
use crate::drift::compare::{
    BadState, Comparison, Elsewhere, Engine, Kinds, Resource, State, in_order,
};

/// A plan.
#[derive(Debug)]
pub struct Plan<'a> {
    /// What is no longer as the state says.
    pub drift: Vec<Planned<'a>>,
    /// What Terraform would do.
    pub changes: Vec<Planned<'a>>,
    /// The resources of the state.
    pub known: Vec<Resource<'a>>,
}

/// One resource of a plan, before and after.
#[derive(Debug)]
pub struct Planned<'a> {
    /// Its address.
    pub address: Cow<'a, str>,
    /// What happens to it: `no-op`, `create`, `read`, `update`, `delete`.
    pub actions: Vec<Cow<'a, str>>,
    /// As the state has it.
    pub before: Option<Resource<'a>>,
    /// As it is, or would be.
    pub after: Option<Resource<'a>>,
}

/// The parts of a plan that count here.
#[derive(Deserialize)]
pub(super) struct PlanFile<'a> {
    #[serde(borrow, default)]
    pub(super) resource_drift: Vec<ChangeOf<'a>>,
    #[serde(borrow, default)]
    pub(super) resource_changes: Vec<ChangeOf<'a>>,
    #[serde(borrow, default)]
    pub(super) prior_state: Option<Prior<'a>>,
}

/// The state a plan was made from.
#[derive(Deserialize)]
pub(super) struct Prior<'a> {
    #[serde(borrow, default)]
    values: Option<Values<'a>>,
}

/// What happens to a resource.
#[derive(Deserialize)]
pub(super) struct ChangeOf<'a> {
    #[serde(borrow)]
    address: Cow<'a, str>,
    #[serde(borrow, default)]
    previous_address: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    deposed: Option<Cow<'a, str>>,
    #[serde(borrow)]
    change: Sides<'a>,
}

#[derive(Deserialize)]
struct Sides<'a> {
    #[serde(borrow)]
    actions: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    before: Option<&'a RawValue>,
    #[serde(borrow, default)]
    after: Option<&'a RawValue>,
    #[serde(borrow, default)]
    before_sensitive: Option<&'a RawValue>,
    #[serde(borrow, default)]
    after_sensitive: Option<&'a RawValue>,
}

pub(super) fn read(text: &str) -> Result<Plan<'_>, serde_json::Error> {
    of(serde_json::from_str(text)?)
}

pub(super) fn of(file: PlanFile<'_>) -> Result<Plan<'_>, serde_json::Error> {
    let known = file.prior_state.and_then(|prior| prior.values);
    Ok(Plan {
        drift: planned(file.resource_drift)?,
        changes: planned(file.resource_changes)?,
        known: known.map_or_else(|| Ok(Vec::new()), Values::resources)?,
    })
}

fn planned<'a>(changes: Vec<ChangeOf<'a>>) -> Result<Vec<Planned<'a>>, serde_json::Error> {
    let managed =
        changes.into_iter().filter(|change| change.mode == "managed" && change.deposed.is_none());
    managed
        .map(|change| {
            let sides = change.change;
            let side =
                |raw: Option<&'a RawValue>, marks: Option<&'a RawValue>, address: &Cow<'a, str>| {
                    let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(None) };
                    let secrets = match marks {
                        Some(marks) if !matches!(marks.get(), "{}" | "false") => {
                            marked(&serde_json::from_str(marks.get())?)
                        }
                        Some(_) | None => Vec::new(),
                    };
                    let resource = Resource {
                        address: Some(address.clone()),
                        kind: change.kind.clone(),
                        id: None,
                        state: State::Raw(raw),
                        secrets,
                    };
                    Ok(Some(resource))
                };
            let previous = change.previous_address.as_ref().unwrap_or(&change.address);
            Ok(Planned {
                before: side(sides.before, sides.before_sensitive, previous)?,
                after: side(sides.after, sides.after_sensitive, &change.address)?,
                address: change.address,
                actions: sides.actions,
            })
        })
        .collect()
}

impl Plan<'_> {
    /// What changed outside of Terraform. What the plan lists though it is the same is left out.
    ///
    /// # Errors
    /// When a state cannot be read.
    pub fn drifts(&self, engine: &Engine<'_>) -> Result<Comparison, BadState> {
        let mut drifts = Vec::new();
        let elsewhere = Elsewhere::of(&self.known);
        let mut kinds = Kinds::of(engine);
        for planned in &self.drift {
            let sides = (planned.before.as_ref(), planned.after.as_ref());
            drifts.extend(kinds.compare_one(sides.0, sides.1, &elsewhere)?);
        }
        in_order(&mut drifts);
        let in_sync = self.known.len().saturating_sub(drifts.len());
        Ok(Comparison { drifts, in_sync, ..Comparison::default() })
    }
}
