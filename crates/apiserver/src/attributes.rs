//! What selectors look at, read from an object's bytes without decoding the rest.

use std::collections::BTreeMap;
use std::fmt;

use registry::{Kind, Object};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::status::ApiError;
use crate::storage;

pub(crate) type Labels = BTreeMap<String, String>;

/// The labels of a stored object. Metadata stands first, so that little more than it is read.
pub(crate) fn labels(bytes: &[u8]) -> Result<Labels, ApiError> {
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(default)]
        labels: Option<Labels>,
    }
    let Some(metadata) = storage::metadata(bytes) else { return Ok(Labels::new()) };
    let mut input = serde_json::Deserializer::from_slice(metadata);
    let metadata = Metadata::deserialize(&mut input).map_err(broken)?;
    Ok(metadata.labels.unwrap_or_default())
}

/// As much of a stored object as [`registry::Rules::selectable_field`] asks for: below the roots of
/// the kind's selectable paths every plain value, and of lists and maps those that a path names.
pub(crate) fn selectable(kind: &Kind, bytes: &[u8]) -> Result<Object, ApiError> {
    let paths = kind.rules.selectable_fields();
    let mut input = serde_json::Deserializer::from_slice(bytes);
    Root { paths }.deserialize(&mut input).map_err(broken)
}

fn broken(error: serde_json::Error) -> ApiError {
    ApiError::internal(&format!("a stored object does not parse: {error}"))
}

/// The object itself.
struct Root {
    paths: &'static [&'static str],
}

impl<'de> DeserializeSeed<'de> for Root {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Object, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Root {
    type Value = Object;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Object, A::Error> {
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            let below = |path: &&str| path.split('.').next() == Some(name.as_str());
            if name == "metadata" || self.paths.iter().any(below) {
                let kept = Pruned { paths: self.paths, at: name.clone(), depth: 1 };
                if let Some(value) = members.next_value_seed(kept)? {
                    object.insert(name, value);
                }
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(object)
    }
}

/// A value below a root. Lists and maps that no path leads into are read over.
struct Pruned {
    paths: &'static [&'static str],
    at: String,
    depth: usize,
}

impl Pruned {
    /// Whether a selectable path is this value's, or leads on into it.
    fn is_named(&self) -> bool {
        self.paths.iter().any(|path| {
            path.strip_prefix(self.at.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

impl<'de> DeserializeSeed<'de> for Pruned {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Option<Value>, D::Error> {
        if self.depth > 1 && self.is_named() {
            return Value::deserialize(input).map(Some);
        }
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pruned {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            if self.depth > 1 {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let kept = Pruned { paths: self.paths, at: format!("{}.{name}", self.at), depth: self.depth + 1 };
            if let Some(value) = members.next_value_seed(kept)? {
                object.insert(name, value);
            }
        }
        Ok(Some(Value::Object(object)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_are_read_from_metadata_alone() {
        let kind = crate::kinds::required("", "v1", "pods");
        let Value::Object(pod) = json!({
            "metadata": {"name": "a", "labels": {"app": "web"}, "annotations": {"labels": "no"}},
            "spec": {"labels": {"not": "these"}},
        }) else {
            unreachable!()
        };
        let bytes = storage::encode(kind, &pod);
        assert_eq!(labels(&bytes).unwrap(), Labels::from([("app".to_owned(), "web".to_owned())]));
        assert!(labels(&storage::encode(kind, &Object::new())).unwrap().is_empty());
    }

    /// The pruned object answers for every selectable path as the whole one does.
    #[test]
    fn pruning_loses_nothing_that_selectors_ask_for() {
        let samples = [
            (
                "",
                "pods",
                json!({
                    "spec": {"nodeName": "n", "hostNetwork": true, "containers": [{"name": "c"}], "schedulerName": "s"},
                    "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "::1"}], "conditions": [{}]},
                }),
            ),
            (
                "",
                "events",
                json!({
                    "involvedObject": {"kind": "Pod", "name": "a", "fieldPath": "x"}, "reason": "Why", "type": "Normal",
                    "source": {"component": "kubelet"}, "reportingComponent": "r",
                }),
            ),
            ("", "namespaces", json!({"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})),
            ("", "services", json!({"spec": {"clusterIP": "10.0.0.1", "type": "ClusterIP", "ports": [{}]}})),
            ("", "nodes", json!({"spec": {"unschedulable": true, "taints": [{}]}})),
            ("", "secrets", json!({"type": "Opaque", "data": {"a": "b"}})),
            ("batch", "jobs", json!({"status": {"succeeded": 3}})),
            ("apps", "replicasets", json!({"status": {"replicas": 3}})),
        ];
        for (group, plural, mut object) in samples {
            object["metadata"] = json!({"name": "a", "namespace": "b", "labels": {"x": "y"}});
            let Value::Object(whole) = object else { unreachable!() };
            let kind = crate::kinds::required(group, "v1", plural);
            let pruned = selectable(kind, &storage::encode(kind, &whole)).unwrap();
            for path in kind.rules.selectable_fields() {
                assert_eq!(
                    kind.rules.selectable_field(&pruned, path),
                    kind.rules.selectable_field(&whole, path),
                    "{plural} {path}"
                );
            }
            assert!(
                pruned.get("data").is_none() && pruned.get("spec").is_none_or(|spec| spec.get("containers").is_none())
            );
        }
    }
}
