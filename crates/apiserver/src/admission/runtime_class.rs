//! A pod carries the overhead and the scheduling constraints of its runtime class.

use async_trait::async_trait;
use registry::Object;
use registry::fields::{get_array, get_object, object_at, text};
use serde_json::{Map, Value};

use super::{Attributes, Operation, Plugin, Reservation};
use crate::kinds;
use crate::status::ApiError;

const MISMATCH: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

pub(super) struct RuntimeClass;

#[async_trait]
impl Plugin for RuntimeClass {
    fn name(&self) -> &'static str {
        "RuntimeClass"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "pods", "") && attributes.operation == Operation::Create
    }

    async fn admit(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        if let Some(class) = class(attributes, object).await? {
            set_overhead(object, &class).map_err(|why| attributes.forbidden(&why))?;
            set_scheduling(object, &class).map_err(|why| attributes.forbidden(&why))?;
        }
        Ok(None)
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let Some(pod) = object else { return Ok(()) };
        let given = overhead(pod, "spec.overhead");
        if given.is_none() && text(pod, "spec.runtimeClassName").is_empty() {
            return Ok(());
        }
        let class = class(attributes, pod).await?;
        match class.as_ref().and_then(|class| overhead(class, "overhead.podFixed")) {
            None if given.is_some() => {
                let why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
                Err(attributes.forbidden(why))
            }
            Some(fixed) if given != Some(fixed) => Err(attributes.forbidden(MISMATCH)),
            _ => Ok(()),
        }
    }
}

async fn class(attributes: &Attributes<'_>, pod: &Object) -> Result<Option<Object>, ApiError> {
    let name = text(pod, "spec.runtimeClassName");
    if name.is_empty() {
        return Ok(None);
    }
    let classes = kinds::required("node.k8s.io", "v1", "runtimeclasses");
    let class = attributes.call.server.storage.object(classes, "", name).await?;
    let why = || format!("pod rejected: RuntimeClass {name:?} not found");
    class.map(Some).ok_or_else(|| attributes.forbidden(&why()))
}

fn overhead<'a>(object: &'a Object, path: &str) -> Option<&'a Map<String, Value>> {
    get_object(object, path).filter(|overhead| !overhead.is_empty())
}

fn set_overhead(pod: &mut Object, class: &Object) -> Result<(), String> {
    let Some(fixed) = overhead(class, "overhead.podFixed") else { return Ok(()) };
    match overhead(pod, "spec.overhead") {
        Some(given) if given != fixed => Err(MISMATCH.to_owned()),
        Some(_) => Ok(()),
        None => {
            object_at(pod, "spec").insert("overhead".to_owned(), Value::Object(fixed.clone()));
            Ok(())
        }
    }
}

fn set_scheduling(pod: &mut Object, class: &Object) -> Result<(), String> {
    let wanted = get_object(class, "scheduling.nodeSelector").filter(|selector| !selector.is_empty());
    if let Some(wanted) = wanted {
        let selector = object_at(object_at(pod, "spec"), "nodeSelector");
        for (key, value) in wanted {
            if let Some(present) = selector.get(key).filter(|present| *present != value) {
                let (theirs, ours) = (value.as_str().unwrap_or(""), present.as_str().unwrap_or(""));
                return Err(format!(
                    "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {theirs}; pod.spec.nodeSelector[{key}] = {ours}"
                ));
            }
            selector.insert(key.clone(), value.clone());
        }
    }
    let added = get_array(class, "scheduling.tolerations");
    if !added.is_empty() {
        let merged = merge_tolerations(get_array(pod, "spec.tolerations"), added);
        object_at(pod, "spec").insert("tolerations".to_owned(), Value::from(merged));
    }
    Ok(())
}

/// All tolerations of both lists, but those that another one includes.
fn merge_tolerations(first: &[Value], second: &[Value]) -> Vec<Value> {
    let all: Vec<&Value> = first.iter().chain(second).collect();
    let mut merged: Vec<&Value> = Vec::new();
    for (at, toleration) in all.iter().enumerate() {
        let mut others = merged.iter().chain(&all[at + 1..]);
        if !others.any(|other| includes(other, toleration)) {
            merged.push(toleration);
        }
    }
    merged.into_iter().cloned().collect()
}

/// Whether whatever `narrow` tolerates, `wide` tolerates too.
fn includes(wide: &Value, narrow: &Value) -> bool {
    let field = |toleration: &Value, name: &str| toleration.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let seconds = |toleration: &Value| toleration.get("tolerationSeconds").and_then(Value::as_i64);
    if wide == narrow {
        return true;
    }
    let (key, operator, effect) = (field(wide, "key"), field(wide, "operator"), field(wide, "effect"));
    if key != field(narrow, "key") && !(key.is_empty() && operator == "Exists") {
        return false;
    }
    if effect != field(narrow, "effect") && !effect.is_empty() {
        return false;
    }
    if effect == "NoExecute"
        && let Some(limit) = seconds(wide)
        && seconds(narrow).is_none_or(|seconds| seconds > limit)
    {
        return false;
    }
    match operator.as_str() {
        "Exists" => true,
        "" | "Equal" => {
            matches!(field(narrow, "operator").as_str(), "" | "Equal") && field(narrow, "value") == field(wide, "value")
        }
        _ => false,
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

    #[test]
    fn a_pod_takes_over_what_its_class_says() {
        let class = object(json!({
            "overhead": {"podFixed": {"memory": "100Mi"}},
            "scheduling": {"nodeSelector": {"runtime": "x"}, "tolerations": [{"key": "x", "operator": "Exists"}]},
        }));
        let mut pod = object(json!({"spec": {"nodeSelector": {"disk": "ssd"}}}));
        set_overhead(&mut pod, &class).unwrap();
        set_scheduling(&mut pod, &class).unwrap();
        assert_eq!(
            pod["spec"],
            json!({
                "nodeSelector": {"disk": "ssd", "runtime": "x"},
                "overhead": {"memory": "100Mi"},
                "tolerations": [{"key": "x", "operator": "Exists"}],
            })
        );
        let mut other = object(json!({"spec": {"nodeSelector": {"runtime": "y"}, "overhead": {"memory": "1Mi"}}}));
        assert_eq!(set_overhead(&mut other, &class).unwrap_err(), MISMATCH);
        assert_eq!(
            set_scheduling(&mut other, &class).unwrap_err(),
            "conflict: runtimeClass.scheduling.nodeSelector[runtime] = x; pod.spec.nodeSelector[runtime] = y"
        );
    }

    #[test]
    fn tolerations_that_another_includes_are_dropped() {
        let all = json!({"operator": "Exists"});
        let x = json!({"key": "x", "operator": "Equal", "value": "1", "effect": "NoSchedule"});
        let y = json!({"key": "y", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 10});
        let longer = json!({"key": "y", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 20});
        assert_eq!(merge_tolerations(std::slice::from_ref(&x), &[all.clone(), y.clone()]), [all]);
        assert_eq!(merge_tolerations(&[x.clone(), y], &[longer.clone(), x.clone()]), [longer, x]);
    }
}
