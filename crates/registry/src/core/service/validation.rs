//! What is wrong with a Service.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::error::FieldError;
use crate::fields::{
    check_choice, check_range, check_supported, get, get_array, get_object, invalid_all, items, join, number, text,
    value,
};
use crate::kind::Object;
use crate::{metadata, names};

const PORTS: std::ops::RangeInclusive<i64> = 1..=65535;
const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

pub(super) fn validate(service: &Object, old: Option<&Object>) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let kind = text(service, "spec.type");
    let is_headless = text(service, "spec.clusterIP") == "None";
    if get_array(service, "spec.ports").is_empty() && !is_headless && kind != "ExternalName" {
        faults.push(FieldError::required("spec.ports", ""));
    }
    match kind {
        "LoadBalancer" | "NodePort" if is_headless => {
            let detail = format!("may not be set to 'None' for {kind} services");
            faults.push(FieldError::invalid("spec.clusterIPs[0]", "None", detail));
        }
        "ExternalName" => validate_external_name(service, &mut faults),
        _ => {}
    }
    validate_ports(service, &mut faults);
    if let Some(selector) = get_object(service, "spec.selector") {
        metadata::validate_labels(selector, "spec.selector", &mut faults);
    }
    validate_affinity(service, &mut faults);
    validate_addresses(service, &mut faults);
    check_choice(service, "spec.type", &TYPES, "", &mut faults);
    validate_distinct_ports(service, kind, &mut faults);
    validate_load_balancer(service, kind, &mut faults);
    validate_traffic(service, kind, &mut faults);
    if let Some(old) = old {
        validate_update(service, old, &mut faults);
    }
    faults
}

fn validate_external_name(service: &Object, faults: &mut Vec<FieldError>) {
    for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        let path = join("spec", field);
        let is_set = match get(service, &path) {
            None | Some(Value::Null) => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        };
        if is_set {
            faults.push(FieldError::forbidden(path, "may not be set for ExternalName services"));
        }
    }
    let name = text(service, "spec.externalName");
    match name.strip_suffix('.').unwrap_or(name) {
        "" => faults.push(FieldError::required("spec.externalName", "")),
        name => invalid_all("spec.externalName", name, names::dns_subdomain(name), faults),
    }
}

fn validate_affinity(service: &Object, faults: &mut Vec<FieldError>) {
    check_choice(service, "spec.sessionAffinity", &["ClientIP", "None"], "", faults);
    if text(service, "spec.sessionAffinity") == "ClientIP" {
        let path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
        let seconds = number(service, path);
        if !(1..=86_400).contains(&seconds) {
            faults.push(FieldError::invalid(path, seconds, "must be greater than 0 and less than 86400"));
        }
    }
}

fn validate_ports(service: &Object, faults: &mut Vec<FieldError>) {
    let needs_names = get_array(service, "spec.ports").len() > 1;
    let mut seen_names = BTreeSet::new();
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
        let application = text(port, "appProtocol");
        if !application.is_empty() {
            invalid_all(&join(&path, "appProtocol"), application, names::qualified_name(application), faults);
        }
    }
}

/// No two ports of a Service are the same, nor two of its ports on the nodes.
fn validate_distinct_ports(service: &Object, kind: &str, faults: &mut Vec<FieldError>) {
    let ports = || items(service, "spec.ports").enumerate();
    for (at, _) in ports().filter(|(_, port)| kind == "ClusterIP" && number(port, "nodePort") != 0) {
        let detail = "may not be used when `type` is 'ClusterIP'";
        faults.push(FieldError::forbidden(format!("spec.ports[{at}].nodePort"), detail));
    }
    let mut seen = BTreeSet::new();
    for (at, port) in ports().filter(|(_, port)| number(port, "nodePort") != 0) {
        if !seen.insert((text(port, "protocol"), number(port, "nodePort"))) {
            let path = format!("spec.ports[{at}].nodePort");
            faults.push(FieldError::duplicate(path, number(port, "nodePort")));
        }
    }
    let mut seen = BTreeSet::new();
    for (at, port) in ports() {
        let (protocol, number) = (text(port, "protocol"), number(port, "port"));
        if !seen.insert((protocol, number)) {
            let port = json!({"protocol": protocol, "port": number});
            faults.push(FieldError::duplicate(format!("spec.ports[{at}]"), port));
        }
    }
}

const ONLY_BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";

fn validate_load_balancer(service: &Object, kind: &str, faults: &mut Vec<FieldError>) {
    let ranges = get_array(service, "spec.loadBalancerSourceRanges");
    // The path is upstream's.
    let path = "spec.LoadBalancerSourceRanges";
    if !ranges.is_empty() && kind != "LoadBalancer" {
        faults.push(FieldError::forbidden(path, ONLY_BALANCED));
    }
    for (at, range) in ranges.iter().filter_map(Value::as_str).map(str::trim).enumerate() {
        invalid_all(&format!("{path}[{at}]"), range, names::cidr(range), faults);
    }
    if kind != "LoadBalancer" && get(service, "spec.allocateLoadBalancerNodePorts").is_some() {
        faults.push(FieldError::forbidden("spec.allocateLoadBalancerNodePorts", ONLY_BALANCED));
    }
    if let Some(class) = get(service, "spec.loadBalancerClass").and_then(Value::as_str) {
        let path = "spec.loadBalancerClass";
        if kind == "LoadBalancer" {
            invalid_all(path, class, names::qualified_name(class), faults);
        } else {
            faults.push(FieldError::forbidden(path, ONLY_BALANCED));
        }
    }
}

fn validate_traffic(service: &Object, kind: &str, faults: &mut Vec<FieldError>) {
    const EXTERNAL: &str = "spec.externalTrafficPolicy";
    let is_balanced = kind == "LoadBalancer";
    let has_external_addresses = kind == "ClusterIP" && !get_array(service, "spec.externalIPs").is_empty();
    if is_balanced || kind == "NodePort" || has_external_addresses {
        check_choice(service, EXTERNAL, &["Cluster", "Local"], "", faults);
    } else if !text(service, EXTERNAL).is_empty() {
        let detail = "may only be set for externally-accessible services";
        faults.push(FieldError::invalid(EXTERNAL, text(service, EXTERNAL), detail));
    }
    const HEALTH: &str = "spec.healthCheckNodePort";
    match number(service, HEALTH) {
        0 => {}
        _ if is_balanced && text(service, EXTERNAL) == "Local" => check_range(service, HEALTH, PORTS, "", faults),
        port => {
            let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            faults.push(FieldError::invalid(HEALTH, port, detail));
        }
    }
    check_supported(service, "spec.internalTrafficPolicy", &["Cluster", "Local"], "", faults);
    let distributions = ["PreferClose", "PreferSameNode", "PreferSameZone"];
    check_supported(service, "spec.trafficDistribution", &distributions, "", faults);
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
        invalid_all(&format!("spec.externalIPs[{at}]"), address, names::endpoint_address(address), faults);
    }
}

fn validate_update(service: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    validate_same_address(service, old, faults);
    let is_balanced = |service: &Object| text(service, "spec.type") == "LoadBalancer";
    let class = |service: &Object| get(service, "spec.loadBalancerClass").cloned();
    if is_balanced(service) && is_balanced(old) && class(service) != class(old) {
        let detail = "may not change once set";
        let class = value(service, "spec.loadBalancerClass");
        faults.push(FieldError::invalid("spec.loadBalancerClass", class, detail));
    }
    let needs_health_checks =
        |service: &Object| is_balanced(service) && text(service, "spec.externalTrafficPolicy") == "Local";
    const HEALTH: &str = "spec.healthCheckNodePort";
    if needs_health_checks(service) && needs_health_checks(old) && number(service, HEALTH) != number(old, HEALTH) {
        faults.push(FieldError::forbidden(HEALTH, "field is immutable"));
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
