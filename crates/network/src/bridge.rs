//! The bridge as the runtime and the program see it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cri::{NetworkError, PodAddresses, PodNetwork, PodNetworkRequest, PortMapping};
use netlink::nftables::Monitor;
use stdx::Ambient;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::addresses::Addresses;
use crate::departures::Departures;
use crate::firewall;
use crate::kernel::{self, BridgeLink};
use crate::range::Range;
use crate::state::{Files, HostPort, HostTransport, Pod, StateError};

pub struct Config {
    /// The bridge's name, e.g. `pintle0`.
    pub bridge: String,
    /// The cluster's name; the nf_tables table is `inet <cluster>-net`.
    pub cluster: String,
    /// A folder of this room's own.
    pub state_dir: PathBuf,
    pub ambient: Ambient,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot read the pod network's state")]
    State(#[source] StateError),
}

#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    #[error("cannot remove the pod network")]
    Kernel(#[source] netlink::Error),
    #[error("cannot remove {}", path.display())]
    State {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// The node's pod network.
pub struct Bridge {
    shared: Arc<Shared>,
    /// Sets the rules again when somebody removes them.
    watcher: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if let Some(watcher) = self.watcher.get_mut().unwrap_or_else(PoisonError::into_inner) {
            watcher.abort();
        }
    }
}

struct Shared {
    config: Config,
    state: Mutex<State>,
    departures: Departures,
    gateway: watch::Sender<Option<Ipv4Addr>>,
}

struct State {
    files: Files,
    pods: BTreeMap<String, Pod>,
    last: Option<Ipv4Addr>,
    configured: Option<Configured>,
}

/// What exists once a range is known.
struct Configured {
    addresses: Addresses,
    link: BridgeLink,
}

impl Bridge {
    /// Reads what an earlier run left. The kernel is not touched before a range is configured.
    pub fn open(config: Config) -> Result<Arc<Self>, OpenError> {
        let (files, remembered) = Files::open(&config.state_dir).map_err(OpenError::State)?;
        let state = State { files, pods: remembered.pods, last: remembered.last, configured: None };
        let (gateway, _) = watch::channel(None);
        let shared = Arc::new(Shared { config, state: Mutex::new(state), departures: Departures::default(), gateway });
        Ok(Arc::new(Bridge { shared, watcher: Mutex::new(None) }))
    }

    /// The node's address on the bridge; waits until a range is configured.
    pub async fn gateway(&self) -> IpAddr {
        let mut gateway = self.shared.gateway.subscribe();
        loop {
            if let Some(address) = *gateway.borrow_and_update() {
                return IpAddr::V4(address);
            }
            if gateway.changed().await.is_err() {
                // The sender lives in `self`, which outlives this call.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Bridge {
    /// Routes the range of service addresses, e.g. `10.96.0.0/12`, towards the bridge; waits until
    /// a pod range is configured.
    ///
    /// Rules translate a service's address only where the kernel would have sent the packet
    /// somewhere: without this, a machine that has no default route cannot reach its own services.
    /// And what goes to an address that is no service's stays at home.
    pub async fn route_services(&self, service_cidr: &str) -> Result<(), NetworkError> {
        let services: Range = service_cidr.parse().map_err(|_| NetworkError::InvalidRange(service_cidr.to_owned()))?;
        self.gateway().await;
        self.blocking(move |shared| shared.route_services(services)).await
    }
}

/// Removes every trace of a cluster's pod network: links, rules and state.
pub fn destroy(bridge: &str, cluster: &str, state_dir: &Path) -> Result<(), DestroyError> {
    kernel::destroy(bridge, &firewall::table(cluster)).map_err(DestroyError::Kernel)?;
    match std::fs::remove_dir_all(state_dir) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(DestroyError::State { path: state_dir.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[async_trait]
impl PodNetwork for Bridge {
    async fn configure(&self, pod_cidrs: &[String]) -> Result<(), NetworkError> {
        let range = usable_range(pod_cidrs)?;
        self.watch_rules()?;
        self.blocking(move |shared| shared.configure(range)).await
    }

    async fn status(&self) -> Result<(), NetworkError> {
        match *self.shared.gateway.borrow() {
            Some(_) => Ok(()),
            None => Err(not_configured()),
        }
    }

    async fn attach(&self, request: &PodNetworkRequest) -> Result<PodAddresses, NetworkError> {
        let request = request.clone();
        self.blocking(move |shared| shared.attach(&request)).await
    }

    async fn detach(&self, sandbox_id: &str) -> Result<(), NetworkError> {
        let sandbox_id = sandbox_id.to_owned();
        self.blocking(move |shared| shared.detach(&sandbox_id)).await
    }
}

impl Bridge {
    fn watch_rules(&self) -> Result<(), NetworkError> {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if watcher.is_none() {
            let monitor = Monitor::open().map_err(failed("watch the pod network's rules"))?;
            *watcher = Some(tokio::spawn(keep_rules(Arc::clone(&self.shared), monitor)));
        }
        Ok(())
    }

    /// Netlink answers within the call, in a few milliseconds at most: a thread of its own suffices.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, NetworkError> + Send + 'static,
    ) -> Result<T, NetworkError> {
        let shared = self.shared.clone();
        match tokio::task::spawn_blocking(move || work(&shared)).await {
            Ok(result) => result,
            Err(source) => {
                Err(NetworkError::Kernel { step: "finish the work on the pod network", source: source.into() })
            }
        }
    }
}

async fn keep_rules(shared: Arc<Shared>, monitor: Monitor) {
    let table = firewall::table(&shared.config.cluster);
    loop {
        if let Err(error) = monitor.removed(&table).await {
            tracing::error!(error = stdx::error::chain(&error), "the pod network's rules are not watched any more");
            return;
        }
        tracing::warn!(table, "somebody removed the pod network's rules; they are set again");
        let again = Arc::clone(&shared);
        match tokio::task::spawn_blocking(move || again.restore_rules()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = stdx::error::chain(&error), "cannot restore the rules"),
            Err(error) => tracing::error!(error = stdx::error::chain(&error), "cannot restore the rules"),
        }
    }
}

impl Shared {
    fn restore_rules(&self) -> Result<(), NetworkError> {
        let state = self.lock();
        let Some(configured) = &state.configured else { return Ok(()) };
        self.apply_rules(configured.addresses.range(), &state.pods)
    }

    fn configure(&self, range: Range) -> Result<(), NetworkError> {
        let mut state = self.lock();
        if state.configured.as_ref().is_some_and(|configured| configured.addresses.range() == range) {
            return Ok(());
        }
        let link = kernel::ensure_bridge(&self.config.bridge, range).map_err(failed("make the pod bridge"))?;
        let used = state.pods.values().map(|pod| pod.address);
        let addresses = Addresses::new(range, used, state.last);
        self.apply_rules(range, &state.pods)?;
        state.configured = Some(Configured { addresses, link });
        self.gateway.send_replace(Some(range.gateway()));
        tracing::info!(bridge = self.config.bridge, %range, mtu = link.mtu, "pod network configured");
        Ok(())
    }

    fn route_services(&self, services: Range) -> Result<(), NetworkError> {
        let link = self.lock().configured.as_ref().map(|configured| configured.link).ok_or_else(not_configured)?;
        kernel::route_services(link, services).map_err(failed("route the services' addresses"))
    }

    fn attach(&self, request: &PodNetworkRequest) -> Result<PodAddresses, NetworkError> {
        let started = self.config.ambient.clock.instant();
        let (pod, link, range, fresh) = self.reserve(request)?;
        let attached = kernel::attach(link, range.gateway(), &pod, &request.netns).map_err(failed("attach the pod"));
        let attached = attached.and_then(|()| self.publish(&pod, range));
        if let Err(error) = attached {
            if fresh && let Err(undo) = self.detach(&request.sandbox_id) {
                tracing::warn!(
                    sandbox = request.sandbox_id,
                    error = stdx::error::chain(&undo),
                    "cannot undo a failed attach"
                );
            }
            return Err(error);
        }
        let elapsed = self.config.ambient.clock.instant().duration_since(started);
        tracing::debug!(pod = request.pod_name, address = %pod.address, ?elapsed, "pod attached");
        Ok(PodAddresses { ips: vec![IpAddr::V4(pod.address)] })
    }

    /// The pod's address and link: those it has, or new ones, written down before they are used.
    fn reserve(&self, request: &PodNetworkRequest) -> Result<(Pod, BridgeLink, Range, bool), NetworkError> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let configured = state.configured.as_mut().ok_or_else(not_configured)?;
        let (link, range) = (configured.link, configured.addresses.range());
        if let Some(pod) = state.pods.get(&request.sandbox_id) {
            return Ok((pod.clone(), link, range, false));
        }
        let ports = host_ports(&request.port_mappings)?;
        if let Some(taken) = firewall::conflict(state.pods.values(), &ports) {
            let source = format!("another pod on this node has it: {taken}").into();
            return Err(NetworkError::Kernel { step: "publish a host port", source });
        }
        let address =
            configured.addresses.take().ok_or_else(|| NetworkError::Exhausted { range: range.to_string() })?;
        let link_name = link_name(&request.sandbox_id, state.pods.values());
        let pod = Pod { address, link: link_name, ports };
        if let Err(error) = state.files.save(&request.sandbox_id, &pod) {
            configured.addresses.give_back(address);
            return Err(failed("remember the pod's address")(error));
        }
        state.last = Some(address);
        state.pods.insert(request.sandbox_id.clone(), pod.clone());
        Ok((pod, link, range, true))
    }

    fn publish(&self, pod: &Pod, range: Range) -> Result<(), NetworkError> {
        if pod.ports.is_empty() {
            return Ok(());
        }
        let state = self.lock();
        self.apply_rules(range, &state.pods)
    }

    fn detach(&self, sandbox_id: &str) -> Result<(), NetworkError> {
        let Some(pod) = self.lock().pods.get(sandbox_id).cloned() else { return Ok(()) };
        self.departures.leave(&pod.link, kernel::detach).map_err(failed("detach the pod"))?;
        let mut state = self.lock();
        state.files.remove(sandbox_id).map_err(failed("forget the pod's address"))?;
        state.pods.remove(sandbox_id);
        let Some(configured) = &mut state.configured else { return Ok(()) };
        configured.addresses.give_back(pod.address);
        let range = configured.addresses.range();
        if pod.ports.is_empty() { Ok(()) } else { self.apply_rules(range, &state.pods) }
    }

    fn apply_rules(&self, range: Range, pods: &BTreeMap<String, Pod>) -> Result<(), NetworkError> {
        let ruleset = firewall::ruleset(&self.config.bridge, range, pods.values());
        kernel::apply(&firewall::table(&self.config.cluster), &ruleset).map_err(failed("set the pod network's rules"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first IPv4 range; ranges of the other family wait for their turn.
fn usable_range(pod_cidrs: &[String]) -> Result<Range, NetworkError> {
    let text = pod_cidrs
        .iter()
        .find(|cidr| !cidr.contains(':'))
        .or(pod_cidrs.first())
        .ok_or_else(|| NetworkError::InvalidRange(String::new()))?;
    text.parse().map_err(|_| NetworkError::InvalidRange(text.clone()))
}

/// Mappings without a host port publish nothing.
fn host_ports(mappings: &[PortMapping]) -> Result<Vec<HostPort>, NetworkError> {
    mappings.iter().filter(|mapping| mapping.host_port != 0).map(host_port).collect()
}

fn host_port(mapping: &PortMapping) -> Result<HostPort, NetworkError> {
    let invalid = |source: String| NetworkError::Kernel { step: "publish a host port", source: source.into() };
    let port = |number: i32| u16::try_from(number).map_err(|_| invalid(format!("{number} is not a port")));
    let host_address = match mapping.host_ip.as_str() {
        "" | "0.0.0.0" => None,
        text => Some(text.parse().map_err(|_| invalid(format!("{text:?} is not an IPv4 address")))?),
    };
    let transport = match mapping.protocol() {
        cri::Protocol::Tcp => HostTransport::Tcp,
        cri::Protocol::Udp => HostTransport::Udp,
        cri::Protocol::Sctp => HostTransport::Sctp,
    };
    Ok(HostPort {
        transport,
        host_address,
        host_port: port(mapping.host_port)?,
        pod_port: port(mapping.container_port)?,
    })
}

/// `pv` and eight digits of the sandbox's identifier: the first eight that no other pod has.
fn link_name<'a>(sandbox_id: &str, pods: impl Iterator<Item = &'a Pod>) -> String {
    const DIGITS: usize = 8;
    let taken: Vec<&str> = pods.map(|pod| pod.link.as_str()).collect();
    let hash = format!("{:08x}", fnv(sandbox_id));
    let usable = sandbox_id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let windows = if usable { sandbox_id } else { "" }.as_bytes().windows(DIGITS);
    windows
        .map(|digits| format!("pv{}", String::from_utf8_lossy(digits)))
        .find(|name| !taken.contains(&name.as_str()))
        .unwrap_or_else(|| format!("pv{hash}"))
}

/// FNV-1a, for identifiers that are not hexadecimal.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn not_configured() -> NetworkError {
    NetworkError::NotReady("no pod range is configured yet".to_owned())
}

fn failed<E: std::error::Error + Send + Sync + 'static>(step: &'static str) -> impl FnOnce(E) -> NetworkError {
    move |source| NetworkError::Kernel { step, source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(link: &str) -> Pod {
        Pod { address: Ipv4Addr::LOCALHOST, link: link.to_owned(), ports: Vec::new() }
    }

    #[test]
    fn link_names_follow_the_sandbox_and_never_clash() {
        let name = link_name("0123456789abcdef", [].iter());
        assert_eq!(name, "pv01234567");
        assert_eq!(link_name("0123456789abcdef", [pod(&name)].iter()), "pv12345678");
        let odd = link_name("not hexadecimal", [].iter());
        assert_eq!(odd.len(), 10);
        assert_ne!(odd, link_name("not hexadecimal either", [].iter()));
    }

    #[test]
    fn only_mappings_with_a_usable_host_port_publish() {
        let mapping = |host_port, host_ip: &str| PortMapping {
            protocol: cri::Protocol::Udp as i32,
            container_port: 53,
            host_port,
            host_ip: host_ip.to_owned(),
        };
        assert_eq!(host_ports(&[mapping(0, "")]).unwrap(), []);
        let ports = host_ports(&[mapping(5353, "0.0.0.0"), mapping(53, "192.0.2.1")]).unwrap();
        assert_eq!((ports[0].host_address, ports[0].host_port, ports[0].pod_port), (None, 5353, 53));
        assert_eq!(ports[1].host_address, Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert!(host_ports(&[mapping(70_000, "")]).is_err());
        assert!(host_ports(&[mapping(53, "::1")]).is_err());
    }
}
