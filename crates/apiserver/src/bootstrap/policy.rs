//! The default roles and bindings as objects, and how they are kept whole.

use registry::Object;
use serde_json::{Map, Value, json};

use super::roles::{
    AGGREGATED, BINDINGS, Binding, CLUSTER_ROLES, CONTROLLERS, ClusterRole, Grant, NAMESPACED, NamespacedRole, Who,
};
use crate::authorize::rules::{Rule, uncovered};
use crate::metadata;

const AUTOUPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";

/// Every default role and binding, with the plural it is stored under.
pub(super) fn objects() -> Vec<(&'static str, Value)> {
    let mut objects = Vec::new();
    for ClusterRole { name, labels, rules } in CLUSTER_ROLES {
        objects.push(("clusterroles", role(name, "", labels, rules)));
    }
    for name in AGGREGATED {
        objects.push(("clusterroles", aggregated(name)));
    }
    for (name, rules) in CONTROLLERS {
        let role_name = format!("system:controller:{name}");
        objects.push(("clusterroles", role(&role_name, "", &[], rules)));
        let account = Who::Account("kube-system", name);
        objects.push(("clusterrolebindings", binding(&role_name, "", "ClusterRole", &role_name, &[account])));
    }
    for Binding { name, role, subjects } in BINDINGS {
        objects.push(("clusterrolebindings", binding(name, "", "ClusterRole", role, subjects)));
    }
    for NamespacedRole { namespace, name, rules, subjects } in NAMESPACED {
        objects.push(("roles", role(name, namespace, &[], rules)));
        objects.push(("rolebindings", binding(name, namespace, "Role", name, subjects)));
    }
    objects
}

/// The present role or binding with what the default grants and it lacks; `None` where nothing is
/// missing or its owner does not want it touched.
pub(super) fn repaired(present: &Object, wanted: &Object) -> Option<Object> {
    let annotations = metadata::map(present, "annotations");
    let follows = annotations.and_then(|annotations| annotations.get(AUTOUPDATE)).and_then(Value::as_str);
    if follows != Some("true") {
        return None;
    }
    let mut repaired = present.clone();
    let list = |object: &Object, field: &str| -> Vec<Value> {
        object.get(field).and_then(Value::as_array).cloned().unwrap_or_else(Vec::new)
    };
    if present.get("aggregationRule").is_none() && wanted.get("rules").is_some() {
        let parse = |object: &Object| -> Vec<Rule> {
            list(object, "rules").into_iter().filter_map(|rule| serde_json::from_value(rule).ok()).collect()
        };
        let held = parse(present);
        let missing: Vec<Value> = list(wanted, "rules")
            .into_iter()
            .filter(|rule| {
                let rule: Result<Rule, _> = serde_json::from_value(rule.clone());
                rule.is_ok_and(|rule| !uncovered(&held, &[rule]).is_empty())
            })
            .collect();
        if !missing.is_empty() {
            let mut rules = list(present, "rules");
            rules.extend(missing);
            repaired.insert("rules".to_owned(), Value::from(rules));
        }
    }
    let subjects = list(present, "subjects");
    let missing: Vec<Value> =
        list(wanted, "subjects").into_iter().filter(|subject| !subjects.contains(subject)).collect();
    if !missing.is_empty() {
        repaired.insert("subjects".to_owned(), Value::from([subjects, missing].concat()));
    }
    (repaired != *present).then_some(repaired)
}

fn described(name: &str, namespace: &str, labels: &[&str]) -> Value {
    let mut all = Map::from_iter([("kubernetes.io/bootstrapping".to_owned(), Value::from("rbac-defaults"))]);
    all.extend(labels.iter().map(|label| ((*label).to_owned(), Value::from("true"))));
    let mut metadata = json!({ "name": name, "labels": all, "annotations": { AUTOUPDATE: "true" } });
    if !namespace.is_empty() {
        metadata["namespace"] = Value::from(namespace);
    }
    metadata
}

fn role(name: &str, namespace: &str, labels: &[&str], rules: &[Grant]) -> Value {
    let rules: Vec<Value> = rules.iter().map(rule).collect();
    json!({ "metadata": described(name, namespace, labels), "rules": rules })
}

fn rule(grant: &Grant) -> Value {
    match grant {
        Grant::On { groups, resources, verbs } => {
            json!({ "verbs": words(verbs), "apiGroups": groups_of(groups), "resources": words(resources) })
        }
        Grant::Named { groups, resources, names, verbs } => json!({
            "verbs": words(verbs),
            "apiGroups": groups_of(groups),
            "resources": words(resources),
            "resourceNames": words(names),
        }),
        Grant::Paths { paths, verbs } => json!({ "verbs": words(verbs), "nonResourceURLs": words(paths) }),
    }
}

/// An aggregate's rules are gathered from what it selects; the index does so whenever one changes.
fn aggregated(name: &str) -> Value {
    let labels: &[&str] = match name {
        "edit" => &["rbac.authorization.k8s.io/aggregate-to-admin"],
        "view" => &["rbac.authorization.k8s.io/aggregate-to-edit"],
        _ => &[],
    };
    // Admin and edit gather the parts of the lesser roles too, so that none has to be resolved twice.
    let selected: &[&str] = match name {
        "admin" => &["admin", "edit", "view"],
        "edit" => &["edit", "view"],
        _ => &["view"],
    };
    let selectors: Vec<Value> = selected
        .iter()
        .map(|part| json!({ "matchLabels": { format!("rbac.authorization.k8s.io/aggregate-to-{part}"): "true" } }))
        .collect();
    let rules: Vec<Value> = CLUSTER_ROLES
        .iter()
        .filter(|role| {
            role.labels.iter().any(|label| selected.iter().any(|part| label.ends_with(&format!("-to-{part}"))))
        })
        .flat_map(|role| role.rules.iter().map(rule))
        .collect();
    json!({
        "metadata": described(name, "", labels),
        "aggregationRule": { "clusterRoleSelectors": selectors },
        "rules": rules,
    })
}

fn binding(name: &str, namespace: &str, role_kind: &str, role: &str, subjects: &[Who]) -> Value {
    let subjects: Vec<Value> = subjects
        .iter()
        .map(|who| match who {
            Who::User(name) => json!({ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name }),
            Who::Group(name) => json!({ "kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name }),
            Who::Account(namespace, name) => json!({ "kind": "ServiceAccount", "name": name, "namespace": namespace }),
        })
        .collect();
    json!({
        "metadata": described(name, namespace, &[]),
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role },
        "subjects": subjects,
    })
}

/// Tables write lists as words; verbs and resources hold no spaces.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// As [`words`], where `core` stands for the group without a name.
fn groups_of(text: &str) -> Vec<&str> {
    text.split_whitespace().map(|group| if group == "core" { "" } else { group }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    #[test]
    fn a_default_role_gets_back_what_it_lost_and_no_more() {
        let grant = [Grant::On { groups: "core", resources: "pods secrets", verbs: "get" }];
        let wanted = object(role("a", "", &[], &grant));
        assert_eq!(repaired(&wanted, &wanted), None);
        let mut present = wanted.clone();
        present["rules"] = json!([{ "verbs": ["*"], "apiGroups": [""], "resources": ["pods"] }]);
        let whole = repaired(&present, &wanted).unwrap();
        assert_eq!(whole["rules"].as_array().unwrap().len(), 2);
        assert_eq!(repaired(&whole, &wanted), None);
        present["metadata"]["annotations"][AUTOUPDATE] = Value::from("false");
        assert_eq!(repaired(&present, &wanted), None);
    }

    #[test]
    fn every_binding_names_a_default_role() {
        let objects = objects();
        let roles: Vec<&str> = objects
            .iter()
            .filter(|(plural, _)| plural.ends_with("roles"))
            .map(|(_, role)| role["metadata"]["name"].as_str().unwrap())
            .collect();
        for (_, binding) in objects.iter().filter(|(plural, _)| plural.ends_with("bindings")) {
            assert!(roles.contains(&binding["roleRef"]["name"].as_str().unwrap()), "{binding}");
        }
    }
}
