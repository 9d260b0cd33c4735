//! `pods/resize`: other resources for the containers of a running pod.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response};
use registry::pod_spec::qos;
use registry::{FieldError, Object};
use serde_json::{Map, Value};

use super::narrow;
use crate::call::Call;
use crate::metadata;
use crate::status::ApiError;
use crate::wire::body::Body;

pub(super) fn dispatch(
    call: Arc<Call>,
    request: Request<Body>,
) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(narrow::read_write(call, request, "resize", resized))
}

/// The pod with the wanted resources of its containers, and nothing else changed.
fn resized(call: &Call, old: &Object, wanted: &Object) -> Result<Object, ApiError> {
    let mut faults = Vec::new();
    let pod = with_resources(old, wanted, &mut faults);
    if faults.is_empty() {
        check(old, &pod, &mut faults);
        faults.extend(registry::core::pod::validate(&pod));
    }
    if faults.is_empty() { Ok(pod) } else { Err(ApiError::invalid(call.kind, &call.info.name, &faults)) }
}

const LISTS: [&str; 2] = ["containers", "initContainers"];

fn with_resources(old: &Object, wanted: &Object, faults: &mut Vec<FieldError>) -> Object {
    let mut pod = old.clone();
    for list in LISTS {
        let (before, after) = (containers(old, list), containers(wanted, list));
        if before.len() != after.len() {
            let detail = format!("{list} may not be added or removed on resize");
            faults.push(FieldError::forbidden(format!("spec.{list}"), detail));
            continue;
        }
        if before.iter().zip(after).any(|(before, after)| name(before) != name(after)) {
            let detail = format!("{list} may not be renamed or reordered on resize");
            faults.push(FieldError::forbidden(format!("spec.{list}"), detail));
            continue;
        }
        let places = pod.get_mut("spec").and_then(|spec| spec.get_mut(list)).and_then(Value::as_array_mut);
        for (place, after) in places.into_iter().flatten().zip(after) {
            let Value::Object(place) = place else { continue };
            for field in ["resources", "resizePolicy"] {
                match after.get(field) {
                    Some(value) => place.insert(field.to_owned(), value.clone()),
                    None => place.shift_remove(field),
                };
            }
        }
    }
    pod
}

fn check(old: &Object, pod: &Object, faults: &mut Vec<FieldError>) {
    if metadata::map(old, "annotations").is_some_and(|map| map.contains_key("kubernetes.io/config.mirror")) {
        return faults.push(FieldError::forbidden("", "static pods cannot be resized"));
    }
    let spec = |pod: &Object| pod.get("spec").and_then(Value::as_object).cloned().unwrap_or_default();
    if spec(old).get("os").and_then(|os| os.get("name")).is_some_and(|name| name == "windows") {
        return faults.push(FieldError::forbidden("", "windows pods cannot be resized"));
    }
    let class = qos::class(&spec(pod));
    if class != qos::class(&spec(old)) {
        let detail = "Pod QOS Class may not change as a result of resizing";
        faults.push(FieldError::invalid("spec", class, detail));
    }
    for list in LISTS {
        for (at, (before, after)) in containers(old, list).iter().zip(containers(pod, list)).enumerate() {
            check_container(before, after, list, &format!("spec.{list}[{at}].resources"), faults);
        }
    }
}

fn check_container(before: &Value, after: &Value, list: &str, path: &str, faults: &mut Vec<FieldError>) {
    let is_sidecar = before.get("restartPolicy").is_some_and(|policy| policy == "Always");
    let may_resize = list == "containers" || is_sidecar;
    if may_resize {
        for (part, what) in [("requests", "resource requests"), ("limits", "resource limits")] {
            let (old, new) = (amounts(before, part), amounts(after, part));
            if old.keys().any(|resource| !new.contains_key(resource)) {
                faults.push(FieldError::forbidden(format!("{path}.{part}"), format!("{what} cannot be removed")));
            }
        }
    }
    let comparable = |container: &Value| if may_resize { without_amounts(container) } else { container.clone() };
    if comparable(before) != comparable(after) {
        faults.push(FieldError::forbidden("spec", "only cpu and memory resources are mutable"));
    }
}

/// The amounts of cpu and memory.
fn amounts(container: &Value, part: &str) -> Map<String, Value> {
    let amounts = container.get("resources").and_then(|resources| resources.get(part)).and_then(Value::as_object);
    let mut amounts = amounts.cloned().unwrap_or_default();
    amounts.retain(|resource, _| is_resizable(resource));
    amounts
}

/// What of a container may not change: all but the amounts of cpu and memory.
fn without_amounts(container: &Value) -> Value {
    let mut container = container.clone();
    let Some(Value::Object(resources)) = container.get_mut("resources") else {
        container["resources"] = Value::Object(Map::new());
        return container;
    };
    for part in ["requests", "limits"] {
        if let Some(Value::Object(amounts)) = resources.get_mut(part) {
            amounts.retain(|resource, _| !is_resizable(resource));
            if amounts.is_empty() {
                resources.shift_remove(part);
            }
        }
    }
    container
}

fn is_resizable(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory")
}

fn containers<'a>(pod: &'a Object, list: &str) -> &'a [Value] {
    let containers = pod.get("spec").and_then(|spec| spec.get(list)).and_then(Value::as_array);
    containers.map_or(&[], Vec::as_slice)
}

fn name(container: &Value) -> Option<&str> {
    container.get("name").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(containers: Value) -> Object {
        let Value::Object(pod) = json!({"spec": {"containers": containers}}) else { unreachable!() };
        pod
    }

    fn faults(old: Value, wanted: Value) -> Vec<String> {
        let mut faults = Vec::new();
        let resized = with_resources(&pod(old.clone()), &pod(wanted), &mut faults);
        if faults.is_empty() {
            check(&pod(old), &resized, &mut faults);
        }
        faults.iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn amounts_may_change_and_nothing_else() {
        let container = |resources: Value| json!([{"name": "a", "image": "i", "resources": resources}]);
        let old = container(json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2"}}));
        let check = |resources: Value| faults(old.clone(), container(resources));
        assert_eq!(check(json!({"requests": {"cpu": "2", "memory": "2Gi"}, "limits": {"cpu": "3"}})), [""; 0]);
        assert_eq!(
            check(json!({"requests": {"cpu": "2"}, "limits": {"cpu": "3"}})),
            ["spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"]
        );
        assert_eq!(
            check(json!({"requests": {"cpu": "1", "memory": "1Gi", "x.io/y": "1"}, "limits": {"cpu": "2"}})),
            ["spec: Forbidden: only cpu and memory resources are mutable"]
        );
        let guaranteed = json!({"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}});
        assert_eq!(
            check(guaranteed),
            [r#"spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing"#]
        );
    }

    #[test]
    fn containers_stay_who_they_are() {
        let named = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Value>();
        assert_eq!(
            faults(named(&["a", "b"]), named(&["b", "a"])),
            ["spec.containers: Forbidden: containers may not be renamed or reordered on resize"]
        );
        assert_eq!(
            faults(named(&["a"]), named(&["a", "b"])),
            ["spec.containers: Forbidden: containers may not be added or removed on resize"]
        );
    }
}
