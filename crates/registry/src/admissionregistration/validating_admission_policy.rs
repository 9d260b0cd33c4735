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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, created, row};

    fn policy() -> Value {
        json!({"metadata": {"name": "p.example.com"}, "spec": {
            "matchConstraints": {"resourceRules": [
                {"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}]},
            "validations": [{"expression": "object.spec.replicas <= 5"}],
        }})
    }

    #[test]
    fn a_policy_is_told_what_upstream_assumes() {
        let spec = &created(&VALIDATING_ADMISSION_POLICY, policy())["spec"];
        let constraints = &spec["matchConstraints"];
        assert_eq!(
            (&spec["failurePolicy"], &constraints["matchPolicy"], &constraints["resourceRules"][0]["scope"]),
            (&json!("Fail"), &json!("Equivalent"), &json!("*"))
        );
        assert_eq!(constraints["namespaceSelector"], json!({}));
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        let kind = &VALIDATING_ADMISSION_POLICY;
        check(kind, policy(), &[]);
        check(
            kind,
            json!({"metadata": {"name": "p"}, "spec": {}}),
            &[
                "spec.matchConstraints: Required value",
                "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
                "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
            ],
        );
        let mut bad = policy();
        bad["spec"]["matchConstraints"]["resourceRules"] = json!([]);
        bad["spec"]["paramKind"] = json!({"apiVersion": "a/b/c", "kind": "1"});
        bad["spec"]["variables"] = json!([{"name": "for", "expression": " "}]);
        bad["spec"]["validations"] = json!([{"message": "two\nlines", "reason": "Gone"}]);
        bad["spec"]["auditAnnotations"] = json!([{"key": "k"}, {"key": "k", "valueExpression": "'x'"}]);
        bad["spec"]["matchConditions"] = json!([{"name": "x"}, {"name": "x", "expression": "true"}]);
        check(
            kind,
            bad,
            &[
                r#"spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c"#,
                &format!(
                    r#"spec.paramKind.kind: Invalid value: "1": may have mixed case, but should otherwise match: {}"#,
                    crate::names::dns_1035_label("1").join(",")
                ),
                "spec.matchConstraints.resourceRules: Required value",
                "spec.matchConditions[0].expression: Required value",
                r#"spec.matchConditions[1].name: Duplicate value: "x""#,
                r#"spec.variables[0].name: Invalid value: "for": name is not a valid CEL identifier"#,
                "spec.variables[0].expression: Required value: expression is not specified",
                "spec.validations[0].expression: Required value: expression is not specified",
                r#"spec.validations[0].message: Invalid value: "two\nlines": message must not contain line breaks"#,
                r#"spec.validations[0].reason: Unsupported value: "Gone": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge""#,
                "spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified",
                r#"spec.auditAnnotations[1].key: Duplicate value: "k""#,
            ],
        );
    }

    #[test]
    fn a_table_shows_rules_and_parameters() {
        let mut policy = policy();
        assert_eq!(
            row(&VALIDATING_ADMISSION_POLICY, policy.clone()),
            "Name=p.example.com Validations=1 ParamKind=<unset> Age=<unknown>"
        );
        policy["spec"]["paramKind"] = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        assert!(row(&VALIDATING_ADMISSION_POLICY, policy).contains("ParamKind=v1/ConfigMap"));
    }
}
