//! Endpoints.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_choice, check_range, get_array, get_str, invalid_all, items, items_mut, number, set_default, text,
};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static ENDPOINTS: Kind = Kind {
    kind: "Endpoints",
    plural: "endpoints",
    singular: "endpoints",
    short_names: &["ep"],
    rules: &EndpointsRules,
    ..Kind::NAMESPACED
}
.discouraged(33, "discovery.k8s.io/v1 EndpointSlice");

struct EndpointsRules;

/// How many addresses a table's cell shows.
const SHOWN: usize = 3;

impl Rules for EndpointsRules {
    fn default(&self, object: &mut Object) {
        for subset in items_mut(object, "subsets") {
            for port in items_mut(subset, "ports") {
                set_default(port, "protocol", "TCP");
            }
        }
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        for (at, subset) in items(object, "subsets").enumerate() {
            let path = format!("subsets[{at}]");
            if get_array(subset, "addresses").is_empty() && get_array(subset, "notReadyAddresses").is_empty() {
                let detail = "must specify `addresses` or `notReadyAddresses`";
                faults.push(FieldError::required(path.as_str(), detail));
            }
            for list in ["addresses", "notReadyAddresses"] {
                for (at, address) in items(subset, list).enumerate() {
                    let (ip, path) = (text(address, "ip"), format!("{path}.{list}[{at}]"));
                    invalid_all(&format!("{path}.ip"), ip, names::endpoint_address(ip), &mut faults);
                    for (field, rule) in
                        [("hostname", names::dns_label as fn(&str) -> Vec<String>), ("nodeName", names::dns_subdomain)]
                    {
                        if let Some(name) = get_str(address, field).filter(|name| !name.is_empty()) {
                            invalid_all(&format!("{path}.{field}"), name, rule(name), &mut faults);
                        }
                    }
                }
            }
            let ports_need_names = get_array(subset, "ports").len() > 1;
            for (at, port) in items(subset, "ports").enumerate() {
                let path = format!("{path}.ports[{at}]");
                match text(port, "name") {
                    "" if ports_need_names => faults.push(FieldError::required(format!("{path}.name"), "")),
                    "" => {}
                    name => invalid_all(&format!("{path}.name"), name, names::dns_label(name), &mut faults),
                }
                check_range(port, "port", 1..=65535, &path, &mut faults);
                check_choice(port, "protocol", &["SCTP", "TCP", "UDP"], &path, &mut faults);
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] =
            &[NAME, column("Endpoints", "string", "Addresses and ports that back the service."), AGE];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), Value::from(endpoints(object)), columns::age(object, now)]
    }

    fn creates_on_update(&self) -> bool {
        true
    }
}

fn endpoints(object: &Object) -> String {
    if get_array(object, "subsets").is_empty() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for subset in items(object, "subsets") {
        let addresses: Vec<&str> = items(subset, "addresses").map(|address| text(address, "ip")).collect();
        if get_array(subset, "ports").is_empty() {
            all.extend(addresses.iter().map(|address| (*address).to_owned()));
        }
        for port in items(subset, "ports") {
            all.extend(addresses.iter().map(|address| host_and_port(address, number(port, "port"))));
        }
    }
    shorten(&all)
}

/// The first few, and how many more there are.
pub(crate) fn shorten(all: &[String]) -> String {
    let shown = all[..all.len().min(SHOWN)].join(",");
    if all.len() > SHOWN { format!("{shown} + {} more...", all.len() - SHOWN) } else { shown }
}

fn host_and_port(address: &str, port: i64) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_shows_three() {
        let Value::Object(object) = json!({"subsets": [{
            "addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}],
            "ports": [{"port": 80}, {"port": 443}],
        }]}) else {
            panic!("an object")
        };
        assert_eq!(endpoints(&object), "10.0.0.1:80,10.0.0.2:80,10.0.0.1:443 + 1 more...");
        assert_eq!(endpoints(&Object::new()), "<none>");
    }
}
