//! Requests handed on to pods, services and nodes.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use stdx::Ambient;
use store::{Expect, Operation, Store, Transaction};
use tokio::net::TcpListener;

use crate::common::{Cluster, config, read};

const NAMESPACE: &str = "/api/v1/namespaces/default";

/// A server that tells what it was asked, and redirects where its path says so.
async fn backend() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(tell)),
            );
        }
    });
    port
}

async fn tell(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let headers: serde_json::Map<String, Value> =
        head.headers.iter().map(|(name, value)| (name.to_string(), Value::from(value.to_str().unwrap()))).collect();
    let told = json!({
        "method": head.method.as_str(),
        "target": head.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let mut response = Response::new(Full::from(told.to_string()));
    response.headers_mut().insert("access-control-allow-origin", "*".parse().unwrap());
    if head.uri.path() == "/moved" {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert("location", "/login?x=1".parse().unwrap());
    }
    Ok(response)
}

/// A cluster that may dial this machine, and what it rests in.
struct Proxied {
    cluster: Cluster,
    store: Arc<dyn Store>,
}

/// With a pod `web` on this machine.
async fn proxied(port: u16) -> Proxied {
    let mut config = config(Ambient::simulated(1));
    config.advertise = SocketAddr::from(([127, 0, 0, 1], 6443));
    let store = config.store.clone();
    let cluster = Cluster::with(config).await;
    let admin = &cluster.admin;
    let account = json!({"metadata": {"name": "default"}, "automountServiceAccountToken": false});
    admin.create(&format!("{NAMESPACE}/serviceaccounts"), account).await;
    let ports = json!([{"containerPort": port}]);
    let pod =
        json!({"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "i", "ports": ports}]}});
    admin.create(&format!("{NAMESPACE}/pods"), pod).await;
    let status = json!({"status": {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}});
    assert!(admin.call("PATCH", &format!("{NAMESPACE}/pods/web/status"), Some(status)).await.0.is_success());
    Proxied { cluster, store }
}

impl Proxied {
    /// Writes Endpoints past the API, which takes no loopback address: there is no other to listen on in a test.
    async fn endpoints(&self, name: &str, subset: Value, expect: Expect) {
        let object = json!({"kind": "Endpoints", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": "default"}, "subsets": [subset]});
        let key = format!("/registry/core/endpoints/default/{name}");
        let operations = vec![Operation::put(key, Bytes::from(object.to_string()), expect)];
        self.store.commit(Transaction { operations, author: None }).await.unwrap();
    }
}

/// A service of which `web` is the only endpoint, at the port.
async fn service(proxied: &Proxied, name: &str, port: u16) {
    let ports = json!([{"name": "http", "port": 80}, {"name": "admin", "port": 81}]);
    let service = json!({"metadata": {"name": name}, "spec": {"ports": ports}});
    proxied.cluster.admin.create(&format!("{NAMESPACE}/services"), service).await;
    let target = json!({"kind": "Pod", "namespace": "default", "name": "web"});
    let subset = json!({"addresses": [{"ip": "127.0.0.1", "targetRef": target}],
        "ports": [{"name": "http", "port": port}]});
    proxied.endpoints(name, subset, Expect::Absent).await;
}

#[tokio::test]
async fn every_method_reaches_the_pod_with_its_headers_and_without_its_credentials() {
    let port = backend().await;
    let Proxied { cluster, .. } = proxied(port).await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let request = Request::builder()
            .method(method)
            .uri(format!("{NAMESPACE}/pods/web:{port}/proxy/a%20b%2F//c/?x=%2Fy&z"))
            .header("host", "kube:6443")
            .header("authorization", "Bearer secret")
            .header("connection", "x-mine")
            .header("x-mine", "1")
            .header("cookie", "of the page");
        let sent = if method == "GET" { "" } else { "some words" };
        let response = cluster.admin.send(request.body(Full::from(sent)).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK, "{method}");
        assert_eq!(response.headers().get("access-control-allow-origin"), None);
        let told = read(response).await;
        assert_eq!(
            (&told["method"], &told["target"], &told["body"]),
            (&json!(method), &json!("/a%20b%2F//c/?x=%2Fy&z"), &json!(sent))
        );
        let headers = told["headers"].as_object().unwrap();
        assert_eq!(headers["host"], "kube:6443");
        assert_eq!(headers["cookie"], "of the page");
        let forwarded = format!("{NAMESPACE}/pods/web:{port}/proxy/a%20b%2F//c/");
        assert_eq!(headers["x-forwarded-uri"], forwarded);
        assert!(!headers.contains_key("authorization") && !headers.contains_key("x-mine"), "{headers:?}");
    }
    // Without a port the first one that a container names.
    assert_eq!(cluster.admin.get(&format!("{NAMESPACE}/pods/web/proxy/")).await["target"], "/");
}

#[tokio::test]
async fn redirects_lead_back_through_the_proxy() {
    let port = backend().await;
    let proxied = proxied(port).await;
    let cluster = &proxied.cluster;
    service(&proxied, "web", port).await;
    let root = format!("{NAMESPACE}/services/web:http/proxy");
    for (path, code, expected) in
        [("?a=b".to_owned(), 301, format!("{root}/?a=b")), ("/moved".to_owned(), 302, format!("{root}/login?x=1"))]
    {
        let request = Request::get(format!("{root}{path}")).body(Full::default()).unwrap();
        let response = cluster.admin.send(request).await;
        assert_eq!((response.status().as_u16(), response.headers()["location"].to_str().unwrap()), (code, &*expected));
    }
}

#[tokio::test]
async fn services_are_found_by_name_and_number_and_refusals_read_as_upstreams() {
    let port = backend().await;
    let proxied = proxied(port).await;
    let cluster = &proxied.cluster;
    service(&proxied, "web", port).await;
    let path = |name: &str| format!("{NAMESPACE}/services/{name}/proxy/x");
    for name in ["web:http", "web:80", "http:web:80"] {
        assert_eq!(cluster.admin.get(&path(name)).await["target"], "/x", "{name}");
    }
    let admin = &cluster.admin;
    let bare = json!({"metadata": {"name": "bare"}, "spec": {"ports": [{"port": 80}]}});
    admin.create(&format!("{NAMESPACE}/services"), bare).await;
    admin.create(&format!("{NAMESPACE}/endpoints"), json!({"metadata": {"name": "bare"}})).await;
    for (name, code, reason, message) in [
        ("web:admin", 503, "ServiceUnavailable", "no endpoints available for service \"web:admin\""),
        ("web:82", 503, "ServiceUnavailable", "no service port 82 found for service \"web\""),
        ("bare", 503, "ServiceUnavailable", "no endpoints available for service \"bare\""),
        ("gone", 404, "NotFound", "endpoints \"gone\" not found"),
        ("ftp:web:80", 400, "BadRequest", "invalid service request \"ftp:web:80\""),
    ] {
        let expected = (code, reason.to_owned(), message.to_owned());
        assert_eq!(admin.refused("GET", &path(name), None).await, expected, "{name}");
    }
    // Endpoints that no pod stands behind lead nowhere.
    let subset = json!({"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": port}]});
    proxied.endpoints("bare", subset, Expect::Anything).await;
    assert_eq!(admin.refused("GET", &path("bare"), None).await.2, "no endpoints available for service \"bare\"");
}

#[tokio::test]
async fn what_cannot_or_may_not_be_reached_is_told() {
    let port = backend().await;
    let Proxied { cluster, .. } = proxied(port).await;
    let admin = &cluster.admin;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let refused = admin.refused("GET", &format!("{NAMESPACE}/pods/web:{closed}/proxy/"), None).await;
    let why = format!("error trying to reach service: dial tcp 127.0.0.1:{closed}: connect: connection refused");
    assert_eq!(refused, (503, "ServiceUnavailable".to_owned(), why));
    let status = json!({"status": {"podIP": "169.254.169.254", "podIPs": [{"ip": "169.254.169.254"}]}});
    assert!(admin.call("PATCH", &format!("{NAMESPACE}/pods/web/status"), Some(status)).await.0.is_success());
    let refused = admin.refused("GET", &format!("{NAMESPACE}/pods/web:80/proxy/"), None).await;
    assert_eq!(refused, (400, "BadRequest".to_owned(), "address not allowed".to_owned()));
    let jane = cluster.user("jane", &["system:authenticated"]);
    let refused = jane.refused("GET", &format!("{NAMESPACE}/pods/web:80/proxy/"), None).await;
    let why = "pods \"web:80\" is forbidden: User \"jane\" cannot get resource \"pods/proxy\" in API group \"\" in the \
               namespace \"default\"";
    assert_eq!((refused.0, refused.2.as_str()), (403, why));
}
