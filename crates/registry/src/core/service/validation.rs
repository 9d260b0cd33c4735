//! What is wrong with a Service.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::error::FieldError;
use crate::fields::{
    check_range, check_supported, get, get_array, get_object, invalid_all, items, join, number, text, value,
};
use crate::kind::Object;
use crate::{metadata, names};

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

pub(super) fn validate(service: &Object, old: Option<&Object>) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let kind = text(service, "spec.type");
    let is_headless = text(service, "spec.clusterIP") == "None";
    if get_array(service, "spec.ports").is_empty() && !is_headless && kind != "ExternalName" {
        faults.push(FieldError::required("spec.ports", ""));
    }
    if kind == "LoadBalancer" && is_headless {
        let detail = "may not be set to 'None' for LoadBalancer services";
        faults.push(FieldError::invalid("spec.clusterIPs[0]", "None", detail));
    }
    if kind == "ExternalName" {
        validate_external_name(service, &mut faults);
    }
    validate_ports(service, &mut faults);
    if let Some(selector) = get_object(service, "spec.selector") {
        metadata::validate_labels(selector, "spec.selector", &mut faults);
    }
    check_supported(service, "spec.sessionAffinity", &["ClientIP", "None"], "", &mut faults);
    if text(service, "spec.sessionAffinity") == "ClientIP" {
        let path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
        let seconds = number(service, path);
        if !(1..=86_400).contains(&seconds) {
            faults.push(FieldError::invalid(path, seconds, "must be greater than 0, and less than or equal to 86400"));
        }
    }
    check_supported(service, "spec.type", &TYPES, "", &mut faults);
    for policy in ["spec.internalTrafficPolicy", "spec.externalTrafficPolicy"] {
        check_supported(service, policy, &["Cluster", "Local"], "", &mut faults);
    }
    validate_addresses(service, &mut faults);
    if let Some(old) = old {
        validate_same_address(service, old, &mut faults);
    }
    faults
}

fn validate_external_name(service: &Object, faults: &mut Vec<FieldError>) {
    let name = text(service, "spec.externalName").trim_end_matches('.');
    if name.is_empty() {
        faults.push(FieldError::required("spec.externalName", ""));
    } else {
        invalid_all("spec.externalName", name, names::dns_subdomain(name), faults);
    }
    if !text(service, "spec.clusterIP").is_empty() {
        let detail = "may not be set when `type` is 'ExternalName'";
        faults.push(FieldError::forbidden("spec.clusterIPs", detail));
    }
}

fn validate_ports(service: &Object, faults: &mut Vec<FieldError>) {
    let needs_names = get_array(service, "spec.ports").len() > 1;
    let may_have_node_ports = ["NodePort", "LoadBalancer"].contains(&text(service, "spec.type"));
    let (mut seen_names, mut seen_ports, mut seen_node_ports) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (at, port) in items(service, "spec.ports").enumerate() {
        let path = format!("spec.ports[{at}]");
        let (name, protocol) = (text(port, "name"), text(port, "protocol"));
        match name {
            "" if needs_names => faults.push(FieldError::required(join(&path, "name"), "")),
            "" => {}
            name => {
                invalid_all(&join(&path, "name"), name, names::dns_label(name), faults);
                if !seen_names.insert(name) {
                    faults.push(FieldError::duplicate(join(&path, "name"), name));
                }
            }
        }
        if get(port, "port").is_none() {
            faults.push(FieldError::invalid(join(&path, "port"), 0, "must be between 1 and 65535, inclusive"));
        }
        check_range(port, "port", 1..=65535, &path, faults);
        if !["TCP", "UDP", "SCTP"].contains(&protocol) {
            faults.push(FieldError::not_supported(join(&path, "protocol"), protocol, &["SCTP", "TCP", "UDP"]));
        }
        match get(port, "targetPort") {
            Some(Value::String(name)) => {
                invalid_all(&join(&path, "targetPort"), name, names::port_name(name), faults);
            }
            _ => check_range(port, "targetPort", 1..=65535, &path, faults),
        }
        if !seen_ports.insert((protocol, number(port, "port"))) {
            faults
                .push(FieldError::duplicate(path.as_str(), json!({"protocol": protocol, "port": value(port, "port")})));
        }
        let node_port = number(port, "nodePort");
        if node_port != 0 && !may_have_node_ports {
            let detail = format!("may not be used when `type` is '{}'", text(service, "spec.type"));
            faults.push(FieldError::forbidden(join(&path, "nodePort"), detail));
        } else if node_port != 0 && !seen_node_ports.insert((protocol, node_port)) {
            faults.push(FieldError::duplicate(join(&path, "nodePort"), node_port));
        }
    }
}

fn validate_addresses(service: &Object, faults: &mut Vec<FieldError>) {
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    const DETAIL: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    for (at, address) in get_array(service, "spec.clusterIPs").iter().filter_map(Value::as_str).enumerate() {
        if address == "None" && at == 0 {
            continue;
        }
        if !is_address(address) {
            faults.push(FieldError::invalid(format!("spec.clusterIPs[{at}]"), address, DETAIL));
        }
    }
    for (at, address) in get_array(service, "spec.externalIPs").iter().filter_map(Value::as_str).enumerate() {
        if !is_address(address) {
            faults.push(FieldError::invalid(format!("spec.externalIPs[{at}]"), address, DETAIL));
        }
    }
}

/// The address of a Service stays for its life, unless the Service gives it up for an external name.
fn validate_same_address(service: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    if [service, old].iter().any(|service| text(service, "spec.type") == "ExternalName") {
        return;
    }
    let before = get_array(old, "spec.clusterIPs").first();
    let after = get_array(service, "spec.clusterIPs").first();
    if before.is_some() && before != after {
        let addresses = value(service, "spec.clusterIPs");
        faults.push(FieldError::invalid("spec.clusterIPs[0]", addresses, "may not change once set"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(spec: Value, old: Option<Value>) -> Vec<String> {
        let service = |spec: Value| {
            let mut object = Object::from_iter([("spec".to_owned(), spec)]);
            crate::core::service::SERVICE.rules.default(&mut object);
            object
        };
        validate(&service(spec), old.map(service).as_ref()).iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn ports_are_needed_named_and_distinct() {
        assert_eq!(faults(json!({}), None), ["spec.ports: Required value"]);
        assert_eq!(faults(json!({"clusterIP": "None"}), None), [""; 0]);
        assert_eq!(
            faults(json!({"ports": [{"port": 80, "nodePort": 1}, {"port": 80, "name": "a"}]}), None),
            [
                "spec.ports[0].name: Required value",
                "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
                r#"spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}"#,
            ]
        );
        assert_eq!(
            faults(json!({"type": "Other", "ports": [{"port": 0}]}), None),
            [
                "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
                "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
                r#"spec.type: Unsupported value: "Other": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort""#,
            ]
        );
    }

    #[test]
    fn an_address_stays() {
        let with = |address: &str| json!({"clusterIP": address, "ports": [{"port": 80}]});
        assert_eq!(faults(with("10.96.0.1"), Some(with("10.96.0.1"))), [""; 0]);
        assert_eq!(
            faults(with("10.96.0.2"), Some(with("10.96.0.1"))),
            [r#"spec.clusterIPs[0]: Invalid value: ["10.96.0.2"]: may not change once set"#]
        );
    }
}
