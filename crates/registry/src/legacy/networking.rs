//! Ingresses before networking.k8s.io/v1: a backend names its service and port side by side. And network policies
//! in the group they come from.

use serde_json::{Value, json};

use super::in_old_group;
use crate::fields::{get, items_mut, object_mut, set_default};
use crate::kind::{Conversion, Kind, Object};
use crate::networking::ingress::INGRESS;
use crate::networking::ingress_class::INGRESS_CLASS;
use crate::networking::ip_address::IP_ADDRESS;
use crate::networking::network_policy::NETWORK_POLICY;
use crate::networking::service_cidr::SERVICE_CIDR;

pub static INGRESS_V1BETA1: Kind =
    Kind::served_as("networking.k8s.io", "v1beta1", &OLD_INGRESS).deprecated(19, 22, "networking.k8s.io/v1 Ingress");
pub static EXTENSIONS_INGRESS: Kind = in_old_group(Kind::served_as("extensions", "v1beta1", &OLD_INGRESS).deprecated(
    14,
    22,
    "networking.k8s.io/v1 Ingress",
));
// Upstream names the list here.
pub static INGRESS_CLASS_V1BETA1: Kind = Kind::served_as(
    "networking.k8s.io",
    "v1beta1",
    &Conversion::same_as(&INGRESS_CLASS),
)
.deprecated(19, 22, "networking.k8s.io/v1 IngressClassList");
pub static IP_ADDRESS_V1BETA1: Kind =
    Kind::served_as("networking.k8s.io", "v1beta1", &Conversion::same_as(&IP_ADDRESS)).deprecated(34, 37, "");
pub static SERVICE_CIDR_V1BETA1: Kind =
    Kind::served_as("networking.k8s.io", "v1beta1", &Conversion::same_as(&SERVICE_CIDR)).deprecated(34, 37, "");
pub static EXTENSIONS_NETWORK_POLICY: Kind =
    in_old_group(Kind::served_as("extensions", "v1beta1", &Conversion::same_as(&NETWORK_POLICY)).deprecated(
        9,
        16,
        "networking.k8s.io/v1 NetworkPolicy",
    ));

static OLD_INGRESS: Conversion = Conversion { default, ..Conversion::between(&INGRESS, to_storage, out_of_storage) };

fn default(ingress: &mut Object) {
    for rule in items_mut(ingress, "spec.rules") {
        for route in items_mut(rule, "http.paths") {
            set_default(route, "pathType", "ImplementationSpecific");
        }
    }
}

fn to_storage(ingress: &mut Object) {
    if let Some(spec) = object_mut(ingress, "spec") {
        rename(spec, "backend", "defaultBackend");
    }
    each_backend(ingress, "defaultBackend", backend_to_v1);
}

fn out_of_storage(ingress: &mut Object) {
    if let Some(spec) = object_mut(ingress, "spec") {
        rename(spec, "defaultBackend", "backend");
    }
    each_backend(ingress, "backend", backend_from_v1);
}

fn rename(spec: &mut Object, old: &str, new: &str) {
    if let Some(value) = spec.shift_remove(old) {
        spec.insert(new.to_owned(), value);
    }
}

/// `default` is the field of the one that serves what no rule takes.
fn each_backend(ingress: &mut Object, default: &str, change: fn(&mut Object)) {
    let Some(spec) = object_mut(ingress, "spec") else { return };
    if let Some(backend) = object_mut(spec, default) {
        change(backend);
    }
    for rule in items_mut(spec, "rules") {
        for route in items_mut(rule, "http.paths") {
            if let Some(backend) = object_mut(route, "backend") {
                change(backend);
            }
        }
    }
}

fn backend_to_v1(backend: &mut Object) {
    let name = backend.shift_remove("serviceName").unwrap_or_else(|| json!(""));
    let port = match backend.shift_remove("servicePort") {
        Some(Value::String(name)) if !name.is_empty() => json!({ "name": name }),
        Some(Value::Number(number)) if number.as_i64() != Some(0) => json!({ "number": number }),
        _ => json!({}),
    };
    if name == "" && port == json!({}) {
        return;
    }
    backend.insert("service".to_owned(), json!({ "name": name, "port": port }));
}

fn backend_from_v1(backend: &mut Object) {
    // Go always writes the port.
    let mut port = json!(0);
    if let Some(Value::Object(service)) = backend.shift_remove("service") {
        if let Some(name) = get(&service, "name").filter(|name| *name != "") {
            backend.insert("serviceName".to_owned(), name.clone());
        }
        port = match (get(&service, "port.name"), get(&service, "port.number")) {
            (Some(name), _) if name != "" => name.clone(),
            (_, Some(number)) => number.clone(),
            _ => json!(0),
        };
    }
    backend.insert("servicePort".to_owned(), port);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy::testing::{rested, shown};

    #[test]
    fn a_backend_names_service_and_port_side_by_side() {
        let route = |path: &str, backend: Value| json!({"path": path, "backend": backend});
        let old = json!({"metadata": {"name": "a"}, "spec": {
            "backend": {"serviceName": "all", "servicePort": 80},
            "rules": [{"host": "x", "http": {"paths": [
                route("/a", json!({"serviceName": "a", "servicePort": "http"})),
                route("/b", json!({"resource": {"kind": "Bucket", "name": "b"}, "servicePort": 0})),
            ]}}],
        }});
        let at_rest = rested(&EXTENSIONS_INGRESS, old.clone());
        assert_eq!(
            at_rest["spec"],
            json!({
                "rules": [{"host": "x", "http": {"paths": [
                    {"path": "/a", "backend": {"service": {"name": "a", "port": {"name": "http"}}},
                     "pathType": "ImplementationSpecific"},
                    {"path": "/b", "backend": {"resource": {"kind": "Bucket", "name": "b"}},
                     "pathType": "ImplementationSpecific"},
                ]}}],
                "defaultBackend": {"service": {"name": "all", "port": {"number": 80}}},
            })
        );
        let shown = shown(&INGRESS_V1BETA1, at_rest);
        assert_eq!(shown["spec"]["backend"], old["spec"]["backend"]);
        for at in 0..2 {
            let backend = |object: &Value| object["spec"]["rules"][0]["http"]["paths"][at]["backend"].clone();
            assert_eq!(backend(&shown), backend(&old));
        }
    }
}
