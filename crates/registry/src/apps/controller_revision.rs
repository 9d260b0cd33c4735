//! apps `ControllerRevision`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, check_not_negative, items, number, or_none, text, truth};
use crate::kind::{Column, Kind, Object, Rules};

pub static CONTROLLER_REVISION: Kind = Kind {
    group: "apps",
    kind: "ControllerRevision",
    plural: "controllerrevisions",
    singular: "controllerrevision",
    rules: &ControllerRevisionRules,
    ..Kind::NAMESPACED
};

struct ControllerRevisionRules;

impl Rules for ControllerRevisionRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if object.get("data").is_none_or(Value::is_null) {
            faults.push(FieldError::required("data", "data is mandatory"));
        }
        check_not_negative(object, "revision", "", &mut faults);
        if let Some(old) = old {
            check_immutable(object, old, "data", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Controller", "string", "Controller of the object"),
            column("Revision", "string", "Revision indicates the revision of the state represented by Data."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let owner = items(object, "metadata.ownerReferences").find(|owner| truth(owner, "controller"));
        let owner = owner.map(|owner| {
            let (group, _) = text(owner, "apiVersion").split_once('/').unwrap_or(("", ""));
            let kind = text(owner, "kind").to_lowercase();
            let dot = if group.is_empty() { "" } else { "." };
            format!("{kind}{dot}{group}/{}", text(owner, "name"))
        });
        vec![
            columns::name(object),
            or_none(owner.as_deref().unwrap_or("")),
            Value::from(number(object, "revision")),
            columns::age(object, now),
        ]
    }
}
