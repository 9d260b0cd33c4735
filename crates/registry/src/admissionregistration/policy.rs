//! What the policies and their bindings share. Expressions are checked for being there, not compiled.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::rule;
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_supported, get_array, get_object, get_str, invalid_all, items, join, text, texts};
use crate::kind::{Column, Object};
use crate::{metadata, names};

const MAX_AUDIT_ANNOTATIONS: usize = 20;
const MAX_AUDIT_EXPRESSION_BYTES: usize = 5 * 1024;
const REASONS: [&str; 3] = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

/// Words of the expression language that cannot name a variable.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// What a policy of either kind says of itself besides what it does.
pub(super) fn validate_policy(policy: &Object, faults: &mut Vec<FieldError>) {
    match get_str(policy, "spec.failurePolicy") {
        None => faults.push(FieldError::required("spec.failurePolicy", "")),
        Some(_) => check_supported(policy, "spec.failurePolicy", &rule::FAILURE_POLICIES, "", faults),
    }
    if let Some(kind) = get_object(policy, "spec.paramKind") {
        validate_param_kind(kind, "spec.paramKind", faults);
    }
    match get_object(policy, "spec.matchConstraints") {
        None => faults.push(FieldError::required("spec.matchConstraints", "")),
        Some(constraints) => {
            rule::validate_match_resources(constraints, "spec.matchConstraints", faults);
            if get_array(constraints, "resourceRules").is_empty() {
                faults.push(FieldError::required("spec.matchConstraints.resourceRules", ""));
            }
        }
    }
    if let Some(spec) = get_object(policy, "spec") {
        rule::validate_match_conditions(spec, "spec", faults);
    }
    for (at, variable) in items(policy, "spec.variables").enumerate() {
        validate_variable(variable, &format!("spec.variables[{at}]"), faults);
    }
}

fn validate_param_kind(kind: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (api_version, name) = (text(kind, "apiVersion"), text(kind, "kind"));
    let path_of_version = join(path, "apiVersion");
    match api_version.split('/').collect::<Vec<_>>()[..] {
        [""] => faults.push(FieldError::required(path_of_version, "")),
        [version] => check_version(version, api_version, &path_of_version, faults),
        [group, version] => {
            let complaints = if group.is_empty() { Vec::new() } else { names::dns_subdomain(group) };
            if !complaints.is_empty() {
                faults.push(FieldError::invalid(path_of_version.as_str(), group, complaints.join(",")));
            }
            check_version(version, api_version, &path_of_version, faults);
        }
        _ => {
            let detail = format!("unexpected GroupVersion string: {api_version}");
            faults.push(FieldError::invalid(path_of_version, api_version, detail));
        }
    }
    let complaints = names::dns_1035_label(&name.to_lowercase());
    if name.is_empty() {
        faults.push(FieldError::required(join(path, "kind"), ""));
    } else if !complaints.is_empty() {
        let detail = format!("may have mixed case, but should otherwise match: {}", complaints.join(","));
        faults.push(FieldError::invalid(join(path, "kind"), name, detail));
    }
}

fn check_version(version: &str, whole: &str, path: &str, faults: &mut Vec<FieldError>) {
    let complaints = names::dns_1035_label(version);
    if version.is_empty() {
        faults.push(FieldError::invalid(path, whole, "version must be specified"));
    } else if !complaints.is_empty() {
        faults.push(FieldError::invalid(path, version, complaints.join(",")));
    }
}

fn validate_variable(variable: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let name = text(variable, "name");
    if name.trim().is_empty() {
        faults.push(FieldError::required(join(path, "name"), "name is not specified"));
    } else if !names::c_identifier(name).is_empty() || RESERVED.contains(&name) {
        faults.push(FieldError::invalid(join(path, "name"), name, "name is not a valid CEL identifier"));
    }
    check_expression(variable, "expression", path, faults);
}

pub(super) fn check_expression(owner: &Object, field: &str, path: &str, faults: &mut Vec<FieldError>) {
    if text(owner, field).trim().is_empty() {
        faults.push(FieldError::required(join(path, field), format!("{field} is not specified")));
    }
}

/// What a validating policy demands and what it notes in the audit log: at least one of either.
pub(super) fn validate_validations(policy: &Object, faults: &mut Vec<FieldError>) {
    let is_empty = |list: &str| get_array(policy, list).is_empty();
    if is_empty("spec.validations") && is_empty("spec.auditAnnotations") {
        for list in ["spec.validations", "spec.auditAnnotations"] {
            let detail = "validations or auditAnnotations must contain at least one item";
            faults.push(FieldError::required(list, detail));
        }
        return;
    }
    for (at, validation) in items(policy, "spec.validations").enumerate() {
        validate_validation(validation, &format!("spec.validations[{at}]"), faults);
    }
    let count = get_array(policy, "spec.auditAnnotations").len();
    if count > MAX_AUDIT_ANNOTATIONS {
        let annotations = Value::from(get_array(policy, "spec.auditAnnotations"));
        let detail = format!("must not have more than {MAX_AUDIT_ANNOTATIONS} auditAnnotations");
        faults.push(FieldError::invalid("spec.auditAnnotations", annotations, detail));
    }
    let mut seen = BTreeSet::new();
    for (at, annotation) in items(policy, "spec.auditAnnotations").enumerate() {
        let path = format!("spec.auditAnnotations[{at}]");
        let key = text(annotation, "key");
        let qualified = format!("{}/{key}", text(policy, "metadata.name"));
        invalid_all(&join(&path, "key"), &qualified, names::qualified_name(&qualified), faults);
        check_expression(annotation, "valueExpression", &path, faults);
        if text(annotation, "valueExpression").trim().len() > MAX_AUDIT_EXPRESSION_BYTES {
            let detail = format!("must not exceed {MAX_AUDIT_EXPRESSION_BYTES} bytes in length");
            faults.push(FieldError::required(join(&path, "valueExpression"), detail));
        }
        if !seen.insert(key) {
            faults.push(FieldError::duplicate(join(&path, "key"), key));
        }
    }
}

fn validate_validation(validation: &Object, path: &str, faults: &mut Vec<FieldError>) {
    check_expression(validation, "expression", path, faults);
    let says_nothing =
        |field: &str| get_str(validation, field).is_some_and(|text| !text.is_empty() && text.trim().is_empty());
    if says_nothing("messageExpression") {
        let detail = "must be non-empty if specified";
        faults.push(FieldError::invalid(
            join(path, "messageExpression"),
            text(validation, "messageExpression"),
            detail,
        ));
    }
    let message = text(validation, "message");
    if says_nothing("message") {
        faults.push(FieldError::invalid(join(path, "message"), message, "message must be non-empty if specified"));
    } else if message.trim().contains(['\n', '\r']) {
        faults.push(FieldError::invalid(join(path, "message"), message, "message must not contain line breaks"));
    }
    check_supported(validation, "reason", &REASONS, path, faults);
}

pub(super) static BINDING_COLUMNS: &[Column] = &[
    NAME,
    column("PolicyName", "string", "PolicyName indicates the policy definition which the policy binding binded to"),
    column("ParamRef", "string", "ParamRef indicates the param resource which sets the configration param"),
    AGE,
];

pub(super) fn binding_row(binding: &Object, now: Timestamp) -> Vec<Value> {
    vec![
        columns::name(binding),
        Value::from(text(binding, "spec.policyName")),
        param_ref_cell(binding),
        columns::age(binding, now),
    ]
}

pub(super) fn default_binding(binding: &mut Object) {
    rule::default_match_resources(binding, "spec.matchResources");
}

/// What a binding of either kind says besides what is to happen.
pub(super) fn validate_binding(binding: &Object, faults: &mut Vec<FieldError>) {
    crate::fields::check_named(binding, "spec.policyName", names::dns_subdomain, "", faults);
    if let Some(parameters) = get_object(binding, "spec.paramRef") {
        validate_param_ref(parameters, "spec.paramRef", faults);
    }
    if let Some(resources) = get_object(binding, "spec.matchResources") {
        // The path is spelled as upstream spells it.
        rule::validate_match_resources(resources, "spec.matchResouces", faults);
    }
}

fn validate_param_ref(parameters: &Object, path: &str, faults: &mut Vec<FieldError>) {
    const BOTH: &str = "name and selector are mutually exclusive";
    let (name, selector) = (text(parameters, "name"), get_object(parameters, "selector"));
    if !name.is_empty() {
        invalid_all(&join(path, "name"), name, names::path_segment(name), faults);
        if selector.is_some() {
            faults.push(FieldError::forbidden(join(path, "name"), BOTH));
        }
    }
    if let Some(selector) = selector {
        metadata::validate_selector(selector, &join(path, "selector"), faults);
        if !name.is_empty() {
            faults.push(FieldError::forbidden(join(path, "selector"), BOTH));
        }
    }
    if name.is_empty() && selector.is_none() {
        faults.push(FieldError::required(path, "one of name or selector must be specified"));
    }
    match text(parameters, "parameterNotFoundAction") {
        "" => faults.push(FieldError::required(join(path, "parameterNotFoundAction"), "")),
        _ => check_supported(parameters, "parameterNotFoundAction", &["Deny", "Allow"], path, faults),
    }
}

/// Where a binding's parameters come from, as tables show it. Whether the kind has namespaces cannot be
/// told from here, so a name without one may be in any.
fn param_ref_cell(binding: &Object) -> Value {
    let (namespace, name) = (text(binding, "spec.paramRef.namespace"), text(binding, "spec.paramRef.name"));
    Value::from(match get_object(binding, "spec.paramRef.selector") {
        _ if !name.is_empty() && namespace.is_empty() => format!("*/{name}"),
        _ if !name.is_empty() => format!("{namespace}/{name}"),
        Some(selector) => format_selector(selector),
        None => "<unset>".to_owned(),
    })
}

/// A selector in the words of Go's generated printer, which is what upstream shows here.
fn format_selector(selector: &Object) -> String {
    let mut labels: Vec<String> = get_object(selector, "matchLabels")
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or("")))
        .collect();
    labels.sort();
    let expressions: Vec<String> = items(selector, "matchExpressions")
        .map(|expression| {
            let values: Vec<&str> = texts(expression, "values").collect();
            let (key, operator) = (text(expression, "key"), text(expression, "operator"));
            format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{}],}},", values.join(" "))
        })
        .collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{}}},MatchExpressions:[]LabelSelectorRequirement{{{}}},}}",
        labels.concat(),
        expressions.concat()
    )
}
