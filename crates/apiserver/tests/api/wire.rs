//! The server over TLS, and its connections to kubelets.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::json;
use stdx::Ambient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::sync::CancellationToken;

use crate::common::{Cluster, config};

/// A cluster's authority and what it signs.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

pub(crate) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Authority { params, key, certificate }
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    pub(crate) fn client(&self, name: &str, group: &str) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.distinguished_name.push(DnType::OrganizationName, group);
        self.sign(params)
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Arc::new(roots)
    }

    fn server_config(&self, alpn: &[&[u8]]) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), provider.clone());
        let (chain, key) = self.sign(CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }

    pub(crate) fn client_config(&self, identity: Option<Identity>, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots());
        let mut config = match identity {
            Some((chain, key)) => config.with_client_auth_cert(chain, key).unwrap(),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }
}

pub(crate) struct Served {
    pub(crate) authority: Authority,
    pub(crate) address: SocketAddr,
    pub(crate) cluster: Cluster,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

pub(crate) async fn serve() -> Served {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut config = config(Ambient::system());
    config.advertise = address;
    config.kubelet_tls = Some(authority.client_config(None, &[]));
    let cluster = Cluster::with(config).await;
    let (server, cancel) = (cluster.server.clone(), CancellationToken::new());
    let tls = authority.server_config(&[b"h2", b"http/1.1"]);
    let stop = cancel.clone();
    let task = tokio::spawn(async move { server.serve(listener, tls, stop).await });
    Served { authority, address, cluster, cancel, task }
}

impl Served {
    async fn send(&self, identity: Option<Identity>, h2: bool, request: Request<Empty<Bytes>>) -> Response<Incoming> {
        let alpn: &[&[u8]] = if h2 { &[b"h2"] } else { &[b"http/1.1"] };
        let tls = self.authority.client_config(identity, alpn);
        let stream = TcpStream::connect(self.address).await.unwrap();
        let stream = TlsConnector::from(tls).connect(ServerName::from(self.address.ip()), stream).await.unwrap();
        if h2 {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        }
    }

    fn request(&self, path: &str) -> Request<Empty<Bytes>> {
        let uri = format!("https://{}{path}", self.address);
        Request::get(uri).header("host", self.address.to_string()).body(Empty::new()).unwrap()
    }
}

#[tokio::test]
async fn certificates_tokens_and_nobody_are_told_apart_on_both_protocols() {
    let served = serve().await;
    for h2 in [false, true] {
        let admin = || Some(served.authority.client("jane", "system:masters"));
        let listed = served.send(admin(), h2, served.request("/api/v1/namespaces")).await;
        assert_eq!(listed.status(), StatusCode::OK);
        assert_eq!(served.send(None, h2, served.request("/readyz")).await.status(), StatusCode::OK);
        assert_eq!(served.send(None, h2, served.request("/api")).await.status(), StatusCode::FORBIDDEN);
        let mut wrong = served.request("/readyz");
        wrong.headers_mut().insert("authorization", "Bearer nonsense".parse().unwrap());
        assert_eq!(served.send(None, h2, wrong).await.status(), StatusCode::UNAUTHORIZED);
        let user = Some(served.authority.client("bob", "nobody"));
        assert_eq!(served.send(user, h2, served.request("/api/v1/namespaces")).await.status(), StatusCode::FORBIDDEN);
    }
    let admin = &served.cluster.admin;
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    admin.create(accounts, json!({"metadata": {"name": "bot"}})).await;
    let token = admin.create(&format!("{accounts}/bot/token"), json!({"spec": {}})).await;
    let mut request = served.request("/api");
    let value = format!("Bearer {}", token["status"]["token"].as_str().unwrap());
    request.headers_mut().insert("authorization", value.parse().unwrap());
    assert_eq!(served.send(None, true, request).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_end_of_the_server_ends_its_watches() {
    let served = serve().await;
    let admin = Some(served.authority.client("jane", "system:masters"));
    let path = "/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Dnone";
    let watch = served.send(admin, false, served.request(path)).await;
    assert_eq!(watch.status(), StatusCode::OK);
    served.cancel.cancel();
    assert!(watch.into_body().collect().await.unwrap().to_bytes().is_empty());
    served.task.await.unwrap();
}

/// A kubelet that answers every request with the same bytes and reports what it was asked.
async fn kubelet(authority: &Authority, answer: &'static str) -> (u16, tokio::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(authority.server_config(&[]));
    let (asked, receiver) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            let sent = asked.send(String::from_utf8(head).unwrap()).await;
            if sent.is_err() || stream.write_all(answer.as_bytes()).await.is_err() || stream.shutdown().await.is_err() {
                break;
            }
        }
    });
    (port, receiver)
}

async fn bound_pod(served: &Served, port: u16) {
    let admin = &served.cluster.admin;
    let account = json!({"metadata": {"name": "default"}});
    admin.create("/api/v1/namespaces/default/serviceaccounts", account).await;
    admin.create("/api/v1/nodes", json!({"metadata": {"name": "n"}})).await;
    let status = json!({"status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }});
    let (code, _) = admin.call("PATCH", "/api/v1/nodes/n/status", Some(status)).await;
    assert_eq!(code, 200);
    let containers = json!([{"name": "c", "image": "i"}, {"name": "d", "image": "i"}]);
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": containers, "nodeName": "n"}});
    admin.create("/api/v1/namespaces/default/pods", pod).await;
}

#[tokio::test]
async fn logs_come_from_the_kubelet_and_carry_no_credentials_to_it() {
    let served = serve().await;
    let (port, mut asked) =
        kubelet(&served.authority, "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nhello\n").await;
    bound_pod(&served, port).await;
    let log = "/api/v1/namespaces/default/pods/a/log";
    let (code, _, message) = served.cluster.admin.refused("GET", log, None).await;
    assert_eq!((code, message.as_str()), (400, "a container name must be specified for pod a, choose one of: [c d]"));
    let admin = Some(served.authority.client("jane", "system:masters"));
    let mut request = served.request(&format!("{log}?container=c&tailLines=5"));
    request.headers_mut().insert("cookie", "secret".parse().unwrap());
    let response = served.send(admin, false, request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello\n");
    let head = asked.recv().await.unwrap();
    assert!(head.starts_with("GET /containerLogs/default/a/c?container=c&tailLines=5 HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("secret"), "{head}");
}

#[tokio::test]
async fn a_nodes_own_pages_are_read_through_its_proxy() {
    let served = serve().await;
    let metrics = "HTTP/1.1 203 Odd\r\ncontent-type: text/x\r\ncontent-length: 3\r\nconnection: close\r\n\r\na 1";
    let (port, mut asked) = kubelet(&served.authority, metrics).await;
    bound_pod(&served, port).await;
    let nobody = served.cluster.user("jane", &[]).refused("GET", "/api/v1/nodes/n/proxy/metrics", None).await;
    assert_eq!(nobody.0, 403);
    let (code, _, message) = served.cluster.admin.refused("GET", "/api/v1/nodes/gone/proxy/metrics", None).await;
    assert_eq!((code, message.as_str()), (404, r#"nodes "gone" not found"#));
    let admin = Some(served.authority.client("jane", "system:masters"));
    let mut request = served.request("/api/v1/nodes/n/proxy/metrics/a%20b?x=y");
    request.headers_mut().insert("upgrade", "websocket".parse().unwrap());
    let response = served.send(admin, false, request).await;
    assert_eq!((response.status().as_u16(), &response.headers()["content-type"]), (203, &"text/x".parse().unwrap()));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "a 1");
    let head = asked.recv().await.unwrap();
    assert!(head.starts_with("GET /metrics/a%20b?x=y HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("websocket"), "{head}");
}

#[tokio::test]
async fn a_kubelet_that_redirects_is_not_followed() {
    let served = serve().await;
    let redirect =
        "HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (port, _asked) = kubelet(&served.authority, redirect).await;
    bound_pod(&served, port).await;
    let admin = || Some(served.authority.client("jane", "system:masters"));
    let log = served.request("/api/v1/namespaces/default/pods/a/log?container=c");
    assert_eq!(served.send(admin(), false, log).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let mut exec = served.request("/api/v1/namespaces/default/pods/a/exec?container=c&command=ls");
    exec.headers_mut().insert("connection", "Upgrade".parse().unwrap());
    exec.headers_mut().insert("upgrade", "SPDY/3.1".parse().unwrap());
    assert_eq!(served.send(admin(), false, exec).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn exec_joins_the_client_with_the_container() {
    let served = serve().await;
    let switched = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\nfrom inside";
    let (port, mut asked) = kubelet(&served.authority, switched).await;
    bound_pod(&served, port).await;
    let admin = Some(served.authority.client("jane", "system:masters"));
    let mut exec = served.request("/api/v1/namespaces/default/pods/a/exec?container=c&command=ls");
    exec.headers_mut().insert("connection", "Upgrade".parse().unwrap());
    exec.headers_mut().insert("upgrade", "SPDY/3.1".parse().unwrap());
    let tls = served.authority.client_config(admin, &[b"http/1.1"]);
    let stream = TcpStream::connect(served.address).await.unwrap();
    let stream = TlsConnector::from(tls).connect(ServerName::from(served.address.ip()), stream).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(exec).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut joined = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    let mut text = Vec::new();
    joined.read_to_end(&mut text).await.unwrap();
    assert_eq!(text, b"from inside");
    assert!(asked.recv().await.unwrap().starts_with("GET /exec/default/a/c?container=c&command=ls HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_stream_to_a_pod_is_joined_and_one_to_a_kubelet_needs_the_right_to_create() {
    let served = serve().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let switched = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nwelcome";
        stream.write_all(switched.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(head).unwrap()
    });
    bound_pod(&served, port).await;
    let pod = "/api/v1/namespaces/default/pods/a";
    let status = json!({"status": {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}});
    assert!(served.cluster.admin.call("PATCH", &format!("{pod}/status"), Some(status)).await.0.is_success());
    let upgrade = |path: &str| {
        let mut request = served.request(path);
        request.headers_mut().insert("connection", "Upgrade".parse().unwrap());
        request.headers_mut().insert("upgrade", "websocket".parse().unwrap());
        request.headers_mut().insert("origin", "https://page".parse().unwrap());
        request
    };
    let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods/proxy", "nodes/proxy"]}]);
    let role = json!({"metadata": {"name": "reader"}, "rules": rules});
    served.cluster.admin.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", role).await;
    let binding = json!({"metadata": {"name": "reader"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole", "name": "reader"}, "subjects": [{"kind": "User", "name": "jane",
        "apiGroup": "rbac.authorization.k8s.io"}]});
    served.cluster.admin.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding).await;
    let jane = || Some(served.authority.client("jane", "developers"));
    let entering = served.send(jane(), false, upgrade("/api/v1/nodes/n/proxy/exec/default/a/c?command=ls")).await;
    assert_eq!(entering.status(), StatusCode::FORBIDDEN);
    let tls = served.authority.client_config(jane(), &[b"http/1.1"]);
    let stream = TcpStream::connect(served.address).await.unwrap();
    let stream = TlsConnector::from(tls).connect(ServerName::from(served.address.ip()), stream).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    let request = upgrade(&format!("{pod}:{port}/proxy/live?a=b"));
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut joined = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    let mut text = Vec::new();
    joined.read_to_end(&mut text).await.unwrap();
    assert_eq!(text, b"welcome");
    let head = heard.await.unwrap();
    assert!(head.starts_with("GET /live?a=b HTTP/1.1\r\n") && head.contains("origin: https://page"), "{head}");
}
