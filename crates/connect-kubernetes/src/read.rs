//! What is live of what somebody declared, and of what nobody did.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::StreamExt as _;
use serde_json::Value;

use crate::cluster::{Cluster, Error};
use crate::discovery::{Served, Unserved};
use crate::list::Listed;
use crate::object::{Key, Kind};

/// What is to be read.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Objects, each in the version its manifest is written in.
    pub objects: Vec<Key>,
    /// Kinds of which everything is to be read, declared or not.
    pub kinds: Vec<Kind>,
    /// In which namespaces, of kinds that have them; in all when empty.
    pub namespaces: Vec<String>,
}

/// An object that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Its key, with its namespace where its kind has them.
    pub key: Key,
    /// The object as its API version shows it.
    pub object: Value,
}

/// Something nothing can be said of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotChecked {
    /// A kind, or that of the object.
    pub kind: Kind,
    /// The object ([`Key::id`]); all of the kind when absent.
    pub id: Option<String>,
    /// Why.
    pub why: String,
    /// Whether reading it was tried and failed, and may succeed another time.
    pub failed: bool,
}

/// What was read. Every wanted object is in `objects`, in `absent` or in `not_checked`.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// What is there: wanted, or of a wanted kind.
    pub objects: Vec<Live>,
    /// Wanted objects of which the API server says that they are not there.
    pub absent: Vec<Key>,
    /// Wanted kinds of which everything in the wanted namespaces was read.
    pub whole: BTreeSet<Kind>,
    /// What could not be read.
    pub not_checked: Vec<NotChecked>,
    /// How many calls it took.
    pub calls: u64,
    /// How many of them the API server put off.
    pub throttled: u64,
}

/// A list to be made: a kind, in one namespace or in all.
type List = (Kind, Option<String>);

/// What is to be asked for.
#[derive(Debug, Default, PartialEq)]
struct Plan {
    /// Lists, with the wanted objects to be found in each.
    lists: BTreeMap<List, Vec<Key>>,
    /// Objects to be asked for one by one.
    gets: Vec<Key>,
    /// Kinds that are enumerated, with how many lists that takes.
    enumerated: BTreeMap<Kind, usize>,
    not_checked: Vec<NotChecked>,
}

impl Plan {
    /// Few lists in place of many questions, and no question twice.
    fn of(wanted: &Wanted, served: &Served, namespace: &str, list_from: usize) -> Self {
        let mut plan = Self::default();
        for kind in wanted.kinds.iter().collect::<BTreeSet<_>>() {
            let namespaced = match served.find(kind) {
                Ok(resource) => resource.namespaced,
                Err(unserved) => {
                    plan.not_checked.push(unknown(kind.clone(), None, &unserved));
                    continue;
                }
            };
            let places: BTreeSet<Option<String>> = if namespaced && !wanted.namespaces.is_empty() {
                wanted.namespaces.iter().cloned().map(Some).collect()
            } else {
                BTreeSet::from([None])
            };
            plan.enumerated.insert(kind.clone(), places.len());
            for place in places {
                plan.lists.insert((kind.clone(), place), Vec::new());
            }
        }
        let mut rest: BTreeMap<List, BTreeSet<Key>> = BTreeMap::new();
        for key in &wanted.objects {
            let mut key = key.clone();
            match served.find(&key.kind) {
                Ok(resource) if resource.namespaced => {
                    key.namespace.get_or_insert_with(|| namespace.to_owned());
                }
                Ok(_) => key.namespace = None,
                Err(unserved) => {
                    plan.not_checked.push(unknown(key.kind.clone(), Some(key.id()), &unserved));
                    continue;
                }
            }
            rest.entry((key.kind.clone(), key.namespace.clone())).or_default().insert(key);
        }
        for (list, keys) in rest {
            let everywhere = (list.0.clone(), None);
            if let Some(found_there) = plan.lists.get_mut(&everywhere) {
                found_there.extend(keys);
            } else if plan.lists.contains_key(&list) || keys.len() >= list_from.max(1) {
                plan.lists.entry(list).or_default().extend(keys);
            } else {
                plan.gets.extend(keys);
            }
        }
        plan
    }
}

/// A kind nobody knows is read another time only when nobody could say.
fn unknown(kind: Kind, id: Option<String>, unserved: &Unserved) -> NotChecked {
    let failed = matches!(unserved, Unserved::Unanswered { .. });
    NotChecked { kind, id, why: unserved.to_string(), failed }
}

impl Cluster {
    /// Reads what is wanted. Whatever cannot be read is told as not checked, and the rest goes on.
    ///
    /// # Errors
    /// When the API server does not even say what kinds it has, so that nothing can be read.
    pub async fn read(&self, wanted: &Wanted) -> Result<Reading, Error> {
        let (calls, throttled) = (self.calls(), self.throttled());
        let served = self.discover().await?;
        let plan = Plan::of(wanted, &served, &self.namespace, self.limits.list_from);
        let mut reading = Reading { not_checked: plan.not_checked, ..Reading::default() };
        let mut gets = plan.gets;
        let mut missing = plan.enumerated.clone();
        let mut seen = BTreeSet::new();
        let lists = plan.lists.into_iter().map(|((kind, place), keys)| async move {
            let listed = self.list(&kind, place.as_deref(), None).await;
            (kind, place, keys, listed)
        });
        let at_once = self.limits.at_once.max(1);
        let mut lists = futures::stream::iter(lists).buffer_unordered(at_once);
        while let Some((kind, place, keys, listed)) = lists.next().await {
            let enumerated = plan.enumerated.contains_key(&kind);
            match listed {
                Ok(listed) => {
                    reading.take(listed, keys, enumerated, &mut seen);
                    if let Some(missing) = missing.get_mut(&kind) {
                        *missing = missing.saturating_sub(1);
                    }
                }
                Err(error) => {
                    // Who may not list may still be allowed to ask for one.
                    gets.extend(keys);
                    if enumerated {
                        let why = place.map_or_else(
                            || error.to_string(),
                            |place| format!("in namespace {place}: {error}"),
                        );
                        reading.not_checked.push(NotChecked { kind, id: None, why, failed: true });
                    }
                }
            }
        }
        drop(lists);
        let gets = gets.into_iter().map(|key| async move { (self.get(&key).await, key) });
        let mut gets = futures::stream::iter(gets).buffer_unordered(at_once);
        while let Some((answer, key)) = gets.next().await {
            match answer {
                Ok(object) => {
                    seen.insert(key.id());
                    reading.objects.push(Live { key, object });
                }
                Err(Error::NotFound) => reading.absent.push(key),
                Err(error) => {
                    let (id, why) = (Some(key.id()), error.to_string());
                    let kind = key.kind;
                    reading.not_checked.push(NotChecked { kind, id, why, failed: true });
                }
            }
        }
        drop(gets);
        let complete = missing.into_iter().filter(|(_, missing)| *missing == 0);
        reading.whole = complete.map(|(kind, _)| kind).collect();
        reading.objects.sort_by(|a, b| a.key.cmp(&b.key));
        reading.absent.sort();
        reading.not_checked.sort();
        reading.calls = self.calls() - calls;
        reading.throttled = self.throttled() - throttled;
        Ok(reading)
    }
}

impl Reading {
    /// Takes over a list: the wanted objects of it, and all others where the kind is enumerated.
    fn take(
        &mut self,
        listed: Listed,
        keys: Vec<Key>,
        enumerated: bool,
        seen: &mut BTreeSet<String>,
    ) {
        let found =
            listed.objects.into_iter().filter_map(|object| Some((Key::of(&object)?, object)));
        let mut found: HashMap<Key, Value> = found.collect();
        for key in keys {
            match found.remove(&key) {
                Some(object) => {
                    seen.insert(key.id());
                    self.objects.push(Live { key, object });
                }
                None => self.absent.push(key),
            }
        }
        if enumerated {
            for (key, object) in found {
                // Enumerated in another version already, or there in two lists.
                if seen.insert(key.id()) {
                    self.objects.push(Live { key, object });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
