//! PodPresets of old: what they hold is merged into the pods of their namespace that they select.

use api::Selector;
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use async_trait::async_trait;
use registry::Object;
use registry::fields::{get, get_array, items_mut, object_at};
use serde_json::Value;

use super::{Attributes, Operation, Plugin, Reservation, objects_of_namespace};
use crate::status::ApiError;
use crate::{kinds, metadata, verbs};

const MIRROR: &str = "kubernetes.io/config.mirror";
const EXCLUDE: &str = "podpreset.admission.kubernetes.io/exclude";
/// The version of each preset that a pod got, by the preset's name.
const APPLIED: &str = "podpreset.admission.kubernetes.io/podpreset-";

pub(super) struct PodPreset;

#[async_trait]
impl Plugin for PodPreset {
    fn name(&self) -> &'static str {
        "PodPreset"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "pods", "")
            && attributes.operation == Operation::Create
            && attributes.call.server.serves_legacy_apis()
    }

    async fn admit(&self, attributes: &Attributes<'_>, pod: &mut Object) -> Result<Option<Reservation>, ApiError> {
        let annotation = |name| metadata::map(pod, "annotations").and_then(|map| map.get(name));
        if annotation(MIRROR).is_some() || annotation(EXCLUDE).is_some_and(|value| value == "true") {
            return Ok(None);
        }
        let kind = kinds::required("settings.k8s.io", "v1alpha1", "podpresets");
        let mut presets = objects_of_namespace(attributes, kind).await?;
        presets.retain(|preset| selects(preset, pod));
        if presets.is_empty() {
            return Ok(None);
        }
        match merged(pod, &presets) {
            Ok(mut whole) => {
                attributes.kind.rules.default(&mut whole);
                *pod = whole;
            }
            // The pod goes in as it is: nothing is better than half of it.
            Err(Conflict { field, key }) => {
                tracing::warn!(
                    pod = attributes.name,
                    namespace = attributes.namespace,
                    field,
                    key,
                    "pod presets conflict"
                );
            }
        }
        Ok(None)
    }
}

fn selects(preset: &Object, pod: &Object) -> bool {
    let selector = get(preset, "spec.selector").cloned().unwrap_or_else(|| Value::Object(Object::new()));
    let Ok(selector) = serde_json::from_value::<LabelSelector>(selector) else { return false };
    Selector::from_label_selector(&selector).is_ok_and(|selector| selector.matches(&verbs::selector::labels(pod)))
}

/// Two who say different things of one name or path.
#[derive(Debug, PartialEq)]
struct Conflict {
    field: &'static str,
    key: String,
}

/// The pod with all that the presets hold, unless one of them says something else than the pod or another.
fn merged(pod: &Object, presets: &[Object]) -> Result<Object, Conflict> {
    let mut pod = pod.clone();
    merge(object_at(&mut pod, "spec"), "volumes", &["name"], presets)?;
    for containers in ["spec.containers", "spec.initContainers"] {
        for container in items_mut(&mut pod, containers) {
            merge(container, "env", &["name"], presets)?;
            merge(container, "envFrom", &[], presets)?;
            merge(container, "volumeMounts", &["name", "mountPath"], presets)?;
        }
    }
    let annotations = object_at(metadata::of(&mut pod), "annotations");
    for preset in presets {
        let version = metadata::text(preset, "resourceVersion");
        annotations.insert(format!("{APPLIED}{}", metadata::name(preset)), Value::from(version));
    }
    Ok(pod)
}

/// Appends what the presets have in the list. What has a key that is there already must be the same, and is not
/// added twice.
fn merge(owner: &mut Object, field: &'static str, keys: &[&str], presets: &[Object]) -> Result<(), Conflict> {
    let mut list = get_array(owner, field).to_vec();
    for item in presets.iter().flat_map(|preset| get_array(preset, &format!("spec.{field}"))) {
        let shares = |other: &Value, key: &str| item.get(key).is_some() && other.get(key) == item.get(key);
        let rival = keys.iter().find_map(|key| Some((*key, list.iter().find(|other| shares(other, key))?)));
        match rival {
            None => list.push(item.clone()),
            Some((_, present)) if present == item => {}
            Some((key, _)) => {
                let key = item.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
                return Err(Conflict { field, key });
            }
        }
    }
    if !list.is_empty() {
        owner.insert(field.to_owned(), Value::from(list));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().cloned().unwrap()
    }

    fn preset(name: &str, spec: Value) -> Object {
        object(json!({"metadata": {"name": name, "resourceVersion": "7"}, "spec": spec}))
    }

    fn pod() -> Object {
        object(json!({
            "metadata": {"name": "web", "labels": {"role": "frontend"}},
            "spec": {
                "containers": [{"name": "c", "env": [{"name": "A", "value": "1"}]}],
                "initContainers": [{"name": "i"}],
            },
        }))
    }

    /// The example of upstream's documentation: variables, a source of them, a volume and its mount.
    #[test]
    fn what_presets_hold_is_in_every_container() {
        let cache = preset(
            "cache",
            json!({
                "env": [{"name": "DB_PORT", "value": "6379"}, {"name": "A", "value": "1"}],
                "envFrom": [{"configMapRef": {"name": "etcd-env-config"}}],
                "volumeMounts": [{"name": "cache-volume", "mountPath": "/cache"}],
                "volumes": [{"name": "cache-volume", "emptyDir": {}}],
            }),
        );
        let whole = merged(&pod(), &[cache]).unwrap();
        let (port, source) =
            (json!({"name": "DB_PORT", "value": "6379"}), json!([{"configMapRef": {"name": "etcd-env-config"}}]));
        let container = &whole["spec"]["containers"][0];
        assert_eq!((&container["env"], &container["envFrom"]), (&json!([{"name": "A", "value": "1"}, port]), &source));
        assert_eq!(container["volumeMounts"], json!([{"name": "cache-volume", "mountPath": "/cache"}]));
        assert_eq!(whole["spec"]["initContainers"][0]["env"], json!([port, {"name": "A", "value": "1"}]));
        assert_eq!(whole["spec"]["volumes"], json!([{"name": "cache-volume", "emptyDir": {}}]));
        assert_eq!(whole["metadata"]["annotations"], json!({"podpreset.admission.kubernetes.io/podpreset-cache": "7"}));
    }

    #[test]
    fn who_says_otherwise_conflicts() {
        let conflict = |spec: Value| merged(&pod(), &[preset("p", spec)]).unwrap_err();
        assert_eq!(
            conflict(json!({"env": [{"name": "A", "value": "2"}]})),
            Conflict { field: "env", key: "A".to_owned() }
        );
        let mounts = json!({"volumeMounts": [{"name": "a", "mountPath": "/x"}, {"name": "b", "mountPath": "/x"}]});
        assert_eq!(conflict(mounts), Conflict { field: "volumeMounts", key: "/x".to_owned() });
    }

    #[test]
    fn a_preset_without_a_selector_is_for_all() {
        assert!(selects(&preset("p", json!({})), &pod()));
        assert!(selects(&preset("p", json!({"selector": {"matchLabels": {"role": "frontend"}}})), &pod()));
        assert!(!selects(&preset("p", json!({"selector": {"matchLabels": {"role": "backend"}}})), &pod()));
    }
}
