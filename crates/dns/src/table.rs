//! What the cluster's names lead to.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{Namespace, Service};
use api::k8s::api::discovery::v1::{Endpoint, EndpointSlice};
use hickory_proto::rr::Name;

const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// All names of one moment. Names are kept as the API has them: in lower case.
#[derive(Debug, Default)]
pub(crate) struct Table {
    namespaces: BTreeMap<String, BTreeMap<String, Arc<Entry>>>,
    /// Names, relative to the cluster's domain, of each address.
    reverse: BTreeMap<IpAddr, Vec<String>>,
    /// Grows with every version.
    pub(crate) serial: u32,
}

/// One service with what it was made of.
#[derive(Debug)]
pub(crate) struct Entry {
    service: Arc<Service>,
    slices: Vec<Arc<EndpointSlice>>,
    kind: Kind,
    endpoints: Vec<Host>,
}

#[derive(Debug)]
enum Kind {
    /// The service's own addresses, with each port.
    Addresses(Vec<Host>),
    Headless,
    Alias(Name),
}

/// An address behind a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// Relative to the cluster's domain, e.g. `web-0.web.default.svc`.
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    /// An endpoint may have an address and no ports.
    pub(crate) port: Option<Port>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    name: String,
    /// In lower case.
    protocol: String,
    pub(crate) number: u16,
}

/// What a name leads to.
#[derive(Debug, PartialEq)]
pub(crate) enum Found<'a> {
    /// No such name.
    Nothing,
    /// A name with other names below it, and nothing of its own.
    Empty,
    Hosts(Vec<&'a Host>),
    Alias(&'a Name),
    Pod(IpAddr),
}

impl Table {
    /// The next version. What did not change is taken over from this one.
    pub(crate) fn updated(
        &self,
        namespaces: &[Arc<Namespace>],
        services: Vec<Arc<Service>>,
        slices: Vec<Arc<EndpointSlice>>,
        serial: u32,
    ) -> Table {
        let mut slices = grouped(slices);
        let mut table = Table { serial: serial.max(self.serial.wrapping_add(1)), ..Table::default() };
        for namespace in namespaces {
            table.namespaces.entry(namespace.metadata.name.clone().unwrap_or_default()).or_default();
        }
        for service in services {
            let key = NamespacedName::of(&service.metadata);
            let slices = slices.remove(&key).unwrap_or_default();
            let present = self.namespaces.get(&key.namespace).and_then(|services| services.get(&key.name));
            let entry = match present {
                Some(entry) if entry.is_made_of(&service, &slices) => Arc::clone(entry),
                _ => Arc::new(Entry::new(&key, service, slices)),
            };
            entry.add_reverse(&mut table.reverse);
            table.namespaces.entry(key.namespace).or_default().insert(key.name, entry);
        }
        table
    }

    /// Looks up a name by its labels below the cluster's domain, in lower case, leftmost first.
    pub(crate) fn find(&self, labels: &[&str]) -> Found<'_> {
        match labels {
            [] | ["svc" | "pod"] => Found::Empty,
            [.., namespace, "svc" | "pod"] if !self.namespaces.contains_key(*namespace) => Found::Nothing,
            [_, "svc" | "pod"] => Found::Empty,
            [pod, _, "pod"] => dashed_address(pod).map_or(Found::Nothing, Found::Pod),
            [prefix @ .., service, namespace, "svc"] => self.find_service(prefix, service, namespace),
            _ => Found::Nothing,
        }
    }

    /// The names of an address, relative to the cluster's domain.
    pub(crate) fn names_of(&self, address: IpAddr) -> &[String] {
        self.reverse.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Before the service may stand an endpoint's name, or a port's and a protocol's.
    fn find_service(&self, prefix: &[&str], service: &str, namespace: &str) -> Found<'_> {
        let entry = self.namespaces.get(namespace).and_then(|services| services.get(service));
        let Some(entry) = entry else { return Found::Nothing };
        let hosts: Vec<&Host> = match (prefix, &entry.kind) {
            ([], Kind::Alias(target)) => return Found::Alias(target),
            (_, Kind::Alias(_)) => return Found::Nothing,
            ([endpoint], _) => {
                let named = |host: &&Host| host.name.split('.').next().is_some_and(|name| name == *endpoint);
                entry.endpoints.iter().filter(named).collect()
            }
            ([], _) => entry.hosts().iter().collect(),
            ([port, protocol], _) => {
                let (port, protocol) = (port.strip_prefix('_'), protocol.strip_prefix('_'));
                entry.hosts().iter().filter(|host| host.has(port, protocol)).collect()
            }
            _ => Vec::new(),
        };
        if hosts.is_empty() { Found::Nothing } else { Found::Hosts(hosts) }
    }
}

impl Entry {
    fn new(key: &NamespacedName, service: Arc<Service>, slices: Vec<Arc<EndpointSlice>>) -> Self {
        let domain = format!("{}.{}.svc", key.name, key.namespace);
        let endpoints = slices.iter().flat_map(|slice| slice_hosts(slice, &domain)).collect();
        Entry { kind: kind(&service, &domain), endpoints, service, slices }
    }

    fn is_made_of(&self, service: &Arc<Service>, slices: &[Arc<EndpointSlice>]) -> bool {
        Arc::ptr_eq(&self.service, service)
            && self.slices.len() == slices.len()
            && self.slices.iter().zip(slices).all(|(one, two)| Arc::ptr_eq(one, two))
    }

    fn hosts(&self) -> &[Host] {
        match &self.kind {
            Kind::Addresses(hosts) => hosts,
            Kind::Headless => &self.endpoints,
            Kind::Alias(_) => &[],
        }
    }

    fn add_reverse(&self, reverse: &mut BTreeMap<IpAddr, Vec<String>>) {
        for host in self.hosts().iter().chain(&self.endpoints) {
            let names = reverse.entry(host.address).or_default();
            if !names.contains(&host.name) {
                names.push(host.name.clone());
            }
        }
    }
}

impl Host {
    fn has(&self, port: Option<&str>, protocol: Option<&str>) -> bool {
        let (Some(port), Some(protocol), Some(own)) = (port, protocol, &self.port) else { return false };
        own.name == port && own.protocol == protocol
    }
}

fn kind(service: &Service, domain: &str) -> Kind {
    let Some(spec) = &service.spec else { return Kind::Headless };
    if spec.type_.as_deref() == Some("ExternalName") {
        let target = spec.external_name.as_deref().and_then(|name| Name::from_ascii(name).ok());
        return target.map_or(Kind::Headless, |mut target| {
            target.set_fqdn(true);
            Kind::Alias(target)
        });
    }
    let mut addresses: Vec<IpAddr> = spec.cluster_ips.iter().flatten().filter_map(|text| text.parse().ok()).collect();
    if addresses.is_empty() {
        addresses.extend(spec.cluster_ip.iter().filter_map(|text| text.parse::<IpAddr>().ok()));
    }
    if addresses.is_empty() {
        return Kind::Headless;
    }
    let ports: Vec<Port> =
        spec.ports.iter().flatten().filter_map(|port| new_port(&port.name, &port.protocol, Some(port.port))).collect();
    Kind::Addresses(hosts(domain, &addresses, &ports))
}

/// The ready endpoints, under their host names or, without one, their address with dashes.
fn slice_hosts(slice: &EndpointSlice, domain: &str) -> Vec<Host> {
    let ports: Vec<Port> =
        slice.ports.iter().flatten().filter_map(|port| new_port(&port.name, &port.protocol, port.port)).collect();
    let ready = slice.endpoints.iter().flatten().filter(|endpoint| is_ready(endpoint));
    let hosts_of = |endpoint: &Endpoint| {
        let addresses: Vec<IpAddr> = endpoint.addresses.iter().filter_map(|text| text.parse().ok()).collect();
        addresses
            .into_iter()
            .flat_map(|address| {
                let name = match endpoint.hostname.as_deref() {
                    Some(hostname) if !hostname.is_empty() => hostname.to_owned(),
                    _ => address.to_string().replace(['.', ':'], "-"),
                };
                hosts(&format!("{name}.{domain}"), &[address], &ports)
            })
            .collect::<Vec<Host>>()
    };
    ready.flat_map(hosts_of).collect()
}

/// Each address with each port, or without any where there are none.
fn hosts(name: &str, addresses: &[IpAddr], ports: &[Port]) -> Vec<Host> {
    let host = |address: &IpAddr, port: Option<Port>| Host { name: name.to_owned(), address: *address, port };
    let per_address = |address: &IpAddr| match ports {
        [] => vec![host(address, None)],
        ports => ports.iter().map(|port| host(address, Some(port.clone()))).collect(),
    };
    addresses.iter().flat_map(per_address).collect()
}

fn new_port(name: &Option<String>, protocol: &Option<String>, number: Option<i32>) -> Option<Port> {
    Some(Port {
        name: name.clone().unwrap_or_default(),
        protocol: protocol.as_deref().unwrap_or("TCP").to_ascii_lowercase(),
        number: u16::try_from(number?).ok()?,
    })
}

/// A service that publishes unready addresses has slices that call them ready.
fn is_ready(endpoint: &Endpoint) -> bool {
    endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
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

/// `10-244-0-5` or, of the other family, `fd00--5`.
fn dashed_address(label: &str) -> Option<IpAddr> {
    let dashes = label.matches('-').count();
    if dashes == 3 && !label.contains("--") {
        return label.replace('-', ".").parse().ok();
    }
    label.replace('-', ":").parse().ok()
}
