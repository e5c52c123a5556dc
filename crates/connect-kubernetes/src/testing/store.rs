//! What the fake API server holds: objects, their owners, what happened, and the rules of changing
//! them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::defaults;
use super::fields::{self, Fields, Owner};
use super::kinds::{Known, of_kind};
use super::merge;

/// A refusal: status, reason, message, and more of its details.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) details: Value,
}

pub(super) fn refused(status: u16, reason: &'static str, message: impl Into<String>) -> Refused {
    Refused { status, reason, message: message.into(), details: json!({}) }
}

/// Plural, namespace (empty without) and name.
pub(super) type Place = (&'static str, String, String);

#[derive(Debug, Clone)]
struct Kept {
    object: Value,
    owners: Vec<Owner>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub(super) version: u64,
    pub(super) plural: &'static str,
    pub(super) event: &'static str,
    pub(super) object: Value,
}

/// Who changes something, and whether it comes about.
#[derive(Debug, Clone)]
pub(super) struct By {
    pub(super) manager: String,
    pub(super) subresource: String,
    pub(super) dry: bool,
    pub(super) force: bool,
}

/// How an object is patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patch {
    Json,
    Merge,
    Strategic,
}

#[derive(Debug, Default)]
pub(super) struct Store {
    objects: BTreeMap<Place, Kept>,
    pub(super) version: u64,
    /// What is older is forgotten.
    pub(super) oldest: u64,
    pub(super) happened: Vec<Happened>,
    /// Lists whose next page may be asked for.
    pub(super) pages: BTreeMap<String, (u64, Vec<Value>)>,
}

impl Store {
    pub(super) fn get(&self, place: &Place) -> Option<Value> {
        self.objects.get(place).map(shown)
    }

    /// The objects of a plural, in one namespace or in all.
    pub(super) fn all(&self, plural: &str, namespace: Option<&str>) -> Vec<Value> {
        let of = self.objects.iter().filter(|((own, space, _), _)| {
            *own == plural && namespace.is_none_or(|namespace| namespace == space)
        });
        of.map(|(_, kept)| shown(kept)).collect()
    }

    /// Keeps a new object.
    pub(super) fn create(
        &mut self,
        known: &Known,
        namespace: &str,
        mut object: Value,
        by: &By,
    ) -> Result<Value, Refused> {
        self.begin(known, namespace, &mut object)?;
        if object["metadata"]["name"].is_null()
            && let Some(prefix) = object["metadata"]["generateName"].as_str()
        {
            object["metadata"]["name"] = format!("{prefix}{:05}", self.version).into();
        }
        let place = place(known, namespace, &object);
        if self.objects.contains_key(&place) {
            let (name, plural) = (&place.2, place.0);
            return Err(refused(
                409,
                "AlreadyExists",
                format!("{plural} \"{name}\" already exists"),
            ));
        }
        let mut kept = Kept { object, owners: Vec::new() };
        self.finish(known, &place, None, &mut kept, by)?;
        let set = fields::of(&kept.object);
        kept.owners.push(owner(by, "Update", known, set));
        Ok(self.keep(&place, None, kept, by))
    }

    /// Puts an object in the place of another.
    pub(super) fn replace(
        &mut self,
        known: &Known,
        place: &Place,
        object: Value,
        by: &By,
    ) -> Result<Value, Refused> {
        let before = self.objects.get(place).cloned().ok_or_else(|| missing(known, place))?;
        let version = &object["metadata"]["resourceVersion"];
        if !version.is_null() && *version != before.object["metadata"]["resourceVersion"] {
            return Err(refused(
                409,
                "Conflict",
                format!(
                    "Operation cannot be fulfilled on {} \"{}\": the object has been modified; \
                     please apply your changes to the latest version and try again",
                    place.0, place.2
                ),
            ));
        }
        self.update(known, place, &before, object, by)
    }

    /// Patches an object.
    pub(super) fn patch(
        &mut self,
        known: &Known,
        place: &Place,
        (way, patch): (Patch, &Value),
        by: &By,
    ) -> Result<Value, Refused> {
        let before = self.objects.get(place).cloned().ok_or_else(|| missing(known, place))?;
        let mut object = shown(&before);
        match way {
            Patch::Merge => merge::merge_patch(&mut object, patch),
            Patch::Strategic => merge::strategic(&mut object, patch),
            Patch::Json => merge::json_patch(&mut object, patch)
                .map_err(|fault| refused(422, "Invalid", fault))?,
        }
        self.replace(known, place, object, by)
    }

    /// What `by` changes of an object by writing it anew.
    fn update(
        &mut self,
        known: &Known,
        place: &Place,
        before: &Kept,
        mut object: Value,
        by: &By,
    ) -> Result<Value, Refused> {
        self.begin(known, &place.1, &mut object)?;
        let mut owners = before.owners.clone();
        if let Some(told) = object["metadata"]["managedFields"].as_array()
            && Some(told) != shown(before)["metadata"]["managedFields"].as_array()
        {
            owners = told.iter().map(told_owner).collect();
        }
        let mut kept = Kept { object, owners };
        self.finish(known, place, Some(before), &mut kept, by)?;
        let (old, new) = (fields::of(&before.object), fields::of(&kept.object));
        let differs = |path: &&fields::Path| {
            !old.contains(*path)
                || fields::at(&before.object, path) != fields::at(&kept.object, path)
                    && !path.last().is_some_and(|step| step.starts_with("k:"))
        };
        let changed: Fields = new.iter().filter(differs).cloned().collect();
        for owner in &mut kept.owners {
            owner.fields.retain(|path| new.contains(path) && !changed.contains(path));
        }
        if !changed.is_empty() {
            let own = kept.owners.iter_mut().find(|owner| {
                (owner.manager.as_str(), owner.operation) == (by.manager.as_str(), "Update")
                    && owner.subresource == by.subresource
            });
            match own {
                Some(own) => own.fields.extend(changed),
                None => kept.owners.push(owner(by, "Update", known, changed)),
            }
        }
        kept.owners.retain(|owner| !owner.fields.is_empty());
        Ok(self.keep(place, Some(before), kept, by))
    }

    /// Server-side apply. Says as well whether the object is new.
    pub(super) fn apply(
        &mut self,
        known: &Known,
        place: &Place,
        mut manifest: Value,
        by: &By,
    ) -> Result<(Value, bool), Refused> {
        if !manifest["metadata"]["managedFields"].is_null() {
            return Err(refused(400, "BadRequest", "metadata.managedFields must be nil"));
        }
        self.begin(known, &place.1, &mut manifest)?;
        let set = fields::of(&manifest);
        let before = self.objects.get(place).cloned();
        let mut kept =
            before.clone().unwrap_or_else(|| Kept { object: json!({}), owners: Vec::new() });
        let own = |owner: &Owner| owner.manager == by.manager && owner.operation == "Apply";
        conflicts(&kept, &manifest, &set, by)?;
        for owner in kept.owners.iter_mut().filter(|owner| !own(owner)) {
            owner.fields.retain(|path| {
                !set.contains(path)
                    || fields::at(&kept.object, path) == fields::at(&manifest, path)
                    || path.last().is_some_and(|step| step.starts_with("k:"))
            });
        }
        let had = kept.owners.iter().find(|owner| own(owner)).map(|owner| owner.fields.clone());
        fields::lay("", &mut kept.object, &manifest);
        for path in had.unwrap_or_default().difference(&set) {
            // What it says now it may say in another form: a list that was empty has items.
            let still = set.iter().any(|said| said.starts_with(path));
            let mut others = kept.owners.iter().filter(|owner| !own(owner));
            let held =
                still || others.any(|owner| owner.fields.iter().any(|held| held.starts_with(path)));
            if !held {
                fields::remove(&mut kept.object, path);
            }
        }
        self.finish(known, place, before.as_ref(), &mut kept, by)?;
        match kept.owners.iter_mut().find(|owner| own(owner)) {
            Some(owner) => owner.fields = set,
            None => kept.owners.push(owner(by, "Apply", known, set)),
        }
        kept.owners.retain(|owner| !owner.fields.is_empty());
        let fresh = before.is_none();
        Ok((self.keep(place, before.as_ref(), kept, by), fresh))
    }

    /// Looks at what is given, before anything is done with it.
    fn begin(&self, known: &Known, namespace: &str, object: &mut Value) -> Result<(), Refused> {
        let said = (object["apiVersion"].as_str(), object["kind"].as_str());
        if said != (Some(&known.api_version()), Some(known.kind)) {
            return Err(refused(400, "BadRequest", format!("not a {}", known.kind)));
        }
        if known.namespaced {
            let told = object["metadata"]["namespace"].as_str().unwrap_or(namespace);
            if told != namespace {
                let message = "the namespace of the provided object does not match the namespace \
                               sent on the request";
                return Err(refused(400, "BadRequest", message));
            }
            object["metadata"]["namespace"] = namespace.into();
            let there = ("namespaces", String::new(), namespace.to_owned());
            if !self.objects.contains_key(&there) {
                let message = format!("namespaces \"{namespace}\" not found");
                return Err(refused(404, "NotFound", message));
            }
        }
        Ok(())
    }

    /// Completes and checks what is to be kept.
    fn finish(
        &self,
        known: &Known,
        place: &Place,
        before: Option<&Kept>,
        kept: &mut Kept,
        by: &By,
    ) -> Result<(), Refused> {
        let object = &mut kept.object;
        defaults::complete(object, self.version);
        let metadata = &mut object["metadata"];
        metadata["name"] = place.2.clone().into();
        if let Some(members) = metadata.as_object_mut() {
            members.remove("managedFields");
        }
        match before {
            None => {
                metadata["uid"] = uuid::Uuid::now_v7().to_string().into();
                metadata["creationTimestamp"] = now().into();
                if let Some(members) = metadata.as_object_mut() {
                    members.remove("resourceVersion");
                }
                let counted = !matches!(known.group, "" | "autoscaling");
                if object["spec"].is_object() && counted {
                    object["metadata"]["generation"] = 1.into();
                }
            }
            Some(before) => {
                let own = &before.object["metadata"];
                for name in ["uid", "creationTimestamp", "resourceVersion", "generation"] {
                    if !own[name].is_null() {
                        metadata[name] = own[name].clone();
                    }
                }
                if let Some(generation) = own["generation"].as_u64()
                    && object["spec"] != before.object["spec"]
                {
                    object["metadata"]["generation"] = (generation + 1).into();
                }
                if by.subresource != "status" && !before.object["status"].is_null() {
                    object["status"] = before.object["status"].clone();
                }
            }
        }
        check(object, before.map(|before| &before.object))
    }

    /// Keeps an object, unless nothing of it is new or nothing is to come about.
    fn keep(&mut self, place: &Place, before: Option<&Kept>, mut kept: Kept, by: &By) -> Value {
        let bare = |kept: &Kept| {
            let owners: Vec<_> = kept
                .owners
                .iter()
                .map(|owner| Owner { time: String::new(), ..owner.clone() })
                .collect();
            (kept.object.clone(), owners)
        };
        if by.dry || before.is_some_and(|before| bare(before) == bare(&kept)) {
            return shown(&kept);
        }
        self.version += 1;
        kept.object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let metadata = &kept.object["metadata"];
        if !metadata["deletionTimestamp"].is_null() && metadata["finalizers"].is_null() {
            self.objects.remove(place);
            return self.tell(place.0, "DELETED", shown(&kept));
        }
        let event = if before.is_some() { "MODIFIED" } else { "ADDED" };
        let answer = shown(&kept);
        let templates = |kept: &Kept| kept.object["spec"]["template"].clone();
        let rolled = place.0 == "deployments" && before.map(templates) != Some(templates(&kept));
        self.objects.insert(place.clone(), kept);
        self.tell(place.0, event, answer.clone());
        if rolled {
            self.roll_out(place);
        }
        if place.0 == "namespaces" && before.is_none() {
            self.furnish(&place.2);
        }
        answer
    }

    fn tell(&mut self, plural: &'static str, event: &'static str, object: Value) -> Value {
        let version = self.version;
        self.happened.push(Happened { version, plural, event, object: object.clone() });
        object
    }

    /// What the deployment controller writes on a deployment whose pods are to be others.
    fn roll_out(&mut self, place: &Place) {
        const REVISION: &str = "deployment.kubernetes.io/revision";
        self.version += 1;
        let version = self.version.to_string();
        let Some(kept) = self.objects.get_mut(place) else { return };
        let metadata = &mut kept.object["metadata"];
        let last = metadata["annotations"][REVISION].as_str().and_then(|text| text.parse().ok());
        metadata["annotations"][REVISION] = (last.unwrap_or(0_u64) + 1).to_string().into();
        metadata["resourceVersion"] = version.into();
        kept.object["status"]["observedGeneration"] = kept.object["metadata"]["generation"].clone();
        let object = shown(kept);
        self.tell(place.0, "MODIFIED", object);
    }

    /// What controllers put into every namespace.
    fn furnish(&mut self, namespace: &str) {
        let by = By {
            manager: "kube-controller-manager".to_owned(),
            subresource: String::new(),
            dry: false,
            force: false,
        };
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
                             "metadata": {"name": "default"}});
        let authority = json!({"apiVersion": "v1", "kind": "ConfigMap",
                               "metadata": {"name": "kube-root-ca.crt"},
                               "data": {"ca.crt": "a certificate"}});
        for object in [account, authority] {
            let kind = object["kind"].as_str().unwrap_or_default();
            if let Some(known) = of_kind("v1", kind) {
                self.create(known, namespace, object, &by).ok();
            }
        }
    }

    /// Takes an object away, at once or when its finalizers have gone.
    pub(super) fn delete(
        &mut self,
        known: &Known,
        place: &Place,
        uid: Option<&str>,
        dry: bool,
    ) -> Result<Value, Refused> {
        let kept = self.objects.get(place).cloned().ok_or_else(|| missing(known, place))?;
        let own = &kept.object["metadata"]["uid"];
        if uid.is_some_and(|uid| own != uid) {
            return Err(refused(409, "Conflict", "the UID in the precondition is another"));
        }
        let answer = shown(&kept);
        if dry {
            return Ok(answer);
        }
        if !kept.object["metadata"]["finalizers"].is_null() {
            let mut waiting = kept;
            self.version += 1;
            waiting.object["metadata"]["deletionTimestamp"] = now().into();
            waiting.object["metadata"]["resourceVersion"] = self.version.to_string().into();
            let object = shown(&waiting);
            self.objects.insert(place.clone(), waiting);
            return Ok(self.tell(place.0, "MODIFIED", object));
        }
        let mut gone = vec![place.clone()];
        if place.0 == "namespaces" {
            gone.extend(self.objects.keys().filter(|inside| inside.1 == place.2).cloned());
        }
        for place in gone {
            if let Some(mut kept) = self.objects.remove(&place) {
                self.version += 1;
                kept.object["metadata"]["resourceVersion"] = self.version.to_string().into();
                let object = shown(&kept);
                self.tell(place.0, "DELETED", object);
            }
        }
        Ok(answer)
    }
}

/// Whether others own some of what is applied, with another value.
fn conflicts(kept: &Kept, manifest: &Value, set: &Fields, by: &By) -> Result<(), Refused> {
    let mut causes = Vec::new();
    for owner in kept.owners.iter().filter(|owner| owner.manager != by.manager) {
        for path in owner.fields.intersection(set) {
            let item = path.last().is_some_and(|step| step.starts_with("k:"));
            if !item && fields::at(&kept.object, path) != fields::at(manifest, path) {
                let message = format!("conflict with \"{}\"", owner.manager);
                causes.push(json!({"reason": "FieldManagerConflict", "message": message,
                                   "field": fields::written(path)}));
            }
        }
    }
    if causes.is_empty() || by.force {
        return Ok(());
    }
    let told: Vec<String> = causes
        .iter()
        .map(|cause| {
            let text = |name: &str| cause[name].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", text("message"), text("field"))
        })
        .collect();
    let of = if causes.len() == 1 { "conflict" } else { "conflicts" };
    let message = format!("Apply failed with {} {of}: {}", causes.len(), told.join(", "));
    Err(Refused { details: json!({"causes": causes}), ..refused(409, "Conflict", message) })
}

/// Where an object is kept.
fn place(known: &Known, namespace: &str, object: &Value) -> Place {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    (
        known.plural,
        if known.namespaced { namespace.to_owned() } else { String::new() },
        name.to_owned(),
    )
}

pub(super) fn missing(known: &Known, place: &Place) -> Refused {
    let message = match known.group {
        "" => format!("{} \"{}\" not found", place.0, place.2),
        group => format!("{}.{group} \"{}\" not found", place.0, place.2),
    };
    let details = json!({"name": place.2, "kind": place.0, "group": known.group});
    Refused { details, ..refused(404, "NotFound", message) }
}

/// What validation refuses of the little that is checked here.
fn check(object: &Value, before: Option<&Value>) -> Result<(), Refused> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let invalid =
        |why: String| refused(422, "Invalid", format!("{kind} \"{name}\" is invalid: {why}"));
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
    if name.is_empty() || !name.chars().all(fits) {
        return Err(invalid(format!("metadata.name: Invalid value: \"{name}\"")));
    }
    if object["spec"]["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
        return Err(invalid("spec.replicas: must be greater than or equal to 0".to_owned()));
    }
    let workload = matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet");
    if workload {
        let wanted = object["spec"]["selector"]["matchLabels"].as_object();
        let labels = &object["spec"]["template"]["metadata"]["labels"];
        let matched = |wanted: &serde_json::Map<String, Value>| {
            wanted.iter().all(|(name, value)| labels.get(name) == Some(value))
        };
        if !wanted.is_some_and(matched) {
            let why = "`selector` does not match template `labels`";
            return Err(invalid(format!("spec.template.metadata.labels: {why}")));
        }
        if before.is_some_and(|before| before["spec"]["selector"] != object["spec"]["selector"]) {
            return Err(invalid("spec.selector: field is immutable".to_owned()));
        }
        let containers = object["spec"]["template"]["spec"]["containers"].as_array();
        let whole =
            |container: &Value| container["name"].is_string() && container["image"].is_string();
        if !containers.is_some_and(|all| !all.is_empty() && all.iter().all(whole)) {
            return Err(invalid("spec.template.spec.containers: Required value".to_owned()));
        }
    }
    Ok(())
}

/// An object with its owners.
fn shown(kept: &Kept) -> Value {
    let mut object = kept.object.clone();
    let owners: Vec<Value> = kept
        .owners
        .iter()
        .map(|owner| {
            let mut shown = json!({
                "manager": owner.manager, "operation": owner.operation,
                "apiVersion": owner.api_version, "time": owner.time,
                "fieldsType": "FieldsV1", "fieldsV1": fields::show(&owner.fields),
            });
            if !owner.subresource.is_empty() {
                shown["subresource"] = owner.subresource.clone().into();
            }
            shown
        })
        .collect();
    if !owners.is_empty() {
        object["metadata"]["managedFields"] = owners.into();
    }
    object
}

fn owner(by: &By, operation: &'static str, known: &Known, fields: Fields) -> Owner {
    Owner {
        manager: by.manager.clone(),
        operation,
        subresource: by.subresource.clone(),
        api_version: known.api_version(),
        time: now(),
        fields,
    }
}

/// An owner as somebody tells it.
fn told_owner(told: &Value) -> Owner {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    Owner {
        manager: text("manager"),
        operation: if told["operation"] == "Apply" { "Apply" } else { "Update" },
        subresource: text("subresource"),
        api_version: text("apiVersion"),
        time: text("time"),
        fields: fields::read(&told["fieldsV1"]),
    }
}

#[expect(clippy::disallowed_methods, reason = "an API server has a clock of its own")]
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
