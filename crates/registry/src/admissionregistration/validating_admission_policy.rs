//! admissionregistration.k8s.io `ValidatingAdmissionPolicy`.

use jiff::Timestamp;
use serde_json::Value;

use super::{policy, rule};
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{get_array, object_at, set_default};
use crate::kind::{Column, Kind, Object, Rules};

pub static VALIDATING_ADMISSION_POLICY: Kind = Kind {
    group: "admissionregistration.k8s.io",
    kind: "ValidatingAdmissionPolicy",
    plural: "validatingadmissionpolicies",
    singular: "validatingadmissionpolicy",
    categories: &["api-extensions"],
    has_status: true,
    rules: &ValidatingAdmissionPolicyRules,
    ..Kind::CLUSTER
};

struct ValidatingAdmissionPolicyRules;

impl Rules for ValidatingAdmissionPolicyRules {
    fn default(&self, object: &mut Object) {
        set_default(object_at(object, "spec"), "failurePolicy", "Fail");
        rule::default_match_resources(object, "spec.matchConstraints");
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        policy::validate_policy(object, &mut faults);
        policy::validate_validations(object, &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column(
                "Validations",
                "integer",
                "Validations indicates the number of validation rules defined in this configuration",
            ),
            column("ParamKind", "string", "ParamKind specifies the kind of resources used to parameterize this policy"),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![
            columns::name(object),
            Value::from(get_array(object, "spec.validations").len()),
            rule::param_kind_cell(object),
            columns::age(object, now),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}
