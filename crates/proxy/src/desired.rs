//! From all services and slices to the one table; what did not change is not written again.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::Service;
use api::k8s::api::discovery::v1::EndpointSlice;
use netlink::nftables::Ruleset;

use crate::rules::{self, Fragment};
use crate::service_port;
use crate::stale::Datagrams;

const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// Remembers each service's part of the table with what it was made of.
#[derive(Debug, Default)]
pub(crate) struct Desired {
    services: BTreeMap<NamespacedName, Entry>,
}

#[derive(Debug)]
struct Entry {
    service: Arc<Service>,
    slices: Vec<Arc<EndpointSlice>>,
    fragment: Fragment,
    datagrams: Datagrams,
}

impl Desired {
    /// Takes over the present objects.
    pub(crate) fn update(&mut self, services: Vec<Arc<Service>>, slices: Vec<Arc<EndpointSlice>>, node_name: &str) {
        let mut by_service = grouped(slices);
        let mut before = std::mem::take(&mut self.services);
        for service in services {
            let key = NamespacedName::of(&service.metadata);
            let slices = by_service.remove(&key).unwrap_or_default();
            let entry = match before.remove(&key) {
                Some(entry) if entry.is_made_of(&service, &slices) => entry,
                _ => Entry::new(service, slices, node_name),
            };
            self.services.insert(key, entry);
        }
    }

    pub(crate) fn ruleset(&self) -> Ruleset {
        rules::assemble(self.services.values().map(|entry| &entry.fragment))
    }

    /// Where connectionless traffic goes.
    pub(crate) fn datagrams(&self) -> Datagrams {
        let mut all = Datagrams::default();
        for entry in self.services.values() {
            all.extend(&entry.datagrams);
        }
        all
    }
}

impl Entry {
    fn new(service: Arc<Service>, slices: Vec<Arc<EndpointSlice>>, node_name: &str) -> Self {
        let ports = service_port::ports(&service, &slices, node_name);
        Entry { fragment: rules::fragment(&ports), datagrams: Datagrams::of(&ports), service, slices }
    }

    fn is_made_of(&self, service: &Arc<Service>, slices: &[Arc<EndpointSlice>]) -> bool {
        Arc::ptr_eq(&self.service, service)
            && self.slices.len() == slices.len()
            && self.slices.iter().zip(slices).all(|(one, two)| Arc::ptr_eq(one, two))
    }
}

fn grouped(slices: Vec<Arc<EndpointSlice>>) -> BTreeMap<NamespacedName, Vec<Arc<EndpointSlice>>> {
    let mut by_service: BTreeMap<NamespacedName, Vec<Arc<EndpointSlice>>> = BTreeMap::new();
    for slice in slices {
        let labels = slice.metadata.labels.as_ref();
        let Some(name) = labels.and_then(|labels| labels.get(SERVICE_NAME_LABEL)) else { continue };
        let key = NamespacedName::new(slice.metadata.namespace.clone().unwrap_or_default(), name);
        by_service.entry(key).or_default().push(slice);
    }
    by_service
}
