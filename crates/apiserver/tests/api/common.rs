//! A server over the memory store, and plain requests to it.

use std::sync::Arc;

use apiserver::{ApiServer, Body, Config, LocalService};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use stdx::Ambient;
use tower::ServiceExt;

pub(crate) struct Cluster {
    pub(crate) server: Arc<ApiServer>,
    pub(crate) admin: Caller,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        Cluster::with(config(Ambient::simulated(1))).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let server = ApiServer::start(config).await.unwrap();
        let admin = Caller { service: server.local("admin", &["system:masters"]) };
        Cluster { server, admin }
    }

    pub(crate) fn user(&self, name: &str, groups: &[&str]) -> Caller {
        Caller { service: self.server.local(name, groups) }
    }
}

pub(crate) fn config(ambient: Ambient) -> Config {
    Config {
        store: store::Memory::new(),
        ambient,
        service_cidr: "10.96.0.0/12".to_owned(),
        node_ports: 30000..=32767,
        cluster_domain: "cluster.local".to_owned(),
        client_ca_pem: "no certificate is checked here".to_owned(),
        service_account_key_pem: rcgen::KeyPair::generate().unwrap().serialize_pem(),
        service_account_issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
        advertise: "192.0.2.1:6443".parse().unwrap(),
        kubelet_tls: None,
    }
}

/// Requests under one identity.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) service: LocalService,
}

impl Caller {
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        let Ok(response) = self.service.clone().oneshot(request).await;
        response
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let content_type = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        self.call_as(method, path, content_type, body).await
    }

    pub(crate) async fn call_as(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder().method(method).uri(path).header("content-type", content_type);
        let response = self.send(request.body(Full::new(bytes)).unwrap()).await;
        let code = response.status();
        (code, read(response).await)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (code, value) = self.call("GET", path, None).await;
        assert_eq!(code, StatusCode::OK, "{path}: {value}");
        value
    }

    pub(crate) async fn create(&self, path: &str, object: Value) -> Value {
        let (code, value) = self.call("POST", path, Some(object)).await;
        assert_eq!(code, StatusCode::CREATED, "{path}: {value}");
        value
    }

    /// The refusal a request ends in: code, reason and message.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: Option<Value>) -> (u16, String, String) {
        let (code, value) = self.call(method, path, body).await;
        assert!(code.is_client_error() || code.is_server_error(), "{path}: {code} {value}");
        let text = |field: &str| value[field].as_str().unwrap_or("").to_owned();
        (code.as_u16(), text("reason"), text("message"))
    }

    /// Opens a watch; its events come one by one.
    pub(crate) async fn watch(&self, path: &str) -> Events {
        let response = self.send(Request::get(path).body(Full::default()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        Events { body: response.into_body(), buffer: Vec::new() }
    }
}

pub(crate) struct Events {
    body: Body,
    buffer: Vec<u8>,
}

impl Events {
    pub(crate) fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        Events { body: response.into_body(), buffer: Vec::new() }
    }

    /// The next event as `TYPE name`, or `end`.
    pub(crate) async fn next(&mut self) -> String {
        match self.next_value().await {
            None => "end".to_owned(),
            Some(event) => {
                let name = event["object"]["metadata"]["name"].as_str().unwrap_or("");
                format!("{} {name}", event["type"].as_str().unwrap()).trim_end().to_owned()
            }
        }
    }

    pub(crate) async fn next_value(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = self.body.frame().await?.unwrap();
            self.buffer.extend_from_slice(&frame.into_data().unwrap());
        }
    }
}

pub(crate) async fn read(response: Response<Body>) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()))
}

/// What asks for a certificate for a member of an organization: PKCS#10, in PEM, in base64.
pub(crate) fn signing_request(organization: &str) -> String {
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(rcgen::DnType::OrganizationName, organization);
    let pem = parameters.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem)
}

pub(crate) fn config_map(name: &str) -> Value {
    serde_json::json!({ "kind": "ConfigMap", "apiVersion": "v1", "metadata": { "name": name }, "data": { "a": "1" } })
}

pub(crate) const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
