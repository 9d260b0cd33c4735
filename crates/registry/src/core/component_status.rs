//! ComponentStatus: how the parts of the control plane are. Asked for, never stored.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, NAME, column};
use crate::fields::{items, text};
use crate::kind::{Column, Kind, Object, Rules};

pub static COMPONENT_STATUS: Kind = Kind {
    kind: "ComponentStatus",
    plural: "componentstatuses",
    singular: "componentstatus",
    short_names: &["cs"],
    verbs: &["get", "list"],
    rules: &ComponentStatusRules,
    ..Kind::CLUSTER
}
.discouraged(19, "");

struct ComponentStatusRules;

impl Rules for ComponentStatusRules {
    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Status", "string", "Status of the component conditions"),
            column("Message", "string", "Message of the component conditions"),
            column("Error", "string", "Error of the component conditions"),
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        let healthy = items(object, "conditions").find(|condition| text(condition, "type") == "Healthy");
        let shown = |field: &str| Value::from(healthy.map_or("", |condition| text(condition, field)));
        let status = match healthy.map(|condition| text(condition, "status")) {
            Some("True") => "Healthy",
            Some(_) => "Unhealthy",
            None => "Unknown",
        };
        vec![columns::name(object), Value::from(status), shown("message"), shown("error")]
    }
}
