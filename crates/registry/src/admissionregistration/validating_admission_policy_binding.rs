//! admissionregistration.k8s.io `ValidatingAdmissionPolicyBinding`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::policy;
use crate::error::FieldError;
use crate::fields::{texts, value};
use crate::kind::{Column, Kind, Object, Rules};

pub static VALIDATING_ADMISSION_POLICY_BINDING: Kind = Kind {
    group: "admissionregistration.k8s.io",
    kind: "ValidatingAdmissionPolicyBinding",
    plural: "validatingadmissionpolicybindings",
    singular: "validatingadmissionpolicybinding",
    categories: &["api-extensions"],
    rules: &ValidatingAdmissionPolicyBindingRules,
    ..Kind::CLUSTER
};

struct ValidatingAdmissionPolicyBindingRules;

impl Rules for ValidatingAdmissionPolicyBindingRules {
    fn default(&self, object: &mut Object) {
        policy::default_binding(object);
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        policy::validate_binding(object, &mut faults);
        validate_actions(object, &mut faults);
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

fn validate_actions(binding: &Object, faults: &mut Vec<FieldError>) {
    const ACTIONS: [&str; 3] = ["Audit", "Deny", "Warn"];
    let path = "spec.validationActions";
    let mut seen = BTreeSet::new();
    for (at, action) in texts(binding, path).enumerate() {
        if !ACTIONS.contains(&action) {
            faults.push(FieldError::not_supported(format!("{path}[{at}]"), action, &ACTIONS));
        }
        if !seen.insert(action) {
            faults.push(FieldError::duplicate(format!("{path}[{at}]"), action));
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let detail = "must not contain both Deny and Warn (repeating the same validation failure information in the \
                      API response and headers serves no purpose)";
        faults.push(FieldError::invalid(path, value(binding, path), detail));
    }
    if seen.is_empty() {
        faults.push(FieldError::required(path, "at least one validation action is required"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, row};

    fn binding(actions: Value, parameters: Value) -> Value {
        json!({"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": actions, "paramRef": parameters}})
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        let kind = &VALIDATING_ADMISSION_POLICY_BINDING;
        check(kind, binding(json!(["Deny"]), json!({"name": "x", "parameterNotFoundAction": "Deny"})), &[]);
        check(
            kind,
            binding(json!(["Deny", "Warn", "Sing", "Warn"]), json!({"name": "x", "selector": {}})),
            &[
                "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
                "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
                "spec.paramRef.parameterNotFoundAction: Required value",
                r#"spec.validationActions[2]: Unsupported value: "Sing": supported values: "Audit", "Deny", "Warn""#,
                r#"spec.validationActions[3]: Duplicate value: "Warn""#,
                r#"spec.validationActions: Invalid value: ["Deny","Warn","Sing","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"#,
            ],
        );
        check(
            kind,
            json!({"metadata": {"name": "b"}, "spec": {"paramRef": {"parameterNotFoundAction": "Ask"}}}),
            &[
                "spec.policyName: Required value",
                "spec.paramRef: Required value: one of name or selector must be specified",
                r#"spec.paramRef.parameterNotFoundAction: Unsupported value: "Ask": supported values: "Deny", "Allow""#,
                "spec.validationActions: Required value: at least one validation action is required",
            ],
        );
    }

    #[test]
    fn a_table_shows_where_parameters_come_from() {
        for (parameters, shown) in [
            (Value::Null, "<unset>"),
            (json!({"name": "x"}), "*/x"),
            (json!({"name": "x", "namespace": "n"}), "n/x"),
            (
                json!({"selector": {"matchLabels": {"a": "b"}}}),
                "&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}",
            ),
        ] {
            let shown = format!("Name=b PolicyName=p ParamRef={shown} Age=<unknown>");
            assert_eq!(row(&VALIDATING_ADMISSION_POLICY_BINDING, binding(json!(["Deny"]), parameters)), shown);
        }
    }
}
