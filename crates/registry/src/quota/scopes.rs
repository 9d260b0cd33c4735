//! Which pods a quota speaks of.

use crate::fields::{get_array, get_i64, get_object, items, text, texts};
use crate::kind::{Kind, Object};
use crate::pod_spec::qos;

/// Whether an object is in all scopes of a quota. Only pods and, by their class, claims are in any.
pub fn is_in_scope(quota: &Object, kind: &Kind, object: &Object) -> bool {
    let mut plain = texts(quota, "spec.scopes");
    plain.all(|scope| is_in(scope, "Exists", &[], kind, object))
        && items(quota, "spec.scopeSelector.matchExpressions").all(|term| {
            let values: Vec<&str> = texts(term, "values").collect();
            is_in(text(term, "scopeName"), text(term, "operator"), &values, kind, object)
        })
}

fn is_in(scope: &str, operator: &str, values: &[&str], kind: &Kind, object: &Object) -> bool {
    match (kind.group, kind.plural, scope) {
        ("", "pods", "Terminating") => is_limited_in_time(object),
        ("", "pods", "NotTerminating") => !is_limited_in_time(object),
        ("", "pods", "BestEffort") => is_best_effort(object),
        ("", "pods", "NotBestEffort") => !is_best_effort(object),
        ("", "pods", "PriorityClass") => selects(operator, values, text(object, "spec.priorityClassName")),
        ("", "pods", "CrossNamespacePodAffinity") => looks_beyond_namespace(object),
        ("", "persistentvolumeclaims", "VolumeAttributesClass") => {
            selects(operator, values, text(object, "spec.volumeAttributesClassName"))
        }
        _ => false,
    }
}

fn selects(operator: &str, values: &[&str], class: &str) -> bool {
    match operator {
        "In" => !class.is_empty() && values.contains(&class),
        "NotIn" => !values.contains(&class),
        "Exists" => !class.is_empty(),
        "DoesNotExist" => class.is_empty(),
        _ => false,
    }
}

fn is_limited_in_time(pod: &Object) -> bool {
    get_i64(pod, "spec.activeDeadlineSeconds").is_some_and(|seconds| seconds >= 0)
}

fn is_best_effort(pod: &Object) -> bool {
    get_object(pod, "spec").is_some_and(|spec| qos::class(spec) == "BestEffort")
}

/// Whether a term of affinity names other namespaces.
fn looks_beyond_namespace(pod: &Object) -> bool {
    let beyond = |term: &Object| !get_array(term, "namespaces").is_empty() || term.contains_key("namespaceSelector");
    ["spec.affinity.podAffinity", "spec.affinity.podAntiAffinity"].iter().any(|affinity| {
        items(pod, &format!("{affinity}.requiredDuringSchedulingIgnoredDuringExecution")).any(beyond)
            || items(pod, &format!("{affinity}.preferredDuringSchedulingIgnoredDuringExecution"))
                .filter_map(|preferred| get_object(preferred, "podAffinityTerm"))
                .any(beyond)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::config_map::CONFIG_MAP;
    use crate::core::pod::POD;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    #[test]
    fn scopes_choose_pods() {
        let plain = json!({"containers": [{}]});
        let urgent = json!({"containers": [{"resources": {"requests": {"cpu": "1"}}}], "priorityClassName": "high"});
        let limited = json!({"containers": [{}], "activeDeadlineSeconds": 5});
        let term = json!({"topologyKey": "a", "namespaces": ["b"]});
        let far = json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}});
        let by_priority = |operator: &str, values: Value| {
            let term = json!({"scopeName": "PriorityClass", "operator": operator, "values": values});
            json!({"scopeSelector": {"matchExpressions": [term]}})
        };
        for (quota, pod, expected) in [
            (json!({}), &plain, true),
            (json!({"scopes": ["BestEffort"]}), &plain, true),
            (json!({"scopes": ["BestEffort"]}), &urgent, false),
            (json!({"scopes": ["NotBestEffort", "NotTerminating"]}), &urgent, true),
            (json!({"scopes": ["Terminating"]}), &limited, true),
            (json!({"scopes": ["Terminating"]}), &plain, false),
            (json!({"scopes": ["CrossNamespacePodAffinity"]}), &far, true),
            (json!({"scopes": ["CrossNamespacePodAffinity"]}), &plain, false),
            (by_priority("In", json!(["high"])), &urgent, true),
            (by_priority("In", json!(["low"])), &urgent, false),
            (by_priority("NotIn", json!(["high"])), &plain, true),
            (by_priority("Exists", json!([])), &plain, false),
        ] {
            let quota = object(json!({ "spec": quota }));
            assert_eq!(is_in_scope(&quota, &POD, &object(json!({ "spec": pod }))), expected, "{quota:?} {pod}");
        }
        let scoped = object(json!({"spec": {"scopes": ["NotTerminating"]}}));
        assert!(!is_in_scope(&scoped, &CONFIG_MAP, &Object::new()));
    }
}
