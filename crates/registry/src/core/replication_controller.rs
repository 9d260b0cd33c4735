//! ReplicationController.

use api::Selector;
use jiff::Timestamp;
use serde_json::Value;

use crate::apps::replica_set::COLUMNS;
use crate::columns;
use crate::error::FieldError;
use crate::fields::{check_not_negative, format_labels, get_object, number, object_at, set, set_default};
use crate::kind::{Column, Kind, Object, Rules};
use crate::pod_spec;
use crate::workload::{SCALE, check_selected, container_cells, validate_always_restarting};

pub static REPLICATION_CONTROLLER: Kind = Kind {
    kind: "ReplicationController",
    plural: "replicationcontrollers",
    singular: "replicationcontroller",
    short_names: &["rc"],
    categories: &["all"],
    has_status: true,
    scale: Some(SCALE),
    rules: &ReplicationControllerRules,
    ..Kind::NAMESPACED
};

struct ReplicationControllerRules;

impl Rules for ReplicationControllerRules {
    /// A controller without labels or selector takes those of its template.
    fn default(&self, object: &mut Object) {
        if let Some(labels) = get_object(object, "spec.template.metadata.labels").cloned() {
            for path in ["spec.selector", "metadata.labels"] {
                if get_object(object, path).is_none_or(Object::is_empty) {
                    set(object, path, labels.clone());
                }
            }
        }
        set_default(object_at(object, "spec"), "replicas", 1);
        pod_spec::default_template(object);
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        check_not_negative(object, "spec.replicas", "", &mut faults);
        check_not_negative(object, "spec.minReadySeconds", "", &mut faults);
        let empty = Object::new();
        match get_object(object, "spec.selector").filter(|selector| !selector.is_empty()) {
            None => faults.push(FieldError::required("spec.selector", "")),
            Some(selector) => {
                let pairs: Vec<(String, String)> = selector
                    .iter()
                    .map(|(key, value)| (key.clone(), value.as_str().unwrap_or("").to_owned()))
                    .collect();
                let selector = Selector::from_map(pairs.iter().map(|(key, value)| (key, value)));
                let labels = get_object(object, "spec.template.metadata.labels").unwrap_or(&empty);
                check_selected(&selector, labels, &mut faults);
            }
        }
        validate_always_restarting(object, "ReplicationController", &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let [containers, images] = container_cells(object, "spec.template.spec.containers");
        vec![
            columns::name(object),
            Value::from(number(object, "spec.replicas")),
            Value::from(number(object, "status.replicas")),
            Value::from(number(object, "status.readyReplicas")),
            columns::age(object, now),
            containers,
            images,
            Value::from(format_labels(get_object(object, "spec.selector"))),
        ]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        (path == "status.replicas").then(|| number(object, path).to_string())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["status.replicas"]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn orphans_by_default(&self) -> bool {
        true
    }
}
