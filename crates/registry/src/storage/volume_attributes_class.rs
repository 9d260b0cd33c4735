//! storage.k8s.io `VolumeAttributesClass`: mutable parameters of volumes.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{get, get_object, invalid_all, text};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static VOLUME_ATTRIBUTES_CLASS: Kind = Kind {
    group: "storage.k8s.io",
    kind: "VolumeAttributesClass",
    plural: "volumeattributesclasses",
    singular: "volumeattributesclass",
    short_names: &["vac"],
    rules: &VolumeAttributesClassRules,
    ..Kind::CLUSTER
};

struct VolumeAttributesClassRules;

const MAX_PARAMETERS: usize = 512;
const MAX_PARAMETERS_BYTES: usize = 256 * 1024;

impl Rules for VolumeAttributesClassRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        match text(object, "driverName") {
            "" => faults.push(FieldError::required("driverName", "")),
            driver => invalid_all("driverName", driver, names::qualified_name(&driver.to_lowercase()), &mut faults),
        }
        validate_parameters(object, &mut faults);
        let Some(old) = old else { return faults };
        for field in ["driverName", "parameters"] {
            if get(object, field) != get(old, field) {
                faults.push(FieldError::forbidden(field, format!("updates to {field} are forbidden.")));
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[NAME, column("DriverName", "string", "Name of the CSI driver"), AGE];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), Value::from(text(object, "driverName")), columns::age(object, now)]
    }
}

fn validate_parameters(class: &Object, faults: &mut Vec<FieldError>) {
    let Some(parameters) = get_object(class, "parameters").filter(|parameters| !parameters.is_empty()) else {
        faults.push(FieldError::required("parameters", "must contain at least one key/value pair"));
        return;
    };
    if parameters.len() > MAX_PARAMETERS {
        faults.push(FieldError::too_long("parameters", MAX_PARAMETERS));
        return;
    }
    let mut bytes = 0;
    for (key, value) in parameters {
        if key.is_empty() {
            faults.push(FieldError::invalid("parameters", "", "field can not be empty."));
        }
        bytes += key.len() + value.as_str().map_or(0, str::len);
    }
    if bytes > MAX_PARAMETERS_BYTES {
        faults.push(FieldError::too_long("parameters", MAX_PARAMETERS_BYTES));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update, row};

    #[test]
    fn a_class_has_parameters_that_stay() {
        let kind = &VOLUME_ATTRIBUTES_CLASS;
        let class = |driver: &str, parameters: Value| json!({"metadata": {"name": "gold"}, "driverName": driver, "parameters": parameters});
        check(kind, class("d.example.com", json!({"iops": "10"})), &[]);
        check(
            kind,
            class("", json!({})),
            &["driverName: Required value", "parameters: Required value: must contain at least one key/value pair"],
        );
        check_update(
            kind,
            class("e.example.com", json!({"iops": "11"})),
            class("d.example.com", json!({"iops": "10"})),
            &[
                "driverName: Forbidden: updates to driverName are forbidden.",
                "parameters: Forbidden: updates to parameters are forbidden.",
            ],
        );
        assert_eq!(
            row(kind, class("d.example.com", json!({"iops": "10"}))),
            "Name=gold DriverName=d.example.com Age=<unknown>"
        );
    }
}
