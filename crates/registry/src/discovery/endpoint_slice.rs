//! discovery.k8s.io `EndpointSlice`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::core::endpoints::shorten;
use crate::error::FieldError;
use crate::fields::{
    check_immutable, check_range, get, get_array, get_i64, get_str, invalid_all, items, items_mut, join, set_default,
    text,
};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static ENDPOINT_SLICE: Kind = Kind {
    group: "discovery.k8s.io",
    kind: "EndpointSlice",
    plural: "endpointslices",
    singular: "endpointslice",
    rules: &EndpointSliceRules,
    ..Kind::NAMESPACED
};

struct EndpointSliceRules;

const MAX_ENDPOINTS: usize = 1000;
const MAX_PORTS: usize = 20_000;
const MAX_ADDRESSES: usize = 100;

impl Rules for EndpointSliceRules {
    fn default(&self, object: &mut Object) {
        for port in items_mut(object, "ports") {
            set_default(port, "name", "");
            set_default(port, "protocol", "TCP");
        }
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let family = text(object, "addressType");
        match family {
            "" => faults.push(FieldError::required("addressType", "")),
            "IPv4" | "IPv6" | "FQDN" => {}
            other => faults.push(FieldError::not_supported("addressType", other, &["FQDN", "IPv4", "IPv6"])),
        }
        for (list, limit) in [("endpoints", MAX_ENDPOINTS), ("ports", MAX_PORTS)] {
            let count = get_array(object, list).len();
            if count > limit {
                faults.push(FieldError::too_many(list, count, limit));
            }
        }
        for (at, endpoint) in items(object, "endpoints").enumerate() {
            let path = format!("endpoints[{at}]");
            validate_addresses(endpoint, family, &join(&path, "addresses"), &mut faults);
            for (field, rule) in
                [("nodeName", names::dns_subdomain as fn(&str) -> Vec<String>), ("hostname", names::dns_label)]
            {
                if let Some(name) = get_str(endpoint, field) {
                    invalid_all(&join(&path, field), name, rule(name), &mut faults);
                }
            }
        }
        let mut seen = BTreeSet::new();
        for (at, port) in items(object, "ports").enumerate() {
            let path = format!("ports[{at}]");
            let name = text(port, "name");
            if !name.is_empty() {
                invalid_all(&join(&path, "name"), name, names::dns_label(name), &mut faults);
            }
            if !seen.insert(name) {
                faults.push(FieldError::duplicate(join(&path, "name"), name));
            }
            check_range(port, "port", 1..=65535, &path, &mut faults);
            if !["TCP", "UDP", "SCTP"].contains(&text(port, "protocol")) {
                let supported = ["SCTP", "TCP", "UDP"];
                faults.push(FieldError::not_supported(format!("{path}.protocol"), text(port, "protocol"), &supported));
            }
        }
        if let Some(old) = old {
            check_immutable(object, old, "addressType", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("AddressType", "string", "addressType specifies the type of address carried by this EndpointSlice."),
            column("Ports", "string", "ports specifies the list of network ports exposed by each endpoint."),
            column("Endpoints", "string", "endpoints is a list of unique endpoints in this slice."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let ports = items(object, "ports").map(|port| match get_i64(port, "port") {
            Some(number) => number.to_string(),
            None => "*".to_owned(),
        });
        let addresses = items(object, "endpoints")
            .flat_map(|endpoint| get_array(endpoint, "addresses").iter().filter_map(Value::as_str).map(str::to_owned));
        vec![
            columns::name(object),
            Value::from(text(object, "addressType")),
            some_or_unset(ports.collect()),
            some_or_unset(addresses.collect()),
            columns::age(object, now),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    /// The whole object is intent, its labels too.
    fn bumps_generation(&self, object: &Object, old: &Object) -> bool {
        ["endpoints", "ports", "addressType", "metadata.labels"].iter().any(|path| get(object, path) != get(old, path))
    }
}

fn validate_addresses(endpoint: &Object, family: &str, path: &str, faults: &mut Vec<FieldError>) {
    let addresses = get_array(endpoint, "addresses");
    if addresses.is_empty() {
        faults.push(FieldError::required(path, "must contain at least 1 address"));
    } else if addresses.len() > MAX_ADDRESSES {
        faults.push(FieldError::too_many(path, addresses.len(), MAX_ADDRESSES));
    }
    for (at, address) in addresses.iter().filter_map(Value::as_str).enumerate() {
        let path = format!("{path}[{at}]");
        match family {
            "IPv4" | "IPv6" => {
                let is_other = address.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4() != (family == "IPv4"));
                if is_other {
                    faults.push(FieldError::invalid(path.as_str(), address, format!("must be an {family} address")));
                }
                invalid_all(&path, address, names::endpoint_address(address), faults);
            }
            "FQDN" => invalid_all(&path, address, names::dns_subdomain(address), faults),
            _ => {}
        }
    }
}

fn some_or_unset(all: Vec<String>) -> Value {
    Value::from(if all.is_empty() { "<unset>".to_owned() } else { shorten(&all) })
}
