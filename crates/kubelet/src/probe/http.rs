//! The small HTTP client of probes and hooks: one request, the status of the answer, no redirects.

use std::time::Duration;

use api::k8s::api::core::v1::{Container, HTTPGetAction};
use bytes::Bytes;
use grpc::{Code, outcome};
use http::{Request, header};
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::pod::backoff::go_duration;

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
    #[error("error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {0}")]
    NotImplemented(String),
    #[error("timeout: failed to connect service {address:?} within {timeout}: context deadline exceeded")]
    NoConnection { address: String, timeout: String },
    #[error("timeout: health rpc did not complete within {0}")]
    NoAnswer(String),
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
    let connector = tokio_rustls::TlsConnector::from(client::tls::trusting_any_server());
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
    let target = Target { tls: false, host: host.to_owned(), port, path: String::new(), headers: Vec::new() };
    let shown = go_duration(timeout);
    let connected = std::sync::atomic::AtomicBool::new(false);
    let call = async {
        // Upstream's client tries again until the time is over: a port that is closed reads as a timeout.
        let stream = connect(host, port, &target.authority()).await.map_err(|_| HttpError::Timeout)?;
        connected.store(true, std::sync::atomic::Ordering::Relaxed);
        ask_health(stream, &target, service).await
    };
    match tokio::time::timeout(timeout, call).await.unwrap_or(Err(HttpError::Timeout)) {
        Err(HttpError::Timeout) if connected.into_inner() => Err(HttpError::NoAnswer(shown)),
        Err(HttpError::Timeout) => Err(HttpError::NoConnection { address: target.authority(), timeout: shown }),
        answer => answer,
    }
}

async fn ask_health(stream: TcpStream, target: &Target, service: &str) -> Result<(), HttpError> {
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
        let in_headers = outcome(response.headers());
        let body = Limited::new(response.into_body(), MAXIMUM_BODY_BYTES).collect().await;
        let body = body.map_err(|error| HttpError::Rpc(error.to_string()))?;
        let in_trailers = body.trailers().and_then(outcome);
        match in_headers.or(in_trailers) {
            Some(Ok(())) | None => serving(&body.to_bytes()),
            Some(Err(status)) if status.code == Code::Unimplemented => Err(HttpError::NotImplemented(status.message)),
            Some(Err(status)) => Err(HttpError::Rpc(status.to_string())),
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use hyper::service::service_fn;
    use tokio::net::TcpListener;

    use super::*;

    /// Asks a server that answers once with these bytes and this status; `None` never answers.
    async fn check(answer: Option<(&'static [u8], &'static str)>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(move |request: Request<hyper::body::Incoming>| async move {
                assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
                let asked = request.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(&asked[..], b"\0\0\0\0\x05\x0a\x03web");
                let Some((body, status)) = answer else { return std::future::pending().await };
                let mut trailers = http::HeaderMap::new();
                trailers.insert("grpc-status", http::HeaderValue::from_static(status));
                trailers.insert("grpc-message", http::HeaderValue::from_static("so%20it%20is"));
                let body = Full::new(Bytes::from_static(body)).with_trailers(async { Some(Ok(trailers)) });
                Ok::<_, Infallible>(http::Response::new(body))
            });
            // Ends when the probe hangs up.
            drop(
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
        let timeout = if answer.is_some() { Duration::from_secs(30) } else { Duration::from_millis(100) };
        let outcome = grpc_health("127.0.0.1", port, "web", timeout).await;
        server.abort();
        outcome.map_or_else(|error| error.to_string(), |()| "healthy".to_owned())
    }

    #[tokio::test]
    async fn grpc_answers_read_as_upstreams() {
        for (body, status, expected) in [
            (&b"\0\0\0\0\x02\x08\x01"[..], "0", "healthy"),
            (b"\0\0\0\0\x02\x08\x02", "0", "service unhealthy (responded with \"NOT_SERVING\")"),
            (b"\0\0\0\0\x00", "0", "service unhealthy (responded with \"UNKNOWN\")"),
            (
                b"",
                "12",
                "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): so it is",
            ),
            (b"", "5", "error: health rpc probe failed: rpc error: code = NotFound desc = so it is"),
        ] {
            assert_eq!(check(Some((body, status))).await, expected);
        }
        assert_eq!(check(None).await, "timeout: health rpc did not complete within 100ms");
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = grpc_health("127.0.0.1", closed.port(), "", Duration::from_secs(1)).await.unwrap_err();
        let expected = format!("timeout: failed to connect service \"{closed}\" within 1s: context deadline exceeded");
        assert_eq!(error.to_string(), expected);
    }
}
