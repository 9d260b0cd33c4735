//! scheduling.k8s.io `PriorityClass`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, check_supported, get, number, set_default, text, truth};
use crate::kind::{Column, Kind, Object, Rules};

pub static PRIORITY_CLASS: Kind = Kind {
    group: "scheduling.k8s.io",
    kind: "PriorityClass",
    plural: "priorityclasses",
    singular: "priorityclass",
    short_names: &["pc"],
    rules: &PriorityClassRules,
    ..Kind::CLUSTER
};

struct PriorityClassRules;

/// Above this only the system's own classes stand.
const HIGHEST_USER_PRIORITY: i64 = 1_000_000_000;
const SYSTEM_CLASSES: [(&str, i64); 2] =
    [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];

static COLUMNS: &[Column] = &[
    NAME,
    column("Value", "integer", "value represents the integer value of this priority class."),
    column("Global-Default", "boolean", "Whether this is the priority of pods without any priority class."),
    AGE,
    column("PreemptionPolicy", "string", "preemptionPolicy is the Policy for preempting pods with lower priority."),
];

impl Rules for PriorityClassRules {
    fn default(&self, object: &mut Object) {
        set_default(object, "preemptionPolicy", "PreemptLowerPriority");
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let (name, priority) = (text(object, "metadata.name"), number(object, "value"));
        if name.starts_with("system-") {
            if !SYSTEM_CLASSES.contains(&(name, priority)) {
                let detail = "priority class names with 'system-' prefix are reserved for system use only. error: not a \
                              known system priority class";
                faults.push(FieldError::forbidden("metadata.name", detail));
            }
        } else if priority > HIGHEST_USER_PRIORITY {
            let detail = format!("maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}");
            faults.push(FieldError::forbidden("value", detail));
        }
        check_supported(object, "preemptionPolicy", &["Never", "PreemptLowerPriority"], "", &mut faults);
        if let Some(old) = old {
            if get(object, "value") != get(old, "value") {
                faults.push(FieldError::forbidden("value", "may not be changed in an update."));
            }
            check_immutable(object, old, "preemptionPolicy", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![
            columns::name(object),
            Value::from(number(object, "value")),
            Value::from(truth(object, "globalDefault")),
            columns::age(object, now),
            Value::from(text(object, "preemptionPolicy")),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn bumps_generation(&self, _object: &Object, _old: &Object) -> bool {
        false
    }
}
