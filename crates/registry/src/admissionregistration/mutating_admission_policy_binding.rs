//! admissionregistration.k8s.io `MutatingAdmissionPolicyBinding`.

use jiff::Timestamp;
use serde_json::Value;

use super::policy;
use crate::error::FieldError;
use crate::kind::{Column, Conversion, Kind, Object, Rules};

pub static MUTATING_ADMISSION_POLICY_BINDING: Kind = Kind {
    group: "admissionregistration.k8s.io",
    kind: "MutatingAdmissionPolicyBinding",
    plural: "mutatingadmissionpolicybindings",
    singular: "mutatingadmissionpolicybinding",
    categories: &["api-extensions"],
    rules: &MutatingAdmissionPolicyBindingRules,
    ..Kind::CLUSTER
};

pub static MUTATING_ADMISSION_POLICY_BINDING_V1BETA1: Kind = Kind::served_as(
    "admissionregistration.k8s.io",
    "v1beta1",
    &Conversion::same_as(&MUTATING_ADMISSION_POLICY_BINDING),
)
.deprecated(37, 40, "admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding");

struct MutatingAdmissionPolicyBindingRules;

impl Rules for MutatingAdmissionPolicyBindingRules {
    fn default(&self, object: &mut Object) {
        policy::default_binding(object);
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        policy::validate_binding(object, &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        policy::BINDING_COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        policy::binding_row(object, now)
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}
