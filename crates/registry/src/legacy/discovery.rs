//! discovery.k8s.io/v1beta1: where an endpoint is stands in a map.

use serde_json::Value;

use crate::discovery::endpoint_slice::ENDPOINT_SLICE;
use crate::fields::{get_str, items_mut};
use crate::kind::{Conversion, Kind, Object};

pub static ENDPOINT_SLICE_V1BETA1: Kind =
    Kind::served_as("discovery.k8s.io", "v1beta1", &Conversion::between(&ENDPOINT_SLICE, to_storage, out_of_storage))
        .deprecated(21, 25, "discovery.k8s.io/v1 EndpointSlice");

const ZONE: &str = "topology.kubernetes.io/zone";
const HOSTNAME: &str = "kubernetes.io/hostname";

fn to_storage(slice: &mut Object) {
    for endpoint in items_mut(slice, "endpoints") {
        let Some(Value::Object(mut topology)) = endpoint.shift_remove("topology") else { continue };
        if let Some(zone) = topology.shift_remove(ZONE) {
            endpoint.insert("zone".to_owned(), zone);
        }
        let hostname = topology.get(HOSTNAME).cloned();
        if let Some(hostname) = hostname {
            let node = endpoint.entry("nodeName").or_insert_with(|| hostname.clone());
            if *node == hostname {
                topology.shift_remove(HOSTNAME);
            }
        }
        if !topology.is_empty() {
            endpoint.insert("deprecatedTopology".to_owned(), Value::Object(topology));
        }
    }
}

fn out_of_storage(slice: &mut Object) {
    for endpoint in items_mut(slice, "endpoints") {
        let mut topology = match endpoint.shift_remove("deprecatedTopology") {
            Some(Value::Object(topology)) => topology,
            _ => Object::new(),
        };
        if let Some(zone) = endpoint.shift_remove("zone") {
            topology.insert(ZONE.to_owned(), zone);
        }
        // A name of its own that the map has for the host stays.
        if let Some(node) = get_str(endpoint, "nodeName").filter(|_| !is_named(&topology)) {
            topology.insert(HOSTNAME.to_owned(), Value::from(node));
        }
        if !topology.is_empty() {
            endpoint.insert("topology".to_owned(), Value::Object(topology));
        }
    }
}

fn is_named(topology: &Object) -> bool {
    // The key has dots: it is no path.
    topology.get(HOSTNAME).and_then(Value::as_str).is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::legacy::testing::{rested, shown};

    #[test]
    fn zone_and_node_leave_the_map_and_return() {
        let slice =
            |endpoint: Value| json!({"metadata": {"name": "a"}, "addressType": "IPv4", "endpoints": [endpoint]});
        for (old, new, back) in [
            (
                json!({"topology": {ZONE: "z", HOSTNAME: "n", "x": "y"}}),
                json!({"zone": "z", "nodeName": "n", "deprecatedTopology": {"x": "y"}}),
                json!({"nodeName": "n", "topology": {ZONE: "z", HOSTNAME: "n", "x": "y"}}),
            ),
            (
                json!({"nodeName": "m", "topology": {HOSTNAME: "n"}}),
                json!({"nodeName": "m", "deprecatedTopology": {HOSTNAME: "n"}}),
                json!({"nodeName": "m", "topology": {HOSTNAME: "n"}}),
            ),
            (json!({"nodeName": "m"}), json!({"nodeName": "m"}), json!({"nodeName": "m", "topology": {HOSTNAME: "m"}})),
        ] {
            let at_rest = rested(&ENDPOINT_SLICE_V1BETA1, slice(old));
            assert_eq!(at_rest["endpoints"][0], new);
            assert_eq!(shown(&ENDPOINT_SLICE_V1BETA1, at_rest)["endpoints"][0], back);
        }
    }
}
