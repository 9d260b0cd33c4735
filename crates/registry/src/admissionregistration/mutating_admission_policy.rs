//! admissionregistration.k8s.io `MutatingAdmissionPolicy`.

use jiff::Timestamp;
use serde_json::Value;

use super::{policy, rule};
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_supported, get, get_array, get_str, items, join, object_at, set_default, text};
use crate::kind::{Column, Conversion, Kind, Object, Rules};

pub static MUTATING_ADMISSION_POLICY: Kind = Kind {
    group: "admissionregistration.k8s.io",
    kind: "MutatingAdmissionPolicy",
    plural: "mutatingadmissionpolicies",
    singular: "mutatingadmissionpolicy",
    categories: &["api-extensions"],
    rules: &MutatingAdmissionPolicyRules,
    ..Kind::CLUSTER
};

pub static MUTATING_ADMISSION_POLICY_V1BETA1: Kind =
    Kind::served_as("admissionregistration.k8s.io", "v1beta1", &Conversion::same_as(&MUTATING_ADMISSION_POLICY))
        .deprecated(37, 40, "admissionregistration.k8s.io/v1 MutatingAdmissionPolicy");

struct MutatingAdmissionPolicyRules;

impl Rules for MutatingAdmissionPolicyRules {
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        set_default(spec, "failurePolicy", "Fail");
        set_default(spec, "reinvocationPolicy", "Never");
        rule::default_match_resources(object, "spec.matchConstraints");
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        policy::validate_policy(object, &mut faults);
        if get_array(object, "spec.mutations").is_empty() {
            faults.push(FieldError::required("spec.mutations", "mutations must contain at least one item"));
        }
        for (at, mutation) in items(object, "spec.mutations").enumerate() {
            validate_mutation(mutation, &format!("spec.mutations[{at}]"), &mut faults);
        }
        match get_str(object, "spec.reinvocationPolicy") {
            None | Some("") => faults.push(FieldError::required("spec.reinvocationPolicy", "")),
            Some(_) => {
                let path = "spec.reinvocationPolicy";
                check_supported(object, path, &rule::REINVOCATION_POLICIES, "", &mut faults);
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column(
                "Mutations",
                "integer",
                "Mutation indicates the number of mutations rules defined in this configuration",
            ),
            column("ParamKind", "string", "ParamKind specifies the kind of resources used to parameterize this policy"),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![
            columns::name(object),
            Value::from(get_array(object, "spec.mutations").len()),
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

/// A mutation names its kind of patch and carries that one alone.
fn validate_mutation(mutation: &Object, path: &str, faults: &mut Vec<FieldError>) {
    const PATCH_TYPES: [&str; 2] = ["ApplyConfiguration", "JSONPatch"];
    let (wanted, other) = match text(mutation, "patchType") {
        "" => return faults.push(FieldError::required(join(path, "patchType"), "")),
        "ApplyConfiguration" => ("applyConfiguration", "jsonPatch"),
        "JSONPatch" => ("jsonPatch", "applyConfiguration"),
        unknown => return faults.push(FieldError::not_supported(join(path, "patchType"), unknown, &PATCH_TYPES)),
    };
    let patch_type = text(mutation, "patchType");
    match get(mutation, wanted).and_then(Value::as_object) {
        None => {
            let detail = format!("must be specified when patchType is {patch_type}");
            faults.push(FieldError::required(join(path, wanted), detail));
        }
        Some(patch) => policy::check_expression(patch, "expression", &join(path, wanted), faults),
    }
    if let Some(present) = get(mutation, other) {
        let detail = format!("must not be specified when patchType is {patch_type}");
        faults.push(FieldError::invalid(join(path, other), present.clone(), detail));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, created, row};

    fn policy(mutations: Value) -> Value {
        json!({"metadata": {"name": "p"}, "spec": {
            "matchConstraints": {"resourceRules": [
                {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]},
            "mutations": mutations,
        }})
    }

    #[test]
    fn a_mutation_carries_the_patch_it_names() {
        let kind = &MUTATING_ADMISSION_POLICY;
        let good = json!([{"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}]);
        check(kind, policy(good.clone()), &[]);
        assert_eq!(created(kind, policy(good.clone()))["spec"]["reinvocationPolicy"], "Never");
        assert_eq!(row(kind, policy(good)), "Name=p Mutations=1 ParamKind=<unset> Age=<unknown>");
        check(kind, policy(json!([])), &["spec.mutations: Required value: mutations must contain at least one item"]);
        check(
            kind,
            policy(json!([
                {},
                {"patchType": "Merge"},
                {"patchType": "JSONPatch"},
                {"patchType": "ApplyConfiguration", "applyConfiguration": {}},
            ])),
            &[
                "spec.mutations[0].patchType: Required value",
                r#"spec.mutations[1].patchType: Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch""#,
                "spec.mutations[2].jsonPatch: Required value: must be specified when patchType is JSONPatch",
                "spec.mutations[3].applyConfiguration.expression: Required value: expression is not specified",
            ],
        );
    }
}
