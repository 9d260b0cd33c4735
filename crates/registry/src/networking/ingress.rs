//! networking.k8s.io `Ingress`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column};
use crate::core::endpoints::shorten;
use crate::error::FieldError;
use crate::fields::{
    check_named, check_range, get, get_array, get_object, get_str, invalid_all, items, join, number, or_none, set,
    text, texts,
};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::names;

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

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if get_array(object, "spec.rules").is_empty() && get(object, "spec.defaultBackend").is_none() {
            let detail = "either `defaultBackend` or `rules` must be specified";
            faults.push(FieldError::invalid("spec", crate::fields::value(object, "spec.rules"), detail));
        }
        if let Some(backend) = get_object(object, "spec.defaultBackend") {
            validate_backend(backend, "spec.defaultBackend", &mut faults);
        }
        for (at, rule) in items(object, "spec.rules").enumerate() {
            validate_rule(rule, &format!("spec.rules[{at}]"), &mut faults);
        }
        for (at, tls) in items(object, "spec.tls").enumerate() {
            validate_tls(tls, &format!("spec.tls[{at}]"), &mut faults);
        }
        if let Some(class) = get_str(object, "spec.ingressClassName") {
            invalid_all("spec.ingressClassName", class, names::dns_subdomain(class), &mut faults);
            let annotations = get_object(object, "metadata.annotations");
            let older = annotations.and_then(|annotations| annotations.get(CLASS_ANNOTATION)).and_then(Value::as_str);
            if let Some(older) = older.filter(|older| old.is_none() && *older != class) {
                let path = format!("annotations.{CLASS_ANNOTATION}");
                let detail = "must match `ingressClassName` when both are specified";
                faults.push(FieldError::invalid(path, older, detail));
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

const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

fn validate_rule(rule: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let host = text(rule, "host");
    if host.parse::<std::net::IpAddr>().is_ok() {
        faults.push(FieldError::invalid(join(path, "host"), host, "must be a DNS name, not an IP address"));
    }
    if !host.is_empty() {
        check_host(host, &join(path, "host"), faults);
    }
    if get(rule, "http").is_some() && get_array(rule, "http.paths").is_empty() {
        faults.push(FieldError::required(join(path, "http.paths"), ""));
    }
    for (at, route) in items(rule, "http.paths").enumerate() {
        validate_route(route, &format!("{path}.http.paths[{at}]"), faults);
    }
}

/// A name, or all names below one.
fn check_host(host: &str, path: &str, faults: &mut Vec<FieldError>) {
    let complaints = if host.contains('*') { names::wildcard_subdomain(host) } else { names::dns_subdomain(host) };
    invalid_all(path, host, complaints, faults);
}

fn validate_tls(tls: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, host) in texts(tls, "hosts").enumerate() {
        check_host(host, &format!("{path}.hosts[{at}]"), faults);
    }
    let secret = text(tls, "secretName");
    if !secret.is_empty() {
        invalid_all(&join(path, "secretName"), secret, names::dns_subdomain(secret), faults);
    }
}

/// What a path may not hold, and what it may not end with: each could mean another path.
const NOT_IN_PATHS: [&str; 6] = ["//", "/./", "/../", "%2f", "%2F", "%2E"];
const NOT_AT_ENDS: [&str; 2] = ["/..", "/."];

fn validate_route(route: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (place, place_path) = (text(route, "path"), join(path, "path"));
    let is_relative = !place.starts_with('/');
    match text(route, "pathType") {
        "" => return faults.push(FieldError::required(join(path, "pathType"), "pathType must be specified")),
        "Exact" | "Prefix" => {
            if is_relative {
                faults.push(FieldError::invalid(place_path.as_str(), place, "must be an absolute path"));
            }
            for part in NOT_IN_PATHS.iter().filter(|part| place.contains(**part)) {
                let detail = format!("must not contain '{part}'");
                faults.push(FieldError::invalid(place_path.as_str(), place, detail));
            }
            for end in NOT_AT_ENDS.iter().filter(|end| place.ends_with(**end)) {
                let detail = format!("cannot end with '{end}'");
                faults.push(FieldError::invalid(place_path.as_str(), place, detail));
            }
        }
        "ImplementationSpecific" if !place.is_empty() && is_relative => {
            faults.push(FieldError::invalid(place_path, place, "must be an absolute path"));
        }
        "ImplementationSpecific" => {}
        other => {
            let supported = ["Exact", "ImplementationSpecific", "Prefix"];
            faults.push(FieldError::not_supported(join(path, "pathType"), other, &supported));
        }
    }
    let empty = Object::new();
    validate_backend(get_object(route, "backend").unwrap_or(&empty), &join(path, "backend"), faults);
}

fn validate_backend(backend: &Object, path: &str, faults: &mut Vec<FieldError>) {
    match (get_object(backend, "service"), get_object(backend, "resource")) {
        (Some(_), Some(_)) => {
            let detail = "cannot set both resource and service backends";
            faults.push(FieldError::invalid(path, "", detail));
        }
        (None, None) => faults.push(FieldError::invalid(path, "", "resource or service backend is required")),
        (None, Some(resource)) => {
            let path = join(path, "resource");
            if let Some(group) = get_str(resource, "apiGroup") {
                invalid_all(&join(&path, "apiGroup"), group, names::dns_subdomain(group), faults);
            }
            check_named(resource, "kind", names::path_segment, &path, faults);
            check_named(resource, "name", names::path_segment, &path, faults);
        }
        (Some(service), None) => {
            check_named(service, "name", names::dns_1035_label, &join(path, "service"), faults);
            let (name, number) = (text(service, "port.name"), number(service, "port.number"));
            let port_path = join(path, "service.port");
            if !name.is_empty() && number != 0 {
                faults.push(FieldError::invalid(path, "", "cannot set both port name & port number"));
            } else if !name.is_empty() {
                invalid_all(&join(&port_path, "name"), name, names::port_name(name), faults);
            } else if number != 0 {
                check_range(service, "port.number", 1..=65535, &join(path, "service"), faults);
            } else {
                faults.push(FieldError::required(path, "port name or number is required"));
            }
        }
    }
}
