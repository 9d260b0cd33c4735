//! What a pod's author may leave out.

use serde_json::{Value, json};

use super::CONTAINER_LISTS;
use crate::fields::{get, get_object, items_mut, object_at, object_mut, set, set_default, text, truth};
use crate::kind::Object;

/// 0644, in decimal as JSON has it.
const DEFAULT_FILE_MODE: i64 = 420;

/// A whole Pod: the spec's defaults, and those that templates leave to the Pods made of them.
pub fn default_pod(pod: &mut Object) {
    let spec = object_at(pod, "spec");
    for list in CONTAINER_LISTS {
        items_mut(spec, list).for_each(default_requests_to_limits);
    }
    super::pod_resources::default_pod_resources(spec);
    set_default(spec, "enableServiceLinks", true);
    default_spec(spec);
}

/// The template at `spec.template` of a workload.
pub fn default_template(workload: &mut Object) {
    let spec = object_at(workload, "spec");
    if let Some(template_spec) = object_mut(spec, "template.spec") {
        default_spec(template_spec);
    }
}

pub fn default_spec(spec: &mut Object) {
    set_default(spec, "restartPolicy", "Always");
    set_default(spec, "terminationGracePeriodSeconds", 30);
    set_default(spec, "dnsPolicy", "ClusterFirst");
    set_default(spec, "securityContext", json!({}));
    set_default(spec, "schedulerName", "default-scheduler");
    alias_service_account(spec);
    let host_network = truth(spec, "hostNetwork");
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in items_mut(spec, list) {
            default_container(container);
            if host_network {
                items_mut(container, "ports").for_each(default_host_port);
            }
        }
    }
    items_mut(spec, "volumes").for_each(default_volume);
}

/// `serviceAccount` is the older name of `serviceAccountName`; both are kept alike.
fn alias_service_account(spec: &mut Object) {
    let name = match (text(spec, "serviceAccountName"), text(spec, "serviceAccount")) {
        ("", "") => return,
        ("", older) => older.to_owned(),
        (name, _) => name.to_owned(),
    };
    set(spec, "serviceAccountName", name.clone());
    set(spec, "serviceAccount", name);
}

fn default_requests_to_limits(container: &mut Object) {
    let Some(limits) = get_object(container, "resources.limits").cloned() else { return };
    for (resource, amount) in limits {
        let requests = object_at(object_at(container, "resources"), "requests");
        requests.entry(resource).or_insert(amount);
    }
}

fn default_host_port(port: &mut Object) {
    let host_port = get(port, "hostPort").and_then(Value::as_i64).unwrap_or(0);
    if let (0, Some(number)) = (host_port, get(port, "containerPort").cloned()) {
        set(port, "hostPort", number);
    }
}

fn default_container(container: &mut Object) {
    set_default(container, "resources", json!({}));
    set_default(container, "terminationMessagePath", "/dev/termination-log");
    set_default(container, "terminationMessagePolicy", "File");
    let pull_policy = if is_latest(text(container, "image")) { "Always" } else { "IfNotPresent" };
    set_default(container, "imagePullPolicy", pull_policy);
    for port in items_mut(container, "ports") {
        set_default(port, "protocol", "TCP");
    }
    for variable in items_mut(container, "env") {
        if let Some(reference) = object_mut(variable, "valueFrom.fieldRef") {
            set_default(reference, "apiVersion", "v1");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = object_mut(container, probe) {
            default_probe(probe);
        }
    }
    for handler in ["lifecycle.postStart.httpGet", "lifecycle.preStop.httpGet"] {
        if let Some(request) = object_mut(container, handler) {
            default_http_get(request);
        }
    }
}

fn default_probe(probe: &mut Object) {
    set_default(probe, "timeoutSeconds", 1);
    set_default(probe, "periodSeconds", 10);
    set_default(probe, "successThreshold", 1);
    set_default(probe, "failureThreshold", 3);
    if let Some(request) = object_mut(probe, "httpGet") {
        default_http_get(request);
    }
    if let Some(request) = object_mut(probe, "grpc") {
        set_default(request, "service", "");
    }
}

fn default_http_get(request: &mut Object) {
    set_default(request, "path", "/");
    set_default(request, "scheme", "HTTP");
}

fn default_volume(volume: &mut Object) {
    if volume.keys().all(|key| key == "name") {
        set(volume, "emptyDir", json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = object_mut(volume, source) {
            set_default(source, "defaultMode", DEFAULT_FILE_MODE);
            items_mut(source, "items").for_each(default_downward_item);
        }
    }
    for source in items_mut(volume, "projected.sources") {
        if let Some(token) = object_mut(source, "serviceAccountToken") {
            set_default(token, "expirationSeconds", 3600);
        }
        items_mut(source, "downwardAPI.items").for_each(default_downward_item);
    }
    if let Some(host_path) = object_mut(volume, "hostPath") {
        set_default(host_path, "type", "");
    }
    if let Some(claim) = object_mut(volume, "ephemeral.volumeClaimTemplate.spec") {
        set_default(claim, "volumeMode", "Filesystem");
    }
    if let Some(image) = object_mut(volume, "image") {
        let pull_policy = if is_latest(text(image, "reference")) { "Always" } else { "IfNotPresent" };
        set_default(image, "pullPolicy", pull_policy);
    }
    default_remote_source(volume);
}

/// What those who run storage of their own have agreed on.
pub(crate) fn default_remote_source(volume: &mut Object) {
    const DEFAULTS: [(&str, &[(&str, &str)]); 4] = [
        ("iscsi", &[("iscsiInterface", "default")]),
        ("rbd", &[("pool", "rbd"), ("user", "admin"), ("keyring", "/etc/ceph/keyring")]),
        ("azureDisk", &[("cachingMode", "ReadWrite"), ("kind", "Shared"), ("fsType", "ext4")]),
        ("scaleIO", &[("storageMode", "ThinProvisioned"), ("fsType", "xfs")]),
    ];
    for (kind, fields) in DEFAULTS {
        let Some(source) = object_mut(volume, kind) else { continue };
        for (field, value) in fields {
            set_default(source, field, *value);
        }
        if kind == "azureDisk" {
            set_default(source, "readOnly", false);
        }
    }
}

fn default_downward_item(item: &mut Object) {
    if let Some(reference) = object_mut(item, "fieldRef") {
        set_default(reference, "apiVersion", "v1");
    }
}

/// Whether an image reference means the newest: the tag `latest`, or neither tag nor digest.
fn is_latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last_part = image.rsplit('/').next().unwrap_or(image);
    last_part.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    #[test]
    fn a_bare_pod_gets_what_upstream_gives_it() {
        let mut pod = object(json!({"spec": {
            "containers": [{
                "name": "web",
                "image": "nginx",
                "ports": [{"containerPort": 80}],
                "resources": {"limits": {"cpu": "1"}},
                "livenessProbe": {"httpGet": {"port": 80}, "periodSeconds": 3},
            }],
            "volumes": [{"name": "scratch"}, {"name": "settings", "configMap": {"name": "a"}}],
        }}));
        default_pod(&mut pod);
        assert_eq!(
            Value::Object(pod),
            json!({"spec": {
                "containers": [{
                    "name": "web",
                    "image": "nginx",
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}},
                    "livenessProbe": {
                        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
                        "periodSeconds": 3,
                        "timeoutSeconds": 1,
                        "successThreshold": 1,
                        "failureThreshold": 3,
                    },
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "imagePullPolicy": "Always",
                }],
                "volumes": [
                    {"name": "scratch", "emptyDir": {}},
                    {"name": "settings", "configMap": {"name": "a", "defaultMode": 420}},
                ],
                "enableServiceLinks": true,
                "restartPolicy": "Always",
                "terminationGracePeriodSeconds": 30,
                "dnsPolicy": "ClusterFirst",
                "securityContext": {},
                "schedulerName": "default-scheduler",
            }})
        );
    }

    #[test]
    fn only_the_newest_image_is_always_pulled() {
        for (image, latest) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("registry:5000/nginx", true),
            ("registry:5000/nginx:1.27", false),
            ("nginx@sha256:aa", false),
            ("nginx:latest@sha256:aa", false),
        ] {
            assert_eq!(is_latest(image), latest, "{image}");
        }
    }
}
