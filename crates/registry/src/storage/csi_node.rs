//! storage.k8s.io `CSINode`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_not_negative, get, get_array, items, join, text, texts, value};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names::{driver_name, qualified_name};

pub static CSI_NODE: Kind = Kind {
    group: "storage.k8s.io",
    kind: "CSINode",
    plural: "csinodes",
    singular: "csinode",
    rules: &CsiNodeRules,
    ..Kind::CLUSTER
};

struct CsiNodeRules;

const MAX_NODE_ID_BYTES: usize = 256;

impl Rules for CsiNodeRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let names: Vec<&str> = items(object, "spec.drivers").map(|driver| text(driver, "name")).collect();
        for (at, driver) in items(object, "spec.drivers").enumerate() {
            let path = format!("spec.drivers[{at}]");
            driver_name(names[at], &join(&path, "name"), &mut faults);
            validate_driver(driver, &path, &mut faults);
            if names[..at].contains(&names[at]) {
                faults.push(FieldError::duplicate(join(&path, "name"), names[at]));
            }
            validate_topology_keys(driver, &path, &mut faults);
        }
        for before in old.into_iter().flat_map(|old| items(old, "spec.drivers")) {
            for driver in items(object, "spec.drivers").filter(|driver| get(driver, "name") == get(before, "name")) {
                // How many volumes a driver can attach may turn out otherwise.
                let differs = |field| get(driver, field) != get(before, field);
                if ["nodeID", "topologyKeys"].into_iter().any(differs) {
                    let driver = Value::Object(driver.clone());
                    faults.push(FieldError::invalid("CSINodeDriver", driver, "field is immutable"));
                }
            }
        }
        faults
    }

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

fn validate_driver(driver: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let id = text(driver, "nodeID");
    if id.is_empty() {
        faults.push(FieldError::required(join(path, "nodeID"), ""));
    }
    if id.len() > MAX_NODE_ID_BYTES {
        let detail = format!("must be {MAX_NODE_ID_BYTES} characters or less");
        faults.push(FieldError::invalid(join(path, "nodeID"), id, detail));
    }
    check_not_negative(driver, "allocatable.count", path, faults);
}

fn validate_topology_keys(driver: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let keys: Vec<&str> = texts(driver, "topologyKeys").collect();
    for (at, key) in keys.iter().enumerate() {
        if key.is_empty() {
            faults.push(FieldError::required(path, ""));
        }
        if keys[..at].contains(key) {
            faults.push(FieldError::duplicate(path, *key));
        }
        let complaints = qualified_name(key).into_iter();
        faults.extend(complaints.map(|why| FieldError::invalid(path, value(driver, "topologyKeys"), why)));
    }
}
