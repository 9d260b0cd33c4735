//! networking.k8s.io `IngressClass`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_immutable, check_named, check_supported, get, get_object, get_str, invalid_all, join, or_none, set_default,
    text,
};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static INGRESS_CLASS: Kind = Kind {
    group: "networking.k8s.io",
    kind: "IngressClass",
    plural: "ingressclasses",
    singular: "ingressclass",
    rules: &IngressClassRules,
    ..Kind::CLUSTER
};

struct IngressClassRules;

const MAX_CONTROLLER_BYTES: usize = 250;

impl Rules for IngressClassRules {
    fn default(&self, object: &mut Object) {
        if let Some(parameters) = crate::fields::object_mut(object, "spec.parameters") {
            set_default(parameters, "scope", "Cluster");
        }
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(old) = old {
            check_immutable(object, old, "spec.controller", &mut faults);
        }
        check_named(object, "spec.controller", names::domain_prefixed_path, "", &mut faults);
        if text(object, "spec.controller").len() > MAX_CONTROLLER_BYTES {
            faults.push(FieldError::too_long("spec.controller", MAX_CONTROLLER_BYTES));
        }
        if let Some(parameters) = get_object(object, "spec.parameters") {
            validate_parameters(parameters, "spec.parameters", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Controller", "string", "Controller that is responsible for handling this class"),
            column("Parameters", "string", "A reference to a resource with additional parameters"),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let parameters = match get(object, "spec.parameters") {
            None => String::new(),
            Some(_) => {
                let group = text(object, "spec.parameters.apiGroup");
                let dot = if group.is_empty() { "" } else { "." };
                format!("{}{dot}{group}/{}", text(object, "spec.parameters.kind"), text(object, "spec.parameters.name"))
            }
        };
        vec![
            columns::name(object),
            Value::from(text(object, "spec.controller")),
            or_none(&parameters),
            columns::age(object, now),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

fn validate_parameters(parameters: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(group) = get_str(parameters, "apiGroup") {
        invalid_all(&join(path, "apiGroup"), group, names::dns_subdomain(group), faults);
    }
    check_named(parameters, "kind", names::path_segment, path, faults);
    check_named(parameters, "name", names::path_segment, path, faults);
    let namespace = get_str(parameters, "namespace");
    let namespace_path = join(path, "namespace");
    match (get_str(parameters, "scope"), namespace) {
        (None, _) => faults.push(FieldError::required(join(path, "scope"), "")),
        (Some("Namespace"), None) => {
            faults.push(FieldError::required(namespace_path, "`parameters.scope` is set to 'Namespace'"));
        }
        (Some("Namespace"), Some(namespace)) => {
            invalid_all(&namespace_path, namespace, names::dns_label(namespace), faults);
        }
        (Some("Cluster"), Some(_)) => {
            faults.push(FieldError::forbidden(namespace_path, "`parameters.scope` is set to 'Cluster'"));
        }
        (Some(_), _) => check_supported(parameters, "scope", &["Cluster", "Namespace"], path, faults),
    }
}
