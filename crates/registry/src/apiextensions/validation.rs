//! What is wrong with a CustomResourceDefinition, its schemas apart.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schema;
use crate::error::FieldError;
use crate::fields::{
    check_immutable, check_text, condition_is_true, get, get_array, get_object, invalid_all, items, join, text, texts,
    truth, value,
};
use crate::kind::Object;
use crate::{names, webhook_client};

const APPROVAL: &str = "api-approved.kubernetes.io";
const SEE: &str = "see https://github.com/kubernetes/enhancements/pull/1111";
const REVIEW_VERSIONS: [&str; 2] = ["v1", "v1beta1"];
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const MAX_SELECTABLE_FIELDS: usize = 8;

pub(super) fn validate(definition: &Object, old: Option<&Object>) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let (name, group) = (text(definition, "metadata.name"), text(definition, "spec.group"));
    if name != format!("{}.{group}", text(definition, "spec.names.plural")) {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        faults.push(FieldError::invalid("metadata.name", name, detail));
    }
    validate_group(group, &mut faults);
    match text(definition, "spec.scope") {
        "" => faults.push(FieldError::required("spec.scope", "")),
        "Cluster" | "Namespaced" => {}
        other => faults.push(FieldError::not_supported("spec.scope", other, &["Cluster", "Namespaced"])),
    }
    validate_versions(definition, old, &mut faults);
    for field in ["plural", "singular", "kind", "listKind"] {
        check_text(definition, &join("spec.names", field), "", &mut faults);
    }
    validate_names(definition, &mut faults);
    validate_shared_parts(definition, &mut faults);
    if let Some(conversion) = get_object(definition, "spec.conversion") {
        validate_conversion(conversion, "spec.conversion", &mut faults);
    }
    match old {
        Some(old) => validate_change(definition, old, &mut faults),
        None => validate_approval(definition, group, &mut faults),
    }
    if truth(definition, "spec.preserveUnknownFields")
        && !old.is_some_and(|old| truth(old, "spec.preserveUnknownFields"))
    {
        let detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in \
                      spec.versions[*].schema instead";
        faults.push(FieldError::invalid("spec.preserveUnknownFields", true, detail));
    }
    faults
}

fn validate_group(group: &str, faults: &mut Vec<FieldError>) {
    let complaints = names::dns_subdomain(group);
    if group.is_empty() {
        faults.push(FieldError::required("spec.group", ""));
    } else if !complaints.is_empty() {
        faults.push(FieldError::invalid("spec.group", group, complaints.join(",")));
    } else if !group.contains('.') {
        faults.push(FieldError::invalid("spec.group", group, "should be a domain with at least one dot"));
    }
}

/// Groups of Kubernetes' own domains are given out by the project.
fn validate_approval(definition: &Object, group: &str, faults: &mut Vec<FieldError>) {
    let is_protected = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group == *domain || group.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')));
    if !is_protected {
        return;
    }
    let path = format!("metadata.annotations[{APPROVAL}]");
    let annotations = get_object(definition, "metadata.annotations");
    match annotations.and_then(|annotations| annotations.get(APPROVAL)).and_then(Value::as_str).unwrap_or("") {
        "" => {
            let detail = format!("protected groups must have approval annotation {APPROVAL:?}, {SEE}");
            faults.push(FieldError::required(path, detail));
        }
        approval if approval.starts_with("unapproved") || is_url(approval) => {}
        approval => {
            let detail = format!(
                "protected groups must have approval annotation {APPROVAL:?} with either a URL or a reason starting \
                 with \"unapproved\", {SEE}"
            );
            faults.push(FieldError::invalid(path, approval, detail));
        }
    }
}

fn is_url(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.starts_with('/') && !rest.is_empty())
}

fn validate_versions(definition: &Object, old: Option<&Object>, faults: &mut Vec<FieldError>) {
    let path = "spec.versions";
    let has_schema = |version: &Object| get(version, "schema.openAPIV3Schema").is_some();
    // What was let in through v1beta1 without one may stay so.
    let needs_schema = old.is_none_or(|old| items(old, path).all(has_schema));
    for (at, version) in items(definition, path).enumerate() {
        if needs_schema && !has_schema(version) {
            let path = format!("{path}[{at}].schema.openAPIV3Schema");
            faults.push(FieldError::required(path, "schemas are required"));
        }
    }
    let mut seen = BTreeSet::new();
    let (mut storing, mut are_unique) = (0, true);
    for (at, version) in items(definition, path).enumerate() {
        let path = format!("{path}[{at}]");
        let name = text(version, "name");
        storing += usize::from(truth(version, "storage"));
        are_unique &= seen.insert(name);
        let complaints = names::dns_1035_label(name);
        if !complaints.is_empty() {
            faults.push(FieldError::invalid(join(&path, "name"), name, complaints.join(",")));
        }
        validate_deprecation(version, &path, faults);
        for part in PARTS.iter().filter(|part| !is_shared(definition, part.field)) {
            (part.validate)(version, &join(&path, part.field), faults);
        }
    }
    if !are_unique {
        faults.push(FieldError::invalid(path, value(definition, path), "must contain unique version names"));
    }
    if storing != 1 {
        let detail = "must have exactly one version marked as storage version";
        faults.push(FieldError::invalid(path, value(definition, path), detail));
    }
}

/// A part of a version. One that is the same in all versions belongs to the definition for upstream, which
/// then checks it once and names it by another path.
struct Part {
    field: &'static str,
    shared_path: &'static str,
    /// Checks the part of a version; its path is given.
    validate: fn(&Object, &str, &mut Vec<FieldError>),
}

static PARTS: &[Part] = &[
    Part { field: "schema", shared_path: "spec.validation", validate: validate_schema },
    Part { field: "subresources", shared_path: "spec.subresources", validate: validate_subresources },
    Part {
        field: "additionalPrinterColumns",
        shared_path: "spec.additionalPrinterColumns",
        validate: validate_columns,
    },
    Part { field: "selectableFields", shared_path: "spec.selectableFields", validate: validate_selectable_fields },
];

fn is_shared(definition: &Object, field: &str) -> bool {
    let mut versions = items(definition, "spec.versions").map(|version| get(version, field));
    match versions.next() {
        Some(Some(first)) => versions.all(|other| other == Some(first)),
        _ => false,
    }
}

fn validate_shared_parts(definition: &Object, faults: &mut Vec<FieldError>) {
    let Some(first) = items(definition, "spec.versions").next() else { return };
    for part in PARTS.iter().filter(|part| is_shared(definition, part.field)) {
        (part.validate)(first, part.shared_path, faults);
    }
}

fn validate_deprecation(version: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "deprecationWarning");
    let Some(warning) = get(version, "deprecationWarning").and_then(Value::as_str) else { return };
    let unprintable = warning.char_indices().find(|(_, character)| character.is_control()).map(|(at, _)| {
        format!("must only contain printable UTF-8 characters; non-printable character found at index {at}")
    });
    let complaints = match truth(version, "deprecated") {
        false => vec!["can only be set for deprecated versions".to_owned()],
        true => [
            (warning.len() > 256).then(|| "must be <= 256 characters long".to_owned()),
            warning.is_empty().then(|| "must not be an empty string".to_owned()),
            unprintable,
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    invalid_all(&path, warning, complaints, faults);
}

fn validate_schema(version: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(root) = get_object(version, "schema.openAPIV3Schema") {
        schema::validate(root, &join(path, "openAPIV3Schema"), faults);
    }
}

fn validate_subresources(version: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let Some(scale) = get_object(version, "subresources.scale") else { return };
    let path = join(path, "scale");
    for (field, parent) in [("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")] {
        let json_path = text(scale, field);
        if json_path.is_empty() {
            faults.push(FieldError::required(join(&path, field), ""));
        } else if check_json_path(json_path, &join(&path, field), faults) && !json_path.starts_with(parent) {
            let detail = format!("should be a json path under {}", parent.trim_end_matches('.'));
            faults.push(FieldError::invalid(join(&path, field), json_path, detail));
        }
    }
    let selector = text(scale, "labelSelectorPath");
    let path = join(&path, "labelSelectorPath");
    if !selector.is_empty()
        && check_json_path(selector, &path, faults)
        && ![".spec.", ".status."].iter().any(|parent| selector.starts_with(parent))
    {
        let detail = "should be a json path under either .spec or .status";
        faults.push(FieldError::invalid(path, selector, detail));
    }
}

fn check_json_path(json_path: &str, path: &str, faults: &mut Vec<FieldError>) -> bool {
    let is_simple = json_path.starts_with('.');
    if !is_simple {
        faults.push(FieldError::invalid(path, json_path, "must be a simple json path starting with ."));
    }
    is_simple
}

fn validate_columns(version: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, column) in items(version, "additionalPrinterColumns").enumerate() {
        validate_column(column, &format!("{path}[{at}]"), faults);
    }
}

fn validate_selectable_fields(version: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (at, field) in items(version, "selectableFields").enumerate() {
        let path = format!("{path}[{at}].jsonPath");
        match text(field, "jsonPath") {
            "" => faults.push(FieldError::required(path, "")),
            json_path if json_path.starts_with(".metadata.") => {
                let detail = "must not point to fields in metadata";
                faults.push(FieldError::invalid(path, json_path, detail));
            }
            json_path if !seen.insert(json_path) => faults.push(FieldError::duplicate(path, json_path)),
            _ => {}
        }
    }
    if seen.len() > MAX_SELECTABLE_FIELDS {
        faults.push(FieldError::too_many(path, seen.len(), MAX_SELECTABLE_FIELDS));
    }
}

fn validate_column(column: &Object, path: &str, faults: &mut Vec<FieldError>) {
    check_text(column, "name", path, faults);
    match text(column, "type") {
        "" => {
            let detail = format!("must be one of {}", COLUMN_TYPES.join(","));
            faults.push(FieldError::required(join(path, "type"), detail));
        }
        known if COLUMN_TYPES.contains(&known) => {}
        other => {
            let detail = format!("must be one of {}", COLUMN_TYPES.join(","));
            faults.push(FieldError::invalid(join(path, "type"), other, detail));
        }
    }
    let format = text(column, "format");
    if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
        let detail = format!("must be one of {}", COLUMN_FORMATS.join(","));
        faults.push(FieldError::invalid(join(path, "format"), format, detail));
    }
    match text(column, "jsonPath") {
        "" => faults.push(FieldError::required(join(path, "JSONPath"), "")),
        json_path => _ = check_json_path(json_path, &join(path, "JSONPath"), faults),
    }
}

fn validate_names(definition: &Object, faults: &mut Vec<FieldError>) {
    let path = "spec.names";
    let Some(all) = get_object(definition, path) else { return };
    let mut check = |path: String, name: &str, may_have_capitals: bool| {
        let complaints = match may_have_capitals {
            true => names::dns_1035_label(&name.to_lowercase()),
            false => names::dns_1035_label(name),
        };
        if name.is_empty() || complaints.is_empty() {
            return;
        }
        let lead = if may_have_capitals { "may have mixed case, but should otherwise match: " } else { "" };
        faults.push(FieldError::invalid(path, name, format!("{lead}{}", complaints.join(","))));
    };
    for (field, may_have_capitals) in [("plural", false), ("singular", false), ("kind", true), ("listKind", true)] {
        check(join(path, field), text(all, field), may_have_capitals);
    }
    for list in ["shortNames", "categories"] {
        for (at, name) in texts(all, list).enumerate() {
            check(format!("{path}.{list}[{at}]"), name, false);
        }
    }
    let (kind, list_kind) = (text(all, "kind"), text(all, "listKind"));
    if !kind.is_empty() && kind == list_kind {
        let detail = "kind and listKind may not be the same";
        faults.push(FieldError::invalid(join(path, "listKind"), list_kind, detail));
    }
}

/// Paths name the fields as upstream's inner form does, where the webhook's stand beside the strategy.
fn validate_conversion(conversion: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (client, list) = (get_object(conversion, "webhook.clientConfig"), "webhook.conversionReviewVersions");
    match text(conversion, "strategy") {
        "" => faults.push(FieldError::required(join(path, "strategy"), "")),
        "None" | "Webhook" => {}
        other => faults.push(FieldError::not_supported(join(path, "strategy"), other, &["None", "Webhook"])),
    }
    if text(conversion, "strategy") != "Webhook" {
        for (field, is_there) in [
            ("webhookClientConfig", client.is_some()),
            ("conversionReviewVersions", !get_array(conversion, list).is_empty()),
        ] {
            if is_there {
                let detail = "should not be set when strategy is not set to Webhook";
                faults.push(FieldError::forbidden(join(path, field), detail));
            }
        }
        return;
    }
    let client_path = join(path, "webhookClientConfig");
    match client {
        None => faults.push(FieldError::required(client_path, "required when strategy is set to Webhook")),
        Some(client) => webhook_client::validate(client, &client_path, faults),
    }
    let path = join(path, "conversionReviewVersions");
    if get_array(conversion, list).is_empty() {
        faults.push(FieldError::required(path, ""));
        return;
    }
    let mut seen = BTreeSet::new();
    for (at, version) in texts(conversion, list).enumerate() {
        let path = format!("{path}[{at}]");
        if !seen.insert(version) {
            faults.push(FieldError::invalid(path, version, "duplicate version"));
            continue;
        }
        invalid_all(&path, version, names::dns_1035_label(version), faults);
    }
    if !REVIEW_VERSIONS.iter().any(|version| seen.contains(version)) {
        let detail = format!("must include at least one of {}", REVIEW_VERSIONS.join(", "));
        faults.push(FieldError::invalid(path, value(conversion, list), detail));
    }
}

/// What a definition that has objects cannot change.
fn validate_change(definition: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    if condition_is_true(old, "Established") {
        check_immutable(definition, old, "spec.scope", faults);
        check_immutable(definition, old, "spec.names.kind", faults);
    }
    check_immutable(definition, old, "spec.group", faults);
    check_immutable(definition, old, "spec.names.plural", faults);
    for (at, stored) in texts(definition, "status.storedVersions").enumerate() {
        if !items(definition, "spec.versions").any(|version| text(version, "name") == stored) {
            let detail = format!(
                "missing from spec.versions; {stored} was previously a storage version, and must remain in \
                 spec.versions until a storage migration ensures no data remains persisted in {stored} and removes \
                 {stored} from status.storedVersions"
            );
            faults.push(FieldError::invalid(format!("status.storedVersions[{at}]"), stored, detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update, created, object, row};

    use crate::apiextensions::custom_resource_definition::CUSTOM_RESOURCE_DEFINITION as KIND;

    fn definition(change: impl FnOnce(&mut Value)) -> Value {
        let mut definition = json!({
            "metadata": {"name": "widgets.example.com", "creationTimestamp": "2030-01-01T00:00:00Z"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [{"name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}}],
            },
        });
        change(&mut definition);
        definition
    }

    #[test]
    fn what_never_had_a_schema_needs_none() {
        let definition = |schema: Value| {
            let version = serde_json::json!({"name": "v1", "served": true, "storage": true, "schema": schema});
            serde_json::json!({"spec": {"versions": [version]}}).as_object().unwrap().clone()
        };
        let complaints = |old: Option<&Object>| {
            let mut faults = Vec::new();
            validate_versions(&definition(Value::Null), old, &mut faults);
            faults.iter().map(FieldError::to_string).collect::<Vec<_>>()
        };
        let required = ["spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"];
        assert_eq!(complaints(None), required);
        let with_schema = definition(serde_json::json!({"openAPIV3Schema": {"type": "object"}}));
        assert_eq!(complaints(Some(&with_schema)), required);
        assert_eq!(complaints(Some(&definition(Value::Null))), [""; 0]);
    }

    #[test]
    fn a_definition_is_told_what_upstream_assumes() {
        let created = created(&KIND, definition(|_| {}));
        assert_eq!(
            created["spec"]["names"],
            json!({"plural": "widgets", "kind": "Widget", "singular": "widget", "listKind": "WidgetList"})
        );
        assert_eq!(created["spec"]["conversion"], json!({"strategy": "None"}));
        assert_eq!(created["status"], json!({"storedVersions": ["v1"]}));
        check(&KIND, definition(|_| {}), &[]);
        assert_eq!(row(&KIND, created), "Name=widgets.example.com Created At=2030-01-01T00:00:00Z");
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        check(
            &KIND,
            definition(|definition| {
                definition["metadata"]["name"] = json!("widget");
                let spec = &mut definition["spec"];
                spec["group"] = json!("example");
                spec["scope"] = json!("World");
                spec["preserveUnknownFields"] = json!(true);
                spec["names"]["listKind"] = json!("Widget");
                spec["names"]["shortNames"] = json!(["W"]);
                spec["versions"][0]["storage"] = json!(false);
                spec["versions"][0].as_object_mut().unwrap().shift_remove("schema");
            }),
            &[
                r#"metadata.name: Invalid value: "widget": must be spec.names.plural+"."+spec.group"#,
                r#"spec.group: Invalid value: "example": should be a domain with at least one dot"#,
                r#"spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced""#,
                "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
                r#"spec.versions: Invalid value: [{"name":"v1","served":true,"storage":false}]: must have exactly one version marked as storage version"#,
                &format!(r#"spec.names.shortNames[0]: Invalid value: "W": {}"#, names::dns_1035_label("W").join(",")),
                r#"spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same"#,
                "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
            ],
        );
        check(
            &KIND,
            definition(|definition| {
                let version = &mut definition["spec"]["versions"][0];
                version["subresources"] =
                    json!({"scale": {"specReplicasPath": ".status.n", "labelSelectorPath": ".x"}});
                version["additionalPrinterColumns"] = json!([{"name": "Age", "type": "moment", "jsonPath": ".x"}]);
                version["deprecationWarning"] = json!("old");
                definition["spec"]["conversion"] =
                    json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v9"]}});
            }),
            &[
                r#"spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions"#,
                r#"spec.subresources.scale.specReplicasPath: Invalid value: ".status.n": should be a json path under .spec"#,
                "spec.subresources.scale.statusReplicasPath: Required value",
                r#"spec.subresources.scale.labelSelectorPath: Invalid value: ".x": should be a json path under either .spec or .status"#,
                r#"spec.additionalPrinterColumns[0].type: Invalid value: "moment": must be one of boolean,date,integer,number,string"#,
                "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
                r#"spec.conversion.conversionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1"#,
            ],
        );
    }

    #[test]
    fn what_all_versions_share_is_named_once() {
        let untyped = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": {}}}});
        let second = |schema: Value| {
            let first = untyped.clone();
            definition(|definition| {
                definition["spec"]["versions"][0]["schema"] = first;
                let second = json!({"name": "v2", "served": true, "schema": schema});
                definition["spec"]["versions"].as_array_mut().unwrap().push(second);
            })
        };
        const DETAIL: &str = "properties[spec].type: Required value: must not be empty for specified object fields";
        check(&KIND, second(untyped.clone()), &[&format!("spec.validation.openAPIV3Schema.{DETAIL}")]);
        check(
            &KIND,
            second(json!({"openAPIV3Schema": {"type": "object"}})),
            &[&format!("spec.versions[0].schema.openAPIV3Schema.{DETAIL}")],
        );
    }

    #[test]
    fn kubernetes_own_groups_need_its_approval() {
        let ours = |approval: Value| {
            definition(|definition| {
                definition["metadata"]["name"] = json!("widgets.x.k8s.io");
                definition["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": approval});
                definition["spec"]["group"] = json!("x.k8s.io");
            })
        };
        check(&KIND, ours(json!("https://github.com/kubernetes/kubernetes/pull/1")), &[]);
        check(&KIND, ours(json!("unapproved, for a test")), &[]);
        check(
            &KIND,
            ours(Value::Null),
            &[
                "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111",
            ],
        );
        check_update(&KIND, ours(Value::Null), ours(Value::Null), &[]);
    }

    #[test]
    fn what_objects_rest_on_stays() {
        let mut old = object(created(&KIND, definition(|_| {})));
        crate::fields::set(&mut old, "status.conditions", json!([{"type": "Established", "status": "True"}]));
        let mut new = object(definition(|definition| {
            definition["spec"]["scope"] = json!("Cluster");
            definition["spec"]["versions"][0]["name"] = json!("v2");
        }));
        KIND.rules.default(&mut new);
        new.insert("status".to_owned(), old["status"].clone());
        let context =
            crate::WriteContext { now: crate::testing::NOW.parse().unwrap(), writer: crate::Writer::named("someone") };
        KIND.rules.prepare_update(&mut new, &old, &context);
        assert_eq!(new["status"]["storedVersions"], json!(["v1", "v2"]));
        let faults: Vec<String> = KIND.rules.validate(&new, Some(&old)).iter().map(FieldError::to_string).collect();
        assert_eq!(
            faults,
            [
                r#"spec.scope: Invalid value: "Cluster": field is immutable"#,
                r#"status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions"#,
            ]
        );
    }
}
