//! flowcontrol.apiserver.k8s.io `FlowSchema`.

use jiff::Timestamp;
use serde_json::Value;

use super::bootstrap;
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    condition, get, get_array, get_object, invalid_all, items, join, number, object_at, or_none, set_default, text,
    texts, truth, value,
};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static FLOW_SCHEMA: Kind = Kind {
    group: "flowcontrol.apiserver.k8s.io",
    kind: "FlowSchema",
    plural: "flowschemas",
    singular: "flowschema",
    has_status: true,
    rules: &FlowSchemaRules,
    ..Kind::CLUSTER
};

struct FlowSchemaRules;

const DEFAULT_PRECEDENCE: i64 = 1000;
const MAX_PRECEDENCE: i64 = 10_000;
const VERBS: [&str; 9] = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

impl Rules for FlowSchemaRules {
    fn default(&self, object: &mut Object) {
        set_default(object_at(object, "spec"), "matchingPrecedence", DEFAULT_PRECEDENCE);
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let name = text(object, "metadata.name");
        validate_precedence(object, name, &mut faults);
        if let Some(method) = get(object, "spec.distinguisherMethod") {
            const METHODS: [&str; 2] = ["ByNamespace", "ByUser"];
            if !METHODS.contains(&text(object, "spec.distinguisherMethod.type")) {
                let path = "spec.distinguisherMethod.type";
                faults.push(FieldError::not_supported(path, method.clone(), &METHODS));
            }
        }
        let level = "spec.priorityLevelConfiguration.name";
        match text(object, level) {
            "" => faults.push(FieldError::required(level, "must reference a priority level")),
            name => invalid_all(level, name, names::dns_subdomain(name), &mut faults),
        }
        for (at, rule) in items(object, "spec.rules").enumerate() {
            validate_rule(rule, &format!("spec.rules[{at}]"), &mut faults);
        }
        if bootstrap::mandatory_schema(name).is_some_and(|fixed| get(object, "spec") != Some(&fixed)) {
            let detail = format!("spec of '{name}' must equal the fixed value");
            faults.push(FieldError::invalid("spec", value(object, "spec"), detail));
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("PriorityLevel", "string", "The name of the priority level configuration being referenced."),
            column(
                "MatchingPrecedence",
                "string",
                "Chooses among the FlowSchemas that match a request: the lowest wins.",
            ),
            column("DistinguisherMethod", "string", "How requests that match this schema are told apart into flows."),
            AGE,
            column("MissingPL", "string", "references a broken or non-existent PriorityLevelConfiguration"),
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![
            columns::name(object),
            or_none(text(object, "spec.priorityLevelConfiguration.name")),
            Value::from(number(object, "spec.matchingPrecedence")),
            or_none(text(object, "spec.distinguisherMethod.type")),
            columns::age(object, now),
            Value::from(condition(object, "Dangling").map_or("?", |dangling| text(dangling, "status"))),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

fn validate_precedence(schema: &Object, name: &str, faults: &mut Vec<FieldError>) {
    let path = "spec.matchingPrecedence";
    let precedence = number(schema, path);
    if precedence <= 0 {
        faults.push(FieldError::invalid(path, precedence, "must be a positive value"));
    }
    if precedence > MAX_PRECEDENCE {
        faults.push(FieldError::invalid(path, precedence, format!("must not be greater than {MAX_PRECEDENCE}")));
    }
    if precedence == 1 && name != "exempt" {
        let detail = "only the schema named 'exempt' may have matchingPrecedence 1";
        faults.push(FieldError::invalid(path, precedence, detail));
    }
}

fn validate_rule(rule: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if get_array(rule, "subjects").is_empty() {
        faults.push(FieldError::required(join(path, "subjects"), "subjects must contain at least one value"));
    }
    for (at, subject) in items(rule, "subjects").enumerate() {
        validate_subject(subject, &format!("{path}.subjects[{at}]"), faults);
    }
    if get_array(rule, "resourceRules").is_empty() && get_array(rule, "nonResourceRules").is_empty() {
        let detail = "at least one of resourceRules and nonResourceRules has to be non-empty";
        faults.push(FieldError::required(path, detail));
    }
    for (at, resources) in items(rule, "resourceRules").enumerate() {
        validate_resource_rule(resources, &format!("{path}.resourceRules[{at}]"), faults);
    }
    for (at, paths) in items(rule, "nonResourceRules").enumerate() {
        validate_path_rule(paths, &format!("{path}.nonResourceRules[{at}]"), faults);
    }
}

/// A subject's field follows from its kind, and it has no other.
fn validate_subject(subject: &Object, path: &str, faults: &mut Vec<FieldError>) {
    const KINDS: [(&str, &str); 3] = [("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")];
    let kind = text(subject, "kind");
    let Some((_, wanted)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        let supported = ["Group", "ServiceAccount", "User"];
        faults.push(FieldError::not_supported(join(path, "kind"), kind, &supported));
        return;
    };
    match get_object(subject, wanted) {
        None => {
            let detail = format!("{wanted} is required when subject kind is '{kind}'");
            faults.push(FieldError::required(join(path, wanted), detail));
        }
        Some(who) => validate_who(who, kind, &join(path, wanted), faults),
    }
    for (other, field) in KINDS.iter().filter(|(other, field)| *other != kind && get(subject, field).is_some()) {
        let detail = format!("{field} is forbidden when subject kind is not '{other}'");
        faults.push(FieldError::forbidden(join(path, field), detail));
    }
}

fn validate_who(who: &Object, kind: &str, path: &str, faults: &mut Vec<FieldError>) {
    let is_account = kind == "ServiceAccount";
    match text(who, "name") {
        "" => faults.push(FieldError::required(join(path, "name"), "")),
        name if is_account && name != "*" => {
            invalid_all(&join(path, "name"), name, names::dns_subdomain(name), faults);
        }
        _ => {}
    }
    if !is_account {
        return;
    }
    match text(who, "namespace") {
        "" => {
            let detail = "must specify namespace for service account";
            faults.push(FieldError::required(join(path, "namespace"), detail));
        }
        namespace => invalid_all(&join(path, "namespace"), namespace, names::dns_label(namespace), faults),
    }
}

fn validate_verbs(rule: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let verbs = || value(rule, "verbs");
    let path = join(path, "verbs");
    if get_array(rule, "verbs").is_empty() {
        faults.push(FieldError::required(path, "verbs must contain at least one value"));
    } else if has_wildcard(rule, "verbs") {
        if get_array(rule, "verbs").len() > 1 {
            faults.push(FieldError::invalid(path, verbs(), "if '*' is present, must not specify other verbs"));
        }
    } else if texts(rule, "verbs").any(|verb| !VERBS.contains(&verb)) {
        faults.push(FieldError::not_supported(path, verbs(), &VERBS));
    }
}

fn validate_resource_rule(rule: &Object, path: &str, faults: &mut Vec<FieldError>) {
    validate_verbs(rule, path, faults);
    for (list, one, others) in [("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")] {
        let count = get_array(rule, list).len();
        if count == 0 {
            let detail = format!("resource rules must supply at least one {one}");
            faults.push(FieldError::required(join(path, list), detail));
        } else if count > 1 && has_wildcard(rule, list) {
            let detail = format!("if '*' is present, must not specify other {others}");
            faults.push(FieldError::invalid(join(path, list), value(rule, list), detail));
        }
    }
    let path = join(path, "namespaces");
    let count = get_array(rule, "namespaces").len();
    if count == 0 && !truth(rule, "clusterScope") {
        let detail = "resource rules that are not cluster scoped must supply at least one namespace";
        faults.push(FieldError::required(path, detail));
    } else if has_wildcard(rule, "namespaces") {
        if count > 1 {
            let detail = "if '*' is present, must not specify other namespaces";
            faults.push(FieldError::invalid(path, value(rule, "namespaces"), detail));
        }
    } else {
        for (at, namespace) in texts(rule, "namespaces").enumerate() {
            for fault in names::dns_label(namespace) {
                let detail = format!("each member of this list must be '*' or a DNS-1123 label; {fault}");
                faults.push(FieldError::invalid(format!("{path}[{at}]"), namespace, detail));
            }
        }
    }
}

fn validate_path_rule(rule: &Object, path: &str, faults: &mut Vec<FieldError>) {
    validate_verbs(rule, path, faults);
    let path = join(path, "nonResourceURLs");
    let count = get_array(rule, "nonResourceURLs").len();
    if count == 0 {
        faults.push(FieldError::required(path, "nonResourceURLs must contain at least one value"));
    } else if has_wildcard(rule, "nonResourceURLs") {
        if count > 1 {
            let detail = "if '*' is present, must not specify other non-resource URLs";
            faults.push(FieldError::invalid(path, value(rule, "nonResourceURLs"), detail));
        }
    } else {
        for (at, url) in texts(rule, "nonResourceURLs").enumerate() {
            if let Some(detail) = path_fault(url) {
                faults.push(FieldError::invalid(format!("{path}[{at}]"), url, detail));
            }
        }
    }
}

fn path_fault(path: &str) -> Option<&'static str> {
    match path {
        "" => Some("must not be empty"),
        "/" => None,
        _ if !path.starts_with('/') => Some("must start with slash"),
        _ if path.contains(' ') => Some("must not contain white-space"),
        _ if path.contains("//") => Some("must not contain double slash"),
        _ if path.matches('*').count() > 1 || (path.contains('*') && !path.ends_with("/*")) => {
            Some("wildcard can only do suffix matching")
        }
        _ => None,
    }
}

fn has_wildcard(rule: &Object, list: &str) -> bool {
    texts(rule, list).any(|text| text == "*")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, created, row};

    fn schema(rule: Value) -> Value {
        json!({"metadata": {"name": "s"}, "spec": {"priorityLevelConfiguration": {"name": "l"}, "rules": [rule]}})
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        let kind = &FLOW_SCHEMA;
        let user = json!([{"kind": "User", "user": {"name": "u"}}]);
        let good =
            json!({"subjects": user, "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz/*"]}]});
        check(kind, schema(good.clone()), &[]);
        assert_eq!(created(kind, schema(good))["spec"]["matchingPrecedence"], 1000);
        check(
            kind,
            schema(json!({
                "subjects": [{"kind": "User", "group": {"name": "g"}}, {"kind": "Robot"}, {"kind": "ServiceAccount", "serviceAccount": {}}],
                "resourceRules": [{"verbs": ["*", "get"], "apiGroups": [], "resources": ["*", "pods"]}],
                "nonResourceRules": [{"verbs": ["sing"], "nonResourceURLs": ["healthz", "/a*"]}],
            })),
            &[
                "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
                "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
                r#"spec.rules[0].subjects[1].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User""#,
                "spec.rules[0].subjects[2].serviceAccount.name: Required value",
                "spec.rules[0].subjects[2].serviceAccount.namespace: Required value: must specify namespace for service account",
                r#"spec.rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs"#,
                "spec.rules[0].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group",
                r#"spec.rules[0].resourceRules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources"#,
                "spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace",
                r#"spec.rules[0].nonResourceRules[0].verbs: Unsupported value: ["sing"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch""#,
                r#"spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "healthz": must start with slash"#,
                r#"spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a*": wildcard can only do suffix matching"#,
            ],
        );
        check(
            kind,
            json!({"metadata": {"name": "s"}, "spec": {"matchingPrecedence": 1, "distinguisherMethod": {"type": "ByMood"}}}),
            &[
                "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
                r#"spec.distinguisherMethod.type: Unsupported value: {"type":"ByMood"}: supported values: "ByNamespace", "ByUser""#,
                "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
            ],
        );
    }

    #[test]
    fn a_mandatory_schema_stays_as_it_is() {
        let mut spec = bootstrap::mandatory_schema("catch-all").unwrap();
        let schema = |spec: &Value| json!({"metadata": {"name": "catch-all"}, "spec": spec});
        check(&FLOW_SCHEMA, schema(&spec), &[]);
        spec["matchingPrecedence"] = json!(9999);
        let shown = serde_json::to_string(&spec).unwrap();
        let fault = format!("spec: Invalid value: {shown}: spec of 'catch-all' must equal the fixed value");
        check(&FLOW_SCHEMA, schema(&spec), &[&fault]);
    }

    #[test]
    fn a_table_shows_level_precedence_and_whether_the_level_is_missing() {
        let (_, exempt) = bootstrap::objects()
            .into_iter()
            .find(|(plural, object)| *plural == "flowschemas" && object["metadata"]["name"] == "probes")
            .unwrap();
        assert_eq!(
            row(&FLOW_SCHEMA, exempt),
            "Name=probes PriorityLevel=exempt MatchingPrecedence=2 DistinguisherMethod=<none> Age=<unknown> MissingPL=False"
        );
        assert!(row(&FLOW_SCHEMA, schema(json!({}))).ends_with("MissingPL=?"));
    }
}
