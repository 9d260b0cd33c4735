//! apps `ReplicaSet`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, check_not_negative, number, object_at, set_default};
use crate::kind::{Column, Kind, Object, Rules};
use crate::pod_spec;
use crate::workload::{
    CONTAINERS, IMAGES, SCALE, SELECTOR, container_cells, selector_cell, validate_selector_and_template,
};

pub static REPLICA_SET: Kind = Kind {
    group: "apps",
    kind: "ReplicaSet",
    plural: "replicasets",
    singular: "replicaset",
    short_names: &["rs"],
    categories: &["all"],
    has_status: true,
    scale: Some(SCALE),
    rules: &ReplicaSetRules,
    ..Kind::NAMESPACED
};

struct ReplicaSetRules;

pub(crate) static COLUMNS: &[Column] = &[
    NAME,
    column("Desired", "integer", "Replicas is the number of desired replicas."),
    column("Current", "integer", "Replicas is the most recently observed number of replicas."),
    column("Ready", "integer", "The number of ready replicas for this replica set."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

impl Rules for ReplicaSetRules {
    fn default(&self, object: &mut Object) {
        set_default(object_at(object, "spec"), "replicas", 1);
        pod_spec::default_template(object);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        check_not_negative(object, "spec.replicas", "", &mut faults);
        check_not_negative(object, "spec.minReadySeconds", "", &mut faults);
        // The word is upstream's.
        validate_selector_and_template(object, "deployment", "ReplicaSet", &mut faults);
        if let Some(old) = old {
            check_immutable(object, old, "spec.selector", &mut faults);
        }
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
            selector_cell(object, "spec.selector"),
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
}
