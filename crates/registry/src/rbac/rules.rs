//! What roles and bindings have in common.

use serde_json::Value;

use crate::columns::{AGE, NAME, column, wide};
use crate::error::FieldError;
use crate::fields::{get, get_array, items, items_mut, object_at, set_default, text, value};
use crate::kind::{Column, Object};

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) static ROLE_COLUMNS: &[Column] = &[NAME, Column { name: "Created At", r#type: "date", ..AGE }];

pub(super) static BINDING_COLUMNS: &[Column] = &[
    NAME,
    column(
        "Role",
        "string",
        "RoleRef can reference a Role in the current namespace or a ClusterRole in the global one.",
    ),
    AGE,
    wide("Users", "string", "Users in the binding"),
    wide("Groups", "string", "Groups in the binding"),
    wide("ServiceAccounts", "string", "ServiceAccounts in the binding"),
];

pub(super) fn role_row(role: &Object) -> Vec<Value> {
    vec![crate::columns::name(role), Value::from(text(role, "metadata.creationTimestamp"))]
}

pub(super) fn binding_row(binding: &Object, now: jiff::Timestamp) -> Vec<Value> {
    let subjects = |kind: &str| {
        let names =
            items(binding, "subjects").filter(|subject| text(subject, "kind") == kind).map(|subject| {
                match text(subject, "namespace") {
                    namespace if kind == "ServiceAccount" => format!("{namespace}/{}", text(subject, "name")),
                    _ => text(subject, "name").to_owned(),
                }
            });
        Value::from(names.collect::<Vec<_>>().join(", "))
    };
    vec![
        crate::columns::name(binding),
        Value::from(format!("{}/{}", text(binding, "roleRef.kind"), text(binding, "roleRef.name"))),
        crate::columns::age(binding, now),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}

pub(super) fn default_binding(binding: &mut Object) {
    set_default(object_at(binding, "roleRef"), "apiGroup", GROUP);
    for subject in items_mut(binding, "subjects") {
        if ["User", "Group"].contains(&text(subject, "kind")) {
            set_default(subject, "apiGroup", GROUP);
        }
    }
}

pub(super) fn validate_role(role: &Object, is_namespaced: bool) -> Vec<FieldError> {
    let mut faults = Vec::new();
    for (at, rule) in items(role, "rules").enumerate() {
        let path = format!("rules[{at}]");
        if get_array(rule, "verbs").is_empty() {
            faults.push(FieldError::required(format!("{path}.verbs"), "verbs must contain at least one value"));
        }
        if !get_array(rule, "nonResourceURLs").is_empty() {
            let urls = value(rule, "nonResourceURLs");
            if is_namespaced {
                let detail = "namespaced rules cannot apply to non-resource URLs";
                faults.push(FieldError::invalid(format!("{path}.nonResourceURLs"), urls.clone(), detail));
            }
            let also = ["apiGroups", "resources", "resourceNames"];
            if also.iter().any(|field| !get_array(rule, field).is_empty()) {
                let detail = "rules cannot apply to both regular resources and non-resource URLs";
                faults.push(FieldError::invalid(format!("{path}.nonResourceURLs"), urls, detail));
            }
            continue;
        }
        for (field, detail) in [
            ("apiGroups", "resource rules must supply at least one api group"),
            ("resources", "resource rules must supply at least one resource"),
        ] {
            if get_array(rule, field).is_empty() {
                faults.push(FieldError::required(format!("{path}.{field}"), detail));
            }
        }
    }
    faults
}

/// Which roles a role gathers its rules from.
pub(super) fn validate_aggregation(role: &Object, faults: &mut Vec<FieldError>) {
    const SELECTORS: &str = "aggregationRule.clusterRoleSelectors";
    if get(role, "aggregationRule").is_some_and(Value::is_object) && get_array(role, SELECTORS).is_empty() {
        let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        faults.push(FieldError::required(SELECTORS, detail));
    }
    for (at, selector) in items(role, SELECTORS).enumerate() {
        crate::metadata::validate_selector(selector, &format!("{SELECTORS}[{at}]"), faults);
    }
}

pub(super) fn validate_binding(binding: &Object, old: Option<&Object>, is_namespaced: bool) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if text(binding, "roleRef.apiGroup") != GROUP {
        faults.push(FieldError::not_supported("roleRef.apiGroup", text(binding, "roleRef.apiGroup"), &[GROUP]));
    }
    let kinds: &[&str] = if is_namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !kinds.contains(&text(binding, "roleRef.kind")) {
        faults.push(FieldError::not_supported("roleRef.kind", text(binding, "roleRef.kind"), kinds));
    }
    if text(binding, "roleRef.name").is_empty() {
        faults.push(FieldError::required("roleRef.name", ""));
    }
    for (at, subject) in items(binding, "subjects").enumerate() {
        let path = format!("subjects[{at}]");
        if text(subject, "name").is_empty() {
            faults.push(FieldError::required(format!("{path}.name"), ""));
        }
        let group = text(subject, "apiGroup");
        match text(subject, "kind") {
            "ServiceAccount" => {
                if text(subject, "namespace").is_empty() {
                    faults.push(FieldError::required(format!("{path}.namespace"), ""));
                }
                if !group.is_empty() {
                    faults.push(FieldError::not_supported(format!("{path}.apiGroup"), group, &[""]));
                }
            }
            "User" | "Group" if group != GROUP => {
                faults.push(FieldError::not_supported(format!("{path}.apiGroup"), group, &[GROUP]));
            }
            "User" | "Group" => {}
            other => {
                let supported = ["ServiceAccount", "User", "Group"];
                faults.push(FieldError::not_supported(format!("{path}.kind"), other, &supported));
            }
        }
    }
    if let Some(old) = old
        && get(old, "roleRef") != get(binding, "roleRef")
    {
        faults.push(FieldError::invalid("roleRef", value(binding, "roleRef"), "cannot change roleRef"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    fn texts(faults: Vec<FieldError>) -> Vec<String> {
        faults.iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn a_rule_names_verbs_and_what_they_apply_to() {
        let role = object(json!({"rules": [{}, {"verbs": ["get"], "nonResourceURLs": ["/healthz"]}]}));
        assert_eq!(
            texts(validate_role(&role, true)),
            [
                "rules[0].verbs: Required value: verbs must contain at least one value",
                "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
                "rules[0].resources: Required value: resource rules must supply at least one resource",
                "rules[1].nonResourceURLs: Invalid value: [\"/healthz\"]: namespaced rules cannot apply to \
                 non-resource URLs",
            ]
        );
        assert_eq!(validate_role(&role, false).len(), 3);
    }

    #[test]
    fn a_binding_keeps_its_role() {
        let binding = |name: &str| {
            let mut binding = object(json!({
                "roleRef": {"kind": "ClusterRole", "name": name},
                "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}],
            }));
            default_binding(&mut binding);
            binding
        };
        assert_eq!(validate_binding(&binding("a"), Some(&binding("a")), false), []);
        let faults = texts(validate_binding(&binding("b"), Some(&binding("a")), false));
        assert_eq!(faults.len(), 1);
        assert!(faults[0].ends_with("cannot change roleRef"), "{faults:?}");
        let row = binding_row(&binding("a"), jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(Value::from(row), json!(["", "ClusterRole/a", "<unknown>", "u", "", "n/s"]));
    }
}
