//! `pods/log`, `exec`, `attach` and `portforward`: handed on to the node's kubelet.
//!
//! **Invariant:** the connection goes to the address in the Node's status and nowhere else; redirects
//! are not followed; nothing of the client's credentials crosses.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use registry::Object;
use remotecommand::tunnel;
use rustls_pki_types::ServerName;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::forward::Location;
use crate::call::Call;
use crate::kinds;
use crate::metadata;
use crate::status::{ApiError, Subject, answer};
use crate::wire::body::{self, Body};
use crate::wire::query::encode_segment;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// What of a kubelet's refusal is passed on.
const REFUSAL_BYTES: usize = 64 * 1024;
const DEFAULT_PORT: u16 = 10250;

pub(super) fn exec(call: Arc<Call>, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move { stream(&call, request, "exec", true).await })
}

pub(super) fn attach(call: Arc<Call>, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move { stream(&call, request, "attach", true).await })
}

pub(super) fn port_forward(
    call: Arc<Call>,
    request: Request<Body>,
) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move { stream(&call, request, "portForward", false).await })
}

pub(super) fn log(call: Arc<Call>, _request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        let pod = pod(&call).await?;
        let container = container(&call, &pod)?;
        let node = assigned_node(&pod);
        if node.is_empty() {
            // Nothing runs yet, and nothing was ever written.
            return Ok(answer(StatusCode::OK, "text/plain", body::empty()));
        }
        let target = target(&call, node, &pod_path("containerLogs", &pod, Some(&container))).await?;
        read(&call, &target).await
    })
}

/// Where a request goes.
struct Target {
    address: IpAddr,
    port: u16,
    uri: Uri,
}

async fn stream(
    call: &Call,
    request: Request<Body>,
    endpoint: &str,
    to_container: bool,
) -> Result<Response<Body>, ApiError> {
    let pod = pod(call).await?;
    let container = if to_container { Some(container(call, &pod)?) } else { None };
    let node = assigned_node(&pod);
    if node.is_empty() {
        let message = format!("pod {} does not have a host assigned", metadata::name(&pod));
        return Err(ApiError::bad_request(message));
    }
    let phase = pod.get("status").and_then(|status| status.get("phase")).and_then(Value::as_str).unwrap_or("");
    if to_container && matches!(phase, "Succeeded" | "Failed") {
        let message = format!("cannot exec into a container in a completed pod; current phase is {phase}");
        return Err(ApiError::bad_request(message));
    }
    if !tunnel::wants_upgrade(request.headers()) {
        return Err(ApiError::bad_request("Upgrade request required"));
    }
    let target = target(call, node, &pod_path(endpoint, &pod, container.as_deref())).await?;
    let upstream = connect(call, &target).await?;
    let upstream_request = tunnel::upstream_request(&request, &target.uri);
    let tunnel = tunnel::tunnel(request, upstream, upstream_request).await;
    let tunnel = tunnel.map_err(|error| ApiError::internal(&stdx::error::chain(&error)))?;
    if let Some(copying) = tunnel.copying {
        let shutdown = call.server.shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                copied = copying => {
                    if let Err(error) = copied {
                        tracing::debug!(error = %stdx::error::chain(&error), "a stream to a container ended early");
                    }
                }
                () = shutdown.cancelled() => {}
            }
        });
    }
    Ok(tunnel.response.map(body::boxed))
}

/// A plain GET whose good answer is a text, streamed as it comes.
async fn read(call: &Call, target: &Target) -> Result<Response<Body>, ApiError> {
    let (parts, incoming) = get(call, target).await?.into_parts();
    if parts.status == StatusCode::OK {
        return Ok(answer(StatusCode::OK, "text/plain", body::boxed(incoming)));
    }
    let text = Limited::new(incoming, REFUSAL_BYTES).collect().await;
    let text = text.map_err(|error| ApiError::internal(&error.to_string()))?.to_bytes();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    let reason = match parts.status {
        StatusCode::BAD_REQUEST => "BadRequest",
        StatusCode::NOT_FOUND => "NotFound",
        _ => "InternalError",
    };
    Err(ApiError::new(parts.status, reason, text))
}

/// A plain GET; redirects are refused.
async fn get(call: &Call, target: &Target) -> Result<Response<Incoming>, ApiError> {
    let failed = |error: hyper::Error| ApiError::internal(&format!("error dialing backend: {error}"));
    let upstream = connect(call, target).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(upstream)).await.map_err(failed)?;
    let shutdown = call.server.shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection to a kubelet ended early");
                }
            }
            () = shutdown.cancelled() => {}
        }
    });
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = target.uri.path_and_query().map_or_else(Uri::default, |path| Uri::from(path.clone()));
    let host = target.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    request.headers_mut().insert(header::HOST, host.unwrap_or(HeaderValue::from_static("localhost")));
    let answered = tokio::time::timeout(ANSWER_TIMEOUT, sender.send_request(request)).await;
    let answered = answered.map_err(|_| ApiError::internal("error dialing backend: no answer in time"))?;
    let response = answered.map_err(failed)?;
    if response.status().is_redirection() {
        return Err(ApiError::internal("the kubelet answered with a redirect, which is not followed"));
    }
    Ok(response)
}

async fn pod(call: &Call) -> Result<Object, ApiError> {
    let pod = call.server.storage.object(call.kind, call.namespace(), &call.info.name).await?;
    pod.ok_or_else(|| ApiError::not_found(call.subject(&call.info.name)))
}

fn assigned_node(pod: &Object) -> &str {
    pod.get("spec").and_then(|spec| spec.get("nodeName")).and_then(Value::as_str).unwrap_or("")
}

/// The container that was asked for, or the only one, or the one an annotation makes the default.
fn container(call: &Call, pod: &Object) -> Result<String, ApiError> {
    let names = |field: &str| -> Vec<&str> {
        let list = pod.get("spec").and_then(|spec| spec.get(field)).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|container| container.get("name")?.as_str()).collect()
    };
    let (main, init, ephemeral) = (names("containers"), names("initContainers"), names("ephemeralContainers"));
    let pod_name = metadata::name(pod);
    if let Some(asked) = call.query.get("container") {
        return if [&main, &init, &ephemeral].iter().any(|names| names.contains(&asked)) {
            Ok(asked.to_owned())
        } else {
            Err(ApiError::bad_request(format!("container {asked} is not valid for pod {pod_name}")))
        };
    }
    let chosen = metadata::map(pod, "annotations")
        .and_then(|annotations| annotations.get("kubectl.kubernetes.io/default-container"))
        .and_then(Value::as_str)
        .filter(|name| main.contains(name));
    if let Some(name) = chosen {
        return Ok(name.to_owned());
    }
    match main.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(ApiError::bad_request(format!("a container name must be specified for pod {pod_name}"))),
        several => {
            let mut message = format!(
                "a container name must be specified for pod {pod_name}, choose one of: [{}]",
                several.join(" ")
            );
            if !init.is_empty() {
                message.push_str(&format!(" or one of the init containers: [{}]", init.join(" ")));
            }
            if !ephemeral.is_empty() {
                message.push_str(&format!(" or one of the ephemeral containers: [{}]", ephemeral.join(" ")));
            }
            Err(ApiError::bad_request(message))
        }
    }
}

fn pod_path(endpoint: &str, pod: &Object, container: Option<&str>) -> String {
    let mut path =
        format!("/{endpoint}/{}/{}", encode_segment(metadata::namespace(pod)), encode_segment(metadata::name(pod)));
    if let Some(container) = container {
        path.push('/');
        path.push_str(&encode_segment(container));
    }
    path
}

/// The kubelet's address as its Node states it. Loopback and link-local addresses are refused: they
/// would make this server speak to itself or to the machine's metadata.
pub(super) async fn endpoint(call: &Call, node: &str) -> Result<Location, ApiError> {
    let nodes = kinds::required("", "v1", "nodes");
    let object = call.server.storage.object(nodes, "", node).await?;
    let object = object.ok_or_else(|| ApiError::not_found(Subject::of(nodes, node)))?;
    let status = object.get("status").unwrap_or(&Value::Null);
    let addresses = status.get("addresses").and_then(Value::as_array).into_iter().flatten();
    let internal = addresses
        .filter(|address| address.get("type").and_then(Value::as_str) == Some("InternalIP"))
        .find_map(|address| address.get("address")?.as_str()?.parse::<IpAddr>().ok());
    let address =
        internal.ok_or_else(|| ApiError::internal(&format!("no preferred addresses found for node {node:?}")))?;
    if !call.server.may_dial(address) {
        return Err(ApiError::internal(&format!("the address of node {node:?} is not one to connect to")));
    }
    let port = status
        .get("daemonEndpoints")
        .and_then(|endpoints| endpoints.get("kubeletEndpoint")?.get("Port")?.as_u64())
        .and_then(|port| u16::try_from(port).ok())
        .filter(|port| *port != 0)
        .unwrap_or(DEFAULT_PORT);
    Ok(Location { address, port, tls: None })
}

/// This server's credentials for kubelets.
pub(super) fn tls(call: &Call) -> Result<Arc<rustls::ClientConfig>, ApiError> {
    let none = || ApiError::unavailable("this server has no credentials for kubelets");
    call.server.kubelet_tls.clone().ok_or_else(none)
}

async fn target(call: &Call, node: &str, path: &str) -> Result<Target, ApiError> {
    let Location { address, port, .. } = endpoint(call, node).await?;
    let host = SocketAddr::new(address, port);
    let query = call.query.raw();
    let separator = if query.is_empty() { "" } else { "?" };
    let uri = format!("https://{host}{path}{separator}{query}");
    let uri = uri.parse().map_err(|_| ApiError::bad_request("the request does not make a valid URL"))?;
    Ok(Target { address, port, uri })
}

async fn connect(call: &Call, target: &Target) -> Result<TlsStream<TcpStream>, ApiError> {
    let tls = tls(call)?;
    let dial = async {
        let stream = TcpStream::connect((target.address, target.port)).await?;
        stream.set_nodelay(true)?;
        TlsConnector::from(tls).connect(ServerName::from(target.address), stream).await
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, dial).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(ApiError::internal(&format!("error dialing backend: {error}"))),
        Err(_) => Err(ApiError::internal("error dialing backend: the kubelet does not answer")),
    }
}
