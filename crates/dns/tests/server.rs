//! The server over real sockets, each test in a network namespace of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use netlink::{Namespace, Protocol, Socket, link};
use serde_json::{Value, json};
use stdx::Ambient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[path = "../../proxy/tests/support/mod.rs"]
mod support;
use support::FakeApi;

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const UPSTREAM: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 53);
const CLUSTER_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 10));
/// Tests wait for conditions; one that never comes ends here.
const NEVER: Duration = Duration::from_secs(30);

fn in_a_namespace<F: Future<Output = ()>>(scenario: impl FnOnce(FakeApi) -> F + Send) {
    let namespace = Namespace::unnamed().unwrap();
    namespace
        .run(|| {
            Socket::open(Protocol::Route).unwrap().execute(&[link::set_up(1)]).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let api = FakeApi::new();
                for name in ["default", "kube-system"] {
                    api.put("namespaces", json!({"metadata": {"name": name}}));
                }
                tokio::time::timeout(NEVER, scenario(api)).await.unwrap();
            });
        })
        .unwrap();
}

struct Server {
    cancel: CancellationToken,
    task: JoinHandle<Result<(), dns::Error>>,
}

impl Server {
    async fn start(api: &FakeApi, upstreams: &[SocketAddr]) -> Server {
        let cancel = CancellationToken::new();
        let (ready, mut is_ready) = watch::channel(false);
        let task = tokio::spawn(dns::run(dns::Config {
            client: api.client(),
            listen: SERVER,
            port: 53,
            domain: "cluster.local".to_owned(),
            cluster_dns: CLUSTER_DNS,
            node_name: "here".to_owned(),
            upstreams: upstreams.to_vec(),
            ambient: Ambient::system(),
            ready: Some(ready),
            cancel: cancel.clone(),
        }));
        is_ready.wait_for(|ready| *ready).await.unwrap();
        Server { cancel, task }
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap().unwrap();
    }
}

fn question(name: &str, record_type: RecordType) -> Message {
    let mut message = Message::new(77, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), record_type));
    message
}

async fn ask(message: &Message) -> Message {
    let socket = UdpSocket::bind((SERVER, 0)).await.unwrap();
    socket.connect((SERVER, 53)).await.unwrap();
    socket.send(&message.to_vec().unwrap()).await.unwrap();
    let mut buffer = vec![0; 65_536];
    let length = socket.recv(&mut buffer).await.unwrap();
    Message::from_vec(&buffer[..length]).unwrap()
}

async fn ask_tcp(message: &Message) -> Message {
    let bytes = message.to_vec().unwrap();
    let mut stream = TcpStream::connect((SERVER, 53)).await.unwrap();
    stream.write_all(&[&(bytes.len() as u16).to_be_bytes(), bytes.as_slice()].concat()).await.unwrap();
    let length = stream.read_u16().await.unwrap();
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.unwrap();
    Message::from_vec(&buffer).unwrap()
}

async fn lookup(name: &str, record_type: RecordType) -> Message {
    ask(&question(name, record_type)).await
}

fn data(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| record.data.to_string()).collect()
}

fn service(name: &str, spec: Value) -> Value {
    json!({"metadata": {"namespace": "default", "name": name}, "spec": spec})
}

/// A server of another zone: every name is at 192.0.2.80.
async fn start_upstream() {
    let socket = UdpSocket::bind(UPSTREAM).await.unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let mut message = Message::from_vec(&buffer[..length]).unwrap();
            message.metadata.message_type = MessageType::Response;
            let name = message.queries[0].name().clone();
            let address = RData::A(A(Ipv4Addr::new(192, 0, 2, 80)));
            message.answers.push(Record::from_rdata(name, 60, address));
            socket.send_to(&message.to_vec().unwrap(), from).await.unwrap();
        }
    });
}

#[test]
fn follows_the_cluster() {
    in_a_namespace(async |api| {
        let server = Server::start(&api, &[]).await;
        let name = "Web.default.svc.cluster.local.";
        let missing = lookup(name, RecordType::A).await;
        assert_eq!(missing.metadata.response_code, ResponseCode::NXDomain);
        assert_eq!(missing.authorities[0].record_type(), RecordType::SOA);
        assert!(missing.metadata.authoritative && !missing.metadata.recursion_available);

        api.put("services", service("web", json!({"clusterIP": "10.96.0.7", "ports": [{"port": 80}]})));
        let answer = loop {
            let answer = lookup(name, RecordType::A).await;
            if !answer.answers.is_empty() {
                break answer;
            }
        };
        assert_eq!(data(&answer), ["10.96.0.7"]);
        assert_eq!(answer.queries[0].name().to_ascii(), name, "the spelling of the question");
        assert_eq!(data(&lookup("7.0.96.10.in-addr.arpa.", RecordType::PTR).await), ["web.default.svc.cluster.local."]);
        let nothing = lookup(name, RecordType::AAAA).await;
        assert_eq!((nothing.metadata.response_code, nothing.answers.len()), (ResponseCode::NoError, 0));
        for (name, record_type) in [("example.org.", RecordType::A), ("cluster.local.", RecordType::AXFR)] {
            assert_eq!(lookup(name, record_type).await.metadata.response_code, ResponseCode::Refused);
        }
        let mut notify = question(name, RecordType::A);
        notify.metadata.op_code = OpCode::Notify;
        assert_eq!(ask(&notify).await.metadata.response_code, ResponseCode::NotImp);
        server.stop().await;
    });
}

#[test]
fn publishes_where_it_is_and_mends_what_is_changed() {
    in_a_namespace(async |api| {
        let server = Server::start(&api, &[]).await;
        let name = "kube-dns.kube-system.svc.cluster.local.";
        while data(&lookup(name, RecordType::A).await) != ["10.96.0.10"] {}
        let service = api.get("services", "kube-system", "kube-dns").unwrap();
        assert_eq!(service["spec"]["clusterIP"], "10.96.0.10");
        assert_eq!(service["metadata"]["labels"]["k8s-app"], "kube-dns");
        assert!(service["spec"].get("selector").is_none());
        let slice = || api.get("endpointslices", "kube-system", "kube-dns-here");
        while slice().is_none() {
            tokio::task::yield_now().await;
        }
        let made = slice().unwrap();
        assert_eq!(made["endpoints"][0]["addresses"], json!(["127.0.0.1"]));
        assert_eq!(made["ports"][1], json!({"name": "dns-tcp", "port": 53, "protocol": "TCP"}));

        let mut broken = made.clone();
        broken["endpoints"][0]["addresses"] = json!(["127.9.9.9"]);
        api.put("endpointslices", broken);
        while slice().unwrap()["endpoints"] != made["endpoints"] {
            tokio::task::yield_now().await;
        }
        api.delete("endpointslices", "kube-system", "kube-dns-here");
        while slice().is_none() {
            tokio::task::yield_now().await;
        }
        server.stop().await;
    });
}

#[test]
fn another_dns_server_in_its_place_is_left_alone() {
    in_a_namespace(async |api| {
        let spec = json!({"clusterIP": "10.96.0.10", "selector": {"k8s-app": "kube-dns"}, "ports": [{"port": 53}]});
        api.put("services", json!({"metadata": {"namespace": "kube-system", "name": "kube-dns"}, "spec": spec}));
        let server = Server::start(&api, &[]).await;
        // A change that is seen after the start proves that the publisher has looked.
        api.put("services", service("web", json!({"clusterIP": "10.96.0.7", "ports": [{"port": 80}]})));
        while lookup("web.default.svc.cluster.local.", RecordType::A).await.answers.is_empty() {}
        assert_eq!(api.get("endpointslices", "kube-system", "kube-dns-here"), None);
        server.stop().await;
    });
}

#[test]
fn other_zones_are_asked_elsewhere() {
    in_a_namespace(async |api| {
        start_upstream().await;
        let alias = json!({"type": "ExternalName", "externalName": "example.org"});
        api.put("services", service("far", alias));
        let dead = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 3), 53));
        let own = [SocketAddr::new(SERVER, 53), SocketAddr::new(CLUSTER_DNS, 53)];
        let server = Server::start(&api, &[own[0], own[1], dead, UPSTREAM]).await;
        let answer = lookup("example.org.", RecordType::A).await;
        assert_eq!(data(&answer), ["192.0.2.80"]);
        assert!(answer.metadata.recursion_available && !answer.metadata.authoritative);
        let aliased = lookup("far.default.svc.cluster.local.", RecordType::A).await;
        assert_eq!(data(&aliased), ["example.org.", "192.0.2.80"]);
        server.stop().await;

        let server = Server::start(&api, &[dead]).await;
        assert_eq!(lookup("example.org.", RecordType::A).await.metadata.response_code, ResponseCode::ServFail);
        let aliased = lookup("far.default.svc.cluster.local.", RecordType::A).await;
        assert_eq!(data(&aliased), ["example.org."]);
        server.stop().await;
    });
}

#[test]
fn long_answers_are_cut_for_datagrams_and_whole_over_tcp() {
    in_a_namespace(async |api| {
        let endpoints: Vec<Value> = (1..=60).map(|last| json!({"addresses": [format!("10.244.0.{last}")]})).collect();
        let labels = json!({"kubernetes.io/service-name": "peers"});
        let metadata = json!({"namespace": "default", "name": "peers-1", "labels": labels});
        api.put("services", service("peers", json!({"clusterIP": "None"})));
        api.put(
            "endpointslices",
            json!({"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": []}),
        );
        let server = Server::start(&api, &[]).await;
        let mut message = question("peers.default.svc.cluster.local.", RecordType::A);
        let cut = ask(&message).await;
        assert!(cut.metadata.truncation && cut.answers.len() < 60);
        let whole = ask_tcp(&message).await;
        assert!(!whole.metadata.truncation && whole.answers.len() == 60);
        let mut edns = Edns::new();
        edns.set_max_payload(4096);
        message.set_edns(edns);
        let large = ask(&message).await;
        assert!(!large.metadata.truncation && large.answers.len() == 60);
        assert!(large.edns.is_some());
        // Clients that take the first address are spread.
        let first = data(&large)[0].clone();
        while data(&ask(&message).await)[0] == first {}
        server.stop().await;
    });
}

#[test]
fn a_taken_address_is_named() {
    in_a_namespace(async |api| {
        let server = Server::start(&api, &[]).await;
        let second = dns::run(dns::Config {
            client: api.client(),
            listen: SERVER,
            port: 53,
            domain: "cluster.local".to_owned(),
            cluster_dns: CLUSTER_DNS,
            node_name: "here".to_owned(),
            upstreams: Vec::new(),
            ambient: Ambient::system(),
            ready: None,
            cancel: CancellationToken::new(),
        });
        assert_eq!(second.await.unwrap_err().to_string(), "cannot listen on 127.0.0.1:53");
        server.stop().await;
    });
}
