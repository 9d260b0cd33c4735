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
