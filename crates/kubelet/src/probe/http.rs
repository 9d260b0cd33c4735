//! The small HTTP client of probes and hooks: one request, the status of the answer, no redirects.

use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::core::v1::{Container, HTTPGetAction};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

const USER_AGENT: &str = "kube-probe/1.37";
const MAXIMUM_BODY_BYTES: usize = 10 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("dial tcp {0}")]
    Connect(String, #[source] std::io::Error),
    #[error("dial tcp {0}: connect: connection refused")]
    Refused(String),
    #[error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")]
    Timeout,
    #[error("TLS handshake")]
    Tls(#[source] std::io::Error),
    #[error("{0:?} cannot be a host name")]
    Name(String),
    #[error("invalid request")]
    Request(#[source] http::Error),
    #[error("HTTP exchange")]
    Exchange(#[source] hyper::Error),
    #[error("service unhealthy (responded with {0:?})")]
    Unhealthy(String),
    #[error("error: health rpc probe failed: {0}")]
    Rpc(String),
}

impl Target {
    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.path)
    }
}

/// Where an HTTP action of a probe or a hook goes.
pub(crate) fn target(action: &HTTPGetAction, container: &Container, address: &str) -> Result<Target, String> {
    let host = action.host.as_deref().filter(|host| !host.is_empty()).unwrap_or(address);
    let path = action.path.as_deref().filter(|path| !path.is_empty()).unwrap_or("/");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok(Target {
        tls: action.scheme.as_deref().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
        host: host.to_owned(),
        port: super::check::resolve_port(&action.port, container)?,
        path,
        headers: action
            .http_headers
            .iter()
            .flatten()
            .map(|header| (header.name.clone(), header.value.clone()))
            .collect(),
    })
}

/// The status code of the answer. As upstream, a server's certificate is not checked: the kubelet asks
/// an address of its own node.
pub(crate) async fn get(target: &Target, timeout: Duration) -> Result<u16, HttpError> {
    tokio::time::timeout(timeout, get_without_limit(target)).await.map_err(|_| HttpError::Timeout)?
}

async fn get_without_limit(target: &Target) -> Result<u16, HttpError> {
    let stream = connect(&target.host, target.port, &target.authority()).await?;
    if !target.tls {
        return exchange(stream, target).await;
    }
    let name = ServerName::try_from(target.host.clone()).map_err(|_| HttpError::Name(target.host.clone()))?;
    let connector = tokio_rustls::TlsConnector::from(trusting_config());
    exchange(connector.connect(name, stream).await.map_err(HttpError::Tls)?, target).await
}

async fn connect(host: &str, port: u16, shown: &str) -> Result<TcpStream, HttpError> {
    TcpStream::connect((host, port)).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::ConnectionRefused => HttpError::Refused(shown.to_owned()),
        _ => HttpError::Connect(shown.to_owned(), error),
    })
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Target,
) -> Result<u16, HttpError> {
    let mut request = Request::get(&target.path);
    let custom = |name: &str| target.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    let host = custom("host").map_or_else(|| target.authority(), |(_, value)| value.clone());
    request = request.header(header::HOST, host);
    if custom("user-agent").is_none() {
        request = request.header(header::USER_AGENT, USER_AGENT);
    }
    if custom("accept").is_none() {
        request = request.header(header::ACCEPT, "*/*");
    }
    for (name, value) in target.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
        request = request.header(name, value);
    }
    let request =
        request.header(header::CONNECTION, "close").body(Empty::<Bytes>::new()).map_err(HttpError::Request)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(HttpError::Exchange)?;
    let exchange = async { sender.send_request(request).await };
    tokio::pin!(connection, exchange);
    // The connection is driven only as long as the answer is awaited: nothing is left behind.
    tokio::select! {
        answer = &mut exchange => Ok(answer.map_err(HttpError::Exchange)?.status().as_u16()),
        ended = &mut connection => {
            ended.map_err(HttpError::Exchange)?;
            Ok(exchange.await.map_err(HttpError::Exchange)?.status().as_u16())
        }
    }
}

/// The gRPC health check (grpc.health.v1), in clear text. Its request is one string field and its
/// answer one number, so that no generated code is needed.
pub(crate) async fn grpc_health(host: &str, port: u16, service: &str, timeout: Duration) -> Result<(), HttpError> {
    tokio::time::timeout(timeout, grpc_health_without_limit(host, port, service))
        .await
        .map_err(|_| HttpError::Timeout)?
}

async fn grpc_health_without_limit(host: &str, port: u16, service: &str) -> Result<(), HttpError> {
    let target = Target { tls: false, host: host.to_owned(), port, path: String::new(), headers: Vec::new() };
    let stream = connect(host, port, &target.authority()).await?;
    let request = Request::post(format!("http://{}/grpc.health.v1.Health/Check", target.authority()))
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .header(header::USER_AGENT, USER_AGENT)
        .body(Full::new(Bytes::from(health_request(service))))
        .map_err(HttpError::Request)?;
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(HttpError::Exchange)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(HttpError::Exchange)?;
        let in_headers = grpc_status(response.headers());
        let body = Limited::new(response.into_body(), MAXIMUM_BODY_BYTES).collect().await;
        let body = body.map_err(|error| HttpError::Rpc(error.to_string()))?;
        let in_trailers = body.trailers().and_then(grpc_status);
        match in_headers.or(in_trailers).as_deref() {
            Some("0") | None => serving(&body.to_bytes()),
            Some(status) => Err(HttpError::Rpc(format!("status {status}"))),
        }
    };
    tokio::pin!(connection, exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        ended = &mut connection => {
            ended.map_err(HttpError::Exchange)?;
            exchange.await
        }
    }
}

fn grpc_status(headers: &http::HeaderMap) -> Option<String> {
    Some(headers.get("grpc-status")?.to_str().ok()?.to_owned())
}

/// A gRPC frame (flag, length) around `HealthCheckRequest { service = 1 }`.
fn health_request(service: &str) -> Vec<u8> {
    let service = &service.as_bytes()[..service.len().min(127)];
    let mut message = Vec::new();
    if !service.is_empty() {
        message.extend([0x0a, service.len() as u8]);
        message.extend(service);
    }
    let mut frame = vec![0];
    frame.extend((message.len() as u32).to_be_bytes());
    frame.extend(message);
    frame
}

/// `HealthCheckResponse { status = 1 }` must be SERVING.
fn serving(frame: &[u8]) -> Result<(), HttpError> {
    match frame.get(5..) {
        Some([0x08, 1, ..]) => Ok(()),
        Some([0x08, 2, ..]) => Err(HttpError::Unhealthy("NOT_SERVING".to_owned())),
        Some([0x08, 3, ..]) => Err(HttpError::Unhealthy("SERVICE_UNKNOWN".to_owned())),
        _ => Err(HttpError::Unhealthy("UNKNOWN".to_owned())),
    }
}

fn trusting_config() -> Arc<ClientConfig> {
    static CONFIG: std::sync::OnceLock<Arc<ClientConfig>> = std::sync::OnceLock::new();
    Arc::clone(CONFIG.get_or_init(|| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider has the suites of the default versions");
        let verifier = Arc::new(TrustAnyServer { provider });
        Arc::new(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }))
}

#[derive(Debug)]
struct TrustAnyServer {
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for TrustAnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
