//! Namespace.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column};
use crate::fields::{get, get_array, object_at, set, text};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::names::NameRule;

pub static NAMESPACE: Kind = Kind {
    kind: "Namespace",
    plural: "namespaces",
    singular: "namespace",
    short_names: &["ns"],
    verbs: &["create", "delete", "get", "list", "patch", "update", "watch"],
    has_status: true,
    rules: &NamespaceRules,
    ..Kind::CLUSTER
};

struct NamespaceRules;

/// The label every namespace carries, with its own name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Held in `spec.finalizers` until the namespace's content is gone.
const FINALIZER: &str = "kubernetes";

impl Rules for NamespaceRules {
    fn name_rule(&self) -> NameRule {
        NameRule::DnsLabel
    }

    fn default(&self, object: &mut Object) {
        let name = text(object, "metadata.name").to_owned();
        if !name.is_empty() {
            object_at(object_at(object, "metadata"), "labels").insert(NAME_LABEL.to_owned(), Value::String(name));
        }
    }

    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        // A generated name is known only now.
        self.default(object);
        let spec = object_at(object, "spec");
        let mut finalizers = get_array(spec, "finalizers").to_vec();
        if !finalizers.contains(&Value::from(FINALIZER)) {
            finalizers.push(Value::from(FINALIZER));
        }
        set(spec, "finalizers", finalizers);
        set(object, "status", json!({"phase": "Active"}));
    }

    /// Only `/finalize` takes finalizers of the spec away.
    fn prepare_update(&self, object: &mut Object, old: &Object, _context: &WriteContext<'_>) {
        if let Some(finalizers) = get(old, "spec.finalizers").cloned() {
            set(object, "spec.finalizers", finalizers);
        }
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[NAME, column("Status", "string", "The status of the namespace"), AGE];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), Value::from(text(object, "status.phase")), columns::age(object, now)]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        match path {
            "status.phase" => Some(text(object, path).to_owned()),
            // An older spelling of metadata.name that clients still send.
            "name" => Some(text(object, "metadata.name").to_owned()),
            _ => None,
        }
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["status.phase", "name"]
    }

    fn begin_deletion(&self, object: &mut Object) {
        set(object, "status.phase", "Terminating");
    }

    fn holds_deletion(&self, object: &Object) -> bool {
        !get_array(object, "spec.finalizers").is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_born_active_and_held() {
        let mut object = Object::from_iter([("metadata".to_owned(), json!({"name": "a"}))]);
        NamespaceRules.default(&mut object);
        NamespaceRules.prepare_create(
            &mut object,
            &WriteContext { now: Timestamp::UNIX_EPOCH, writer: crate::kind::Writer::named("") },
        );
        assert!(NamespaceRules.holds_deletion(&object));
        assert_eq!(
            Value::Object(object),
            json!({
                "metadata": {"name": "a", "labels": {"kubernetes.io/metadata.name": "a"}},
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            })
        );
    }
}
