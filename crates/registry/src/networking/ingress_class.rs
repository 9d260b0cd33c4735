//! networking.k8s.io `IngressClass`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, get, or_none, text};
use crate::kind::{Column, Kind, Object, Rules};

pub static INGRESS_CLASS: Kind = Kind {
    group: "networking.k8s.io",
    kind: "IngressClass",
    plural: "ingressclasses",
    singular: "ingressclass",
    rules: &IngressClassRules,
    ..Kind::CLUSTER
};

struct IngressClassRules;

impl Rules for IngressClassRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(old) = old {
            check_immutable(object, old, "spec.controller", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Controller", "string", "Controller that is responsible for handling this class"),
            column("Parameters", "string", "A reference to a resource with additional parameters"),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let parameters = match get(object, "spec.parameters") {
            None => String::new(),
            Some(_) => {
                let group = text(object, "spec.parameters.apiGroup");
                let dot = if group.is_empty() { "" } else { "." };
                format!("{}{dot}{group}/{}", text(object, "spec.parameters.kind"), text(object, "spec.parameters.name"))
            }
        };
        vec![
            columns::name(object),
            Value::from(text(object, "spec.controller")),
            or_none(&parameters),
            columns::age(object, now),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}
