//! Stored objects of any kind, as the judges of a run read them.

use std::collections::BTreeMap;

use serde_json::Value;

/// Everything there is, by the store's keys: `/registry/GROUP/PLURAL/NAMESPACE/NAME`.
pub(crate) type World = BTreeMap<String, Object>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    /// Such as `apps/deployments`.
    pub(crate) kind: String,
    pub(crate) value: Value,
}

impl Object {
    pub(crate) fn new(key: &str, value: Value) -> Object {
        Object { kind: kind_of(key).to_owned(), value }
    }

    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub(crate) fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    pub(crate) fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// How findings name it.
    pub(crate) fn title(&self) -> String {
        let plural = self.kind.rsplit('/').next().unwrap_or_default();
        let namespace = self.namespace();
        if namespace.is_empty() {
            format!("{plural} {}", self.name())
        } else {
            format!("{plural} {namespace}/{}", self.name())
        }
    }

    /// Empty where there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self, pointer: &str) -> Option<i64> {
        self.value.pointer(pointer).and_then(Value::as_i64)
    }

    /// Zero where there is none, as Go has it.
    pub(crate) fn count(&self, pointer: &str) -> i64 {
        self.number(pointer).unwrap_or(0)
    }

    pub(crate) fn is(&self, pointer: &str) -> bool {
        self.value.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn list(&self, pointer: &str) -> impl Iterator<Item = &Value> {
        self.value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
    }

    /// `spec.replicas`; one where nothing is said.
    pub(crate) fn replicas(&self) -> i64 {
        self.number("/spec/replicas").unwrap_or(1)
    }

    pub(crate) fn label(&self, key: &str) -> &str {
        self.value["metadata"]["labels"][key].as_str().unwrap_or_default()
    }

    pub(crate) fn is_going(&self) -> bool {
        !self.text("/metadata/deletionTimestamp").is_empty()
    }

    pub(crate) fn has_finalizer(&self, name: &str) -> bool {
        self.list("/metadata/finalizers").any(|finalizer| finalizer == name)
    }

    /// Whether the controller's status is of the newest spec.
    pub(crate) fn is_observed(&self) -> bool {
        self.count("/status/observedGeneration") >= self.count("/metadata/generation")
    }

    pub(crate) fn owner_uids(&self) -> impl Iterator<Item = &str> {
        self.list("/metadata/ownerReferences").filter_map(|owner| owner["uid"].as_str())
    }

    pub(crate) fn controller_uid(&self) -> Option<&str> {
        let mut owners = self.list("/metadata/ownerReferences").filter(|owner| owner["controller"] == true);
        owners.next().and_then(|owner| owner["uid"].as_str())
    }

    /// What the condition of that type says; empty where there is none.
    pub(crate) fn condition(&self, kind: &str) -> &str {
        self.of_condition(kind, "status")
    }

    /// Why it says so.
    pub(crate) fn condition_reason(&self, kind: &str) -> &str {
        self.of_condition(kind, "reason")
    }

    fn of_condition(&self, kind: &str, field: &str) -> &str {
        let mut conditions = self.list("/status/conditions").filter(|condition| condition["type"] == kind);
        conditions.next().and_then(|condition| condition[field].as_str()).unwrap_or_default()
    }

    /// Of a pod: it serves, and nobody has told it to go.
    pub(crate) fn is_serving(&self) -> bool {
        self.condition("Ready") == "True" && !self.is_going()
    }

    /// Of a pod: it has come to its end.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.text("/status/phase"), "Succeeded" | "Failed")
    }

    /// Whether an equality selector (a map of labels) at `pointer` of `self` chooses `other`.
    pub(crate) fn selects(&self, pointer: &str, other: &Object) -> bool {
        let wanted = self.value.pointer(pointer).and_then(Value::as_object);
        let is_near = self.namespace() == other.namespace();
        is_near
            && wanted.is_some_and(|labels| {
                labels.iter().all(|(key, value)| other.value["metadata"]["labels"][key] == *value)
            })
    }
}

/// `GROUP/PLURAL`.
pub(crate) fn kind_of(key: &str) -> &str {
    let rest = key.strip_prefix("/registry/").unwrap_or(key);
    let end = rest.match_indices('/').nth(1).map_or(rest.len(), |(at, _)| at);
    &rest[..end]
}

/// All objects of a kind, such as `core/pods`.
pub(crate) fn all<'a>(world: &'a World, kind: &str) -> impl Iterator<Item = &'a Object> {
    let prefix = format!("/registry/{kind}/");
    let of_kind = world.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix));
    of_kind.map(|(_, object)| object)
}

/// The objects of a kind that somebody controls.
pub(crate) fn controlled<'a>(world: &'a World, kind: &str, owner: &'a Object) -> impl Iterator<Item = &'a Object> {
    all(world, kind).filter(|object| object.controller_uid() == Some(owner.uid()))
}

/// A count or a share of `whole`.
pub(crate) fn share(amount: Option<&Value>, whole: i64, is_rounded_up: bool) -> i64 {
    let Some(amount) = amount else { return 0 };
    match amount.as_str().and_then(|text| text.strip_suffix('%')).and_then(|text| text.parse::<i64>().ok()) {
        Some(percent) => (percent * whole + if is_rounded_up { 99 } else { 0 }) / 100,
        None => amount.as_i64().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_tell_kinds_and_shares_are_rounded() {
        assert_eq!(kind_of("/registry/apps/deployments/default/web"), "apps/deployments");
        assert_eq!(kind_of("/registry/core/nodes/a"), "core/nodes");
        assert_eq!(share(Some(&json!("25%")), 3, true), 1);
        assert_eq!(share(Some(&json!("25%")), 3, false), 0);
        assert_eq!(share(Some(&json!(2)), 3, false), 2);
    }
}
