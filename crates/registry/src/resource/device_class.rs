//! resource.k8s.io `DeviceClass`.

use super::claim;
use crate::error::FieldError;
use crate::fields::get_object;
use crate::kind::{Conversion, Kind, Object, Rules};

pub static DEVICE_CLASS: Kind = Kind {
    group: "resource.k8s.io",
    kind: "DeviceClass",
    plural: "deviceclasses",
    singular: "deviceclass",
    rules: &DeviceClassRules,
    ..Kind::CLUSTER
};

pub static DEVICE_CLASS_V1BETA2: Kind =
    Kind::served_as("resource.k8s.io", "v1beta2", &Conversion::same_as(&DEVICE_CLASS)).deprecated(36, 39, "");

pub static DEVICE_CLASS_V1BETA1: Kind =
    Kind::served_as("resource.k8s.io", "v1beta1", &Conversion::same_as(&DEVICE_CLASS)).deprecated(35, 38, "");

struct DeviceClassRules;

impl Rules for DeviceClassRules {
    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(spec) = get_object(object, "spec") {
            claim::validate_selectors(spec, "spec", &mut faults);
            claim::validate_class_configurations(spec, "spec", &mut faults);
        }
        faults
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::check;

    #[test]
    fn a_class_selects_and_configures() {
        check(
            &DEVICE_CLASS,
            json!({"metadata": {"name": "c"}, "spec": {
                "selectors": [{"cel": {"expression": "device.driver == 'd'"}}],
                "config": [{"opaque": {"driver": "d.example.com", "parameters": {"a": 1}}}]}}),
            &[],
        );
        let long = "x".repeat(10 * 1024 + 1);
        check(
            &DEVICE_CLASS,
            json!({"metadata": {"name": "c"}, "spec": {
                "selectors": [{}, {"cel": {"expression": long}}],
                "config": [{"opaque": {"driver": "-", "parameters": null}}]}}),
            &[
                "spec.selectors[0].cel: Required value",
                "spec.selectors[1].cel.expression: Too long: may not be more than 10240 bytes",
                &format!(
                    r#"spec.config[0].opaque.driver: Invalid value: "-": {}"#,
                    crate::names::dns_subdomain("-").join("")
                ),
                "spec.config[0].opaque.parameters: Required value",
            ],
        );
    }
}
