//! What no honest client sends: it is refused with a reason, and whoever sent it can go on.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::common::CONFIG_MAPS;
use crate::wire::{Served, serve};

const PODS: &str = "/api/v1/namespaces/default/pods";
const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const JSON_PATCH: &str = "application/json-patch+json";
const MAX_BODY_BYTES: usize = 3 << 20;

/// One connection, for one request after another.
struct Line {
    sender: Sender,
    base: String,
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Line {
    async fn open(served: &Served, h2: bool) -> Self {
        let stream = connect(served, if h2 { b"h2" } else { b"http/1.1" }).await;
        let sender = if h2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            Sender::Two(sender)
        } else {
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            Sender::One(sender)
        };
        Line { sender, base: format!("https://{}", served.address) }
    }

    /// The answer's code, and its body as JSON or text.
    async fn ask(&mut self, method: &str, path: &str, content_type: &str, body: impl Into<Bytes>) -> (u16, Value) {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base)).header("host", "server");
        let request = request.header("content-type", content_type).body(Full::new(body.into())).unwrap();
        let response = match &mut self.sender {
            Sender::One(sender) => sender.send_request(request).await,
            Sender::Two(sender) => sender.send_request(request).await,
        };
        let response = response.unwrap();
        let code = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = || Value::from(String::from_utf8_lossy(&bytes).into_owned());
        (code.as_u16(), serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
    }

    /// Sends what is refused with this code, reason and part of a message; then the connection serves on.
    async fn refused(&mut self, request: (&str, &str, &str), body: impl Into<Bytes>, expected: (u16, &str, &str)) {
        let (method, path, content_type) = request;
        let (code, answer) = self.ask(method, path, content_type, body).await;
        let (reason, message) = (answer["reason"].as_str().unwrap_or(""), answer["message"].as_str().unwrap_or(""));
        assert_eq!((code, reason), (expected.0, expected.1), "{path}: {answer}");
        assert!(message.contains(expected.2), "{message}");
        let (code, namespace) = self.ask("GET", "/api/v1/namespaces/default", JSON, "").await;
        assert_eq!((code, &namespace["kind"]), (200, &json!("Namespace")), "after {path} was refused");
    }
}

async fn connect(served: &Served, protocol: &[u8]) -> TlsStream<TcpStream> {
    let identity = Some(served.authority.client("jane", "system:masters"));
    let tls = served.authority.client_config(identity, &[protocol]);
    let stream = TcpStream::connect(served.address).await.unwrap();
    TlsConnector::from(tls).connect(ServerName::from(served.address.ip()), stream).await.unwrap()
}

fn config_map(data: &str) -> String {
    format!(r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{{"name":"a"}},"data":{data}}}"#)
}

fn nested(levels: usize) -> String {
    config_map(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)))
}

fn pod_with(memory: &str) -> String {
    let resources = json!({"requests": {"memory": memory}});
    let pod = json!({
        "kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "c", "image": "i", "resources": resources}]},
    });
    pod.to_string()
}

/// Aliases of aliases: a few lines that unfold to a billion.
fn bomb() -> String {
    let mut bomb = "kind: ConfigMap\napiVersion: v1\na0: &a0 boom\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    bomb
}

#[tokio::test]
async fn what_no_decoder_takes_is_refused_and_the_connection_serves_on() {
    let served = serve().await;
    for h2 in [false, true] {
        let mut line = Line::open(&served, h2).await;
        let create = |content_type| ("POST", CONFIG_MAPS, content_type);
        let bad_request = |message| (400, "BadRequest", message);
        for levels in [129, 10_001, 1_000_000] {
            line.refused(create(JSON), nested(levels), bad_request("recursion limit exceeded")).await;
            line.refused(create(YAML), nested(levels), bad_request("error converting YAML to JSON: yaml: ")).await;
        }
        line.refused(create(YAML), bomb(), bad_request("document contains excessive aliasing")).await;
        let mut broken = config_map(r#"{"a":"?"}"#).into_bytes();
        let at = broken.iter().position(|byte| *byte == b'?').unwrap();
        broken[at] = 0xff;
        line.refused(create(JSON), broken.clone(), bad_request("invalid unicode code point")).await;
        line.refused(create(YAML), broken, bad_request("invalid")).await;
        line.refused(create(JSON), config_map("{"), bad_request("EOF while parsing")).await;
        line.refused(create(codec::protobuf::MEDIA_TYPE), "k8s\0\u{1}\u{1}", bad_request("")).await;
        line.refused(create(codec::cbor::MEDIA_TYPE), vec![0xbf; 100_000], bad_request("")).await;
        line.refused(create("text/plain"), config_map("{}"), (415, "UnsupportedMediaType", "in an unknown format"))
            .await;
    }
}

#[tokio::test]
async fn numbers_beyond_all_bounds_are_refused_or_held() {
    let served = serve().await;
    let account = json!({"metadata": {"name": "default"}});
    served.cluster.admin.create("/api/v1/namespaces/default/serviceaccounts", account).await;
    let mut line = Line::open(&served, false).await;
    let negative =
        "spec.containers[0].resources.requests[memory]: Invalid value: \"-1\": must be greater than or equal to 0";
    line.refused(("POST", PODS, JSON), pod_with("-1"), (422, "Invalid", negative)).await;
    for quantity in ["1e99999999999", "1Zi", "0x10", "--1", "1.2.3", "NaN", "", "1 Gi"] {
        let expected = (400, "BadRequest", "quantities must match the regular expression");
        line.refused(("POST", PODS, JSON), pod_with(quantity), expected).await;
    }
    for replicas in ["2147483648", "-9223372036854775809", "1e400", "99999999999999999999999999"] {
        let scale = format!(
            r#"{{"kind":"Deployment","apiVersion":"apps/v1","metadata":{{"name":"a"}},"spec":{{"replicas":{replicas}}}}}"#
        );
        let path = "/apis/apps/v1/namespaces/default/deployments";
        line.refused(("POST", path, JSON), scale, (400, "BadRequest", "")).await;
    }
}

#[tokio::test]
async fn a_million_operations_are_counted_and_not_carried_out() {
    let served = serve().await;
    let admin = &served.cluster.admin;
    admin.create(CONFIG_MAPS, serde_json::from_str(&config_map(r#"{"a":"1"}"#)).unwrap()).await;
    let path = format!("{CONFIG_MAPS}/a");
    for h2 in [false, true] {
        let mut line = Line::open(&served, h2).await;
        let million = format!("[{}]", vec!["{}"; 1_000_000].join(","));
        let counted = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 1000000";
        line.refused(("PATCH", &path, JSON_PATCH), million, (413, "RequestEntityTooLarge", counted)).await;
        // Each copy doubles what is there.
        let copies: Vec<Value> = (0..40)
            .map(|at| match at {
                0 => json!({"op": "add", "path": "/data/b", "value": {"c": "x"}}),
                _ => json!({"op": "copy", "from": "/data", "path": format!("/data/c{at}")}),
            })
            .collect();
        let copies = Value::from(copies).to_string();
        line.refused(("PATCH", &path, JSON_PATCH), copies, (422, "Invalid", "rejected our request")).await;
    }
    assert_eq!(admin.get(&path).await["data"], json!({"a": "1"}));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_while_it_comes() {
    let served = serve().await;
    let expected = json!("Request entity too large: limit is 3145728");
    let body = config_map(&format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BODY_BYTES)));
    let mut line = Line::open(&served, true).await;
    let (code, answer) = line.ask("POST", CONFIG_MAPS, JSON, body).await;
    assert_eq!((code, &answer["message"]), (413, &expected));
    let (code, _) = line.ask("GET", "/api/v1/namespaces/default", JSON, "").await;
    assert_eq!(code, 200);
}

#[tokio::test]
async fn selectors_of_any_length_are_read_or_refused() {
    let served = serve().await;
    let admin = &served.cluster.admin;
    admin.create(CONFIG_MAPS, serde_json::from_str(&config_map("{}")).unwrap()).await;
    let values: Vec<String> = (0..2500).map(|at| format!("v{at}")).collect();
    for h2 in [false, true] {
        let mut line = Line::open(&served, h2).await;
        let maps = |selector: String| format!("{CONFIG_MAPS}?labelSelector={selector}");
        for (selector, message) in [
            ("a%3D".to_owned() + &"x".repeat(50_000), "labelSelector is longer than 16384 bytes"),
            ("a%3D".to_owned() + &"x".repeat(10_000), "unable to parse requirement: values[0][a]: Invalid value: "),
            ("a+in+(".to_owned() + &"b,".repeat(5_000), "unable to parse requirement"),
            ("(".repeat(10_000), "unable to parse requirement"),
        ] {
            line.refused(("GET", &maps(selector), JSON), "", (400, "BadRequest", message)).await;
        }
        let many = maps(format!("a+notin+({})", values.join(",")));
        let (code, list) = line.ask("GET", &many, JSON, "").await;
        assert_eq!((code, list["items"].as_array().map(Vec::len)), (200, Some(1)), "all that have no such label");
    }
    // What is longer than an address may be is refused before it is one.
    let mut stream = connect(&served, b"http/1.1").await;
    let endless =
        format!("GET {CONFIG_MAPS}?labelSelector=a%3D{} HTTP/1.1\r\nhost: server\r\n\r\n", "x".repeat(100_000));
    stream.write_all(endless.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 414");
}
