//! Pod.

mod table;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::FieldError;
use crate::fields::{get, get_array, get_i64, get_object, items_mut, object_at, set, text, truth};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::pod_spec::{self, CONTAINER_LISTS};

pub static POD: Kind = Kind {
    kind: "Pod",
    plural: "pods",
    singular: "pod",
    short_names: &["po"],
    categories: &["all"],
    has_status: true,
    rules: &PodRules,
    ..Kind::NAMESPACED
};

struct PodRules;

impl Rules for PodRules {
    fn default(&self, object: &mut Object) {
        pod_spec::default_pod(object);
    }

    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        let class = get_object(object, "spec").map_or("BestEffort", pod_spec::qos::class);
        set(object, "status", json!({"phase": "Pending", "qosClass": class}));
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let empty = Object::new();
        let spec = get_object(object, "spec").unwrap_or(&empty);
        let mut faults = pod_spec::validate_spec(spec, "spec");
        if let Some(old) = old {
            validate_update(spec, get_object(old, "spec").unwrap_or(&empty), &mut faults);
        }
        faults
    }

    fn validate_status(&self, object: &Object, old: &Object) -> Vec<FieldError> {
        let nominated = "status.nominatedNodeName";
        let name = text(object, nominated);
        let mut faults = Vec::new();
        if !name.is_empty() && name != text(old, nominated) {
            crate::fields::invalid_all(nominated, name, crate::names::dns_subdomain(name), &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        table::COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        table::row(object, now)
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        match path {
            "spec.hostNetwork" => Some(truth(object, path).to_string()),
            "status.podIPs" => {
                let addresses = get_array(object, path).iter().filter_map(|address| address.get("ip")?.as_str());
                Some(addresses.collect::<Vec<_>>().join(","))
            }
            _ if self.selectable_fields().contains(&path) => Some(text(object, path).to_owned()),
            _ => None,
        }
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    /// A pod that no kubelet runs goes at once.
    fn grace_period_seconds(&self, object: &Object, requested: Option<i64>) -> i64 {
        let period = requested.or_else(|| get_i64(object, "spec.terminationGracePeriodSeconds")).unwrap_or(0);
        if text(object, "spec.nodeName").is_empty() || ["Failed", "Succeeded"].contains(&text(object, "status.phase")) {
            return 0;
        }
        if period < 0 { 1 } else { period }
    }
}

const UPDATE_RULE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
                           `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
                           additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set \
                           to 1 if it was previously negative)";

/// Almost nothing of a pod's spec may change: containers cannot be made anew in place.
fn validate_update(spec: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    for list in CONTAINER_LISTS {
        if get_array(spec, list).len() != get_array(old, list).len() {
            let detail = "pod updates may not add or remove containers";
            faults.push(FieldError::forbidden(format!("spec.{list}"), detail));
            return;
        }
    }
    validate_deadline(spec, old, faults);
    if !old_tolerations_stay(spec, old) {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        faults.push(FieldError::forbidden("spec.tolerations", detail));
    }
    let mut munged = spec.clone();
    for list in CONTAINER_LISTS {
        let images: Vec<Option<Value>> =
            get_array(old, list).iter().map(|container| container.get("image").cloned()).collect();
        for (container, image) in items_mut(&mut munged, list).zip(images) {
            restore(container, "image", image);
        }
    }
    for field in ["activeDeadlineSeconds", "tolerations", "ephemeralContainers"] {
        restore(&mut munged, field, old.get(field).cloned());
    }
    drop_gates_that_went(&mut munged, old);
    if get_i64(old, "terminationGracePeriodSeconds").is_some_and(|period| period < 0)
        && get_i64(spec, "terminationGracePeriodSeconds") == Some(1)
    {
        restore(&mut munged, "terminationGracePeriodSeconds", old.get("terminationGracePeriodSeconds").cloned());
    }
    if munged != *old {
        faults.push(FieldError::forbidden("spec", UPDATE_RULE));
    }
}

fn restore(object: &mut Object, field: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(object.insert(field.to_owned(), value)),
        None => drop(object.shift_remove(field)),
    }
}

/// A deadline may be set or made shorter.
fn validate_deadline(spec: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    const FIELD: &str = "activeDeadlineSeconds";
    let path = "spec.activeDeadlineSeconds";
    match (get_i64(spec, FIELD), get_i64(old, FIELD)) {
        (Some(new), Some(old)) if new > old => {
            let detail = "must be less than or equal to previous value";
            faults.push(FieldError::invalid(path, new, detail));
        }
        (None, Some(_)) => {
            faults.push(FieldError::invalid(path, Value::Null, "must not update from a positive integer to nil value"));
        }
        _ => {}
    }
}

/// Tolerations may be added, and an old one may wait longer or shorter.
fn old_tolerations_stay(spec: &Object, old: &Object) -> bool {
    let without_seconds = |toleration: &Value| {
        let mut toleration = toleration.clone();
        if let Some(object) = toleration.as_object_mut() {
            object.shift_remove("tolerationSeconds");
        }
        toleration
    };
    let new: Vec<Value> = get_array(spec, "tolerations").iter().map(without_seconds).collect();
    get_array(old, "tolerations").iter().map(without_seconds).all(|toleration| new.contains(&toleration))
}

/// Scheduling gates may only go away; then the spec counts as unchanged.
fn drop_gates_that_went(munged: &mut Object, old: &Object) {
    let gates = get_array(munged, "schedulingGates");
    if get(old, "schedulingGates").is_some()
        && gates.iter().all(|gate| get_array(old, "schedulingGates").contains(gate))
    {
        restore(munged, "schedulingGates", old.get("schedulingGates").cloned());
    }
}

/// Sets the node a pod runs on, as its binding does.
pub fn bind(pod: &mut Object, node: &str) {
    set(object_at(pod, "spec"), "nodeName", node);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(spec: Value) -> Object {
        let mut pod = Object::from_iter([("spec".to_owned(), spec)]);
        PodRules.default(&mut pod);
        pod
    }

    fn faults(new: &Object, old: Option<&Object>) -> Vec<String> {
        PodRules.validate(new, old).iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn a_pod_without_its_essentials_is_refused_with_every_fault() {
        assert_eq!(faults(&pod(json!({})), None), ["spec.containers: Required value"]);
        let bad = pod(json!({
            "restartPolicy": "Sometimes",
            "containers": [
                {"name": "A"},
                {
                    "name": "b",
                    "image": "x",
                    "ports": [{"containerPort": 70000}],
                    "volumeMounts": [{"name": "none", "mountPath": "/x"}],
                    "env": [{"name": "a=b"}],
                    "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}},
                },
            ],
        }));
        assert_eq!(
            faults(&bad, None),
            [
                "spec.containers[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case \
                 alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. \
                 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
                "spec.containers[0].image: Required value",
                "spec.containers[1].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, \
                 inclusive",
                "spec.containers[1].env[0].name: Invalid value: \"a=b\": a valid environment variable name must \
                 consist only of printable ASCII characters other than '='",
                "spec.containers[1].volumeMounts[0].name: Not found: \"none\"",
                "spec.containers[1].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit \
                 of 1",
                "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\", \
                 \"OnFailure\"",
            ]
        );
    }

    #[test]
    fn an_update_may_change_images_and_little_else() {
        let base = json!({"containers": [{"name": "a", "image": "x:1", "imagePullPolicy": "Always"}]});
        let old = pod(base.clone());
        let with = |path: &str, value: Value| {
            let mut spec = base.clone();
            *spec.pointer_mut(path).unwrap_or(&mut Value::Null) = value.clone();
            if let (None, Some(object)) = (base.pointer(path), spec.as_object_mut()) {
                object.insert(path.trim_start_matches('/').to_owned(), value);
            }
            faults(&pod(spec), Some(&old))
        };
        assert_eq!(with("/containers/0/image", json!("x:2")), [""; 0]);
        assert_eq!(with("/activeDeadlineSeconds", json!(5)), [""; 0]);
        assert_eq!(with("/tolerations", json!([{"operator": "Exists"}])), [""; 0]);
        assert_eq!(with("/containers/0/name", json!("b")), [format!("spec: Forbidden: {UPDATE_RULE}")]);
        assert_eq!(with("/nodeName", json!("n")), [format!("spec: Forbidden: {UPDATE_RULE}")]);
        assert_eq!(
            with("/containers", json!([])),
            [
                "spec.containers: Required value",
                "spec.containers: Forbidden: pod updates may not add or remove containers"
            ]
        );
    }

    #[test]
    fn only_a_running_pod_gets_time_to_end() {
        let mut pod = pod(json!({"terminationGracePeriodSeconds": 7}));
        assert_eq!(PodRules.grace_period_seconds(&pod, None), 0);
        bind(&mut pod, "n");
        assert_eq!(PodRules.grace_period_seconds(&pod, None), 7);
        assert_eq!(PodRules.grace_period_seconds(&pod, Some(0)), 0);
        assert_eq!(PodRules.grace_period_seconds(&pod, Some(-1)), 1);
        set(&mut pod, "status.phase", "Succeeded");
        assert_eq!(PodRules.grace_period_seconds(&pod, None), 0);
    }
}
