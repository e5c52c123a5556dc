//! What is there, read from a cluster.

use std::borrow::Cow;
use std::collections::BTreeMap;

use connect_kubernetes::{Cluster, Key, Wanted};
use sense::drift::compare::{
    BadState, Comparison, Elsewhere, Engine, Live, NotChecked, Resource, State, Whole,
};
use sense::drift::value::Value;
use sense::drift::{ChangeType, DriftType, manifest};

/// As whom dry runs are made.
const MANAGER: &str = "countersign";

/// What is there of the declared objects, which are told the namespace they are in.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn read(
    cluster: &Cluster,
    namespace: &str,
    declared: &mut [Resource<'static>],
) -> Result<Live<'static>, connect_kubernetes::Error> {
    let wanted = Wanted { objects: declared.iter().filter_map(key).collect(), ..Wanted::default() };
    let reading = cluster.read(&wanted).await?;
    // Whether a kind has namespaces the cluster knows: its answers say in which an object is.
    let told = reading.objects.iter().map(|live| live.key.id());
    let told = told.chain(reading.absent.iter().map(Key::id));
    let told: Vec<String> =
        told.chain(reading.not_checked.iter().filter_map(|not| not.id.clone())).collect();
    for resource in declared.iter_mut() {
        let Some(key) = key(resource).filter(|key| key.namespace.is_none()) else { continue };
        let inside = Key { namespace: Some(namespace.to_owned()), ..key };
        if told.contains(&inside.id()) {
            let address = format!("{}/{namespace}/{}", inside.kind.kind, inside.name);
            resource.address = Some(Cow::Owned(address));
            resource.id = Some(Cow::Owned(inside.id()));
        }
    }
    let live = reading.objects.iter();
    let resources =
        live.filter_map(|live| manifest::resource(Value::from_json(&live.object).into_owned()));
    let not_checked = reading.not_checked.iter().map(|not| NotChecked {
        kind: not.kind.kind.clone(),
        id: not.id.clone(),
        why: not.why.clone(),
        failed: not.failed,
    });
    Ok(Live {
        resources: resources.collect(),
        // Each object was asked for, so that one that is neither there nor unread is gone.
        whole: Whole::Everything,
        not_checked: not_checked.collect(),
    })
}

fn key(resource: &Resource<'_>) -> Option<Key> {
    match &resource.state {
        State::Read(value) => Key::of(&value.to_json()),
        State::Raw(_) => None,
    }
}

/// Leaves out what the cluster says an apply would not change: it knows its own formats. Objects of
/// which it does not say stay as they were found.
///
/// # Errors
/// When a state cannot be read.
pub async fn settle(
    cluster: &Cluster,
    engine: &Engine<'_>,
    (declared, live): (&[Resource<'static>], &Live<'static>),
    mut done: Comparison,
) -> Result<Comparison, BadState> {
    let by_name: BTreeMap<String, &Resource<'static>> =
        declared.iter().map(|resource| (resource.name(), resource)).collect();
    let there: BTreeMap<String, &Resource<'static>> =
        live.resources.iter().map(|resource| (resource.name(), resource)).collect();
    for drift in &mut done.drifts {
        let pair = (by_name.get(&drift.address), there.get(&drift.address));
        let (DriftType::Modified, (Some(declared), Some(there))) = (drift.drift, pair) else {
            continue;
        };
        let State::Read(manifest) = &declared.state else { continue };
        let Ok(made) = cluster.dry_run(&manifest.to_json(), MANAGER).await else { continue };
        let made = manifest::resource(Value::from_json(&made).into_owned());
        let changed = engine.compare_one(made.as_ref(), Some(there), &Elsewhere::of(&[]))?;
        let changed: Vec<String> = changed
            .map(|drift| drift.changes.into_iter().map(|change| change.path).collect())
            .unwrap_or_default();
        // What somebody added an apply leaves alone, and is drift all the same.
        drift
            .changes
            .retain(|change| change.change == ChangeType::Added || changed.contains(&change.path));
    }
    let before = done.drifts.len();
    done.drifts.retain(|drift| drift.drift != DriftType::Modified || !drift.changes.is_empty());
    done.in_sync += before - done.drifts.len();
    Ok(done)
}
