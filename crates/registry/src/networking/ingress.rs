//! networking.k8s.io `Ingress`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column};
use crate::core::endpoints::shorten;
use crate::error::FieldError;
use crate::fields::{get, get_array, get_object, get_str, items, or_none, set, text};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};

pub static INGRESS: Kind = Kind {
    group: "networking.k8s.io",
    kind: "Ingress",
    plural: "ingresses",
    singular: "ingress",
    short_names: &["ing"],
    has_status: true,
    rules: &IngressRules,
    ..Kind::NAMESPACED
};

struct IngressRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Class", "string", "The name of the IngressClass resource that should be used for additional configuration"),
    column("Hosts", "string", "Hosts that incoming requests are matched against before the ingress rule"),
    column("Address", "string", "Address is a list containing ingress points for the load-balancer"),
    column("Ports", "string", "Ports of TLS configurations that open"),
    AGE,
];

impl Rules for IngressRules {
    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        set(object, "status", json!({"loadBalancer": {}}));
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if get_array(object, "spec.rules").is_empty() && get(object, "spec.defaultBackend").is_none() {
            let detail = "either `defaultBackend` or `rules` must be specified";
            faults.push(FieldError::invalid("spec", crate::fields::value(object, "spec.rules"), detail));
        }
        if let Some(backend) = get_object(object, "spec.defaultBackend") {
            validate_backend(backend, "spec.defaultBackend", &mut faults);
        }
        for (at, rule) in items(object, "spec.rules").enumerate() {
            let path = format!("spec.rules[{at}]");
            if let Some(host) = get_str(rule, "host").filter(|host| !host.is_empty()) {
                let name = host.strip_prefix("*.").unwrap_or(host);
                crate::fields::invalid_all(
                    &format!("{path}.host"),
                    host,
                    crate::names::dns_subdomain(name),
                    &mut faults,
                );
            }
            if get(rule, "http").is_some() && get_array(rule, "http.paths").is_empty() {
                faults.push(FieldError::required(format!("{path}.http.paths"), ""));
            }
            for (at, route) in items(rule, "http.paths").enumerate() {
                validate_route(route, &format!("{path}.http.paths[{at}]"), &mut faults);
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let hosts: Vec<String> = items(object, "spec.rules")
            .map(|rule| text(rule, "host").to_owned())
            .filter(|host| !host.is_empty())
            .collect();
        let addresses: Vec<&str> = items(object, "status.loadBalancer.ingress")
            .map(|ingress| match text(ingress, "ip") {
                "" => text(ingress, "hostname"),
                ip => ip,
            })
            .collect();
        let ports = if get_array(object, "spec.tls").is_empty() { "80" } else { "80, 443" };
        vec![
            columns::name(object),
            or_none(text(object, "spec.ingressClassName")),
            Value::from(if hosts.is_empty() { "*".to_owned() } else { shorten(&hosts) }),
            Value::from(addresses.join(",")),
            Value::from(ports),
            columns::age(object, now),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

fn validate_route(route: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let place = text(route, "path");
    match text(route, "pathType") {
        "" => faults.push(FieldError::required(format!("{path}.pathType"), "pathType must be specified")),
        "Exact" | "Prefix" if !place.starts_with('/') => {
            faults.push(FieldError::invalid(format!("{path}.path"), place, "must be an absolute path"));
        }
        "ImplementationSpecific" if !place.is_empty() && !place.starts_with('/') => {
            faults.push(FieldError::invalid(format!("{path}.path"), place, "must be an absolute path"));
        }
        "Exact" | "Prefix" | "ImplementationSpecific" => {}
        other => {
            let supported = ["Exact", "ImplementationSpecific", "Prefix"];
            faults.push(FieldError::not_supported(format!("{path}.pathType"), other, &supported));
        }
    }
    let empty = Object::new();
    validate_backend(get_object(route, "backend").unwrap_or(&empty), &format!("{path}.backend"), faults);
}

fn validate_backend(backend: &Object, path: &str, faults: &mut Vec<FieldError>) {
    match (get_object(backend, "service"), get(backend, "resource")) {
        (Some(_), Some(_)) => {
            let detail = "cannot set both resource and service backends";
            faults.push(FieldError::invalid(path, "", detail));
        }
        (None, None) => faults.push(FieldError::required(path, "resource or service backend is required")),
        (None, Some(_)) => {}
        (Some(service), None) => {
            if text(service, "name").is_empty() {
                faults.push(FieldError::required(format!("{path}.service.name"), ""));
            }
            let (name, number) = (get(service, "port.name"), get(service, "port.number"));
            if name.is_some() && number.is_some() {
                let detail = "cannot set both port name & port number";
                faults.push(FieldError::invalid(path, "", detail));
            } else if name.is_none() && number.is_none() {
                faults.push(FieldError::required(path, "port name or number is required"));
            }
        }
    }
}
