//! Service.

mod validation;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column, wide};
use crate::error::FieldError;
use crate::fields::{
    format_labels, get, get_array, get_object, items, items_mut, number, object_at, or_none, set, set_default, text,
};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::names::NameRule;

pub static SERVICE: Kind = Kind {
    kind: "Service",
    plural: "services",
    singular: "service",
    short_names: &["svc"],
    categories: &["all"],
    has_status: true,
    rules: &ServiceRules,
    ..Kind::NAMESPACED
};

struct ServiceRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Type", "string", "type determines how the Service is exposed."),
    column("Cluster-IP", "string", "clusterIP is the IP address of the service."),
    column("External-IP", "string", "Addresses outside the cluster at which the service answers."),
    column("Port(s)", "string", "The list of ports that are exposed by this service."),
    AGE,
    wide("Selector", "string", "Route service traffic to pods with label keys and values matching this selector."),
];

/// How long a client stays with its pod where the Service does not say: three hours.
const CLIENT_AFFINITY_SECONDS: i64 = 10_800;

impl Rules for ServiceRules {
    fn name_rule(&self) -> NameRule {
        NameRule::Dns1035Label
    }

    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        set_default(spec, "sessionAffinity", "None");
        if text(spec, "sessionAffinity") == "ClientIP" {
            set_default(spec, "sessionAffinityConfig.clientIP.timeoutSeconds", CLIENT_AFFINITY_SECONDS);
        } else {
            spec.shift_remove("sessionAffinityConfig");
        }
        set_default(spec, "type", "ClusterIP");
        for port in items_mut(spec, "ports") {
            default_port(port);
        }
        let kind = text(spec, "type").to_owned();
        let is_reached_from_outside = ["NodePort", "LoadBalancer"].contains(&kind.as_str());
        if is_reached_from_outside || !get_array(spec, "externalIPs").is_empty() {
            set_default(spec, "externalTrafficPolicy", "Cluster");
        }
        if kind != "ExternalName" {
            set_default(spec, "internalTrafficPolicy", "Cluster");
            default_addresses(spec);
        }
        if kind == "LoadBalancer" {
            set_default(spec, "allocateLoadBalancerNodePorts", true);
        }
    }

    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        set(object, "status", json!({"loadBalancer": {}}));
    }

    fn prepare_update(&self, object: &mut Object, old: &Object, _context: &WriteContext<'_>) {
        keep_allocated(object, old);
        drop_what_the_type_lost(object, old);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        validation::validate(object, old)
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![
            columns::name(object),
            Value::from(text(object, "spec.type")),
            or_none(text(object, "spec.clusterIP")),
            Value::from(external_addresses(object)),
            or_none(&ports(object)),
            columns::age(object, now),
            Value::from(format_labels(get_object(object, "spec.selector"))),
        ]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        self.selectable_fields().contains(&path).then(|| text(object, path).to_owned())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["spec.clusterIP", "spec.type"]
    }

    fn creates_on_update(&self) -> bool {
        true
    }
}

fn default_port(port: &mut Object) {
    set_default(port, "protocol", "TCP");
    let is_unset = match get(port, "targetPort") {
        None | Some(Value::Null) => true,
        Some(Value::String(name)) => name.is_empty(),
        Some(target) => target.as_i64() == Some(0),
    };
    if let (true, Some(number)) = (is_unset, get(port, "port").cloned()) {
        set(port, "targetPort", number);
    }
}

/// One family, IPv4; what is stated once is stated in both forms.
fn default_addresses(spec: &mut Object) {
    if let (false, true) = (text(spec, "clusterIP").is_empty(), get_array(spec, "clusterIPs").is_empty()) {
        let address = text(spec, "clusterIP").to_owned();
        set(spec, "clusterIPs", json!([address]));
    }
    if let (true, Some(first)) = (text(spec, "clusterIP").is_empty(), get_array(spec, "clusterIPs").first().cloned()) {
        set(spec, "clusterIP", first);
    }
    if get_array(spec, "ipFamilies").is_empty() {
        let family = if text(spec, "clusterIP").contains(':') { "IPv6" } else { "IPv4" };
        set(spec, "ipFamilies", json!([family]));
    }
    set_default(spec, "ipFamilyPolicy", "SingleStack");
}

fn needs_address(service: &Object) -> bool {
    ["ClusterIP", "NodePort", "LoadBalancer"].contains(&text(service, "spec.type"))
}

fn needs_node_ports(service: &Object) -> bool {
    ["NodePort", "LoadBalancer"].contains(&text(service, "spec.type"))
}

/// An update that leaves out what the server chose keeps it.
fn keep_allocated(object: &mut Object, old: &Object) {
    if needs_address(object) && needs_address(old) && text(object, "spec.clusterIP").is_empty() {
        for field in ["spec.clusterIP", "spec.clusterIPs"] {
            if let Some(value) = get(old, field).cloned() {
                set(object, field, value);
            }
        }
    }
    if needs_node_ports(object) && needs_node_ports(old) {
        let taken: Vec<i64> = items(object, "spec.ports").map(|port| number(port, "nodePort")).collect();
        for port in items_mut(object, "spec.ports").filter(|port| number(port, "nodePort") == 0) {
            let before = items(old, "spec.ports").find(|before| {
                text(before, "name") == text(port, "name") && number(before, "port") == number(port, "port")
            });
            let before = before.map_or(0, |before| number(before, "nodePort"));
            if before != 0 && !taken.contains(&before) {
                set(port, "nodePort", before);
            }
        }
    }
}

/// A changed type clears what only the former type needed, unless the client set it anew.
fn drop_what_the_type_lost(object: &mut Object, old: &Object) {
    if needs_address(old) && !needs_address(object) && text(object, "spec.clusterIP") == text(old, "spec.clusterIP") {
        let spec = object_at(object, "spec");
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] {
            spec.shift_remove(field);
        }
    }
    if needs_node_ports(old) && !needs_node_ports(object) {
        let before: Vec<i64> = items(old, "spec.ports").map(|port| number(port, "nodePort")).collect();
        for port in items_mut(object, "spec.ports").filter(|port| before.contains(&number(port, "nodePort"))) {
            port.shift_remove("nodePort");
        }
        let spec = object_at(object, "spec");
        if get_array(spec, "externalIPs").is_empty() {
            spec.shift_remove("externalTrafficPolicy");
        }
        spec.shift_remove("allocateLoadBalancerNodePorts");
        spec.shift_remove("healthCheckNodePort");
    }
}

fn external_addresses(service: &Object) -> String {
    let mut addresses: Vec<&str> = Vec::new();
    match text(service, "spec.type") {
        "ExternalName" => return text(service, "spec.externalName").to_owned(),
        "LoadBalancer" => addresses.extend(items(service, "status.loadBalancer.ingress").map(|ingress| {
            let address = text(ingress, "ip");
            if address.is_empty() { text(ingress, "hostname") } else { address }
        })),
        _ => {}
    }
    addresses.extend(get_array(service, "spec.externalIPs").iter().filter_map(Value::as_str));
    match addresses.is_empty() {
        true if text(service, "spec.type") == "LoadBalancer" => "<pending>".to_owned(),
        true => "<none>".to_owned(),
        false => addresses.join(","),
    }
}

fn ports(service: &Object) -> String {
    let ports: Vec<String> = items(service, "spec.ports")
        .map(|port| match number(port, "nodePort") {
            0 => format!("{}/{}", number(port, "port"), text(port, "protocol")),
            node_port => format!("{}:{node_port}/{}", number(port, "port"), text(port, "protocol")),
        })
        .collect();
    ports.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Writer;

    fn service(spec: Value) -> Object {
        let mut object = Object::from_iter([("spec".to_owned(), spec)]);
        ServiceRules.default(&mut object);
        object
    }

    fn context() -> WriteContext<'static> {
        WriteContext { now: Timestamp::UNIX_EPOCH, writer: Writer::named("") }
    }

    #[test]
    fn defaults_fill_type_ports_and_families() {
        assert_eq!(
            Value::Object(service(json!({"ports": [{"port": 80}], "clusterIP": "10.96.0.1"}))),
            json!({"spec": {
                "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
                "clusterIP": "10.96.0.1",
                "sessionAffinity": "None",
                "type": "ClusterIP",
                "internalTrafficPolicy": "Cluster",
                "clusterIPs": ["10.96.0.1"],
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
            }})
        );
    }

    #[test]
    fn an_update_keeps_what_was_allocated_and_drops_what_the_type_lost() {
        let old = service(json!({
            "type": "NodePort",
            "clusterIP": "10.96.0.9",
            "ports": [{"port": 80, "nodePort": 30080}],
        }));
        let mut same = service(json!({"type": "NodePort", "ports": [{"port": 80}]}));
        ServiceRules.prepare_update(&mut same, &old, &context());
        assert_eq!(text(&same, "spec.clusterIP"), "10.96.0.9");
        assert_eq!(number(items(&same, "spec.ports").next().unwrap(), "nodePort"), 30080);
        let mut inner = old.clone();
        set(&mut inner, "spec.type", "ClusterIP");
        ServiceRules.prepare_update(&mut inner, &old, &context());
        assert_eq!(ports(&inner), "80/TCP");
        assert_eq!(get(&inner, "spec.externalTrafficPolicy"), None);
    }

    #[test]
    fn the_row_shows_addresses_and_ports() {
        let object = service(json!({
            "type": "NodePort",
            "clusterIP": "10.96.0.9",
            "ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}],
            "selector": {"b": "2", "a": "1"},
        }));
        let row = ServiceRules.row(&object, Timestamp::UNIX_EPOCH);
        assert_eq!(
            Value::from(row),
            json!(["", "NodePort", "10.96.0.9", "<none>", "80:30080/TCP,53/UDP", "<unknown>", "a=1,b=2"])
        );
        assert_eq!(external_addresses(&service(json!({"type": "LoadBalancer"}))), "<pending>");
    }
}
