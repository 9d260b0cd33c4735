//! Addresses and ports of Services.
//!
//! What is taken follows from the stored Services themselves and from the objects that addresses
//! have, so nothing has to be released: a Service that is gone holds nothing.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use registry::{FieldError, Kind, Object};
use serde_json::{Value, json};
use stdx::Random;
use store::StoreError;

use crate::metadata;
use crate::mirror::{Fold, Mirror};
use crate::server::StartError;
use crate::status::ApiError;
use crate::storage::Storage;

mod addresses;
mod range;
mod ranges;

pub(crate) use addresses::{after_removal, beside, repair};

pub(crate) use range::{PortRange, Range};

const PREFIX: &str = "/registry/core/services/";

pub(crate) struct Services {
    taken: Mirror<Taken>,
    known: Mirror<addresses::Known>,
    ranges: Mirror<ranges::Ranges>,
    pending: Arc<Mutex<Pending>>,
    own: Range,
    ports: PortRange,
}

/// A node port belongs to a protocol: TCP and UDP may share a number.
pub(crate) type Port = (String, u16);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TakeError {
    /// Outside of every range that is ready.
    OutOfRange,
    Taken,
    /// Nothing left.
    Full,
}

impl Services {
    pub(crate) async fn open(storage: Storage, cidr: &str, ports: RangeInclusive<u16>) -> Result<Self, StartError> {
        let own = Range::parse_own(cidr).ok_or_else(|| StartError::ServiceCidr(cidr.to_owned()))?;
        let taken = Mirror::open(storage.clone(), PREFIX).await?;
        let known = Mirror::open(storage.clone(), addresses::PREFIX).await?;
        let ranges = Mirror::open(storage, ranges::PREFIX).await?;
        Ok(Services { taken, known, ranges, pending: Arc::default(), own, ports: PortRange::new(ports) })
    }

    /// Makes what is taken include every write acknowledged before.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        self.taken.catch_up().await?;
        self.ranges.catch_up().await?;
        self.known.catch_up().await
    }

    /// What has to be done so that exactly the addresses in use have objects.
    fn repair(&self) -> addresses::Repair {
        self.taken.read(|taken| self.known.read(|known| addresses::plan(&taken.addresses, known)))
    }

    /// The address of the Service `default/kubernetes`: the first of the server's own range.
    pub(crate) fn first_address(&self) -> Ipv4Addr {
        self.own.first()
    }

    /// The server's own range.
    pub(crate) fn cidr(&self) -> &Range {
        &self.own
    }

    pub(crate) fn port_range(&self) -> &PortRange {
        &self.ports
    }

    /// Sets the chosen address aside for the owner, or any free one.
    pub(crate) fn take_address(
        &self,
        owner: &str,
        wanted: Option<Ipv4Addr>,
        random: &Random,
    ) -> Result<(Ipv4Addr, Hold), TakeError> {
        let ranges = self.ranges.read(|ranges| ranges.ready(&self.own));
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        self.taken.read(|taken| {
            let is_free = |address: &Ipv4Addr| {
                !pending.addresses.contains(address)
                    && taken.addresses.get(address).is_none_or(|holder| holder == owner)
                    && !self.known.read(|known| known.is_taken_from(owner, *address))
            };
            let address = match wanted {
                // A Service keeps what it has, though its range be leaving.
                Some(address) if taken.addresses.get(&address).is_some_and(|holder| holder == owner) => address,
                Some(address) if !ranges.iter().any(|range| range.contains(address)) => {
                    return Err(TakeError::OutOfRange);
                }
                Some(address) if !is_free(&address) => return Err(TakeError::Taken),
                Some(address) => address,
                None => {
                    let picked = ranges.iter().find_map(|range| range.pick(random, |address| is_free(&address)));
                    picked.ok_or(TakeError::Full)?
                }
            };
            pending.addresses.insert(address);
            Ok((address, Hold { pending: self.pending.clone(), what: What::Address(address) }))
        })
    }

    /// Sets the chosen node port aside for the owner, or any free one.
    pub(crate) fn take_port(
        &self,
        owner: &str,
        protocol: &str,
        wanted: Option<u16>,
        random: &Random,
    ) -> Result<(u16, Hold), TakeError> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        self.taken.read(|taken| {
            let is_free = |number: u16| {
                let port = (protocol.to_owned(), number);
                !pending.ports.contains(&port) && taken.ports.get(&port).is_none_or(|holder| holder == owner)
            };
            let number = match wanted {
                Some(number) if !self.ports.contains(number) => return Err(TakeError::OutOfRange),
                Some(number) if !is_free(number) => return Err(TakeError::Taken),
                Some(number) => number,
                None => self.ports.pick(random, is_free).ok_or(TakeError::Full)?,
            };
            let port = (protocol.to_owned(), number);
            pending.ports.insert(port.clone());
            Ok((number, Hold { pending: self.pending.clone(), what: What::Port(port) }))
        })
    }
}

/// Set aside for writes that are under way.
#[derive(Default)]
struct Pending {
    addresses: HashSet<Ipv4Addr>,
    ports: HashSet<Port>,
}

/// Keeps others off until the write is done: then the store itself shows what was taken.
pub(crate) struct Hold {
    pending: Arc<Mutex<Pending>>,
    what: What,
}

enum What {
    Address(Ipv4Addr),
    Port(Port),
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.what {
            What::Address(address) => pending.addresses.remove(address),
            What::Port(port) => pending.ports.remove(port),
        };
    }
}

/// What the stored Services hold, and who holds it.
#[derive(Default)]
struct Taken {
    addresses: HashMap<Ipv4Addr, String>,
    ports: HashMap<Port, String>,
    by_owner: HashMap<String, (Vec<Ipv4Addr>, Vec<Port>)>,
}

impl Taken {
    fn release(&mut self, owner: &str) {
        let Some((addresses, ports)) = self.by_owner.remove(owner) else { return };
        for address in addresses {
            self.addresses.remove(&address);
        }
        for port in ports {
            self.ports.remove(&port);
        }
    }
}

impl Fold for Taken {
    fn put(&mut self, key: &str, value: &[u8]) {
        let Some(owner) = key.strip_prefix(PREFIX) else { return };
        self.release(owner);
        let service: Object = match serde_json::from_slice(value) {
            Ok(service) => service,
            Err(error) => {
                tracing::warn!(key, %error, "a stored Service does not parse");
                return;
            }
        };
        let (addresses, ports) = held(&service);
        for address in &addresses {
            self.addresses.insert(*address, owner.to_owned());
        }
        for port in &ports {
            self.ports.insert(port.clone(), owner.to_owned());
        }
        self.by_owner.insert(owner.to_owned(), (addresses, ports));
    }

    fn delete(&mut self, key: &str) {
        if let Some(owner) = key.strip_prefix(PREFIX) {
            self.release(owner);
        }
    }
}

/// The refusal of a Service whose address somebody else took between the choice and the write.
pub(crate) fn taken_meanwhile(kind: &Kind, service: &Object) -> ApiError {
    let wanted = addresses(service);
    let detail = match wanted.first() {
        Some(address) => format!("failed to allocate IP {address}: provided IP is already allocated"),
        None => "provided IP is already allocated".to_owned(),
    };
    let texts: Vec<String> = wanted.iter().map(Ipv4Addr::to_string).collect();
    ApiError::invalid(kind, metadata::name(service), &[FieldError::invalid("spec.clusterIPs", json!(texts), detail)])
}

/// The addresses a Service states.
fn addresses(service: &Object) -> Vec<Ipv4Addr> {
    let spec = service.get("spec").unwrap_or(&Value::Null);
    let listed = spec.get("clusterIPs").and_then(Value::as_array).into_iter().flatten();
    let single = spec.get("clusterIP").into_iter();
    let mut addresses: Vec<Ipv4Addr> =
        listed.chain(single).filter_map(Value::as_str).filter_map(|text| text.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The addresses and node ports a Service states.
fn held(service: &Object) -> (Vec<Ipv4Addr>, Vec<Port>) {
    let spec = service.get("spec").unwrap_or(&Value::Null);
    let mut ports: Vec<Port> = spec
        .get("ports")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|port| {
            let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
            Some((protocol.to_owned(), node_port(port)?))
        })
        .collect();
    let health = spec.get("healthCheckNodePort").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
    ports.extend(health.filter(|port| *port != 0).map(|port| ("TCP".to_owned(), port)));
    (addresses(service), ports)
}

/// The node port of one port entry; 0 and absent mean none.
pub(crate) fn node_port(port: &Value) -> Option<u16> {
    port.get("nodePort").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0)
}
