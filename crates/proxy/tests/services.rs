//! Services on a real kernel, each test in a network namespace that stands for the node.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use netlink::address::LinkAddress;
use netlink::link::{self, VethPair};
use netlink::{Namespace, Protocol, Socket, address, route, sysctl};
use serde_json::{Value, json};
use stdx::Ambient;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

mod support;
use support::FakeApi;

const TABLE: &str = "pintle";
const BRIDGE: &str = "pintle0";
const GATEWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 244, 0, 1));
const SERVICE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 7));
const PORT: u16 = 80;
/// Tests wait for conditions; one that never comes ends here.
const NEVER: Duration = Duration::from_secs(30);

/// Whether the firewall sees bridged packets: another program's choice, and all must work with either.
const BRIDGED_PACKETS: &str = "net/bridge/bridge-nf-call-iptables";

/// A node with a bridge, on a runtime whose threads share its namespace.
fn on_a_node<F: Future<Output = ()>>(scenario: impl Fn(Node) -> F + Sync) {
    for filtered in ["0", "1"] {
        let run = || {
            let bridge_index = make_bridge();
            if Path::new("/proc/sys").join(BRIDGED_PACKETS).exists() {
                sysctl::set(BRIDGED_PACKETS, filtered).unwrap();
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let node = Node { api: FakeApi::new(), bridge_index };
                tokio::time::timeout(NEVER, scenario(node)).await.unwrap();
            });
        };
        Namespace::unnamed().unwrap().run(run).unwrap();
    }
}

fn make_bridge() -> u32 {
    let mut socket = Socket::open(Protocol::Route).unwrap();
    socket.execute(&[link::set_up(1), link::add_bridge(BRIDGE, [2, 0, 0, 0, 0, 1])]).unwrap();
    let index = link::find(&mut socket, BRIDGE).unwrap().unwrap().index;
    let gateway = LinkAddress { link_index: index, address: GATEWAY, prefix_length: 24 };
    // Without a default route the node could not even try to reach a service's address.
    socket.execute(&[link::set_up(index), address::add(&gateway)]).unwrap();
    socket.execute(&[route::add_default(IpAddr::from([10, 244, 0, 254]), index)]).unwrap();
    sysctl::set("net/ipv4/ip_forward", "1").unwrap();
    sysctl::set(&format!("net/ipv4/conf/{BRIDGE}/route_localnet"), "1").unwrap();
    index
}

struct Node {
    api: FakeApi,
    bridge_index: u32,
}

impl Node {
    async fn start(&self) -> Proxy {
        let cancel = CancellationToken::new();
        let (ready, mut is_ready) = watch::channel(false);
        let config = proxy::Config {
            client: self.api.client(),
            node_name: "here".to_owned(),
            table: TABLE.to_owned(),
            ambient: Ambient::system(),
            cancel: cancel.clone(),
        };
        let task = tokio::spawn(proxy::run_telling(config, ready, proxy::Metrics::default()));
        is_ready.wait_for(|ready| *ready).await.unwrap();
        Proxy { cancel, task }
    }

    fn pod(&self, last: u8) -> Arc<Pod> {
        let namespace = Namespace::unnamed().unwrap();
        let address = IpAddr::from([10, 244, 0, last]);
        let name = format!("pv{last}");
        let mut socket = Socket::open(Protocol::Route).unwrap();
        let pair = VethPair {
            name: &name,
            bridge_index: self.bridge_index,
            mtu: 1500,
            peer_name: "eth0",
            peer_address: [2, 0, 0, 0, 1, last],
            peer_namespace: &namespace,
        };
        socket.execute(&[link::add_veth(&pair), link::set_hairpin(&name)]).unwrap();
        let mut inside = namespace.socket(Protocol::Route).unwrap();
        let index = link::find(&mut inside, "eth0").unwrap().unwrap().index;
        inside
            .execute(&[
                link::set_up(1),
                link::set_up(index),
                address::add(&LinkAddress { link_index: index, address, prefix_length: 32 }),
                route::add_host(GATEWAY, index),
                route::add_default(GATEWAY, index),
            ])
            .unwrap();
        Arc::new(Pod { namespace, address })
    }

    fn service(&self, spec: Value) {
        let mut whole = json!({
            "clusterIP": SERVICE, "clusterIPs": [SERVICE],
            "ports": [{"name": "http", "port": PORT, "protocol": "TCP", "targetPort": "web"}],
        });
        for (field, value) in spec.as_object().unwrap() {
            whole[field] = value.clone();
        }
        self.api.put("services", json!({"metadata": {"namespace": "default", "name": "web"}, "spec": whole}));
    }

    fn endpoints(&self, pods: &[&Arc<Pod>], port: u16) {
        let endpoint = |pod: &&Arc<Pod>| json!({"addresses": [pod.address], "nodeName": "here"});
        self.slice(pods.iter().map(endpoint).collect(), &json!([{"name": "http", "port": port, "protocol": "TCP"}]));
    }

    fn slice(&self, endpoints: Vec<Value>, ports: &Value) {
        let labels = json!({"kubernetes.io/service-name": "web"});
        let metadata = json!({"namespace": "default", "name": "web-1", "labels": labels});
        self.api.put(
            "endpointslices",
            json!({"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": ports}),
        );
    }
}

struct Proxy {
    cancel: CancellationToken,
    task: JoinHandle<Result<(), proxy::Error>>,
}

impl Proxy {
    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap().unwrap();
    }
}

struct Pod {
    namespace: Namespace,
    address: IpAddr,
}

impl Pod {
    /// Serves until the test ends; answers with its own address and the caller's.
    fn serve(self: &Arc<Self>, port: u16) {
        let own = self.address;
        let listener = self.namespace.run(|| TcpListener::bind((own, port)).unwrap()).unwrap();
        std::thread::spawn(move || {
            while let Ok((mut stream, caller)) = listener.accept() {
                std::thread::spawn(move || {
                    let mut word = [0; 1];
                    while stream.read_exact(&mut word).is_ok() {
                        if stream.write_all(format!("{own} {}\n", caller.ip()).as_bytes()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
    }

    async fn call(self: &Arc<Self>, target: (IpAddr, u16)) -> std::io::Result<String> {
        let pod = Arc::clone(self);
        spawn_blocking(move || pod.namespace.run(|| call(target)).unwrap()).await.unwrap()
    }
}

fn call(target: (IpAddr, u16)) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(SocketAddr::from(target))?;
    stream.write_all(b"?")?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.trim().to_owned())
}

async fn node_calls(target: (IpAddr, u16)) -> std::io::Result<String> {
    spawn_blocking(move || call(target)).await.unwrap()
}

/// Tries until the answer is as wished.
async fn until(target: (IpAddr, u16), wished: impl Fn(&std::io::Result<String>) -> bool) {
    while !wished(&node_calls(target).await) {
        tokio::task::yield_now().await;
    }
}

fn refused(result: &std::io::Result<String>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[test]
fn a_service_answers_from_everywhere() {
    on_a_node(async |node| {
        let (one, two, three) = (node.pod(2), node.pod(3), node.pod(4));
        one.serve(8080);
        two.serve(8080);
        node.service(json!({"type": "NodePort", "ports": [
            {"name": "http", "port": PORT, "nodePort": 31001, "targetPort": "web"},
        ]}));
        node.endpoints(&[&one, &two], 8080);
        let proxy = node.start().await;

        let from_pod = three.call((SERVICE, PORT)).await.unwrap();
        assert!(from_pod.ends_with(&format!(" {}", three.address)), "the caller's address stays: {from_pod}");
        node_calls((SERVICE, PORT)).await.unwrap();
        for target in [LOOPBACK, GATEWAY] {
            let answer = node_calls((target, 31001)).await.unwrap();
            assert!(answer.ends_with(&format!(" {GATEWAY}")), "{answer}");
        }
        three.call((GATEWAY, 31001)).await.unwrap();
        // Chance sends a pod to each of the two, itself among them.
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 2 {
            seen.insert(one.call((SERVICE, PORT)).await.unwrap());
        }
        let own = format!("{} {GATEWAY}", one.address);
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [own, format!("{} {}", two.address, one.address)]);
        assert!(refused(&node_calls((SERVICE, 81)).await), "a port that is not the service's");
        proxy.stop().await;
        node_calls((SERVICE, PORT)).await.unwrap();
    });
}

#[test]
fn endpoints_come_and_go_without_harm_to_open_connections() {
    on_a_node(async |node| {
        let (one, two) = (node.pod(2), node.pod(3));
        one.serve(8080);
        two.serve(8081);
        node.service(json!({"type": "NodePort", "ports": [
            {"name": "http", "port": PORT, "nodePort": 31001, "targetPort": "web"},
        ]}));
        let proxy = node.start().await;
        for target in [(SERVICE, PORT), (LOOPBACK, 31001)] {
            assert!(refused(&node_calls(target).await));
        }
        let client = node.pod(9);
        assert!(refused(&client.call((SERVICE, PORT)).await));

        node.endpoints(&[&one], 8080);
        until((SERVICE, PORT), Result::is_ok).await;
        let mut open = spawn_blocking(|| TcpStream::connect((SERVICE, PORT)).unwrap()).await.unwrap();
        node.endpoints(&[&two], 8081);
        let at_two = two.address.to_string();
        until((SERVICE, PORT), |answer| answer.as_ref().is_ok_and(|answer| answer.starts_with(&at_two))).await;
        proxy.stop().await;
        let proxy = node.start().await;
        let answer = spawn_blocking(move || {
            open.write_all(b"?").unwrap();
            open.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            open.read_to_string(&mut answer).unwrap();
            answer
        });
        assert!(answer.await.unwrap().starts_with(&one.address.to_string()));

        node.api.delete("endpointslices", "default", "web-1");
        until((SERVICE, PORT), refused).await;
        node.api.delete("services", "default", "web");
        proxy.stop().await;
        proxy::destroy(TABLE).unwrap();
        proxy::destroy(TABLE).unwrap();
    });
}

#[test]
fn rules_that_somebody_removes_come_back() {
    on_a_node(async |node| {
        let pod = node.pod(2);
        pod.serve(8080);
        node.service(json!({"type": "NodePort", "ports": [
            {"name": "http", "port": PORT, "nodePort": 31001, "targetPort": "web"},
        ]}));
        node.endpoints(&[&pod], 8080);
        let proxy = node.start().await;
        node_calls((LOOPBACK, 31001)).await.unwrap();
        proxy::destroy(TABLE).unwrap();
        assert!(refused(&call((LOOPBACK, 31001))), "the proxy had no turn yet");
        until((LOOPBACK, 31001), Result::is_ok).await;
        proxy.stop().await;
    });
}

#[test]
fn a_caller_with_affinity_stays_where_it_was() {
    on_a_node(async |node| {
        let pods: Vec<Arc<Pod>> = (2..6).map(|last| node.pod(last)).collect();
        pods.iter().for_each(|pod| pod.serve(8080));
        node.service(json!({"sessionAffinity": "ClientIP"}));
        node.endpoints(&pods.iter().collect::<Vec<_>>(), 8080);
        let proxy = node.start().await;
        let first = node_calls((SERVICE, PORT)).await.unwrap();
        for _ in 0..32 {
            assert_eq!(node_calls((SERVICE, PORT)).await.unwrap(), first);
        }
        // Other endpoints leave: nothing changes. The own one leaves: another is chosen, and kept.
        let own = pods.iter().find(|pod| first.starts_with(&pod.address.to_string())).unwrap();
        let others: Vec<&Arc<Pod>> = pods.iter().filter(|pod| pod.address != own.address).collect();
        node.endpoints(&[own, others[0]], 8080);
        assert_eq!(node_calls((SERVICE, PORT)).await.unwrap(), first);
        node.endpoints(&others, 8080);
        until((SERVICE, PORT), |answer| answer.as_ref().is_ok_and(|answer| *answer != first)).await;
        let second = node_calls((SERVICE, PORT)).await.unwrap();
        for _ in 0..32 {
            assert_eq!(node_calls((SERVICE, PORT)).await.unwrap(), second);
        }
        proxy.stop().await;
    });
}

#[test]
fn a_sender_of_datagrams_is_led_to_the_new_endpoint() {
    on_a_node(async |node| {
        let ports = json!([{"name": "dns", "port": 53, "protocol": "UDP"}]);
        let pods = [node.pod(2), node.pod(3)];
        let servers = pods.clone().map(|pod| {
            let address = (pod.address, 53);
            pod.namespace.run(|| UdpSocket::bind(address).unwrap()).unwrap()
        });
        let endpoint = |pod: &Arc<Pod>| vec![json!({"addresses": [pod.address], "nodeName": "here"})];
        node.service(json!({"ports": [{"name": "dns", "port": 53, "protocol": "UDP"}]}));
        node.slice(endpoint(&pods[0]), &ports);
        let proxy = node.start().await;
        let client = UdpSocket::bind((GATEWAY, 0)).unwrap();
        client.connect((SERVICE, 53)).unwrap();
        servers.iter().for_each(|server| server.set_nonblocking(true).unwrap());
        let mut buffer = [0; 8];
        for (pod, server) in pods.iter().zip(&servers) {
            node.slice(endpoint(pod), &ports);
            while server.recv(&mut buffer).is_err() {
                client.send(b"?").unwrap();
                tokio::task::yield_now().await;
            }
        }
        proxy.stop().await;
    });
}

#[test]
fn the_table_reads_well() {
    on_a_node(async |node| {
        node.service(json!({
            "type": "LoadBalancer",
            "externalTrafficPolicy": "Local",
            "loadBalancerSourceRanges": ["198.51.100.0/24"],
            "ports": [{"name": "http", "port": PORT, "nodePort": 31001, "targetPort": "web"}],
        }));
        let mut service = node.api.get("services", "default", "web").unwrap();
        service["status"] = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}});
        node.api.put("services", service);
        let elsewhere = json!({"addresses": ["10.244.7.7"], "nodeName": "there"});
        node.slice(vec![elsewhere], &json!([{"name": "http", "port": 8080, "protocol": "TCP"}]));
        let proxy = node.start().await;
        let output = spawn_blocking(|| Command::new("nft").args(["list", "table", "inet", TABLE]).output());
        if let Ok(output) = output.await.unwrap() {
            let listing = String::from_utf8(output.stdout).unwrap().replace('\t', "    ");
            let listing = with_sorted_elements(&listing);
            expect![[r#"
                table inet pintle {
                    set cluster-addresses {
                        type ipv4_addr
                        elements = { 10.96.0.7 }
                    }

                    map guarded-addresses {
                        type ipv4_addr . inet_proto . inet_service : verdict
                        elements = { 192.0.2.9 . tcp . 80 : goto guard/default/web/tcp/http }
                    }

                    set hairpins {
                        type ipv4_addr . ipv4_addr
                        elements = { 10.244.7.7 . 10.244.7.7 }
                    }

                    map node-ports {
                        type inet_proto . inet_service : verdict
                        elements = { tcp . 31001 : goto external/default/web/tcp/http }
                    }

                    map refused-addresses {
                        type ipv4_addr . inet_proto . inet_service : verdict
                        elements = { 192.0.2.9 . tcp . 80 : drop }
                    }

                    map refused-node-ports {
                        type inet_proto . inet_service : verdict
                        elements = { tcp . 31001 : drop }
                    }

                    map service-addresses {
                        type ipv4_addr . inet_proto . inet_service : verdict
                        elements = { 10.96.0.7 . tcp . 80 : goto service/default/web/tcp/http, 192.0.2.9 . tcp . 80 : goto external/default/web/tcp/http }
                    }

                    chain external/default/web/tcp/http {
                        fib saddr type local meta mark set meta mark | 0x00004000
                        fib saddr type local goto service/default/web/tcp/http
                    }

                    chain filter-output {
                        type filter hook output priority -90; policy accept;
                        ct state new jump refused
                    }

                    chain filter-prerouting {
                        type filter hook prerouting priority dstnat + 10; policy accept;
                        ct state new jump refused
                    }

                    chain guard-prerouting {
                        type filter hook prerouting priority dstnat - 10; policy accept;
                        ct state new ip daddr . meta l4proto . th dport vmap @guarded-addresses
                    }

                    chain guard/default/web/tcp/http {
                        ip saddr 198.51.100.0/24 return
                        drop
                    }

                    chain nat-output {
                        type nat hook output priority -100; policy accept;
                        jump services
                    }

                    chain nat-postrouting {
                        type nat hook postrouting priority srcnat; policy accept;
                        meta mark & 0x00004000 != 0x00000000 meta mark set meta mark & 0xffffbfff masquerade fully-random
                        ct status dnat ip saddr . ip daddr @hairpins masquerade fully-random
                    }

                    chain nat-prerouting {
                        type nat hook prerouting priority dstnat; policy accept;
                        jump services
                    }

                    chain refused {
                        ip daddr . meta l4proto . th dport vmap @refused-addresses
                        ip daddr @cluster-addresses goto reject
                        meta nfproto ipv4 fib daddr type local meta l4proto . th dport vmap @refused-node-ports
                    }

                    chain reject {
                        meta l4proto tcp reject with tcp reset
                        reject
                    }

                    chain service/default/web/tcp/http {
                        meta l4proto tcp dnat ip to 10.244.7.7:8080
                    }

                    chain services {
                        ip daddr . meta l4proto . th dport vmap @service-addresses
                        meta nfproto ipv4 fib daddr type local meta l4proto . th dport vmap @node-ports
                    }
                }
            "#]].assert_eq(&listing);
        }
        proxy.stop().await;
    });
}

/// The kernel's order of elements follows a random seed.
fn with_sorted_elements(listing: &str) -> String {
    let mut sorted = String::new();
    for (number, part) in listing.split("elements = {").enumerate() {
        let Some((elements, rest)) = part.split_once('}').filter(|_| number > 0) else {
            sorted.push_str(part);
            continue;
        };
        let mut elements: Vec<&str> = elements.split(',').map(str::trim).collect();
        elements.sort_unstable();
        sorted.push_str(&format!("elements = {{ {} }}{rest}", elements.join(", ")));
    }
    sorted
}
