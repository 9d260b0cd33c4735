//! LimitRanges: what containers get that say nothing of their resources, and within what bounds
//! containers, pods and claims stay.

use async_trait::async_trait;
use registry::Object;
use registry::fields::{get_object, items, items_mut, object_at, text};
use registry::quota::{self, Amount, Amounts};
use serde_json::Value;

use super::{Attributes, Operation, Plugin, Reservation, objects_of_namespace};
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;

/// Where a pod says what it was given.
const ANNOTATION: &str = "kubernetes.io/limit-ranger";

pub(super) struct LimitRanger;

#[async_trait]
impl Plugin for LimitRanger {
    fn name(&self) -> &'static str {
        "LimitRanger"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        // The containers of a pod that exists change in their resources alone, and there by a resize.
        attributes.is("", "pods", "") && attributes.operation == Operation::Create
            || attributes.is("", "pods", "resize") && attributes.operation == Operation::Update
            || attributes.is("", "persistentvolumeclaims", "") && attributes.operation != Operation::Delete
    }

    async fn admit(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        if attributes.kind.plural == "pods" {
            for range in limit_ranges(attributes).await? {
                set_defaults(object, &range);
            }
        }
        Ok(None)
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let Some(object) = object else { return Ok(()) };
        for range in limit_ranges(attributes).await? {
            let faults = match attributes.kind.plural {
                "pods" => pod_faults(object, &range),
                _ => claim_faults(object, &range),
            };
            if !faults.is_empty() {
                return Err(attributes.forbidden(&aggregate(faults)));
            }
        }
        Ok(())
    }
}

/// The ranges of the namespace; none bounds what is being deleted.
async fn limit_ranges(attributes: &Attributes<'_>) -> Result<Vec<Object>, ApiError> {
    if attributes.old.is_some_and(metadata::is_deleting) {
        return Ok(Vec::new());
    }
    objects_of_namespace(attributes, kinds::required("", "v1", "limitranges")).await
}

/// Several reasons as upstream writes them: each once, in brackets where there is more than one.
fn aggregate(mut reasons: Vec<String>) -> String {
    let mut seen = std::collections::HashSet::new();
    reasons.retain(|reason| seen.insert(reason.clone()));
    match reasons.as_slice() {
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// Fills what containers leave out, and notes it in an annotation.
fn set_defaults(pod: &mut Object, range: &Object) {
    let (mut requests, mut limits) = (serde_json::Map::new(), serde_json::Map::new());
    for limit in items(range, "spec.limits").filter(|limit| text(limit, "type") == "Container") {
        requests.extend(get_object(limit, "defaultRequest").cloned().into_iter().flatten());
        limits.extend(get_object(limit, "default").cloned().into_iter().flatten());
    }
    let mut notes = Vec::new();
    for (list, word) in [("spec.containers", "container"), ("spec.initContainers", "init container")] {
        for container in items_mut(pod, list) {
            let name = text(container, "name").to_owned();
            for (field, noun, defaults) in [("requests", "request", &requests), ("limits", "limit", &limits)] {
                if defaults.is_empty() {
                    continue;
                }
                let given = object_at(object_at(container, "resources"), field);
                let mut set: Vec<&str> =
                    defaults.keys().map(String::as_str).filter(|resource| !given.contains_key(*resource)).collect();
                set.sort_unstable();
                for resource in &set {
                    given.insert((*resource).to_owned(), defaults[*resource].clone());
                }
                if !set.is_empty() {
                    notes.push(format!("{} {noun} for {word} {name}", set.join(", ")));
                }
            }
        }
    }
    if !notes.is_empty() {
        let note = format!("LimitRanger plugin set: {}", notes.join("; "));
        object_at(metadata::of(pod), "annotations").insert(ANNOTATION.to_owned(), Value::from(note));
    }
}

fn pod_faults(pod: &Object, range: &Object) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(spec) = get_object(pod, "spec") else { return faults };
    for limit in items(range, "spec.limits") {
        match text(limit, "type") {
            kind @ "Container" => {
                for container in items(spec, "containers").chain(items(spec, "initContainers")) {
                    let requests = quota::amounts(container, "resources.requests");
                    let limits = quota::amounts(container, "resources.limits");
                    Bounds { limit, kind, requests: &requests, limits: &limits }.check(&mut faults);
                }
            }
            kind @ "Pod" => {
                let requests = quota::pod_resources(spec, "requests");
                let limits = quota::pod_resources(spec, "limits");
                Bounds { limit, kind, requests: &requests, limits: &limits }.check(&mut faults);
            }
            _ => {}
        }
    }
    faults
}

fn claim_faults(claim: &Object, range: &Object) -> Vec<String> {
    let mut faults = Vec::new();
    let requests = quota::amounts(claim, "spec.resources.requests");
    for limit in items(range, "spec.limits").filter(|limit| text(limit, "type") == "PersistentVolumeClaim") {
        // Limits of a claim are nothing a user sets.
        let bounds = Bounds { limit, kind: "PersistentVolumeClaim", requests: &requests, limits: &Amounts::new() };
        for (resource, bound) in quota::amounts(limit, "min") {
            faults.extend(bounds.below(&resource, bound));
        }
        for (resource, bound) in quota::amounts(limit, "max") {
            faults.extend(bounds.requested_above(&resource, bound));
        }
    }
    faults
}

/// What one entry of a range says of one thing's requests and limits.
struct Bounds<'a> {
    limit: &'a Object,
    kind: &'a str,
    requests: &'a Amounts,
    limits: &'a Amounts,
}

impl Bounds<'_> {
    fn check(&self, faults: &mut Vec<String>) {
        for (resource, bound) in quota::amounts(self.limit, "min") {
            faults.extend(self.below(&resource, bound));
        }
        for (resource, bound) in quota::amounts(self.limit, "max") {
            faults.extend(self.above(&resource, bound));
        }
        for (resource, bound) in quota::amounts(self.limit, "maxLimitRequestRatio") {
            faults.extend(self.too_far_apart(&resource, bound));
        }
    }

    fn below(&self, resource: &str, bound: Amount) -> Option<String> {
        let least = format!("minimum {resource} usage per {} is {bound}", self.kind);
        match (self.requests.get(resource), self.limits.get(resource)) {
            (None, _) => Some(format!("{least}.  No request is specified")),
            (Some(request), _) if request.quantity < bound.quantity => {
                Some(format!("{least}, but request is {request}"))
            }
            (_, Some(limit)) if limit.quantity < bound.quantity => Some(format!("{least}, but limit is {limit}")),
            _ => None,
        }
    }

    fn above(&self, resource: &str, bound: Amount) -> Option<String> {
        let most = format!("maximum {resource} usage per {} is {bound}", self.kind);
        match (self.requests.get(resource), self.limits.get(resource)) {
            (_, None) => Some(format!("{most}.  No limit is specified")),
            (_, Some(limit)) if limit.quantity > bound.quantity => Some(format!("{most}, but limit is {limit}")),
            (Some(request), _) if request.quantity > bound.quantity => {
                Some(format!("{most}, but request is {request}"))
            }
            _ => None,
        }
    }

    fn requested_above(&self, resource: &str, bound: Amount) -> Option<String> {
        let most = format!("maximum {resource} usage per {} is {bound}", self.kind);
        match self.requests.get(resource) {
            None => Some(format!("{most}.  No request is specified")),
            Some(request) if request.quantity > bound.quantity => Some(format!("{most}, but request is {request}")),
            Some(_) => None,
        }
    }

    fn too_far_apart(&self, resource: &str, bound: Amount) -> Option<String> {
        let most = format!("{resource} max limit to request ratio per {} is {bound}", self.kind);
        let millis = |amounts: &Amounts| {
            amounts.get(resource).map(|amount| amount.quantity.millis() as f64).filter(|millis| *millis > 0.0)
        };
        let Some(request) = millis(self.requests) else {
            return Some(format!("{most}, but no request is specified or request is 0"));
        };
        let Some(limit) = millis(self.limits) else {
            return Some(format!("{most}, but no limit is specified or limit is 0"));
        };
        let ratio = limit / request;
        (ratio * 1000.0 > bound.quantity.millis() as f64).then(|| format!("{most}, but provided ratio is {ratio:.6}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn range(limits: Value) -> Object {
        object(json!({"spec": {"limits": limits}}))
    }

    #[test]
    fn containers_get_what_they_leave_out_and_pods_say_so() {
        let limits = json!([{"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "5Mi"},
            "default": {"cpu": "75m", "memory": "10Mi"}}]);
        let mut pod = object(json!({"metadata": {}, "spec": {
            "containers": [{"name": "foo-0", "resources": {"requests": {"memory": "1Mi"}}}],
            "initContainers": [{"name": "foo-1", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}],
        }}));
        set_defaults(&mut pod, &range(limits));
        assert_eq!(
            pod["spec"]["containers"][0]["resources"],
            json!({"requests": {"memory": "1Mi", "cpu": "100m"}, "limits": {"cpu": "75m", "memory": "10Mi"}})
        );
        assert_eq!(
            pod["metadata"]["annotations"][ANNOTATION],
            "LimitRanger plugin set: cpu request for container foo-0; cpu, memory limit for container foo-0; cpu, memory \
             request for init container foo-1"
        );
    }

    #[test]
    fn bounds_are_told_in_upstreams_words() {
        let pod = |resources: Value| {
            object(json!({"spec": {"containers": [{"name": "a", "resources": resources.clone()}, {"name": "b",
                "resources": resources}]}}))
        };
        let container = |bounds: Value| {
            let mut limit = object(bounds);
            limit.insert("type".to_owned(), Value::from("Container"));
            range(json!([limit]))
        };
        for (bounds, resources, expected) in [
            (
                json!({"min": {"memory": "50Mi"}}),
                json!({}),
                "minimum memory usage per Container is 50Mi.  No request is specified",
            ),
            (
                json!({"min": {"cpu": "50m"}}),
                json!({"requests": {"cpu": "40m"}, "limits": {"cpu": "200m"}}),
                "minimum cpu usage per Container is 50m, but request is 40m",
            ),
            (
                json!({"max": {"cpu": "100m"}}),
                json!({"requests": {"cpu": "110m"}}),
                "maximum cpu usage per Container is 100m.  No limit is specified",
            ),
            (
                json!({"max": {"cpu": "1"}}),
                json!({"requests": {"cpu": "1"}, "limits": {"cpu": "1500m"}}),
                "maximum cpu usage per Container is 1, but limit is 1500m",
            ),
            (
                json!({"maxLimitRequestRatio": {"cpu": "1500m"}}),
                json!({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}),
                "cpu max limit to request ratio per Container is 1500m, but provided ratio is 2.000000",
            ),
            (
                json!({"maxLimitRequestRatio": {"cpu": "2"}}),
                json!({"limits": {"cpu": "2"}}),
                "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
            ),
        ] {
            assert_eq!(aggregate(pod_faults(&pod(resources), &container(bounds))), expected);
        }
        let fine = pod(json!({"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}));
        assert!(pod_faults(&fine, &container(json!({"max": {"cpu": "1"}, "min": {"cpu": "1"}}))).is_empty());
        let both = range(json!([{"type": "Pod", "max": {"cpu": "1", "memory": "1Gi"}}]));
        assert_eq!(
            aggregate(pod_faults(&fine, &both)),
            "[maximum cpu usage per Pod is 1, but limit is 2, maximum memory usage per Pod is 1Gi.  No limit is specified]"
        );
    }

    #[test]
    fn claims_stay_within_their_bounds() {
        let claim = |size: &str| object(json!({"spec": {"resources": {"requests": {"storage": size}}}}));
        let bounds = range(json!([{"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"},
            "max": {"storage": "10Gi"}}]));
        assert!(claim_faults(&claim("5Gi"), &bounds).is_empty());
        assert_eq!(
            claim_faults(&claim("11Gi"), &bounds),
            ["maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 11Gi"]
        );
        assert_eq!(
            claim_faults(&claim("1Mi"), &bounds),
            ["minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi"]
        );
    }
}
