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
    Kind::served_as("resource.k8s.io", "v1beta2", &Conversion::same_as(&DEVICE_CLASS));

pub static DEVICE_CLASS_V1BETA1: Kind =
    Kind::served_as("resource.k8s.io", "v1beta1", &Conversion::same_as(&DEVICE_CLASS));

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
