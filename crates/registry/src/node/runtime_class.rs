//! node.k8s.io `RuntimeClass`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, invalid_all, text};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static RUNTIME_CLASS: Kind = Kind {
    group: "node.k8s.io",
    kind: "RuntimeClass",
    plural: "runtimeclasses",
    singular: "runtimeclass",
    rules: &RuntimeClassRules,
    ..Kind::CLUSTER
};

struct RuntimeClassRules;

impl Rules for RuntimeClassRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let handler = text(object, "handler");
        invalid_all("handler", handler, names::dns_label(handler), &mut faults);
        if let Some(old) = old {
            check_immutable(object, old, "handler", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] =
            &[NAME, column("Handler", "string", "handler specifies the underlying runtime."), AGE];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), Value::from(text(object, "handler")), columns::age(object, now)]
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}
