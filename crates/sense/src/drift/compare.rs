//! Which resources differ: the declared against those that are there.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::diff::{Comparer, Scope};
use super::path::{Path, Step};
use super::rules::{Repeats, Rules};
use super::seal::Sealer;
use super::value::Value;
use super::{Change, ChangeType, Drift, DriftType};

#[cfg(test)]
mod tests;

/// A resource as one side has it.
#[derive(Debug, Clone)]
pub struct Resource<'a> {
    /// What declarations call it, when this side knows.
    pub address: Option<Cow<'a, str>>,
    /// Its type, in the words of declarations.
    pub kind: Cow<'a, str>,
    /// What the provider calls it, when it was read already.
    pub id: Option<Cow<'a, str>>,
    /// Its properties.
    pub state: State<'a>,
    /// Where in them this side says that secrets are.
    pub secrets: Vec<Path>,
}

/// The properties of a resource. Most are never looked into: they are the same to the byte.
#[derive(Debug, Clone)]
pub enum State<'a> {
    /// A part of a document.
    Raw(&'a RawValue),
    /// Read already.
    Read(Value<'a>),
}

/// A state that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the state of {address} cannot be read")]
pub struct BadState {
    /// Whose.
    pub address: String,
    /// What is wrong with it.
    #[source]
    pub source: serde_json::Error,
}

#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
}

impl<'a> Resource<'a> {
    /// What people find it by.
    #[must_use]
    pub fn name(&self) -> String {
        let address = self.address.as_deref().map(Cow::Borrowed);
        address.or_else(|| self.id()).map_or_else(String::new, Cow::into_owned)
    }

    /// What the provider calls it: the property `id`, where it was not read already.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'_, str>> {
        if let Some(id) = &self.id {
            return Some(Cow::Borrowed(id));
        }
        match &self.state {
            State::Raw(raw) => serde_json::from_str::<Id<'_>>(raw.get()).ok()?.id,
            State::Read(value) => value.get("id")?.as_text().map(Cow::Borrowed),
        }
    }

    /// A property of its that is a text.
    fn text_of(&self, name: &str) -> Option<String> {
        let read;
        let value = match &self.state {
            State::Raw(raw) => {
                read = Value::parse(raw.get())?;
                &read
            }
            State::Read(value) => value,
        };
        value.get(name)?.as_text().map(str::to_owned)
    }

    /// Its properties, with a seal for each of what are secrets on either side.
    fn read(&self, secrets: [&[Path]; 2], sealer: &Sealer) -> Result<Value<'_>, BadState> {
        let mut value = match &self.state {
            State::Raw(raw) => serde_json::from_str(raw.get())
                .map_err(|source| BadState { address: self.name(), source })?,
            State::Read(value) => value.clone(),
        };
        for path in secrets.into_iter().flatten() {
            seal(&mut value, path, sealer);
        }
        Ok(value)
    }
}

fn seal(value: &mut Value<'_>, path: &[Step], sealer: &Sealer) {
    let Some((step, inside)) = path.split_first() else {
        if !matches!(value, Value::Null) {
            *value = Value::Sealed(sealer.seal(value));
        }
        return;
    };
    let part = match (step, value) {
        (Step::Name(name) | Step::Key(name), Value::Map(members)) => {
            members.iter_mut().find(|(own, _)| own == name).map(|(_, value)| value)
        }
        (Step::Index(place), Value::List(items)) => items.get_mut(*place),
        _ => None,
    };
    if let Some(part) = part {
        seal(part, inside, sealer);
    }
}

/// Something that was not looked at, so that nothing is said of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NotChecked {
    /// A type of resources, or of the one.
    pub kind: String,
    /// The resource; all of the type when absent.
    pub id: Option<String>,
    /// Why.
    pub why: String,
    /// Whether reading it was tried and failed, and may succeed another time.
    pub failed: bool,
}

/// What is there, as far as it could be read.
#[derive(Debug, Clone, Default)]
pub struct Live<'a> {
    /// The resources.
    pub resources: Vec<Resource<'a>>,
    /// The types of which all resources are here: of these one that is missing is not there.
    pub whole: Whole,
    /// What could not be read.
    pub not_checked: Vec<NotChecked>,
}

/// Of which types everything was read.
#[derive(Debug, Clone, Default)]
pub enum Whole {
    /// Of all there are.
    #[default]
    Everything,
    /// Of these.
    Kinds(BTreeSet<String>),
}

impl Live<'_> {
    /// Why nothing can be said of a resource that was not found.
    fn unknown(&self, kind: &str, id: Option<&str>) -> Option<NotChecked> {
        let told =
            |not: &&NotChecked| not.kind == kind && (not.id.is_none() || not.id.as_deref() == id);
        if let Some(not) = self.not_checked.iter().find(told) {
            return Some(not.clone());
        }
        match &self.whole {
            Whole::Everything => None,
            Whole::Kinds(kinds) if kinds.contains(kind) => None,
            Whole::Kinds(_) => Some(NotChecked {
                kind: kind.to_owned(),
                id: id.map(str::to_owned),
                why: "resources of this type are not read".to_owned(),
                failed: false,
            }),
        }
    }
}

/// What declared resources say of others.
#[derive(Debug)]
pub struct Elsewhere<'d> {
    declared: &'d [Resource<'d>],
    /// The ids that resources of a type name by a property, once somebody asked.
    named: RefCell<HashMap<(String, String), BTreeSet<String>>>,
}

impl<'d> Elsewhere<'d> {
    /// What these say.
    #[must_use]
    pub fn of(declared: &'d [Resource<'d>]) -> Self {
        Self { declared, named: RefCell::default() }
    }

    /// Whether one of them says what a resource with this id would repeat.
    fn says(&self, repeats: &Repeats, id: &str) -> bool {
        let key = (repeats.r#type.clone(), repeats.by.clone());
        let mut named = self.named.borrow_mut();
        let ids = named.entry(key).or_insert_with(|| {
            let of_type = self.declared.iter().filter(|resource| resource.kind == repeats.r#type);
            of_type.filter_map(|resource| resource.text_of(&repeats.by)).collect()
        });
        ids.contains(id)
    }
}

/// What came of comparing.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Comparison {
    /// What differs, by type and address.
    pub drifts: Vec<Drift>,
    /// How many resources are as declared.
    pub in_sync: usize,
    /// What was not looked at.
    pub not_checked: Vec<NotChecked>,
    /// The types of which what nothing declares was looked for; `*` is all of them.
    pub undeclared: Vec<String>,
}

/// Compares resources under these rules.
#[derive(Debug, Clone)]
pub struct Engine<'r> {
    /// What counts as the same.
    pub rules: &'r Rules,
    /// How much declarations speak of.
    pub scope: Scope,
    /// What secrets are compared and shown by.
    pub sealer: &'r Sealer,
}

impl<'r> Engine<'r> {
    /// Every declared resource against the one that is there, and what is there beyond.
    ///
    /// # Errors
    /// When a state that has to be looked into cannot be read.
    pub fn compare(
        &self,
        declared: &[Resource<'_>],
        live: &Live<'_>,
    ) -> Result<Comparison, BadState> {
        let mut done = Comparison::default();
        let mut kinds = Kinds::of(self);
        let elsewhere = Elsewhere::of(declared);
        let by_address: HashMap<&str, usize> =
            places(&live.resources, |resource| resource.address.as_deref());
        // Looked into only for what no address leads to.
        let mut by_id: Option<HashMap<(String, String), usize>> = None;
        let mut met = vec![false; live.resources.len()];
        let mut alone = Vec::new();
        for resource in declared {
            let place = resource.address.as_deref().and_then(|address| by_address.get(address));
            let there = place.and_then(|place| {
                *met.get_mut(*place)? = true;
                live.resources.get(*place)
            });
            match there {
                Some(there) => {
                    let comparer = kinds.comparer(&resource.kind);
                    done.count(pair(comparer, (resource, there), &elsewhere)?);
                }
                None => alone.push(resource),
            }
        }
        for resource in alone {
            let by_id = by_id.get_or_insert_with(|| ids(&live.resources, &met));
            let id = resource.id().map(Cow::into_owned);
            let key = id.clone().map(|id| (resource.kind.to_string(), id));
            let there = key.and_then(|key| by_id.remove(&key)).and_then(|place| {
                *met.get_mut(place)? = true;
                live.resources.get(place)
            });
            let comparer = kinds.comparer(&resource.kind);
            match there {
                Some(there) => done.count(pair(comparer, (resource, there), &elsewhere)?),
                None => match live.unknown(&resource.kind, id.as_deref()) {
                    Some(not) => {
                        done.not_checked.push(NotChecked { id: Some(resource.name()), ..not });
                    }
                    None => done.count(Some(single(comparer, resource, DriftType::Deleted)?)),
                },
            }
        }
        for (resource, met) in live.resources.iter().zip(met) {
            if !met {
                let comparer = kinds.comparer(&resource.kind);
                done.drifts.push(single(comparer, resource, DriftType::Added)?);
            }
        }
        in_order(&mut done.drifts);
        done.undeclared = match &live.whole {
            Whole::Everything => vec!["*".to_owned()],
            Whole::Kinds(kinds) => kinds.iter().cloned().collect(),
        };
        Ok(done)
    }

    /// One resource on both sides, or on one; `None` when they are the same.
    ///
    /// # Errors
    /// When a state cannot be read.
    pub fn compare_one(
        &self,
        declared: Option<&Resource<'_>>,
        actual: Option<&Resource<'_>>,
        elsewhere: &Elsewhere<'_>,
    ) -> Result<Option<Drift>, BadState> {
        Kinds::of(self).compare_one(declared, actual, elsewhere)
    }

    /// What is declared of a resource, fit to be shown and stored: secrets are digests.
    ///
    /// # Errors
    /// When its state cannot be read.
    pub fn declared(&self, resource: &Resource<'_>) -> Result<serde_json::Value, BadState> {
        let rules = self.rules.about(&resource.kind);
        let comparer = Comparer { rules, scope: self.scope, sealer: self.sealer };
        let state = resource.read([resource.secrets.as_slice(), &[]], self.sealer)?;
        Ok(comparer.shown(&state))
    }
}

/// What is needed to compare resources of the types that were met: looked up once a type.
#[derive(Debug)]
pub(super) struct Kinds<'e, 'r> {
    engine: &'e Engine<'r>,
    met: HashMap<String, Comparer<'r>>,
}

impl<'e, 'r> Kinds<'e, 'r> {
    pub(super) fn of(engine: &'e Engine<'r>) -> Self {
        Self { engine, met: HashMap::new() }
    }

    fn comparer(&mut self, kind: &str) -> &Comparer<'r> {
        if !self.met.contains_key(kind) {
            let Engine { rules, scope, sealer } = *self.engine;
            let comparer = Comparer { rules: rules.about(kind), scope, sealer };
            self.met.insert(kind.to_owned(), comparer);
        }
        self.met.get(kind).unwrap_or_else(|| unreachable!("it was put there"))
    }

    /// As [`Engine::compare_one`].
    pub(super) fn compare_one(
        &mut self,
        declared: Option<&Resource<'_>>,
        actual: Option<&Resource<'_>>,
        elsewhere: &Elsewhere<'_>,
    ) -> Result<Option<Drift>, BadState> {
        let Some(kind) = declared.or(actual).map(|resource| &resource.kind) else {
            return Ok(None);
        };
        let comparer = self.comparer(kind);
        match (declared, actual) {
            (Some(declared), Some(actual)) => pair(comparer, (declared, actual), elsewhere),
            (Some(declared), None) => single(comparer, declared, DriftType::Deleted).map(Some),
            (None, Some(actual)) => single(comparer, actual, DriftType::Added).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Comparison {
    fn count(&mut self, drift: Option<Drift>) {
        match drift {
            Some(drift) => self.drifts.push(drift),
            None => self.in_sync += 1,
        }
    }
}

/// By type and address; what has the same of both, by what the provider calls it.
pub(super) fn in_order(drifts: &mut [Drift]) {
    drifts.sort_by(|one, other| {
        let key = |drift: &Drift| (drift.kind.clone(), drift.address.clone(), drift.id.clone());
        key(one).cmp(&key(other))
    });
}

fn places<'l>(
    resources: &'l [Resource<'_>],
    by: impl Fn(&'l Resource<'_>) -> Option<&'l str>,
) -> HashMap<&'l str, usize> {
    let named = resources.iter().enumerate();
    named.filter_map(|(place, resource)| Some((by(resource)?, place))).collect()
}

fn ids(resources: &[Resource<'_>], met: &[bool]) -> HashMap<(String, String), usize> {
    let left = resources.iter().zip(met).enumerate().filter(|(_, (_, met))| !**met);
    left.filter_map(|(place, (resource, _))| {
        Some(((resource.kind.to_string(), resource.id()?.into_owned()), place))
    })
    .collect()
}

fn pair(
    comparer: &Comparer<'_>,
    (declared, actual): (&Resource<'_>, &Resource<'_>),
    elsewhere: &Elsewhere<'_>,
) -> Result<Option<Drift>, BadState> {
    let moved = match (&declared.address, &actual.address) {
        (Some(from), Some(to)) if from != to => Some((from, to)),
        _ => None,
    };
    if let (State::Raw(one), State::Raw(other), None) = (&declared.state, &actual.state, moved)
        && one.get() == other.get()
    {
        return Ok(None);
    }
    let secrets = [declared.secrets.as_slice(), actual.secrets.as_slice()];
    let one = declared.read(secrets, comparer.sealer)?;
    let other = actual.read(secrets, comparer.sealer)?;
    let mut found = comparer.differences(&one, &other);
    let id = actual.id().or_else(|| declared.id()).map(Cow::into_owned);
    if let Some(id) = &id {
        found.retain(|difference| {
            let repeats = comparer.rules.repeats(&difference.path);
            !repeats.into_iter().any(|repeats| elsewhere.says(repeats, id))
        });
    }
    let mut changes: Vec<Change> = found.iter().map(|found| comparer.told(found)).collect();
    if let Some((from, to)) = moved {
        changes.push(Change {
            path: "address".to_owned(),
            steps: vec![Step::Name("address".to_owned())],
            change: ChangeType::Modified,
            declared: Some(from.as_ref().into()),
            actual: Some(to.as_ref().into()),
        });
    }
    if changes.is_empty() {
        return Ok(None);
    }
    Ok(Some(Drift {
        address: declared.name(),
        kind: declared.kind.to_string(),
        id,
        drift: if moved.is_some() { DriftType::Moved } else { DriftType::Modified },
        changes,
        declared: Some(comparer.shown(&one)),
        actual: Some(comparer.shown(&other)),
    }))
}

/// A resource that only one side has.
fn single(
    comparer: &Comparer<'_>,
    resource: &Resource<'_>,
    drift: DriftType,
) -> Result<Drift, BadState> {
    let state = resource.read([resource.secrets.as_slice(), &[]], comparer.sealer)?;
    let shown = Some(comparer.shown(&state));
    let (declared, actual) =
        if drift == DriftType::Deleted { (shown, None) } else { (None, shown) };
    Ok(Drift {
        address: resource.name(),
        kind: resource.kind.to_string(),
        id: resource.id().map(Cow::into_owned),
        drift,
        changes: Vec::new(),
        declared,
        actual,
    })
}
