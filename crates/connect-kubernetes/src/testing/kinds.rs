//! The kinds the fake API server knows, and how discovery tells of them.

use serde_json::{Value, json};

/// A kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    pub(super) short: &'static str,
    pub(super) namespaced: bool,
}

const fn known(
    of: (&'static str, &'static str),
    kind: &'static str,
    plural: &'static str,
    short: &'static str,
    namespaced: bool,
) -> Known {
    Known { group: of.0, version: of.1, kind, plural, short, namespaced }
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");
const BATCH: (&str, &str) = ("batch", "v1");
const NETWORKING: (&str, &str) = ("networking.k8s.io", "v1");
const RBAC: (&str, &str) = ("rbac.authorization.k8s.io", "v1");
const SCALING: (&str, &str) = ("autoscaling", "v2");

pub(super) const KNOWN: [Known; 22] = [
    known(CORE, "Namespace", "namespaces", "ns", false),
    known(CORE, "ConfigMap", "configmaps", "cm", true),
    known(CORE, "Secret", "secrets", "", true),
    known(CORE, "Service", "services", "svc", true),
    known(CORE, "ServiceAccount", "serviceaccounts", "sa", true),
    known(CORE, "Pod", "pods", "po", true),
    known(CORE, "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", true),
    known(CORE, "ResourceQuota", "resourcequotas", "quota", true),
    known(CORE, "LimitRange", "limitranges", "limits", true),
    known(APPS, "Deployment", "deployments", "deploy", true),
    known(APPS, "StatefulSet", "statefulsets", "sts", true),
    known(APPS, "DaemonSet", "daemonsets", "ds", true),
    known(APPS, "ReplicaSet", "replicasets", "rs", true),
    known(BATCH, "Job", "jobs", "", true),
    known(BATCH, "CronJob", "cronjobs", "cj", true),
    known(SCALING, "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", true),
    known(NETWORKING, "Ingress", "ingresses", "ing", true),
    known(NETWORKING, "NetworkPolicy", "networkpolicies", "netpol", true),
    known(RBAC, "Role", "roles", "", true),
    known(RBAC, "RoleBinding", "rolebindings", "", true),
    known(RBAC, "ClusterRole", "clusterroles", "", false),
    known(RBAC, "ClusterRoleBinding", "clusterrolebindings", "", false),
];

const VERBS: [&str; 7] = ["create", "delete", "get", "list", "patch", "update", "watch"];

impl Known {
    pub(super) fn api_version(&self) -> String {
        api_version(self.group, self.version)
    }

    pub(super) fn scales(&self) -> bool {
        matches!(self.kind, "Deployment" | "StatefulSet" | "ReplicaSet")
    }

    /// As a version's list of resources has it.
    fn rows(&self) -> Vec<Value> {
        let short: &[&str] = if self.short.is_empty() { &[] } else { &[self.short] };
        let mut rows = vec![json!({
            "name": self.plural, "singularName": self.kind.to_lowercase(), "kind": self.kind,
            "namespaced": self.namespaced, "verbs": VERBS, "shortNames": short,
        })];
        if self.scales() {
            rows.push(json!({
                "name": format!("{}/scale", self.plural), "singularName": "",
                "namespaced": true, "kind": "Scale", "group": "autoscaling", "version": "v1",
                "verbs": ["get", "patch", "update"],
            }));
        }
        rows
    }

    /// As discovery in one answer has it.
    fn row_together(&self) -> Value {
        let short: &[&str] = if self.short.is_empty() { &[] } else { &[self.short] };
        let kind = json!({"group": self.group, "version": self.version, "kind": self.kind});
        let mut row = json!({
            "resource": self.plural, "singularResource": self.kind.to_lowercase(),
            "responseKind": kind, "scope": if self.namespaced { "Namespaced" } else { "Cluster" },
            "verbs": VERBS, "shortNames": short,
        });
        if self.scales() {
            row["subresources"] = json!([{
                "subresource": "scale", "verbs": ["get", "patch", "update"],
                "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
            }]);
        }
        row
    }
}

pub(super) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// The kind of a path.
pub(super) fn of_plural(group: &str, version: &str, plural: &str) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| (known.group, known.version, known.plural) == (group, version, plural))
}

/// The kind of a manifest.
pub(super) fn of_kind(api_version: &str, kind: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.kind == kind && known.api_version() == api_version)
}

fn groups(core: bool) -> Vec<(&'static str, &'static str)> {
    let mut groups: Vec<_> = KNOWN.iter().map(|known| (known.group, known.version)).collect();
    groups.dedup();
    groups.retain(|(group, _)| group.is_empty() == core);
    groups
}

/// `/api` or `/apis` as it was before discovery in one answer.
pub(super) fn tops(core: bool) -> Value {
    if core {
        let address = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]);
        return json!({"kind": "APIVersions", "versions": ["v1"],
                      "serverAddressByClientCIDRs": address});
    }
    let groups: Vec<Value> = groups(false).into_iter().map(|of| group(of.0, of.1)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn group(group: &str, version: &str) -> Value {
    let of = json!({"groupVersion": api_version(group, version), "version": version});
    json!({"name": group, "versions": [of], "preferredVersion": of})
}

/// `/api` or `/apis` with everything below.
pub(super) fn together(core: bool, stale: Option<&str>) -> Value {
    let items = groups(core).into_iter().map(|(group, version)| {
        let fresh = if stale == Some(group) { "Stale" } else { "Current" };
        let of = KNOWN.iter().filter(|known| known.group == group && fresh == "Current");
        let resources: Vec<Value> = of.map(Known::row_together).collect();
        json!({
            "metadata": {"name": group, "creationTimestamp": null},
            "versions": [{"version": version, "resources": resources, "freshness": fresh}],
        })
    });
    let items: Vec<Value> = items.collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
           "metadata": {}, "items": items})
}

/// `/apis/apps/v1`, or `/apis/apps` where no version is asked for.
pub(super) fn version(of: &str, version: Option<&str>) -> Option<Value> {
    let rows = KNOWN.iter().filter(|known| known.group == of);
    let Some(version) = version else {
        let known = rows.into_iter().next()?;
        let mut found = group(of, known.version);
        found["kind"] = "APIGroup".into();
        found["apiVersion"] = "v1".into();
        return Some(found);
    };
    let rows: Vec<Value> =
        rows.filter(|known| known.version == version).flat_map(Known::rows).collect();
    let list = json!({"kind": "APIResourceList", "apiVersion": "v1",
                      "groupVersion": api_version(of, version), "resources": rows});
    (!rows.is_empty()).then_some(list)
}
