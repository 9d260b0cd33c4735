//! networking.k8s.io `IPAddress`: an address in use, named by itself.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, check_named, get_object, invalid_all, join, text};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names::{self, NameRule};

pub static IP_ADDRESS: Kind = Kind {
    group: "networking.k8s.io",
    kind: "IPAddress",
    plural: "ipaddresses",
    singular: "ipaddress",
    short_names: &["ip"],
    rules: &IpAddressRules,
    ..Kind::CLUSTER
};

struct IpAddressRules;

impl Rules for IpAddressRules {
    fn name_rule(&self) -> NameRule {
        NameRule::IpAddress
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(old) = old {
            check_immutable(object, old, "spec.parentRef", &mut faults);
            return faults;
        }
        let path = "spec.parentRef";
        let Some(parent) = get_object(object, path) else {
            faults.push(FieldError::required(path, ""));
            return faults;
        };
        // The core group is the empty text, so a group cannot be demanded.
        match text(parent, "group") {
            "" => {}
            group => invalid_all(&join(path, "group"), group, names::dns_subdomain(group), &mut faults),
        }
        check_named(parent, "resource", names::path_segment, path, &mut faults);
        check_named(parent, "name", names::path_segment, path, &mut faults);
        let namespace = text(parent, "namespace");
        invalid_all(&join(path, "namespace"), namespace, names::path_segment(namespace), &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("ParentRef", "string", "ParentRef references the resource that an IPAddress is attached to."),
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        let parent = get_object(object, "spec.parentRef");
        vec![columns::name(object), Value::from(parent.map_or("<none>".to_owned(), describe))]
    }
}

/// `services/kube-system/kube-dns`.
fn describe(parent: &Object) -> String {
    let (group, resource) = (text(parent, "group"), text(parent, "resource"));
    let resource = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let parts = [resource.to_lowercase(), text(parent, "namespace").to_owned(), text(parent, "name").to_owned()];
    let [_, namespace, _] = &parts;
    match namespace.is_empty() {
        true => format!("{}/{}", parts[0], parts[2]),
        false => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update, row};

    fn address(parent: Value) -> Value {
        json!({"metadata": {"name": "10.96.0.10"}, "spec": {"parentRef": parent}})
    }

    #[test]
    fn an_address_has_an_owner_for_ever() {
        let kind = &IP_ADDRESS;
        let owner = json!({"resource": "services", "namespace": "kube-system", "name": "kube-dns"});
        check(kind, address(owner.clone()), &[]);
        check(kind, json!({"spec": {}}), &["spec.parentRef: Required value"]);
        check(
            kind,
            address(json!({"resource": "a/b", "group": "x"})),
            &[
                r#"spec.parentRef.resource: Invalid value: "a/b": may not contain '/'"#,
                "spec.parentRef.name: Required value",
            ],
        );
        check_update(
            kind,
            address(json!({"resource": "services", "name": "x"})),
            address(owner.clone()),
            &[r#"spec.parentRef: Invalid value: {"resource":"services","name":"x"}: field is immutable"#],
        );
        assert_eq!(row(kind, address(owner)), "Name=10.96.0.10 ParentRef=services/kube-system/kube-dns");
        let gateway = json!({"group": "gateway.networking.k8s.io", "resource": "Gateways", "name": "g"});
        assert_eq!(row(kind, address(gateway)), "Name=10.96.0.10 ParentRef=gateways.gateway.networking.k8s.io/g");
        assert_eq!(row(kind, address(Value::Null)), "Name=10.96.0.10 ParentRef=<none>");
    }
}
