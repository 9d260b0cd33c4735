//! The bridge on a real kernel, each test in a network namespace that stands for the node.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cri::{NetworkError, PodNetwork, PodNetworkRequest, PortMapping};
use netlink::address::LinkAddress;
use netlink::nftables::Transaction;
use netlink::{Namespace, Protocol, address, link, route, sysctl};
use network::{Bridge, Config};
use stdx::Ambient;

const BRIDGE: &str = "pintle0";
const RANGE: &str = "10.244.0.0/24";

/// Whether the firewall sees bridged packets: another program's choice, and all must work with either.
const BRIDGED_PACKETS: &str = "net/bridge/bridge-nf-call-iptables";

/// Runs `scenario` with the node's namespace as its own, on a runtime whose threads share it.
fn on_a_node<F: Future<Output = ()>>(scenario: impl Fn(Node) -> F + Sync) {
    for filtered in ["0", "1"] {
        let node = Node { folder: Arc::new(tempfile::tempdir().unwrap()) };
        let run = || {
            let mut socket = netlink::Socket::open(Protocol::Route).unwrap();
            socket.execute(&[link::set_up(1)]).unwrap();
            if Path::new("/proc/sys").join(BRIDGED_PACKETS).exists() {
                sysctl::set(BRIDGED_PACKETS, filtered).unwrap();
            }
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(scenario(node));
        };
        Namespace::unnamed().unwrap().run(run).unwrap();
    }
}

#[derive(Clone)]
struct Node {
    folder: Arc<tempfile::TempDir>,
}

impl Node {
    fn state_dir(&self) -> PathBuf {
        self.folder.path().join("network")
    }

    fn open(&self) -> Arc<Bridge> {
        Bridge::open(Config {
            bridge: BRIDGE.to_owned(),
            cluster: "pintle".to_owned(),
            state_dir: self.state_dir(),
            ambient: Ambient::system(),
        })
        .unwrap()
    }

    async fn configured(&self) -> Arc<Bridge> {
        let bridge = self.open();
        bridge.configure(&[RANGE.to_owned()]).await.unwrap();
        bridge
    }
}

/// Of addresses that links choose themselves every pod would be told on the bridge.
#[test]
fn links_have_no_addresses_but_those_given() {
    on_a_node(|node| async move {
        let bridge = node.configured().await;
        let pod = Pod::attached(&bridge, &[]).await;
        let mut inside = pod.namespace.socket(Protocol::Route).unwrap();
        let shown = |link_index: u32, socket: &mut netlink::Socket| -> Vec<IpAddr> {
            let all = address::list(socket).unwrap().into_iter();
            all.filter(|found| found.link_index == link_index).map(|found| found.address).collect()
        };
        let eth0 = link::find(&mut inside, "eth0").unwrap().unwrap();
        assert!(eth0.up);
        assert_eq!(shown(eth0.index, &mut inside), [pod.address]);
        let mut outside = netlink::Socket::open(Protocol::Route).unwrap();
        let ports = link::list(&mut outside).unwrap().into_iter().filter(|link| link.name.starts_with("pv"));
        let ports: Vec<u32> = ports.map(|port| port.index).collect();
        assert_eq!(ports.len(), 1);
        assert!(shown(ports[0], &mut outside).is_empty());
        // A pod still speaks to itself over IPv6 where the kernel knows it.
        let has_ipv6 = Path::new("/proc/sys/net/ipv6").exists();
        assert_eq!(shown(1, &mut inside).contains(&std::net::Ipv6Addr::LOCALHOST.into()), has_ipv6);
    });
}

/// A pod's namespace, reachable by a path as long as it lives.
struct Pod {
    namespace: Namespace,
    sandbox_id: String,
    address: IpAddr,
}

impl Pod {
    fn new() -> Pod {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let namespace = Namespace::unnamed().unwrap();
        Pod { namespace, sandbox_id: format!("{number:08x}{:056x}", 0), address: Ipv4Addr::UNSPECIFIED.into() }
    }

    async fn attached(bridge: &Bridge, ports: &[(i32, i32)]) -> Pod {
        let mut pod = Pod::new();
        pod.address = bridge.attach(&pod.request(ports)).await.unwrap().ips[0];
        pod
    }

    fn request(&self, ports: &[(i32, i32)]) -> PodNetworkRequest {
        use std::os::fd::{AsFd, AsRawFd};
        let mapping = |(host_port, container_port): &(i32, i32)| PortMapping {
            protocol: cri::Protocol::Tcp as i32,
            container_port: *container_port,
            host_port: *host_port,
            host_ip: String::new(),
        };
        PodNetworkRequest {
            sandbox_id: self.sandbox_id.clone(),
            pod_namespace: "default".to_owned(),
            pod_name: "pod".to_owned(),
            pod_uid: self.sandbox_id.clone(),
            netns: PathBuf::from(format!("/proc/self/fd/{}", self.namespace.as_fd().as_raw_fd())),
            port_mappings: ports.iter().map(mapping).collect(),
        }
    }

    /// Serves from inside; answers each caller with the caller's own address.
    fn serve(&self, port: u16) {
        let listener = self.namespace.run(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap()).unwrap();
        std::thread::spawn(move || {
            while let Ok((mut stream, caller)) = listener.accept() {
                let mut word = [0; 4];
                if stream.read_exact(&mut word).is_ok() && &word == b"stop" {
                    return;
                }
                drop(stream.write_all(caller.ip().to_string().as_bytes()));
            }
        });
    }

    fn call(&self, address: SocketAddr) -> String {
        self.namespace.run(|| call(address)).unwrap()
    }

    /// Ends the server, so that nothing holds the namespace any more.
    fn stop(&self, port: u16) {
        self.namespace
            .run(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap().write_all(b"stop").unwrap())
            .unwrap();
    }
}

fn call(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"what").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn link_names() -> Vec<String> {
    let mut socket = netlink::Socket::open(Protocol::Route).unwrap();
    link::list(&mut socket).unwrap().into_iter().map(|link| link.name).collect()
}

#[test]
fn pods_reach_the_node_one_another_and_are_reached() {
    on_a_node(async |node| {
        let bridge = node.open();
        assert!(matches!(bridge.status().await, Err(NetworkError::NotReady(_))));
        let early = bridge.attach(&Pod::new().request(&[])).await.unwrap_err();
        assert_eq!(early.to_string(), "the pod network is not ready: no pod range is configured yet");
        let (gateway, configured) =
            tokio::join!(bridge.gateway(), async { bridge.configure(&[RANGE.to_owned()]).await });
        configured.unwrap();
        bridge.configure(&[RANGE.to_owned()]).await.unwrap();
        bridge.status().await.unwrap();
        assert_eq!(gateway, IpAddr::from([10, 244, 0, 1]));

        let (one, two) = (Pod::attached(&bridge, &[]).await, Pod::attached(&bridge, &[]).await);
        assert_eq!([one.address, two.address], [IpAddr::from([10, 244, 0, 2]), IpAddr::from([10, 244, 0, 3])]);
        one.serve(80);
        assert_eq!(two.call((one.address, 80).into()), two.address.to_string());
        assert_eq!(one.call((one.address, 80).into()), one.address.to_string());
        assert_eq!(one.call(local(80)), "127.0.0.1");
        assert_eq!(call((one.address, 80).into()), gateway.to_string());
        let listener = TcpListener::bind((gateway, 0)).unwrap();
        let node_port = listener.local_addr().unwrap();
        let stream = two.namespace.run(|| TcpStream::connect(node_port).unwrap()).unwrap();
        assert_eq!(listener.accept().unwrap().1.ip(), two.address);
        drop(stream);
        one.stop(80);
    });
}

#[test]
fn what_leaves_the_node_bears_its_address() {
    on_a_node(async |node| {
        let outside = Namespace::unnamed().unwrap();
        let (uplink, beyond) = (IpAddr::from([198, 51, 100, 1]), IpAddr::from([198, 51, 100, 2]));
        connect_outside(&outside, uplink, beyond);
        let bridge = node.configured().await;
        let mut socket = netlink::Socket::open(Protocol::Route).unwrap();
        assert_eq!(link::find(&mut socket, BRIDGE).unwrap().unwrap().mtu, 1400);
        let pod = Pod::attached(&bridge, &[]).await;
        let listener = outside.run(|| TcpListener::bind((beyond, 80)).unwrap()).unwrap();
        let stream = pod.namespace.run(|| TcpStream::connect((beyond, 80)).unwrap()).unwrap();
        assert_eq!(listener.accept().unwrap().1.ip(), uplink);
        drop(stream);
    });
}

/// Puts a link of MTU 1400 to another namespace behind a bridge of its own, and the default route there.
fn connect_outside(outside: &Namespace, uplink: IpAddr, beyond: IpAddr) {
    let mut socket = netlink::Socket::open(Protocol::Route).unwrap();
    socket.execute(&[link::add_bridge("up0", [2, 0, 0, 0, 0, 9])]).unwrap();
    let bridge = link::find(&mut socket, "up0").unwrap().unwrap();
    let pair = link::VethPair {
        name: "up1",
        bridge_index: bridge.index,
        mtu: 1400,
        peer_name: "eth0",
        peer_address: [2, 0, 0, 0, 0, 10],
        peer_namespace: outside,
    };
    let mut inside = outside.socket(Protocol::Route).unwrap();
    socket
        .execute(&[
            link::set_mtu(bridge.index, 1400),
            link::set_up(bridge.index),
            address::add(&LinkAddress { link_index: bridge.index, address: uplink, prefix_length: 24 }),
            link::add_veth(&pair),
            route::add_default(beyond, bridge.index),
        ])
        .unwrap();
    let eth0 = link::find(&mut inside, "eth0").unwrap().unwrap().index;
    inside
        .execute(&[
            link::set_up(eth0),
            address::add(&LinkAddress { link_index: eth0, address: beyond, prefix_length: 24 }),
        ])
        .unwrap();
}

#[test]
fn host_ports_lead_to_the_pod_from_everywhere() {
    on_a_node(async |node| {
        let bridge = node.configured().await;
        let gateway = bridge.gateway().await;
        let pod = Pod::attached(&bridge, &[(8080, 80), (0, 81)]).await;
        let other = Pod::attached(&bridge, &[]).await;
        pod.serve(80);
        assert_eq!(call((gateway, 8080).into()), gateway.to_string());
        assert_eq!(call(local(8080)), gateway.to_string());
        assert_eq!(other.call((gateway, 8080).into()), other.address.to_string());
        assert_eq!(pod.call((gateway, 8080).into()), gateway.to_string());

        let rival = Pod::new();
        let refusal = bridge.attach(&rival.request(&[(8080, 80)])).await.unwrap_err();
        assert_eq!(
            stdx::error::chain(&refusal),
            "cannot publish a host port: another pod on this node has it: 0.0.0.0:8080"
        );
        // Somebody flushes all rules: they come back.
        let mut socket = netlink::Socket::open(Protocol::Netfilter).unwrap();
        Transaction::destroy("pintle-net").commit(&mut socket).unwrap();
        while TcpStream::connect(local(8080)).is_err() {
            tokio::task::yield_now().await;
        }
        pod.stop(80);
        bridge.detach(&pod.sandbox_id).await.unwrap();
        assert!(TcpStream::connect(local(8080)).is_err());
        bridge.attach(&rival.request(&[(8080, 80)])).await.unwrap();
    });
}

#[test]
fn a_pod_cannot_reach_the_nodes_loopback() {
    on_a_node(async |node| {
        let bridge = node.configured().await;
        let pod = Pod::attached(&bridge, &[]).await;
        let listener = TcpListener::bind(local(0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let refused = pod
            .namespace
            .run(|| {
                // The pod's own loopback out of the way, its packets to 127.0.0.1 go to the node.
                std::fs::write("/proc/sys/net/ipv4/conf/all/route_localnet", "1").unwrap();
                let mut socket = netlink::Socket::open(Protocol::Route).unwrap();
                let loopback = LinkAddress { link_index: 1, address: local(0).ip(), prefix_length: 8 };
                socket.execute(&[address::delete(&loopback)]).unwrap();
                TcpStream::connect_timeout(&local(port), std::time::Duration::from_millis(300)).unwrap_err()
            })
            .unwrap();
        assert_eq!(refused.kind(), std::io::ErrorKind::TimedOut);
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    });
}

#[test]
fn a_restart_keeps_addresses_and_connections() {
    on_a_node(async |node| {
        let bridge = node.configured().await;
        let (one, two) = (Pod::attached(&bridge, &[(8080, 80)]).await, Pod::attached(&bridge, &[]).await);
        one.serve(80);
        let mut open = two.namespace.run(|| TcpStream::connect((one.address, 80)).unwrap()).unwrap();
        drop(bridge);

        let bridge = node.configured().await;
        let again = bridge.attach(&one.request(&[(8080, 80)])).await.unwrap();
        assert_eq!(again.ips, [one.address]);
        open.write_all(b"what").unwrap();
        let mut answer = String::new();
        open.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, two.address.to_string());
        assert_eq!(call(local(8080)), bridge.gateway().await.to_string());
        let three = Pod::attached(&bridge, &[]).await;
        assert_eq!(three.address, IpAddr::from([10, 244, 0, 4]));

        // A pod whose namespace lost its link is connected anew, at the same address.
        bridge.detach(&two.sandbox_id).await.unwrap();
        bridge.detach(&two.sandbox_id).await.unwrap();
        let four = Pod::attached(&bridge, &[]).await;
        assert_eq!(four.address, IpAddr::from([10, 244, 0, 5]), "a released address rests");
        one.stop(80);
    });
}

#[test]
fn a_failed_attach_leaves_nothing_and_destroy_removes_all() {
    on_a_node(async |node| {
        let bridge = node.configured().await;
        let pod = Pod::new();
        let mut request = pod.request(&[]);
        let missing = node.folder.path().join("missing");
        request.netns.clone_from(&missing);
        let error = bridge.attach(&request).await.unwrap_err();
        let expected = format!("cannot attach the pod: cannot open the network namespace {}", missing.display());
        assert!(stdx::error::chain(&error).starts_with(&expected), "{}", stdx::error::chain(&error));
        assert!(link_names().iter().all(|name| !name.starts_with("pv")));

        let pod = Pod::attached(&bridge, &[]).await;
        assert!(link_names().contains(&format!("pv{}", &pod.sandbox_id[..8])));
        network::destroy(BRIDGE, "pintle", &node.state_dir()).unwrap();
        network::destroy(BRIDGE, "pintle", &node.state_dir()).unwrap();
        assert!(link_names().iter().all(|name| !name.starts_with("pv") && name != BRIDGE));
        assert!(!Path::new(&node.state_dir()).exists());
        File::open(node.folder.path()).unwrap();
    });
}

#[test]
fn a_full_range_says_so() {
    on_a_node(async |node| {
        let bridge = node.open();
        let wrong = bridge.configure(&["10.0.0.0".to_owned()]).await.unwrap_err();
        assert_eq!(wrong.to_string(), "\"10.0.0.0\" is not an address range");
        bridge.configure(&["10.1.0.0/30".to_owned()]).await.unwrap();
        let pod = Pod::attached(&bridge, &[]).await;
        let error = bridge.attach(&Pod::new().request(&[])).await.unwrap_err();
        assert_eq!(error.to_string(), "no free address is left in 10.1.0.0/30");
        bridge.detach(&pod.sandbox_id).await.unwrap();
        Pod::attached(&bridge, &[]).await;
    });
}

#[test]
fn the_rehearsal_passes_where_the_network_works_and_leaves_nothing() {
    network::trial().unwrap();
    let mut socket = netlink::Socket::open(netlink::Protocol::Route).unwrap();
    assert_eq!(netlink::link::find(&mut socket, "trial0").unwrap(), None);
}

#[test]
fn service_addresses_have_a_route_where_nothing_else_has() {
    on_a_node(async |node| {
        let bridge = node.open();
        let service = SocketAddr::from(([10, 96, 0, 10], 53));
        let source = || {
            let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
            socket.connect(service).map(|()| socket.local_addr().unwrap().ip())
        };
        assert_eq!(source().unwrap_err().kind(), std::io::ErrorKind::NetworkUnreachable);
        let range = [RANGE.to_owned()];
        let (routed, configured) = tokio::join!(bridge.route_services("10.96.0.0/12"), bridge.configure(&range));
        routed.and(configured).unwrap();
        bridge.route_services("10.96.0.0/12").await.unwrap();
        assert_eq!(source().unwrap(), bridge.gateway().await);
    });
}
