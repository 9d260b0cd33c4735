//! The object that each address in use has: an `IPAddress` named by it, which leads to its Service.
//!
//! It is written and removed with the Service, in one transaction. Whoever makes one by hand takes the address off the
//! range; whoever removes one of a Service sees it come back.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use futures::future::try_join_all;
use registry::{Kind, Object};
use serde_json::{Value, json};
use store::{Expect, Operation, StoreError};

use crate::mirror::Fold;
use crate::server::ApiServer;
use crate::status::ApiError;
use crate::storage::{encode, key};
use crate::{kinds, metadata};

pub(super) const PREFIX: &str = "/registry/networking.k8s.io/ipaddresses/";

const FAMILY_LABEL: &str = "ipaddress.kubernetes.io/ip-family";
const MANAGER_LABEL: &str = "ipaddress.kubernetes.io/managed-by";
const MANAGER: &str = "ipallocator.k8s.io";

/// What happens with a write of a Service: addresses that it gains and loses get and lose their objects. Nothing for
/// other kinds.
pub(crate) fn beside(server: &ApiServer, kind: &Kind, old: Option<&Object>, new: Option<&Object>) -> Vec<Operation> {
    if (kind.group, kind.plural) != ("", "services") {
        return Vec::new();
    }
    let before = old.map(super::addresses).unwrap_or_default();
    let after = new.map(super::addresses).unwrap_or_default();
    let lost = before.iter().filter(|address| !after.contains(address));
    let mut operations: Vec<Operation> =
        lost.map(|address| Operation::delete(format!("{PREFIX}{address}"), Expect::Anything)).collect();
    if let Some(service) = new {
        let gained = after.iter().filter(|address| !before.contains(address));
        operations.extend(
            gained.map(|address| made(server, *address, metadata::namespace(service), metadata::name(service))),
        );
    }
    operations
}

fn made(server: &ApiServer, address: Ipv4Addr, namespace: &str, name: &str) -> Operation {
    let kind = kinds::required("networking.k8s.io", "v1", "ipaddresses");
    let mut object = Object::from_iter([
        (
            "metadata".to_owned(),
            json!({"name": address.to_string(), "labels": {FAMILY_LABEL: "IPv4", MANAGER_LABEL: MANAGER}}),
        ),
        (
            "spec".to_owned(),
            json!({"parentRef": {"group": "", "resource": "services", "namespace": namespace, "name": name}}),
        ),
    ]);
    metadata::prepare_create(kind, &mut object, &server.ambient);
    Operation::put(key(kind, "", &address.to_string()), encode(kind, &object), Expect::Absent)
}

/// Brings addresses and Services together again: after a start, and after somebody removed an address.
pub(crate) async fn repair(server: &ApiServer) -> Result<(), ApiError> {
    server.services.catch_up().await?;
    let Repair { missing, stray } = server.services.repair();
    let kind = kinds::required("networking.k8s.io", "v1", "ipaddresses");
    let made = missing.iter().filter_map(|(address, owner)| {
        let (namespace, name) = owner.split_once('/')?;
        Some(made(server, *address, namespace, name))
    });
    let gone = stray.iter().map(|address| Operation::delete(key(kind, "", &address.to_string()), Expect::Anything));
    let writes = made.chain(gone).map(|operation| async {
        match server.storage.change(operation).await {
            // Whoever was faster has done it, or has taken the address.
            Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(ApiError::from(error)),
        }
    });
    try_join_all(writes).await.map(|_| ())
}

/// An object of the kind is gone: an address that a Service still has comes back.
pub(crate) async fn after_removal(server: &ApiServer, kind: &Kind) -> Result<(), ApiError> {
    match (kind.group, kind.plural) {
        ("networking.k8s.io", "ipaddresses") => Box::pin(repair(server)).await,
        _ => Ok(()),
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Repair {
    /// Addresses of Services that have no object, with their owners.
    missing: Vec<(Ipv4Addr, String)>,
    /// Objects of ours that lead to no Service with their address.
    stray: Vec<Ipv4Addr>,
}

/// Holders by address, and the objects there are.
pub(super) fn plan(held: &HashMap<Ipv4Addr, String>, known: &Known) -> Repair {
    let missing = held.iter().filter(|(address, _)| !known.0.contains_key(address));
    let mut missing: Vec<(Ipv4Addr, String)> = missing.map(|(address, owner)| (*address, owner.clone())).collect();
    let is_stray = |address: &Ipv4Addr, parent: &Parent| parent.is_ours && held.get(address) != parent.service.as_ref();
    let stray = known.0.iter().filter(|(address, parent)| is_stray(address, parent));
    let mut stray: Vec<Ipv4Addr> = stray.map(|(address, _)| *address).collect();
    missing.sort_unstable();
    stray.sort_unstable();
    Repair { missing, stray }
}

/// The address objects there are.
#[derive(Default)]
pub(super) struct Known(HashMap<Ipv4Addr, Parent>);

struct Parent {
    /// `namespace/name`, where it is a Service.
    service: Option<String>,
    /// Whether this allocator made the object.
    is_ours: bool,
}

impl Known {
    /// Whether the address is set aside for somebody else.
    pub(super) fn is_taken_from(&self, owner: &str, address: Ipv4Addr) -> bool {
        self.0.get(&address).is_some_and(|parent| parent.service.as_deref() != Some(owner))
    }
}

impl Fold for Known {
    fn put(&mut self, key: &str, value: &[u8]) {
        let Some(Ok(address)) = key.strip_prefix(PREFIX).map(str::parse) else { return };
        let object: Value = match serde_json::from_slice(value) {
            Ok(object) => object,
            Err(error) => {
                tracing::warn!(key, %error, "a stored IPAddress does not parse");
                return;
            }
        };
        let parent = &object["spec"]["parentRef"];
        let text = |field: &str| parent[field].as_str().unwrap_or("");
        let is_service = text("group").is_empty() && text("resource") == "services";
        let service = is_service.then(|| format!("{}/{}", text("namespace"), text("name")));
        let is_ours = object["metadata"]["labels"][MANAGER_LABEL] == MANAGER;
        self.0.insert(address, Parent { service, is_ours });
    }

    fn delete(&mut self, key: &str) {
        if let Some(Ok(address)) = key.strip_prefix(PREFIX).map(str::parse::<Ipv4Addr>) {
            self.0.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 96, 0, last)
    }

    #[test]
    fn what_a_service_lacks_is_made_and_what_leads_nowhere_goes() {
        let held = HashMap::from([(address(1), "default/kubernetes".to_owned()), (address(2), "a/b".to_owned())]);
        let mut known = Known::default();
        let object = |service: &str, labels: Value| json!({"metadata": {"labels": labels}, "spec": {"parentRef": {"resource": "services", "namespace": "a", "name": service}}});
        let ours = json!({MANAGER_LABEL: MANAGER});
        known.put(&format!("{PREFIX}10.96.0.2"), object("b", ours.clone()).to_string().as_bytes());
        known.put(&format!("{PREFIX}10.96.0.3"), object("gone", ours.clone()).to_string().as_bytes());
        // Made by hand: nobody else's to judge.
        known.put(&format!("{PREFIX}10.96.0.4"), object("c", json!({})).to_string().as_bytes());
        known.put(&format!("{PREFIX}fd00::1"), object("d", ours).to_string().as_bytes());
        let expected = Repair { missing: vec![(address(1), "default/kubernetes".to_owned())], stray: vec![address(3)] };
        assert_eq!(plan(&held, &known), expected);
        assert!(known.is_taken_from("a/x", address(4)) && !known.is_taken_from("a/b", address(2)));
        known.delete(&format!("{PREFIX}10.96.0.3"));
        assert!(plan(&held, &known).stray.is_empty());
    }
}
