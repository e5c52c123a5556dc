//! What an API server makes of an object before it keeps it: its defaults, values in their one
//! form, what is assigned.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Members that are left out when they are empty; of others an empty map says something.
const LEFT_OUT: [&str; 22] = [
    "labels",
    "annotations",
    "data",
    "binaryData",
    "stringData",
    "env",
    "envFrom",
    "ports",
    "args",
    "command",
    "volumes",
    "volumeMounts",
    "finalizers",
    "nodeSelector",
    "tolerations",
    "limits",
    "requests",
    "imagePullSecrets",
    "initContainers",
    "subjects",
    "hostAliases",
    "ownerReferences",
];

/// Sets a member that is not there.
fn default(value: &mut Value, name: &str, is: impl Into<Value>) {
    if let Some(members) = value.as_object_mut() {
        let member = members.entry(name).or_insert(Value::Null);
        if member.is_null() {
            *member = is.into();
        }
    }
}

/// The items of a list, if it is one.
fn each<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Brings an object into the form it is kept in. `serial` numbers what is assigned.
pub(super) fn complete(object: &mut Value, serial: u64) {
    tidy(object);
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "Namespace" => namespace(object),
        "Secret" => secret(object),
        "Service" => service(object, serial),
        "PersistentVolumeClaim" => claim(object),
        "RoleBinding" | "ClusterRoleBinding" => binding(object),
        "NetworkPolicy" => network_policy(object),
        "HorizontalPodAutoscaler" => autoscaler(&mut object["spec"]),
        "Pod" => {
            pod(&mut object["spec"]);
            default(&mut object["spec"], "enableServiceLinks", true);
            default(&mut object["spec"], "serviceAccountName", "default");
            default(&mut object["spec"], "serviceAccount", "default");
        }
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => workload(object, &kind),
        "Job" => job(&mut object["spec"]),
        "CronJob" => cron_job(&mut object["spec"]),
        _ => {}
    }
    default(&mut object["metadata"], "creationTimestamp", Value::Null);
    quantities(object);
}

/// Drops what a typed object does not keep: nulls, and empty lists and maps that say nothing.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(tidy);
            members.retain(|name, value| {
                let empty = match &*value {
                    Value::Array(items) => items.is_empty(),
                    Value::Object(members) => members.is_empty(),
                    other => other.is_null(),
                };
                !(value.is_null() || empty && LEFT_OUT.contains(&name.as_str()))
            });
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn namespace(object: &mut Value) {
    let name = object["metadata"]["name"].clone();
    if !object["metadata"]["labels"].is_object() {
        object["metadata"]["labels"] = json!({});
    }
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    default(object, "spec", json!({}));
    default(&mut object["spec"], "finalizers", json!(["kubernetes"]));
    default(object, "status", json!({"phase": "Active"}));
}

fn secret(object: &mut Value) {
    default(object, "type", "Opaque");
    let given = object.as_object_mut().and_then(|members| members.remove("stringData"));
    for (name, text) in given.as_ref().and_then(Value::as_object).into_iter().flatten() {
        default(object, "data", json!({}));
        object["data"][name.as_str()] =
            STANDARD.encode(text.as_str().unwrap_or_default().as_bytes()).into();
    }
}

fn service(object: &mut Value, serial: u64) {
    let spec = &mut object["spec"];
    default(spec, "type", "ClusterIP");
    default(spec, "sessionAffinity", "None");
    let of = spec["type"].as_str().unwrap_or_default().to_owned();
    if of != "ExternalName" {
        default(spec, "clusterIP", format!("10.96.{}.{}", serial / 250 % 250, serial % 250 + 1));
        let address = spec["clusterIP"].clone();
        default(spec, "clusterIPs", json!([address]));
        default(spec, "ipFamilies", json!(["IPv4"]));
        default(spec, "ipFamilyPolicy", "SingleStack");
        default(spec, "internalTrafficPolicy", "Cluster");
    }
    let reached = matches!(of.as_str(), "NodePort" | "LoadBalancer");
    if reached {
        default(spec, "externalTrafficPolicy", "Cluster");
    }
    if of == "LoadBalancer" {
        default(spec, "allocateLoadBalancerNodePorts", true);
    }
    for (place, port) in (0_u64..).zip(each(spec, "ports")) {
        default(port, "protocol", "TCP");
        let number = port["port"].clone();
        default(port, "targetPort", number);
        if reached {
            default(port, "nodePort", 30_000 + (serial * 7 + place) % 2_768);
        }
    }
    default(object, "status", json!({"loadBalancer": {}}));
}

fn claim(object: &mut Value) {
    default(&mut object["spec"], "volumeMode", "Filesystem");
    default(&mut object["spec"], "storageClassName", "standard");
    default(object, "status", json!({"phase": "Pending"}));
}

fn binding(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    default(&mut object["roleRef"], "apiGroup", GROUP);
    for subject in each(object, "subjects") {
        if subject["kind"] != "ServiceAccount" {
            default(subject, "apiGroup", GROUP);
        }
    }
}

fn autoscaler(spec: &mut Value) {
    default(spec, "minReplicas", 1);
    let target = json!({"type": "Utilization", "averageUtilization": 80});
    let of_cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
    default(spec, "metrics", json!([of_cpu]));
}

fn network_policy(object: &mut Value) {
    let spec = &mut object["spec"];
    let types =
        if spec["egress"].is_array() { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    default(spec, "policyTypes", types);
    for way in ["ingress", "egress"] {
        for rule in each(spec, way) {
            for port in each(rule, "ports") {
                default(port, "protocol", "TCP");
            }
        }
    }
}

fn workload(object: &mut Value, kind: &str) {
    let spec = &mut object["spec"];
    if kind != "DaemonSet" {
        default(spec, "replicas", 1);
    }
    if kind != "ReplicaSet" {
        default(spec, "revisionHistoryLimit", 10);
    }
    match kind {
        "Deployment" => {
            default(spec, "progressDeadlineSeconds", 600);
            default(spec, "strategy", json!({}));
            default(&mut spec["strategy"], "type", "RollingUpdate");
            if spec["strategy"]["type"] == "RollingUpdate" {
                default(&mut spec["strategy"], "rollingUpdate", json!({}));
                default(&mut spec["strategy"]["rollingUpdate"], "maxSurge", "25%");
                default(&mut spec["strategy"]["rollingUpdate"], "maxUnavailable", "25%");
            }
        }
        "StatefulSet" => {
            default(spec, "podManagementPolicy", "OrderedReady");
            default(
                spec,
                "updateStrategy",
                json!({"type": "RollingUpdate",
                                                   "rollingUpdate": {"partition": 0}}),
            );
            let kept = json!({"whenDeleted": "Retain", "whenScaled": "Retain"});
            default(spec, "persistentVolumeClaimRetentionPolicy", kept);
            for claim in each(spec, "volumeClaimTemplates") {
                default(claim, "apiVersion", "v1");
                default(claim, "kind", "PersistentVolumeClaim");
                default(&mut claim["spec"], "volumeMode", "Filesystem");
                default(claim, "status", json!({"phase": "Pending"}));
            }
        }
        "DaemonSet" => {
            let rolling = json!({"maxSurge": 0, "maxUnavailable": 1});
            default(
                spec,
                "updateStrategy",
                json!({"type": "RollingUpdate",
                                                   "rollingUpdate": rolling}),
            );
        }
        _ => {}
    }
    template(spec);
    default(object, "status", json!({}));
}

fn template(spec: &mut Value) {
    if spec["template"].is_object() {
        default(&mut spec["template"], "metadata", json!({}));
        spec["template"]["metadata"]["creationTimestamp"] = Value::Null;
        pod(&mut spec["template"]["spec"]);
    }
}

fn job(spec: &mut Value) {
    default(spec, "backoffLimit", 6);
    default(spec, "completionMode", "NonIndexed");
    default(spec, "completions", 1);
    default(spec, "parallelism", 1);
    default(spec, "manualSelector", false);
    default(spec, "podReplacementPolicy", "TerminatingOrFailed");
    default(spec, "suspend", false);
    template(spec);
}

fn cron_job(spec: &mut Value) {
    default(spec, "concurrencyPolicy", "Allow");
    default(spec, "failedJobsHistoryLimit", 1);
    default(spec, "successfulJobsHistoryLimit", 3);
    default(spec, "suspend", false);
    if spec["jobTemplate"].is_object() {
        default(&mut spec["jobTemplate"], "metadata", json!({}));
        spec["jobTemplate"]["metadata"]["creationTimestamp"] = Value::Null;
        template(&mut spec["jobTemplate"]["spec"]);
    }
}

/// What every pod is given (`SetDefaults_PodSpec`, `SetDefaults_Container`).
fn pod(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    default(spec, "restartPolicy", "Always");
    default(spec, "dnsPolicy", "ClusterFirst");
    default(spec, "schedulerName", "default-scheduler");
    default(spec, "securityContext", json!({}));
    default(spec, "terminationGracePeriodSeconds", 30);
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        default(spec, "serviceAccount", account);
    }
    for list in ["containers", "initContainers"] {
        for container in each(spec, list) {
            self::container(container);
        }
    }
    for volume in each(spec, "volumes") {
        for of in ["configMap", "secret", "projected", "downwardAPI"] {
            if volume[of].is_object() {
                default(&mut volume[of], "defaultMode", 420);
            }
        }
        if volume["hostPath"].is_object() {
            default(&mut volume["hostPath"], "type", "");
        }
        if volume.as_object().is_some_and(|members| members.len() == 1) {
            default(volume, "emptyDir", json!({}));
        }
    }
}

fn container(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default();
    let tagged = image.rsplit('/').next().unwrap_or_default().contains([':', '@']);
    let latest = !tagged || image.ends_with(":latest");
    default(container, "imagePullPolicy", if latest { "Always" } else { "IfNotPresent" });
    default(container, "resources", json!({}));
    default(container, "terminationMessagePath", "/dev/termination-log");
    default(container, "terminationMessagePolicy", "File");
    for port in each(container, "ports") {
        default(port, "protocol", "TCP");
    }
    for variable in each(container, "env") {
        if variable["valueFrom"]["fieldRef"].is_object() {
            default(&mut variable["valueFrom"]["fieldRef"], "apiVersion", "v1");
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(name) else { continue };
        default(probe, "timeoutSeconds", 1);
        default(probe, "periodSeconds", 10);
        default(probe, "successThreshold", 1);
        default(probe, "failureThreshold", 3);
        if probe["httpGet"].is_object() {
            default(&mut probe["httpGet"], "scheme", "HTTP");
        }
    }
    // What is limited is asked for as well, unless said otherwise.
    let limits = container["resources"]["limits"].clone();
    for (name, limit) in limits.as_object().into_iter().flatten() {
        default(&mut container["resources"], "requests", json!({}));
        default(&mut container["resources"]["requests"], name, limit.clone());
    }
}

/// Writes quantities as the API server does.
fn quantities(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let of_quantities = matches!(name.as_str(), "limits" | "requests" | "hard");
                match value {
                    Value::Object(own) if of_quantities => own.values_mut().for_each(|value| {
                        if let Some(text) = canonical(value) {
                            *value = text.into();
                        }
                    }),
                    value => quantities(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(quantities),
        _ => {}
    }
}

/// A quantity with the largest suffix that leaves it whole; `None` when it is none, or finer than a
/// thousandth.
pub(super) fn canonical(value: &Value) -> Option<String> {
    const BINARY: [(&str, i128); 6] = [
        ("Ei", 1 << 60),
        ("Pi", 1 << 50),
        ("Ti", 1 << 40),
        ("Gi", 1 << 30),
        ("Mi", 1 << 20),
        ("Ki", 1 << 10),
    ];
    const DECIMAL: [(&str, i128); 8] = [
        ("E", 1_000_000_000_000_000_000_000),
        ("P", 1_000_000_000_000_000_000),
        ("T", 1_000_000_000_000_000),
        ("G", 1_000_000_000_000),
        ("M", 1_000_000_000),
        ("k", 1_000_000),
        ("", 1_000),
        ("m", 1),
    ];
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 3 || !whole.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: i128 = format!("{whole}{fraction:0<3}").parse().ok()?;
    if let Some((_, factor)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        let bytes = thousandths.checked_mul(*factor)?;
        if bytes % 1_000 != 0 {
            return None;
        }
        let bytes = bytes / 1_000;
        let fits = BINARY.iter().find(|(_, factor)| bytes != 0 && bytes % factor == 0);
        return Some(fits.map_or_else(
            || bytes.to_string(),
            |(name, factor)| format!("{}{name}", bytes / factor),
        ));
    }
    let (_, factor) = DECIMAL.iter().find(|(name, _)| *name == suffix)?;
    let all = thousandths.checked_mul(*factor)?;
    if all % 1_000 != 0 {
        return None;
    }
    let all = all / 1_000;
    if all == 0 {
        return Some("0".to_owned());
    }
    let (name, factor) = DECIMAL.iter().find(|(_, factor)| all % factor == 0)?;
    Some(format!("{}{name}", all / factor))
}
