//! Pod.

mod status;
mod table;
mod update;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::FieldError;
use crate::fields::{get_array, get_i64, get_object, items, object_at, set, text, truth};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::pod_spec;

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
        let mut faults = validate(object);
        match old {
            Some(old) => update::validate(object, old, &mut faults),
            None => validate_new(object, &mut faults),
        }
        faults
    }

    fn validate_status(&self, object: &Object, old: &Object) -> Vec<FieldError> {
        status::validate(object, old)
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

/// What is wrong with a pod, whether it is new or not.
pub fn validate(pod: &Object) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let annotations = get_object(pod, "metadata.annotations");
    let annotation = |key: &str| annotations.and_then(|annotations| annotations.get(key)).and_then(Value::as_str);
    if let Some(mirrored) = annotation(MIRROR)
        && text(pod, "spec.nodeName").is_empty()
    {
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        faults.push(FieldError::invalid(format!("metadata.annotations[{MIRROR}]"), mirrored, detail));
    }
    if let Some(cost) = annotation(DELETION_COST).filter(|cost| !is_deletion_cost(cost)) {
        let path = format!("metadata.annotations[{DELETION_COST}]");
        faults.push(FieldError::invalid(path, cost, "must be a 32bit integer"));
    }
    faults.extend(pod_spec::validate_pod(pod));
    faults
}

const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// A number in the one form that Go writes: no plus sign, no zeros before it.
fn is_deletion_cost(cost: &str) -> bool {
    cost.parse::<i32>().is_ok_and(|number| number.to_string() == cost)
}

fn validate_new(pod: &Object, faults: &mut Vec<FieldError>) {
    if !get_array(pod, "spec.ephemeralContainers").is_empty() {
        faults.push(FieldError::forbidden("spec.ephemeralContainers", "cannot be set on create"));
    }
    if !text(pod, "spec.nodeName").is_empty() && !get_array(pod, "spec.schedulingGates").is_empty() {
        let detail = "cannot be set until all schedulingGates have been cleared";
        faults.push(FieldError::forbidden("spec.nodeName", detail));
    }
}

/// Every container that the pod's author named, in whichever list.
fn containers(pod: &Object) -> impl Iterator<Item = &Object> {
    ["spec.containers", "spec.initContainers"].into_iter().flat_map(|list| items(pod, list))
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
                "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \
                 \"OnFailure\", \"Never\"",
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
        assert_eq!(with("/containers/0/name", json!("b")), [format!("spec: Forbidden: {}", update::RULE)]);
        assert_eq!(with("/nodeName", json!("n")), [format!("spec: Forbidden: {}", update::RULE)]);
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
