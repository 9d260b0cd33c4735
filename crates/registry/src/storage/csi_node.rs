//! storage.k8s.io `CSINode`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::fields::get_array;
use crate::kind::{Column, Kind, Object, Rules};

pub static CSI_NODE: Kind = Kind {
    group: "storage.k8s.io",
    kind: "CSINode",
    plural: "csinodes",
    singular: "csinode",
    rules: &CsiNodeRules,
    ..Kind::CLUSTER
};

struct CsiNodeRules;

impl Rules for CsiNodeRules {
    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Drivers", "integer", "Drivers indicates the number of CSI drivers registered on the node"),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let drivers = get_array(object, "spec.drivers").len();
        vec![columns::name(object), Value::from(drivers), columns::age(object, now)]
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}
